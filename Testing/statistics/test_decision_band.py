"""Bands of decision curves: resamples by hand, laws, and how often they cover."""

import numpy as np
import pytest
from scipy.special import expit

from PDL1PredictorLib.statistics.decision import decision_band, decision_curve

CUTS = [0.1, 0.3, 0.5]


def rng(seed=0):
    return np.random.default_rng(seed)


def drawn(n, random):
    logits = random.normal(-0.5, 1, n)
    return (random.random(n) < expit(logits)).astype(int), expit(logits)


def test_the_band_is_the_quantiles_of_the_resampled_curves():
    labels, p = drawn(40, rng(1))
    times = rng(2).multinomial(40, np.full(40, 1 / 40), size=30)
    curves = [decision_curve(np.repeat(labels, row), np.repeat(p, row), CUTS) for row in times]
    band = decision_band(labels, p, rng(2), None, CUTS, n_resamples=30, confidence=0.8)
    model = np.array([curve.model for curve in curves])
    over = np.array([curve.model - curve.treat_all for curve in curves])
    np.testing.assert_allclose(band.model, np.quantile(model, [0.1, 0.9], axis=0), atol=1e-12)
    np.testing.assert_allclose(band.over_treat_all, np.quantile(over, [0.1, 0.9], axis=0), atol=1e-12)
    assert band.thresholds.tolist() == CUTS


def test_a_patients_copies_are_not_new_patients():
    labels, p = drawn(40, rng(1))
    once = decision_band(labels, p, rng(2), None, CUTS)
    copies = np.tile(labels, 4), np.tile(p, 4), rng(2)
    np.testing.assert_allclose(decision_band(*copies, np.tile(np.arange(40), 4), CUTS).model, once.model)
    low, high = decision_band(*copies, None, CUTS).model
    assert (high - low < 0.7 * (once.model[1] - once.model[0])).all()


def test_treating_all_differs_from_itself_by_nothing_and_treating_none_gains_nothing():
    labels, _ = drawn(40, rng(1))
    everybody, nobody = (decision_band(labels, np.full(40, p), rng(), None, CUTS) for p in (0.9, 0.05))
    assert not np.any(everybody.over_treat_all)
    assert not np.any(nobody.model)


def test_the_band_covers_the_true_net_benefit():
    labels, p = drawn(1_000_000, rng(3))
    truth = decision_curve(labels, p, CUTS)
    random, inside = rng(4), []
    for _ in range(300):
        band = decision_band(*drawn(80, random), random, None, CUTS, n_resamples=200)
        inside.append(
            [
                (low <= value) & (value <= high)
                for (low, high), value in (
                    (band.model, truth.model),
                    (band.over_treat_all, truth.model - truth.treat_all),
                )
            ]
        )
    model, over = np.mean(inside, axis=0)
    assert (np.abs(model - 0.94) < 0.04).all()
    assert (np.abs(over[1:] - 0.94) < 0.04).all()
    assert over[0] < 0.8  # three or four of 80 cases lie below 0.1: the docstring warns of that


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 1], [0.1, 0.2], rng()), "Both outcomes are needed"),
        (([0, 1], [0.1, 1.2], rng()), "probabilities must lie between 0 and 1"),
        (([0, 1], [0.1, 0.2], rng(), [1]), "patients must be 2 values"),
        (([0, 1], [0.1, 0.2], rng(), None, [1.0]), "thresholds must be at least 0 and below 1"),
        (([0, 1], [0.1, 0.2], rng(), None, None, 0), "n_resamples must be at least 1, got 0"),
        (([0, 1], [0.1, 0.2], rng(), None, None, 9, 1.0), "confidence must lie between 0 and 1"),
    ],
)
def test_what_has_no_band_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        decision_band(*arguments)
