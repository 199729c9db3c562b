import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.measures import centroid_lps_mm
from PDL1PredictorLib.imaging.patch import deep_patch, place_map
from PDL1PredictorLib.imaging.regions import make_regions
from PDL1PredictorLib.imaging.views import onto, views_volume

CENTER = (10.0, -29.0, 105.0)


@pytest.fixture
def case(grid, ball_case, direction):
    return ball_case(grid((50, 46, 22), (0.8, 0.9, 2.5), direction), CENTER, 9.0)


def test_masks_lie_voxel_by_voxel_on_the_picture(case, points):
    regions = make_regions(case, RegionSettings(), 0)
    volume = views_volume(case, centroid_lps_mm(regions.tumor), RegionSettings(), edge_mm=40)
    assert volume.GetSize() == (41, 41, 41)
    for mask in (regions.tumor, regions.ring):
        pasted = onto(volume, mask)
        assert pasted.GetPixelID() == sitk.sitkUInt8
        assert sitk.GetArrayFromImage(pasted).sum() == sitk.GetArrayFromImage(mask).sum()
    inside = np.linalg.norm(points(volume) - np.asarray(CENTER), axis=-1) < 9.0 - 1.8
    assert sitk.GetArrayFromImage(onto(volume, regions.tumor))[inside].all()
    assert sitk.GetArrayFromImage(volume)[inside].min() > -300


def test_the_picture_is_centered_on_the_point_asked_for(case):
    volume = views_volume(case, CENTER, RegionSettings(), edge_mm=30)
    middle = volume.TransformIndexToPhysicalPoint([15, 15, 15])
    assert np.abs(np.subtract(middle, CENTER)).max() < 0.9


def test_outside_the_ct_the_picture_is_air(case):
    volume = views_volume(case, CENTER, RegionSettings(), edge_mm=160)
    values = sitk.GetArrayFromImage(volume)
    assert values.min() == -1024
    assert values[0, 0, 0] == -1024
    assert values[80, 80, 80] == pytest.approx(40, abs=1)


def test_a_map_is_seen_over_its_slab_only(grid, ball_case):
    case = ball_case(grid((50, 46, 22), (0.8, 0.9, 2.5)), CENTER, 9.0)
    settings = RegionSettings(patch_pixels=30)
    patch = deep_patch(case, make_regions(case, settings, 0), settings)
    volume = views_volume(case, CENTER, settings, edge_mm=60)
    shown = sitk.GetArrayFromImage(onto(volume, place_map(np.full((5, 5), 0.5), patch)))
    slices = np.flatnonzero(shown.any(axis=(1, 2)))
    assert len(slices) == 3  # centers within 1.25 mm of the patch
    assert shown[slices].max() == 0.5
    assert np.count_nonzero(shown[slices[1]]) == 30 * 30
