"""Whether the module's tests can run here: their host is 3D Slicer's own code, with wheels for one kind of machine."""

import platform
import sys

import pytest

_MACHINE = f"{sys.platform} on {platform.machine()}"
#: Why not; empty where they can. requirements/host.txt has the same condition
WHY_NOT = (
    "" if _MACHINE == "linux on x86_64" else f"slicer-core has wheels for Linux on x86-64 only, this is {_MACHINE}"
)


class SkippedModule(pytest.Module):
    """A file of tests that is skipped without being imported."""

    def collect(self) -> list[pytest.Item]:
        """Skips, with the reason."""
        pytest.skip(WHY_NOT, allow_module_level=True)
