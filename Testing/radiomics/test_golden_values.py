"""The values of pyradiomics on synthetic images, kept as tables for the Pythons on which it cannot be installed."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from reference import need_pyradiomics

from PDL1PredictorLib.core.progress import SILENT
from PDL1PredictorLib.radiomics.engine import engine

NEARLY_ZERO = 1e-9  # of a value that vanishes by cancellation only the size is known
NAMES = ("ball_pdl1es", "ball_anisotropic_db2", "frayed_haar_bin_count", "lattice")


def load_maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_golden", Path(__file__).with_name("make_golden.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    return load_maker()


def test_every_case_has_its_table(maker: ModuleType):
    assert set(maker.CASES) == set(NAMES) == {path.stem for path in maker.FOLDER.glob("*.csv")}


@pytest.mark.parametrize("name", NAMES)
def test_the_engine_finds_the_golden_values(name: str, maker: ModuleType):
    case = maker.CASES[name]()
    found = engine("pdl1").extract(case.ct, case.masks, case.settings, SILENT)
    expected = maker.read_golden(name)
    assert list(found) == list(expected)
    assert found == pytest.approx(expected, rel=1e-8, abs=NEARLY_ZERO, nan_ok=True)


@pytest.mark.parametrize("name", ["frayed_haar_bin_count", "lattice"])
def test_the_golden_values_are_those_of_pyradiomics(name: str, maker: ModuleType):
    need_pyradiomics()
    case = maker.CASES[name]()
    found = engine("pyradiomics").extract(case.ct, case.masks, case.settings, SILENT)
    assert found == pytest.approx(maker.read_golden(name), rel=1e-8, abs=NEARLY_ZERO, nan_ok=True)


def test_a_table_that_differs_would_be_seen(maker: ModuleType):
    expected = maker.read_golden("lattice")
    case = maker.CASES["lattice"]()
    found = engine("pdl1").extract(case.ct, case.masks, case.settings, SILENT)
    expected["tumor_original_firstorder_Energy"] *= 1 + 1e-7
    assert found != pytest.approx(expected, rel=1e-8, abs=NEARLY_ZERO, nan_ok=True)
