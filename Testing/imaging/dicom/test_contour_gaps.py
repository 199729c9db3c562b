"""Slices without contour between others, planes beside the slices, and contours beyond the CT."""

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import GridMismatchError, InputError
from PDL1PredictorLib.imaging.read import read_mask

SLICE_MM = 2.5
VOXEL_ML = 1.0 * 1.0 * SLICE_MM / 1000


@pytest.fixture
def ct(grid, filled):
    image = grid((60, 50, 24), (1.0, 1.0, SLICE_MM))
    return filled(image, np.random.default_rng(0).integers(-1000, 100, (24, 50, 60)).astype(np.int16))


def circle(ct, k, radius, center=(25.0, 24.0)):
    angle = np.linspace(0, 2 * np.pi, 120, endpoint=False)
    i, j = center[0] + radius * np.cos(angle), center[1] + radius * np.sin(angle)
    return np.array([ct.TransformContinuousIndexToPhysicalPoint((a, b, float(k))) for a, b in zip(i, j, strict=True)])


def cone(ct, slices, center=(25.0, 24.0)):
    """A radius that falls by 0.5 mm a slice, from 14 mm at slice 4: exactly what linear interpolation gives."""
    return [circle(ct, k, 14 - 0.5 * (k - 4), center) for k in slices]


@pytest.fixture
def read(ct, write_rtstruct, tmp_path):
    def read(contours, on=None, **options):
        path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": contours})
        loaded = read_mask(path, ct if on is None else on, **options)
        return sitk.GetArrayFromImage(loaded.image), loaded.warnings

    return read


def codes(warnings):
    return [warning.code for warning in warnings]


@pytest.mark.parametrize("missing", [(9,), (8, 9), (7, 10), (5, 6, 11, 12)])
def test_one_or_two_missing_contours_are_interpolated(ct, read, missing):
    whole, none = read(cone(ct, range(4, 15)))
    mask, warnings = read(cone(ct, [k for k in range(4, 15) if k not in missing]))
    assert (codes(none), codes(warnings)) == ([], ["contours_interpolated"])
    assert mask[list(missing)].sum() == pytest.approx(whole[list(missing)].sum(), rel=0.02)
    kept = [k for k in range(24) if k not in missing]
    assert (mask[kept] == whole[kept]).all()


def test_the_warning_names_the_slices_their_place_and_the_volume(ct, read):
    mask, (warning,) = read(cone(ct, [4, 5, 6, 9, 10]))
    places = ", ".join(f"{ct.TransformIndexToPhysicalPoint((0, 0, k))[2]:.1f}" for k in (7, 8))
    added, every = mask[7:9].sum() * VOXEL_ML, mask.sum() * VOXEL_ML
    assert f"on slices 8, 9 of 24 (z = {places} mm)" in warning.text
    assert f"{added:.3g} of {every:.3g} mL" in warning.text


@pytest.mark.parametrize("step", [2, 3])
def test_contours_on_every_second_or_third_slice_are_filled(ct, read, step):
    whole, _ = read(cone(ct, range(4, 17)))
    mask, warnings = read(cone(ct, range(4, 17, step)))
    assert codes(warnings) == ["contours_interpolated"]
    assert mask.sum() == pytest.approx(whole.sum(), rel=0.01)


def test_three_missing_contours_are_refused_unless_asked_for(ct, read):
    contours = cone(ct, [4, 5, 6, 10, 11, 12])
    with pytest.raises(InputError, match=r"no contour on 3 slices in a row .*slices 8, 10 of 24 .*Draw the contours"):
        read(contours)
    mask, warnings = read(contours, fill_gaps=True)
    whole, _ = read(cone(ct, range(4, 13)))
    assert mask.sum() == pytest.approx(whole.sum(), rel=0.01)
    assert codes(warnings) == ["contours_interpolated"]


def test_the_command_fills_them_where_it_is_asked_to(ct, write_rtstruct, tmp_path, capsys):
    sitk.WriteImage(ct, tmp_path / "ct.nrrd")
    mask = write_rtstruct(tmp_path / "rs.dcm", {"GTV": cone(ct, [4, 5, 6, 10, 11, 12])})
    words = ["features", str(tmp_path / "ct.nrrd"), str(mask), "--preset", "karim", "--out", str(tmp_path / "f.csv")]
    assert main(words) == 2
    assert "have them filled (--fill-gaps)" in capsys.readouterr().err
    assert main([*words, "--fill-gaps"]) == 0
    assert "Warning (contours_interpolated)" in capsys.readouterr().out


@pytest.mark.parametrize("gap", [1, 2, 5])
def test_parts_that_do_not_overlap_are_not_connected(ct, read, gap):
    mask, warnings = read(
        [circle(ct, k, 5, (12, 24)) for k in (4, 5)] + [circle(ct, k, 5, (40, 24)) for k in (6 + gap,)]
    )
    assert not mask[6 : 6 + gap].any()
    assert codes(warnings) == []


def test_a_contour_is_found_missing_beside_another_lesion(ct, read):
    other = [circle(ct, k, 4, (52, 24)) for k in range(3, 16)]
    whole, _ = read(cone(ct, range(4, 15)) + other)
    mask, warnings = read(cone(ct, [4, 5, 6, 7, 9, 10, 11, 12, 13, 14]) + other)
    assert codes(warnings) == ["contours_interpolated"]
    assert mask[8].sum() == pytest.approx(whole[8].sum(), rel=0.02)


