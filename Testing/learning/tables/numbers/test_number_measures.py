"""Measures of held-out numbers: sums by hand, several repetitions, patients with several rows, cuts, laws."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from PDL1PredictorLib.learning.tables.numbers import measures
from PDL1PredictorLib.learning.tables.numbers.measures import FIGURES, Answers, at_cut, estimates, mean_of, resamples
from PDL1PredictorLib.learning.tables.numbers.models import constant_answers
from PDL1PredictorLib.statistics.agreement import skill

Y = np.array([0.0, 10.0, 20.0, 50.0])
FOLDS = np.array([[0, 0, 1, 1]])


def answers(predicted, observed=Y, folds=FOLDS, patient=None):
    mean, median = (constant_answers(observed, folds, kind) for kind in ("mean", "median"))
    return Answers(observed, np.atleast_2d(predicted), mean, median, folds, patient)


def test_constants_are_of_the_other_folds():
    own = np.array([1.0, 2.0, 9.0, 0.0, 4.0, 8.0])
    folds = np.array([[0, 0, 0, 1, 1, 1], [0, 1, 0, 1, 0, 1]])
    assert constant_answers(own, folds, "mean").tolist() == [[4, 4, 4, 4, 4, 4], [10 / 3, 14 / 3] * 3]
    assert constant_answers(own, folds, "median")[0].tolist() == [4, 4, 4, 2, 2, 2]


def test_figures_by_hand():
    found = answers([10.0, 10.0, 10.0, 30.0])
    values = {name: float(mean_of(figure, found)) for name, figure in FIGURES.items()}
    # errors 10, 0, -10, -20; means of the training parts 35 and 5: errors 35, 25, -15, -45
    assert values["mse"] == pytest.approx(600 / 4)
    assert values["r2"] == pytest.approx(1 - 600 / (35**2 + 25**2 + 15**2 + 45**2))
    assert values["r2_own_mean"] == pytest.approx(1 - 600 / (20**2 + 10**2 + 0 + 30**2))
    assert values["mae"] == 10
    assert values["mae_less_median"] == pytest.approx(10 - 30)
    assert values["rmse"] == pytest.approx(math.sqrt(150))


def test_skill_against_the_own_mean_is_r_squared_and_open_where_nothing_was_wrong():
    assert skill(Y, np.full(4, 20.0), np.full(4, 20.0)) == 0
    assert math.isnan(skill(Y, np.zeros(4), Y))
    assert skill(Y, Y, np.zeros(4)) == 1


def test_a_measure_of_repetitions_is_their_mean_and_not_that_of_their_mean_answer():
    folds = np.array([[0, 0, 1, 1], [0, 1, 0, 1]])
    found = answers([Y + 10, Y - 10], folds=folds)
    assert mean_of(FIGURES["mae"], found) == 10


def test_the_mean_has_no_skill_and_the_truth_all():
    mean = constant_answers(Y, FOLDS, "mean")
    assert mean_of(FIGURES["r2"], answers(mean)) == 0
    assert mean_of(FIGURES["r2"], answers(Y)) == 1


def test_patients_are_drawn_whole():
    blocks = resamples(5, np.array([0, 0, 1, 2, 2]), n=50)
    assert {tuple(np.unique(block, return_counts=True)[0][:0]) for block in blocks} == {()}
    for (row,) in blocks:
        count = np.bincount(row, minlength=5)
        assert count[0] == count[1]
        assert count[3] == count[4]
        assert count[[0, 2, 3]].sum() == 3
    assert resamples(5, None, n=50)[0].shape == (50, 5)


def test_intervals_hold_the_value_and_count_patients():
    rng = np.random.default_rng(0)
    y = rng.normal(size=40)
    rows = np.repeat(np.arange(40), 4)
    few = answers(y + rng.normal(size=40), y, np.arange(40)[None] % 4)
    many = answers(few.predicted[:, rows], y[rows], few.folds[:, rows], rows)
    wide = estimates(many, resamples(160, rows))["mse"]
    narrow = estimates(many, resamples(160, None))["mse"]
    right = estimates(few, resamples(40, None))["mse"]
    assert wide.interval[0] < wide.value < wide.interval[1]
    assert np.ptp(wide.interval) == pytest.approx(np.ptp(right.interval), rel=0.15)
    assert np.ptp(narrow.interval) < 0.7 * np.ptp(wide.interval)  # the twin: rows of a patient are no new patients


def test_a_cut_needs_both_sides_and_answers_that_differ():
    y = np.arange(12.0)
    folds = np.arange(12)[None] % 2
    found = at_cut(answers(y, y, folds), 6)
    assert (found.n_positive, found.n_negative) == (6, 6)
    assert found.auc is not None
    assert found.auc.value == 1
    assert at_cut(answers(y, y, folds), 11).auc is None  # one above
    assert at_cut(answers(y, y, folds), 50).n_positive == 0
    assert at_cut(answers(np.full(12, 3.0), y, folds), 6).auc is None
    apart = (y >= 6).astype(int)[None]
    assert at_cut(answers(y, y, apart), 6).auc is None  # no fold has both


def test_what_differs_by_rounding_is_equal():
    y, folds = np.arange(12.0), np.arange(12)[None] % 2
    assert answers(3 + 1e-14 * y, y, folds).flat
    assert measures.spearman(answers(3 + 1e-14 * y, y, folds)) is None
    assert not answers(3 + 1e-6 * y, y, folds).flat


def test_line_and_limits_by_hand():
    found = measures.line_and_limits(answers([0.0, 20.0, 40.0, 100.0]))
    assert (found["slope"], found["intercept"]) == pytest.approx((0.5, 0))
    assert found["bias"] == 20


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(12)), st.floats(-100, 100), st.floats(0.1, 50))
def test_order_shift_and_scale_change_no_r2(order, shift, scale):
    rng = np.random.default_rng(3)
    y, f, folds = (
        rng.normal(size=12),
        rng.normal(size=(2, 12)),
        rng.permuted(np.tile(np.arange(12) % 3, (2, 1)), axis=1),
    )
    there, order = answers(f, y, folds), np.array(order)
    back = answers((shift + scale * f)[:, order], (shift + scale * y)[order], folds[:, order])
    for name in ("r2", "r2_own_mean", "concordance"):
        assert mean_of(FIGURES[name], back) == pytest.approx(float(mean_of(FIGURES[name], there)), abs=1e-8)
    assert mean_of(FIGURES["mae"], back) == pytest.approx(scale * float(mean_of(FIGURES["mae"], there)))
