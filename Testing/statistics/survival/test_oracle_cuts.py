"""R's answers about the best cut, to 1e-8; Monte Carlo ones to 0.01."""

import numpy as np
import pytest
from scipy import stats
from survival_oracle import of_theme

from PDL1PredictorLib.statistics.survival.best_cut import best_cut, scan_cuts
from PDL1PredictorLib.statistics.survival.cox import fit_cox
from PDL1PredictorLib.statistics.survival.hazard_ratios import hazard_ratios
from PDL1PredictorLib.statistics.survival.max_rank import exact_max_rank, max_rank


def near(mine, theirs):
    np.testing.assert_allclose(np.asarray(mine, float), np.asarray(theirs, float), rtol=1e-8, atol=1e-8)


def answers_of(survival_answers, tables, kind):
    for data, key, answer in of_theme(survival_answers, "cut"):
        if key.endswith(f".{kind}"):
            table = tables[data]
            yield answer, table[key.split(".")[1]], table["time"], table["event"]


def test_the_largest_log_rank_cut_equals_that_of_r(survival_answers, tables):
    for answer, x, time, event in answers_of(survival_answers, tables, "largest_logrank_cut"):
        found = best_cut(x, time, event, np.random.default_rng(1), 400, answer["minprop"])
        assert (found.scan.cuts.size, found.n_high) == (answer["n_cuts"], answer["n_high"])
        near([found.cut, found.statistic], [answer["cut"], answer["chisq"]])
        near(found.p_naive, answer["p_naive"])
        ratio = hazard_ratios(fit_cox(x > found.cut, time, event))[0]
        near([ratio.value, *ratio.interval], answer["hr_naive"])
        # two draws of permutations differ by chance
        spread = np.sqrt(found.p_permutation * (1 - found.p_permutation) * (1 / 400 + 1 / answer["permutations"]))
        assert abs(found.p_permutation - answer["p_permutation"]) < 0.01 + 2 * spread


def test_the_largest_log_rank_cut_without_a_smallest_share_equals_that_of_r(survival_answers, tables):
    for answer, x, time, event in answers_of(survival_answers, tables, "largest_logrank_cut_any"):
        scan = scan_cuts(x, time, event, smallest_share=0.05)
        place = scan.statistic.argmax()
        near(
            [scan.cuts[place], scan.statistic[place], scan.n_high[place]],
            [answer["cut"], answer["chisq"], answer["n_high"]],
        )


def test_maximally_selected_rank_statistics_equal_those_of_r(survival_answers, tables):
    for answer, x, time, event in answers_of(survival_answers, tables, "maxstat"):
        found = max_rank(x, time, event, answer["minprop"])
        near([found.cut, found.p_1992, found.p_1994], [answer["cut"], answer["p_Lau92"], answer["p_Lau94"]])
        if "p_HL" in answer:  # there, M is that of rounded scores
            exact = exact_max_rank(x, time, event, answer["minprop"])
            near([exact.statistic, exact.p], [answer["M"], answer["p_HL"]])
        else:
            near(found.statistic, answer["M"])


def test_the_older_answers_of_r_about_cuts_hold_too(r_answers, r_cases):
    x, time, event = r_cases["x0"], r_cases["time"], r_cases["event"]
    found = max_rank(x, time, event)
    older = r_answers["syn.maxstat_x0"]
    assert [round(found.cut, 5), round(found.statistic, 6)] == [older["cut"], older["M"]]
    assert found.p_1994 == pytest.approx(older["p_Lau94"], rel=1e-6)
    assert found.p_1992 == pytest.approx(r_answers["syn.maxstat_x0.p_Lau92"][0], rel=1e-6)
    scan = scan_cuts(x, time, event)
    at_cut = scan.statistic[np.flatnonzero(np.isclose(scan.cuts, found.cut))[0]]
    np.testing.assert_allclose([at_cut, stats.chi2.sf(at_cut, 1)], r_answers["syn.maxstat_x0.logrank_naive"], rtol=1e-6)
    place = scan.statistic.argmax()
    np.testing.assert_allclose(
        [scan.cuts[place], scan.statistic[place]], r_answers["syn.xtile_scan_x0.cut_chisq"], rtol=1e-6
    )
