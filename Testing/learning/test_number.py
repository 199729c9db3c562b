"""A number's line: the median as a constant, and the chance at a cut, on cases whose law is known."""

import numpy as np
import pytest
from scipy.special import expit

from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.number import REGRESSORS, chance_of, fit_number


def cases(n: int = 2000, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 1))
    return x, 50 + 15 * x[:, 0] + 8 * rng.logistic(size=n)  # at or above c with log-odds (50 + 15 x - c) / 8


def test_the_chance_at_a_cut_is_the_true_one():
    x, y = cases()
    fitted = fit_number(x, Target("number", y, cuts=(40.0, 60.0)), REGRESSORS[:1], 1, 0.9, 1)
    fresh = np.linspace(-2, 2, 9)[:, None]
    for cut, slope, intercept in fitted.chances:
        told = expit(slope * fitted.value(fresh) + intercept)
        np.testing.assert_allclose(told, expit((50 + 15 * fresh[:, 0] - cut) / 8), atol=0.05)


def test_answers_that_do_not_tell_give_the_share():
    above = np.arange(100) < 30
    slope, intercept = chance_of(above, np.full(100, 5.0))
    assert (slope, expit(intercept)) == (0.0, pytest.approx(0.3, abs=0.01))
    falling = chance_of(above, np.arange(100.0))  # the greater answers are those below the cut
    assert falling[0] == 0.0
    assert expit(chance_of(np.ones(100, dtype=bool), np.arange(100.0))[1]) == pytest.approx(0.995, abs=0.002)


def test_without_cuts_there_are_no_chances():
    x, y = cases(100)
    assert fit_number(x, Target("number", y), REGRESSORS[:1], 1, 0.9, 1).chances == ()


def test_the_median_is_told_to_all_with_an_interval_that_covers():
    y = np.random.default_rng(1).exponential(20, 500)
    fitted = fit_number(np.zeros((500, 0)), Target("number", y, low=0.0), ("median",), 1, 0.9, 1)
    assert fitted.value(np.zeros((3, 0))) == pytest.approx([np.median(y)] * 3)
    assert not fitted.learned
    low, high = fitted.interval(np.zeros((500, 0)))
    assert ((low <= y) & (y <= high)).mean() == pytest.approx(0.9, abs=0.01)
    assert np.median(y) != pytest.approx(y.mean(), rel=0.1)
