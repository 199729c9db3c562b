"""Both engines on real images; `compare_engines.py` does the same on all of them, with the result in equality.md."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from reference import need_pyradiomics

from PDL1PredictorLib.radiomics.settings import preset

CASES = {  # name: preset
    "chest CT nrrd": "pdl1es",
    "DICOM pat_2": "deepradscore",
    "LIDC LIDC-IDRI-0001_R_1": "pdl1es",
    "LIDC LIDC-IDRI-0005_R_2": "deepradscore",  # three slices, too few for a Laplacian
}


@pytest.fixture(scope="module")
def comparison() -> ModuleType:
    need_pyradiomics()
    spec = importlib.util.spec_from_file_location("compare_engines", Path(__file__).with_name("compare_engines.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.real_data
@pytest.mark.parametrize("name", list(CASES))
def test_every_value_agrees_to_nine_digits(name: str, comparison: ModuleType, shared: Path):
    load = dict(comparison.real_cases(shared))[name]
    worst = comparison.compare(load(), preset(CASES[name]))[0]
    assert worst.relative < 1e-9, worst


def test_a_value_that_differs_is_seen(comparison: ModuleType):
    assert comparison.difference("tumor_original_glcm_MCC", 1.0, 1.001).relative == pytest.approx(1e-3, rel=1e-2)
    assert comparison.difference("tumor_original_glcm_MCC", float("nan"), 1.0).relative == float("inf")
    assert comparison.difference("tumor_original_glcm_MCC", float("nan"), float("nan")).relative == 0
