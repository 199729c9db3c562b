"""How the network of contours is asked: in which cubes, and whose answer counts. Its answers are made up."""

from dataclasses import dataclass, field

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.imaging.measures import volume_ml
from PDL1PredictorLib.segmentation.network import MOST_DOUBT, MOST_WIDE_DOUBT, Segmenter
from PDL1PredictorLib.segmentation.prompt import Prompt
from PDL1PredictorLib.segmentation.shown import VOXELS

SURE, SOME_DOUBT, MUCH_DOUBT = 0.02, 0.15, 0.25  # chance that it errs
MIDDLE = (90.0, 90.0, 90.0)


@dataclass(frozen=True, eq=False)
class Scripted(Segmenter):
    """Says in each cube what it was told to say: a ball of so many voxels' radius, and the chance that it errs."""

    script: list[tuple[float, float]] = field(default_factory=list)
    asked: list[tuple[float, float]] = field(default_factory=list)

    def probability(self, hu, places_kji):
        radius, errs = self.script[len(self.asked)]
        self.asked.append((radius, errs))
        away = np.linalg.norm(np.indices(hu.shape).T - places_kji.mean(axis=0), axis=-1).T
        return np.where(away <= radius, 1 - errs, errs)


def answer(*script, radius_mm=5.0, line_mm=None):
    """What is answered, and the radius of its ball in mm."""
    tissue = np.full((90, 90, 90), 40, np.float32)
    ct = sitk.GetImageFromArray(tissue)
    ct.SetSpacing((2.0, 2.0, 2.0))
    network = Scripted("scripted", "1", b"", {}, list(script))
    ends = ((MIDDLE[0] - line_mm / 2, *MIDDLE[1:]), (MIDDLE[0] + line_mm / 2, *MIDDLE[1:])) if line_mm else (MIDDLE,)
    found = network.answer(ct, Prompt(ends), radius_mm)
    assert len(network.asked) == len(script), "not all cubes were looked at"
    return found, float(np.cbrt(volume_ml(found.mask) * 1000 * 3 / (4 * np.pi)))


def test_one_look_is_enough_where_the_tumor_fits_its_cube():
    found, radius_mm = answer((10, SURE))
    assert found.unsure == ""
    assert radius_mm == pytest.approx(10 * 0.75, rel=0.15)


def test_a_wider_cube_is_looked_at_where_the_end_is_reached():
    assert answer((VOXELS, SURE), (15, SURE))[1] == pytest.approx(15 * 1.5, rel=0.1)


def test_a_finer_cube_is_looked_at_where_little_is_found():
    assert answer((6, SURE), (11, SURE), radius_mm=15)[1] == pytest.approx(11 * 0.75, rel=0.15)


def test_a_line_says_which_cube():
    assert answer((15, SURE), line_mm=45)[1] == pytest.approx(15 * 1.5, rel=0.1)


def test_a_sure_answer_of_the_widest_cube_stands():
    assert answer((18, SURE), radius_mm=40)[1] == pytest.approx(18 * 2.5, rel=0.1)


def test_a_doubtful_answer_of_the_widest_cube_gives_way_to_a_closer_look():
    found, radius_mm = answer((18, SOME_DOUBT), (14, SOME_DOUBT), radius_mm=40)
    assert radius_mm == pytest.approx(14 * 1.5, rel=0.1)
    assert found.unsure == ""


@pytest.mark.parametrize("closer", [(VOXELS, SURE), (0, SURE), (14, MUCH_DOUBT)])
def test_but_not_to_one_that_does_not_hold_the_tumor(closer):
    assert answer((18, SOME_DOUBT), closer, radius_mm=40)[1] == pytest.approx(18 * 2.5, rel=0.1)


def test_where_the_widest_cube_sees_nothing_a_closer_look_counts():
    assert answer((0, SURE), (14, SURE), radius_mm=40)[1] == pytest.approx(14 * 1.5, rel=0.1)


def test_what_was_looked_at_before_is_not_looked_at_again():
    """From a cube whose end was reached the widest is asked, and doubts; the first one's answer is known."""
    assert answer((VOXELS, SURE), (18, SOME_DOUBT), radius_mm=15)[1] == pytest.approx(18 * 2.5, rel=0.1)


def test_nothing_seen_and_much_doubt_are_told():
    assert "no tumor" in answer((0, 0.0))[0].unsure
    assert "may be wrong" in answer((8, 0.29))[0].unsure
    assert MOST_WIDE_DOUBT < MOST_DOUBT
