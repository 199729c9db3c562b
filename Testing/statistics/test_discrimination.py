"""AUC, DeLong, the table at a threshold: hand sums, laws, and R's pROC."""

import csv
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import t as student

from PDL1PredictorLib.statistics.discrimination import (
    auc,
    confusion,
    delong_test,
    delong_test_unpaired,
    sensitivity_threshold,
    youden_threshold,
)

LABELS = np.array([1, 1, 0, 0, 0])
SCORES = np.array([4.0, 2.0, 1.0, 2.0, 3.0])  # the six pairs: 3 won by the 4; by the 2 one won, one tied, one lost


@st.composite
def scored_cases(draw, minimum=1):
    n_positive, n_negative = draw(st.integers(minimum, 12)), draw(st.integers(minimum, 12))
    labels = np.array([1] * n_positive + [0] * n_negative)
    scores = draw(st.lists(st.integers(-5, 5), min_size=labels.size, max_size=labels.size))
    return labels, np.array(scores, float)


def pair_count(labels, scores):
    gap = scores[labels == 1][:, None] - scores[labels == 0][None, :]
    return float(((gap > 0) + 0.5 * (gap == 0)).mean())


def test_the_area_is_the_share_of_pairs_in_the_right_order():
    result = auc(LABELS, SCORES)
    assert result.value == pytest.approx(4.5 / 6)
    assert (result.n_positive, result.n_negative) == (2, 3)


def test_the_interval_is_delongs_by_hand():
    # Placements: positives 3/3 and 1.5/3, variance 0.125; negatives 1, 0.75 and 0.5, variance 0.0625.
    half = 1.959963984540054 * math.sqrt(0.125 / 2 + 0.0625 / 3)
    assert auc(LABELS, SCORES).interval == pytest.approx((0.75 - half, min(1.0, 0.75 + half)))


def test_a_single_case_of_an_outcome_leaves_the_interval_open():
    assert auc([1, 0, 0], [0.5, 0.1, 0.9]).interval == (0.0, 1.0)


def test_a_perfect_area_has_no_spread():
    assert auc([0, 0, 1, 1], [1, 2, 3, 4])[:2] == (1.0, (1.0, 1.0))


@given(scored_cases())
def test_the_area_equals_the_pairwise_count(cases):
    assert auc(*cases).value == pytest.approx(pair_count(*cases), abs=1e-12)


@given(scored_cases())
def test_turning_labels_or_scores_around_gives_the_complement(cases):
    labels, scores = cases
    there = auc(labels, scores)
    for back in (auc(1 - labels, scores), auc(labels, -scores)):
        assert back.value == pytest.approx(1 - there.value, abs=1e-12)
        assert back.interval == pytest.approx((1 - there.interval[1], 1 - there.interval[0]), abs=1e-12)


@given(scored_cases(), st.randoms(use_true_random=False))
def test_neither_the_order_of_the_cases_nor_a_growing_transform_matters(cases, random):
    labels, scores = cases
    order = list(range(labels.size))
    random.shuffle(order)
    there, back = auc(labels, scores), auc(labels[order], np.exp(scores[order]))
    assert back.value == pytest.approx(there.value)
    assert back.interval == pytest.approx(there.interval)


@given(scored_cases(minimum=2), st.integers(0, 2**32 - 1))
def test_exchanging_two_scores_turns_the_test_around(cases, seed):
    labels, a = cases
    b = a + np.random.default_rng(seed).normal(size=a.size)
    there, back = delong_test(labels, a, b), delong_test(labels, b, a)
    assert there.difference == pytest.approx(-back.difference)
    assert there.z == pytest.approx(-back.z)
    assert there.p == pytest.approx(back.p)
    assert there.difference == pytest.approx(pair_count(labels, a) - pair_count(labels, b))


def test_a_score_does_not_differ_from_itself():
    assert delong_test(LABELS, SCORES, 2 * SCORES + 1) == (0.0, (0.0, 0.0), 0.0, 1.0)


def test_a_difference_without_spread_is_certain():
    assert delong_test([0, 0, 1, 1], [1, 2, 3, 4], [4, 3, 2, 1]) == (1.0, (1.0, 1.0), math.inf, 0.0)


