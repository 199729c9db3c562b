import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError
from PDL1PredictorLib.imaging.measures import centroid_lps_mm, measure


def images(values, mask, spacing=(1.0, 1.0, 1.0)):
    pair = sitk.GetImageFromArray(np.asarray(values, np.float32)), sitk.GetImageFromArray(np.asarray(mask, np.uint8))
    for image in pair:
        image.SetSpacing(spacing)
    return pair


def test_volume_mean_and_sd_of_two_voxels_by_hand():
    values, mask = np.zeros((3, 4, 5)), np.zeros((3, 4, 5))
    values[1, 1, 1], values[1, 2, 4] = -100, 300
    mask[1, 1, 1] = mask[1, 2, 4] = 1
    found = measure(*images(values, mask, (2.0, 2.0, 2.0)))
    assert (found.voxels, found.volume_ml, found.mean_hu, found.sd_hu) == (2, 0.016, 100.0, 200.0)
    assert found.longest_axial_diameter_mm == pytest.approx(2 * np.hypot(1, 3) + 2)


def test_the_diameter_is_axial_not_through_the_slices():
    mask = np.zeros((9, 4, 4))
    mask[:, 1, 1] = 1
    mask[4, 1, 1:4] = 1
    assert measure(*images(np.zeros(mask.shape), mask)).longest_axial_diameter_mm == 3.0


def test_a_single_voxel_is_one_voxel_wide():
    mask = np.zeros((3, 3, 3))
    mask[1, 1, 1] = 1
    found = measure(*images(np.zeros(mask.shape), mask))
    assert (found.longest_axial_diameter_mm, found.sd_hu) == (1.0, 0.0)


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(bool, (2, 6, 7)).filter(np.any), st.sampled_from([(1.0, 1.0), (0.5, 2.0)]))
def test_the_diameter_is_that_of_all_pairs(mask, spacing_ij):
    spacing = (*spacing_ij, 1.0)
    expected = 0.0
    for plane in mask:
        voxels = np.argwhere(plane) * np.asarray(spacing[1::-1])
        expected = max([expected, *(float(np.hypot(*(a - b))) for a, b in itertools.combinations(voxels, 2))])
    found = measure(*images(np.zeros(mask.shape), mask, spacing)).longest_axial_diameter_mm
    assert found == pytest.approx(expected + max(spacing_ij))


def test_the_centroid_lies_in_patient_space(grid, filled, direction, points):
    image = grid((10, 12, 8), (0.7, 0.9, 2.5), direction)
    mask = np.zeros((8, 12, 10), np.uint8)
    mask[2:4, 3:8, 5:9] = 1
    expected = points(image)[mask > 0].mean(axis=0)
    assert centroid_lps_mm(filled(image, mask)) == pytest.approx(tuple(expected))


def test_an_empty_region_is_refused():
    ct, mask = images(np.zeros((3, 3, 3)), np.zeros((3, 3, 3)))
    with pytest.raises(EmptyRegionError, match="region has no voxel"):
        measure(ct, mask)
    with pytest.raises(EmptyRegionError, match="mask has no voxel"):
        centroid_lps_mm(mask)


def test_a_region_on_another_grid_is_refused():
    ct, _ = images(np.zeros((3, 3, 3)), np.ones((3, 3, 3)))
    _, mask = images(np.zeros((3, 3, 3)), np.ones((3, 3, 3)), (1.0, 1.0, 2.0))
    with pytest.raises(GridMismatchError, match="Export the mask on the CT's grid"):
        measure(ct, mask)
