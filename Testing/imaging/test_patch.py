import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case, same_grid
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.settings import NEIGHBORS, RegionSettings
from PDL1PredictorLib.imaging.patch import deep_patch, deep_patches, neighbor_patches, place_map
from PDL1PredictorLib.imaging.regions import make_regions

CENTER = np.array([12.5, -31.0, 107.0])
SETTINGS = RegionSettings(patch_pixels=40)


def array(image):
    return sitk.GetArrayFromImage(image)


def patch_of(case, settings=SETTINGS):
    return deep_patch(case, make_regions(case, settings, 0), settings)


@pytest.fixture
def case(grid, ball_case, direction):
    """A ball in the middle of a CT with three different spacings, stored in every orientation."""
    world = np.abs(direction).argmax(axis=0)  # the patient axis that each stored axis runs along
    spacing = tuple(np.array([0.8, 0.9, 2.5])[world].tolist())
    size = tuple(np.array([90, 84, 30])[world].tolist())
    return ball_case(grid(size, spacing, direction), CENTER, 9.0)


def with_spot(case, points, spot, filled):
    """The case with a bright spot of about 2 mm in its CT."""
    distance = np.linalg.norm(points(case.ct) - spot, axis=-1)
    values = array(case.ct) + 2000 * np.exp(-((distance / 2) ** 2))
    return Case(filled(case.ct, values.astype(np.float32)), case.tumor)


def test_a_bright_spot_lands_at_its_patient_point(case, points, filled):
    axes = np.reshape(sitk.DICOMOrient(case.ct, "LPS").GetDirection(), (3, 3))
    spot = CENTER + axes @ np.array([6.0, -4.0, 0.0])  # in the plane of the patch, off its center
    patch = patch_of(with_spot(case, points, spot, filled))
    brightest = np.argwhere(array(patch.image) == array(patch.image).max())[0]
    found = patch.image.TransformIndexToPhysicalPoint([int(n) for n in brightest[::-1]])
    assert np.linalg.norm(np.asarray(found) - spot) < 1.3
    i, j, k = patch.image.TransformPhysicalPointToIndex(spot.tolist())
    assert k == 0
    assert array(patch.image)[0, j, i] > 500


def test_a_map_of_coarse_cells_is_put_back_without_a_shift(case, points):
    """Each cell of the coarse map holds the mean patient coordinate of its pixels: upsampled, it gives them back."""
    patch = patch_of(case)
    for axis in range(3):
        coordinate = points(patch.image)[0, :, :, axis]
        placed = place_map(coordinate.reshape(5, 8, 5, 8).mean(axis=(1, 3)), patch)
        inner = np.s_[4:-4, 4:-4]  # beyond the outermost cell centers the map is constant
        assert np.abs(array(placed)[0][inner] - coordinate[inner]).max() < 1e-3


def test_a_hot_cell_lands_at_what_heats_it(case, points, filled):
    axes = np.reshape(sitk.DICOMOrient(case.ct, "LPS").GetDirection(), (3, 3))
    spot = CENTER + axes @ np.array([8.0, -16.0, 0.0])  # near the center of a cell of 8 mm, one right, two in front
    patch = patch_of(with_spot(case, points, spot, filled))
    heat = (array(patch.image)[0].reshape(5, 8, 5, 8).max(axis=(1, 3)) > 500).astype(float)
    assert np.argwhere(heat).tolist() == [[0, 3]]
    placed = place_map(heat, patch)
    i, j, k = placed.TransformPhysicalPointToIndex(spot.tolist())
    assert array(placed)[k, j, i] > 0.8
    mirrored = CENTER + axes @ np.array([-8.0, 16.0, 0.0])
    i, j, k = placed.TransformPhysicalPointToIndex(mirrored.tolist())
    assert array(placed)[k, j, i] == 0


def test_a_placed_map_is_as_thick_as_a_slice_of_the_ct_and_crosses_one(case):
    patch = patch_of(case)
    placed = place_map(np.ones((5, 5)), patch)
    assert patch.slab_mm == 2.5
    assert placed.GetSpacing() == (1.0, 1.0, 2.5)
    assert placed.GetSize() == (40, 40, 1)
    axes = np.reshape(case.ct.GetDirection(), (3, 3))
    thick = case.ct.GetSpacing().index(2.5)
    centers = np.asarray(case.ct.GetOrigin()) + 2.5 * np.arange(case.ct.GetSize()[thick])[:, None] * axes[:, thick]
    off_mm = np.abs((centers - np.asarray(placed.GetOrigin())) @ axes[:, thick])
    assert off_mm.min() <= 2.5 / 2


def test_thin_slices_give_a_slab_of_one_lattice_voxel(grid, ball_case):
    patch = patch_of(ball_case(grid((60, 60, 60), (0.7, 0.8, 0.6)), CENTER, 9.0))
    assert patch.slab_mm == 1.0


def test_a_map_must_have_rows_and_columns(box_case):
    patch = patch_of(box_case((20, 40, 40), (8, 15, 15), (12, 20, 21)))
    with pytest.raises(ValueError, match="two dimensions"):
        place_map(np.ones(5), patch)


def test_the_patch_is_centered_on_the_centroid_of_the_largest_slice(box_case):
    case = box_case((20, 60, 62), (8, 20, 25), (12, 25, 31))
    mask = array(case.tumor)
    mask[10, 18:30, 20:30] = 1  # the largest slice: rows 18 to 29, columns 20 to 30
    case = Case(case.ct, sitk.GetImageFromArray(mask))
    patch = patch_of(case, RegionSettings(patch_pixels=16))
    k_hit, j_hit, _ = np.nonzero(array(patch.tumor))
    assert patch.image.GetOrigin()[2] == 10.0
    assert set(k_hit) == {0}
    assert len(j_hit) == int(mask[10].sum())
    rows, columns = np.nonzero(mask[10])
    assert patch.image.GetOrigin()[1] + 7.5 == pytest.approx(rows.mean(), abs=0.5)
    assert patch.image.GetOrigin()[0] + 7.5 == pytest.approx(columns.mean(), abs=0.5)
    assert same_grid(patch.image, patch.tumor)
    assert patch.padded_fraction == 0