def test_areas_of_different_cases_are_compared_by_hand():
    # Variance of the first 0.125 / 2 + 0.0625 / 3 (above); the second: placements of its positives 1, 0.5 and of its
    # negatives 1, 0.5, whose variances are both 0.125.
    first, second = 0.125 / 2 + 0.0625 / 3, 0.125 / 2 + 0.125 / 2
    result = delong_test_unpaired(LABELS, SCORES, [1, 1, 0, 0], [4.0, 2.0, 1.0, 3.0])
    assert result.difference == pytest.approx(0.75 - 0.75)
    other = delong_test_unpaired(LABELS, SCORES, [1, 1, 0, 0], [-4.0, -2.0, -1.0, -3.0])
    assert other.difference == pytest.approx(0.75 - 0.25)
    assert other.t == pytest.approx(0.5 / math.sqrt(first + second))
    assert other.df == pytest.approx((first + second) ** 2 / (first**2 / 4 + second**2 / 3))
    assert 2 * student.sf(other.t, other.df) == pytest.approx(other.p)
    assert student.ppf(0.975, other.df) * 0.5 / other.t == pytest.approx(other.interval[1] - 0.5)


@given(scored_cases(minimum=2), scored_cases(minimum=2))
def test_exchanging_two_hospitals_turns_the_test_around(here, elsewhere):
    there, back = delong_test_unpaired(*here, *elsewhere), delong_test_unpaired(*elsewhere, *here)
    assert there.difference == pytest.approx(-back.difference)
    assert there.t == pytest.approx(-back.t)
    assert there.p == pytest.approx(back.p)
    assert there.interval == pytest.approx((-back.interval[1], -back.interval[0]))


def test_perfect_areas_of_different_cases_are_equal_or_certainly_different():
    perfect, wrong = ([0, 0, 1, 1], [1, 2, 3, 4]), ([0, 0, 1, 1], [4, 3, 2, 1])
    assert delong_test_unpaired(*perfect, *perfect) == (0.0, (0.0, 0.0), 0.0, math.inf, 1.0)
    assert delong_test_unpaired(*perfect, *wrong) == (1.0, (1.0, 1.0), math.inf, math.inf, 0.0)


def test_the_table_counts_a_score_at_the_threshold_as_positive():
    table = confusion(LABELS, SCORES, threshold=2.0)
    assert table[:4] == (2, 2, 1, 0)
    assert table.accuracy == pytest.approx(3 / 5)
    assert (table.sensitivity, table.specificity) == pytest.approx((1.0, 1 / 3))
    assert (table.ppv, table.npv) == pytest.approx((0.5, 1.0))
    assert table.f1 == pytest.approx(2 / 3)


def test_a_share_of_no_calls_is_not_a_number():
    nobody, everybody = confusion(LABELS, SCORES, 9.0), confusion(LABELS, SCORES, 0.0)
    assert math.isnan(nobody.ppv)
    assert math.isnan(everybody.npv)
    assert nobody.f1 == 0.0


@given(scored_cases())
def test_the_counts_add_up_to_the_cases(cases):
    labels, scores = cases
    table = confusion(labels, scores, 0.0)
    assert table.true_positive + table.false_negative == labels.sum()
    assert table.true_negative + table.false_positive == (1 - labels).sum()


def test_the_threshold_lies_halfway_between_scores():
    assert youden_threshold([0, 0, 1, 1], [1.0, 2.0, 5.0, 6.0]) == 3.5


def test_of_equally_good_thresholds_the_most_sensitive_is_taken():
    assert youden_threshold([0, 1, 0, 1], [1.0, 2.0, 3.0, 4.0]) == 1.5  # 3.5 gains as much


def test_scores_that_say_nothing_call_every_case_positive():
    assert youden_threshold([0, 1, 0], [0.3, 0.3, 0.3]) == 0.3


def test_neighboring_floats_are_still_parted():
    low, high = 1.0, np.nextafter(1.0, 2.0)
    assert confusion([0, 1], [low, high], youden_threshold([0, 1], [low, high])).accuracy == 1.0


@given(scored_cases())
def test_no_threshold_beats_youdens(cases):
    def gain(threshold):
        table = confusion(*cases, threshold)
        return table.sensitivity + table.specificity

    best = gain(youden_threshold(*cases))
    assert all(gain(threshold) <= best + 1e-9 for threshold in np.arange(-6, 7))


@pytest.mark.parametrize(
    ("labels", "scores", "message"),
    [
        ([0, 1, 2], [1, 2, 3], "labels must be 0 or 1, got"),
        ([0, 1, math.nan], [1, 2, 3], "labels must be 0 or 1, got"),
        ([[0, 1]], [[1, 2]], "labels must be one row"),
        ([1, 1], [1, 2], "Both outcomes are needed, got 2 positive and 0 negative"),
        ([0, 1], [1, 2, 3], "scores must be 2 numbers"),
        ([0, 1], [1, math.nan], "scores must be finite, 1 of 2 are not"),
    ],
)
@pytest.mark.parametrize("statistic", [auc, youden_threshold, lambda labels, scores: confusion(labels, scores, 0.5)])
def test_labels_and_scores_are_checked(statistic, labels, scores, message):
    with pytest.raises(ValueError, match=message):
        statistic(labels, scores)


