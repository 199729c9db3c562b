"""Tests of groups and of correlation: hand sums, published tables, laws, and R."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PDL1PredictorLib.statistics.correlation import pearson, spearman
from PDL1PredictorLib.statistics.groups import benjamini_hochberg, chi_square, fisher, mann_whitney

FEATURES = [f"x{n}" for n in range(8)]
SAMPLES = st.lists(st.integers(-20, 20), min_size=1, max_size=15)


def test_the_pairs_are_counted_and_p_is_exact_for_few():
    # 3 and 5 against 1, 2, 4: 2 + 3 pairs won. Of the 10 orders, 2 have u <= 1, and as many u >= 5.
    assert mann_whitney([3, 5], [1, 2, 4]) == pytest.approx((5, 5 / 6, 0.4))


def test_equal_values_do_not_differ():
    assert mann_whitney([2, 2, 2], [2, 2]) == (3.0, 0.5, 1.0)


@given(SAMPLES, SAMPLES)
def test_exchanging_the_groups_mirrors_the_chance(a, b):
    there, back = mann_whitney(a, b), mann_whitney(b, a)
    assert there.u + back.u == len(a) * len(b)
    assert there.superiority == pytest.approx(1 - back.superiority)
    assert there.p == pytest.approx(back.p)
    assert 0 <= there.p <= 1


@pytest.mark.real_data
@pytest.mark.parametrize("feature", FEATURES)
def test_mann_whitney_agrees_with_r(r_cases, r_answers, feature):
    # R was given the formula feature ~ y, so its first group is y = 0.
    values, positive = r_cases[feature], r_cases["y"] == 1
    result = mann_whitney(values[~positive], values[positive])
    assert (result.u, result.p) == pytest.approx(r_answers[f"syn.{feature}.wilcox.W_p"], abs=1e-9)


@pytest.mark.real_data
def test_the_adjusted_p_agree_with_r(r_cases, r_answers):
    positive = r_cases["y"] == 1
    p = [mann_whitney(r_cases[name][positive], r_cases[name][~positive]).p for name in FEATURES]
    assert benjamini_hochberg(p) == pytest.approx(r_answers["syn.x.BH"], abs=1e-9)


def test_the_adjusted_p_are_made_by_hand():
    # 0.01 x 4/1; 0.04 x 4/3 and 0.03 x 4/2 share the smaller; 0.5 stays.
    assert benjamini_hochberg([0.04, 0.01, 0.5, 0.03]) == pytest.approx([0.04 * 4 / 3, 0.04, 0.5, 0.04 * 4 / 3])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_adjusting_never_lowers_nor_reorders(p):
    adjusted = benjamini_hochberg(p)
    assert (adjusted >= np.array(p) - 1e-12).all()
    assert (adjusted <= 1).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= -1e-12).all()


def test_chi_square_of_a_published_table():
    # Agresti 2007, "An Introduction to Categorical Data Analysis", p. 39: party by gender; the help of R's chisq.test.
    result = chi_square([[762, 327, 468], [484, 239, 477]])
    assert (round(result.statistic, 2), result.df) == (30.07, 2)
    assert result.p == pytest.approx(2.954e-07, rel=1e-3)


def test_chi_square_of_a_small_table_is_made_by_hand():
    # Expected 2, 2, 2, 2: each cell is off by 1, with the correction by 1/2.
    assert chi_square([[3, 1], [1, 3]], yates=False)[:2] == pytest.approx((4 * 1 / 2, 1))
    corrected = chi_square([[3, 1], [1, 3]])
    assert (corrected.statistic, corrected.smallest_expected) == pytest.approx((4 * 0.25 / 2, 2))


def test_fishers_tea_is_made_by_hand():
    # 8 cups, margins of 4: k right ones in 1, 16, 36, 16, 1 of 70 ways, times odds^k under that odds ratio.
    def chances(odds):
        weights = np.array([1, 16, 36, 16, 1]) * odds ** np.arange(5.0)
        return weights / weights.sum()

    result = fisher([[3, 1], [1, 3]])
    assert result.p == pytest.approx(34 / 70)
    assert chances(result.odds_ratio) @ np.arange(5) == pytest.approx(
        3, abs=1e-6
    )  # the likeliest odds expect what came
    assert chances(result.interval[0])[3:].sum() == pytest.approx(0.025, abs=1e-6)
    assert chances(result.interval[1])[:4].sum() == pytest.approx(0.025, abs=1e-6)


def test_an_empty_cell_has_an_infinite_odds_ratio():
    result = fisher([[5, 0], [1, 4]])
    assert result.odds_ratio == math.inf
    assert result.interval[1] == math.inf


@settings(max_examples=25)
@given(st.lists(st.integers(1, 30), min_size=4, max_size=4))
def test_turning_a_table_around_changes_no_p(cells):
    table = np.reshape(cells, (2, 2))
    assert chi_square(table.T).p == pytest.approx(chi_square(table).p)
    assert fisher(table.T).p == pytest.approx(fisher(table).p)
    assert fisher(table[::-1]).odds_ratio == pytest.approx(1 / fisher(table).odds_ratio, rel=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mann_whitney([], [1]), "a must be a row of at least 1 numbers"),
        (lambda: mann_whitney([1], [math.nan]), "b must be finite"),
        (lambda: benjamini_hochberg([0.5, 1.5]), "p must lie between 0 and 1, they run from 0.5 to 1.5"),
        (lambda: chi_square([[1, 2]]), "at least two rows and two columns"),
        (lambda: chi_square([[1, 2], [0, 0]]), "Every row and column of the table needs a case"),
        (lambda: chi_square([[1, -2], [3, 4]]), "must hold counts"),
        (lambda: chi_square([[1, 2.5], [3, 4]]), "must hold counts"),
        (lambda: fisher([[1, 2, 3], [3, 4, 5]]), "two by two tables, got the shape \\(2, 3\\). Use chi_square"),
        (lambda: fisher([[1, 0], [3, 0]]), "Every row and column of the table needs a case"),
        (lambda: fisher([[1, 2], [3, 4]], confidence=0), "confidence must lie between 0 and 1"),
        (lambda: pearson([1, 2, 3], [1, 2, 3]), "x must be a row of at least 4 numbers"),
        (lambda: pearson([1, 2, 3, 4], [1, 2, 3]), "y must be 4 numbers"),
        (lambda: spearman([1, 2, 3, 4], [1, 1, 1, 1]), "y has one value only"),
        (lambda: spearman([1, 2, 3, 4], [1, 2, 4, 3], confidence=2), "confidence must lie between 0 and 1"),
    ],
)
def test_what_cannot_be_tested_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_correlation_is_made_by_hand():
    # Deviations -1.5 ... 1.5 and -1.5, 0.5, -0.5, 1.5: covariance 4, variances 5. Ranks are the values.
    for function in (pearson, spearman):
        assert function([1, 2, 3, 4], [1, 3, 2, 4]).value == pytest.approx(0.8)
    assert pearson([1, 2, 3, 4], [1, 3, 2, 4]).interval == pytest.approx(
        (math.tanh(math.atanh(0.8) - 1.959964), math.tanh(math.atanh(0.8) + 1.959964))
    )
    wider = 1.959964 * math.sqrt(1 + 0.32)
    assert spearman([1, 2, 3, 4], [1, 3, 2, 4]).interval[0] == pytest.approx(math.tanh(math.atanh(0.8) - wider))


def test_a_straight_line_is_certain():
    for function in (pearson, spearman):
        result = function([1, 2, 3, 4], [-2, -4, -6, -8])
        assert (result.value, result.interval) == (-1.0, (-1.0, -1.0))


def test_ranks_do_not_mind_a_growing_transform():
    x, y = np.random.default_rng(1).normal(size=(2, 30))
    assert spearman(np.exp(3 * x), y) == spearman(x, y)
    assert pearson(2 * x + 1, -y).value == pytest.approx(-pearson(x, y).value)


@pytest.mark.real_data
def test_correlation_agrees_with_r(r_cases, r_answers):
    r, p = r_answers["syn.pearson_x0_x7.r_p"]
    result = pearson(r_cases["x0"], r_cases["x7"])
    assert result.value == pytest.approx(r, abs=1e-11)
    assert result.p == pytest.approx(p, rel=1e-9, abs=0)
    assert spearman(r_cases["x0"], r_cases["x7"]).value == pytest.approx(r_answers["syn.spearman_x0_x7"][0], abs=1e-10)
