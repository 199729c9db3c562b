"""Ridge regression and LASSO with inner folds: against scikit-learn, by hand, and by their laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from PDL1PredictorLib.learning.tables.numbers.linear import (
    LASSO_SHARES,
    RIDGE_PENALTIES,
    chosen_penalty,
    lasso,
    lasso_path,
    ridge,
    ridge_path,
)


def data(seed=0, n=60, d=6, signal=1.0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, d))
    return x, 3 + signal * (2 * x[:, 0] - x[:, 1]) + rng.normal(size=n)


def test_the_path_of_ridge_is_that_of_scikit_learn():
    x, y = data()
    x, y = x - x.mean(axis=0), y - y.mean()
    for penalty, coefficients in zip((0.5, 10.0), ridge_path(x, y, np.array([0.5, 10.0])), strict=True):
        assert coefficients == pytest.approx(Ridge(alpha=penalty, fit_intercept=False).fit(x, y).coef_)


def test_ridge_with_one_input_by_hand():
    x, y = np.array([[-1.0], [0.0], [1.0]]), np.array([-2.0, 0.0, 2.0])
    # sum of x y = 4, sum of squares 2: 4 / (2 + penalty)
    assert ridge_path(x, y, np.array([2.0, 6.0])).ravel() == pytest.approx([1.0, 0.5])


def test_the_strongest_lasso_penalty_leaves_nothing_and_the_next_one_something():
    x, y = data()
    x, y = x - x.mean(axis=0), y - y.mean()
    least = np.abs(x.T @ y).max() / len(y)
    empty, some = lasso_path(x, y, least * np.array([1.0, 0.9]))
    assert np.abs(empty).max() < 1e-9
    assert np.count_nonzero(some) == 1


def test_the_penalty_of_one_standard_error_by_hand():
    # means 4, 2, 1.5, 2; of the best column SD 0.707 over the root of 2: 0.5, so that 2 is within 1.5 + 0.5
    losses = np.array([[4.0, 2.5, 2.0, 2.0], [4.0, 1.5, 1.0, 2.0]])
    assert chosen_penalty(losses, one_error=False) == 2
    assert chosen_penalty(losses, one_error=True) == 1
    assert chosen_penalty(np.ones((3, 4)), one_error=False) == 0  # of equals the strongest


@pytest.mark.parametrize("make", [ridge, lasso])
def test_the_penalty_is_weak_for_signal_and_strong_for_noise(make):
    x, y = data(signal=3.0)
    told = make(1, 60).fit(x, y)
    assert told.coef_[:2] == pytest.approx([6, -3], abs=0.7)
    noise = make(1, 60).fit(x, np.random.default_rng(9).normal(size=60))
    assert np.abs(noise.coef_).max() < 0.3


@pytest.mark.parametrize("make", [ridge, lasso])
def test_a_row_twice_with_half_the_weight_is_the_row(make):
    x, y = data(n=40)
    patients, twice = np.arange(40), np.r_[np.arange(40), np.arange(8)]
    whole = make(1, 40).fit(x, y, patients, np.ones(40))
    weights = np.where(np.bincount(twice)[twice] == 2, 0.5, 1.0)
    split = make(1, 48).fit(x[twice], y[twice], patients[twice], weights)
    counted = make(1, 48).fit(x[twice], y[twice], patients[twice], np.ones(48))
    if make is lasso:  # a ridge penalty is per row
        assert split.coef_ == pytest.approx(whole.coef_, abs=1e-3)
    assert np.abs(split.intercept_ - whole.intercept_) < 0.02
    assert np.abs(counted.coef_ - whole.coef_).max() > 1e-2  # the twin: weights are what does it


@settings(max_examples=15, deadline=None)
@given(st.floats(-50, 50), st.floats(0.01, 100), st.integers(0, 5))
@pytest.mark.parametrize("make", [ridge, lasso])
def test_answers_follow_shift_and_scale_of_the_number(make, shift, scale, seed):
    x, y = data(seed, n=30, d=3)
    there = make(1, 30).fit(x, y).predict(x)
    back = make(1, 30).fit(x, shift + scale * y).predict(x)
    assert back == pytest.approx(shift + scale * there, abs=2e-3 * scale)


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(30)))
def test_the_order_of_rows_says_nothing_where_patients_are_named(order):
    x, y = data(n=30, d=3)
    owner, order = np.arange(30) // 2, np.array(order)
    there = ridge(1, 30).fit(x, y, owner)
    back = ridge(1, 30).fit(x[order], y[order], owner[order])
    assert back.penalty_ == there.penalty_
    assert back.coef_ == pytest.approx(there.coef_)


def test_a_number_without_any_spread_has_a_constant_answer():
    x, _ = data(n=20, d=3)
    for make in (ridge, lasso):
        assert make(1, 20).fit(x, np.full(20, 5.0)).predict(x) == pytest.approx(np.full(20, 5.0))


def test_the_strongest_penalties_come_first():
    assert (np.diff(RIDGE_PENALTIES) < 0).all()
    assert (np.diff(LASSO_SHARES) < 0).all()
    assert LASSO_SHARES[0] == 1
