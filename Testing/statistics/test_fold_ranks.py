"""Ranks within folds: by hand, against the pairs, without bias where nothing is known, with intervals that cover."""

import numpy as np
import pytest
from simulated_cases import covers, repeated, stratified

from PDL1PredictorLib.statistics.correlation import spearman
from PDL1PredictorLib.statistics.fold_ranks import FoldAreas, spearman_within_folds, variance_of_training
from PDL1PredictorLib.statistics.within_folds import auc_within_folds


def test_the_area_is_that_of_the_pairs_for_any_labels():
    rng = np.random.default_rng(0)
    labels, scores, folds = repeated(0.7, 12, 30, 3, rng)
    scores = scores.round(1)  # with ties
    areas = FoldAreas(scores, folds)
    for own in (labels, rng.permutation(labels)):
        assert areas(own) == pytest.approx(auc_within_folds(own, scores, folds).value)


def test_a_repetition_without_a_pair_counts_as_chance():
    assert FoldAreas([1.0, 2.0, 3.0], [0, 1, 1])(np.array([1, 0, 0])) == 0.5
    assert FoldAreas([1.0, 2.0, 3.0], [0, 0, 1]).by_fold(np.array([0, 1, 0]))[0][0].tolist() == [1.0]


def test_scores_and_folds_of_other_shapes_are_refused():
    with pytest.raises(ValueError, match="scores must have the shape of the folds"):
        FoldAreas(np.zeros((2, 3)), np.zeros((1, 3)))
    with pytest.raises(ValueError, match="scores must have the shape of the folds"):
        spearman_within_folds([1.0, 2.0], np.zeros((2, 2)), np.zeros((1, 2)))


def test_one_fold_gives_spearmans_coefficient():
    rng = np.random.default_rng(1)
    y = rng.normal(size=40)
    score = y + rng.normal(size=40)
    found, known = spearman_within_folds(y, score, np.zeros(40)), spearman(y, score)
    assert found.value == pytest.approx(known.value)
    assert found.interval == pytest.approx(known.interval)


def test_the_coefficient_is_the_mean_of_the_folds_by_hand():
    y = np.array([1.0, 2.0, 3.0, 1.0, 2.0, 3.0, 4.0])
    score = np.array([1.0, 2.0, 3.0, 4.0, 3.0, 2.0, 1.0]) + 100 * np.array([0, 0, 0, 1, 1, 1, 1])
    found = spearman_within_folds(y, score, [0, 0, 0, 1, 1, 1, 1])
    assert found.value == pytest.approx((2 * 1 + 3 * -1) / 5)


def test_numbers_of_one_value_or_a_perfect_order_are_told():
    with pytest.raises(ValueError, match="No fold holds two observed values"):
        spearman_within_folds([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], [0, 1, 2])
    assert spearman_within_folds(np.arange(9.0), np.arange(9.0), np.zeros(9)).interval == (1.0, 1.0)
    few = spearman_within_folds([1.0, 2.0, 1.5], [1.0, 2.0, 3.0], [0, 0, 0])
    assert few.interval == (-1.0, 1.0)
    assert spearman_within_folds(np.arange(9.0), np.zeros(9), np.zeros(9)).value == 0


def test_means_of_training_parts_are_ranked_without_bias_within_folds_and_with_it_when_pooled():
    """The mean of the training part is high exactly when the test part's is low: a model that has learned nothing."""
    rng = np.random.default_rng(2)
    pooled, within = [], []
    for _ in range(60):
        y = rng.normal(size=60)
        folds = rng.permutation(60) % 5
        answers = np.array([y[folds != number].mean() for number in folds]) + 1e-6 * rng.normal(size=60)
        pooled.append(spearman(y, answers).value)
        within.append(spearman_within_folds(y, answers, folds).value)
    assert np.mean(pooled) < -0.1
    assert abs(np.mean(within)) < 3 * np.std(within) / len(within) ** 0.5


@pytest.mark.parametrize("rho", [0.0, 0.5])
def test_the_interval_of_the_coefficient_covers(rho: float):
    rng = np.random.default_rng(3)
    truth = 6 / np.pi * np.arcsin(rho / 2)  # Spearman's of a normal pair, for many cases
    held, values = [], []
    for _ in range(300):
        y = rng.normal(size=100)
        score = rho * y + np.sqrt(1 - rho**2) * rng.normal(size=100)
        folds = rng.permutation(100) % 5
        found = spearman_within_folds(y, score + 3 * folds, folds)
        held.append(covers(found.interval, truth))
        values.append(found.value)
    assert np.mean(values) == pytest.approx(truth, abs=0.03)
    assert 0.92 <= np.mean(held) <= 0.985


def test_a_patient_of_several_tumors_counts_once():
    rng = np.random.default_rng(4)
    y = np.repeat(rng.normal(size=20), 2)
    score = y + np.repeat(rng.normal(size=20), 2)
    alone, joined = (spearman_within_folds(y, score, np.zeros(40), p).interval for p in (None, np.arange(40) // 2))
    assert joined[1] - joined[0] > alone[1] - alone[0]


def test_what_shared_training_adds_is_the_spread_of_the_folds_by_hand():
    labels = np.array([1, 0, 1, 0])
    scores, folds = np.array([2.0, 1.0, 1.0, 2.0]), np.array([0, 0, 1, 1])  # areas 1 and 0, one pair each
    assert variance_of_training(labels, scores, folds) == pytest.approx(0.5 * 1 / 1)
    assert variance_of_training(labels, scores, np.zeros(4)) == 0
    assert variance_of_training(labels, scores, folds, scores) == 0
    assert variance_of_training(labels, scores, folds, -scores) == pytest.approx(2.0)


def test_folds_are_stratified_in_these_simulations():
    folds = stratified(np.repeat([0, 1], 10), 5, np.random.default_rng(0))
    assert np.bincount(folds[:10]).tolist() == [2] * 5
