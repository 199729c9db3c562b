"""The host's own tests run it in pytest's process: without a screen, and started once. Elsewhere they are skipped."""

import sys
from pathlib import Path

from host_here import WHY_NOT, SkippedModule

sys.path.insert(0, str(Path(__file__).parent))

if WHY_NOT:

    def pytest_pycollect_makemodule(module_path: Path, parent):
        return SkippedModule.from_parent(parent, path=module_path)

else:
    import slicerhost

    slicerhost.set_environment()  # before anything imports Qt or VTK

    from slicerhost.fixtures import loaded, slicer_app, slicer_scene  # noqa: F401
