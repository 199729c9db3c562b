"""Intervals of calibration: the equation that their ends solve, laws, and how often they cover."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import expit, xlog1py, xlogy
from simulated_cases import covers

from PDL1PredictorLib.statistics.calibration import calibration, logit
from PDL1PredictorLib.statistics.calibration_intervals import calibration_intervals

CHI2 = 3.841458820694124


def drawn(n, rng, middle=-1.0, slope=1.0):
    logits = rng.normal(middle, 1, n)
    labels = rng.random(n) < expit(slope * logits)
    return labels.astype(int), expit(logits)


def likelihood(labels, logits):
    p = expit(logits)
    return float((xlogy(labels, p) + xlog1py(1 - labels, -p)).sum())


def test_equal_probabilities_have_the_likelihood_interval_of_a_share():
    # 3 of 12 are positive; each end of the interval, as a share, is 3.84 away in twice the log-likelihood.
    result = calibration_intervals([1] * 3 + [0] * 9, [0.5] * 12)
    top = 3 * math.log(0.25) + 9 * math.log(0.75)
    for end in result.in_the_large:
        share = expit(end)
        assert 2 * (top - 3 * math.log(share) - 9 * math.log(1 - share)) == pytest.approx(CHI2, abs=1e-5)
    assert result.slope == result.intercept == (-math.inf, math.inf)


def test_the_ends_are_rejected_by_a_likelihood_ratio_test_just_so():
    labels, p = drawn(60, np.random.default_rng(0))
    x, best, result = logit(p), calibration(labels, p), calibration_intervals(labels, p)
    top = likelihood(labels, best.intercept + best.slope * x)
    for end in result.slope:
        held = -minimize_scalar(lambda free, end=end: -likelihood(labels, free + end * x)).fun
        assert 2 * (top - held) == pytest.approx(CHI2, abs=1e-4)
    for end in result.intercept:
        held = -minimize_scalar(lambda free, end=end: -likelihood(labels, end + free * x)).fun
        assert 2 * (top - held) == pytest.approx(CHI2, abs=1e-4)
    top = likelihood(labels, best.in_the_large + x)
    assert [2 * (top - likelihood(labels, end + x)) for end in result.in_the_large] == pytest.approx([CHI2] * 2)


def test_probabilities_far_from_a_half_leave_the_intercept_uncertain_and_finite():
    labels, p = drawn(80, np.random.default_rng(5), middle=-7.0, slope=0.15)
    x, best, result = logit(p), calibration(labels, p), calibration_intervals(labels, p)
    top = likelihood(labels, best.intercept + best.slope * x)
    assert result.intercept[1] - result.intercept[0] > 4
    for end in result.intercept:
        held = -minimize_scalar(lambda free, end=end: -likelihood(labels, end + free * x)).fun
        assert 2 * (top - held) == pytest.approx(CHI2, abs=1e-4)


def test_with_many_cases_they_are_walds():
    labels, p = drawn(4000, np.random.default_rng(1))
    x, best, result = logit(p), calibration(labels, p), calibration_intervals(labels, p)
    q = expit(best.intercept + best.slope * x)
    design = np.stack([np.ones_like(x), x], axis=1)
    errors = np.sqrt(np.diag(np.linalg.inv(design.T @ (design * (q * (1 - q))[:, None]))))
    for interval, middle, error in zip(
        (result.intercept, result.slope), (best.intercept, best.slope), errors, strict=True
    ):
        assert interval == pytest.approx((middle - 1.96 * error, middle + 1.96 * error), abs=0.01)


def test_separated_outcomes_have_a_slope_without_upper_limit():
    result = calibration_intervals([0, 0, 0, 1, 1, 1], [0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    assert 0 < result.slope[0] < 3
    assert result.slope[1] == math.inf
    turned = calibration_intervals([1, 1, 1, 0, 0, 0], [0.1, 0.2, 0.3, 0.7, 0.8, 0.9])
    assert turned.slope == pytest.approx((-math.inf, -result.slope[0]))
    assert all(math.isfinite(end) for end in result.in_the_large)


@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(12, 60))
def test_they_hold_the_figures_and_mirror(seed, n):
    labels, p = drawn(n, np.random.default_rng(seed), middle=0.0)
    if labels.min() == labels.max():
        return
    best, result = calibration(labels, p), calibration_intervals(labels, p)
    back = calibration_intervals(1 - labels, 1 - p)
    assert back.slope == pytest.approx(result.slope, abs=1e-5)
    assert back.in_the_large == pytest.approx((-result.in_the_large[1], -result.in_the_large[0]), abs=1e-5)
    for interval, value in zip(result, best, strict=True):
        assert math.isnan(value) or interval[0] < value < interval[1]


def test_probabilities_that_hardly_differ_say_little_of_their_slope():
    labels, p = drawn(80, np.random.default_rng(2))
    near = expit(0.001 * logit(p))
    wide, narrow = calibration_intervals(labels, near).slope, calibration_intervals(labels, p).slope
    assert wide == pytest.approx((1000 * narrow[0], 1000 * narrow[1]), rel=1e-4)


def test_they_cover_the_truth_with_few_positives():
    rng = np.random.default_rng(3)
    results = [calibration_intervals(*drawn(50, rng)) for _ in range(200)]
    for name, truth in (("slope", 1.0), ("intercept", 0.0), ("in_the_large", 0.0)):
        assert 0.91 <= np.mean([covers(getattr(result, name), truth) for result in results]) <= 0.985


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 1], [0.2, 0.3]), "Both outcomes are needed"),
        (([0, 1], [0.2, 1.3]), "probabilities must lie between 0 and 1"),
        (([0, 1], [0.2, 0.3], 95), "confidence must lie between 0 and 1"),
    ],
)
def test_what_has_no_calibration_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        calibration_intervals(*arguments)
