"""Maps of texture features: a sum by hand, and the values of pyradiomics voxel by voxel."""

import itertools
import warnings

import numpy as np
import pytest
import SimpleITK as sitk
from reference import need_pyradiomics

from PDL1PredictorLib.core.errors import CancelledError, InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.radiomics.maps import feature_map
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.radiomics.table import features_of

TEXTURES = ("glcm", "glrlm", "glszm", "gldm", "ngtdm")
ORIGINAL = FeatureSettings("original", wavelet=None)
Lump = tuple[sitk.Image, sitk.Image]


@pytest.fixture(scope="module")
def lump() -> Lump:
    """A frayed region in an odd box that it touches, on voxels of three lengths."""
    rng = np.random.default_rng(4)
    ct = sitk.GetImageFromArray(rng.normal(0, 60, (7, 6, 8)).round())
    inside = rng.random((7, 6, 8)) < 0.75
    inside[:2, :2] = False
    mask = sitk.GetImageFromArray(inside.astype(np.uint8))
    for image in (ct, mask):
        image.SetSpacing((1.0, 2.0, 3.0))
    return ct, mask


def test_the_contrast_of_a_step_is_known_by_hand():
    ct = np.zeros((8, 8, 8))
    ct[:, :, 4:] = 60  # gray levels 1 and 3
    inside = np.zeros(ct.shape, np.uint8)
    inside[1:7, 1:7, 1:7] = 1
    image, mask = sitk.GetImageFromArray(ct), sitk.GetImageFromArray(inside)
    found = sitk.GetArrayFromImage(feature_map(image, mask, ORIGINAL, "tumor_original_glcm_Contrast"))
    # beside the step, half of the pairs along 9 of 13 directions differ by 2 levels
    assert found[4, 4, 3] == pytest.approx(9 / 13 * 2**2 / 2)
    assert found[4, 4, 2] == 0
    assert found[0].max() == 0


@pytest.mark.parametrize("family", TEXTURES)
def test_every_map_has_the_values_of_pyradiomics(family: str, lump: Lump):
    need_pyradiomics()
    import radiomics

    expected = voxel_based(radiomics, family, *lump)
    for feature in features_of(family):
        if feature.name == "MCC":
            continue  # pyradiomics fails where a cube has no pair along a direction
        found = feature_map(*lump, ORIGINAL, f"tumor_original_{family}_{feature.name}")
        inside = sitk.GetArrayViewFromImage(lump[1]) != 0
        np.testing.assert_allclose(
            sitk.GetArrayFromImage(found)[inside],
            expected[feature.name][inside],
            rtol=1e-6,
            atol=1e-7,
            err_msg=feature.name,
        )


def test_the_map_of_mcc_has_the_values_of_pyradiomics_where_it_has_any():
    need_pyradiomics()
    import radiomics

    ct = sitk.GetImageFromArray(np.random.default_rng(4).normal(0, 60, (4, 4, 4)).round())
    mask = sitk.GetImageFromArray(np.ones((4, 4, 4), np.uint8))
    found = sitk.GetArrayFromImage(feature_map(ct, mask, ORIGINAL, "tumor_original_glcm_MCC"))
    np.testing.assert_allclose(found, voxel_based(radiomics, "glcm", ct, mask)["MCC"], rtol=1e-6, atol=1e-6)


def voxel_based(radiomics: object, family: str, ct: sitk.Image, mask: sitk.Image) -> dict[str, np.ndarray]:
    """Every map of one class, from pyradiomics."""
    radiomics.setVerbosity(60)
    image = sitk.Cast(ct, sitk.sitkFloat64)
    label = sitk.Cast(mask, sitk.sitkUInt32)
    label.CopyInformation(image)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that are not defined somewhere
        maps = radiomics.getFeatureClasses()[family](image, label, voxelBased=True, binWidth=25).execute()
    return {name: sitk.GetArrayFromImage(value) for name, value in maps.items()}


@pytest.mark.parametrize("radius", [1, 2])
def test_maps_of_filtered_images_and_wider_cubes_have_the_values_of_pyradiomics(radius: int, lump: Lump):
    need_pyradiomics()
    import radiomics
    from radiomics.imageoperations import getWaveletImage

    radiomics.setVerbosity(60)
    image, mask = sitk.Cast(lump[0], sitk.sitkFloat64), sitk.Cast(lump[1], sitk.sitkUInt32)
    band = next(band for band, name, _ in getWaveletImage(image, mask, wavelet="haar") if name == "wavelet-LLH")
    options = {"voxelBased": True, "binWidth": 25, "kernelRadius": radius}
    expected = radiomics.getFeatureClasses()["ngtdm"](band, mask, **options).execute()["Complexity"]
    chosen = FeatureSettings("haar", wavelet="haar")
    found = feature_map(*lump, chosen, "ring_wavelet-LLH_ngtdm_Complexity", kernel_radius=radius)
    np.testing.assert_allclose(sitk.GetArrayFromImage(found), sitk.GetArrayFromImage(expected), rtol=1e-6)
    assert found.GetSpacing() == lump[0].GetSpacing()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("tumor_original_shape_Sphericity", "is no texture feature. Choose one of the classes glcm, glrlm"),
        ("tumor_original_firstorder_Mean", "is no texture feature"),
        ("tumor_wavelet-LLH_glcm_Contrast", "have no image wavelet-LLH, only original"),
        ("tumor_original_glcm_Sharpness", "is no radiomic feature"),
    ],
)
def test_a_map_of_something_else_is_refused(name: str, message: str, lump: Lump):
    with pytest.raises(InputError, match=message):
        feature_map(*lump, ORIGINAL, name)


@pytest.mark.parametrize("radius", [0, 4, 1.0])
def test_a_cube_of_another_size_is_refused(radius: int, lump: Lump):
    with pytest.raises(InputError, match="kernel_radius must be a whole number from 1 to 3"):
        feature_map(*lump, ORIGINAL, "tumor_original_glcm_Contrast", kernel_radius=radius)


def test_a_map_can_be_cancelled(lump: Lump):
    with pytest.raises(CancelledError):
        feature_map(*lump, ORIGINAL, "tumor_original_glcm_Contrast", progress=Progress(cancelled=lambda: True))


def test_progress_rises_to_the_end(lump: Lump):
    told: list[float] = []
    progress = Progress(report=lambda stage, fraction, message: told.append(fraction))
    feature_map(*lump, ORIGINAL, "tumor_original_glcm_JointEntropy", progress=progress)
    assert told[-1] == 1.0
    assert all(earlier < later for earlier, later in itertools.pairwise(told))
