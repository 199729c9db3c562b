"""R's answers about Cox models and concordance, to 1e-8."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from survival_oracle import N_ANSWERS, THEMES, of_theme

from PDL1PredictorLib.statistics.survival.concordance import compare_c, harrell_c, uno_c
from PDL1PredictorLib.statistics.survival.cox import fit_cox, fit_stratified
from PDL1PredictorLib.statistics.survival.hazard_ratios import hazard_ratios, nested_test, overall_tests


def near(mine, theirs):
    np.testing.assert_allclose(np.asarray(mine, float), np.asarray(theirs, float), rtol=1e-8, atol=1e-8)


def columns(table, terms):
    return np.column_stack([table[name] for name in np.atleast_1d(terms)])


def linear_predictor(tables, data, answers):
    terms = answers[f"{data}.cox.efron"]["terms"]
    x, table = columns(tables[data], terms), tables[data]
    return fit_cox(x, table["time"], table["event"]).score(x)


def test_every_answer_has_one_theme(survival_answers):
    assert len(survival_answers) == N_ANSWERS
    for key in survival_answers:
        assert len([theme for theme, pattern in THEMES.items() if re.search(pattern, key)]) == 1, key


def test_models_equal_those_of_r(survival_answers, tables):
    for data, key, answer in of_theme(survival_answers, "cox"):
        if key.endswith(("strata_stage", "nested_lr_test")):
            continue
        table = tables[data]
        x = columns(table, answer["terms"])
        fit = fit_cox(x, table["time"], table["event"], key.rpartition(".")[2])
        assert (fit.n, fit.events) == (answer["n"], answer["events"])
        near(fit.coef, np.atleast_1d(answer["coef"]))
        near(fit.se, np.atleast_1d(answer["se"]))
        near(fit.loglik, answer["loglik"])
        near(-2 * fit.loglik[1] + 2 * fit.coef.size, answer["aic"])
        ratios = hazard_ratios(fit)
        near([r.value for r in ratios], np.atleast_1d(answer["hr"]))
        near([r.interval for r in ratios], np.column_stack([answer["low"], answer["high"]]))
        # R stops where the likelihood gains less than 1e-9 of itself: its coefficients are up to 2e-9 off, its z more
        ratios = hazard_ratios(replace(fit, coef=np.atleast_1d(answer["coef"])))
        near([r.z for r in ratios], np.atleast_1d(answer["z"]))
        near([r.p for r in ratios], np.atleast_1d(answer["p"]))
        tests = overall_tests(fit)
        near(tests.likelihood_ratio, answer["lr"])
        near(tests.score, answer["score"])
        assert [round(tests.wald.statistic, 2), tests.wald.df] == answer["wald"][:2]  # R prints two digits
        near(tests.wald.p, answer["wald"][2])
        c = harrell_c(table["time"], table["event"], fit.score(x))
        near([c.value, c.se], [answer["concordance"], answer["concordance_se"]])


def test_a_stratified_model_equals_that_of_r(survival_answers, tables):
    answer, table = survival_answers["lung1.cox.efron.strata_stage"], tables["lung1"]
    x = columns(table, answer["terms"])
    fit = fit_stratified(x, table["time"], table["event"], table["stage"])
    near(fit.coef, answer["coef"])
    near(fit.se, answer["se"])
    near(fit.loglik, answer["loglik"])
    near(overall_tests(fit).likelihood_ratio, answer["lr"])
    c = harrell_c(table["time"], table["event"], fit.score(x), strata=table["stage"])
    near([c.value, c.se], answer["concordance"])


def test_what_a_covariate_adds_equals_that_of_r(survival_answers, tables):
    answer, table = survival_answers["lung1.cox.nested_lr_test"], tables["lung1"]
    terms = survival_answers["lung1.cox.efron"]["terms"]
    larger = fit_cox(columns(table, terms), table["time"], table["event"])
    smaller = fit_cox(columns(table, [t for t in terms if t != answer["added"]]), table["time"], table["event"])
    near(nested_test(smaller, larger), [answer["chisq"], answer["df"], answer["p"]])
    with pytest.raises(ValueError, match="more covariates"):
        nested_test(larger, smaller)


def test_every_concordance_equals_that_of_r(survival_answers, tables):
    for data, key, answer in of_theme(survival_answers, "concordance"):
        if key.endswith("difference"):
            continue
        _, name, method, *rest = key.split(".")
        table = tables[data]
        score = linear_predictor(tables, data, survival_answers) if name == "lp" else table[name]
        until = float(rest[0].removeprefix("ymax_")) if rest else math.inf
        c = {"harrell_c": harrell_c, "uno_c": uno_c}[method](table["time"], table["event"], score, until)
        near([c.value, c.se], [answer["value"], answer["se"]])
        counts = answer["counts"]
        mine = [c.concordant, c.discordant, c.tied_score, c.tied_time]
        near(mine, [counts[key] for key in ("concordant", "discordant", "tied.x", "tied.y")])


@pytest.mark.parametrize(("data", "first", "second"), [("syn", "x0", "x1"), ("lung1", "lp", "logd")])
def test_a_difference_of_two_scores_equals_that_of_r(survival_answers, tables, data, first, second):
    answer, table = survival_answers[f"{data}.{first}_vs_{second}.harrell_c_difference"], tables[data]
    scores = [
        linear_predictor(tables, data, survival_answers) if name == "lp" else table[name] for name in (first, second)
    ]
    found = [harrell_c(table["time"], table["event"], score) for score in scores]
    near([c.value for c in found], answer["c"])
    near(found[0].influence @ found[1].influence, answer["covariance"][0][1])
    difference = compare_c(*found)
    near([difference.value, difference.se, difference.p], [answer["difference"], answer["se"], answer["p"]])
