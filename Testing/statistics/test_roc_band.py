"""The band of the mean ROC curve: it holds the true curve as often as it says, and says when it cannot be had."""

import numpy as np
import pytest
from scipy.stats import binom, norm
from simulated_cases import repeated

from PDL1PredictorLib.statistics.within_folds import roc_band_within_folds, roc_within_folds

AT = np.array([0.2, 0.4, 0.6])


def band(labels, scores, folds, patients=None, seed=0, n=200):
    return roc_band_within_folds(labels, scores, folds, np.random.default_rng(seed), patients, n, AT)


@pytest.mark.parametrize("repetitions", [1, 2])
def test_the_band_holds_the_true_curve_and_is_not_much_wider_than_needed(repetitions: int):
    """A fold of 20 drawn anew holds fewer different cases, so the band is wide: 97 to 99 % where 95 are stated."""
    rng = np.random.default_rng(1)
    truth = norm.cdf(np.sqrt(2) * norm.ppf(0.75) + norm.ppf(AT))
    held, widths, curves = [], [], []
    for _ in range(100):
        labels, scores, folds = repeated(0.75, 40, 60, repetitions, rng)
        found = band(labels, scores, folds)
        held.append((found.low <= truth) & (truth <= found.high))
        widths.append(found.high - found.low)
        curves.append(np.interp(AT, *roc_within_folds(labels, scores, folds)))
    assert (np.mean(held, axis=0) >= binom.ppf(0.001, 100, 0.95) / 100).all()
    needed = 2 * norm.ppf(0.975) * np.std(curves, axis=0, ddof=1)
    assert (np.mean(widths, axis=0) < 1.7 * needed).all()


def test_repetitions_do_not_count_as_patients():
    rng = np.random.default_rng(2)
    labels, scores, folds = repeated(0.75, 30, 30, 1, rng)
    once = band(labels, scores, folds)
    thrice = band(labels, np.repeat(scores, 3, axis=0), np.repeat(folds, 3, axis=0))
    np.testing.assert_allclose(once.low, thrice.low, atol=1e-12)


def test_patients_of_two_tumors_make_it_wider():
    rng = np.random.default_rng(3)
    labels, scores, folds = repeated(0.75, 20, 20, 1, rng)
    twice = [np.repeat(values, 2, axis=-1) for values in (labels, scores, folds)]
    alone, joined = band(*twice), band(*twice, patients=np.arange(80) // 2)
    assert (joined.high - joined.low).mean() > 1.2 * (alone.high - alone.low).mean()


def test_one_patient_of_an_outcome_gives_no_band():
    assert band(np.array([1, 0, 0, 0]), np.arange(4.0), np.zeros(4)) is None
    assert band(np.array([1, 1, 0, 0]), np.arange(4.0), np.zeros(4), patients=[0, 0, 1, 2]) is None
