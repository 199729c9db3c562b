import numpy as np
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from PDL1PredictorLib.core.case import same_grid
from PDL1PredictorLib.imaging.lesions import count_lesions, split_lesions


def array(image):
    return sitk.GetArrayFromImage(image)


def test_the_largest_part_comes_first_on_the_same_grid(grid, filled):
    values = np.zeros((8, 12, 10), np.uint8)
    values[1, 1, 1] = 1
    values[3:6, 4:7, 5:8] = 1
    mask = filled(grid((10, 12, 8), (0.7, 0.9, 2.5)), values)
    parts = split_lesions(mask)
    assert [int(array(part).sum()) for part in parts] == [27, 1]
    assert all(same_grid(mask, part) for part in parts)
    assert parts[0].GetPixelID() == sitk.sitkUInt8


def test_voxels_that_touch_at_a_corner_are_one_part():
    values = np.zeros((4, 4, 4), np.uint8)
    values[0, 0, 0] = values[1, 1, 1] = 1
    assert count_lesions(sitk.GetImageFromArray(values)) == 1
    values[1, 1, 1], values[2, 2, 2] = 0, 1
    assert count_lesions(sitk.GetImageFromArray(values)) == 2


def test_equal_parts_come_in_the_order_of_their_place():
    values = np.zeros((3, 3, 9), np.uint8)
    for i in (8, 4, 0):
        values[1, 1, i] = 1
    assert [int(np.argwhere(array(part))[0, 2]) for part in split_lesions(sitk.GetImageFromArray(values))] == [0, 4, 8]


def test_specks_are_left_out_but_counted_if_asked_for():
    values = np.zeros((3, 3, 9), np.uint8)
    values[1, 1, 0], values[1, 1, 4:9] = 1, 1
    mask = sitk.GetImageFromArray(values)
    assert [int(array(part).sum()) for part in split_lesions(mask, minimum_voxels=2)] == [5]
    assert (count_lesions(mask), count_lesions(mask, 2)) == (2, 1)


def test_an_empty_mask_has_no_part():
    assert split_lesions(sitk.Image([4, 4, 4], sitk.sitkUInt8)) == ()


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(bool, (4, 5, 6), elements=st.sampled_from([False, False, False, True])))
def test_the_parts_add_up_to_the_mask_in_falling_size(values):
    parts = [array(part) for part in split_lesions(sitk.GetImageFromArray(values.astype(np.uint8)))]
    assert (sum(parts, start=np.zeros(values.shape)) == values).all()
    sizes = [int(part.sum()) for part in parts]
    assert sizes == sorted(sizes, reverse=True)
