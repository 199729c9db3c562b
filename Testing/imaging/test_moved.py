"""The same case as others might have given it: contours, noise and slices on blocks that one can count."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.errors import EmptyRegionError
from PDL1PredictorLib.imaging.moved import MOVES, moved_contour, with_noise, with_thick_slices

SHAPE = (20, 22, 24)
CUBE = (slice(5, 13), slice(6, 14), slice(7, 15))  # 8 x 8 x 8 voxels


def case_of(mask: np.ndarray, spacing=(1.0, 1.0, 1.0), hu: np.ndarray | None = None) -> Case:
    values = np.full(mask.shape, -800, np.int16) if hu is None else hu.astype(np.int16)
    values[:, 0] = 40
    values[:, 1] = -1000
    images = [sitk.GetImageFromArray(one) for one in (values, mask.astype(np.uint8))]
    for one in images:
        one.SetSpacing(spacing)
    return Case(*images)


def cube(spacing=(1.0, 1.0, 1.0)) -> Case:
    mask = np.zeros(SHAPE, bool)
    mask[CUBE] = True
    return case_of(mask, spacing)


def mask_of(case: Case) -> np.ndarray:
    return sitk.GetArrayFromImage(case.tumor) > 0


def size(case: Case) -> tuple[int, ...]:
    return tuple(np.ptp(np.argwhere(mask_of(case)), axis=0) + 1)


@pytest.mark.parametrize(("by_mm", "edge"), [(1.0, 10), (-1.0, 6), (2.0, 12), (0.0, 8), (0.4, 8), (-0.4, 8)])
def test_a_contour_moves_by_millimeters_on_every_side(by_mm: float, edge: int):
    assert size(moved_contour(cube(), by_mm)) == (edge, edge, edge)


def test_inwards_and_outwards_hold_each_other():
    inner, middle, outer = (mask_of(moved_contour(cube(), by_mm)) for by_mm in (-1.0, 0.0, 1.0))
    assert (inner <= middle).all()
    assert (middle <= outer).all()
    assert inner.sum() < middle.sum() < outer.sum()


def test_voxels_are_counted_in_millimeters():
    assert size(moved_contour(cube((0.5, 0.5, 0.5)), 1.0)) == (12, 12, 12)


def test_along_thick_slices_the_contour_stays():
    moved = moved_contour(cube((1.0, 1.0, 3.0)), 1.0)
    assert size(moved) == (8, 10, 10)


def test_a_tumor_that_would_vanish_is_refused():
    mask = np.zeros(SHAPE, bool)
    mask[5:9, 6:10, 7:11] = True  # 64 voxels; of which 8 are left
    with pytest.raises(EmptyRegionError, match="8 voxels"):
        moved_contour(case_of(mask), -1.0)


def test_a_tumor_at_the_border_moves_where_there_is_room():
    mask = np.zeros(SHAPE, bool)
    mask[0:8, 6:14, 7:15] = True
    assert size(moved_contour(case_of(mask), 1.0)) == (9, 10, 10)


def test_the_ct_stays_as_it_is_under_a_moved_contour():
    case = cube()
    assert moved_contour(case, 1.0).ct is case.ct
    assert mask_of(case).sum() == 512  # the argument too


def test_noise_has_its_sd_and_is_the_same_every_time():
    case = cube()
    first, again = (sitk.GetArrayFromImage(with_noise(case, 25.0).ct).astype(float) for _ in range(2))
    added = first - sitk.GetArrayFromImage(case.ct)
    assert added.std() == pytest.approx(25, rel=0.03)
    assert abs(added.mean()) < 1
    np.testing.assert_array_equal(first, again)
    assert np.array_equal(sitk.GetArrayFromImage(with_noise(case, 0.0).ct), sitk.GetArrayFromImage(case.ct))


def test_thick_slices_are_means_along_the_slices_alone():
    hu = np.full(SHAPE, -800.0)
    hu[9] = -200.0  # one bright slice: a third of it goes to each neighbor
    mask = np.zeros(SHAPE, bool)
    mask[CUBE] = True
    thick = sitk.GetArrayFromImage(with_thick_slices(case_of(mask, hu=hu)).ct)
    assert thick[7:12, 10, 10].tolist() == [-800, -600, -600, -600, -800]


def test_slices_that_are_as_thick_already_stay():
    case = cube((1.0, 1.0, 2.5))
    assert with_thick_slices(case) is case
    assert with_thick_slices(replace(cube(), ct=cube().ct)).ct is not None


def test_every_move_gives_a_case_on_the_same_grid_that_differs():
    hu = np.random.default_rng(1).normal(-800, 20, SHAPE)
    mask = np.zeros(SHAPE, bool)
    mask[CUBE] = True
    case = case_of(mask, hu=hu)
    for name, move in MOVES.items():
        moved = move(case)
        same_ct = np.array_equal(sitk.GetArrayFromImage(moved.ct), sitk.GetArrayFromImage(case.ct))
        same_mask = np.array_equal(mask_of(moved), mask_of(case))
        assert (same_ct, same_mask) == ((True, False) if name.startswith("contour") else (False, True)), name
        assert moved.ct.GetSize() == case.ct.GetSize()
