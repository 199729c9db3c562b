"""Areas of models trained on each other's test cases: their intervals hold the truth where those of pairs do not."""

import numpy as np
import pytest

from PDL1PredictorLib.statistics.trained_areas import auc_of_trained
from PDL1PredictorLib.statistics.within_folds import auc_within_folds


def cross_validated(rng, n=40, d=30, n_folds=5, n_repeats=3):
    """Scores along the difference of the training means: a model of many inputs without signal."""
    x, labels = rng.normal(size=(n, d)), rng.permutation(n) % 2
    folds = np.stack([rng.permutation(n) % n_folds for _ in range(n_repeats)])
    scores = np.zeros(folds.shape)
    for row, fold in zip(scores, folds, strict=True):
        for number in range(n_folds):
            test, train = fold == number, fold != number
            yes, no = x[train & (labels == 1)], x[train & (labels == 0)]
            row[test] = x[test] @ (yes.mean(axis=0) - no.mean(axis=0))
    return labels, scores, folds


def holds(interval):
    return interval[0] <= 0.5 <= interval[1]


def test_the_interval_holds_half_where_nothing_is_to_be_found():
    rng = np.random.default_rng(11)
    drawn = [cross_validated(rng) for _ in range(150)]
    wide = np.mean([holds(auc_of_trained(*one).interval) for one in drawn])
    narrow = np.mean([holds(auc_within_folds(*one).interval) for one in drawn])
    assert wide > 0.88
    assert narrow < wide - 0.05  # the twin: pairs alone


def test_the_area_is_the_same_and_one_fold_needs_no_allowance():
    labels, scores, folds = cross_validated(np.random.default_rng(3))
    assert auc_of_trained(labels, scores, folds).value == auc_within_folds(labels, scores, folds).value
    alone = np.zeros(len(labels), int)
    once = auc_of_trained(labels, scores[0], alone)
    assert once.standard_error == pytest.approx(auc_within_folds(labels, scores[0], alone).standard_error)


def test_a_perfect_or_constant_score_keeps_its_interval():
    labels, _, folds = cross_validated(np.random.default_rng(4))
    for scores in (labels.astype(float), np.zeros(len(labels))):
        rows = np.tile(scores, (3, 1))
        assert auc_of_trained(labels, rows, folds).interval == auc_within_folds(labels, rows, folds).interval
