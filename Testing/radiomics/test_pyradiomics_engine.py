"""The reference engine: the values of pyradiomics itself, refusals in words, and a process left as it was."""

import itertools
import logging
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import SimpleITK as sitk
from reference import need_pyradiomics

from PDL1PredictorLib.core.errors import (
    CancelledError,
    EmptyRegionError,
    GridMismatchError,
    InputError,
    MissingPackageError,
)
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.radiomics.engine import Engine, engine
from PDL1PredictorLib.radiomics.settings import PRESETS, FeatureSettings, preset

need_pyradiomics()

Lesion = dict[str, sitk.Image]
Plain = Callable[[sitk.Image, sitk.Image, FeatureSettings], dict[str, float]]
FIRST_ORDER = FeatureSettings("first-order", classes=("firstorder",), wavelet=None)


@pytest.fixture(scope="module")
def reference() -> Engine:
    return engine("pyradiomics")


def masks(lesion: Lesion) -> dict[str, sitk.Image]:
    return {"tumor": lesion["tumor"], "ring": lesion["ring"]}


def blob(shape: tuple[int, int, int]) -> np.ndarray:
    """Whole HU, all different enough for a texture."""
    return np.random.default_rng(3).integers(-900, 300, shape).astype(np.int16)


def volume(array: np.ndarray) -> sitk.Image:
    return sitk.GetImageFromArray(array)


def region(shape: tuple[int, int, int], *where: slice) -> sitk.Image:
    mask = np.zeros(shape, np.uint8)
    mask[where] = 1
    return sitk.GetImageFromArray(mask)


# the values of pyradiomics


@pytest.mark.parametrize("name", list(PRESETS))
def test_both_regions_have_the_values_of_plain_pyradiomics(
    name: str, lesion: Lesion, reference: Engine, plain_pyradiomics: Plain
):
    settings = preset(name)
    found = reference.extract(lesion["ct"], masks(lesion), settings, SILENT)
    expected = {
        f"{which}_{feature}": value
        for which, mask in masks(lesion).items()
        for feature, value in plain_pyradiomics(lesion["ct"], mask, settings).items()
    }
    assert tuple(found) == settings.feature_names()
    assert set(found) == set(expected)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize("shape", [(16, 17, 18), (17, 16, 15), (13, 13, 13), (14, 16, 18)])
def test_odd_and_even_boxes_have_the_values_of_plain_pyradiomics(
    shape: tuple[int, int, int], reference: Engine, plain_pyradiomics: Plain
):
    settings = FeatureSettings("few", classes=("firstorder", "glszm"), wavelet="haar")
    ct, tumor = volume(blob(shape)), region(shape, slice(2, 9), slice(1, 7), slice(0, 8))  # touches the box
    found = reference.extract(ct, {"tumor": tumor}, settings, SILENT)
    expected = {f"tumor_{name}": value for name, value in plain_pyradiomics(ct, tumor, settings).items()}
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


def test_a_bin_count_gives_the_values_of_plain_pyradiomics(lesion: Lesion, reference: Engine, plain_pyradiomics: Plain):
    settings = FeatureSettings("count", bin_width=None, bin_count=16, wavelet=None)
    found = reference.extract(lesion["ct"], {"tumor": lesion["tumor"]}, settings, SILENT)
    expected = plain_pyradiomics(lesion["ct"], lesion["tumor"], settings)
    assert found == pytest.approx({f"tumor_{name}": value for name, value in expected.items()}, rel=1e-9)


def test_undefined_values_stay_nan(reference: Engine, plain_pyradiomics: Plain):
    shape = (9, 9, 9)
    ct, lattice = volume(blob(shape)), region(shape, *[slice(0, 8, 2)] * 3)  # 64 voxels, none beside another
    settings = FeatureSettings("glcm", classes=("glcm",), wavelet=None)
    found = reference.extract(ct, {"tumor": lattice}, settings, SILENT)
    assert len(found) == 24
    undefined = {name.removeprefix("tumor_") for name, value in found.items() if np.isnan(value)}
    assert len(undefined) > 20
    expected = plain_pyradiomics(ct, lattice, settings)
    assert undefined == {name for name, value in expected.items() if np.isnan(value)}


# what must not matter


