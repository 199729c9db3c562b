"""R's answers about curves and groups, to 1e-8."""

import numpy as np
import pytest
from survival_oracle import of_theme

from PDL1PredictorLib.statistics.survival.cox import fit_cox
from PDL1PredictorLib.statistics.survival.curves import kaplan_meier, median_follow_up
from PDL1PredictorLib.statistics.survival.hazard_ratios import overall_tests
from PDL1PredictorLib.statistics.survival.log_rank import log_rank


def near(mine, theirs):
    theirs = np.array([np.nan if value is None else value for value in np.ravel(np.asarray(theirs, dtype=object))])
    np.testing.assert_allclose(np.ravel(np.asarray(mine, float)), theirs.astype(float), rtol=1e-8, atol=1e-8)


def groups(tables, key):
    """Times and events of each group that a key names, in R's order."""
    data, by = key.split(".")[:2]
    table = tables[data]
    values = np.zeros(table["time"].size) if by == "all" else table[by]
    return [(table["time"][values == value], table["event"][values == value]) for value in np.unique(values)]


def per_group(answer, field, n_groups):
    return np.asarray(np.ravel(np.asarray(answer[field], dtype=object))).reshape(n_groups, -1)


def test_curves_at_some_times_equal_those_of_r(survival_answers, tables):
    for _, key, answer in of_theme(survival_answers, "curve"):
        if ".km.survival." not in key:
            continue
        parts = groups(tables, key)
        for number, (time, event) in enumerate(parts):
            at = kaplan_meier(time, event, key.rpartition(".")[2]).at(per_group(answer, "time", len(parts))[number])
            for field in ("at_risk", "survival", "std_err", "low", "high"):
                near(getattr(at, field), per_group(answer, field, len(parts))[number])


def test_medians_and_quartiles_equal_those_of_r(survival_answers, tables):
    for _, key, answer in of_theme(survival_answers, "curve"):
        if ".km.median." not in key and ".km.quartiles." not in key:
            continue
        parts = groups(tables, key)
        field, shares = ("time", answer["shares"]) if "quartiles" in key else ("median", [0.5])
        for number, (time, event) in enumerate(parts):
            curve = kaplan_meier(time, event, key.rpartition(".")[2])
            for place, share in enumerate(shares):
                found = curve.quantile(share)
                expected = [per_group(answer, name, len(parts))[number][place] for name in (field, "low", "high")]
                near([found.time, *found.interval], expected)


def test_cumulative_hazards_equal_those_of_r(survival_answers, tables):
    for _, key, answer in of_theme(survival_answers, "curve"):
        if not key.endswith("na.cumulative_hazard"):
            continue
        parts = groups(tables, key)
        for number, (time, event) in enumerate(parts):
            found = kaplan_meier(time, event).cumulative_hazard(per_group(answer, "time", len(parts))[number])
            near(found[0], per_group(answer, "value", len(parts))[number])
            near(found[1], per_group(answer, "std_err", len(parts))[number])


def test_restricted_means_equal_those_of_r(survival_answers, tables):
    for _, key, answer in of_theme(survival_answers, "curve"):
        if not key.endswith("rmst"):
            continue
        found = [kaplan_meier(time, event).restricted_mean(answer["tau"]) for time, event in groups(tables, key)]
        near([mean.value for mean in found], answer["rmst"])
        near([mean.se for mean in found], answer["std_err"])
        if "difference" in answer:
            near(found[0].value - found[1].value, answer["difference"])
            near(np.hypot(found[0].se, found[1].se), answer["difference_std_err"])


def test_the_median_follow_up_equals_that_of_r(survival_answers, tables):
    for data, key, answer in of_theme(survival_answers, "curve"):
        if ".follow_up." in key:
            near(median_follow_up(tables[data]["time"], tables[data]["event"]).time, answer)


@pytest.mark.parametrize(("test", "rho"), [("logrank", 0), ("peto_peto", 1)])
def test_comparisons_of_groups_equal_those_of_r(survival_answers, tables, test, rho):
    for data, key, answer in of_theme(survival_answers, "groups"):
        if not key.endswith(test):
            continue
        by, _, strata = key.split(".")[1].partition("_strata_")
        table = tables[data]
        found = log_rank(table["time"], table["event"], table[by], table[strata] if strata else None, rho)
        for field, theirs in (("n", "n"), ("observed", "observed"), ("expected", "expected"), ("statistic", "chisq")):
            near(getattr(found, field), answer[theirs])
        near([found.df, found.p], [answer["df"], answer["p"]])


def test_a_trend_equals_that_of_r(survival_answers, tables):
    answer, table = survival_answers["lung1.stage.trend_score_test"], tables["lung1"]
    place = np.unique(table["stage"], return_inverse=True)[1]
    near(
        overall_tests(fit_cox(place, table["time"], table["event"])).score, [answer["chisq"], answer["df"], answer["p"]]
    )
