"""Every refusal of the pages on survival, tripped once, and values that would be wrong if they were silent."""

import math

import numpy as np
import pytest

from PDL1PredictorLib.statistics.survival.best_cut import best_cut, scan_cuts
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError, covariates, follow_up
from PDL1PredictorLib.statistics.survival.concordance import compare_c, harrell_c, uno_c
from PDL1PredictorLib.statistics.survival.cox import fit_cox, fit_stratified, survival_at
from PDL1PredictorLib.statistics.survival.curves import kaplan_meier, median_follow_up
from PDL1PredictorLib.statistics.survival.hazard_ratios import hazard_ratios, nested_test
from PDL1PredictorLib.statistics.survival.horizons import auc_at, brier_at, integrated
from PDL1PredictorLib.statistics.survival.log_rank import log_rank
from PDL1PredictorLib.statistics.survival.max_rank import exact_max_rank, max_rank, p_1992
from PDL1PredictorLib.statistics.survival.proportional import proportional_hazards
from PDL1PredictorLib.statistics.survival.weibull import fit_weibull

TIME = np.array([5.0, 8, 3, 9, 1, 7, 4, 12, 6, 10, 2, 11])
EVENT = np.array([1, 0, 1, 1, 1, 0, 1, 0, 1, 1, 1, 0])
X = np.array([0.3, -1, 0.9, 0.1, -0.4, -0.2, 1.4, -0.8, 0.2, -0.1, 0.5, 0.4])


@pytest.mark.parametrize(
    ("time", "event", "words"),
    [
        ([], [], "at least 1"),
        ([[1.0]], [[1]], "row of at least 1"),
        ([1.0, 2], [1], "one per time"),
        ([1.0, math.nan], [1, 1], "finite, 1 of 2"),
        ([1.0, -2], [1, 1], "not be negative, 1 of 2"),
        ([1.0, 2], [1, 2], "1 .it came. or 0 .censored., got"),
    ],
)
def test_times_and_events_that_are_none(time, event, words):
    with pytest.raises(ValueError, match=words):
        follow_up(time, event)


@pytest.mark.parametrize(
    "estimate", [fit_cox, lambda x, t, e: harrell_c(t, e, x), lambda x, t, e: uno_c(t, e, x), fit_weibull]
)
def test_all_censored_cannot_be_estimated(estimate):
    with pytest.raises(NotEstimableError, match="None of the 12 cases had the event"):
        estimate(X, TIME, np.zeros(12))


def test_a_curve_of_censored_cases_stays_at_1_without_limits():
    curve = kaplan_meier(TIME, np.zeros(12))
    assert (curve.survival == 1).all()
    assert np.isnan(curve.low).all()
    assert math.isnan(curve.quantile(0.5).time)
    assert median_follow_up(TIME, np.zeros(12)).time == 6.5


def test_nothing_is_said_beyond_the_longest_follow_up():
    assert np.isnan(kaplan_meier(TIME, EVENT).at(12.5).survival[0])
    assert np.isnan(survival_at(fit_cox(X, TIME, EVENT), X, [12, 13])[:, 1]).all()
    with pytest.raises(ValueError, match="longest follow-up 12"):
        kaplan_meier(TIME, EVENT).restricted_mean(13)
    with pytest.raises(ValueError, match="horizons must be finite and not negative"):
        survival_at(fit_cox(X, TIME, EVENT), X, [-1])


def test_a_constant_covariate_and_one_of_text():
    with pytest.raises(NotEstimableError, match="Covariate 1 has the same value"):
        fit_cox(np.column_stack([X, np.ones(12)]), TIME, EVENT)
    with pytest.raises(ValueError, match="x must be finite"):
        fit_cox(np.where(X > 1, np.nan, X), TIME, EVENT)
    with pytest.raises(ValueError, match="12 rows of covariates"):
        covariates(X[:5], 12)


def test_columns_that_depend_on_each_other():
    with pytest.raises(NotEstimableError, match="computed from others"):
        fit_cox(np.column_stack([X, TIME % 3, X + TIME % 3]), TIME, EVENT)


def test_a_separating_covariate_has_no_finite_ratio():
    with pytest.raises(NotEstimableError, match="rises without end with covariate 0"):
        fit_cox(-TIME, TIME, np.ones(12))
    survivors = np.arange(12) < 4  # none of these has the event
    with pytest.raises(NotEstimableError, match="rises without end"):
        fit_cox(survivors, np.where(survivors, 20, TIME), ~survivors)


