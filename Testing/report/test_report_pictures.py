"""Pictures: contours where the mask is, letters where the patient's sides are, heat where the map is hot."""

import io
import re
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from PDL1PredictorLib.core.errors import GridMismatchError
from PDL1PredictorLib.core.results import HeatMap
from PDL1PredictorLib.core.windows import LUNG, Window
from PDL1PredictorLib.report.pictures import (
    HEAT_FLOOR,
    contour_path,
    heat_pictures,
    heat_rgba,
    slice_pictures,
    tilt_degrees,
    windowed,
)

AXIAL, SOFT, CORONAL, SAGITTAL = range(4)
# for each picture: direction of one pixel to the right and one pixel down, as (axis of the LPS volume, sign)
STEPS = {AXIAL: ((0, 1), (1, 1)), CORONAL: ((0, 1), (2, -1)), SAGITTAL: ((1, 1), (2, -1))}


def filled(path, shape):
    """Which pixel centers lie inside an SVG path by the even-odd rule."""
    inside = np.zeros(shape, bool)
    rows, columns = np.indices(shape) + 0.5
    for ring in re.findall(r"M([^Z]*)Z", path):
        points = np.array([[float(x) for x in point.split()] for point in ring.split("L")])
        for (x0, y0), (x1, y1) in zip(points, np.roll(points, -1, axis=0), strict=True):
            crosses = (y0 > rows) != (y1 > rows)
            if y0 != y1:
                inside ^= crosses & (columns < (x1 - x0) * (rows - y0) / (y1 - y0) + x0)
    return inside


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)))


def value_at(image, point, default=0):
    index = image.TransformPhysicalPointToIndex(point)
    return image[index] if all(0 <= n < size for n, size in zip(index, image.GetSize(), strict=True)) else default


def point_of(lesion, picture, number, row, column):
    """Patient coordinates of a pixel, from the tumor's center alone."""
    ct = lesion.views_ct
    index = np.array(ct.TransformPhysicalPointToIndex(lesion.center_lps_mm))
    for pixels_away, (axis, sign) in zip(
        (column - picture.width // 2, row - picture.height // 2), STEPS[number], strict=True
    ):
        index[axis] += sign * pixels_away
    return ct.TransformIndexToPhysicalPoint(index.tolist())


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(bool, st.tuples(st.integers(1, 7), st.integers(1, 7))))
def test_the_outline_holds_exactly_the_pixels_of_the_mask(mask):
    assert np.array_equal(filled(contour_path(mask), mask.shape), mask)


def test_one_pixel_has_a_small_diamond_around_its_center():
    mask = np.zeros((3, 4), bool)
    mask[1, 2] = True
    points = sorted(re.findall(r"[\d.]+ [\d.]+", contour_path(mask)))
    assert points == ["2 1.5", "2.5 1", "2.5 2", "3 1.5"]


def test_an_empty_mask_has_no_outline():
    assert contour_path(np.zeros((3, 3), bool)) == ""


@pytest.mark.parametrize("tilt", [0.0, 12.0])
@pytest.mark.parametrize("number", [AXIAL, CORONAL, SAGITTAL])
def test_contours_and_gray_values_lie_where_the_patient_has_them(make_result, tilt, number):
    lesion = make_result(tilt_degrees=tilt).lesions[0]
    picture = slice_pictures(lesion)[number]
    shape = (picture.height, picture.width)
    tumor, either = filled(picture.tumor_path, shape), filled(picture.ring_path, shape)
    gray = pixels(picture.png)
    assert tumor.sum() > 400
    for row, column in np.ndindex(*shape):
        point = point_of(lesion, picture, number, row, column)
        in_tumor, in_ring = value_at(lesion.tumor_image, point), value_at(lesion.ring_image, point)
        assert (tumor[row, column], either[row, column]) == (in_tumor, in_tumor or in_ring)
        hu = np.array(value_at(lesion.views_ct, point, default=-5000.0))
        assert gray[row, column] == windowed(hu, LUNG)


def test_a_shifted_outline_would_be_seen(make_result):
    lesion = make_result().lesions[0]
    picture = slice_pictures(lesion)[AXIAL]
    shape = (picture.height, picture.width)
    assert not np.array_equal(filled(picture.tumor_path, shape), np.roll(filled(picture.tumor_path, shape), 1, axis=1))


def marked(lesion, shift_lps_mm):
    """The lesion with one bright voxel, so many mm from its center."""
    ct = sitk.Image(lesion.views_ct)
    point = np.add(lesion.center_lps_mm, shift_lps_mm)
    ct[ct.TransformPhysicalPointToIndex(point.tolist())] = 5000.0
    return replace(lesion, views_ct=ct)


