"""IBSI: every reference value that can be compared, and the steps that lead there on images with sums done by hand."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import EXIT_REFUSED, EmptyRegionError, GridMismatchError, InputError
from PDL1PredictorLib.radiomics.filters import WaveletBands
from PDL1PredictorLib.radiomics.filters import laplacian_of_gaussian as engine_laplacian
from PDL1PredictorLib.radiomics.ibsi.features import ibsi_features
from PDL1PredictorLib.radiomics.ibsi.filters import laplacian_of_gaussian, wavelet
from PDL1PredictorLib.radiomics.ibsi.prepare import Prepared, discretized, interpolated, prepare
from PDL1PredictorLib.radiomics.ibsi.reference import (
    Agreement,
    Compared,
    check_features,
    check_filters,
    compare,
    read_rows,
)
from PDL1PredictorLib.radiomics.ibsi.settings import DIMENSIONS, IbsiSettings
from PDL1PredictorLib.radiomics.voxels import RegionVoxels

WIDTH_1 = IbsiSettings("width 1", range_hu=(1, 10), bin_width=1, dimensions=DIMENSIONS)


def image(values: np.ndarray, spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> sitk.Image:
    """A volume from (k, j, i); spacing in x, y, z."""
    made = sitk.GetImageFromArray(values)
    made.SetSpacing(spacing_mm)
    return made


# the reference values


@pytest.mark.real_data
def test_every_reference_value_of_ibsi_1_is_met(shared: Path):
    found = check_features(shared / "ibsi")
    assert [str(each) for each in found] == [
        "digital phantom: 257/257",
        "digital phantom, slice by slice: 113/113",
        "A: 144/144",
        "A, slice by slice: 113/113",
        "B: 144/144",
        "B, slice by slice: 113/113",
        "C: 144/144",
        "D: 144/144",
        "E: 144/144",
    ]


@pytest.mark.real_data
def test_the_filters_meet_every_reference_value_of_ibsi_2(shared: Path):
    found = check_filters(shared / "ibsi")
    names = [f"filter {number}.{letter}: 15/15" for letter in "AB" for number in (1, 3, 6, 7)]
    assert [str(each) for each in found] == names


@pytest.mark.real_data
def test_the_command_prints_every_configuration(shared: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["ibsi", "--reference", str(shared / "ibsi"), "--progress", "none"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {"C: 144/144", "filter 3.B: 15/15"} <= set(lines)
    assert len(lines) == 17


def test_a_folder_without_the_phantoms_is_refused_with_what_it_must_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert main(["ibsi", "--reference", str(tmp_path), "--progress", "none"]) == EXIT_REFUSED
    assert "phantom.nii.gz cannot be read. The folder with the IBSI reference must hold" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "cannot be read"), (b"\xff\xfe\xff", "cannot be read"), (b"a,b\n1,2\n", "is no table of reference values")],
)
def test_a_missing_or_strange_table_is_refused(content: bytes | None, message: str, tmp_path: Path):
    if content is not None:
        (tmp_path / "table.csv").write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_rows(tmp_path / "table.csv")


def test_a_value_agrees_when_its_first_three_digits_lie_within_the_tolerance():
    assert Compared("A", "a", "", 0.69449, 0.698, 0.004).agrees  # 0.694
    assert not Compared("A", "a", "", 0.6934, 0.698, 0.004).agrees  # 0.693
    assert not Compared("A", "a", "", float("nan"), 0.698, 0.004).agrees


def test_a_miss_is_told_with_value_reference_and_tolerance():
    rows = [
        {"ibsi_code": "Q4LE", "aggregation": "", "feature": "Mean", "reference": "2.5", "tolerance": "0.1"},
        {"ibsi_code": "ZZZZ", "aggregation": "", "feature": "Other", "reference": "", "tolerance": ""},
    ]
    compared = compare({("Q4LE", ""): 3.25, ("ZZZZ", ""): 1.0, ("ECT3", ""): 7.0}, rows)
    assert str(Agreement("X", tuple(compared))) == "X: 0/1\n  Mean (Q4LE): 3.25, 2.5 +- 0.1"


# settings


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "Give either bin_width or bin_count"),
        ({"bin_width": 25.0, "bin_count": 32}, "Give either bin_width or bin_count"),
        ({"bin_width": 0.0, "range_hu": (0, 1)}, "bin_width must be positive, got 0.0"),
        ({"bin_width": 25.0}, "start at the lower end of range_hu"),
        ({"bin_count": 1}, "bin_count must be a whole number from 2, got 1"),
        ({"bin_count": 8, "range_hu": (400, -500)}, r"range_hu must rise, got \(400, -500\)"),
        ({"bin_count": 8, "outlier_sd": 0.0}, "outlier_sd must be positive"),
        ({"bin_count": 8, "spacing_mm": (2, 0, 2)}, r"spacing_mm must be positive .* got \(2, 0, 2\)"),
        ({"bin_count": 8, "kind": "nearest"}, "kind must be linear or cubic, got 'nearest'"),
        ({"bin_count": 8, "dimensions": ("4D",)}, "dimensions must be some of 2D, 2.5D, 3D"),
        ({"bin_count": 8, "dimensions": ()}, "dimensions must be some of 2D, 2.5D, 3D"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(wrong: dict, message: str):
    with pytest.raises(InputError, match=message):
        IbsiSettings("wrong", **wrong)


# preparation


def test_the_new_grid_has_the_center_of_the_old_one_and_reaches_over_it():
    values = np.array([[[0.0, 3.0, 6.0]]])  # centers at 0, 1, 2 mm
    found = interpolated(values, (1.0, 1.0, 1.0), (1.0, 1.0, 0.5), "linear")
    np.testing.assert_allclose(found, [[[0.0, 0.75, 2.25, 3.75, 5.25, 6.0]]], atol=1e-12)  # -0.25, 0.25 ... 2.25 mm


def test_an_axis_that_is_not_interpolated_stays_as_it_is():
    ct = np.arange(2 * 4 * 4.0).reshape(2, 4, 4)
    mask = np.ones(ct.shape, np.uint8)
    chosen = IbsiSettings("in plane", (None, 2, 2), bin_count=2)
    found = prepare(image(ct, (1.0, 1.0, 5.0)), image(mask, (1.0, 1.0, 5.0)), chosen)
    assert found.spacing_mm == (5.0, 2, 2)
    np.testing.assert_array_equal(found.image[0], [[3, 5], [11, 13]])  # 2.5, 4.5, 10.5, 12.5: halves go up


def test_range_and_outliers_are_judged_on_the_whole_outline():
    ct = np.array([[[0.0, 10.0, 10.0, 10.0, 10.0, 1000.0]]])
    mask = np.array([[[0, 1, 1, 1, 1, 1]]], np.uint8)
    both = IbsiSettings("both", range_hu=(10, 1000), outlier_sd=1.9, bin_count=2)  # mean 208, deviation 396
    np.testing.assert_array_equal(prepare(image(ct), image(mask), both).inside, [[[0, 1, 1, 1, 1, 0]]])
    range_only = IbsiSettings("range", range_hu=(11, 1000), bin_count=2)
    found = prepare(image(ct), image(mask), range_only)
    assert found.inside.sum() == 1
    np.testing.assert_array_equal(found.outline, mask)


def test_a_region_of_which_nothing_is_left_is_refused():
    ct, mask = np.zeros((2, 2, 2)), np.ones((2, 2, 2), np.uint8)
    with pytest.raises(EmptyRegionError, match=r"No voxel of the region is left with the IBSI settings width 1"):
        prepare(image(ct), image(mask), WIDTH_1)


def test_two_grids_and_what_is_not_finite_are_refused():
    ct, mask = np.ones((2, 2, 2)), np.ones((2, 2, 2), np.uint8)
    with pytest.raises(GridMismatchError):
        prepare(image(ct), image(mask, (1.0, 1.0, 2.0)), WIDTH_1)
    ct[0, 0, 0] = np.inf
    with pytest.raises(InputError, match="NaN or infinite"):
        prepare(image(ct), image(mask), WIDTH_1)


def test_bins_of_a_width_start_at_the_range_and_bins_of_a_number_at_the_least_intensity():
    values = np.array([-480.0, -476.0, -475.0, -430.0])
    width = IbsiSettings("width", range_hu=(-500, 400), bin_width=25)
    assert discretized(values, width).levels.tolist() == [1, 1, 2, 3]
    count = IbsiSettings("count", bin_count=2)
    assert discretized(values, count).levels.tolist() == [1, 1, 1, 2]


def test_a_flat_region_and_too_many_levels_are_refused():
    with pytest.raises(InputError, match="All voxels of the region have the intensity 7"):
        discretized(np.full(5, 7.0), IbsiSettings("count", bin_count=2))
    with pytest.raises(InputError, match="more than 4096. Choose a larger bin_width"):
        discretized(np.array([0.0, 5000.0]), IbsiSettings("width", range_hu=(0, 6000), bin_width=1))


# features


def block(values: np.ndarray) -> Prepared:
    inside = np.ones(values.shape, bool)
    return Prepared(values.astype(float), inside, inside, (1.0, 1.0, 1.0))


def test_neighbors_in_another_slice_count_in_space_only():
    slices = np.array([[[1, 1], [1, 1]], [[4, 4], [4, 4]]])
    found = ibsi_features(block(slices), WIDTH_1)
    for aggregation in ("2D:avg", "2D:slice-merged", "2.5D:dir-merged", "2.5D:merged"):
        assert found["ACUI", aggregation] == 0  # contrast
    # neighbors: 6 pairs of four voxels in each slice; 16 across, which differ by 3
    assert found["ACUI", "3D:merged"] == pytest.approx(9 * 16 / 28)
    assert found["W4KF", "2.5D:merged"] == found["W4KF", "2D:slice-merged"]  # long runs
    assert found["48P8", "2.5D"] == found["48P8", "3D"] == 16  # large zones: four voxels each


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_copies_of_one_slice_have_the_texture_of_the_slice(seed: int, copies: int):
    one = np.random.default_rng(seed).integers(1, 5, (1, 5, 6))
    single = ibsi_features(block(np.repeat(one, 2, axis=0)), WIDTH_1)
    many = ibsi_features(block(np.repeat(one, 2 * copies, axis=0)), WIDTH_1)
    for code, aggregation in single:
        if aggregation.startswith("2D"):
            assert many[code, aggregation] == pytest.approx(single[code, aggregation], nan_ok=True)
    for averaged, merged in (("2D:avg", "2.5D:dir-merged"), ("2D:slice-merged", "2.5D:merged")):
        assert many["TU9B", merged] == pytest.approx(many["TU9B", averaged])  # joint entropy


# filters


def test_the_laplacian_of_a_parabola_is_its_curvature():
    k, _, i = np.indices((30, 30, 30)).astype(float)
    middle = (15, 15, 15)
    assert laplacian_of_gaussian(3 * i**2 + k**2, (1.5, 1.5, 1.5))[middle] == pytest.approx(
        8, rel=0.05
    )  # cut at 4 sigma
    assert laplacian_of_gaussian(3 * i**2 + k**2, (1.5, 1.5))[middle] == pytest.approx(6, rel=0.05)  # in slices


def test_the_engines_laplacian_is_the_same_but_for_sigma_squared():
    values = np.random.default_rng(0).normal(0, 100, (40, 40, 40))
    mask = np.zeros(values.shape, bool)
    mask[15:25, 15:25, 15:25] = True
    region = RegionVoxels.of(mask, (1.0, 1.0, 1.0))
    ours = engine_laplacian(image(values), 2.0, [region])(region) / 4
    expected = laplacian_of_gaussian(values, (2.0, 2.0, 2.0))[mask]
    assert np.abs(ours - expected).max() < 0.05 * np.abs(expected).max()


def rotations() -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    """The 24 rotations of a cube: orders of the axes, and axes that are turned round."""
    found = []
    for order in np.ndindex(3, 3, 3):
        for senses in np.ndindex(2, 2, 2):
            matrix = np.zeros((3, 3))
            matrix[range(3), order] = [1 - 2 * sense for sense in senses]
            if np.linalg.det(matrix) > 0.5:
                found.append((order, tuple(axis for axis in range(3) if senses[axis])))
    return found


@pytest.mark.parametrize(("name", "passes"), [("db3", "LLH"), ("coif1", "HHH"), ("haar", "HLL")])
def test_a_wavelet_is_the_mean_of_the_engines_bands_of_the_turned_image(name: str, passes: str):
    values = np.random.default_rng(1).normal(0, 100, (17, 17, 17))
    mask = np.zeros(values.shape, bool)
    mask[8, 8, 8] = True  # the middle stays where it is
    region = RegionVoxels.of(mask, (1.0, 1.0, 1.0))
    assert len(rotations()) == 24
    found = [
        WaveletBands(np.flip(values.transpose(order), turned), name, [region]).pair(passes[:2])[passes](region)
        for order, turned in rotations()
    ]
    assert wavelet(values, name, passes, level=1)[8, 8, 8] == pytest.approx(np.mean(found), abs=1e-9)
