import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from PDL1PredictorLib.core.case import Case, same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.regions import make_regions


def array(image):
    return sitk.GetArrayFromImage(image)


def codes(regions):
    return [warning.code for warning in regions.warnings]


def test_the_ring_of_a_box_is_three_voxels_off_each_face_and_rounded_at_the_edges(box_case):
    regions = make_regions(box_case((20, 22, 24), (8, 8, 8), (12, 13, 14)), RegionSettings(), 0)
    ring, tumor = array(regions.ring), array(regions.tumor)
    assert ring.shape == (4 + 6, 5 + 6, 6 + 6)
    assert int(tumor.sum()) == 4 * 5 * 6
    assert ring[5, 5].tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1]
    # centers at most 3 voxels off: on an edge (1,1) (1,2) (2,1) (2,2); on a corner 7 offsets (a, b, c >= 1)
    faces = 2 * 3 * (4 * 5 + 5 * 6 + 4 * 6)
    edges = 4 * 4 * (4 + 5 + 6)
    corners = 8 * 7  # 111 112 121 211 122 212 221
    assert int(ring.sum()) == faces + edges + corners
    assert codes(regions) == []


def test_the_ring_is_measured_in_millimetres_on_thick_slices(grid, ball_case):
    center = (12.5, -31.0, 107.0)
    regions = make_regions(ball_case(grid((60, 52, 13), (0.8, 0.9, 5.0)), center, 12.0), RegionSettings(), 0)
    size = np.asarray(regions.ring.GetSize())
    tumor = array(regions.tumor)
    hit = np.argwhere(tumor)
    assert (size[::-1] == hit.max(axis=0) - hit.min(axis=0) + 1 + 6).all()  # 3 mm above and below, too
    assert codes(regions) == ["thick_slices"]
    assert "5 mm apart" in regions.warnings[0].text


@pytest.mark.parametrize(("spacing_mm", "ring_mm"), [(0.7, 2.1), (0.4, 1.2), (2.0, 6.0)])
def test_a_ring_of_three_voxels_is_three_voxels_thick_at_any_spacing(grid, filled, spacing_mm, ring_mm):
    assert (int(1.2 / 0.4), 3 * 0.4 <= 1.2) == (2, False)  # floating point would lose a layer
    image = grid((20, 21, 22), (spacing_mm,) * 3)
    mask = np.zeros((22, 21, 20), np.uint8)
    mask[8:13, 8:13, 8:13] = 1
    case = Case(filled(image, np.where(mask, 40, -800).astype(np.int16)), filled(image, mask))
    regions = make_regions(case, RegionSettings(spacing_mm=spacing_mm, ring_mm=ring_mm), 0)
    assert array(regions.ring)[5, 5].tolist() == [1, 1, 1, 0, 0, 0, 0, 0, 1, 1, 1]


def test_a_tumor_on_thick_slices_keeps_its_height(grid, filled):
    image = grid((20, 21, 12), (1.0, 1.0, 5.0))
    mask = np.zeros((12, 21, 20), np.uint8)
    mask[4:7, 8:13, 8:14] = 1
    case = Case(filled(image, np.where(mask, 40, -800).astype(np.int16)), filled(image, mask))
    regions = make_regions(case, RegionSettings(), 0)
    assert int(array(regions.tumor).sum()) == 15 * 5 * 6
    assert array(regions.ring)[:, 5, 5].tolist() == [1] * 3 + [0] * 15 + [1] * 3


def test_ct_tumor_and_ring_share_one_grid_whatever_the_orientation(grid, ball_case, direction, points):
    center = np.array([10.0, -29.0, 105.0])
    case = ball_case(grid((60, 52, 24), (0.8, 0.9, 2.5), direction), center, 9.0)
    regions = make_regions(case, RegionSettings(), 4.0)
    assert same_grid(regions.ct, regions.tumor)
    assert same_grid(regions.ct, regions.ring)
    assert regions.ct.GetPixelID() == sitk.sitkFloat32
    distance = np.linalg.norm(points(regions.tumor) - center, axis=-1)
    tumor, ring = array(regions.tumor) > 0, array(regions.ring) > 0
    assert tumor[distance < 9.0 - 1.8].all()
    assert not tumor[distance > 9.0 + 1.8].any()
    assert ring[(distance > 9 + 1.8) & (distance < 9 + 3 - 1.8)].all()
    assert not ring[distance > 9 + 3 + 1.8].any()
    assert array(regions.ct)[distance < 5].mean() == pytest.approx(40, abs=8)  # the spline rings over 2.5 mm slices


def test_the_margin_is_kept_around_both_regions_and_clipped_to_the_ct(box_case):
    case = box_case((20, 40, 42), (8, 15, 15), (12, 20, 21))
    assert make_regions(case, RegionSettings(), 5.0).ct.GetSize() == (6 + 16, 5 + 16, 4 + 16)
    assert make_regions(case, RegionSettings(), 100.0).ct.GetSize() == (42, 40, 20)


def test_another_margin_changes_no_voxel(grid, ball_case):
    case = ball_case(grid((70, 70, 30), (0.8, 0.9, 2.5)), (12.5, -31.0, 107.0), 9.0)
    wide, tight = (make_regions(case, RegionSettings(), margin) for margin in (9.0, 0.0))
    for name in ("ct", "tumor", "ring"):
        big, small = getattr(wide, name), getattr(tight, name)
        index = big.TransformPhysicalPointToIndex(small.GetOrigin())
        assert (array(sitk.RegionOfInterest(big, small.GetSize(), index)) == array(small)).all()


