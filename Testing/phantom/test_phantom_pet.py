from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.phantom.patient import draw_truth, make_patient, scan_tumor
from PDL1PredictorLib.phantom.pet import LUNG_SUV, PSF_MM, SOFT_SUV, VOXEL_MM, make_pet, tumor_suv


@pytest.fixture(scope="module")
def large():
    traits = replace(draw_truth(3, 1)[0], size=2.0)
    return scan_tumor(3, 1, traits, "tumor")[0]


def pet_of(case, uptake, seed=0):
    return make_pet(case.ct, case.tumor, uptake, np.random.default_rng(seed))


def depth_mm(case, pet):
    """Distance of each voxel of the PET from the tumor's boundary, positive inside."""
    inside = sitk.GetArrayFromImage(sitk.Resample(case.tumor, pet, sitk.Transform(), sitk.sitkNearestNeighbor)) > 0
    inner, outer = (ndimage.distance_transform_edt(one, sampling=VOXEL_MM) for one in (inside, ~inside))
    return inner - outer


@pytest.mark.parametrize("uptake", [-2.0, 0.0, 2.0])
def test_the_tumor_shows_the_suv_of_its_uptake(large, uptake):
    pet = pet_of(large, uptake)
    deep = sitk.GetArrayFromImage(pet)[depth_mm(large, pet) > PSF_MM]
    assert deep.mean() == pytest.approx(tumor_suv(uptake), rel=0.02)
    assert tumor_suv(-2.5) > 2.4
    assert tumor_suv(2.5) < 7.6


def test_the_boundary_is_as_blurred_as_the_camera_makes_it(large):
    pet = pet_of(large, 2.0)
    values, depth = sitk.GetArrayFromImage(pet), depth_mm(large, pet)
    edge = values[np.abs(depth) <= VOXEL_MM].mean()
    background = values[(depth < -12) & (depth > -20)].mean()
    assert edge == pytest.approx((tumor_suv(2.0) + background) / 2, rel=0.15)


def test_lung_and_soft_tissue_have_their_own_level_and_air_none(large):
    pet = pet_of(large, 0.0)
    hu = sitk.GetArrayFromImage(sitk.Resample(large.ct, pet))
    values, far = sitk.GetArrayFromImage(pet), depth_mm(large, pet) < -25
    smooth = ndimage.uniform_filter(hu.astype(float), 3)
    lung = ndimage.binary_erosion((smooth < -780) & (smooth > -900), iterations=3) & far
    soft = ndimage.binary_erosion(hu > -100, iterations=3) & far
    assert np.median(values[lung]) == pytest.approx(LUNG_SUV, abs=0.06)
    assert np.median(values[soft]) == pytest.approx(SOFT_SUV, abs=0.06)
    assert values.min() >= 0


def test_noise_grows_with_the_root_of_the_value(large):
    first, second = (sitk.GetArrayFromImage(pet_of(large, 2.0, seed)) for seed in (1, 2))
    depth = depth_mm(large, pet_of(large, 2.0))
    difference = first.astype(float) - second
    inside, outside = depth > PSF_MM, (first + second > 1.9) & (first + second < 2.9) & (depth < -15)
    ratio = difference[inside].std() / difference[outside].std()
    assert ratio == pytest.approx((tumor_suv(2.0) / SOFT_SUV) ** 0.5, rel=0.2)


def test_it_covers_the_field_of_the_ct_on_a_grid_of_its_own(large):
    pet = pet_of(large, 0.0)
    assert pet.GetSpacing() == (VOXEL_MM,) * 3
    for axis in range(3):
        first = [image.GetOrigin()[axis] - image.GetSpacing()[axis] / 2 for image in (large.ct, pet)]
        assert first[0] == pytest.approx(first[1])
        lengths = [image.GetSize()[axis] * image.GetSpacing()[axis] for image in (large.ct, pet)]
        assert 0 <= lengths[0] - lengths[1] < VOXEL_MM


def test_a_patient_has_one_where_it_is_asked_for_and_the_same_each_time():
    patient, again = (make_patient(3, 2, "tumor", pet=True) for _ in range(2))
    assert sitk.GetArrayFromImage(patient.case.pet).tobytes() == sitk.GetArrayFromImage(again.case.pet).tobytes()
    assert make_patient(3, 2, "tumor").case.pet is None
