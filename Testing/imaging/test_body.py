import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.errors import EmptyRegionError
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.regions import make_regions


def array(image):
    return sitk.GetArrayFromImage(image)


def chest_with_tumor(center_ij, lung_hu=-850.0, air_hu=-1000.0, opened=False, body_mm=40.0):
    """A round body with a round lung (radius 25 mm) in room air; a tumor of radius 5 mm; 1 mm voxels."""
    k, j, i = np.indices((24, 110, 110))
    radius = np.hypot(j - 55, i - 55)
    values = np.full(radius.shape, air_hu)
    values[radius <= body_mm] = 40.0
    values[radius <= 25] = lung_hu
    if opened:
        values = values[:, :, 40:]
        k, j, i = k[:, :, 40:], j[:, :, 40:], i[:, :, 40:]
    tumor = (i - center_ij[0]) ** 2 + (j - center_ij[1]) ** 2 + (k - 12) ** 2 <= 25
    values[tumor] = 50.0
    values += np.random.default_rng(0).normal(0, 20, values.shape)
    return Case(sitk.GetImageFromArray(values.astype(np.float32)), sitk.GetImageFromArray(tumor.astype(np.uint8)))


def rings(case, **options):
    plain = make_regions(case, RegionSettings(), 0)
    left = make_regions(case, RegionSettings(**options), 0)
    return array(plain.ring) > 0, array(left.ring) > 0, array(plain.ct)


def test_lung_around_the_tumor_belongs_to_the_body():
    plain, left, _ = rings(chest_with_tumor((55, 55)), exclude_air=True)
    assert (plain == left).all()


@pytest.mark.parametrize("body_mm", [38.5, 39.5, 40.5])  # the skin lies before, on and behind a coarse voxel of 3 mm
def test_room_air_beside_a_tumor_of_the_chest_wall_is_left_out(body_mm):
    plain, left, ct = rings(chest_with_tumor((55, 91), body_mm=body_mm), exclude_air=True)
    assert plain[ct < -700].any()
    assert not left[ct < -700].any()
    assert (left == plain)[ct > -300].all()


def test_lung_that_the_field_of_view_opens_still_belongs_to_the_body():
    plain, left, _ = rings(chest_with_tumor((55, 55), opened=True), exclude_air=True)
    assert (plain == left).all()


def test_a_scanners_padding_counts_as_air():
    _, left, ct = rings(chest_with_tumor((55, 91), air_hu=-3024.0), exclude_air=True)
    assert not left[ct < -700].any()


def bone_case(bone_voxels):
    """A tumor of 8 voxels' edge with a column of 1000 HU beside it, 1 mm voxels."""
    values = np.full((40, 40, 40), -800, np.int16)
    mask = np.zeros((40, 40, 40), np.uint8)
    mask[16:24, 16:24, 16:24] = 1
    values[mask > 0] = 40
    columns, height = bone_voxels
    values[20 - height // 2 : 20 + height // 2, 20 : 20 + columns, 25 : 25 + columns] = 1000
    return Case(sitk.GetImageFromArray(values), sitk.GetImageFromArray(mask))


def test_bone_is_left_out_of_the_ring():
    plain, left, ct = rings(bone_case((6, 30)), exclude_bone=True)  # 1080 mm^3
    assert plain[ct >= 200].any()
    assert not left[ct >= 200].any()
    assert (left == plain)[ct < 200].all()


def test_a_calcified_speck_stays_in_the_ring():
    plain, left, ct = rings(bone_case((3, 4)), exclude_bone=True)  # 36 mm^3
    assert plain[ct >= 200].any()
    assert (left == plain).all()


def test_bone_is_judged_by_what_lies_beyond_the_box_too():
    _, left, ct = rings(bone_case((5, 30)), exclude_bone=True)  # 750 mm^3, of which the box holds 350
    assert 0 < np.count_nonzero(ct >= 200) < 500
    assert not left[ct >= 200].any()


def test_a_ring_wholly_in_bone_is_an_error_that_names_the_option():
    values = np.full((30, 30, 30), 1000, np.int16)
    values[0] = -1000
    mask = np.zeros((30, 30, 30), np.uint8)
    mask[11:19, 11:19, 11:19] = 1
    values[mask > 0] = 40
    case = Case(sitk.GetImageFromArray(values), sitk.GetImageFromArray(mask))
    with pytest.raises(EmptyRegionError, match="no voxel once air or bone is left out"):
        make_regions(case, RegionSettings(exclude_bone=True), 0)
