"""Programs of the system that some tests ask for: without them a skip, and a failure under CI on Linux."""

import os
import shutil
import sys
from pathlib import Path

import pytest

ELSEWHERE = ("/usr/sbin", "/usr/local/sbin")  # not on everybody's path


def need_program(name: str) -> str:
    """The path of a program; skips the test where there is none, and fails it under CI on Linux."""
    found = shutil.which(name) or next((str(p) for p in (Path(d, name) for d in ELSEWHERE) if p.is_file()), None)
    if found is None:
        _missing(f"the program {name} is not installed")
    return str(found)


def need_file(*places: str) -> Path:
    """The first of some files that is there; skips and fails alike."""
    found = next((Path(place) for place in places if Path(place).is_file()), None)
    if found is None:
        _missing(f"none of {', '.join(places)} is there")
    return Path(str(found))


def _missing(message: str) -> None:
    if os.environ.get("CI") == "true" and sys.platform == "linux":
        pytest.fail(message)
    pytest.skip(message)
