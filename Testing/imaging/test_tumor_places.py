"""The tumors of a mask, each with its size and its place; the axial slice of a point."""

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.imaging.lesions import axial_slice
from PDL1PredictorLib.imaging.measures import range_ml
from PDL1PredictorLib.imaging.preview import MOST_TUMORS, tumor_places

SPACING = (1.0, 2.0, 3.0)


def mask_of(*boxes, shape=(20, 20, 60)):
    values = np.zeros(shape, np.uint8)
    for box in boxes:
        values[box] = 1
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(SPACING)
    image.SetOrigin((10.0, 20.0, 30.0))
    return image


LARGE = (slice(4, 12), slice(3, 11), slice(5, 21))
SMALL = (slice(14, 18), slice(12, 18), slice(40, 52))
SPECK = (slice(1, 2), slice(1, 3), slice(30, 32))


def test_each_tumor_has_its_number_size_and_slice():
    first, second = tumor_places(mask_of(SMALL, LARGE, SPECK))
    assert (first.number, second.number) == (1, 2)
    assert first.volume_ml == pytest.approx(8 * 8 * 16 * 6 / 1000, rel=0.1)
    assert first.longest_axial_diameter_mm == pytest.approx(np.hypot(15, 15) + 1, abs=2)
    assert first.center_lps_mm == pytest.approx((10 + 12.5, 20 + 2 * 6.5, 30 + 3 * 7.5), abs=0.6)
    assert second.slice_number in ((16, 20), (17, 20))  # between the two


def test_an_empty_mask_and_specks_have_none():
    assert tumor_places(mask_of()) == ()
    assert tumor_places(mask_of(SPECK)) == ()


def test_a_threshold_set_too_low_does_not_fill_the_list():
    boxes = [
        (slice(1, 5), slice(1 + 6 * n, 5 + 6 * n), slice(1 + 6 * m, 5 + 6 * m)) for n in range(5) for m in range(6)
    ]
    assert len(tumor_places(mask_of(*boxes, shape=(8, 40, 40)))) == MOST_TUMORS


def test_slices_are_counted_from_the_feet_whatever_the_order_of_the_file():
    image = mask_of(LARGE)
    assert axial_slice(image, (12.0, 22.0, 30.0)) == (1, 20)
    assert axial_slice(image, (12.0, 22.0, 30.0 + 3 * 19)) == (20, 20)
    flipped = sitk.Flip(image, (False, False, True))  # the same patient, stored from the head
    assert flipped.GetDirection()[8] == -1
    assert axial_slice(flipped, (12.0, 22.0, 30.0)) == (1, 20)
    turned = sitk.PermuteAxes(image, (2, 0, 1))
    assert axial_slice(turned, (12.0, 22.0, 33.0)) == (2, 20)
    assert axial_slice(image, (12.0, 22.0, -500.0)) == (1, 20)  # beyond it, the nearest


def test_the_range_of_a_volume_holds_the_given_one():
    assert range_ml(1.0, [0.8, 1.3]) == (0.8, 1.3)
    assert range_ml(1.0, [1.3]) == (0.0, 1.3)  # moved inwards, too little was left
    assert range_ml(1.0, []) == (0.0, 1.0)
