"""Where the parts of the host lie that other programs run, and whether it can run on this machine."""

import platform
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
#: For CMake: ``-DSlicer_DIR=...``
CMAKE_FOLDER = _HERE / "cmake"
#: The program that stands for Slicer's own
LAUNCHER = _HERE / "launcher.py"

_MACHINE = f"{sys.platform} on {platform.machine()}"
#: Why the host cannot run here, empty where it can: it is 3D Slicer's own code, with wheels for one kind of machine
WHY_NOT = (
    "" if _MACHINE == "linux on x86_64" else f"slicer-core has wheels for Linux on x86-64 only, this is {_MACHINE}"
)
