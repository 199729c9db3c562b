"""pyradiomics, the judge of the radiomics engine, where it is installed."""

from types import ModuleType

import pytest


def need_pyradiomics() -> ModuleType:
    """The package; skips the test, or the file that calls this at its top, where there is none."""
    module: ModuleType = pytest.importorskip(
        "radiomics", reason="pyradiomics, the reference engine, is not installed; it cannot be built on Python 3.12"
    )
    return module
