"""Intervals of an area: hand sums, laws, and how often they cover a known area with few cases."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student
from simulated_cases import binormal, covers

from PDL1PredictorLib.statistics.auc_intervals import logit_interval, newcombe_interval, score_interval, welch_df
from PDL1PredictorLib.statistics.discrimination import auc

LABELS = np.array([1, 1, 0, 0, 0])
SCORES = np.array([4.0, 2.0, 1.0, 2.0, 3.0])  # area 0.75; variances 0.125 / 2 of positives, 0.0625 / 3 of negatives


def logit(share):
    return math.log(share / (1 - share))


def test_the_interval_on_the_logit_scale_is_made_by_hand():
    low, high = logit_interval(0.8, 0.01)
    half = 1.959964 * 0.1 / (0.8 * 0.2)
    assert (logit(low), logit(high)) == pytest.approx((logit(0.8) - half, logit(0.8) + half))


def test_the_area_has_it_with_welchs_degrees_of_freedom():
    parts = 0.125 / 2, 0.0625 / 3
    df = sum(parts) ** 2 / (parts[0] ** 2 / 1 + parts[1] ** 2 / 2)
    half = student.ppf(0.975, df) * math.sqrt(sum(parts)) / (0.75 * 0.25)
    low, high = auc(LABELS, SCORES).logit_interval
    assert (logit(low), logit(high)) == pytest.approx((logit(0.75) - half, logit(0.75) + half))


def test_degrees_of_freedom_lie_between_the_smaller_group_and_all():
    assert welch_df((1.0, 0.0), (9, 41)) == 8
    assert welch_df((1.0, 1.0), (11, 11)) == 20
    assert welch_df((0.0, 0.0), (9, 41)) == math.inf
    assert welch_df((1.0, 0.0), (1, 5)) == 1


def test_newcombes_limits_solve_his_equation():
    # Method 5 of the paper: the limit's own variance puts the estimate 1.96 standard errors away.
    for limit in newcombe_interval(0.8, 9, 41):
        spread = 1 + 24 * ((1 - limit) / (2 - limit) + limit / (1 + limit))
        error = math.sqrt(limit * (1 - limit) * spread / (9 * 41))
        assert abs(limit - 0.8) == pytest.approx(1.959964 * error, abs=1e-6)


def test_one_pair_alone_has_wilsons_interval():
    # With one case of each outcome the area is a single toss.
    z2 = 1.959964**2
    assert newcombe_interval(1.0, 1, 1) == pytest.approx((1 / (1 + z2), 1.0), abs=1e-6)


@given(st.floats(0, 1), st.integers(1, 60), st.integers(1, 60))
def test_newcombes_interval_holds_the_area_and_mirrors(value, n_positive, n_negative):
    low, high = newcombe_interval(value, n_positive, n_negative)
    assert 0 <= low <= value + 1e-9
    assert value - 1e-9 <= high <= 1
    assert newcombe_interval(1 - value, n_negative, n_positive) == pytest.approx((1 - high, 1 - low), abs=1e-6)


@given(st.floats(0.01, 0.99), st.floats(1e-6, 0.2), st.floats(1, 100))
def test_the_interval_on_the_logit_scale_holds_the_area_and_mirrors(value, variance, df):
    low, high = logit_interval(value, variance, df)
    assert 0 <= low <= value <= high <= 1
    assert logit_interval(1 - value, variance, df) == pytest.approx((1 - high, 1 - low), abs=1e-9)
    assert logit_interval(value, variance)[0] >= low  # fewer degrees are wider


def test_what_says_nothing_says_so():
    assert logit_interval(0.7, math.nan) == logit_interval(0.5, 0.0) == (0.0, 1.0)
    assert auc([1, 1, 0, 0], [3.0] * 4)[:2] == (0.5, (0.5, 0.5))
    assert auc([1, 1, 0, 0], [3.0] * 4).logit_interval == (0.0, 1.0)
    assert auc([1, 0, 0], [0.5, 0.1, 0.9]).logit_interval == (0.0, 1.0)


def test_a_perfect_area_is_not_certain():
    few, many = (auc(np.repeat([1, 0], n), np.repeat([1.0, 0.0], n)).logit_interval for n in (5, 50))
    assert few == newcombe_interval(1.0, 5, 5)
    assert 0.5 < few[0] < many[0] < 1
    assert few[1] == many[1] == 1


@pytest.mark.parametrize("n_positive", [8, 9])
def test_with_few_positives_it_covers_where_walds_does_not(n_positive):
    rng = np.random.default_rng(0)
    wald, on_logits, newcombe = [], [], []
    for area in (0.65, 0.8, 0.9):
        for _ in range(700):
            result = auc(*binormal(area, n_positive, 42, rng))
            wald.append(covers(result.interval, area))
            on_logits.append(covers(result.logit_interval, area))
            newcombe.append(covers(newcombe_interval(result.value, n_positive, 42), area))
    assert np.mean(wald) < 0.9
    assert 0.93 <= np.mean(on_logits) <= 0.97
    assert 0.93 <= np.mean(newcombe) <= 0.97


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: logit_interval(1.0, 0.1), "lies between 0 and 1, got 1.0"),
        (lambda: logit_interval(0.6, 0.1, confidence=95), "confidence must lie between 0 and 1, got 95"),
        (lambda: score_interval(1.2, 0.1, 0.1), "lies between 0 and 1, got 1.2"),
        (lambda: newcombe_interval(0.5, 0, 3), "Cases of both outcomes are needed, got 0 positive"),
        (lambda: newcombe_interval(0.5, 3, 3, confidence=0), "confidence must lie between 0 and 1"),
    ],
)
def test_what_has_no_interval_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
