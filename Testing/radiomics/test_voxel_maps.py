"""Maps of features to be looked at: those of `feature_map`, cropped, bounded in time, with a number for nothing."""

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import CancelledError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.imaging.regions import Regions
from PDL1PredictorLib.models.schema.voxel_maps import mappable, read_voxel_maps
from PDL1PredictorLib.radiomics import maps, voxel_maps
from PDL1PredictorLib.radiomics.maps import feature_map
from PDL1PredictorLib.radiomics.settings import FeatureSettings, preset
from PDL1PredictorLib.radiomics.table import TEXTURES

ORIGINAL = FeatureSettings("original", wavelet=None)
CONTRAST, ENTROPY = "tumor_original_glcm_Contrast", "tumor_original_glcm_SumEntropy"
ORIGIN = (10.0, -20.0, 30.0)


def placed(values: np.ndarray) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetOrigin(ORIGIN)
    return image


@pytest.fixture(scope="module")
def regions() -> Regions:
    """Slices of 4 x 4, 6 x 6 and 4 x 4 voxels, a step of two gray levels in the middle."""
    ct = np.random.default_rng(0).normal(0, 30, (9, 10, 12)).round()
    ct[:, :, 6:] += 60
    tumor = np.zeros(ct.shape, np.uint8)
    tumor[2:7, 3:7, 4:8] = 1
    tumor[4, 2:8, 3:9] = 1
    ring = np.zeros_like(tumor)
    ring[0, 0, 0] = 1
    return Regions(placed(ct), placed(tumor), placed(ring), ())


def test_a_map_has_the_values_of_the_features_map_where_they_are(regions: Regions):
    contrast, entropy = voxel_maps.voxel_maps(regions, ORIGINAL, (CONTRAST, ENTROPY))
    assert (contrast.feature, entropy.feature, contrast.slices, contrast.tumor_slices) == (CONTRAST, ENTROPY, 5, 5)
    assert entropy.unit == maps.lookup(ENTROPY).unit
    whole = sitk.GetArrayFromImage(feature_map(regions.ct, regions.tumor, ORIGINAL, CONTRAST))
    tumor = sitk.GetArrayFromImage(regions.tumor) > 0
    assert (contrast.low, contrast.high) == (whole[tumor].min(), whole[tumor].max())
    assert contrast.image.GetSize() == (6, 6, 5)
    assert contrast.image.GetOrigin() == (ORIGIN[0] + 3, ORIGIN[1] + 2, ORIGIN[2] + 2)
    box = slice(2, 7), slice(2, 8), slice(3, 9)
    found = sitk.GetArrayFromImage(contrast.image)
    np.testing.assert_allclose(found[tumor[box]], whole[box][tumor[box]], rtol=1e-6)
    assert (found[~tumor[box]] == np.float32(contrast.outside)).all()
    assert contrast.outside <= contrast.low - 1


def test_of_a_large_tumor_the_middle_slices_are_measured_with_its_own_gray_levels(
    regions: Regions, monkeypatch: pytest.MonkeyPatch
):
    (every,) = voxel_maps.voxel_maps(regions, ORIGINAL, (CONTRAST,))
    for most, slices in ((1, [4]), (36 + 16 + 16, [3, 4, 5]), (36 + 16 + 15, [3, 4])):
        monkeypatch.setattr(voxel_maps, "MOST_VOXELS", most)
        (found,) = voxel_maps.voxel_maps(regions, ORIGINAL, (CONTRAST,))
        assert (found.slices, found.tumor_slices) == (len(slices), 5)
        assert found.image.GetOrigin()[2] == ORIGIN[2] + slices[0]
        own = sitk.GetArrayFromImage(found.image)
        whole = sitk.GetArrayFromImage(every.image)[slices[0] - 2 : slices[-1] - 1]
        measured = whole > every.low - 0.5
        np.testing.assert_array_equal(own[measured], whole[measured])


def test_voxels_that_are_not_wanted_are_not_measured(regions: Regions):
    only = np.zeros((9, 10, 12), bool)
    only[4, 4, 5] = only[0, 0, 0] = True  # one of the tumor, one beside it
    found = sitk.GetArrayFromImage(feature_map(regions.ct, regions.tumor, ORIGINAL, CONTRAST, only=only))
    whole = sitk.GetArrayFromImage(feature_map(regions.ct, regions.tumor, ORIGINAL, CONTRAST))
    tumor = sitk.GetArrayFromImage(regions.tumor) > 0
    assert found[4, 4, 5] == whole[4, 4, 5]
    assert np.isfinite(found[tumor]).sum() == 1
    assert found[0, 0, 0] == 0


def test_a_map_can_be_cancelled(regions: Regions):
    with pytest.raises(CancelledError):
        voxel_maps.voxel_maps(regions, ORIGINAL, (CONTRAST,), Progress(cancelled=lambda: True))


def test_textures_of_the_tumor_can_be_mapped_and_nothing_else():
    assert set(TEXTURES) == set(maps._MEASURE)
    assert mappable(CONTRAST)
    assert not mappable("ring_original_glcm_Contrast")
    assert not mappable("tumor_original_firstorder_Mean")
    assert not mappable("tumor_original_shape_MeshVolume")


def test_a_manifest_names_features_that_its_settings_give():
    settings = preset("pdl1es")
    names = ["tumor_wavelet-HLL_glcm_SumEntropy", "tumor_wavelet-LLL_glrlm_GrayLevelNonUniformityNormalized"]
    assert read_voxel_maps(names, settings) == tuple(names)
    assert read_voxel_maps(None, None) == ()
    for wrong, given in (
        (names, ORIGINAL),
        (names, None),
        ([*names, CONTRAST], settings),
        (["ring_original_glcm_Contrast"], settings),
        (["tumor_original_firstorder_Mean"], settings),
        (["../x"], settings),
        ("tumor", settings),
        ([3], settings),
        ([CONTRAST, CONTRAST], settings),
    ):
        with pytest.raises(ValueError, match="voxel_maps"):
            read_voxel_maps(wrong, given)
