"""R's answers about AUC(t), Brier scores and held-out cases, to 1e-8."""

import numpy as np
import pytest
from survival_oracle import of_theme

from PDL1PredictorLib.statistics.survival.censoring import censoring_curve
from PDL1PredictorLib.statistics.survival.checks import follow_up
from PDL1PredictorLib.statistics.survival.concordance import harrell_c
from PDL1PredictorLib.statistics.survival.cox import fit_cox, survival_at
from PDL1PredictorLib.statistics.survival.curves import kaplan_meier
from PDL1PredictorLib.statistics.survival.held_out import held_out_calibration
from PDL1PredictorLib.statistics.survival.horizons import auc_at, brier_at, integrated

SETS = ("rossi.same_cases", "syn.same_cases", "lung1.same_cases", "lung1.first300_to_rest")


def near(mine, theirs):
    np.testing.assert_allclose(np.asarray(mine, float), np.asarray(theirs, float), rtol=1e-8, atol=1e-8)


def modeled(tables, key, answers):
    """The model of a key's training cases, and covariates, times and events of its test cases."""
    table = tables[key.split(".")[0]]
    x = np.column_stack([table[term] for term in answers[f"{key.split('.')[0]}.cox.efron"]["terms"]])
    train, test = (slice(None),) * 2 if "same_cases" in key else (slice(300), slice(300, None))
    cox = fit_cox(x[train], table["time"][train], table["event"][train])
    return cox, x[test], table["time"][test], table["event"][test]


def together(time, event):
    """The curve of censoring by R's survfit: who has the event is still at risk of being censored then."""
    return censoring_curve(follow_up(time, event), event_first=False)


def test_areas_for_a_horizon_equal_those_of_r(survival_answers, tables):
    for data, key, answer in of_theme(survival_answers, "auc"):
        name, table = key.split(".")[1], tables[data]
        cox, x, time, event = modeled(tables, f"{data}.same_cases", survival_answers)
        score = cox.score(x) if name == "lp" else table[name]
        found = [auc_at(time, event, score, horizon) for horizon in answer["times"]]
        near([a.value for a in found], answer["auc"])
        near([a.se for a in found], answer["se"])
        near([a.interval for a in found], np.column_stack([answer["low"], answer["high"]]))
        plain = [auc_at(time, event, score, h, together(time, event)).value for h in answer["times"]]
        near(plain, answer["auc_by_formula"])


@pytest.mark.parametrize("key", SETS)
def test_brier_scores_equal_those_of_r(survival_answers, tables, key):
    answer = survival_answers[f"{key}.brier_t"]
    cox, x, time, event = modeled(tables, key, survival_answers)
    curve, censoring = kaplan_meier(time, event), together(time, event)
    for place, horizon in enumerate(answer["times"]):
        survival = survival_at(cox, x, horizon)[:, 0]
        found = brier_at(time, event, survival, horizon)
        near([found.value, found.se], [answer["cox"][place], answer["cox_se"][place]])
        near(brier_at(time, event, survival, horizon, censoring).value, answer["by_formula"][place])
        null = np.full(time.size, curve.at(horizon).survival[0])
        near(brier_at(time, event, null, horizon).value, answer["null_kaplan_meier"][place])
        area = auc_at(time, event, cox.score(x), horizon)
        near([area.value, area.se], [answer["auc"][place], answer["auc_se"][place]])


@pytest.mark.parametrize("key", SETS)
def test_integrated_brier_scores_equal_those_of_r(survival_answers, tables, key):
    answer = survival_answers[f"{key}.ibs"]
    cox, x, time, event = modeled(tables, key, survival_answers)
    survival, censoring = survival_at(cox, x, answer["grid"]), together(time, event)
    found = [brier_at(time, event, survival[:, i], t, censoring).value for i, t in enumerate(answer["grid"])]
    near(found, answer["brier"])
    near(integrated(found, answer["grid"]), answer["trapezoid"])


def test_brier_scores_equal_those_of_r_s_survival_package(survival_answers, tables):
    """There the curve without covariates is the exponential of Efron's cumulative hazard."""
    answer = survival_answers["lung1.same_cases.brier_t.survival_package"]
    cox, x, time, event = modeled(tables, "lung1.same_cases", survival_answers)
    curve = kaplan_meier(time, event)
    steps = [sum(1 / (n - k) for k in range(int(d))) for n, d in zip(curve.at_risk, curve.events, strict=True)]
    for place, horizon in enumerate(answer["times"]):
        null = np.full(time.size, np.exp(-np.sum(np.array(steps)[curve.times <= horizon])))
        mine = [null, survival_at(cox, x, horizon)[:, 0]]
        theirs = [answer["value"][place], answer["value"][place + len(answer["times"])]]
        near([brier_at(time, event, s, horizon, together(time, event)).value for s in mine], theirs)


@pytest.mark.parametrize("key", SETS)
def test_figures_of_held_out_cases_equal_those_of_r(survival_answers, tables, key):
    answer = survival_answers[f"{key}.test_figures"]
    cox, x, time, event = modeled(tables, key, survival_answers)
    assert (cox.n, time.size) == (answer["n_train"], answer["n_test"])
    c = harrell_c(time, event, cox.score(x))
    near([c.value, c.se], [answer["harrell_c"], answer["harrell_c_se"]])
    survival = survival_at(cox, x, answer["times"])
    found = held_out_calibration(cox.score(x), survival, time, event, answer["times"])
    near([found.slope, found.slope_se], [answer["calibration_slope"], answer["calibration_slope_se"]])
    near(found.expected, answer["expected_survival"])
    near(found.observed.survival, answer["observed_survival"])