def test_strata_without_events_say_nothing_and_are_left_out():
    strata = np.where(EVENT == 1, "a", "b")
    mixed = np.where(np.arange(12) < 8, "a", "c")
    assert fit_stratified(X, TIME, EVENT, mixed).n == 12
    only = fit_stratified(X, TIME, EVENT, strata)
    np.testing.assert_allclose(only.coef, fit_cox(X[EVENT == 1], TIME[EVENT == 1], EVENT[EVENT == 1]).coef)
    with pytest.raises(ValueError, match="strata must be 12 values"):
        fit_stratified(X, TIME, EVENT, ["a"])


def test_one_group_and_groups_that_never_meet():
    with pytest.raises(NotEstimableError, match="Two groups are needed to compare, got a only"):
        log_rank(TIME, EVENT, ["a"] * 12)
    with pytest.raises(NotEstimableError, match="never at risk together"):
        log_rank([1.0, 2, 3, 4], [0, 0, 1, 1], ["a", "a", "b", "b"])


def test_no_pair_to_compare():
    with pytest.raises(NotEstimableError, match="No pair of cases"):
        harrell_c([3.0, 3, 1], [1, 1, 0], [1, 2, 3])
    with pytest.raises(ValueError, match="score must be 12 numbers"):
        harrell_c(TIME, EVENT, [1, 2])
    with pytest.raises(ValueError, match="same cases"):
        compare_c(harrell_c(TIME, EVENT, X), harrell_c(TIME[:6], EVENT[:6], X[:6]))


def test_a_constant_score_is_chance_with_no_spread():
    c = harrell_c(TIME, EVENT, np.zeros(12))
    assert (c.value, c.se, c.interval) == (0.5, 0, (0.5, 0.5))
    assert compare_c(c, c).p == 1


def test_horizons_beyond_what_is_known():
    with pytest.raises(NotEstimableError, match="By 0.5, 0 had the event"):
        auc_at(TIME, EVENT, X, 0.5)
    with pytest.raises(NotEstimableError, match="0 were followed beyond"):
        auc_at(TIME, EVENT, X, 12)
    with pytest.raises(NotEstimableError, match="Nobody is followed as long"):
        brier_at(TIME, EVENT, np.full(12, 0.5), 13)
    with pytest.raises(ValueError, match="between 0 and 1"):
        brier_at(TIME, EVENT, np.full(12, 1.5), 5)
    with pytest.raises(ValueError, match="rising times"):
        integrated([1, 2], [2, 1])


def test_cuts_that_cannot_be():
    rng = np.random.default_rng(1)
    with pytest.raises(NotEstimableError, match="No cut leaves 10 %"):
        best_cut(np.ones(12), TIME, EVENT, rng)
    with pytest.raises(ValueError, match="smallest_share"):
        scan_cuts(X, TIME, EVENT, 0.5)
    with pytest.raises(ValueError, match="n_permutations"):
        best_cut(X, TIME, EVENT, rng, 0)
    with pytest.raises(ValueError, match="above 0"):
        max_rank(X, TIME, EVENT, 0)
    with pytest.raises(NotEstimableError, match="same log-rank score"):
        max_rank(X, np.ones(12), np.ones(12))
    with pytest.raises(ValueError, match="at most 170"):
        exact_max_rank(np.arange(171), np.arange(171), np.ones(171))
    assert p_1992(0.5, 0.1) == 1


def test_models_that_are_not_nested():
    with pytest.raises(ValueError, match="same cases"):
        nested_test(fit_cox(X[1:], TIME[1:], EVENT[1:]), fit_cox(np.column_stack([X, X**2]), TIME, EVENT))
    with pytest.raises(ValueError, match="confidence"):
        hazard_ratios(fit_cox(X, TIME, EVENT), 1.0)


def test_scales_of_time():
    cox = fit_cox(X, np.append(TIME[:-1], 0.0), EVENT)
    with pytest.raises(ValueError, match="no logarithm"):
        proportional_hazards(cox, X, np.append(TIME[:-1], 0.0), EVENT, "log")
    with pytest.raises(ValueError, match="scale must be"):
        proportional_hazards(fit_cox(X, TIME, EVENT), X, TIME, EVENT, "year")
    with pytest.raises(ValueError, match="log-log, log or plain"):
        kaplan_meier(TIME, EVENT, "logit")
    with pytest.raises(ValueError, match="above 0"):
        fit_weibull(X, np.append(TIME[:-1], 0.0), EVENT)
