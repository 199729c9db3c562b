"""How unlike a case is: scores, p-values and words that one can find by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.core.sanity import SANITY_NAMES
from PDL1PredictorLib.models.reference import NOT_KNOWN, Seen, largest_z, likeness, lopsided_z, mahalanobis
from PDL1PredictorLib.models.schema.reference import ReferenceEntry
from PDL1PredictorLib.statistics.conformal import conformal_p

N = len(SANITY_NAMES)
ENTRY = ReferenceEntry(
    ("a", "b"), {"sanity": 3.0, "sanity_z": 2.0, "deep": 4.0, "selected": 3.0, "selected_z": 2.5}, 39
)
RATIOS = np.r_[np.linspace(0.1, 0.9, 37), 1.5, 2.0]  # of the held-out cases; two are beyond every limit
TABLES = {
    "reference/mean": np.zeros(2),
    "reference/precision": np.diag([1.0, 4.0]),
    "reference/deep/mean": np.array([1.0]),
    "reference/deep/precision": np.array([[0.25]]),
    "reference/sanity/middle": np.arange(N, dtype=float),
    "reference/sanity/below": np.full(N, 1.0),
    "reference/sanity/above": np.full(N, 2.0),
    "reference/sanity/mean": np.zeros(N),
    "reference/sanity/precision": np.eye(N),
    "reference/held_out": RATIOS[:, None] * np.array([3.0, 2.0, 4.0, 3.0, 2.5]),
}
USUAL = Seen(np.arange(N, dtype=float), np.array([1.0]), {"a": 0.0, "b": 0.0})


def seen(
    sanity_at: int = 0, z: float = 0.0, deep: float = 1.0, a: float = 0.0, b: float = 0.0, more: float = 0.0
) -> Seen:
    """`z` in one plain measure, `more` in all."""
    sanity = np.arange(N, dtype=float) + 2.0 * more
    sanity[sanity_at] = sanity_at
    sanity[sanity_at] += (2.0 if z > 0 else 1.0) * z
    return Seen(sanity, np.array([deep]), {"a": a, "b": b})


def test_distances_by_hand():
    assert mahalanobis(np.array([[3.0, 2.0]]), np.zeros(2), np.diag([1.0, 4.0])) == pytest.approx([5.0])
    assert largest_z(np.array([[3.0, -2.0]]), np.array([1.0, 1.0]), np.array([2.0, 1.0])) == pytest.approx([3.0])


def test_distances_from_the_middle_are_in_the_spread_of_their_own_side():
    found = lopsided_z(np.array([[3.0, 3.0], [-1.0, 5.0]]), np.array([1.0, 4.0]), np.array([4.0, 0.5]), np.ones(2))
    assert found.tolist() == [[2.0, -2.0], [-0.5, 1.0]]


def test_pixels_that_are_not_square_are_unlike_any_cohort():
    for entry in (ENTRY, None):
        tables = {} if entry is None else TABLES
        bent = likeness(entry, tables, replace(USUAL, pixel_aspect=3.5)).unlike
        assert bent.flagged
        assert bent.parts[0].text == "pixels 3.50 times as long as wide, where a scanner's are square"
        assert not likeness(entry, tables, replace(USUAL, pixel_aspect=1.05)).unlike.flagged


def test_p_is_the_share_of_held_out_cases_that_are_as_far_with_the_case_itself():
    assert conformal_p(0.5, [0.1, 0.5, 0.9]) == pytest.approx(3 / 4)
    assert conformal_p(1.0, [0.1, 0.5, 0.9]) == pytest.approx(1 / 4)


def test_a_usual_case_is_like_the_training_cohort():
    found = likeness(ENTRY, TABLES, USUAL)
    assert (found.unlike.p, found.unlike.flagged, found.atypicality) == (1.0, False, 0.0)


@pytest.mark.parametrize(
    ("case", "view", "words"),
    [
        (seen(0, 9.0), "sanity_z", "mean density of the tumor 9 SD above the training cohort"),
        (seen(9, -5.0), "sanity_z", "air inside the outline 5 SD below the training cohort"),
        (seen(0, 1.9, more=1.9), "sanity", "1.9 SD above the training cohort"),
        (seen(deep=19.0), "deep", "the picture, as the network sees it, 2.2 times as far from the training cohort"),
        (seen(a=5.2), "selected_z", "the radiomic feature a 5.2 SD above the training cohort"),
        (seen(b=-4.0), "selected", "the radiomic features together 2.7 times as far"),
    ],
)
def test_each_view_finds_what_is_unlike_in_it_and_says_so(case, view, words):
    unlike = likeness(ENTRY, TABLES, case).unlike
    assert unlike.flagged
    assert unlike.p == pytest.approx(1 / 40)
    assert unlike.parts[0].name == view
    assert words in unlike.parts[0].text
    assert {part.name for part in unlike.parts} == set(ENTRY.views)


def test_the_limit_lies_where_one_in_twenty_is_beyond():
    # of 39 held-out cases the second largest: 1.5 times a limit; at it p is 3 / 40, beyond it 2 / 40
    at, beyond = (likeness(ENTRY, TABLES, seen(0, 2.0 * ratio)) for ratio in (1.5, 1.51))
    assert (at.unlike.p, at.unlike.flagged, at.atypicality) == (pytest.approx(3 / 40), False, pytest.approx(1.0))
    assert (beyond.unlike.p, beyond.unlike.flagged) == (pytest.approx(2 / 40), True)
    assert beyond.atypicality > 1


def test_at_most_one_in_twenty_of_its_own_held_out_cases_is_flagged():
    flagged = [likeness(ENTRY, TABLES, seen(0, 2.0 * ratio)).unlike.flagged for ratio in RATIOS]
    assert np.mean(flagged) <= 0.05


def test_a_view_that_was_not_taken_is_left_out_on_both_sides():
    found = likeness(ENTRY, TABLES, Seen(None, np.empty(0), {"a": 0.0, "b": -4.0})).unlike
    assert [part.name for part in found.parts] == ["selected", "selected_z"]
    assert found.flagged


def test_with_too_few_held_out_cases_nothing_is_flagged():
    few = ReferenceEntry(ENTRY.features, ENTRY.limits, 18)
    found = likeness(few, {**TABLES, "reference/held_out": TABLES["reference/held_out"][:18]}, seen(0, 99.0))
    assert (found.unlike.p, found.unlike.flagged, found.atypicality) == (pytest.approx(1 / 19), False, 0.0)


def test_an_older_model_keeps_its_one_distance():
    old = ReferenceEntry(("a", "b"), {"selected": 2.0}, 0)
    far, near = (likeness(old, TABLES, seen(b=b)) for b in (1.5, 0.5))
    assert (far.unlike.p, far.unlike.flagged, far.atypicality) == (None, True, pytest.approx(1.5))
    assert far.unlike.parts[0].text == "radiomic features 1.5 times the limit of the training cohort"
    assert (near.unlike.flagged, near.atypicality) == (False, pytest.approx(0.5))


def test_without_a_reference_nothing_is_known():
    assert likeness(None, {}, USUAL) is NOT_KNOWN
    assert math.isnan(NOT_KNOWN.atypicality)
    assert not NOT_KNOWN.unlike.flagged