def test_nodes_in_a_chain_that_hardly_lie_over_each_other_are_not_connected_beside_another(ct, read):
    other = [circle(ct, k, 4, (52, 24)) for k in range(3, 16)]
    nodes = [circle(ct, k, 5, (20, 24)) for k in (4, 5)] + [circle(ct, k, 5, (27, 24)) for k in (7, 8)]
    mask, warnings = read(nodes + other)
    assert codes(warnings) == []
    assert not mask[6, :, :40].any()


def test_only_the_part_that_goes_on_is_interpolated(ct, read):
    ends = [circle(ct, k, 4, (50, 24)) for k in (4, 5)]
    mask, _ = read([circle(ct, k, 8) for k in (4, 5, 7, 8)] + ends)
    assert mask[6, :, :40].sum() == mask[5, :, :40].sum()
    assert not mask[6, :, 40:].any()


def test_planes_slightly_farther_apart_than_slices_leave_no_slice_empty(ct, read):
    positions = np.arange(4, 14, 1.2)
    mask, warnings = read([circle(ct, k, 8) for k in positions])
    drawn = mask.any(axis=(1, 2))
    assert drawn[4:14].all()
    assert codes(warnings) == ["contours_between_slices", "contours_interpolated"]
    assert "9 planes" in warnings[0].text


def test_planes_finer_than_slices_say_how_many_are_left_out(ct, read):
    mask, (warning,) = read([circle(ct, k, 8) for k in np.arange(4, 8.01, 0.25)])
    assert mask.any(axis=(1, 2)).sum() == 5
    assert (warning.code, "12 planes were left out" in warning.text) == ("contours_between_slices", True)


def test_planes_half_a_slice_off_say_how_far(ct, read):
    _, (warning,) = read([circle(ct, k + 0.5, 8) for k in range(4, 8)])
    assert "up to 1.25 mm away" in warning.text


@pytest.mark.parametrize("offset", [0.0, 0.02])
def test_planes_on_the_slices_up_to_rounding_need_no_word(ct, read, offset):
    _, warnings = read([circle(ct, k + offset, 8) for k in range(4, 8)])
    assert codes(warnings) == []


def test_planes_a_tenth_of_a_millimeter_apart_are_one(ct, read):
    contours = [circle(ct, k, 8) for k in range(4, 8)]
    whole, _ = read(contours)
    mask, warnings = read(contours + [contour + np.array([0, 0, 0.1]) for contour in contours])
    assert codes(warnings) == ["contours_repeated"]
    assert (mask == whole).all()


@pytest.mark.parametrize("end", [0, 1])
def test_one_slice_beyond_the_ct_is_refused_with_what_would_be_lost(ct, read, end):
    contours = [circle(ct, k, 8) for k in range(10, 15)]
    cut = ct[:, :, :14] if end else ct[:, :, 11:]
    whole, _ = read(contours)
    each = whole[12].sum() * VOXEL_ML
    with pytest.raises(GridMismatchError, match=f"{each:.3g} of its {5 * each:.3g} mL lie beyond"):
        read(contours, on=cut)
    with pytest.raises(GridMismatchError, match="by up to 2.0 voxels"):
        read(contours, on=ct[:, :, :13] if end else ct[:, :, 12:])


def test_a_plane_on_the_last_half_slice_is_inside(ct, read):
    mask, _ = read([circle(ct, k + 0.5, 8) for k in range(9, 14)], on=ct[:, :, :14])
    assert mask[10:].any(axis=(1, 2)).all()
    mask, _ = read([circle(ct, k - 0.5, 8) for k in range(10, 14)], on=ct[:, :, 10:])
    assert mask[:4].any(axis=(1, 2)).all()


def test_a_contour_between_the_voxel_centers_is_no_gap(ct, read):
    contours = [circle(ct, k, 8) for k in (4, 5, 7, 8)]
    filled, _ = read(contours)
    thin, warnings = read([*contours, circle(ct, 6, 0.2, (25.5, 24.5))])
    assert (bool(filled[6].any()), bool(thin[6].any()), codes(warnings)) == (True, False, [])


def test_of_many_filled_slices_the_first_are_named_and_the_others_counted(ct, read):
    _, (warning,) = read([circle(ct, k, 8) for k in range(1, 23, 3)])
    assert "on slices 3, 4, 6, 7, 9, 10, 12, 13, 15, 16, 18, 19 and 2 more of 24" in warning.text


def test_a_negligible_part_beyond_the_ct_is_left_out_and_told(ct, read):
    contours = [circle(ct, k, 14) for k in range(10, 14)] + [circle(ct, 14, 1.2)]
    mask, warnings = read(contours, on=ct[:, :, :14])
    assert codes(warnings) == ["contours_cut"]
    assert f"{5 * VOXEL_ML:.3g} of the {(mask.sum() + 5) * VOXEL_ML:.3g} mL" in warnings[0].text


def test_contours_beyond_the_ct_in_its_plane_are_refused_too(ct, read):
    with pytest.raises(GridMismatchError, match="leaves the CT's field of view"):
        read([circle(ct, k, 8, (6.9, 24)) for k in range(4, 8)])  # a column of voxel centers lies beyond
    mask, warnings = read([circle(ct, k, 8, (7.6, 24)) for k in range(4, 8)])  # within the outermost voxels
    assert (codes(warnings), bool(mask.any())) == ([], True)
    with pytest.raises(GridMismatchError, match="by up to 3.0 voxels"):
        read([circle(ct, k, 8, (5, 24)) for k in range(4, 8)])