def test_two_areas_need_two_cases_of_each_outcome():
    with pytest.raises(ValueError, match="At least two cases of each outcome"):
        delong_test([1, 0, 0], [1, 2, 3], [3, 2, 1])
    with pytest.raises(ValueError, match="At least two cases of each outcome"):
        delong_test_unpaired(LABELS, SCORES, [1, 0, 0], [1, 2, 3])
    with pytest.raises(ValueError, match="scores must be 5 numbers"):
        delong_test_unpaired(LABELS, SCORES[:4], LABELS, SCORES)


def test_a_threshold_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="threshold must be a number"):
        confusion(LABELS, SCORES, math.nan)


@pytest.fixture(scope="module")
def oracle(shared):
    return json.loads((shared / "oracle" / "oracle_R.json").read_text(encoding="utf-8"))


def columns(path):
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([float(row[name]) for row in rows]) for name in rows[0]}


@pytest.fixture(scope="module")
def synthetic(shared):
    table = columns(shared / "oracle" / "synthetic120.csv")
    return {"labels": table["y"], **table}


@pytest.fixture(scope="module")
def delong1988(shared):
    table = columns(shared / "oracle" / "delong1988.csv")
    return {"labels": table["popind"], **table}


@pytest.mark.real_data
@pytest.mark.parametrize("score", ["p1", "p2"])
def test_the_synthetic_areas_agree_with_proc(synthetic, oracle, score):
    low, value, high = oracle[f"syn.{score}.ci_delong"]
    result = auc(synthetic["labels"], synthetic[score])
    assert (result.interval[0], result.value, result.interval[1]) == pytest.approx((low, value, high), abs=1e-11)


@pytest.mark.real_data
@pytest.mark.parametrize("score", ["kg", "alb", "tp"])
def test_the_published_areas_agree_with_proc(delong1988, oracle, score):
    low, value, high = oracle[f"delong1988.{score}.ci"]
    result = auc(delong1988["labels"], delong1988[score])
    assert (result.interval[0], result.value, result.interval[1]) == pytest.approx((low, value, high), abs=1e-11)


@pytest.mark.real_data
def test_the_synthetic_comparison_agrees_with_proc(synthetic, oracle):
    result = delong_test(synthetic["labels"], synthetic["p1"], synthetic["p2"])
    assert result.z == pytest.approx(oracle["syn.p1_vs_p2.Z"][0], abs=1e-9)
    assert result.p == pytest.approx(oracle["syn.p1_vs_p2.p"][0], abs=1e-9)
    assert result.interval == pytest.approx(oracle["syn.p1_vs_p2.ci"], abs=1e-9)


@pytest.mark.real_data
@pytest.mark.parametrize(("a", "b"), [("kg", "alb"), ("kg", "tp"), ("alb", "tp")])
def test_the_published_comparisons_agree_with_proc(delong1988, oracle, a, b):
    result = delong_test(delong1988["labels"], delong1988[a], delong1988[b])
    assert (result.z, result.p) == pytest.approx(oracle[f"delong1988.{a}_vs_{b}.Z_p"], abs=1e-9)


@pytest.mark.real_data
def test_areas_of_different_cases_agree_with_the_variances_of_proc(synthetic, delong1988, oracle):
    result = delong_test_unpaired(synthetic["labels"], synthetic["p1"], delong1988["labels"], delong1988["kg"])
    here, there = oracle["syn.p1.var"][0], oracle["delong1988.kg.se"][0] ** 2
    difference = oracle["syn.p1.ci_delong"][1] - oracle["delong1988.kg.ci"][1]
    assert result.t == pytest.approx(difference / math.sqrt(here + there), abs=1e-9)
    assert result.df == pytest.approx((here + there) ** 2 / (here**2 / 119 + there**2 / 42), abs=1e-6)


@pytest.mark.parametrize(("sensitivity", "expected"), [(0.25, 0.9), (0.5, 0.7), (0.9, 0.2), (1.0, 0.2)])
def test_the_threshold_of_a_sensitivity_by_hand(sensitivity: float, expected: float):
    labels = np.array([1, 1, 0, 1, 0, 1])
    p = np.array([0.9, 0.7, 0.65, 0.6, 0.3, 0.2])
    assert sensitivity_threshold(labels, p, sensitivity) == expected


@pytest.mark.parametrize("sensitivity", [0.0, 1.1, float("nan")])
def test_a_sensitivity_that_is_no_share_is_refused(sensitivity: float):
    with pytest.raises(ValueError, match="must be above 0 and at most 1"):
        sensitivity_threshold([0, 1], [0.1, 0.9], sensitivity)
