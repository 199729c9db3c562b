"""The project's own engine: the values of pyradiomics on ordinary and odd regions, refusals, progress, threads."""

import itertools
import math
import os

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import need_pyradiomics

from PDL1PredictorLib.core.errors import CancelledError, EmptyRegionError, InputError, MissingPackageError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.radiomics.engine import Engine, engine
from PDL1PredictorLib.radiomics.pdl1_engine import PDL1Engine
from PDL1PredictorLib.radiomics.settings import PRESETS, FeatureSettings, preset

Lesion = dict[str, sitk.Image]
FIRST_ORDER = FeatureSettings("first-order", classes=("firstorder",), wavelet=None)
ORIGINAL = FeatureSettings("original", wavelet=None)


@pytest.fixture(scope="module")
def ours() -> Engine:
    return engine("pdl1")


@pytest.fixture(scope="module")
def theirs() -> Engine:
    need_pyradiomics()
    return engine("pyradiomics")


def masks(lesion: Lesion) -> dict[str, sitk.Image]:
    return {"tumor": lesion["tumor"], "ring": lesion["ring"]}


def volume(array: np.ndarray, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing_mm)
    return image


# values that vanish by cancellation are rounding in both engines; what they are small against is the gray levels' scale
VANISHING = {
    "glcm_ClusterShade": 1e-9,
    "glcm_Correlation": 1e-12,
    "glcm_Imc1": 1e-12,
    "glcm_Imc2": 1e-6,  # the root of a difference that vanishes
    "glcm_MCC": 1e-6,  # the same
    "firstorder_Skewness": 1e-11,
    "firstorder_Mean": 1e-10,
    "shape_LeastAxisLength": 1e-6,  # the root of a variance that vanishes
    "shape_Flatness": 1e-7,
}


def assert_equal(found: dict[str, float], expected: dict[str, float], rel: float = 1e-9) -> None:
    assert list(found) == list(expected)
    for name, value in expected.items():
        tolerance = VANISHING.get("_".join(name.split("_")[2:]), 1e-12)
        assert found[name] == pytest.approx(value, rel=rel, abs=tolerance, nan_ok=True), name


# the values of pyradiomics


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_has_the_values_of_pyradiomics(name: str, lesion: Lesion, ours: Engine, theirs: Engine):
    chosen = preset(name)
    found = ours.extract(lesion["ct"], masks(lesion), chosen, SILENT)
    assert tuple(found) == tuple(feature for region in masks(lesion) for feature in chosen.feature_names(region))
    assert_equal(found, theirs.extract(lesion["ct"], masks(lesion), chosen, SILENT))


@pytest.mark.parametrize("wavelet", ["haar", "db3", "sym5", "bior1.3", "bior3.1", "rbio2.2", "coif3", "dmey"])
def test_any_wavelet_has_the_values_of_pyradiomics(wavelet: str, lesion: Lesion, ours: Engine, theirs: Engine):
    chosen = FeatureSettings("wavelet", classes=("firstorder", "ngtdm"), original=False, wavelet=wavelet)
    found = ours.extract(lesion["ct"], masks(lesion), chosen, SILENT)
    assert_equal(found, theirs.extract(lesion["ct"], masks(lesion), chosen, SILENT))


def test_a_lattice_without_neighbors_has_the_undefined_values_of_pyradiomics(ours: Engine, theirs: Engine):
    ct = volume(np.random.default_rng(3).integers(-900, 300, (9, 9, 9)).astype(np.int16))
    lattice = np.zeros((9, 9, 9), np.uint8)
    lattice[0:8:2, 0:8:2, 0:8:2] = 1
    found = ours.extract(ct, {"tumor": volume(lattice)}, ORIGINAL, SILENT)
    assert sum(math.isnan(value) for value in found.values()) > 20
    assert_equal(found, theirs.extract(ct, {"tumor": volume(lattice)}, ORIGINAL, SILENT))


def test_a_band_in_which_nothing_differs_has_the_values_of_pyradiomics(ours: Engine, theirs: Engine):
    ramp = np.broadcast_to(50.0 * np.arange(14), (14, 14, 14)).copy()  # haar sees the same step everywhere
    mask = np.zeros(ramp.shape, np.uint8)
    mask[4:9, 4:9, 4:9] = 1
    chosen = FeatureSettings("haar", wavelet="haar")
    found = ours.extract(volume(ramp), {"tumor": volume(mask)}, chosen, SILENT)
    assert found["tumor_wavelet-HLL_glcm_MCC"] == 1
    assert_equal(found, theirs.extract(volume(ramp), {"tumor": volume(mask)}, chosen, SILENT))