def test_a_negative_margin_is_refused(box_case):
    with pytest.raises(ValueError, match="margin_mm must not be negative"):
        make_regions(box_case((12, 12, 12), (4, 4, 4), (8, 8, 8)), RegionSettings(), -1.0)


def test_a_ring_cut_by_the_field_of_view_is_told_in_numbers_and_sides(box_case):
    case = box_case((20, 20, 20), (8, 8, 1), (12, 12, 5))  # 1 of 3 layers left on the right
    regions = make_regions(case, RegionSettings(), 0)
    assert codes(regions) == ["ring_cut"]
    whole = int(array(make_regions(box_case((20, 20, 20), (8, 8, 8), (12, 12, 12)), RegionSettings(), 0).ring).sum())
    lost = 100 * (1 - int(array(regions.ring).sum()) / whole)
    assert f"cuts {lost:.1f} % of the ring (on the right)" in regions.warnings[0].text


@pytest.mark.parametrize(
    ("start", "stop", "side"),
    [
        ((0, 8, 8), (4, 12, 12), "below"),
        ((16, 8, 8), (20, 12, 12), "above"),
        ((8, 0, 8), (12, 4, 12), "in front"),
        ((8, 16, 8), (12, 20, 12), "behind"),
        ((8, 8, 0), (12, 12, 4), "on the right"),
        ((8, 8, 16), (12, 12, 20), "on the left"),
    ],
)
def test_a_tumor_at_the_border_is_told_with_its_side(box_case, start, stop, side):
    regions = make_regions(box_case((20, 20, 20), start, stop), RegionSettings(), 0)
    assert codes(regions) == ["tumor_touches_border", "ring_cut"]
    assert all(f"({side})" in warning.text for warning in regions.warnings)


def test_a_tumor_that_fills_the_ct_leaves_no_ring(box_case):
    values = np.full((5, 5, 5), 40, np.int16)
    values[0, 0, 0] = -1000
    case = Case(sitk.GetImageFromArray(values), sitk.GetImageFromArray(np.ones((5, 5, 5), np.uint8)))
    with pytest.raises(EmptyRegionError, match="ring of 3 mm around the tumor has no voxel"):
        make_regions(case, RegionSettings(), 0)


def test_a_tumor_too_small_after_resampling_is_refused(grid, filled):
    image = grid((20, 20, 20), (0.5, 0.5, 0.5))
    mask = np.zeros((20, 20, 20), np.uint8)
    mask[8:13, 8:13, 8:13] = 1  # 125 voxels of 0.125 mm^3: about 16 at 1 mm
    ct = filled(image, np.where(mask, 40, -800).astype(np.int16))
    with pytest.raises(EmptyRegionError, match=r"tumor, resampled to 1 mm, has \d+ voxels; at least 64"):
        make_regions(Case(ct, filled(image, mask)), RegionSettings(), 0)


def test_a_thin_tumor_that_vanishes_on_the_lattice_is_refused(grid, filled):
    image = grid((41, 41, 41), (0.25, 0.25, 0.25))
    mask = np.zeros((41, 41, 41), np.uint8)
    mask[18, 5:35, 5:35] = 1  # a sheet between lattice points
    ct = filled(image, np.where(mask, 40, -800).astype(np.int16))
    with pytest.raises(EmptyRegionError, match="resampled to 1 mm, has no voxel"):
        make_regions(Case(ct, filled(image, mask)), RegionSettings(), 0)


def test_a_tumor_wider_than_the_patch_is_told(box_case):
    case = box_case((12, 12, 40), (4, 4, 8), (8, 8, 28))
    assert codes(make_regions(case, RegionSettings(patch_pixels=20), 0)) == []
    regions = make_regions(case, RegionSettings(patch_pixels=19), 0)
    assert codes(regions) == ["large_tumor"]
    assert "20 mm wide, the patch that the network sees 19 mm" in regions.warnings[0].text


def test_slices_of_three_millimetres_are_not_called_thick(grid, ball_case):
    case = ball_case(grid((40, 40, 20), (1.0, 1.0, 3.0)), (12.5, -31.0, 107.0), 9.0)
    assert codes(make_regions(case, RegionSettings(), 0)) == []


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0.6, 1.6), st.floats(1.7, 6.0), st.floats(1.1, 2.5))
def test_a_thicker_ring_contains_the_thinner_and_never_the_tumor(grid, ball_case, spacing, thin_mm, factor):
    case = ball_case(grid((30, 28, 14), (0.9, 1.1, 2.5)), (12.5, -31.0, 107.0), 7.0)
    thin, thick = (
        make_regions(case, RegionSettings(spacing_mm=spacing, ring_mm=mm), 20.0) for mm in (thin_mm, thin_mm * factor)
    )
    inner = sitk.Resample(thin.ring, thick.ring, sitk.Transform(), sitk.sitkNearestNeighbor)
    assert (array(inner) <= array(thick.ring)).all()
    assert not (array(thick.ring) & array(thick.tumor)).any()


def test_the_case_is_left_untouched(grid, ball_case):
    case = ball_case(grid((40, 40, 20), (0.8, 0.9, 2.5)), (12.5, -31.0, 107.0), 9.0)
    before = sitk.Hash(case.ct), sitk.Hash(case.tumor)
    make_regions(case, RegionSettings(exclude_air=True, exclude_bone=True), 3.0)
    assert (sitk.Hash(case.ct), sitk.Hash(case.tumor)) == before
