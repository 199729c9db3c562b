"""ROC and decision curves: hand sums, laws, and R's figures."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from PDL1PredictorLib.statistics.curves import roc_curve
from PDL1PredictorLib.statistics.decision import decision_curve
from PDL1PredictorLib.statistics.discrimination import auc, confusion


@st.composite
def cases(draw):
    n_positive, n_negative = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    labels = np.array([1] * n_positive + [0] * n_negative)
    tenths = draw(st.lists(st.integers(0, 10), min_size=labels.size, max_size=labels.size))
    return labels, np.array(tenths) / 10


def test_the_curve_goes_through_every_threshold():
    curve = roc_curve([1, 1, 0, 0], [4.0, 2.0, 2.0, 1.0])
    assert curve.thresholds.tolist() == [math.inf, 4, 2, 1]
    assert curve.true_positive_rate.tolist() == [0, 0.5, 1, 1]
    assert curve.false_positive_rate.tolist() == [0, 0, 0.5, 1]


@given(cases())
def test_the_curve_encloses_the_area_and_agrees_with_the_table(data):
    curve = roc_curve(*data)
    assert np.trapezoid(curve.true_positive_rate, curve.false_positive_rate) == pytest.approx(auc(*data).value)
    assert (np.diff(curve.true_positive_rate) >= 0).all()
    assert (np.diff(curve.false_positive_rate) >= 0).all()
    for fpr, tpr, cut in zip(*curve, strict=True):
        table = confusion(*data, cut)
        assert (table.sensitivity, 1 - table.specificity) == pytest.approx((tpr, fpr))


def test_the_net_benefit_is_counted_by_hand():
    # At 0.5 two right and one wrong of four are treated, odds 1; at 0.2 all are, odds 1/4; at 0 all are, for nothing.
    curve = decision_curve([1, 1, 0, 0], [0.9, 0.6, 0.5, 0.3], [0.5, 0.2, 0.0])
    assert curve.model == pytest.approx([2 / 4 - 1 / 4, 2 / 4 - 2 / 4 / 4, 0.5])
    assert curve.treat_all == pytest.approx([0, 0.5 - 0.5 / 4, 0.5])
    assert curve.treat_none.tolist() == [0, 0, 0]


@given(cases())
def test_a_model_that_treats_all_or_none_has_their_benefit(data):
    labels, p = data
    curve = decision_curve(labels, p)
    everybody, nobody = curve.thresholds <= p.min(), curve.thresholds > p.max()
    assert curve.model[everybody] == pytest.approx(curve.treat_all[everybody])
    assert (curve.model[nobody] == 0).all()
    assert (curve.model <= labels.mean() + 1e-12).all()


def test_a_perfect_model_gains_the_prevalence_everywhere():
    assert decision_curve([1, 0, 0, 0], [1.0, 0.0, 0.0, 0.0]).model == pytest.approx(np.full(99, 0.25))


@pytest.mark.real_data
@pytest.mark.parametrize("score", ["p1", "p2"])
@pytest.mark.parametrize("cut", [0.1, 0.2, 0.3, 0.5])
def test_the_net_benefit_agrees_with_r(r_cases, r_answers, score, cut):
    result = decision_curve(r_cases["y"], r_cases[score], [cut])
    assert result.model[0] == pytest.approx(r_answers[f"syn.{score}.nb@{cut}"][0], abs=1e-11)


@pytest.mark.parametrize(
    ("labels", "values", "message"),
    [([0, 1, 2], [0.1, 0.2, 0.3], "labels must be 0 or 1"), ([1, 1], [0.1, 0.2], "Both outcomes are needed")],
)
@pytest.mark.parametrize("curve", [roc_curve, decision_curve])
def test_labels_are_checked(curve, labels, values, message):
    with pytest.raises(ValueError, match=message):
        curve(labels, values)


def test_scores_probabilities_and_thresholds_are_checked():
    with pytest.raises(ValueError, match="scores must be finite"):
        roc_curve([0, 1], [0.0, math.nan])
    with pytest.raises(ValueError, match="probabilities must lie between 0 and 1"):
        decision_curve([0, 1], [0.0, 1.5])
    with pytest.raises(ValueError, match="thresholds must be at least 0 and below 1, they run from 0.5 to 1"):
        decision_curve([0, 1], [0.0, 0.5], [0.5, 1.0])
    with pytest.raises(ValueError, match="thresholds must be a row of at least 1 numbers"):
        decision_curve([0, 1], [0.0, 0.5], [])
