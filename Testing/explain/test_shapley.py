"""Exact Shapley values: sums by hand, the four axioms as laws, and captum's ShapleyValues as judge."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from PDL1PredictorLib.explain.shapley import exact_shapley, grouped_shapley

UNIT = st.floats(-3, 3)


def crooked(rows):
    """A function in which all of four inputs work together."""
    return np.tanh(rows[:, 0] * rows[:, 1]) + rows[:, 2] ** 2 * rows[:, 3] - np.sin(rows.sum(axis=1))


def test_of_a_sum_each_input_gets_its_own_term():
    result = exact_shapley(lambda rows: rows @ [1.0, -2.0, 3.0], np.array([1.0, 1.0, 2.0]), np.array([0.0, 0.5, 1.0]))
    assert result.values == pytest.approx([1.0, -1.0, 3.0])
    assert result.baseline == pytest.approx(2.0)
    assert result.residual == pytest.approx(0.0, abs=1e-12)


def test_a_product_is_shared_in_halves():
    result = exact_shapley(lambda rows: rows[:, 0] * rows[:, 1], np.array([3.0, 4.0]), np.zeros(2))
    assert result.values == pytest.approx([6.0, 6.0])


def test_who_holds_the_left_glove_gets_more_than_each_of_two_right_ones():
    # The glove game: a pair is worth 1. By the orders of joining: 4 of 6, 1 of 6, 1 of 6.
    result = exact_shapley(lambda g: g[:, 0] * np.maximum(g[:, 1], g[:, 2]), np.ones(3), np.zeros(3))
    assert result.values == pytest.approx([4 / 6, 1 / 6, 1 / 6])


def test_one_input_gets_all():
    result = exact_shapley(lambda rows: rows[:, 0] ** 2, np.array([3.0]), np.array([1.0]))
    assert (result.values.tolist(), result.baseline, result.residual) == ([8.0], 1.0, 0.0)


@given(arrays(float, 4, elements=UNIT), arrays(float, (3, 4), elements=UNIT))
def test_the_shares_add_up_to_the_answer(x, background):
    result = exact_shapley(crooked, x, background)
    assert result.baseline == pytest.approx(crooked(background).mean(), abs=1e-12)
    assert result.baseline + result.values.sum() == pytest.approx(crooked(x[None])[0], abs=1e-9)
    assert abs(result.residual) < 1e-9


@given(arrays(float, 4, elements=UNIT), arrays(float, 4, elements=UNIT))
def test_exchanging_two_inputs_exchanges_their_shares(x, background):
    order = [2, 1, 0, 3]

    def turned(rows):
        return crooked(rows[:, order])

    there = exact_shapley(crooked, x, background).values
    back = exact_shapley(turned, x[order], background[order]).values
    assert back == pytest.approx(there[order], abs=1e-9)


@given(arrays(float, 5, elements=UNIT), arrays(float, 5, elements=UNIT))
def test_an_input_that_is_not_used_gets_nothing_and_changes_nothing(x, background):
    with_dummy = exact_shapley(lambda rows: crooked(rows[:, [0, 1, 3, 4]]), x, background).values
    without = exact_shapley(crooked, x[[0, 1, 3, 4]], background[[0, 1, 3, 4]]).values
    assert with_dummy[2] == pytest.approx(0.0, abs=1e-12)
    assert with_dummy[[0, 1, 3, 4]] == pytest.approx(without, abs=1e-9)


@given(arrays(float, 4, elements=UNIT), arrays(float, 4, elements=UNIT))
def test_the_shares_of_two_scores_add_up(x, background):
    both = exact_shapley(lambda rows: crooked(rows) + 2 * rows[:, 0], x, background).values
    one, other = exact_shapley(crooked, x, background), exact_shapley(lambda rows: 2 * rows[:, 0], x, background)
    assert both == pytest.approx(one.values + other.values, abs=1e-9)


def test_several_background_rows_give_the_mean_of_each():
    x, background = np.array([1.0, -1.0, 2.0, 0.5]), np.array([[0.0, 1, 2, 3], [1.0, 0, 0, 1]])
    each = [exact_shapley(crooked, x, row) for row in background]
    together = exact_shapley(crooked, x, background)
    assert together.values == pytest.approx(np.mean([e.values for e in each], axis=0))
    assert together.baseline == pytest.approx(np.mean([e.baseline for e in each]))


def test_twelve_inputs_are_scored_in_one_call_of_4096_distinct_rows():
    calls = []

    def score(rows):
        calls.append(rows)
        return rows.sum(axis=1)

    exact_shapley(score, np.arange(1.0, 13.0), np.zeros(12))
    assert [rows.shape for rows in calls] == [(4096, 12)]
    assert len(np.unique(calls[0], axis=0)) == 4096


def test_the_case_and_the_background_are_not_changed():
    x, background = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    exact_shapley(lambda rows: rows.sum(axis=1), x, background)
    assert (x.tolist(), background.tolist()) == ([1.0, 2.0], [3.0, 4.0])


def test_the_shares_agree_with_captum():
    torch = pytest.importorskip("torch")
    attr = pytest.importorskip("captum.attr")
    x, background = np.array([0.3, -1.2, 2.0, 0.7]), np.array([-0.5, 0.4, 0.1, 1.0])

    def score(rows):
        return (rows[:, 0] * rows[:, 1]).tanh() + rows[:, 2] ** 2 * rows[:, 3] - rows.sum(dim=1).sin()

    tensors = torch.tensor(x)[None], torch.tensor(background)[None]
    judge = attr.ShapleyValues(score).attribute(*tensors)[0].numpy()  # goes through all 24 orders of joining
    assert exact_shapley(crooked, x, background).values == pytest.approx(judge, abs=1e-6)


@pytest.mark.parametrize("n_inputs", [0, 17])
def test_too_few_or_too_many_inputs_are_refused(n_inputs):
    with pytest.raises(ValueError, match="x must be one row of 1 to 16 inputs"):
        exact_shapley(lambda rows: rows.sum(axis=1), np.zeros(n_inputs), np.zeros(n_inputs))


@pytest.mark.parametrize("background", [np.zeros(3), np.zeros((2, 3)), np.zeros((0, 2)), np.zeros((1, 1, 2))])
def test_a_background_of_another_shape_is_refused(background):
    with pytest.raises(ValueError, match="background must be rows of 2 inputs"):
        exact_shapley(lambda rows: rows.sum(axis=1), np.zeros(2), background)


@pytest.mark.parametrize(("x", "background"), [([np.nan, 1.0], [0.0, 0.0]), ([0.0, 1.0], [np.inf, 0.0])])
def test_missing_values_are_refused(x, background):
    with pytest.raises(ValueError, match="x and background must be finite"):
        exact_shapley(lambda rows: rows.sum(axis=1), np.array(x), np.array(background))


def test_a_score_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"The score must give 4 numbers, one per row, got the shape \(4, 2\)"):
        exact_shapley(lambda rows: rows, np.zeros(2), np.zeros(2))


def test_a_score_that_is_not_finite_is_refused():
    with pytest.raises(ValueError, match="must be finite for every coalition"):
        exact_shapley(lambda rows: np.full(len(rows), np.nan), np.zeros(2), np.zeros(2))


def test_groups_of_inputs_share_an_answer_as_one_input_each_would():
    def score(rows):
        return rows[:, 0] * rows[:, 1] + rows[:, 2] + 3 * rows[:, 3]

    x, nothing = np.array([2.0, 3.0, 5.0, 1.0]), np.zeros(4)
    found = grouped_shapley(score, x, nothing, [[0, 1], [3], [2]])
    np.testing.assert_allclose(found.values, [6.0, 3.0, 5.0])
    alone = grouped_shapley(score, x, nothing, [[0], [1], [2], [3]])
    np.testing.assert_allclose(alone.values, exact_shapley(score, x, nothing).values)


@pytest.mark.parametrize("groups", [[[0]], [[0, 1], [1]], [[0], [2]]])
def test_an_input_in_no_group_or_in_two_is_refused(groups):
    with pytest.raises(ValueError, match="Each of the 2 inputs must be in one group"):
        grouped_shapley(lambda rows: rows[:, 0], np.zeros(2), np.zeros(2), groups)
