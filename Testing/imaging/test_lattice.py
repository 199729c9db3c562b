import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from PDL1PredictorLib.imaging.lattice import Box, lattice_of, sample, sample_hu, sample_mask, weights


@pytest.fixture
def noise(grid, filled):
    image = grid((60, 70, 52), (0.7, 0.8, 2.5))
    values = np.random.default_rng(0).normal(-300, 300, image.GetSize()[::-1])
    return filled(image, values)


def on_itk_grid(image, lattice, box, kind):
    """The same points, resampled by ITK from the whole volume."""
    reference = lattice.image(np.zeros(box.shape, np.uint8), box)
    return sitk.GetArrayFromImage(sitk.Resample(image, reference, sitk.Transform(), kind, -9999.0, sitk.sitkFloat64))


def test_the_lattice_has_ceil_points_per_axis_and_the_volumes_center(grid):
    image = grid((10, 11, 4), (0.7, 0.9, 2.5), center=(1.0, 2.0, 3.0))
    lattice = lattice_of(image, 1.0)
    assert lattice.shape == (10, 10, 7)  # ceil of 10.0, 9.9, 7.0
    assert lattice.point_lps_mm([4.5, 4.5, 3.0]) == pytest.approx((1.0, 2.0, 3.0))


def test_a_product_a_hair_above_a_whole_number_gives_no_extra_point(grid):
    assert 50 * 1.1 > 55  # floating point
    assert lattice_of(grid((50, 50, 50), (1.1, 1.1, 1.1)), 1.0).shape == (55, 55, 55)


def test_the_axes_are_the_nearest_to_lps_and_keep_their_tilt(grid, direction):
    lattice = lattice_of(grid((10, 11, 12), (0.7, 0.9, 2.5), direction), 1.0)
    axes = np.reshape(lattice.direction, (3, 3))
    assert (np.diag(axes) > 0.8).all()
    assert np.linalg.det(axes) == pytest.approx(1.0)
    assert np.sort(np.abs(axes).ravel()) == pytest.approx(np.sort(np.abs(direction).ravel()))


def test_every_point_lies_within_the_voxels_of_the_volume(grid, direction):
    image = grid((10, 11, 12), (0.7, 0.9, 2.6), direction)
    lattice = lattice_of(image, 1.0)
    for corner in ([0, 0, 0], [n - 1 for n in lattice.shape]):
        index = image.TransformPhysicalPointToContinuousIndex(lattice.point_lps_mm(corner))
        assert all(-0.5 <= x <= n - 0.5 for x, n in zip(index, image.GetSize(), strict=True))


@pytest.mark.parametrize(("kind", "itk"), [("cubic", sitk.sitkBSpline), ("linear", sitk.sitkLinear)])
def test_values_agree_with_itk_in_every_orientation(grid, filled, direction, kind, itk):
    image = grid((20, 22, 14), (0.7, 0.9, 2.5), direction)
    image = filled(image, np.random.default_rng(0).normal(0, 300, image.GetSize()[::-1]))
    lattice = lattice_of(image, 1.0)
    ours = sample(image, lattice, lattice.whole, kind)
    assert np.abs(ours - on_itk_grid(image, lattice, lattice.whole, itk)).max() < 1e-5


@pytest.mark.parametrize("kind", ["cubic", "linear"])
def test_a_crop_has_the_values_of_the_whole(noise, kind):
    lattice = lattice_of(noise, 1.0)
    whole = sample(noise, lattice, lattice.whole, kind)
    box = Box((60, 25, 20), (64, 30, 26))  # 20 native voxels do not reach the border along any axis
    assert np.abs(sample(noise, lattice, box, kind) - whole[box.slices_in(lattice.whole)]).max() < 1e-6


def test_rounding_to_whole_hu_does_not_depend_on_the_crop(grid, filled):
    image = grid((64, 64, 64), (2.0, 2.0, 2.0))  # ramps of 2 HU per voxel: every lattice value is a half
    k, j, i = np.indices((64, 64, 64))
    image = filled(image, (4 * k + 2 * j + 4 * i - 500).astype(np.int16))
    lattice = lattice_of(image, 1.0)
    whole = sample_hu(image, lattice, lattice.whole)
    assert whole.dtype == np.float32
    assert (whole == np.rint(whole)).all()
    for start in (40, 41, 55):
        box = Box((start,) * 3, (start + 30,) * 3)
        assert (sample_hu(image, lattice, box) == whole[box.slices_in(lattice.whole)]).all()


def test_the_spline_of_whole_numbers_is_rounded_not_cut(grid, filled):
    flat = filled(grid((12, 12, 12), (0.9, 0.8, 0.7)), np.full((12, 12, 12), -777, np.int16))
    lattice = lattice_of(flat, 0.5)
    assert set(np.unique(sample_hu(flat, lattice, lattice.whole))) == {-777.0}


def test_beyond_the_lattice_comes_the_value_for_outside(chest):
    lattice = lattice_of(chest, 1.0)
    values = sample_hu(chest, lattice, Box((-2, 0, 0), (1, 3, 3)), outside=-1024)
    assert (values[:2] == -1024).all()
    assert (values[2] != -1024).all()
    assert (sample_hu(chest, lattice, Box((-9, 0, 0), (-5, 2, 2)), outside=-1024) == -1024).all()


def test_a_mask_is_linear_and_cut_at_one_half_included(grid, filled):
    values = np.zeros((4, 4, 4), np.uint8)
    values[:, :, 2:] = 1
    image = filled(grid((4, 4, 4), (2.0, 2.0, 2.0)), values)
    lattice = lattice_of(image, 1.0)  # points at a quarter and three quarters between voxels
    assert sample_mask(image, lattice, lattice.whole)[0, 0].tolist() == [False] * 4 + [True] * 4
    half = lattice_of(
        filled(grid((3, 4, 4), (2.0, 2.0, 2.0)), values[:, :, 1:]), 4.0
    )  # 2 points, at 0 and 2 of 0, 1, 2
    assert half.shape[2] == 2
    assert half.native_positions(half.whole)[2].tolist() == [0.0, 2.0]


def test_the_box_of_a_volume_is_found_again(chest):
    lattice = lattice_of(chest, 1.0)
    box = Box((3, 4, 5), (9, 8, 7))
    assert lattice.box_of(lattice.image(np.zeros(box.shape, np.uint8), box)) == box


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 30), st.lists(st.floats(-0.49, 1.0), min_size=1, max_size=8))
def test_weights_of_a_point_add_up_to_one_and_the_spline_passes_through_the_voxels(voxels, parts):
    positions = np.asarray(parts) * (voxels - 1)
    positions = np.clip(positions, -0.49, None)
    for kind in ("cubic", "linear"):
        assert weights(positions, voxels, kind).sum(axis=1) == pytest.approx(1.0)
        assert np.allclose(weights(np.arange(voxels), voxels, kind), np.eye(voxels), atol=1e-9)
