"""Laws that hold for any table of times and events."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from PDL1PredictorLib.statistics.survival.best_cut import scan_cuts
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.statistics.survival.concordance import harrell_c, uno_c
from PDL1PredictorLib.statistics.survival.cox import baseline_of, fit_cox, survival_at
from PDL1PredictorLib.statistics.survival.curves import kaplan_meier
from PDL1PredictorLib.statistics.survival.horizons import auc_at, brier_at
from PDL1PredictorLib.statistics.survival.log_rank import log_rank


@st.composite
def tables(draw, least=6):
    """Times with many ties, events among them, and a number of each case with ties too."""
    n = draw(st.integers(least, 25))
    time = draw(st.lists(st.integers(1, 12), min_size=n, max_size=n))
    event = draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any))
    score = draw(st.lists(st.integers(-4, 4), min_size=n, max_size=n))
    return np.array(time, float), np.array(event), np.array(score, float)


def comparable(time, event):
    try:
        return harrell_c(time, event, np.arange(time.size))
    except NotEstimableError:
        return None


def fitted(x, time, event):
    try:
        return fit_cox(x, time, event)
    except NotEstimableError:
        return None


@given(tables())
def test_a_curve_falls_from_1_and_stays_between_its_limits(table):
    time, event, _ = table
    for kind in ("log-log", "log", "plain"):
        curve = kaplan_meier(time, event, kind)
        assert (np.diff(np.concatenate([[1.0], curve.survival])) <= 0).all()
        assert ((curve.survival >= 0) & (curve.survival <= 1)).all()
        known = np.isfinite(curve.low)
        assert (curve.low[known] <= curve.survival[known] + 1e-12).all()
        assert (curve.survival[known] <= curve.high[known] + 1e-12).all()
    assert curve.at_risk[0] == time.size
    assert curve.events.sum() == event.sum()


@given(tables())
def test_without_censoring_a_curve_is_the_share_that_lives_longer(table):
    time = table[0]
    curve = kaplan_meier(time, np.ones(time.size))
    np.testing.assert_allclose(curve.survival, [(time > t).mean() for t in curve.times], atol=1e-12)
    mean = kaplan_meier(time, np.ones(time.size)).restricted_mean(float(time.max()))
    assert mean.value == pytest.approx(time.mean())


@given(tables())
def test_the_c_of_a_reversed_score_is_1_less(table):
    time, event, score = table
    assume(comparable(time, event))
    for c in (harrell_c, uno_c):
        there, back = c(time, event, score), c(time, event, -score)
        assert there.value + back.value == pytest.approx(1)
        assert there.se == pytest.approx(back.se)
        assert (there.concordant, there.tied_score) == pytest.approx((back.discordant, back.tied_score))


@given(tables(), st.sampled_from([0.01, 2.0, 365.25]))
def test_the_unit_of_time_changes_nothing_but_times(table, unit):
    time, event, score = table
    assume(comparable(time, event))
    assert harrell_c(time * unit, event, score).value == harrell_c(time, event, score).value
    assert uno_c(time * unit, event, score).value == pytest.approx(uno_c(time, event, score).value)
    np.testing.assert_array_equal(kaplan_meier(time * unit, event).survival, kaplan_meier(time, event).survival)
    group = score > np.median(score)
    assume(0 < group.sum() < group.size)
    fit = fitted(group, time, event)
    assume(fit is not None)
    scaled = fit_cox(group, time * unit, event)
    np.testing.assert_allclose(scaled.coef, fit.coef, atol=1e-9)
    np.testing.assert_allclose(survival_at(scaled, [[1.0]], 6 * unit), survival_at(fit, [[1.0]], 6), atol=1e-9)


@given(tables())
def test_the_order_of_cases_changes_nothing(table):
    time, event, score = table
    assume(comparable(time, event))
    back = slice(None, None, -1)
    assert harrell_c(time[back], event[back], score[back]).value == pytest.approx(harrell_c(time, event, score).value)
    if np.ptp(score) > 0:
        np.testing.assert_allclose(
            np.sort(scan_cuts(score, time, event, 0).statistic),
            np.sort(scan_cuts(score[back], time[back], event[back], 0).statistic),
            atol=1e-9,
        )


@given(tables())
def test_observed_events_are_expected_in_sum_and_the_scan_is_the_log_rank_test(table):
    time, event, score = table
    assume(np.ptp(score) > 0)
    scan = scan_cuts(score, time, event, 0)
    for cut, statistic in zip(scan.cuts, scan.statistic, strict=True):
        try:
            found = log_rank(time, event, score > cut)
        except NotEstimableError:
            continue
        assert found.observed.sum() == pytest.approx(found.expected.sum())
        assert statistic == pytest.approx(found.statistic, abs=1e-9)


@given(tables(), st.integers(-20, 20), st.floats(0.1, 10))
def test_a_covariate_in_another_unit_tells_the_same(table, shift, unit):
    time, event, score = table
    assume(np.ptp(score) > 0)
    fit = fitted(score, time, event)
    assume(fit is not None and abs(fit.coef[0]) < 5)
    other = fit_cox(score * unit + shift, time, event)
    assert other.coef[0] * unit == pytest.approx(fit.coef[0], abs=1e-7)
    assert other.loglik == pytest.approx(fit.loglik)
    np.testing.assert_allclose(survival_at(other, score * unit + shift, 5), survival_at(fit, score, 5), atol=1e-7)


@given(tables())
def test_a_score_with_its_own_slope_has_the_baseline_of_its_model(table):
    time, event, score = table
    assume(np.ptp(score) > 0)
    fit = fitted(score, time, event)
    assume(fit is not None and abs(fit.coef[0]) < 5)
    own = baseline_of(fit.score(score), time, event)
    np.testing.assert_allclose(survival_at(own, fit.score(score), [2, 5]), survival_at(fit, score, [2, 5]), atol=1e-9)


@given(tables())
def test_without_censoring_weights_are_1(table):
    time, score = table[0], table[2]
    horizon, event = float(np.median(time)), np.ones(time.size)
    had = time <= horizon
    assume(0 < had.sum() < had.size)
    pairs = (score[had][:, None] > score[~had]) + 0.5 * (score[had][:, None] == score[~had])
    assert auc_at(time, event, score, horizon).value == pytest.approx(pairs.mean())
    survival = (score + 4) / 8
    assert brier_at(time, event, survival, horizon).value == pytest.approx(np.mean((~had - survival) ** 2))
