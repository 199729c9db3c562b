"""What counts as a mask and where it lies: rounding, images, probabilities, grids a hair apart, resampling."""

import math

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case, grid_difference, same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError, InputError
from PDL1PredictorLib.imaging.read import read_mask

BOX = np.s_[2:7, 3:8, 4:10]  # 150 voxels


@pytest.fixture
def mask_file(chest, filled, tmp_path):
    """Write a box of one value on the CT's grid, changed by `move`."""

    def write(value, dtype=np.uint8, move=None, name="mask.nrrd"):
        values = np.zeros(chest.GetSize()[::-1], dtype)
        values[BOX] = value
        image = filled(chest, values)
        if move is not None:
            move(image)
        sitk.WriteImage(image, str(tmp_path / name))
        return tmp_path / name

    return write


def array(loaded):
    return sitk.GetArrayFromImage(loaded.image)


def codes(loaded):
    return [warning.code for warning in loaded.warnings]


@pytest.mark.parametrize(
    ("value", "code"), [(1.0, []), (3.0, []), (0.99999994, ["mask_rounded"]), (1.0009, ["mask_rounded"])]
)
def test_values_within_a_thousandth_of_a_whole_number_are_that_number(chest, mask_file, value, code):
    found = read_mask(mask_file(value, np.float32), chest)
    assert int(array(found).sum()) == 150
    assert codes(found) == code
    if code:
        assert "150 voxels of the mask mask.nrrd lie up to" in found.warnings[0].text


def test_rounding_errors_of_many_kinds_are_one_label_and_near_zero_is_background(chest, filled, tmp_path):
    values = np.random.default_rng(0).uniform(-1e-4, 1e-4, chest.GetSize()[::-1])
    values[BOX] += 1
    sitk.WriteImage(filled(chest, values), str(tmp_path / "mask.nrrd"))
    found = read_mask(tmp_path / "mask.nrrd", chest)
    assert codes(found) == ["mask_rounded"]
    assert array(found)[BOX].all()
    assert int(array(found).sum()) == 150
    values[BOX] -= 1
    sitk.WriteImage(filled(chest, values), str(tmp_path / "mask.nrrd"))
    with pytest.raises(EmptyRegionError, match="its values are all within 0.001 of 0"):
        read_mask(tmp_path / "mask.nrrd", chest)


@pytest.mark.parametrize(
    ("value", "dtype", "words"),
    [
        (0.996, np.float32, "values between 0 and 1, such as 0.996, as probabilities"),
        (0.5, np.float64, "values between 0 and 1, such as 0.5"),
        (2.25, np.float32, "no whole numbers, such as 2.25"),
        (-1, np.int16, "holds the value -1; labels are whole numbers from 1"),
        (1e300, np.float64, "holds the value 1e.300; labels"),
        (2**40, np.uint64, "holds the value 1.09951e.12; labels"),
    ],
)
def test_a_value_that_is_no_label_is_refused_and_named(chest, mask_file, value, dtype, words):
    with pytest.raises(InputError, match=words):
        read_mask(mask_file(value, dtype), chest)


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64, np.float64])
def test_a_label_of_any_type_is_read(chest, mask_file, dtype):
    assert int(array(read_mask(mask_file(100, dtype), chest)).sum()) == 150


def test_the_ct_given_as_mask_is_called_an_image(chest, tmp_path):
    sitk.WriteImage(chest, str(tmp_path / "ct.nrrd"))
    for segment in (None, "40"):
        with pytest.raises(
            InputError, match="ct.nrrd looks like an image, not a mask: it holds more than .* from -10"
        ) as e:
            read_mask(tmp_path / "ct.nrrd", chest, segment)
        assert len(str(e.value)) < 300


def test_of_many_labels_ten_are_listed(chest, filled, tmp_path):
    values = np.zeros(chest.GetSize()[::-1], np.uint8)
    values.ravel()[:117] = np.arange(117)
    sitk.WriteImage(filled(chest, values), str(tmp_path / "atlas.nrrd"))
    with pytest.raises(InputError, match=r"holds 116 regions: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 106 more. Choose one"):
        read_mask(tmp_path / "atlas.nrrd", chest)
    assert int(array(read_mask(tmp_path / "atlas.nrrd", chest, "77")).sum()) == 1


def turned(radians):
    c, s = math.cos(radians), math.sin(radians)
    return lambda image: image.SetDirection((c, -s, 0, s, c, 0, 0, 0, 1))


def shifted(mm):
    return lambda image: image.SetOrigin([image.GetOrigin()[0] + mm, *image.GetOrigin()[1:]])


@pytest.mark.parametrize(
    ("move", "apart"), [(shifted(0.0005), None), (shifted(0.07), "0.07"), (turned(1e-4), "0.0024")]
)
def test_a_grid_less_than_a_tenth_of_a_voxel_off_is_the_cts_and_that_is_said(chest, mask_file, move, apart):
    found = read_mask(mask_file(1, move=move), chest)
    assert same_grid(found.image, chest)
    assert int(array(found)[BOX].sum()) == 150
    assert codes(found) == (["grid_snapped"] if apart else [])
    assert not apart or f"by up to {apart} mm" in found.warnings[0].text


def test_a_cropped_mask_a_hair_off_is_put_back_and_that_is_said(chest, filled, tmp_path):
    values = np.zeros(chest.GetSize()[::-1], np.uint8)
    values[BOX] = 1
    part = filled(chest, values)[2:15, 1:12, 1:9]
    shifted(0.05)(part)
    sitk.WriteImage(part, str(tmp_path / "part.nrrd"))
    found = read_mask(tmp_path / "part.nrrd", chest)
    assert codes(found) == ["grid_snapped"]
    assert (array(found) == values).all()


@pytest.mark.parametrize("move", [shifted(0.08), turned(0.01)])
def test_a_grid_further_off_is_refused_with_what_differs(chest, mask_file, move):
    with pytest.raises(GridMismatchError, match="they differ in .* by up to .*, and corners lie up to .* mm apart"):
        read_mask(mask_file(1, move=move), chest)


def test_the_difference_of_two_grids_is_told_by_part_with_digits_enough(chest):
    other = sitk.Image(chest)
    turned(1.7e-5)(other)
    assert grid_difference(chest, other) == (
        "they differ in direction cosines by up to 1.7e-05, and corners lie up to 0.000407 mm apart"
    )
    other.SetSpacing((0.75, 0.875, 2.5000001))
    assert "spacing by up to 1e-07 mm, direction" in grid_difference(chest, other)
    assert grid_difference(chest, chest[:-1]) == "their sizes differ"


def test_a_case_itself_moves_nothing(chest, filled):
    values = np.zeros(chest.GetSize()[::-1], np.uint8)
    values[BOX] = 1
    mask = filled(chest, values)
    Case(chest, mask)
    shifted(0.07)(mask)
    with pytest.raises(GridMismatchError, match="origin by up to 0.07 mm"):
        Case(chest, mask)


def test_resampling_tells_the_volume_before_and_after(chest, mask_file):
    found = read_mask(mask_file(1, move=shifted(0.3)), chest, resample=True)
    assert codes(found) == ["mask_resampled"]
    assert "0.2461 mL before, 0.2461 mL after (+0.0 %)" in found.warnings[0].text  # 150 voxels of 1.640625 mm3
    assert int(array(found).sum()) == 150


def test_a_mask_partly_outside_the_ct_is_not_cut_in_silence_by_resampling(chest, mask_file):
    with pytest.raises(GridMismatchError, match="25 of the mask's 150 voxels lie outside the CT"):
        read_mask(mask_file(1, move=shifted(-3.45)), chest, resample=True)