def test_the_order_of_the_regions_changes_no_value(lesion: Lesion, reference: Engine):
    settings = FeatureSettings("some", classes=("shape", "glcm", "glszm"), wavelet=None)
    there = reference.extract(lesion["ct"], masks(lesion), settings, SILENT)
    back = reference.extract(lesion["ct"], dict(reversed(masks(lesion).items())), settings, SILENT)
    assert there == back
    assert next(iter(back)).startswith("ring_")


def test_the_type_of_the_voxels_and_the_label_of_the_mask_change_no_value(lesion: Lesion, reference: Engine):
    settings = FeatureSettings("some", classes=("shape", "firstorder", "glrlm"))
    given = reference.extract(lesion["ct"], {"tumor": lesion["tumor"]}, settings, SILENT)
    integers, label_7 = sitk.Cast(lesion["ct"], sitk.sitkInt16), sitk.Cast(lesion["tumor"], sitk.sitkInt16) * 7
    assert reference.extract(integers, {"tumor": label_7}, settings, SILENT) == given


def test_a_hundredth_of_a_micrometer_between_two_grids_is_forgiven(lesion: Lesion, reference: Engine):
    settings = FeatureSettings("shape", classes=("shape", "firstorder"), wavelet=None)
    moved = sitk.Image(lesion["tumor"])
    moved.SetOrigin((1e-5, 0.0, 0.0))
    given = reference.extract(lesion["ct"], {"tumor": lesion["tumor"]}, settings, SILENT)
    assert reference.extract(lesion["ct"], {"tumor": moved}, settings, SILENT) == given


# refusals


def test_a_mask_on_another_grid_is_refused(lesion: Lesion, reference: Engine):
    moved = sitk.Image(lesion["tumor"])
    moved.SetOrigin((1.0, 0.0, 0.0))
    with pytest.raises(GridMismatchError, match="the mask on"):
        reference.extract(lesion["ct"], {"tumor": moved}, FIRST_ORDER, SILENT)


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ((slice(0), slice(0), slice(0)), "The tumor has no voxel"),
        ((slice(5, 6), slice(5, 6), slice(5, 6)), "The tumor has 1 voxels; at least 64"),
        ((slice(5, 6), slice(5, 6), slice(0, 12)), "The tumor has 12 voxels; at least 64"),
        ((slice(5, 6), slice(0, 8), slice(0, 9)), r"The tumor is 9 x 8 x 1 voxels large; at least 2 along every axis"),
    ],
)
def test_a_region_that_is_empty_a_point_a_line_or_a_plane_is_refused(
    where: tuple[slice, ...], message: str, reference: Engine
):
    shape = (12, 12, 12)
    with pytest.raises(EmptyRegionError, match=message):
        reference.extract(volume(blob(shape)), {"tumor": region(shape, *where)}, FIRST_ORDER, SILENT)


def test_a_small_ring_is_refused_by_its_own_name(lesion: Lesion, reference: Engine):
    speck = region((19, 21, 23), slice(2, 4), slice(2, 4), slice(2, 4))
    with pytest.raises(EmptyRegionError, match="The peritumoral ring has 8 voxels"):
        reference.extract(lesion["ct"], {"tumor": lesion["tumor"], "ring": speck}, FIRST_ORDER, SILENT)


def test_a_region_of_one_intensity_is_refused(reference: Engine):
    ct = blob((12, 12, 12))
    ct[2:7, 2:7, 2:7] = -1024
    with pytest.raises(InputError, match=r"All voxels of the tumor have the same intensity \(-1024 HU\)"):
        reference.extract(volume(ct), {"tumor": region(ct.shape, *[slice(2, 7)] * 3)}, FIRST_ORDER, SILENT)


def test_more_gray_levels_than_memory_can_hold_are_refused(reference: Engine):
    ct = blob((12, 12, 12)).astype(np.float32)
    ct[4, 4, 4] = 60000
    with pytest.raises(InputError, match=r"more than 512 gray levels of 25 HU. Choose a larger bin_width"):
        reference.extract(volume(ct), {"tumor": region(ct.shape, *[slice(2, 7)] * 3)}, FIRST_ORDER, SILENT)


def test_a_voxel_that_is_not_a_number_is_refused_wherever_it_lies(reference: Engine):
    ct = blob((12, 12, 12)).astype(np.float32)
    ct[11, 11, 11] = np.nan  # a filter would carry it into the region
    with pytest.raises(InputError, match="has 1 voxels that are NaN or infinite"):
        reference.extract(volume(ct), {"tumor": region(ct.shape, *[slice(2, 7)] * 3)}, FIRST_ORDER, SILENT)


