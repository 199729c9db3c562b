"""Measures of agreement of contours, by sums done by hand."""

import numpy as np
import pytest

from PDL1PredictorLib.statistics.contours.overlap import dice, overlap, surface_dice


def box(start: int, stop: int) -> np.ndarray:
    """One row of voxels, from start up to stop."""
    mask = np.zeros((1, 1, 12), bool)
    mask[..., start:stop] = True
    return mask


def test_dice_is_twice_the_shared_over_the_sum():
    assert dice(box(0, 4), box(1, 7)) == pytest.approx(2 * 3 / (4 + 6))
    assert dice(box(0, 4), box(0, 4)) == 1
    assert dice(box(0, 4), box(5, 9)) == 0


def test_two_empty_masks_agree_and_one_does_not():
    nothing = np.zeros((1, 1, 12), bool)
    assert dice(nothing, nothing) == 1
    assert dice(nothing, box(0, 4)) == 0
    assert surface_dice(nothing, nothing, (1, 1, 1), 1.0) == 1
    assert surface_dice(nothing, box(0, 4), (1, 1, 1), 1.0) == 0


def cube(edge: int, start: int = 2) -> np.ndarray:
    mask = np.zeros((12, 12, 12), bool)
    mask[start : start + edge, start : start + edge, start : start + edge] = True
    return mask


def test_the_surface_of_a_cube_of_five_is_all_but_its_inner_three():
    """5^3 - 3^3 = 98 voxels of surface; a cube of 5 moved by one along every axis: counted by hand in one dimension."""
    assert surface_dice(cube(5), cube(5), (1, 1, 1), 0.0) == 1
    inner = cube(3, start=3)  # its surface: 27 - 1 = 26, all of it sqrt(1) or more from the outer one
    assert surface_dice(cube(5), inner, (1, 1, 1), 0.0) == 0
    # within 1 mm of the inner cube's surface lie the 6 faces of 3 x 3 voxels; edges and corners lie farther
    assert surface_dice(cube(5), inner, (1, 1, 1), 1.0) == pytest.approx((6 * 9 + 26) / (98 + 26))


def test_distances_are_in_millimeters():
    a, b = box(0, 1), box(1, 2)
    assert surface_dice(a, b, (1, 1, 0.5), 0.5) == 1
    assert surface_dice(a, b, (1, 1, 0.6), 0.5) == 0


def test_a_mask_at_the_end_of_the_array_has_a_surface_there():
    assert surface_dice(box(0, 12), box(0, 12), (1, 1, 1), 0.0) == 1


def test_the_error_of_the_volume_is_relative_and_signed():
    found = overlap(box(0, 3), box(0, 4), (1, 1, 1), 0.0)
    assert found.volume_error == pytest.approx(-0.25)
    assert overlap(box(0, 6), box(0, 4), (1, 1, 1), 0.0).volume_error == pytest.approx(0.5)
    assert found.dice == pytest.approx(6 / 7)


def test_masks_of_two_shapes_and_an_empty_truth_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        overlap(box(0, 3), np.ones((1, 1, 5), bool), (1, 1, 1), 1.0)
    with pytest.raises(ValueError, match="not empty"):
        overlap(box(0, 3), np.zeros((1, 1, 12), bool), (1, 1, 1), 1.0)
