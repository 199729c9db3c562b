"""A ring that a person edited takes the place of the drawn one; and what is shown while outlining."""

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.preview import preview
from PDL1PredictorLib.imaging.regions import make_regions

SETTINGS = RegionSettings()


def array(image):
    return sitk.GetArrayFromImage(image)


def like(image, values):
    made = sitk.GetImageFromArray(values.astype(np.uint8))
    made.CopyInformation(image)
    return made


@pytest.fixture
def case(box_case):
    """A tumor of 4 x 5 x 6 voxels of 1 mm in a CT of 20 x 22 x 24."""
    return box_case((20, 22, 24), (8, 8, 8), (12, 13, 14))


def test_the_shown_ring_taken_as_an_edited_one_gives_the_same_regions(case):
    shown = preview(case, SETTINGS)
    drawn, given = make_regions(case, SETTINGS), make_regions(case, SETTINGS, ring=shown.ring_on_ct)
    np.testing.assert_array_equal(array(given.ring), array(drawn.ring))
    np.testing.assert_array_equal(array(given.tumor), array(drawn.tumor))
    assert [w.code for w in drawn.warnings] == []
    assert [w.code for w in given.warnings] == ["ring_edited"]


def test_an_edited_ring_may_lie_anywhere_and_the_box_holds_both(case):
    values = np.zeros((20, 22, 24))
    values[2:4, 3:5, 20:23] = 1
    regions = make_regions(case, SETTINGS, margin_mm=2, ring=like(case.ct, values))
    assert array(regions.ring).sum() == 2 * 2 * 3
    assert array(regions.tumor).sum() == 4 * 5 * 6
    # k from 2 to 12, j from 3 to 13, i from 8 to 23, and 2 on every side, cut at i = 24
    assert array(regions.ct).shape == (10 + 4, 10 + 4, 15 + 3)


def test_the_part_of_an_edited_ring_inside_the_tumor_is_left_out(case):
    values = np.zeros((20, 22, 24))
    values[8:12, 8:13, 13:16] = 1  # one layer of the tumor and two beside it
    regions = make_regions(case, SETTINGS, ring=like(case.ct, values))
    assert array(regions.ring).sum() == 4 * 5 * 2
    assert not (array(regions.ring) & array(regions.tumor)).any()


def test_an_edited_ring_inside_the_tumor_only_is_refused(case):
    with pytest.raises(EmptyRegionError, match="no voxel outside the tumor"):
        make_regions(case, SETTINGS, ring=case.tumor)


def test_an_empty_edited_ring_is_refused(case):
    with pytest.raises(EmptyRegionError, match="The edited ring has no voxel"):
        make_regions(case, SETTINGS, ring=like(case.ct, np.zeros((20, 22, 24))))


def test_an_edited_ring_on_another_grid_is_refused(case):
    other = like(case.ct, np.ones((20, 22, 24)))
    other.SetOrigin((5.0, 0.0, 0.0))
    with pytest.raises(GridMismatchError, match="Export the mask on the CT's grid"):
        make_regions(case, SETTINGS, ring=other)


def test_the_preview_measures_what_the_prediction_will(case):
    shown = preview(case, SETTINGS)
    regions = make_regions(case, SETTINGS)
    assert shown.tumor.volume_ml == pytest.approx(0.12)
    assert shown.ring.voxels == array(regions.ring).sum()
    assert array(shown.ring_on_ct).sum() == array(regions.ring).sum()
    assert shown.ring_on_ct.GetSize() == case.ct.GetSize()


def test_the_shown_ring_never_holds_a_voxel_of_the_tumor_on_slices_of_any_thickness(grid, ball_case):
    case = ball_case(grid((60, 52, 13), (0.8, 0.9, 5.0)), (12.5, -31.0, 107.0), 12.0)
    ring = array(preview(case, SETTINGS).ring_on_ct)
    assert ring.any()
    assert not (ring & array(case.tumor)).any()


def test_the_preview_of_an_edited_ring_measures_that_one(case):
    values = np.zeros((20, 22, 24))
    values[2:4, 3:5, 20:23] = 1
    shown = preview(case, SETTINGS, like(case.ct, values))
    assert shown.ring.voxels == 12
    assert [w.code for w in shown.warnings] == ["ring_edited"]
