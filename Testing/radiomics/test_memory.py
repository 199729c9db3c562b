"""The estimate of memory: it grows with what makes it grow, and refuses in words."""

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT
from PDL1PredictorLib.radiomics import memory
from PDL1PredictorLib.radiomics.memory import available_bytes, estimated_bytes
from PDL1PredictorLib.radiomics.pdl1_engine import PDL1Engine
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.radiomics.voxels import RegionVoxels

PLAIN = FeatureSettings("plain", wavelet=None)


def box(edge: int) -> tuple[sitk.Image, list[RegionVoxels]]:
    inside = np.zeros((edge, edge, edge), bool)
    inside[1:-1, 1:-1, 1:-1] = True
    return sitk.Image([edge] * 3, sitk.sitkFloat32), [RegionVoxels.of(inside, (1.0, 1.0, 1.0))]


@pytest.mark.parametrize(
    ("settings", "edge", "threads", "range_hu"),
    [
        (FeatureSettings("wavelet"), 20, 1, 1000.0),
        (FeatureSettings("log", wavelet=None, log_sigma_mm=(1.0,)), 20, 1, 1000.0),
        (FeatureSettings("fine", wavelet=None, bin_width=1.0), 20, 1, 1000.0),
        (PLAIN, 40, 1, 1000.0),
        (PLAIN, 20, 8, 1000.0),
        (PLAIN, 20, 1, 4000.0),
    ],
    ids=["wavelet", "laplacian", "narrow bins", "larger image", "more threads", "wider range"],
)
def test_what_takes_more_memory_is_estimated_to_take_more(
    settings: FeatureSettings, edge: int, threads: int, range_hu: float
):
    assert estimated_bytes(*box(edge), settings, threads, range_hu) > estimated_bytes(*box(20), PLAIN, 1, 1000.0)


def test_this_machine_has_more_memory_than_a_small_case_needs():
    free = available_bytes()
    assert free is None or free > estimated_bytes(*box(20), PLAIN, 1, 1000.0)


def test_a_volume_that_does_not_fit_is_refused_with_what_helps(
    lesion: dict[str, sitk.Image], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(memory, "available_bytes", lambda: 1_000_000)
    with pytest.raises(InputError, match=r"need about 0.0 GB of memory, 0.0 GB are free. Close other programs, or"):
        PDL1Engine().extract(lesion["ct"], {"tumor": lesion["tumor"]}, PLAIN, SILENT)


def test_a_system_that_does_not_tell_its_memory_refuses_nothing(
    lesion: dict[str, sitk.Image], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(memory, "available_bytes", lambda: None)
    assert PDL1Engine().extract(lesion["ct"], {"tumor": lesion["tumor"]}, PLAIN, SILENT)
