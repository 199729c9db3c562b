"""Estimators on cases whose truth is known, and lifelines as a second judge."""

import numpy as np
import pytest
from scipy import stats

from PDL1PredictorLib.statistics.survival.best_cut import best_cut
from PDL1PredictorLib.statistics.survival.concordance import harrell_c, uno_c
from PDL1PredictorLib.statistics.survival.cox import fit_cox, survival_at
from PDL1PredictorLib.statistics.survival.curves import kaplan_meier
from PDL1PredictorLib.statistics.survival.hazard_ratios import hazard_ratios
from PDL1PredictorLib.statistics.survival.horizons import auc_at, brier_at
from PDL1PredictorLib.statistics.survival.log_rank import log_rank
from PDL1PredictorLib.statistics.survival.max_rank import max_rank
from PDL1PredictorLib.statistics.survival.proportional import proportional_hazards
from PDL1PredictorLib.statistics.survival.weibull import fit_weibull

SLOPE, RUNS, N = 0.7, 150, 120
FAR = 2.0  # follow-up at most


def drawn(rng, n=N, slope=SLOPE):
    """Exponential times with hazard exp(slope x); about 40 % are censored before."""
    x = rng.normal(size=n)
    time, end = rng.exponential(np.exp(-slope * x)), rng.uniform(0.2, FAR, n)
    return x, np.minimum(time, end), time <= end


@pytest.fixture(scope="module")
def truth():
    """Of the score x: C for pairs with an event by 1, AUC(1), Brier(1) of the true survival, by a large draw."""
    rng = np.random.default_rng(11)
    everyone, draws = np.ones(1500), []
    for _ in range(15):
        x = rng.normal(size=1500)
        draws.append((x, rng.exponential(np.exp(-SLOPE * x))))
    c = np.mean([harrell_c(t, everyone, x, until=1.0).value for x, t in draws])
    auc = np.mean([auc_at(t, everyone, x, 1.0).value for x, t in draws])
    big = rng.normal(size=10**6)
    s = np.exp(-np.exp(SLOPE * big))
    return {"c": c, "auc": auc, "brier": float(np.mean(s * (1 - s))), "free": float(s.mean())}


@pytest.fixture(scope="module")
def covered(truth):
    """How often each 95 % interval holds the truth."""
    rng = np.random.default_rng(3)
    held = dict.fromkeys(("hazard ratio", "uno", "auc", "brier", "curve", "weibull"), 0)
    for _ in range(RUNS):
        x, time, event = drawn(rng)
        at = kaplan_meier(time, event).at(1.0)
        weibull = fit_weibull(x, time, event)
        intervals = {
            "hazard ratio": (hazard_ratios(fit_cox(x, time, event))[0].interval, np.exp(SLOPE)),
            "uno": (uno_c(time, event, x, until=1.0).interval, truth["c"]),
            "auc": (auc_at(time, event, x, 1.0).interval, truth["auc"]),
            "brier": (brier_at(time, event, np.exp(-np.exp(SLOPE * x)), 1.0).interval, truth["brier"]),
            "curve": ((at.low[0], at.high[0]), truth["free"]),
            "weibull": (weibull.coef[1] + np.array([-1.96, 1.96]) * weibull.se[1], -SLOPE),
        }
        for name, ((low, high), value) in intervals.items():
            held[name] += low <= value <= high
    return {name: count / RUNS for name, count in held.items()}


@pytest.mark.parametrize("name", ["hazard ratio", "uno", "auc", "brier", "curve", "weibull"])
def test_intervals_hold_the_truth_as_often_as_they_say(covered, name):
    assert 0.895 <= covered[name] <= 0.995  # 95 %, and three standard errors of 150 runs


def test_uno_s_c_does_not_depend_on_censoring_as_harrell_s_does(truth):
    rng = np.random.default_rng(5)
    found = []
    for _ in range(20):
        x, time, event = drawn(rng, 400)
        found.append((harrell_c(time, event, x).value, uno_c(time, event, x, until=1.0).value))
    harrell, uno = np.mean(found, axis=0)
    assert abs(uno - truth["c"]) < 0.008
    assert harrell != pytest.approx(uno, abs=1e-4)


def test_predicted_survival_is_right_in_the_mean():
    x, time, event = drawn(np.random.default_rng(8), 3000)
    found = survival_at(fit_cox(x, time, event), [[-1.0], [0], [1]], [0.5, 1])
    np.testing.assert_allclose(found, np.exp(-np.outer(np.exp(SLOPE * np.array([-1, 0, 1])), [0.5, 1])), atol=0.03)


def test_p_of_tests_is_uniform_where_nothing_differs_but_naive_p_of_the_best_cut_is_not():
    rng = np.random.default_rng(4)
    ps = []
    for _ in range(60):
        _, time, event = drawn(rng, 50, slope=0.0)
        x = rng.normal(size=50)
        cut = best_cut(x, time, event, rng, 39)
        cox = fit_cox(x, time, event)
        ps.append(
            (
                log_rank(time, event, x > 0).p,
                proportional_hazards(cox, x, time, event)[1].p,
                cut.p_permutation,
                max_rank(x, time, event).p_1994,
                cut.p_naive,
            )
        )
    log_rank_p, proportional_p, permutation_p, ranked_p, naive_p = np.transpose(ps)
    assert stats.kstest(log_rank_p, "uniform").pvalue > 0.01
    assert stats.kstest(proportional_p, "uniform").pvalue > 0.01
    assert stats.kstest(permutation_p, "uniform").pvalue > 0.01
    assert (ranked_p < 0.05).mean() <= 0.13  # at most what it says, and three standard errors
    assert (naive_p < 0.05).mean() > 0.25  # the reason for all of this


def test_lifelines_says_the_same_where_it_can_do_it():
    lifelines = pytest.importorskip("lifelines")
    rng = np.random.default_rng(6)
    x, time, event = drawn(rng, 90)
    time = np.ceil(time * 10) / 10  # ties
    curve, theirs = kaplan_meier(time, event), lifelines.KaplanMeierFitter().fit(time, event)
    limits = theirs.confidence_interval_survival_function_.to_numpy()[1:]
    known = np.isfinite(curve.low)
    np.testing.assert_allclose(curve.survival, theirs.survival_function_.to_numpy()[1:, 0], atol=1e-12)
    np.testing.assert_allclose(np.column_stack([curve.low, curve.high])[known], limits[known], atol=1e-12)
    test = lifelines.statistics.multivariate_logrank_test(time, x > 0, event)
    assert log_rank(time, event, x > 0).statistic == pytest.approx(test.test_statistic)
    theirs_c = lifelines.utils.concordance_index(time, -x, event)
    assert harrell_c(time, event, x).value == pytest.approx(theirs_c)
