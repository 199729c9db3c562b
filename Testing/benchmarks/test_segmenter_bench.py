"""The benchmark of contours: what lies beside a tumor, where is clicked, what a line is."""

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import SimpleITK as sitk
from clicked import Clicked, made_ct

from PDL1PredictorLib.cohort.crops import Scene


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import segmenter

    return segmenter


def scene(made: Clicked) -> Scene:
    mask = sitk.GetImageFromArray(made.tumor.astype(np.uint8))
    mask.CopyInformation(made.ct)
    return Scene(made.ct, mask, mask * 0 + 1)


def test_what_is_beside_a_tumor_is_told_by_the_rule(bench: ModuleType):
    assert bench.surroundings(scene(made_ct())) == "free"
    assert bench.surroundings(scene(made_ct(wall_mm=4.0))) == "wall"
    assert bench.surroundings(scene(made_ct(radius_mm=5.0, vessel_mm=2.0))) == "vessel"


def test_clicks_begin_in_the_middle_and_lie_inside(bench: ModuleType):
    own = scene(made_ct())
    points = bench.clicks(own, 5, np.random.default_rng(0))
    assert len(points) == 6
    assert np.linalg.norm(np.array(points[0]) - made_ct().center) < 2
    inside = sitk.GetArrayFromImage(own.tumor) > 0
    for point in points:
        assert inside[own.ct.TransformPhysicalPointToIndex(point)[::-1]]


def test_the_line_is_the_longest_diameter_of_the_largest_slice(bench: ModuleType):
    first, second = bench.longest_line(scene(made_ct(radius_mm=8.0)))
    assert first[2] == second[2] == pytest.approx(-160.0)
    assert np.linalg.norm(np.subtract(first, second)) == pytest.approx(16, abs=0.1)


def test_the_table_has_a_row_a_data_set_and_its_surroundings(bench: ModuleType):
    row = {"source": "LIDC", "surface_dice": 0.9, "volume_error": 0.1, "line_dice": None, "clock_s": 1.0}
    rows = [
        {**row, "surroundings": kind, "dice": dice, "clicks_dice": [0.5, 0.7], "clicks_agree": []}
        for kind, dice in (("free", 0.8), ("wall", 0.6))
    ]
    lines = bench.table(rows)[2:]
    assert [line.split(" | ")[0] for line in lines] == ["| LIDC, all", "| LIDC, free", "| LIDC, wall"]
    assert lines[0] == "| LIDC, all | 2 | 0.70 | 0.62 | 0.90 | 0.10 | - | 0.60 | - | 1.00 |"


def test_the_spread_of_clicks_is_that_of_their_dice_and_volume(bench: ModuleType):
    found = bench.spread([0.7, 0.9], [90, 110])
    assert found["clicks_dice_sd"] == pytest.approx(0.1 * 2**0.5)
    assert found["clicks_volume_sd_percent"] == pytest.approx(10 * 2**0.5)
    nothing = {"clicks_dice_sd": None, "clicks_volume_sd_percent": None}
    assert bench.spread([0.7], [90]) == bench.spread([0.0, 0.0], [0, 0]) == nothing


def test_the_spread_has_a_table_of_medians_over_tumors(bench: ModuleType):
    rows = [
        {"source": "LIDC", "surroundings": kind, "clicks_dice_sd": dice, "clicks_volume_sd_percent": percent}
        for kind, dice, percent in (("free", 0.01, 4.0), ("wall", 0.03, 8.0), ("wall", None, None))
    ]
    lines = bench.spread_table(rows)[2:]
    assert lines[0] == "| LIDC, all | 3 | 0.020 | 0.028 | 6.0 | 7.6 |"
    assert lines[1] == "| LIDC, free | 1 | 0.010 | 0.010 | 4.0 | 4.0 |"
    assert bench.spread_table(rows[2:])[2] == "| LIDC, all | 1 | - | - | - | - |"


def test_a_case_is_measured_with_as_many_clicks_as_asked_for(bench: ModuleType):
    row = bench.measured(bench.Case("made", "phantom", scene(made_ct())), None, 3)
    assert len(row["clicks_dice"]) == len(row["clicks_agree"]) == 3
    assert row["clicks_dice_sd"] == pytest.approx(np.std(row["clicks_dice"], ddof=1))
    assert 0 <= row["clicks_volume_sd_percent"] < 20
