"""Feature selection on cohorts where the right choice is known."""

import numpy as np
import pytest

from PDL1PredictorLib.learning.selection import fit_radscore, fit_standardizer
from PDL1PredictorLib.statistics.scores import radscore


def cohort(n: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Columns: signal, its near copy, noise, noise, constant, mostly missing."""
    rng = np.random.default_rng(seed)
    labels = (rng.random(n) < 0.4).astype(int)
    signal = labels * 1.5 + rng.normal(size=n)
    missing = np.where(rng.random(n) < 0.8, np.nan, signal)
    columns = [
        signal,
        signal + 0.01 * rng.normal(size=n),
        rng.normal(size=n),
        rng.normal(size=n),
        np.full(n, 7.0),
        missing,
    ]
    return np.column_stack(columns), labels


NAMES = ("signal", "copy", "noise_a", "noise_b", "constant", "missing")


def test_z_scores_have_mean_0_and_sd_1_and_missing_values_become_the_mean():
    features = np.array([[1.0, 5.0], [3.0, np.nan], [5.0, 9.0]])
    standardizer = fit_standardizer(features)
    z = standardizer(features)
    np.testing.assert_allclose(z[:, 0], np.array([-1, 0, 1]) * np.sqrt(1.5))
    np.testing.assert_allclose(z[:, 1], [-1, 0, 1])


def test_constant_and_mostly_missing_features_are_marked():
    features, _ = cohort()
    assert fit_standardizer(features).varies.tolist() == [True, True, True, True, False, False]


def test_rounding_noise_on_a_large_constant_is_no_variance():
    features = 1e6 + np.random.default_rng(0).normal(size=(50, 1)) * 1e-4
    assert not fit_standardizer(features).varies[0]


def test_the_signal_is_kept_once_and_the_noise_is_not():
    features, labels = cohort()
    standardizer = fit_standardizer(features)
    coefficients = fit_radscore(standardizer(features), labels, NAMES, standardizer.varies, seed=1)
    assert len({"signal", "copy"} & set(coefficients)) == 1
    assert not {"constant", "missing"} & set(coefficients)
    assert max(coefficients.values()) == coefficients[next(iter({"signal", "copy"} & set(coefficients)))] > 0.3


def test_no_feature_that_separates_means_no_radscore():
    rng = np.random.default_rng(3)
    z = np.zeros((60, 2))
    z[:, 0] = np.tile([1.0, -1.0], 30)
    labels = np.repeat([0, 1], 30)
    assert fit_radscore(z, labels, ("a", "b"), np.array([True, False]), seed=int(rng.integers(9))) == {}


def test_the_same_seed_selects_the_same():
    features, labels = cohort()
    standardizer = fit_standardizer(features)
    z = standardizer(features)
    assert fit_radscore(z, labels, NAMES, standardizer.varies, 2) == fit_radscore(
        z, labels, NAMES, standardizer.varies, 2
    )


def test_a_radscore_is_a_sum_of_products():
    z = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 1.0]])
    assert radscore(z, ("a", "b", "c"), {"c": 2.0, "a": -1.0}) == pytest.approx([5.0, 2.0])
    assert radscore(z, ("a", "b", "c"), {}) == pytest.approx([0.0, 0.0])
