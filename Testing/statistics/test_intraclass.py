"""Intraclass correlation against a published table, an analysis of variance by hand, and known variances."""

import numpy as np
import pytest

from PDL1PredictorLib.statistics.agreement import intraclass_correlation

# Shrout and Fleiss 1979, table 2: six targets, four judges; table 4: ICC(2,1) = 0.29
JUDGES = np.array([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float)


def by_hand(x: np.ndarray) -> float:
    """The sums of squares of McGraw and Wong, term by term."""
    n, k = x.shape
    rows = k * sum((x[i].mean() - x.mean()) ** 2 for i in range(n)) / (n - 1)
    columns = n * sum((x[:, j].mean() - x.mean()) ** 2 for j in range(k)) / (k - 1)
    left = sum((x[i, j] - x[i].mean() - x[:, j].mean() + x.mean()) ** 2 for i in range(n) for j in range(k))
    error = left / ((n - 1) * (k - 1))
    return (rows - error) / (rows + (k - 1) * error + k * (columns - error) / n)


def test_the_published_table_is_found():
    assert intraclass_correlation(JUDGES[:, :, None])[0] == pytest.approx(0.29, abs=0.005)


def test_every_column_agrees_with_the_analysis_of_variance_by_hand():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(12, 3, 5)) + 2 * rng.normal(size=(12, 1, 5)) + rng.normal(size=(1, 3, 5))
    wanted = [by_hand(x[:, :, column]) for column in range(5)]
    np.testing.assert_allclose(intraclass_correlation(x), wanted, rtol=1e-10)


def test_cases_that_miss_a_value_are_left_out_of_that_column_alone():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(12, 2, 2)) + 2 * rng.normal(size=(12, 1, 2))
    x[3, 1, 0] = np.nan
    found = intraclass_correlation(x)
    assert found[0] == pytest.approx(by_hand(np.delete(x, 3, axis=0)[:, :, 0]))
    assert found[1] == pytest.approx(by_hand(x[:, :, 1]))


def test_a_known_share_of_variance_is_found():
    rng = np.random.default_rng(3)
    cases, raters, noise = rng.normal(size=(4000, 1, 1)), np.array([-0.5, 0.0, 0.5])[:, None], 0.7
    x = cases + raters + noise * rng.normal(size=(4000, 3, 1))
    truth = 1 / (1 + np.var([-0.5, 0.0, 0.5], ddof=1) + noise**2)
    assert intraclass_correlation(x)[0] == pytest.approx(truth, abs=0.02)


def test_a_difference_that_all_cases_share_counts_against_agreement():
    cases = np.random.default_rng(4).normal(size=(50, 1, 1))
    same, shifted = np.repeat(cases, 2, axis=1), np.concatenate([cases, cases + 2], axis=1)
    assert intraclass_correlation(same)[0] == pytest.approx(1)
    assert intraclass_correlation(shifted)[0] < 0.5


def test_what_never_varies_and_what_one_case_has_are_not_defined():
    constant, alone = np.full((5, 2, 1), 3.3), np.full((5, 2, 1), np.nan)
    alone[0] = 1.0
    assert np.isnan(intraclass_correlation(constant)[0])
    assert np.isnan(intraclass_correlation(alone)[0])


def test_a_single_rater_is_refused():
    with pytest.raises(ValueError, match="at least two raters"):
        intraclass_correlation(np.zeros((5, 1, 2)))
