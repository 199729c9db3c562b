"""Contours of one plane: copies, holes, islands, pieces that overlap, and the polygons themselves."""

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.draw import polygon2mask

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.dicom.contours import MAX_CONTOURS, Polygon, in_order
from PDL1PredictorLib.imaging.dicom.polygons import filled
from PDL1PredictorLib.imaging.read import read_mask

SHAPE = (40, 40)


def box(low, high, columns=None):
    """Around the pixels low to high - 1 of both axes, or of the rows only."""
    first, last = (low, high) if columns is None else columns
    a, b, c, d = low - 0.5, high - 0.5, first - 0.5, last - 0.5
    return np.array([(a, c), (a, d), (b, d), (b, c)])


def circle(radius, center=(20.0, 20.0), points=90):
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return np.column_stack([center[0] + radius * np.cos(angle), center[1] + radius * np.sin(angle)])


def ordered(*polygons, spacing_mm=(1.0, 1.0)):
    return in_order([Polygon(points) for points in polygons], spacing_mm)


def pixels(*polygons):
    return int(ordered(*polygons).draw(SHAPE).sum())


def twist(n):
    """Vertices on, between and beside pixel centers, so that edges and vertices often meet a center exactly."""
    return st.lists(st.tuples(st.integers(-4, 24), st.integers(-4, 24)), min_size=n, max_size=12)


@given(twist(3), st.sampled_from([1.0, 0.5, 0.25]), st.sampled_from([(0.0, 0.0), (0.0137, 0.0291)]))
@settings(max_examples=300, deadline=None)
def test_the_filled_pixels_are_those_of_scikit_image(vertices, step, offset):
    polygon = np.array(vertices) * step + offset
    assert (filled(polygon, (11, 9)) == polygon2mask((11, 9), polygon)).all()


def test_a_polygon_of_very_many_vertices_takes_no_time_with_their_number_times_the_pixels():
    assert int(filled(circle(200.0, (256.0, 256.0), 200_000), (512, 512)).sum()) == pytest.approx(
        np.pi * 200**2, rel=1e-3
    )


COPIES = {
    "the same": lambda p: p,
    "reversed": lambda p: p[::-1],
    "begun elsewhere": lambda p: np.roll(p, 17, axis=0),
    "closed by its first point": lambda p: np.vstack([p, p[:1]]),
    "rounded": lambda p: np.round(p, 1),
    "every second point": lambda p: p[::2],
    "within less than a voxel": lambda p: (p - 20) * 0.95 + 20,
}


@pytest.mark.parametrize("name", COPIES)
def test_a_contour_stored_again_counts_once(name):
    first = circle(9.3)
    outlines = ordered(first, COPIES[name](first))
    assert (outlines.copies, outlines.overlaps) == (1, ())
    assert int(outlines.draw(SHAPE).sum()) == pytest.approx(pixels(first), abs=8)


def test_of_copies_the_larger_counts_whatever_their_order():
    first, second = circle(9.3), circle(8.9)
    assert pixels(first, second) == pixels(second, first) == pixels(first)


def test_a_contour_stored_three_times_counts_once():
    assert pixels(box(5, 15), box(5, 15), box(5, 15)) == 100


def test_an_outline_that_runs_round_twice_is_not_emptied():
    twice = np.vstack([circle(9.3), circle(9.3)])
    assert (ordered(twice).rounds, pixels(twice)) == (1, pixels(circle(9.3)))
    assert ordered(circle(9.3)).rounds == 0


def test_a_wall_of_more_than_a_voxel_is_a_hole_and_no_copy():
    assert pixels(box(5, 25), box(7, 23)) == 400 - 256


def test_specks_one_in_the_other_are_no_copies():
    assert pixels(box(5, 8), box(6, 7)) == 9 - 1
    assert pixels(box(5, 7), box(5, 6)) == 4 - 1


def test_contours_one_in_the_other_are_hole_island_and_hole_again():
    nested = [box(2, 30), box(5, 27), box(8, 24), box(11, 21)]
    expected = 28**2 - 22**2 + 16**2 - 10**2
    assert pixels(*nested) == pixels(*nested[::-1]) == expected
    assert ordered(*nested).overlaps == ()


