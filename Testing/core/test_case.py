"""A case that exists is valid; each refusal has its words."""

import json

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case, Clinical, grid_text, same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError, InputError


def volume(values: np.ndarray, spacing_ijk_mm=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0)) -> sitk.Image:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing(spacing_ijk_mm)
    image.SetOrigin(origin)
    return image


def ct_values(shape_kji=(6, 7, 8)) -> np.ndarray:
    values = np.full(shape_kji, -900, np.int16)
    values[1:-1, 1:-1, 1:-1] = 40
    return values


def tumor_values(shape_kji=(6, 7, 8)) -> np.ndarray:
    mask = np.zeros(shape_kji, np.uint8)
    mask[1:5, 1:5, 1:5] = 1  # 64 voxels
    return mask


def test_a_ct_and_a_mask_of_64_voxels_on_its_grid_are_a_case():
    case = Case(volume(ct_values()), volume(tumor_values()))
    assert case.clinical == Clinical()


def test_a_mask_of_63_voxels_is_refused_with_its_number():
    mask = tumor_values()
    mask[1, 1, 1] = 0
    with pytest.raises(EmptyRegionError, match="63 voxels; at least 64"):
        Case(volume(ct_values()), volume(mask))


def test_an_empty_mask_is_refused():
    with pytest.raises(EmptyRegionError, match="has no voxel. Outline the tumor"):
        Case(volume(ct_values()), volume(np.zeros((6, 7, 8), np.uint8)))


@pytest.mark.parametrize(
    ("spacing", "origin"), [((1.0, 1.0, 1.01), (0.0, 0.0, 0.0)), ((1.0, 1.0, 1.0), (0.0, 0.01, 0.0))]
)
def test_a_mask_on_another_grid_is_refused_with_both_grids(spacing, origin):
    with pytest.raises(GridMismatchError, match=r"8 x 7 x 6 voxels of 1 x 1 x 1 mm.*the mask on 8 x 7 x 6"):
        Case(volume(ct_values()), volume(tumor_values(), spacing, origin))


def test_a_turned_mask_lies_on_another_grid():
    turned = volume(tumor_values((6, 6, 6)))
    turned.SetDirection((0, 1, 0, -1, 0, 0, 0, 0, 1))
    assert not same_grid(volume(ct_values((6, 6, 6))), turned)


def test_rounding_of_a_writer_is_no_other_grid():
    assert same_grid(volume(ct_values()), volume(ct_values(), origin=(0.0004, 0.0, 0.0)))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_finite_are_counted_and_refused(value):
    values = ct_values().astype(np.float32)
    values[2, 3, 4:6] = value
    with pytest.raises(InputError, match="2 voxels that are NaN or infinite"):
        Case(volume(values), volume(tumor_values()))


@pytest.mark.parametrize(("low", "high"), [(0, 1200), (-200, 300), (-1000, -20)])
def test_a_range_that_no_chest_ct_has_is_refused_with_the_range(low, high):
    values = np.full((6, 7, 8), low, np.int16)
    values[3:] = high
    with pytest.raises(InputError, match=f"from {low} to {high}; a chest CT"):
        Case(volume(values), volume(tumor_values()))


def test_a_range_far_beyond_a_ct_is_refused():
    values = ct_values().astype(np.float32)
    values[0, 0, 0] = -40000
    with pytest.raises(InputError, match="which no CT in Hounsfield units has"):
        Case(volume(values), volume(tumor_values()))


def test_two_slices_are_refused():
    with pytest.raises(InputError, match="8 x 7 x 2 voxels; at least 3 slices"):
        Case(volume(ct_values((2, 7, 8))), volume(tumor_values((2, 7, 8))))


def test_a_picture_is_refused():
    with pytest.raises(InputError, match="2 dimensions; a volume of 3"):
        Case(sitk.GetImageFromArray(np.zeros((5, 5), np.int16)), volume(tumor_values()))


def test_four_dimensions_are_refused():
    four = sitk.GetImageFromArray(np.zeros((4, 5, 5, 5), np.int16), isVector=False)
    with pytest.raises(InputError, match="4 dimensions"):
        Case(four, volume(tumor_values()))


def test_colors_are_refused():
    colors = sitk.GetImageFromArray(np.zeros((5, 5, 5, 3), np.uint8), isVector=True)
    with pytest.raises(InputError, match="3 values per voxel"):
        Case(colors, volume(tumor_values()))


def test_the_grid_in_words_has_three_spacings_in_their_order():
    assert grid_text(volume(ct_values(), (0.7, 0.8, 3.0), (1, 2, 3))).startswith("8 x 7 x 6 voxels of 0.7 x 0.8 x 3 mm")


def test_clinical_values_come_back_from_json():
    clinical = Clinical(age_years=63, sex="female", smoking="former", family_history=True, kernel="B30f")
    assert Clinical.from_dict(json.loads(json.dumps(clinical.to_dict()))) == clinical


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"age": 60}, "Unknown clinical values: age. Known: age_years"),
        ({"age_years": 140}, "age_years must be a number from 0 to 120, got 140"),
        ({"age_years": True}, "age_years must be a number"),
        ({"age_years": float("nan")}, "age_years must be a number"),
        ({"sex": "F"}, "sex must be one of male, female, got 'F'"),
        ({"smoking": "yes"}, "smoking must be one of never, former, current"),
        ({"family_history": "no"}, "family_history must be true or false"),
        ({"kernel": 3}, "kernel must be text"),
        ([1], "must be a JSON object"),
    ],
)
def test_impossible_clinical_values_are_refused(values, words):
    with pytest.raises(InputError, match=words):
        Clinical.from_dict(values)


def test_what_the_user_says_goes_before_what_the_file_says():
    merged = Clinical(age_years=70).with_defaults(Clinical(age_years=69, sex="male"))
    assert (merged.age_years, merged.sex) == (70, "male")