def test_of_equal_slices_the_one_nearest_the_centroid_is_taken_then_the_lower(box_case):
    even = patch_of(box_case((20, 40, 40), (8, 15, 15), (12, 20, 21)))  # slices 8 to 11, centroid 9.5
    odd = patch_of(box_case((20, 40, 40), (8, 15, 15), (13, 20, 21)))
    assert (even.image.GetOrigin()[2], odd.image.GetOrigin()[2]) == (9.0, 10.0)


def test_what_leaves_the_ct_is_padded_and_counted_and_keeps_its_place(box_case):
    patch = patch_of(box_case((20, 30, 30), (8, 1, 12), (12, 6, 18)), RegionSettings(patch_pixels=20))
    values = array(patch.image)[0]
    j0 = int(patch.image.GetOrigin()[1])
    assert j0 == -6  # rows 1 to 5, centroid 3: the even square's center lies at 3.5
    assert (values[:6] == -1024).all()
    assert (values[6:] > -1024).all()
    assert patch.padded_fraction == pytest.approx(6 / 20)
    assert patch.image.TransformPhysicalPointToIndex((12.0, 1.0, 9.0))[1] == 7
    assert np.nonzero(array(patch.tumor)[0])[0].tolist()[0] == 7


def test_a_tumor_wider_than_the_patch_fills_it(box_case):
    patch = patch_of(box_case((20, 60, 60), (8, 10, 10), (12, 50, 50)), RegionSettings(patch_pixels=16))
    assert array(patch.tumor).all()
    assert patch.padded_fraction == 0


def test_neighbors_are_the_same_square_on_other_slices_and_those_without_tumor_are_left_out(box_case):
    case = box_case((20, 40, 40), (8, 15, 15), (12, 20, 21))  # the deep patch lies on slice 9
    settings = RegionSettings(patch_pixels=16)
    patches = neighbor_patches(case, make_regions(case, settings, 0), settings, (-2, -1, 1, 2, 3))
    places = [patch.image.GetOrigin() for patch in patches]
    assert [z for _, _, z in places] == [9.0, 8.0, 10.0, 11.0]
    assert {(x, y) for x, y, _ in places} == {places[0][:2]}
    assert all(int(array(patch.tumor).sum()) == 30 for patch in patches)


def test_a_network_always_gets_as_many_slices_and_for_those_without_tumor_the_first_again(box_case):
    settings = RegionSettings(patch_pixels=16)
    thick, thin = box_case((24, 40, 40), (6, 15, 15), (18, 20, 21)), box_case((20, 40, 40), (8, 15, 15), (12, 20, 21))
    whole, few = (deep_patches(case, make_regions(case, settings, 0), settings) for case in (thick, thin))
    assert [patch.image.GetOrigin()[2] for patch in whole] == [11.0, 7.0, 9.0, 13.0, 15.0]  # NEIGHBORS of slice 11
    assert [patch.image.GetOrigin()[2] for patch in few] == [9.0, 11.0, 9.0, 9.0, 9.0]
    assert few[-1] is few[0]
    assert len(whole) == len(few) == 1 + len(NEIGHBORS)


def test_beyond_the_margin_around_the_tumors_box_the_network_sees_air(case):
    whole, cut = array(patch_of(case).image)[0], array(patch_of(case, with_margin(4.0)).image)[0]
    rows, columns = np.nonzero(array(patch_of(case).tumor)[0])
    shown = np.zeros(cut.shape, bool)
    shown[rows.min() - 4 : rows.max() + 5, columns.min() - 4 : columns.max() + 5] = True
    np.testing.assert_array_equal(cut[shown], whole[shown])
    assert (cut[~shown] == -1024).all()
    assert (whole[~shown] > -1000).any()


def test_a_volume_cropped_to_that_margin_gives_the_same_picture_without_a_word_of_padding(case):
    settings = with_margin(3.0)
    reach = sitk.LabelShapeStatisticsImageFilter()
    reach.Execute(case.tumor)
    start, size = np.split(np.array(reach.GetBoundingBox(1)), 2)
    more = np.ceil(5.0 / np.array(case.ct.GetSpacing())).astype(int)
    low, high = start - more, start + size + more
    cropped = Case(*(image[tuple(map(slice, low.tolist(), high.tolist()))] for image in (case.ct, case.tumor)))
    patch, own = patch_of(case, settings), patch_of(cropped, settings)
    assert patch.padded_fraction == own.padded_fraction == 0
    assert patch_of(cropped).padded_fraction > 0
    assert np.isclose((array(patch.image) > -1024).sum(), (array(own.image) > -1024).sum(), rtol=0.1)


@pytest.mark.parametrize("margin", [0.0, -1.0, np.nan, np.inf])
def test_a_margin_that_is_none_is_refused(margin):
    with pytest.raises(InputError, match="margin must be positive"):
        with_margin(margin)


def test_settings_without_a_margin_read_as_before_there_was_one():
    assert "patch_margin_mm" not in SETTINGS.to_dict()
    assert RegionSettings.from_dict(with_margin(9.0).to_dict()) == with_margin(9.0)


def with_margin(margin_mm):
    return RegionSettings(patch_pixels=40, patch_margin_mm=margin_mm)
