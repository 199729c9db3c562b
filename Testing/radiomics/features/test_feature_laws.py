"""Sums that one can do by hand, and laws that hold for any region: true of every engine."""

import math

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from reference import need_pyradiomics

from PDL1PredictorLib.core.progress import SILENT
from PDL1PredictorLib.radiomics.engine import Engine, engine
from PDL1PredictorLib.radiomics.settings import FeatureSettings

ORIGINAL = FeatureSettings("original", wavelet=None)
SPACING_MM = (1.0, 2.0, 3.0)  # x, y, z: three values, so that a swapped axis is seen
TEXTURES = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")


@pytest.fixture(scope="module", params=["pdl1", "pyradiomics"])
def each_engine(request: pytest.FixtureRequest) -> Engine:
    if request.param == "pyradiomics":
        need_pyradiomics()
    return engine(request.param)


def measure(engine: Engine, ct: np.ndarray, inside: np.ndarray, chosen: FeatureSettings = ORIGINAL) -> dict[str, float]:
    """Features without the prefix, such as `glcm_Contrast`."""
    image, mask = sitk.GetImageFromArray(ct.astype(np.float64)), sitk.GetImageFromArray(inside.astype(np.uint8))
    image.SetSpacing(SPACING_MM)
    mask.SetSpacing(SPACING_MM)
    found = engine.extract(image, {"tumor": mask}, chosen, SILENT)
    return {name.removeprefix("tumor_original_"): value for name, value in found.items()}


@pytest.fixture(scope="module")
def two_values(each_engine: Engine) -> dict[str, float]:
    """A cube of 4 x 4 x 4 voxels: the two lower slices 10 HU (gray level 1), the two upper 60 HU (gray level 3)."""
    inside = np.zeros((6, 6, 6), bool)
    inside[1:5, 1:5, 1:5] = True
    ct = np.full(inside.shape, -800.0)
    ct[1:3], ct[3:5] = 10, 60
    return measure(each_engine, ct, inside)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("firstorder_Mean", 35),
        ("firstorder_Median", 35),
        ("firstorder_Minimum", 10),
        ("firstorder_Maximum", 60),
        ("firstorder_Range", 50),
        ("firstorder_Variance", 625),  # 25^2
        ("firstorder_Skewness", 0),
        ("firstorder_Kurtosis", 1),  # not -2: three is not subtracted
        ("firstorder_Energy", 32 * (10**2 + 60**2)),
        ("firstorder_TotalEnergy", 6 * 32 * (10**2 + 60**2)),  # a voxel has 6 mm^3
        ("firstorder_Entropy", 1),  # two values, equally frequent
        ("firstorder_Uniformity", 0.5),
        ("shape_VoxelVolume", 64 * 6),
        ("shape_Maximum2DDiameterSlice", math.hypot(3 * 1, 4 * 2)),  # the mesh reaches half a voxel beyond, corners cut
        ("shape_Maximum2DDiameterColumn", math.hypot(3 * 1, 4 * 3)),
        ("shape_Maximum2DDiameterRow", math.hypot(3 * 2, 4 * 3)),
        # along 9 of 13 directions a third of the pairs steps from level 1 to 3, along the other 4 none
        ("glcm_Contrast", 9 / 13 * 2**2 / 3),
        ("glcm_JointAverage", 2),
        ("glszm_ZonePercentage", 2 / 64),
        ("glszm_LargeAreaEmphasis", 32**2),
        ("glszm_GrayLevelVariance", 1),
        ("gldm_HighGrayLevelEmphasis", (1**2 + 3**2) / 2),
    ],
)
def test_a_cube_of_two_values_has_the_sums_of_the_hand(name: str, expected: float, two_values: dict[str, float]):
    assert two_values[name] == pytest.approx(expected, rel=1e-12, abs=1e-9)


@st.composite
def textured_regions(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Whole HU and a box-shaped region with some voxels missing."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = tuple(draw(st.integers(6, 9)) for _ in range(3))
    inside = rng.random(shape) < draw(st.floats(0.6, 1.0))
    inside[0] = False
    return rng.integers(-200, draw(st.integers(-50, 300)), shape).astype(float), inside


FEW = settings(max_examples=8, deadline=None)


@FEW
@given(region=textured_regions(), n_levels=st.integers(-8, 8))
def test_a_shift_by_whole_gray_levels_moves_the_intensities_and_no_texture(
    each_engine: Engine, region: tuple[np.ndarray, np.ndarray], n_levels: int
):
    ct, inside = region
    shift_hu = 25.0 * n_levels
    given, shifted = measure(each_engine, ct, inside), measure(each_engine, ct + shift_hu, inside)
    for name in ("Mean", "Median", "Minimum", "Maximum", "10Percentile", "90Percentile"):
        assert shifted[f"firstorder_{name}"] == pytest.approx(given[f"firstorder_{name}"] + shift_hu, abs=1e-9)
    for name in ("Variance", "Entropy", "Uniformity", "Range", "InterquartileRange", "MeanAbsoluteDeviation"):
        assert shifted[f"firstorder_{name}"] == pytest.approx(given[f"firstorder_{name}"], rel=1e-9)
    unmoved = [name for name in given if name.startswith((*TEXTURES, "shape"))]
    assert len(unmoved) == 75 + 14
    assert {name: shifted[name] for name in unmoved} == {name: given[name] for name in unmoved}


def test_a_shift_by_half_a_gray_level_does_move_the_texture(each_engine: Engine):
    rng = np.random.default_rng(5)
    ct, inside = rng.integers(-200, 200, (8, 8, 8)).astype(float), np.ones((8, 8, 8), bool)
    assert measure(each_engine, ct, inside)["glcm_Contrast"] != measure(each_engine, ct + 12.5, inside)["glcm_Contrast"]


@FEW
@given(region=textured_regions())
def test_mirroring_the_patient_changes_nothing_but_the_mesh(each_engine: Engine, region: tuple[np.ndarray, np.ndarray]):
    ct, inside = region
    given, mirrored = measure(each_engine, ct, inside), measure(each_engine, ct[:, :, ::-1], inside[:, :, ::-1])
    for name in ("MeshVolume", "SurfaceArea", "SurfaceVolumeRatio", "Sphericity"):
        # where voxels meet at an edge only, marching cubes choose a side, and the mirror chooses the other
        assert mirrored.pop(f"shape_{name}") == pytest.approx(given.pop(f"shape_{name}"), rel=0.2)
    assert mirrored == pytest.approx(given, rel=1e-6, abs=1e-9)


@FEW
@given(region=textured_regions())
def test_what_lies_outside_the_region_does_not_matter_without_a_filter(
    each_engine: Engine, region: tuple[np.ndarray, np.ndarray]
):
    ct, inside = region
    assert measure(each_engine, np.where(inside, ct, -1000.0), inside) == measure(each_engine, ct, inside)