@pytest.mark.parametrize(
    ("number", "letters", "shift", "place"),
    [
        (AXIAL, ("R", "L", "A", "P"), (-20, -30, 0), (-30, -20)),  # right and anterior: up and to the left
        (CORONAL, ("R", "L", "S", "I"), (-20, 0, 30), (-30, -20)),  # right and superior: up and to the left
        (SAGITTAL, ("A", "P", "S", "I"), (0, -20, 30), (-30, -20)),  # anterior and superior: up and to the left
    ],
)
def test_letters_stand_on_the_patients_sides(make_result, number, letters, shift, place):
    lesion = make_result().lesions[0]
    before, after = (pixels(slice_pictures(x)[number].png).astype(int) for x in (lesion, marked(lesion, shift)))
    picture = slice_pictures(lesion)[number]
    assert picture.letters == letters
    changed = np.argwhere(before != after)
    assert changed.tolist() == [[picture.height // 2 + place[0], picture.width // 2 + place[1]]]


@pytest.mark.parametrize("stored", ["RAS", "PIR"])
def test_the_order_in_which_axes_are_stored_changes_nothing(make_result, stored):
    lesion = make_result(tilt_degrees=12.0).lesions[0]
    turned = replace(
        lesion,
        views_ct=sitk.DICOMOrient(lesion.views_ct, stored),
        tumor_image=sitk.DICOMOrient(lesion.tumor_image, stored),
        ring_image=sitk.DICOMOrient(lesion.ring_image, stored),
    )
    assert [(p.png, p.tumor_path) for p in slice_pictures(turned)] == [
        (p.png, p.tumor_path) for p in slice_pictures(lesion)
    ]


def test_a_center_outside_a_bent_tumor_gives_way_to_its_largest_slice(make_result):
    lesion = make_result().lesions[0]
    away = replace(lesion, center_lps_mm=tuple(np.add(lesion.center_lps_mm, (0, 0, 40))))
    assert slice_pictures(away)[AXIAL].tumor_path != ""


def test_a_mask_from_another_lattice_is_refused(make_result):
    lesion = make_result().lesions[0]
    shifted = sitk.Image(lesion.tumor_image)
    shifted.SetOrigin(np.add(shifted.GetOrigin(), (0.5, 0, 0)).tolist())
    with pytest.raises(GridMismatchError, match="One lattice was expected"):
        slice_pictures(replace(lesion, tumor_image=shifted))


@pytest.mark.parametrize("tilt", [0.0, 12.0])
def test_the_hot_spot_is_drawn_over_the_tissue_it_lies_on(make_result, tilt):
    lesion = make_result(tilt_degrees=tilt).lesions[0]
    heat_map = lesion.heat_maps[0]
    (picture,) = heat_pictures(lesion, heat_map)
    alpha = pixels(picture.overlay_png)[..., 3]
    row, column = np.unravel_index(alpha.argmax(), alpha.shape)
    values = sitk.GetArrayFromImage(heat_map.image)[0]
    assert (row, column) == np.unravel_index(values.argmax(), values.shape)
    point = heat_map.image.TransformIndexToPhysicalPoint((int(column), int(row), 0))
    middle = heat_map.image.TransformIndexToPhysicalPoint((40, 40, 0))
    assert picture.letters == ("R", "L", "A", "P")
    assert point[0] > middle[0]  # the spot lies right of the middle, below it: towards the patient's left and back
    assert point[1] > middle[1]
    assert pixels(picture.png)[row, column] == windowed(np.array(value_at(lesion.views_ct, point)), LUNG)
    tumor = filled(picture.tumor_path, values.shape)
    expected = [
        value_at(lesion.tumor_image, heat_map.image.TransformIndexToPhysicalPoint((j, i, 0)))
        for i, j in np.ndindex(*values.shape)
    ]
    assert np.array_equal(tumor.ravel(), np.array(expected, bool))


def test_a_heat_map_stored_from_left_to_right_is_turned_round(make_result):
    lesion = make_result().lesions[0]
    turned = HeatMap("PDL1", sitk.DICOMOrient(lesion.heat_maps[0].image, "RAS"))
    assert heat_pictures(lesion, turned) == heat_pictures(lesion, lesion.heat_maps[0])


def test_heat_is_clear_below_its_floor_and_grows_with_the_value():
    rgba = heat_rgba(np.array([[0.0, HEAT_FLOOR, 0.4, 0.7, 1.0, np.nan, 2.0]]))
    assert rgba[0, :2, 3].tolist() == [0, 0]
    assert (np.diff(rgba[0, 1:5, 3].astype(int)) > 0).all()
    assert rgba[0, 5, 3] == 0
    assert (rgba[0, 6] == rgba[0, 4]).all()


def test_a_window_runs_from_black_to_white_over_its_width():
    hu = np.array([-1500.0, -1350.0, -600.0, 150.0, 900.0])
    assert windowed(hu, LUNG).tolist() == [0, 0, 128, 255, 255]
    assert windowed(np.array([0.0, 1.0, 2.0]), Window(0.0, 2.0)).tolist() == [0, 128, 255]


@pytest.mark.parametrize("degrees", [0.0, 12.0])
def test_the_tilt_is_the_largest_angle_between_axes(make_result, degrees):
    lesion = make_result(tilt_degrees=degrees).lesions[0]
    assert tilt_degrees(lesion) == pytest.approx(degrees, abs=1.0)
    assert tilt_degrees(lesion) <= degrees + 1e-5  # an axis beside the turn's own moves less than the turn
