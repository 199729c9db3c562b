"""The print of a region: the same however it is stored, another one after any stroke."""

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.imaging.file_hashes import region_changed, region_print


def region(*more):
    values = np.zeros((7, 8, 9), np.uint8)
    values[2:5, 3:6, 1:7] = 1
    for place in more:
        values[place] ^= 1
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((1.0, 1.5, 2.5))
    image.SetOrigin((11.0, -22.0, 33.0))
    return image


def test_empty_space_and_the_order_of_axes_do_not_count():
    whole = region()
    cut = whole[1:7, 3:7, 1:5]
    turned = sitk.DICOMOrient(whole, "RPI")
    assert region_print(whole) == region_print(cut) == region_print(turned)
    assert region_print(whole).endswith("@12.000,-17.500,38.000")
    assert region_changed(region_print(whole), region_print(turned)) is False


@pytest.mark.parametrize("place", [(2, 3, 1), (3, 4, 4), (6, 7, 8)])
def test_one_voxel_more_or_less_is_another_region(place):
    assert region_changed(region_print(region()), region_print(region(place))) is True


def test_a_region_at_another_place_is_not_said_to_be_edited():
    moved = region()
    moved.SetOrigin((11.0, -22.0, 35.5))
    assert region_changed(region_print(region()), region_print(moved)) is None
    rounded = region()
    rounded.SetOrigin((11.001, -22.0, 33.0))
    assert region_changed(region_print(region()), region_print(rounded)) is False


def test_an_empty_region_has_no_print():
    assert region_print(sitk.Image(4, 4, 4, sitk.sitkUInt8)) == ""
    assert region_changed(region_print(region()), "") is True


def test_a_damaged_print_of_the_same_hash_is_not_known():
    own = region_print(region())
    assert region_changed(f"{own.partition('@')[0]}@1,2", own) is None
