"""Conformal sets: hand sums, and the law of coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from PDL1PredictorLib.statistics.conformal import class_conditional_quantiles, prediction_set, residual_quantile

NINE = np.arange(1, 10) / 10  # 0.1 to 0.9


def test_the_limit_is_the_ninth_of_nine_at_90_percent_and_the_fifth_at_50():
    labels, p = np.array([0] * 9 + [1] * 9), np.concatenate([NINE, NINE / 2])
    # Strangeness of a negative case is p, of a positive case 1 - p: 0.55 to 0.95 in steps of 0.05.
    assert class_conditional_quantiles(labels, p, 0.9) == pytest.approx((0.9, 0.95))
    assert class_conditional_quantiles(labels, p, 0.5) == pytest.approx((0.5, 0.75))


def test_the_rank_is_not_raised_by_rounding():
    assert 25 * 0.28 > 7  # in floating point
    labels, p = [0] * 24 + [1], [*np.arange(1, 25) / 100, 0.5]
    assert class_conditional_quantiles(labels, p, 0.28).negative == pytest.approx(0.07)


def test_eight_cases_are_too_few_for_90_percent():
    labels, p = np.array([0] * 8 + [1] * 9), np.concatenate([NINE[:8], NINE])
    negative, positive = class_conditional_quantiles(labels, p, 0.9)
    assert negative == math.inf
    assert positive == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("probability", "answers"),
    [(0.1, ("negative",)), (0.3, ("negative",)), (0.5, ()), (0.6, ("positive",)), (0.9, ("positive",))],
)
def test_narrow_limits_leave_one_answer_or_none(probability, answers):
    assert prediction_set(probability, (0.3, 0.4)) == answers


@pytest.mark.parametrize(("probability", "answers"), [(0.1, 1), (0.5, 2), (0.9, 1)])
def test_wide_limits_leave_both_answers_in_the_middle(probability, answers):
    assert len(prediction_set(probability, (0.8, 0.8))) == answers


@given(st.floats(0, 1))
def test_an_infinite_limit_never_rules_its_answer_out(probability):
    assert "negative" in prediction_set(probability, (math.inf, 0.0))
    assert "positive" in prediction_set(probability, (0.0, math.inf))


@given(
    st.lists(st.integers(0, 100), min_size=3, max_size=30),
    st.floats(0.05, 0.95),
    st.booleans(),
)
def test_leaving_each_case_out_in_turn_covers_at_least_the_stated_share(hundredths, coverage, positive):
    # Exchangeable cases: over all choices of the new case among them, the true answer is in the set often enough.
    p, other = np.array(hundredths) / 100, [0.5]
    covered = 0
    for i in range(p.size):
        seen = np.delete(p, i)
        labels = [int(positive)] * seen.size + [int(not positive)]
        quantiles = class_conditional_quantiles(labels, [*seen, *other], coverage)
        covered += ("positive" if positive else "negative") in prediction_set(float(p[i]), quantiles)
    assert covered >= coverage * p.size - 1e-6


def test_without_ties_the_coverage_is_not_much_more_than_stated():
    rng = np.random.default_rng(1)
    covered = []
    for _ in range(400):
        p = rng.random(40)
        quantiles = class_conditional_quantiles([0] * 39 + [1], [*p[:39], 0.5], 0.8)
        covered.append("negative" in prediction_set(float(p[39]), quantiles))
    assert np.mean(covered) == pytest.approx(0.8, abs=0.06)  # 3 standard errors


@given(st.floats(0.05, 0.9), st.floats(0, 1))
def test_more_coverage_never_removes_an_answer(coverage, probability):
    labels, p = [0] * 9 + [1] * 9, [*NINE, *NINE]
    narrow = class_conditional_quantiles(labels, p, coverage)
    wide = class_conditional_quantiles(labels, p, coverage + 0.09)
    assert set(prediction_set(probability, narrow)) <= set(prediction_set(probability, wide))


@pytest.mark.parametrize("coverage", [0.0, 1.0, 90, math.nan])
def test_a_coverage_that_is_no_share_is_refused(coverage):
    with pytest.raises(ValueError, match="coverage must lie between 0 and 1"):
        class_conditional_quantiles([0, 1], [0.1, 0.9], coverage)


def test_labels_and_probabilities_of_the_limits_are_checked():
    with pytest.raises(ValueError, match="Both outcomes are needed"):
        class_conditional_quantiles([1, 1], [0.1, 0.9], 0.9)
    with pytest.raises(ValueError, match="probabilities must lie between 0 and 1"):
        class_conditional_quantiles([0, 1], [0.1, 1.9], 0.9)


@pytest.mark.parametrize("probability", [-0.1, 1.1, math.nan])
def test_a_set_needs_a_probability(probability):
    with pytest.raises(ValueError, match="probability must lie between 0 and 1"):
        prediction_set(probability, (0.5, 0.5))


def test_the_half_width_is_the_residual_of_the_rank_that_the_coverage_asks_for():
    residuals = np.array([3.0, -1.0, 2.0, -4.0, 5.0, 6.0, -7.0, 8.0, 9.0])
    assert residual_quantile(residuals, 0.8) == 8.0  # rank ceil(10 x 0.8) of the absolute values
    assert residual_quantile(residuals, 0.95) == math.inf
    with pytest.raises(ValueError, match="coverage must lie between"):
        residual_quantile(residuals, 1.0)
    with pytest.raises(ValueError, match="residuals must be"):
        residual_quantile([], 0.9)


def test_an_interval_of_that_half_width_covers_new_cases():
    rng = np.random.default_rng(0)
    covered = [abs(rng.normal()) <= residual_quantile(rng.normal(size=40), 0.9) for _ in range(2000)]
    assert np.mean(covered) == pytest.approx(0.9, abs=0.02)
