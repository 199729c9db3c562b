"""Choosing an engine, and what happens when its package is missing."""

import sys

import pytest
from reference import need_pyradiomics

from PDL1PredictorLib.core.errors import InputError, MissingPackageError
from PDL1PredictorLib.radiomics.engine import engine


def test_the_reference_engine_tells_its_name_and_version():
    need_pyradiomics()
    chosen = engine("pyradiomics")
    assert (chosen.name, chosen.version) == ("pyradiomics", "3.0.1")


def test_an_unknown_engine_is_refused_with_the_names_that_exist():
    with pytest.raises(InputError, match=r"'fast' is not known. Known engines: .*pyradiomics"):
        engine("fast")


def test_a_missing_pyradiomics_is_told_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "radiomics", None)
    with pytest.raises(MissingPackageError, match='install it as the README tells under "Radiomics"'):
        engine("pyradiomics")
