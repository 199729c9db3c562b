"""Boxes of one lattice, by sums one can do by hand; three different spacings."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from PDL1PredictorLib.core.errors import GridMismatchError
from PDL1PredictorLib.report.lattice import Box, common_box, offset_on, voxels_in

SPACING = (1.0, 2.0, 4.0)


def volume(shape_kji, start_ijk=(0, 0, 0), fill=1):
    image = sitk.GetImageFromArray(np.full(shape_kji, fill, np.uint8))
    image.SetSpacing(SPACING)
    image.SetOrigin([n * s for n, s in zip(start_ijk, SPACING, strict=True)])
    return image


def test_the_offset_counts_voxels_along_each_axis():
    assert offset_on(volume((3, 3, 3)), volume((2, 2, 2), (5, -3, 1))) == (5, -3, 1)


def test_a_box_holds_every_volume():
    first, second = volume((3, 4, 5)), volume((2, 2, 2), (-1, 3, 2))
    assert common_box(first, [first, second]) == Box((-1, 0, 0), (6, 5, 4))


def test_voxels_are_pasted_at_their_place_and_cut_at_the_box():
    reference = volume((3, 3, 3))
    pasted = voxels_in(Box((0, 0, 0), (4, 3, 2)), reference, volume((2, 1, 3), (2, 1, 1), fill=7), fill=9)
    assert pasted.shape == (2, 3, 4)
    assert np.argwhere(pasted == 7).tolist() == [[1, 1, 2], [1, 1, 3]]
    assert (pasted == 9).sum() == 22


def test_a_volume_beside_the_box_leaves_it_empty():
    assert not voxels_in(Box((0, 0, 0), (2, 2, 2)), volume((2, 2, 2)), volume((2, 2, 2), (5, 0, 0))).any()


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.integers(-3, 3)] * 3), st.tuples(*[st.integers(1, 4)] * 3))
def test_a_volume_comes_back_whole_from_a_box_that_holds_it(start, shape):
    image = sitk.GetImageFromArray(np.arange(1, np.prod(shape) + 1, dtype=np.int16).reshape(shape))
    image.SetSpacing(SPACING)
    image.SetOrigin([n * s for n, s in zip(start, SPACING, strict=True)])
    reference = volume((2, 2, 2))
    box = common_box(reference, [reference, image])
    assert voxels_in(box, reference, image).sum() == sitk.GetArrayViewFromImage(image).sum()


@pytest.mark.parametrize("change", ["half a voxel", "spacing", "direction"])
def test_another_lattice_is_refused(change):
    other = volume((2, 2, 2))
    if change == "half a voxel":
        other.SetOrigin((0.5, 0, 0))
    elif change == "spacing":
        other.SetSpacing((1.0, 2.0, 4.01))
    else:
        other.SetDirection((-1, 0, 0, 0, -1, 0, 0, 0, 1))
    with pytest.raises(GridMismatchError, match="One lattice was expected"):
        offset_on(volume((2, 2, 2)), other)
