"""Figures of models that were trained on cases whose truth is known: no bias, intervals and p that mean what they say.

The long table: `python Testing/reliability/estimates.py`.
"""

import numpy as np
import pytest
from nested_cases import Recipe, nested_outcome, outcome_of, strongest
from simulated_cases import binormal, covers, repeated, stratified
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.statistics.within_folds import auc_within_folds
from PDL1PredictorLib.study import discrimination
from PDL1PredictorLib.study.discrimination import area_of, comparison_of

SELECTING, SMALL = Recipe(40, 4), Recipe(3, 3, 2)


@pytest.fixture(autouse=True)
def few_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Enough to tell 0.05."""
    monkeypatch.setattr(discrimination, "N_PERMUTATIONS", 79)


@pytest.mark.parametrize("recipe", [SELECTING, SMALL], ids=["selecting", "small"])
@pytest.mark.parametrize("area", [0.5, 0.65, 0.8])
def test_trained_models_are_measured_without_bias_and_their_intervals_hold_the_truth(recipe: Recipe, area: float):
    rng = np.random.default_rng([11, round(100 * area), recipe.features])
    off, held, p = [], [], []
    for _ in range(40):
        outcome, truth = nested_outcome(80, 0.4, area, recipe, rng)
        found = area_of(outcome, "line")
        off.append(found.value - truth)
        held.append(covers(found.interval, truth))
        p.append(found.p)
    assert abs(np.mean(off)) < 3 * np.std(off) / len(off) ** 0.5
    assert np.mean(held) >= 0.9
    share = np.mean(np.array(p) <= 0.05)
    assert share <= 0.12 if area == 0.5 else share > (0.05 if area == 0.65 else 0.5)


def test_without_the_term_of_shared_training_the_intervals_would_hold_chance_too_rarely():
    rng = np.random.default_rng(12)
    outcomes = [nested_outcome(80, 0.4, 0.5, Recipe(40, 4, 2), rng)[0] for _ in range(60)]
    plain = [auc_within_folds(o.labels, o.models["line"].score, o.folds).interval for o in outcomes]
    honest = [area_of(o, "line").interval for o in outcomes]
    assert np.mean([covers(one, 0.5) for one in plain]) < 0.87
    assert np.mean([covers(one, 0.5) for one in honest]) > 0.9


def test_features_selected_on_the_test_cases_too_are_seen_in_these_figures():
    """The twin: the same simulation with a leak is far from its truth."""
    rng = np.random.default_rng(13)
    values = []
    for _ in range(10):
        labels = (np.arange(80) < 32).astype(int)
        x, folds = rng.normal(size=(80, 40)), stratified(labels, 5, rng)
        x = x[:, strongest(x, labels, 4)]
        score = np.zeros(80)
        for number in range(5):
            test = folds == number
            score[test] = LogisticRegression().fit(x[~test], labels[~test]).decision_function(x[test])
        values.append(area_of(outcome_of(labels, score[None], folds[None]), "line").value)
    assert np.mean(values) > 0.65


@pytest.mark.parametrize("area", [0.5, 0.65, 0.8])
@pytest.mark.parametrize("repetitions", [1, 3])
def test_a_score_that_nothing_was_learned_for_keeps_the_interval_of_its_pairs(area: float, repetitions: int):
    rng = np.random.default_rng(14)
    values, held = [], []
    for _ in range(80):
        labels, scores = binormal(area, 25, 45, rng)
        folds = np.stack([stratified(labels, 5, rng) for _ in range(repetitions)])
        outcome = outcome_of(labels, np.repeat(scores[None], repetitions, axis=0), folds, fixed_score=True)
        found = area_of(outcome, "line")
        values.append(found.value)
        held.append(covers(found.interval, area))
    assert np.mean(values) == pytest.approx(area, abs=3 * np.std(values) / len(values) ** 0.5)
    assert 0.89 <= np.mean(held) <= 0.995


@pytest.mark.parametrize("area", [0.5, 0.65, 0.8])
def test_a_split_is_measured_without_bias_and_covers(area: float):
    rng = np.random.default_rng(15)
    values, held = [], []
    for _ in range(100):
        labels, scores = binormal(area, 20, 30, rng)
        found = area_of(outcome_of(labels, scores[None], np.zeros((1, 50), int)), "line")
        values.append(found.value)
        held.append(covers(found.interval, area))
    assert np.mean(values) == pytest.approx(area, abs=3 * np.std(values) / len(values) ** 0.5)
    assert 0.9 <= np.mean(held) <= 0.99


def test_constant_models_of_folds_are_at_chance_and_not_below_it():
    labels = (np.arange(90) < 31).astype(int)
    folds = stratified(labels, 5, np.random.default_rng(0))
    share = np.array([labels[folds != number].mean() for number in folds])
    found = area_of(outcome_of(labels, share[None], folds[None]), "line")
    assert (found.value, found.interval, found.p) == (pytest.approx(0.5), (0.0, 1.0), 1.0)
    assert auc(labels, share).value < 0.47  # what pooling made of it


def test_equal_models_rarely_differ():
    rng = np.random.default_rng(16)
    p = []
    for _ in range(80):
        labels, scores, folds = repeated(0.7, 25, 40, 1, rng)
        other = scores + rng.normal(size=scores.shape)
        scores = scores + rng.normal(size=scores.shape)
        outcome = outcome_of(labels, scores, folds)
        second = outcome_of(labels, other, folds).models["line"]
        both = type(outcome)(
            **{**vars(outcome), "models": {**outcome.models, "b": second}, "roles": {"line": "lead", "b": "part"}}
        )
        p.append(comparison_of(both, "b", "line").p)
    assert np.mean(np.array(p) <= 0.05) <= 0.1


def test_cases_that_cannot_be_compared_have_no_area_and_no_comparison():
    one = outcome_of(np.ones(4, int), np.zeros((1, 4)), np.zeros((1, 4), int))
    assert area_of(one, "line") is None
    assert comparison_of(one, "line", "line") is None
    apart = outcome_of(np.array([1, 1, 0, 0]), np.arange(4.0)[None], np.array([[0, 0, 1, 1]]))
    assert area_of(apart, "line") is None
