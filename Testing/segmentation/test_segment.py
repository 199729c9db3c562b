"""Contours from a click on made-up CTs: where they end, what they say, where they refuse."""

import numpy as np
import pytest
import SimpleITK as sitk
from clicked import made_ct

from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.core.results import codes
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.segment import segment
from PDL1PredictorLib.statistics.contours.overlap import dice


def found_in(made, *points, with_spread=False):
    return segment(made.ct, Prompt(points or (made.center,)), with_spread=with_spread)


def voxels(found):
    return sitk.GetArrayFromImage(found.mask) > 0


def test_a_ball_in_lung_is_found_from_its_middle_and_from_beside_it():
    made = made_ct()
    x, y, z = made.center
    for point in (made.center, (x + 4, y - 3, z + 2)):
        found = found_in(made, point)
        assert dice(voxels(found), made.tumor) > 0.82
        assert found.method == "classical"
        assert codes(found.warnings) == ""
    assert found.mask.GetSize() == made.ct.GetSize()
    assert found.mask.GetOrigin() == made.ct.GetOrigin()
    assert found.mask.GetPixelID() == sitk.sitkUInt8


def test_ground_glass_is_found_by_its_own_density():
    made = made_ct(tumor_hu=-550.0)
    assert dice(voxels(found_in(made)), made.tumor) > 0.85


def test_the_chest_wall_is_not_swallowed_and_the_contact_is_told():
    made = made_ct(wall_mm=5.0)
    found = found_in(made)
    assert dice(voxels(found), made.tumor) > 0.75
    assert voxels(found).sum() < 1.6 * made.tumor.sum()
    assert "segment_attached" in codes(found.warnings)


def test_a_vessel_is_cut_off():
    made = made_ct(vessel_mm=1.8)
    found = voxels(found_in(made))
    assert dice(found, made.tumor) > 0.8
    assert not found[0].any()  # 40 mm along the vessel
    assert found[:, 38, 40].sum() * 2.0 < 2 * 8 + 14


def test_a_line_says_the_size():
    made = made_ct(wall_mm=5.0)
    x, y, z = made.center
    found = found_in(made, (x, y - 8, z), (x, y + 8, z))
    assert dice(voxels(found), made.tumor) > 0.75


def test_a_ct_stored_along_other_axes_gives_the_same_tumor_in_its_own_voxels():
    made = made_ct()
    turned = sitk.DICOMOrient(made.ct, "SPR")
    found = segment(turned, Prompt((made.center,)), with_spread=False)
    straight = found_in(made)
    assert found.volume_ml == pytest.approx(straight.volume_ml, rel=0.02)
    back = sitk.Resample(found.mask, made.ct, sitk.Transform(), sitk.sitkNearestNeighbor)
    assert dice(sitk.GetArrayFromImage(back) > 0, voxels(straight)) > 0.97


def test_nothing_lies_outside_the_body():
    made = made_ct(wall_mm=2.0)
    found = found_in(made)
    outside = sitk.GetArrayFromImage(made.ct) < -940
    assert not (voxels(found) & outside).any()


def test_a_click_beside_the_tumor_is_put_right_and_told():
    made = made_ct()
    x, y, z = made.center
    found = found_in(made, (x - 9.4, y, z))
    assert dice(voxels(found), made.tumor) > 0.8
    assert "segment_point_air" in codes(found.warnings)


def test_a_click_into_bone_is_told():
    made = made_ct(tumor_hu=700.0)
    assert "segment_point_bone" in codes(found_in(made).warnings)


def test_a_click_into_the_wall_finds_no_edge_or_says_that_it_is_attached():
    made = made_ct(wall_mm=20.0)
    x, y, z = made.center
    told = codes(found_in(made, (x + 26, y, z)).warnings).split()
    assert {"segment_no_edge", "segment_attached"} & set(told)


def test_a_tumor_that_the_ct_cuts_is_told():
    made = made_ct()
    cut = made.ct[:, :, 20:]  # slices of 2 mm: the ball's middle lies in slice 20
    assert "segment_ct_end" in codes(segment(cut, Prompt((made.center,)), with_spread=False).warnings)


def test_the_spread_of_moved_clicks_is_small_in_a_plain_ball():
    found = found_in(made_ct(), with_spread=True)
    assert found.spread is not None
    assert found.spread.least_dice > 0.9
    assert found.spread.volume_share[0] <= 1 <= found.spread.volume_share[1]


def test_points_outside_the_ct_and_the_body_and_in_lung_are_refused():
    made = made_ct()
    x, y, z = made.center
    with pytest.raises(InputError, match="outside the CT, which reaches from L -40 to 39"):
        found_in(made, (x + 300, y, z))
    with pytest.raises(InputError, match="outside the patient"):
        found_in(made_ct(wall_mm=10.0), (x + 28, y, z))
    with pytest.raises(EmptyRegionError, match="no tissue within 2.5 mm"):
        found_in(made, (x - 20, y, z))


def test_two_runs_give_the_same_voxels():
    made = made_ct(radius_mm=5.0)
    assert np.array_equal(voxels(found_in(made)), voxels(found_in(made)))
