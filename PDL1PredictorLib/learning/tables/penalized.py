"""Logistic regression on all inputs with a squared penalty, whose strength inner folds choose."""

from typing import Self

import numpy as np
from scipy.special import xlogy
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.cohort.splits import stratified_parts

INVERSE_STRENGTHS = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)  # C of scikit-learn, for standardized inputs
INNER_FOLDS = 3
MOST_STEPS = 200


class PenalizedLogistic:
    """The strength with the least cross-validated log loss, then fitted on all cases.

    With many correlated inputs and few cases this is hard to beat: it selects nothing, so that nothing rests on which
    of two like inputs won by chance.

    Args:
        seed: Of the inner folds.

    Source: Le Cessie and van Houwelingen 1992, doi 10.2307/2347628.
    """

    keeps_patients = True  # together, in its own folds

    def __init__(self, seed: int = 1) -> None:
        self.seed = seed

    def fit(self, x: np.ndarray, labels: np.ndarray, patients: np.ndarray | None = None) -> Self:
        """Choose the strength and fit.

        Args:
            x: Standardized inputs, (n, d).
            labels: 0 or 1, (n,).
            patients: Of each case, (n,): a patient's cases stay in one inner fold. None: each case is a patient.
        """
        owner = np.arange(len(labels)) if patients is None else patients
        n_folds = min(INNER_FOLDS, len(set(owner[labels == 1].tolist())), len(set(owner[labels == 0].tolist())))
        losses = np.zeros(len(INVERSE_STRENGTHS))
        if n_folds > 1:
            rng = np.random.default_rng([self.seed, 31])
            names = [str(one) for one in owner]
            for test in stratified_parts(names, labels[:, None].astype(float), (1 / n_folds,) * n_folds, rng):
                train = np.setdiff1d(np.arange(len(labels)), test)
                losses += [_loss(labels[test], _fitted(c, x[train], labels[train]), x[test]) for c in INVERSE_STRENGTHS]
        self.strength_ = INVERSE_STRENGTHS[int(np.argmin(losses))]  # of equals the strongest penalty
        self.model_ = _fitted(self.strength_, x, labels)
        return self

    def decision_function(self, x: np.ndarray) -> np.ndarray:
        """Log-odds of 1, (n,)."""
        return np.asarray(self.model_.decision_function(x))


def _fitted(c: float, x: np.ndarray, labels: np.ndarray) -> LogisticRegression:
    return LogisticRegression(C=c, max_iter=MOST_STEPS).fit(x, labels)


def _loss(labels: np.ndarray, model: LogisticRegression, x: np.ndarray) -> float:
    p = np.clip(model.predict_proba(x)[:, 1], 1e-9, 1 - 1e-9)
    return float(-(xlogy(labels, p) + xlogy(1 - labels, 1 - p)).sum())
