"""The bootstrap of the fusion: its lines are the classifier's, and its intervals hold a patient's own risk."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.learning.bootstrap import bootstrap_fusion, penalized_line
from PDL1PredictorLib.learning.fitting import FittedModel, Fitting, fit_model
from PDL1PredictorLib.statistics.scores import expit

WEIGHTS, CONSTANT = np.array([0.8, 0.5, 0.3, 0.0]), -0.3


def cases(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 4))
    return x, (rng.random(n) < expit(x @ WEIGHTS + CONSTANT)).astype(int)


def fitted(n: int, seed: int, kind: str = "logistic regression") -> tuple[FittedModel, np.ndarray]:
    x, labels = cases(n, seed)
    return fit_model(x, labels, Fitting(1, 100, kinds=(kind,)), seed), labels


def test_newtons_method_finds_what_scikit_learn_finds():
    x, labels = cases(150, 1)
    times = np.random.default_rng(2).integers(0, 4, size=150)
    wanted = LogisticRegression(C=0.3, tol=1e-10, max_iter=5000).fit(x, labels, sample_weight=times)
    found = penalized_line(x, labels, times, 0.3, np.zeros(5))
    np.testing.assert_allclose(found, np.append(wanted.coef_[0], wanted.intercept_[0]), atol=1e-4)


@pytest.mark.parametrize("kind", ["logistic regression", "linear discriminant", "L2 logistic regression"])
def test_the_mean_of_the_resamples_is_the_model(kind: str):
    model, labels = fitted(120, 3, kind)
    lines = bootstrap_fusion(model, labels, 40, seed=1)
    assert lines is not None
    assert lines.shape == (40, 5)
    answers = model.inputs @ lines[:, :-1].T + lines[:, -1]
    np.testing.assert_allclose(answers.mean(axis=1), model.log_odds(model.inputs), atol=1e-6)
    assert (answers.std(axis=1) > 0.02).all()


def test_a_classifier_that_is_not_linear_has_none():
    model, labels = fitted(80, 4, "naive Bayes")
    assert bootstrap_fusion(model, labels, 5, seed=1) is None


def test_the_same_seed_draws_the_same():
    model, labels = fitted(80, 5)
    np.testing.assert_array_equal(bootstrap_fusion(model, labels, 5, 1), bootstrap_fusion(model, labels, 5, 1))


def covered(model: FittedModel, lines: np.ndarray, seed: int) -> float:
    """Share of new patients whose true risk lies in their 95 % interval."""
    new, _ = cases(200, seed + 1000)
    odds = model.standardized(new) @ lines[:, :-1].T + lines[:, -1]
    low, high = np.quantile(odds, [0.025, 0.975], axis=1)
    truth = new @ WEIGHTS + CONSTANT
    return float(((low <= truth) & (truth <= high)).mean())


def test_intervals_hold_the_patients_own_risk_far_more_often_than_those_of_the_calibration():
    whole, alone = [], []
    for seed in range(12):
        model, labels = fitted(150, seed)
        lines = bootstrap_fusion(model, labels, 100, seed)
        assert lines is not None
        whole.append(covered(model, lines, seed))
        weights = model.chosen.estimator.coef_[0], model.chosen.estimator.intercept_[0]
        own = model.calibrations  # the classifier taken for certain
        line = np.column_stack([own[:, :1] * weights[0], own[:, 0] * weights[1] + own[:, 1]])
        alone.append(covered(model, line, seed))
    assert np.mean(whole) > 0.8
    assert np.mean(whole) > np.mean(alone) + 0.05
