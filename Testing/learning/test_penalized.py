"""The L2 model: its penalty follows what the cases can bear, and its copy answers the same."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.learning.classifiers import to_onnx_bytes
from PDL1PredictorLib.learning.penalized import PENALTIES, STRONGEST, L2LogisticRegression
from PDL1PredictorLib.models.onnx.session import Classifier
from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.statistics.scores import expit


def correlated(n: int, d: int = 60, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features of one factor, which the answers hang on."""
    rng = np.random.default_rng(seed)
    factor = rng.normal(size=n)
    x = factor[:, None] + rng.normal(size=(n, d))
    return x, (rng.random(n) < expit(1.5 * factor)).astype(int)


def test_it_is_logistic_regression_with_one_of_the_penalties():
    x, labels = correlated(120)
    found = L2LogisticRegression(1).fit(x, labels)
    assert np.isclose(PENALTIES, found.C).any()
    np.testing.assert_allclose(found.coef_, LogisticRegression(C=found.C, max_iter=2000).fit(x, labels).coef_)


def test_a_penalty_that_is_chosen_beats_a_weak_one_on_new_cases():
    x, labels = correlated(100)
    new, truth = correlated(2000, seed=1)
    chosen = L2LogisticRegression(1).fit(x, labels).decision_function(new)
    weak = LogisticRegression(C=100.0, max_iter=5000).fit(x, labels).decision_function(new)
    assert auc(truth, chosen).value > auc(truth, weak).value + 0.02


def test_a_class_of_one_case_gets_the_strongest_penalty():
    x, _ = correlated(20)
    assert L2LogisticRegression(1).fit(x, (np.arange(20) == 0).astype(int)).C == STRONGEST


def test_its_copy_in_a_bundle_answers_the_same():
    x, labels = correlated(80)
    found = L2LogisticRegression(1).fit(x, labels)
    copy = Classifier(to_onnx_bytes(found, x))
    np.testing.assert_allclose(copy.probabilities(x), found.predict_proba(x)[:, 1], atol=1e-4)