KINDS = ("noise", "smooth", "checkerboard", "two values", "outliers")


@st.composite
def odd_images(draw: st.DrawFn) -> tuple[sitk.Image, sitk.Image, FeatureSettings]:
    """Regions of many parts, full of holes, at the border; images with few and many gray levels; any voxel shape."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = tuple(draw(st.integers(6, 15)) for _ in range(3))
    kind = draw(st.sampled_from(KINDS))
    grid = np.indices(shape).astype(float)
    if kind == "smooth":
        ct = 200 * np.sin(grid[0] / 3) + 90 * np.cos(grid[1] / 2) + 7 * grid[2]
    elif kind == "checkerboard":
        ct = 120.0 * (grid.sum(axis=0) % 2)
    elif kind == "two values":
        ct = rng.choice([-100.0, 40.0], shape)
    else:
        ct = rng.normal(0, draw(st.sampled_from([5.0, 60.0, 300.0])), shape)
        if kind == "outliers":
            ct.flat[rng.integers(0, ct.size, 4)] = [2500, 2600, -1000, 3000]
    inside = rng.random(shape) < draw(st.sampled_from([0.3, 0.7, 1.0]))
    if draw(st.booleans()):
        inside[: shape[0] // 3] = False
        inside[:, :, -2:] = False
    spacing = draw(st.sampled_from([(1.0, 1.0, 1.0), (0.7, 0.7, 2.5), (1.0, 2.0, 3.0)]))
    bins = draw(st.sampled_from([{"bin_width": 25.0}, {"bin_width": 10.0}, {"bin_width": 330.0}, {"bin_count": 16}]))
    bins = {"bin_width": None} | bins
    chosen = FeatureSettings("odd", wavelet=draw(st.sampled_from([None, "haar", "coif1"])), **bins)
    return volume(ct.round(), spacing), volume(inside.astype(np.uint8), spacing), chosen


@settings(max_examples=25, deadline=None)
@given(odd=odd_images())
def test_odd_regions_have_the_values_or_the_refusal_of_pyradiomics(
    ours: Engine, theirs: Engine, odd: tuple[sitk.Image, sitk.Image, FeatureSettings]
):
    ct, mask, chosen = odd
    answers = [answer(each, ct, mask, chosen) for each in (ours, theirs)]
    if isinstance(answers[1], str):
        assert answers[0] == answers[1]
    else:
        assert_equal(answers[0], answers[1])


def answer(engine: Engine, ct: sitk.Image, mask: sitk.Image, chosen: FeatureSettings) -> dict[str, float] | str:
    """The values, or the words of the refusal."""
    try:
        return engine.extract(ct, {"tumor": mask}, chosen, SILENT)
    except InputError as refusal:
        return f"{type(refusal).__name__}: {refusal}"


# what must not matter


def test_the_number_of_threads_changes_no_bit(lesion: Lesion):
    chosen = FeatureSettings("some", log_sigma_mm=(1.0,))
    one = PDL1Engine(threads=1).extract(lesion["ct"], masks(lesion), chosen, SILENT)
    assert PDL1Engine(threads=3).extract(lesion["ct"], masks(lesion), chosen, SILENT) == one


@pytest.mark.parametrize(("told", "threads"), [("1", 1), ("2", 2), ("900", 3), ("0", 3), ("4,2", 3), ("", 3)])
def test_a_process_takes_as_many_threads_as_it_is_told_to(told: str, threads: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1, 2}, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", told)
    assert PDL1Engine()._threads == threads


def test_the_other_region_changes_no_bit(lesion: Lesion, ours: Engine):
    chosen = FeatureSettings("some", log_sigma_mm=(1.0,))
    both = ours.extract(lesion["ct"], masks(lesion), chosen, SILENT)
    alone = ours.extract(lesion["ct"], {"tumor": lesion["tumor"]}, chosen, SILENT)
    assert alone == {name: value for name, value in both.items() if name.startswith("tumor")}


def test_the_type_of_the_voxels_and_the_label_of_the_mask_change_no_value(lesion: Lesion, ours: Engine):
    chosen = FeatureSettings("some", classes=("shape", "firstorder", "glrlm"))
    given_values = ours.extract(lesion["ct"], {"tumor": lesion["tumor"]}, chosen, SILENT)
    integers, label_7 = sitk.Cast(lesion["ct"], sitk.sitkInt16), sitk.Cast(lesion["tumor"], sitk.sitkInt16) * 7
    assert ours.extract(integers, {"tumor": label_7}, chosen, SILENT) == given_values


@pytest.mark.parametrize("pixel", [sitk.sitkUInt8, sitk.sitkInt64, sitk.sitkFloat32, sitk.sitkFloat64])
def test_a_mask_of_any_type_of_number_gives_the_same_values(pixel: int, lesion: Lesion, ours: Engine):
    expected = ours.extract(lesion["ct"], {"tumor": lesion["tumor"]}, FIRST_ORDER, SILENT)
    assert ours.extract(lesion["ct"], {"tumor": sitk.Cast(lesion["tumor"], pixel)}, FIRST_ORDER, SILENT) == expected


def test_the_images_that_were_given_are_not_touched(lesion: Lesion, ours: Engine):
    before = {name: sitk.GetArrayFromImage(image) for name, image in lesion.items()}
    ours.extract(lesion["ct"], masks(lesion), preset("karim"), SILENT)
    for name, image in lesion.items():
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), before[name])


# refusals


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ((slice(5, 6), slice(5, 6), slice(5, 6)), "The tumor has 1 voxels; at least 64"),
        ((slice(5, 6), slice(5, 6), slice(0, 12)), "The tumor has 12 voxels; at least 64"),
        ((slice(5, 6), slice(0, 8), slice(0, 9)), r"The tumor is 9 x 8 x 1 voxels large; at least 2 along every axis"),
    ],
)
def test_a_point_a_line_and_a_plane_are_refused(where: tuple[slice, ...], message: str, ours: Engine):
    ct = volume(np.random.default_rng(3).integers(-900, 300, (12, 12, 12)).astype(np.int16))
    mask = np.zeros((12, 12, 12), np.uint8)
    mask[where] = 1
    with pytest.raises(EmptyRegionError, match=message):
        ours.extract(ct, {"tumor": volume(mask)}, FIRST_ORDER, SILENT)


def cube_with(value: float) -> tuple[sitk.Image, dict[str, sitk.Image]]:
    """A cube of noise, one voxel of which has this value."""
    ct = np.random.default_rng(3).integers(-200, 200, (12, 12, 12)).astype(np.float64)
    mask = np.zeros(ct.shape, np.uint8)
    mask[2:8, 2:8, 2:8] = 1
    ct[4, 4, 4] = value
    return volume(ct), {"tumor": volume(mask)}


def test_thousands_of_gray_levels_are_measured(ours: Engine):
    chosen = FeatureSettings("fine", bin_width=0.5, classes=("firstorder", "glcm", "ngtdm"), wavelet="haar")
    ct, tumor = cube_with(1500.0)
    found = ours.extract(ct, tumor, chosen, SILENT)
    assert all(math.isfinite(value) for value in found.values())
    assert found["tumor_original_firstorder_Entropy"] == pytest.approx(math.log2(216), abs=0.7)


def test_more_gray_levels_than_4096_are_refused(ours: Engine):
    chosen = FeatureSettings("fine", bin_width=0.5, wavelet=None)
    with pytest.raises(InputError, match=r"more than 4096 gray levels of 0.5 HU. Choose a larger bin_width"):
        ours.extract(*cube_with(2500.0), chosen, SILENT)


@pytest.mark.parametrize("name", ["pdl1", "pyradiomics"])
def test_intensities_that_differ_by_rounding_only_are_refused_for_a_number_of_bins(name: str):
    if name == "pyradiomics":
        need_pyradiomics()
    ct, tumor = cube_with(0.0)
    nearly_flat = np.full(ct.GetSize()[::-1], 100.0)
    nearly_flat[3] = np.nextafter(100.0, 101.0)
    chosen = FeatureSettings("count", bin_width=None, bin_count=16, classes=("firstorder",), wavelet=None)
    with pytest.raises(InputError, match="all 100 but for rounding: they cannot be cut into 16 gray levels. Choose"):
        engine(name).extract(volume(nearly_flat), tumor, chosen, SILENT)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_not_a_number_or_not_finite_is_refused(value: float, ours: Engine):
    with pytest.raises(InputError, match="has 1 voxels that are NaN or infinite"):
        ours.extract(*cube_with(value), FIRST_ORDER, SILENT)


@pytest.mark.parametrize("value", [0.4, np.nan])
def test_a_mask_of_probabilities_is_refused(value: float, lesion: Lesion, ours: Engine):
    mask = sitk.Cast(lesion["tumor"], sitk.sitkFloat32)
    mask[0, 0, 0] = value
    with pytest.raises(InputError, match="mask of the tumor holds values that are no whole numbers. Cut a probability"):
        ours.extract(lesion["ct"], {"tumor": mask}, FIRST_ORDER, SILENT)


def test_a_mask_with_several_values_per_voxel_is_refused(lesion: Lesion, ours: Engine):
    mask = sitk.Compose(lesion["tumor"], lesion["ring"])
    with pytest.raises(InputError, match="The mask of the tumor has 2 values per voxel; one is needed"):
        ours.extract(lesion["ct"], {"tumor": mask}, FIRST_ORDER, SILENT)


def test_a_filtered_image_with_more_gray_levels_than_can_be_told_apart_is_refused(ours: Engine):
    chosen = FeatureSettings("fine", bin_width=0.1, classes=("firstorder",), original=False, log_sigma_mm=(0.5,))
    ct, tumor = cube_with(0.0)
    spike = sitk.GetArrayFromImage(ct) * 0
    spike[4, 4, 1] = 20000  # beside the region, into which a filter carries it
    spike[4, 4, 4] = 1
    with pytest.raises(InputError, match=r"filtered intensities run from .* more than 32768 gray levels of 0.1"):
        ours.extract(volume(spike), tumor, chosen, SILENT)


def test_a_gaussian_wider_than_the_image_is_refused(ours: Engine):
    chosen = FeatureSettings("log", classes=("firstorder",), wavelet=None, log_sigma_mm=(10.0,))
    ct, tumor = cube_with(0.0)
    with pytest.raises(InputError, match="9 x 12 x 12 voxels; the Laplacian of Gaussian of 10 mm needs at least 11"):
        ours.extract(ct[:9], {"tumor": tumor["tumor"][:9]}, chosen, SILENT)


def test_a_missing_numba_is_told_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch):
    import sys

    monkeypatch.setitem(sys.modules, "numba", None)
    with pytest.raises(MissingPackageError, match="pip install numba"):
        engine("pdl1")


# progress


def test_a_step_is_told_for_the_shape_and_every_image(lesion: Lesion, ours: Engine):
    ours.extract(lesion["ct"], masks(lesion), FIRST_ORDER, SILENT)  # what is compiled, is compiled here
    told: list[tuple[float, str]] = []
    progress = Progress(report=lambda stage, fraction, message: told.append((fraction, message)))
    chosen = FeatureSettings("few", classes=("shape", "firstorder"), log_sigma_mm=(1.0,))
    ours.extract(lesion["ct"], masks(lesion), chosen, progress)
    assert [message for _, message in told] == ["shape", *chosen.image_names(), ""]
    assert all(earlier < later for (earlier, _), (later, _) in itertools.pairwise(told))
    assert told[-1][0] == 1.0


def test_cancelling_between_two_images_leaves_nothing_behind(lesion: Lesion, ours: Engine):
    before = ours.extract(lesion["ct"], masks(lesion), FIRST_ORDER, SILENT)
    steps: list[str] = []
    progress = Progress(
        report=lambda stage, fraction, message: steps.append(message), cancelled=lambda: len(steps) == 3
    )
    chosen = FeatureSettings("few", classes=("firstorder",))
    with pytest.raises(CancelledError, match="Nothing was written"):
        ours.extract(lesion["ct"], masks(lesion), chosen, progress)
    assert steps == ["original", "wavelet-LLH", "wavelet-LHL"]
    assert ours.extract(lesion["ct"], masks(lesion), FIRST_ORDER, SILENT) == before
