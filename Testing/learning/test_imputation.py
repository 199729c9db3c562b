"""Estimates of values that are not known: scikit-learn's where no order decides, and free of patients' rows."""

import numpy as np
import pytest
from sklearn.impute import KNNImputer

from PDL1PredictorLib.learning.imputation import LEAST_PATIENTS, centroids, fit_imputer
from PDL1PredictorLib.models.imputer import Imputer


def values(n: int, seed: int = 1, missing: float = 0.2) -> np.ndarray:
    """Age, and three numbers that go with it, some of them missing; no two distances are equal."""
    rng = np.random.default_rng(seed)
    age = rng.normal(62, 10, n)
    rest = rng.normal(size=(n, 3)) + 0.1 * age[:, None]
    found = np.column_stack([age, rest])
    found[rng.random(found.shape) < missing] = np.nan
    return found


def with_scikit_learn(train: np.ndarray, rows: np.ndarray) -> np.ndarray:
    mean, sd = np.nanmean(train, axis=0), np.nanstd(train, axis=0)
    reference = KNNImputer(n_neighbors=3, weights="distance").fit((train - mean) / sd)
    return reference.transform((rows - mean) / sd) * sd + mean


@pytest.mark.parametrize("seed", range(5))
def test_it_is_scikit_learns(seed: int):
    train, rows = values(40, seed), values(60, seed + 100, missing=0.35)
    ours = fit_imputer(train, np.arange(40))(rows)
    np.testing.assert_allclose(ours, with_scikit_learn(train, rows), rtol=1e-7)
    assert not np.allclose(ours, with_scikit_learn(train[::-1] + 1, rows))  # the comparison can fail


def test_known_values_stay_and_nothing_is_left_out():
    train, rows = values(30), values(20, 7)
    filled = fit_imputer(train, np.arange(30))(rows)
    assert np.isfinite(filled).all()
    known = np.isfinite(rows)
    np.testing.assert_array_equal(filled[known], rows[known])


def test_where_nothing_is_known_the_training_mean_stands_in():
    train = values(30)
    filled = fit_imputer(train, np.arange(30))(np.full((1, 4), np.nan))
    np.testing.assert_allclose(filled[0], np.nanmean(train, axis=0))


def test_an_exact_match_is_taken_alone():
    train = np.array([[1.0, 10.0], [1.0, 20.0], [3.0, 90.0], [5.0, 70.0]])
    assert fit_imputer(train, np.arange(4))(np.array([[1.0, np.nan]]))[0, 1] == pytest.approx(15)


def test_no_order_of_the_donors_decides_and_the_estimate_is_the_mean_over_all_orders():
    rng = np.random.default_rng(3)
    train = np.column_stack([np.r_[[0.3] * 2, [1.0] * 6, [2.0] * 10], rng.normal(size=18)])  # two nearer, six third
    row = np.array([[0.4, np.nan]])
    ours = fit_imputer(train, np.arange(18))(row)[0, 1]
    orders = [rng.permutation(18) for _ in range(3000)]
    assert fit_imputer(train[orders[0]], np.arange(18))(row)[0, 1] == pytest.approx(ours)
    by_order = [_first_three(train[order], row[0, 0]) for order in orders]
    assert np.ptp(by_order) > 0.05
    assert ours == pytest.approx(np.mean(by_order), abs=4 * np.std(by_order) / np.sqrt(len(orders)))


def _first_three(train: np.ndarray, value: float) -> float:
    """The textbook: sort, take three, weigh."""
    distances = np.abs(train[:, 0] - value)
    nearest = np.argsort(distances, kind="stable")[:3]
    return float(np.average(train[nearest, 1], weights=1 / distances[nearest]))


def test_a_value_that_no_training_case_has_is_the_mean_and_not_a_number_that_is_none():
    train = values(20)
    train[:, 2] = np.nan
    filled = fit_imputer(train, np.arange(20))(values(5, 9))
    assert np.isfinite(filled).all()


@pytest.mark.parametrize("n", [5, 9, 10, 14, 15, 23, 101])
def test_every_number_of_a_centroid_is_the_mean_of_at_least_five_patients(n: int):
    z = np.eye(n)  # a centroid shows who is in it: the share of patient i stands in column i
    found = centroids(z)
    sizes = np.rint(1 / found.max(axis=1)).astype(int)
    assert sizes.sum() == n
    assert sizes.min() >= LEAST_PATIENTS
    np.testing.assert_allclose((found > 0).sum(axis=0), 1)  # everyone is in one group


def test_what_fewer_than_five_of_a_group_have_is_not_told():
    z = np.random.default_rng(1).normal(size=(8, 2))
    z[:5, 1] = np.nan  # three know it
    assert np.isnan(centroids(z)[0]).tolist() == [False, True]


def test_too_few_patients_give_no_centroid_and_the_mean_is_the_estimate():
    train = values(4, missing=0)
    imputer = fit_imputer(train, np.arange(4), shareable=True)
    assert imputer.donors.shape == (0, 4)
    filled = imputer(np.array([[60.0, np.nan, np.nan, np.nan]]))
    np.testing.assert_allclose(filled[0, 1:], train.mean(axis=0)[1:])


def test_tumors_of_one_patient_are_one_of_the_five():
    train = values(25, missing=0)
    patients = np.repeat(np.arange(5), 5)  # 25 tumors, 5 patients
    donors = fit_imputer(train, patients, shareable=True).donors
    assert len(donors) == 1
    np.testing.assert_allclose(donors[0], 0, atol=1e-12)


def test_no_patients_row_is_among_shareable_donors():
    train = values(60)
    mean, sd = np.nanmean(train, axis=0), np.nanstd(train, axis=0)
    z = (train - mean) / sd
    shared = fit_imputer(train, np.arange(60), shareable=True)
    plain = fit_imputer(train, np.arange(60))

    def held(imputer: Imputer) -> bool:
        known = np.isfinite(z)
        return any(
            np.allclose(donor[own], row[own]) for donor in imputer.donors for row, own in zip(z, known, strict=True)
        )

    assert held(plain)
    assert not held(shared)
    assert not np.isclose(shared.donors[:, :, None], z.T[None]).any()  # nor a single value of one
