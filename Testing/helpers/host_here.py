"""Puts the headless host on the path, whether it is installed or not: it lies in packages/slicerhost."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: First, so that a checkout is tested with its own host
HOST = ROOT / "packages" / "slicerhost" / "src"
sys.path.insert(0, str(HOST))
