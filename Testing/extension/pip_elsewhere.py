"""pip, answering for another computer: `python pip_elsewhere.py '{"sys_platform": "win32"}' install ...`.

`--platform` chooses wheels only: which packages another system needs besides (`; sys_platform == "win32"`) pip always
decides for the computer and the Python that it runs on. Here the markers get the values that are given.
"""

import json
import sys

from pip._internal.cli.main import main
from pip._vendor.packaging import markers

if __name__ == "__main__":
    environment = {**markers.default_environment(), **json.loads(sys.argv[1])}
    markers.default_environment = lambda: dict(environment)  # type: ignore[assignment]
    sys.exit(main(sys.argv[2:]))
