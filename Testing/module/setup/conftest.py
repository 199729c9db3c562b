"""Packages that are taken away, for tests of what is missing and of its repair."""

import pytest
import slicerhost
from PDL1PredictorGUI.setup import packages


@pytest.fixture
def without(monkeypatch):
    """A function that takes packages away until pip "installs" them."""
    real = packages.installed_version

    def take(*names):
        slicerhost.packages.missing = set(names)
        monkeypatch.setattr(
            packages, "installed_version", lambda name: None if name in slicerhost.packages.missing else real(name)
        )

    return take
