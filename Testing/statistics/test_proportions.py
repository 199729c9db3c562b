"""Shares and their intervals: hand sums, textbook values, laws."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from PDL1PredictorLib.statistics.proportions import f1_interval, performance, proportion
from PDL1PredictorLib.statistics.resampling import bootstrap

LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0, 0])
CALLED = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0, 0])  # 3 of 4 found, 1 of 6 wrongly called


def rng():
    return np.random.default_rng(0)


def test_wilsons_interval_is_made_by_hand():
    z2 = 1.959963984540054**2
    center, half = (8 + z2 / 2) / (10 + z2), math.sqrt(z2) / (10 + z2) * math.sqrt(8 * 2 / 10 + z2 / 4)
    result = proportion(8, 10)
    assert (result.value, result.successes, result.n) == (0.8, 8, 10)
    assert result.interval == pytest.approx((center - half, center + half))


def test_the_exact_interval_of_no_success_is_the_rule_of_the_root():
    value, interval, *_ = proportion(0, 10, "exact")
    assert value == 0
    assert interval == pytest.approx((0.0, 1 - 0.025**0.1))


@given(st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_exact_interval_mirrors_and_both_hold_the_share(case):
    successes, n = case
    for method in ("wilson", "exact"):
        there, back = proportion(successes, n, method), proportion(n - successes, n, method)
        assert there.interval[0] - 1e-12 <= there.value <= there.interval[1] + 1e-12
        assert there.interval == pytest.approx((1 - back.interval[1], 1 - back.interval[0]))


def test_a_share_of_nothing_says_nothing():
    result = proportion(0, 0)
    assert math.isnan(result.value)
    assert result.interval == (0.0, 1.0)


def test_the_shares_of_the_calls_are_counted_by_hand():
    result = performance(LABELS, CALLED, rng())
    assert result.table[:4] == (3, 1, 5, 1)
    counts = {name: getattr(result, name)[2:] for name in ("accuracy", "sensitivity", "specificity", "ppv", "npv")}
    assert counts == {"accuracy": (8, 10), "sensitivity": (3, 4), "specificity": (5, 6), "ppv": (3, 4), "npv": (5, 6)}
    assert result.f1.value == pytest.approx(2 * 3 / (2 * 3 + 1 + 1))
    assert result.accuracy == proportion(8, 10)
    assert performance(LABELS, CALLED, rng(), "exact").accuracy == proportion(8, 10, "exact")


def test_the_interval_of_f1_is_that_of_drawing_the_cases():
    def f1(rows):
        return performance(LABELS[rows], CALLED[rows], rng(), n_resamples=1).f1.value

    drawn = bootstrap(f1, LABELS, rng(), 1500)
    assert performance(LABELS, CALLED, rng(), n_resamples=20_000).f1.interval == pytest.approx(drawn.interval, abs=0.06)


def test_perfect_and_absent_calls_have_an_f1_that_is_not_certain():
    perfect, nobody = performance(LABELS, LABELS, rng()), performance(LABELS, np.zeros(10), rng())
    low = proportion(4, 4).interval[0]  # of four cases that are positive or called so all are both
    assert perfect.f1 == (1.0, pytest.approx((2 * low / (1 + low), 1.0)))
    high = proportion(0, 4).interval[1]
    assert nobody.f1 == (0.0, pytest.approx((0.0, 2 * high / (1 + high))))
    assert math.isnan(nobody.ppv.value)
    assert nobody.ppv.interval == (0.0, 1.0)


def test_calling_everybody_has_the_f1_of_an_uncertain_prevalence():
    low, high = proportion(4, 10).interval
    expected = (2 * low / (1 + low), 2 * high / (1 + high))
    assert performance(LABELS, np.ones(10), rng()).f1.interval == pytest.approx(expected)


def test_the_interval_of_f1_by_its_share_is_nearly_that_of_drawing_the_cases():
    labels, called = np.tile(LABELS, 20), np.tile(CALLED, 20)
    drawn = performance(labels, called, rng()).f1
    assert f1_interval(60, 40) == pytest.approx(drawn.interval, abs=0.02)
    assert f1_interval(60, 40, "exact")[0] < f1_interval(60, 40)[0]


@given(st.integers(0, 50), st.integers(0, 50))
def test_the_interval_of_f1_holds_it(right, wrong):
    if right + wrong:
        low, high = f1_interval(right, wrong)
        assert 0 <= low <= 2 * right / (2 * right + wrong) + 1e-12
        assert 2 * right / (2 * right + wrong) - 1e-12 <= high <= 1


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=30))
def test_turning_outcomes_and_calls_around_exchanges_the_shares(pairs):
    labels, called = np.array([(True, True), (False, False), *pairs]).T
    there, back = performance(labels, called, rng()), performance(~labels, ~called, rng())
    assert there.accuracy == back.accuracy
    assert (there.sensitivity, there.ppv) == (back.specificity, back.npv)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: proportion(3, 2), "successes must lie between 0 and n, got 3 of 2"),
        (lambda: proportion(-1, 2), "successes must lie between 0 and n"),
        (lambda: proportion(1, 2, "wald"), "method must be 'wilson' or 'exact', got 'wald'"),
        (lambda: proportion(1, 2, confidence=1.5), "confidence must lie between 0 and 1"),
        (lambda: performance(LABELS, CALLED[:5], rng()), "called must be 10 values 0 or 1"),
        (lambda: performance(LABELS, CALLED * 0.7, rng()), "called must be 10 values 0 or 1"),
        (lambda: performance(LABELS, CALLED, rng(), n_resamples=0), "n_resamples must be at least 1"),
        (lambda: f1_interval(0, 0), "needs a case that is positive or called so"),
        (lambda: performance([1, 1], [1, 0], rng()), "Both outcomes are needed"),
    ],
)
def test_what_is_no_share_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
