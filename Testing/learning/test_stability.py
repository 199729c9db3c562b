"""Features that a moved contour, noise or thick slices change are no candidates, by training cases alone."""

import numpy as np
import pytest

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import SILENT
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.imaging.moved import MOVES
from PDL1PredictorLib.learning.parts.radscore import RadScoreLearner
from PDL1PredictorLib.learning.parts.selected import SelectedLearner
from PDL1PredictorLib.learning.stability import RATERS, stability_of
from PDL1PredictorLib.learning.training_set import TrainingSet

NAMES = ("tumor_firm", "tumor_contour", "tumor_noise", "tumor_thick", "ring_constant")
SPOILED = {"tumor_contour": "contour_out", "tumor_noise": "noise", "tumor_thick": "thick_slices"}


def cohort(n: int = 60, n_moved: int = 30, seed: int = 0) -> PreparedCohort:
    """The first `n_moved` were measured again; each move spoils the feature that is named after it, and no other."""
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, len(NAMES)))
    features[:, 4] = 1.0
    moved = np.repeat(features[:, None], len(MOVES), axis=1) + 0.05 * rng.normal(size=(n, len(MOVES), len(NAMES)))
    moved[:, :, 4] = 1.0
    for name, move in SPOILED.items():
        moved[:, list(MOVES).index(move), NAMES.index(name)] = rng.normal(size=n)
    moved[n_moved:] = np.nan
    labels = (features[:, :4].sum(axis=1) > 0).astype(float)
    return PreparedCohort(
        tuple(map(str, range(n))), {"PDL1": Target("binary", labels)}, {"features": features, "moved": moved}, NAMES
    )


def test_each_kind_of_move_takes_out_the_feature_that_it_spoils():
    found = stability_of(cohort(), np.arange(60))
    assert found.n_cases == 30
    assert dict(zip(NAMES, found.stable.tolist(), strict=True)) == {
        "tumor_firm": True,
        "tumor_contour": False,
        "tumor_noise": False,
        "tumor_thick": False,
        "ring_constant": True,
    }
    assert found.to_dict()["below"] == {"contour": 1, "noise": 1, "thick slices": 1}
    assert "2 of 5 are left" in found.text()


def test_every_move_is_a_rater_once():
    assert sorted(move for moves in RATERS.values() for move in moves) == sorted(MOVES)


def test_cases_outside_the_training_change_nothing():
    cases = cohort()
    rows = np.arange(20)
    moved = cases.moved.copy()
    moved[20:] = 7.0
    changed = cases.with_blocks(moved=moved)
    np.testing.assert_array_equal(stability_of(cases, rows).stable, stability_of(changed, rows).stable)


@pytest.mark.parametrize("n_moved", [0, 9])
def test_too_few_measured_cases_filter_nothing_and_that_is_said(n_moved: int):
    found = stability_of(cohort(n_moved=n_moved), np.arange(60))
    assert found.stable.all()
    assert found.icc == {}
    assert f"not filtered by stability: {n_moved} training cases" in found.text()


def test_a_cohort_that_was_not_moved_is_not_filtered():
    cases = cohort()
    bare = PreparedCohort(cases.names, cases.targets, {"features": cases.features}, NAMES)
    assert stability_of(bare, np.arange(60)).stable.all()


def training(cases: PreparedCohort) -> TrainingSet:
    return TrainingSet(cases, np.array(cases.names), np.arange(60), ("PDL1",), seed=1)


def test_unstable_features_are_neither_weighed_nor_selected():
    filtered, free = training(cohort()), training(cohort(n_moved=0))
    none = np.arange(0)
    weights = RadScoreLearner().learn(filtered, filtered.rows, none, SILENT).weights["PDL1"]["tumor"]
    assert set(weights) == {"tumor_firm"}
    assert set(SPOILED) & set(RadScoreLearner().learn(free, free.rows, none, SILENT).weights["PDL1"]["tumor"])
    values = SelectedLearner().learn(filtered, filtered.rows, none, SILENT).values(filtered.cohort, filtered.rows)
    assert (np.ptp(values, axis=0) > 0).tolist() == [True, False, False, False, False]