def test_a_box_that_is_too_small_for_a_laplacian_is_refused(reference: Engine):
    settings = FeatureSettings("log", classes=("firstorder",), wavelet=None, log_sigma_mm=(10.0,))
    shape = (12, 12, 9)
    with pytest.raises(InputError, match="9 x 12 x 12 voxels; the Laplacian of Gaussian of 10 mm needs at least 11"):
        reference.extract(volume(blob(shape)), {"tumor": region(shape, *[slice(2, 7)] * 3)}, settings, SILENT)


@pytest.mark.parametrize(("names", "came"), [(["liver"], "liver"), ([], "none")])
def test_regions_of_other_names_are_refused(names: list[str], came: str, lesion: Lesion, reference: Engine):
    with pytest.raises(InputError, match=f"Expected regions named tumor or ring, got {came}"):
        reference.extract(lesion["ct"], dict.fromkeys(names, lesion["tumor"]), FIRST_ORDER, SILENT)


def test_another_pyradiomics_with_other_names_is_refused_and_nothing_is_dropped(
    lesion: Lesion, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("radiomics.ngtdm.RadiomicsNGTDM.getFeatureNames", lambda self: {"Busyness": False})
    settings = FeatureSettings("ngtdm", classes=("ngtdm",), wavelet=None)
    with pytest.raises(MissingPackageError, match="differ in 4 names, such as tumor_original_ngtdm_Coarseness"):
        engine("pyradiomics").extract(lesion["ct"], {"tumor": lesion["tumor"]}, settings, SILENT)


# progress, and the process that is left as it was


def test_a_step_is_told_for_the_shape_and_every_image(lesion: Lesion, reference: Engine):
    told: list[tuple[float, str]] = []
    progress = Progress(report=lambda stage, fraction, message: told.append((fraction, message)))
    settings = FeatureSettings("few", classes=("shape", "firstorder"), log_sigma_mm=(1.0,))
    reference.extract(lesion["ct"], masks(lesion), settings, progress)
    assert [message for _, message in told] == ["shape", *settings.image_names(), ""]
    assert all(earlier < later for (earlier, _), (later, _) in itertools.pairwise(told))
    assert told[-1][0] == 1.0


def test_cancelling_between_two_images_leaves_nothing_behind(lesion: Lesion, reference: Engine):
    settings = FeatureSettings("few", classes=("firstorder",))
    before = reference.extract(lesion["ct"], masks(lesion), settings, SILENT)
    steps: list[str] = []
    progress = Progress(
        report=lambda stage, fraction, message: steps.append(message), cancelled=lambda: len(steps) == 3
    )
    level, filters = logging.getLogger("radiomics").level, list(warnings.filters)
    with pytest.raises(CancelledError, match="Nothing was written"):
        reference.extract(lesion["ct"], masks(lesion), settings, progress)
    assert steps == ["original", "wavelet-LLH", "wavelet-LHL"]
    assert (logging.getLogger("radiomics").level, warnings.filters) == (level, filters)
    assert reference.extract(lesion["ct"], masks(lesion), settings, SILENT) == before


def test_pyradiomics_says_nothing_and_its_log_level_is_given_back(
    lesion: Lesion, reference: Engine, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    logging.getLogger("radiomics").setLevel(logging.INFO)
    settings = FeatureSettings("glcm", classes=("glcm",), wavelet=None)  # pyradiomics warns of SumAverage each time
    reference.extract(lesion["ct"], masks(lesion), settings, SILENT)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records
    assert logging.getLogger("radiomics").level == logging.INFO


def test_linear_algebra_has_its_threads_back_afterwards(lesion: Lesion, reference: Engine):
    threadpoolctl = pytest.importorskip("threadpoolctl", reason="threadpoolctl is not installed")
    before = threadpoolctl.threadpool_info()
    reference.extract(lesion["ct"], masks(lesion), FIRST_ORDER, SILENT)
    assert threadpoolctl.threadpool_info() == before


def test_the_images_that_were_given_are_not_touched(lesion: Lesion, reference: Engine):
    given = {name: sitk.GetArrayFromImage(image) for name, image in lesion.items()}
    reference.extract(lesion["ct"], masks(lesion), preset("karim"), SILENT)
    for name, image in lesion.items():
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), given[name])
