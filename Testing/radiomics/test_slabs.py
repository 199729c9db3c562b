"""Axial slabs of a tumor: values that a hand can check, whatever the direction of the image's axes."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.regions import Regions, make_regions
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset
from PDL1PredictorLib.radiomics.slabs import LEAST_VOXELS, SLAB_FEATURES, measure_slabs, slab_of_voxels
from PDL1PredictorLib.radiomics.table import FAMILIES, features_of

KARIM = preset("karim")
BELOW, ABOVE = -40.0, 60.0


def column(name: str) -> int:
    return SLAB_FEATURES.index(name)


def regions_of(ct: np.ndarray, tumor: np.ndarray, spacing_mm: float = 1.0) -> Regions:
    """Regions that lie on a lattice already; nobody looks at the ring."""
    images = [sitk.GetImageFromArray(part) for part in (ct.astype(np.float32), tumor.astype(np.uint8))]
    for image in images:
        image.SetSpacing([spacing_mm] * 3)
    return Regions(*images, images[1], ())


def ellipsoid() -> Case:
    """Twice as high as wide; its lower half has another intensity than the upper."""
    k, j, i = np.indices((40, 32, 32)) - np.array([19.5, 15.5, 15.5])[:, None, None, None]
    inside = (k / 12) ** 2 + (j / 6) ** 2 + (i / 6) ** 2 < 1
    ct = np.where(inside, np.where(k < 0, BELOW, ABOVE), -800).astype(np.int16)
    images = [sitk.GetImageFromArray(part) for part in (ct, inside.astype(np.uint8))]
    for image in images:
        image.SetOrigin((-30.0, 12.0, -400.0))
    return Case(*images)


def test_the_lowest_slab_comes_first_whatever_the_direction_of_the_axes():
    case, settings = ellipsoid(), RegionSettings()
    wanted = measure_slabs(make_regions(case, settings), 4, KARIM)
    assert wanted.features[:, column("firstorder_Mean")].tolist() == [BELOW, BELOW, ABOVE, ABOVE]
    for axes in ("LPI", "RAS", "SAL", "PIR", "ILA"):
        turned = Case(sitk.DICOMOrient(case.ct, axes), sitk.DICOMOrient(case.tumor, axes))
        assert turned.ct.GetDirection() != case.ct.GetDirection()
        found = measure_slabs(make_regions(turned, settings), 4, KARIM)
        np.testing.assert_array_equal(found.measured, wanted.measured)
        np.testing.assert_allclose(found.features, wanted.features)


def test_what_a_slab_holds_can_be_checked_by_hand():
    """Eight layers of 4 x 5 voxels, 0 and 100 HU in turn: 2 layers a slab, on gray levels 1 and 5."""
    tumor = np.zeros((10, 8, 9), bool)
    tumor[1:9, 2:6, 2:7] = True
    ct = np.where(np.arange(10)[:, None, None] % 2, 0.0, 100.0) * np.ones(tumor.shape)
    ct[7:9] += 1000
    found = measure_slabs(regions_of(ct, tumor, 2.0), 4, KARIM)
    assert found.measured.all()
    assert found.features[:, column("slab_MeanArea")].tolist() == [20 * 4.0] * 4
    assert found.features[:, column("firstorder_Mean")].tolist() == [50, 50, 50, 1050]
    np.testing.assert_allclose(found.features[:, column("firstorder_Entropy")], 1)  # half and half
    # Of 13 directions 9 lead from layer to layer, where neighbors lie 4 gray levels apart
    np.testing.assert_allclose(found.features[:, column("glcm_Contrast")], 9 * 16 / 13)


def test_gray_levels_are_those_of_the_settings():
    tumor = np.ones((4, 4, 5), bool)
    ct = np.where(np.arange(4)[:, None, None] % 2, 0.0, 100.0) * np.ones(tumor.shape)
    coarse = FeatureSettings("coarse", bin_width=50.0, wavelet="haar", log_sigma_mm=(1.0,))
    found = measure_slabs(regions_of(ct, tumor), 2, coarse)
    np.testing.assert_allclose(found.features[:, column("glcm_Contrast")], 9 * 4 / 13)


def test_a_thin_tumor_has_fewer_slabs_and_the_others_are_not_filled():
    tumor = np.zeros((6, 8, 8), bool)
    tumor[2:4, 1:6, 1:6] = True
    ct = np.arange(6)[:, None, None] * 10.0 + np.indices(tumor.shape).sum(axis=0) % 2
    found = measure_slabs(regions_of(ct, tumor), 4, KARIM)
    assert found.measured.tolist() == [False, True, False, True]  # a center on a border lies in the upper slab
    assert np.isnan(found.features[[0, 2]]).all()
    assert np.isfinite(found.features[[1, 3]]).all()
    means = found.features[:, column("firstorder_Mean")]
    assert means[3] - means[1] == pytest.approx(10, abs=0.1)


@pytest.mark.parametrize(("n_voxels", "measured"), [(LEAST_VOXELS - 1, False), (LEAST_VOXELS, True)])
def test_a_slab_of_few_voxels_has_no_features(n_voxels: int, measured: bool):
    tumor = np.ones((2, 4, 8), bool)
    tumor[1] = np.arange(32).reshape(4, 8) < n_voxels
    found = measure_slabs(regions_of(np.indices(tumor.shape).sum(axis=0) * 30.0, tumor), 2, KARIM)
    assert found.measured.tolist() == [True, measured]
    assert np.isfinite(found.features[1]).all() == measured


def test_one_intensity_has_no_texture_and_is_measured_all_the_same():
    found = measure_slabs(regions_of(np.full((4, 5, 5), 7.0), np.ones((4, 5, 5), bool)), 2, KARIM)
    assert found.measured.all()
    assert found.features[:, column("firstorder_Mean")].tolist() == [7, 7]
    assert found.features[:, column("glcm_Contrast")].tolist() == [0, 0]


@given(st.integers(2, 16), st.floats(-0.6, 0.6), st.floats(-0.6, 0.6), st.integers(3, 9))
def test_every_voxel_lies_within_its_slab_of_equal_height(n_slabs: int, about_x: float, about_y: float, radius: int):
    at = np.indices((2 * radius + 3,) * 3) - (radius + 1)
    image = sitk.GetImageFromArray(((at**2).sum(axis=0) <= radius**2).astype(np.uint8))
    image.SetSpacing((0.9, 1.1, 1.3))
    turned = sitk.Euler3DTransform((0, 0, 0), about_x, about_y, 0.0)
    image.SetDirection(turned.GetMatrix())
    numbers = slab_of_voxels(image, n_slabs)
    inside = numbers >= 0
    np.testing.assert_array_equal(inside, sitk.GetArrayFromImage(image) != 0)
    heights = np.array([image.TransformIndexToPhysicalPoint(row[::-1].tolist())[2] for row in np.argwhere(inside)])
    half = np.abs(np.reshape(image.GetDirection(), (3, 3))[2] * image.GetSpacing()).sum() / 2
    share = (heights - heights.min() + half) / (np.ptp(heights) + 2 * half) * n_slabs - numbers[inside]
    assert share.min() >= -1e-5
    assert share.max() <= 1 + 1e-5
    assert (numbers[inside].min(), numbers[inside].max()) == (0, n_slabs - 1) or min(image.GetSize()) < n_slabs * 2


def test_features_are_named_as_the_table_of_all_features_does():
    known = {f"{family}_{feature.name}" for family in FAMILIES for feature in features_of(family)}
    assert set(SLAB_FEATURES) - known == {"slab_MeanArea"}
    assert len(set(SLAB_FEATURES)) == len(SLAB_FEATURES)


@pytest.mark.parametrize("n_slabs", [0, 1, 17, -4, 2.0, True])
def test_a_number_of_slabs_that_no_tumor_is_cut_into_is_refused(n_slabs):
    regions = regions_of(np.zeros((4, 5, 5)), np.ones((4, 5, 5), bool))
    with pytest.raises(InputError, match="cut into 2 to 16 axial slabs"):
        measure_slabs(regions, n_slabs, KARIM)
