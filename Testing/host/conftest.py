"""The host's own tests run it in pytest's process: without a screen, and started once."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import slicerhost

slicerhost.set_environment()  # before anything imports Qt or VTK

from slicerhost.fixtures import loaded, slicer_app, slicer_scene  # noqa: E402, F401
