"""Penalized lines: the same as other programs find, and a penalty that fits how much there is to learn."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression, Ridge

from PDL1PredictorLib.learning.numbers.fractional import PENALTIES, fractional_line, fractional_logit, ridge_line


def inputs(n: int = 200, f: int = 6, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, f))


def test_of_labels_it_is_logistic_regression():
    z = inputs()
    labels = (np.random.default_rng(1).random(200) < expit(z[:, 0] - 0.5)).astype(float)
    wanted = LogisticRegression(C=1 / 7.0, tol=1e-10, max_iter=1000).fit(z, labels)
    found = fractional_logit(z, labels, 7.0)
    np.testing.assert_allclose(found, [*wanted.intercept_, *wanted.coef_[0]], atol=1e-4)


def test_a_share_pulls_like_labels_in_that_proportion():
    z, shares = inputs(40), np.tile([0.25, 0.75, 1.0, 0.0], 10)
    twice = fractional_logit(np.repeat(z, 4, axis=0), (np.arange(160) % 4 < np.repeat(4 * shares, 4)).astype(float), 8)
    np.testing.assert_allclose(fractional_logit(z, shares, 2.0), twice, atol=1e-5)


def test_at_the_solution_the_slope_is_nothing_wherever_it_began():
    z, shares = 4 * inputs(), np.round(expit(3 * inputs()[:, 1]))  # far out: a whole step would overshoot
    far = fractional_logit(z, shares, 1.0, start=np.full(7, 5.0))
    near = fractional_logit(z, shares, 1.0)
    np.testing.assert_allclose(far, near, atol=1e-4)
    left = shares - expit(near[0] + z @ near[1:])
    np.testing.assert_allclose(z.T @ left, near[1:], atol=1e-3)


def test_shares_that_are_all_the_same_give_a_line_without_weights():
    line = fractional_logit(inputs(), np.zeros(200), 1.0)
    assert np.isfinite(line).all()
    assert expit(line[0]) < 1e-4
    np.testing.assert_allclose(line[1:], 0, atol=1e-4)


def test_a_strong_penalty_is_chosen_where_there_is_nothing_to_learn():
    z, rng = inputs(120, 20), np.random.default_rng(3)
    noise = fractional_line(z, rng.random(120))
    signal = fractional_line(z, expit(2 * z[:, 0]))
    assert np.abs(noise[1:]).max() < 0.2
    assert signal[1] > 1.5
    few = fractional_line(z[:6], rng.random(6))  # too few for folds
    assert np.abs(few[1:]).max() < 0.01


@pytest.mark.parametrize("noise", [0.1, 50.0])
def test_ridge_is_that_of_scikit_learn_with_one_of_the_penalties(noise: float):
    z = inputs()
    values = 3 + z[:, 0] + noise * np.random.default_rng(2).normal(size=200)
    found = ridge_line(z, values)
    others = [Ridge(alpha=penalty).fit(z, values) for penalty in PENALTIES]
    apart = [np.abs(found - [one.intercept_, *one.coef_]).max() for one in others]
    assert min(apart) < 1e-8
    assert (np.argmin(apart) > len(PENALTIES) / 2) == (noise < 1)


@pytest.mark.parametrize(("share", "penalty"), [(1.1, 1.0), (-0.1, 1.0), (np.nan, 1.0), (0.5, 0.0), (0.5, np.nan)])
def test_what_is_no_share_or_no_penalty_is_refused(share: float, penalty: float):
    with pytest.raises(ValueError, match="from 0 to 1 and the penalty above 0"):
        fractional_logit(inputs(3), np.array([0.1, 0.2, share]), penalty)
