"""R's answers about predictions, residuals, proportional hazards and Weibull models, to 1e-8."""

from dataclasses import replace

import numpy as np
import pytest
from survival_oracle import of_theme

from PDL1PredictorLib.statistics.survival.cox import fit_cox, survival_at
from PDL1PredictorLib.statistics.survival.cox_cases import martingale_residuals, predict_with_interval
from PDL1PredictorLib.statistics.survival.proportional import proportional_hazards
from PDL1PredictorLib.statistics.survival.weibull import fit_weibull


def near(mine, theirs):
    np.testing.assert_allclose(np.asarray(mine, float), np.asarray(theirs, float), rtol=1e-8, atol=1e-8)


def fitted(tables, key, answers):
    """Covariates, times and events of the model that a key names."""
    data = key.split(".")[0]
    name = key.partition(".cox")[0]
    table = tables[data]
    x = np.column_stack([table[term] for term in np.atleast_1d(answers[f"{name}.cox.efron"]["terms"])])
    return x, table["time"], table["event"]


def as_r_left_it(cox, key, answers):
    """The model with R's coefficients, which are up to 1e-8 short of the highest likelihood, as R stops early."""
    coef = np.atleast_1d(answers[f"{key.partition('.cox')[0]}.cox.efron"]["coef"])
    near(cox.coef, coef)
    return replace(cox, coef=coef)


def test_predictions_and_residuals_equal_those_of_r(survival_answers, tables):
    for _, key, answer in of_theme(survival_answers, "cox_curve"):
        x, time, event = fitted(tables, key, survival_answers)
        cox = fit_cox(x, time, event)
        kind = key.rpartition(".")[2]
        rows = np.asarray(answer.get("rows", [1])) - 1
        if kind == "predicted_survival":
            near(survival_at(cox, x[rows], answer["times"]).T, answer["survival"])
            found = predict_with_interval(cox, x, time, event, x[rows], answer["times"])
            near([values.T for values in found], [answer[name] for name in ("survival", "low", "high")])
        elif kind == "baseline_cumulative_hazard":
            near(-np.log(survival_at(cox, np.zeros((1, x.shape[1])), answer["times"]))[0], answer["value"])
        elif kind == "linear_predictor":
            near(x[rows] @ as_r_left_it(cox, key, survival_answers).coef, answer["value"])
        else:
            near(martingale_residuals(as_r_left_it(cox, key, survival_answers), x, time, event)[rows], answer["value"])
            assert abs(martingale_residuals(cox, x, time, event).sum()) < 1e-8


def test_the_test_of_proportional_hazards_equals_that_of_r(survival_answers, tables):
    for _, key, answer in of_theme(survival_answers, "proportional"):
        cases = fitted(tables, key, survival_answers)
        cox = as_r_left_it(fit_cox(*cases), key, survival_answers)
        each, together = proportional_hazards(cox, *cases, key.rpartition(".")[2])
        for field, theirs in (("statistic", "chisq"), ("df", "df"), ("p", "p")):
            near([getattr(test, field) for test in [*each, together]], answer[theirs])


def test_weibull_models_equal_those_of_r(survival_answers, tables):
    for data, _, answer in of_theme(survival_answers, "weibull"):
        table = tables[data]
        x = np.column_stack([table[term] for term in answer["terms"][1:]])
        found = fit_weibull(x, table["time"], table["event"])
        near(found.coef, answer["coef"])
        near(found.se, answer["se"])
        near([found.scale, *found.loglik], [answer["scale"], *answer["loglik"]])


def test_lifelines_is_no_substitute_here(survival_answers, tables):
    """Why it is a judge in the tests and no part of the library: should this fail, think again."""
    lifelines = pytest.importorskip("lifelines")
    pandas = pytest.importorskip("pandas")
    off, statistics = {}, {}
    for data in ("rossi", "voi"):
        answer, table = survival_answers[f"{data}.cox.efron"], tables[data]
        frame = pandas.DataFrame({name: table[name] for name in [*answer["terms"], "time", "event"]})
        model = lifelines.CoxPHFitter().fit(frame, "time", "event")
        off[data] = np.abs(model.params_.to_numpy() - answer["coef"]).max()
        test = lifelines.statistics.proportional_hazard_test(model, frame, time_transform="km")
        statistics[data] = dict(zip(answer["terms"], test.test_statistic, strict=True))
    assert off["rossi"] < 1e-8
    assert 1e-5 < off["voi"] < 1e-4
    theirs = survival_answers["rossi.cox_zph.km"]
    assert round(statistics["rossi"]["age"], 1) == 11.0
    assert round(theirs["chisq"][theirs["terms"].index("age")], 1) == 6.0
