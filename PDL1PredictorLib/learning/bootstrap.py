"""How far a linear model of other patients might have answered otherwise: the whole fusion fitted anew on resamples.

The interval of a calibration alone takes the classifier for certain. Here a resample of the training cases gives its
own weights, its own out-of-fold answers and its own calibration. What the parts of the inputs learned (selection,
network) stays as it is.
"""

import numpy as np
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.learning.classifiers import N_FOLDS
from PDL1PredictorLib.learning.fitting import FittedModel, calibrator
from PDL1PredictorLib.learning.penalized import L2LogisticRegression


def bootstrap_fusion(model: FittedModel, labels: np.ndarray, n_resamples: int, seed: int) -> np.ndarray | None:
    """Calibrated log-odds of standardized inputs z as a linear function, of every resample of the training cases.

    Cases are drawn within the classes. The calibration of a resample is learned from answers to its own held-out cases,
    of which none is a copy of one that was fitted.

    Args:
        model: As fitted on all training cases.
        labels: Of these cases, in the order of `model.inputs`: 0 or 1, (n,).
        n_resamples: B.
        seed: Of the draws.

    Returns:
        (B, d + 1): the log-odds are `z @ row[:d] + row[d]`. None where the classifier is not linear.

    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 9 (pairs of a regression).
    """
    if not hasattr(model.chosen.estimator, "coef_"):
        return None
    rng = np.random.default_rng([seed, 3])
    estimator = _at_its_penalty(model.chosen.estimator)
    classes = [np.flatnonzero(labels == value) for value in (0, 1)]
    return np.array([_resample(model.inputs, labels, classes, estimator, rng) for _ in range(n_resamples)])


def _at_its_penalty(estimator: LogisticRegression) -> LogisticRegression:
    """The same, unfitted; a penalty that was chosen stays chosen."""
    if isinstance(estimator, L2LogisticRegression):
        return LogisticRegression(C=estimator.C, max_iter=estimator.max_iter)
    return clone(estimator)


def _resample(
    x: np.ndarray,
    labels: np.ndarray,
    classes: list[np.ndarray],
    estimator: LogisticRegression,
    rng: np.random.Generator,
) -> np.ndarray:
    drawn = np.concatenate([rng.choice(rows, len(rows)) for rows in classes])
    fold = np.empty(len(x), dtype=int)  # of the cases, not of their copies
    for rows in classes:
        fold[rng.permutation(rows)] = np.arange(len(rows)) % N_FOLDS
    odds = np.zeros(len(drawn))
    for number in range(N_FOLDS):
        own = fold[drawn] == number
        weights, intercept = _line(estimator, x[drawn[~own]], labels[drawn[~own]])
        odds[own] = x[drawn[own]] @ weights + intercept
    slope, shift = calibrator(labels[drawn], odds)
    weights, intercept = _line(estimator, x[drawn], labels[drawn])
    return np.append(slope * weights, slope * intercept + shift)


def _line(estimator: LogisticRegression, x: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    if len(np.unique(labels)) < 2:  # all copies of a class in one fold: nothing tells the classes apart
        return np.zeros(x.shape[1]), 0.0
    fitted = clone(estimator).fit(x, labels)
    return fitted.coef_[0], float(fitted.intercept_[0])