def test_a_hole_that_ends_at_the_border_stays_a_hole():
    assert pixels(box(5, 25), box(5, 10)) == 400 - 25


def test_an_outline_that_touches_itself_to_cut_a_hole_keeps_the_hole():
    outer, inner = box(4, 20), box(8, 12)
    keyhole = np.vstack([outer, outer[:1], inner[::-1], inner[-1:], outer[:1]])
    assert pixels(keyhole) == pixels(keyhole, keyhole) == 16**2 - 4**2


def test_contours_that_overlap_in_part_are_joined():
    first, second = box(5, 15), box(5, 15, columns=(12, 22))
    outlines = ordered(first, second)
    assert outlines.overlaps == ((0, 1),)
    assert (int(outlines.draw(SHAPE).sum()), outlines.twice(SHAPE)) == (10 * 17, 10 * 3)


def test_what_sticks_out_of_another_contour_is_joined_and_no_hole():
    outlines = ordered(box(5, 25), box(15, 26, columns=(10, 20)))
    assert (len(outlines.overlaps), int(outlines.draw(SHAPE).sum())) == (1, 400 + 10)


def test_contours_side_by_side_are_not_said_to_overlap():
    outlines = ordered(box(5, 15), box(5, 15, columns=(15, 25)))
    assert (outlines.overlaps, int(outlines.draw(SHAPE).sum())) == ((), 200)


def test_a_hole_in_what_two_contours_have_in_common_stays_a_hole():
    assert pixels(box(5, 15), box(5, 15, columns=(8, 18)), box(8, 12, columns=(9, 13))) == 10 * 13 - 16


def test_contours_that_ask_for_the_even_odd_rule_get_it():
    polygons = [Polygon(box(5, 15), True), Polygon(box(5, 15, columns=(12, 22)), True)]
    outlines = in_order(polygons, (1.0, 1.0))
    assert (outlines.overlaps, int(outlines.draw(SHAPE).sum())) == ((), 200 - 2 * 30)


def test_more_contours_in_a_plane_than_anyone_draws_are_refused():
    with pytest.raises(InputError, match=f"{MAX_CONTOURS + 1} contours lie in one plane"):
        ordered(*[box(1, 3)] * (MAX_CONTOURS + 1))


@pytest.fixture
def drawn(chest, write_rtstruct, tmp_path):
    """What comes of polygons (row, column) on slices 4 to 6 of the small chest, of 1.640625 mm3 voxels."""

    def read(*polygons, away=(0.0, 0.0, 0.0)):
        contours = [
            np.array([chest.TransformContinuousIndexToPhysicalPoint((c, r, float(k))) for r, c in points]) + away
            for k in (4, 5, 6)
            for points in polygons
        ]
        return read_mask(write_rtstruct(tmp_path / "rs.dcm", {"GTV": contours}), chest)

    return read


def test_copies_are_told_with_their_number(drawn):
    loaded = drawn(box(4, 12), box(4, 12)[::-1])
    assert [warning.code for warning in loaded.warnings] == ["contours_repeated"]
    assert "Of the 6 contours of ROI GTV of rs.dcm, 3 repeat another contour" in loaded.warnings[0].text
    assert int(sitk.GetArrayViewFromImage(loaded.image).sum()) == 3 * 64


def test_joined_contours_are_told_with_what_they_have_in_common(drawn):
    loaded = drawn(box(4, 12), box(4, 12, columns=(10, 18)))
    assert [warning.code for warning in loaded.warnings] == ["contours_joined"]
    # 8 x 2 voxels on 3 slices, 48 x 0.75 x 0.875 x 2.5 mm3
    assert "3 pairs" in loaded.warnings[0].text
    assert "the 0.0788 mL" in loaded.warnings[0].text
    assert int(sitk.GetArrayViewFromImage(loaded.image).sum()) == 3 * 8 * 14


def test_sound_contours_are_read_without_a_word(drawn):
    loaded = drawn(box(4, 12), box(7, 9))
    assert loaded.warnings == ()
    assert int(sitk.GetArrayViewFromImage(loaded.image).sum()) == 3 * (64 - 4)
