"""How far a linear model of other patients might have answered otherwise: the whole fusion fitted anew on resamples.

The interval of a calibration alone takes the classifier for certain. Here a resample of the training cases gives its
own weights, its own out-of-fold answers and its own calibration. What the parts of the inputs learned (selection,
network) stays as it is.
"""

from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from PDL1PredictorLib.learning.classifiers import N_FOLDS
from PDL1PredictorLib.learning.fitting import FittedModel, calibrator
from PDL1PredictorLib.statistics.scores import expit

MOST_STEPS, SMALL_STEP = 25, 1e-6  # of Newton's method, which starts at the weights of all cases

Line = np.ndarray
"""Weights of the inputs, then a constant: (d + 1,)."""


def bootstrap_fusion(model: FittedModel, labels: np.ndarray, n_resamples: int, seed: int) -> np.ndarray | None:
    """Calibrated log-odds of standardized inputs z as a linear function, of every resample of the training cases.

    Cases are drawn whatever their label, so that the share of positives varies, too. The calibration of a resample is
    learned from answers to its own held-out cases, of which none is a copy of one that was fitted. A penalty that was
    chosen stays chosen.

    A resample has fewer different cases than the cohort, and its model is shrunken more. That bias would move every
    interval towards the share of positives; so the lines are moved, all by the same, until their mean is the model.

    Args:
        model: As fitted on all training cases.
        labels: Of these cases, in the order of `model.inputs`: 0 or 1, (n,).
        n_resamples: B.
        seed: Of the draws.

    Returns:
        (B, d + 1): the log-odds are `z @ row[:d] + row[d]`. None where the classifier is not linear.

    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters 9 and 10 (pairs of a regression;
    bias).
    """
    estimator: Any = model.chosen.estimator
    if not hasattr(estimator, "coef_"):
        return None
    rng = np.random.default_rng([seed, 3])
    own = np.append(estimator.coef_[0], estimator.intercept_[0])
    found = np.array([_resample(model.inputs, labels, estimator, own, rng) for _ in range(n_resamples)])
    whole = model.slope * own
    whole[-1] += model.intercept
    return np.asarray(found - found.mean(axis=0) + whole)


def _resample(x: np.ndarray, labels: np.ndarray, estimator: Any, start: Line, rng: np.random.Generator) -> Line:
    drawn = _drawn(labels, rng)
    times = np.bincount(drawn, minlength=len(x))
    fold = np.empty(len(x), dtype=int)  # of the cases, not of their copies
    for value in (0, 1):
        rows = rng.permutation(np.flatnonzero(labels == value))
        fold[rows] = np.arange(len(rows)) % N_FOLDS
    odds = np.zeros(len(x))
    for number in range(N_FOLDS):
        own = fold == number
        odds[own] = _odds(_line(estimator, x, labels, np.where(own, 0, times), start), x[own])
    slope, shift = calibrator(labels[drawn], odds[drawn])
    line = slope * _line(estimator, x, labels, times, start)
    line[-1] += shift
    return np.asarray(line)


def _drawn(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Cases of a resample; of a rare class at least one is among them."""
    while True:
        drawn = rng.integers(len(labels), size=len(labels))
        if 0 < labels[drawn].sum() < len(labels):
            return drawn


def _odds(line: Line, x: np.ndarray) -> np.ndarray:
    return np.asarray(x @ line[:-1] + line[-1])


def _line(estimator: Any, x: np.ndarray, labels: np.ndarray, times: np.ndarray, start: Line) -> Line:
    """The estimator's, of cases that count `times` as often."""
    if len(np.unique(labels[times > 0])) < 2:  # nothing tells the classes apart
        return np.zeros(x.shape[1] + 1)
    if isinstance(estimator, LinearDiscriminantAnalysis):
        rows = np.repeat(np.arange(len(x)), times)
        fitted = clone(estimator).fit(x[rows], labels[rows])
        return np.append(fitted.coef_[0], fitted.intercept_[0])
    return penalized_line(x, labels, times, estimator.C, start)


def penalized_line(x: np.ndarray, labels: np.ndarray, times: np.ndarray, c: float, start: Line) -> Line:
    """Logistic regression with an L2 penalty on the weights, by Newton's method.

    Args:
        x: Inputs, (n, d).
        labels: 0 or 1, (n,).
        times: How often each case counts, (n,).
        c: Inverse strength of the penalty, as scikit-learn's `C`.
        start: From where, (d + 1,).
    """
    wide = np.column_stack([x, np.ones(len(x))])
    penalty = np.append(np.full(x.shape[1], 1 / c), 1e-10)
    line = start.copy()
    for _ in range(MOST_STEPS):
        p = expit(wide @ line)
        slope = wide.T @ (times * (p - labels)) + penalty * line
        curvature = (wide.T * (times * p * (1 - p))) @ wide + np.diag(penalty)
        step = np.linalg.solve(curvature, slope)
        line = line - step / max(1.0, float(np.abs(step).max()))  # far from the end a whole step may overshoot
        if np.abs(step).max() < SMALL_STEP:
            break
    return line
