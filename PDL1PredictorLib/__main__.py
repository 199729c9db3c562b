"""`python -m PDL1PredictorLib` is the command `pdl1`: Slicer starts it so."""

import sys

from PDL1PredictorLib.cli import main

if __name__ == "__main__":  # the processes that prepare cases import this file too
    sys.exit(main())
