"""Warnings of a contour, from evidence made up for each: what trips it, and what does not."""

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.results import codes
from PDL1PredictorLib.segmentation.doubts import Evidence, doubts
from PDL1PredictorLib.segmentation.moved import Spread
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.rays import Surface
from PDL1PredictorLib.segmentation.sphere import COARSE, sphere
from PDL1PredictorLib.segmentation.tissue import Tissue

BALL = sphere(COARSE)
N = len(BALL.directions)


POINT = Prompt(((0.0, 0.0, 0.0),))
LINE = Prompt(((-8.0, 0.0, 0.0), (8.0, 0.0, 0.0)))


def told(**changed: float | int | None) -> str:
    """Codes of a plain tumor, changed in one thing."""
    return codes(doubts(evidence(**changed)))


def evidence(
    edge: float = 1.0,
    at_end: float = 0.0,
    hu: float = 40.0,
    clicked_hu: float = 40.0,
    away_mm: float = 0.0,
    least_dice: float | None = None,
    first: int = 2,
    prompt: Prompt = POINT,
) -> Evidence:
    """Of a plain tumor."""
    share = (np.arange(N) + 0.5) / N
    surface = Surface(BALL, np.zeros(3), np.full(N, 8.0), share < edge, share < at_end)
    voxels = np.zeros((9, 9, 9), np.uint8)
    voxels[first : first + 4, 3:6, 3:6] = 1
    spread = None if least_dice is None else Spread(least_dice, (0.5, 2.0))
    seed = np.array([away_mm, 0.0, 0.0])
    tissue = Tissue(hu, -850.0, -600.0)
    mask = sitk.GetImageFromArray(voxels)
    return Evidence(prompt, clicked_hu, seed, tissue, surface, spread, mask)


@pytest.mark.parametrize(
    ("changed", "near", "code"),
    [
        ({"edge": 0.3}, {"edge": 0.9}, "segment_no_edge"),
        ({"edge": 0.8}, {"edge": 0.9}, "segment_attached"),
        ({"at_end": 0.05}, {"at_end": 0.01}, "segment_search_box"),
        ({"hu": 400.0}, {"hu": 200.0}, "segment_point_bone"),
        ({"clicked_hu": -900.0, "away_mm": 2.0}, {"clicked_hu": -700.0, "away_mm": 2.0}, "segment_point_air"),
        ({"least_dice": 0.6}, {"least_dice": 0.8}, "segment_unstable"),
        ({"first": 0}, {"first": 1}, "segment_ct_end"),
    ],
)
def test_each_doubt_is_told_and_its_neighbor_is_not(changed, near, code):
    assert told(**changed) == code
    assert told(**near) == ""


def test_a_plain_tumor_raises_no_doubt():
    assert told() == ""


def test_where_a_point_may_leak_a_line_is_advised_and_of_a_line_no_more():
    (of_point,), (of_line,) = doubts(evidence(edge=0.8)), doubts(evidence(edge=0.8, prompt=LINE))
    assert "A line across" in of_point.text
    assert "A line across" not in of_line.text
