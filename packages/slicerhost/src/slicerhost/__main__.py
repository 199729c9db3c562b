"""``python -m slicerhost`` and the command ``slicerhost``."""

import sys

from slicerhost.command import run


def main() -> int:
    """Runs the command line; its exit code."""
    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
