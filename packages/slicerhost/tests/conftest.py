"""The host's own tests run it in pytest's process: without a screen, and started once. Elsewhere they are skipped."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "src"):  # installed or not
    sys.path.insert(0, str(folder))

from toy_extension import write_extension  # noqa: E402

from slicerhost.fixtures import SkippedModule  # noqa: E402 - the path first
from slicerhost.here import WHY_NOT  # noqa: E402

if WHY_NOT:

    def pytest_pycollect_makemodule(module_path, parent):
        return SkippedModule.from_parent(parent, path=module_path)

else:
    import slicerhost

    slicerhost.set_environment()  # before anything imports Qt or VTK

    from slicerhost.fixtures import loaded, qt5_facts, slicer_app, slicer_scene  # noqa: F401


@pytest.fixture
def extension(tmp_path: Path) -> Path:
    """A complete extension in a folder of its own."""
    return write_extension(tmp_path / "extension")
