import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from PDL1PredictorLib.core.case import same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.imaging.lesions import choose_tumors, split_lesions


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
    assert len(split_lesions(sitk.GetImageFromArray(values))) == 1
    values[1, 1, 1], values[2, 2, 2] = 0, 1
    assert len(split_lesions(sitk.GetImageFromArray(values))) == 2


def test_equal_parts_come_in_the_order_of_their_place():
    values = np.zeros((3, 3, 9), np.uint8)
    for i in (8, 4, 0):
        values[1, 1, i] = 1
    assert [int(np.argwhere(array(part))[0, 2]) for part in split_lesions(sitk.GetImageFromArray(values))] == [0, 4, 8]


def test_specks_are_left_out_if_asked_for():
    values = np.zeros((3, 3, 9), np.uint8)
    values[1, 1, 0], values[1, 1, 4:9] = 1, 1
    mask = sitk.GetImageFromArray(values)
    assert [int(array(part).sum()) for part in split_lesions(mask, minimum_voxels=2)] == [5]


def test_an_empty_mask_has_no_part():
    assert split_lesions(sitk.Image([4, 4, 4], sitk.sitkUInt8)) == ()


@settings(max_examples=40, deadline=None)
@given(hnp.arrays(bool, (4, 5, 6), elements=st.sampled_from([False, False, False, True])))
def test_the_parts_add_up_to_the_mask_in_falling_size(values):
    parts = [array(part) for part in split_lesions(sitk.GetImageFromArray(values.astype(np.uint8)))]
    assert (sum(parts, start=np.zeros(values.shape)) == values).all()
    sizes = [int(part.sum()) for part in parts]
    assert sizes == sorted(sizes, reverse=True)


@pytest.fixture
def three_parts(grid, filled):
    """Boxes of 216, 125 and 64 voxels and a speck of 2, in voxels of 0.5 x 1 x 2 = 1 mm3."""
    values = np.zeros((24, 10, 20), np.uint8)
    values[0:6, 0:6, 0:6] = values[8:13, 0:5, 0:5] = values[15:19, 0:4, 0:4] = 1
    values[22, 0, 0:2] = 1
    return filled(grid((20, 10, 24), (0.5, 1.0, 2.0)), values)


def test_what_is_left_out_of_a_mask_is_told_in_milliliters(three_parts):
    found = choose_tumors(three_parts)
    assert [(number, int(array(mask).sum())) for number, mask in found.chosen] == [(1, 216)]
    assert found.found == 3
    parts, specks = found.warnings
    assert parts.code == "parts_left_out"
    assert "Part 1 of 0.22 mL was taken; 0.19 mL in 2 part(s) were left out (0.12, 0.06 mL)" in parts.text
    assert specks.code == "specks_left_out"
    assert "0.002 mL in all" in specks.text


def test_another_part_or_all_of_them_can_be_meant(three_parts):
    second, every = choose_tumors(three_parts, "2"), choose_tumors(three_parts, "all")
    assert [(number, int(array(mask).sum())) for number, mask in second.chosen] == [(2, 125)]
    assert "Part 2 of 0.12 mL was taken; 0.28 mL in 2 part(s)" in second.warnings[0].text
    assert [int(array(mask).sum()) for _, mask in every.chosen] == [216, 125, 64]
    assert [warning.code for warning in every.warnings] == ["specks_left_out"]


def test_a_mask_of_one_part_needs_no_word(three_parts):
    alone = choose_tumors(three_parts).chosen[0][1]
    assert choose_tumors(alone).warnings == ()


def test_of_many_parts_five_volumes_are_listed(grid, filled):
    values = np.zeros((4, 4, 60), np.uint8)
    for start in range(0, 60, 6):
        values[:, :, start : start + 4] = 1
    text = choose_tumors(filled(grid((60, 4, 4), (1.0, 1.0, 1.0)), values)).warnings[0].text
    assert "in 9 part(s) were left out (0.06, 0.06, 0.06, 0.06, 0.06 and 4 more mL)" in text


def test_a_tumor_that_is_not_there_is_refused(three_parts):
    with pytest.raises(InputError, match="Tumor 4 was asked for; the mask has 3"):
        choose_tumors(three_parts, "4")
    with pytest.raises(InputError, match="'largest', 'all' or a number from 1"):
        choose_tumors(three_parts, "biggest")


def test_a_mask_of_specks_alone_is_refused(grid, filled):
    values = np.zeros((3, 3, 70), np.uint8)
    values[1, 1, 0:63] = 1
    with pytest.raises(EmptyRegionError, match="64 voxels or more \\(1 smaller parts\\)"):
        choose_tumors(filled(grid((70, 3, 3), (1.0, 1.0, 1.0)), values))
