"""Cases whose true area is known: binormal scores, in folds that are calibrated differently."""

import numpy as np
from scipy.stats import norm


def binormal(area, n_positive, n_negative, rng):
    """Labels, and scores whose true area is the given one."""
    labels = np.repeat([1, 0], [n_positive, n_negative])
    return labels, rng.normal(size=labels.size) + labels * np.sqrt(2) * norm.ppf(area)


def stratified(labels, n_folds, rng):
    """Fold of each case, each with its share of either outcome."""
    folds = np.empty(labels.size, int)
    for outcome in (0, 1):
        rows = rng.permutation(np.flatnonzero(labels == outcome))
        folds[rows] = np.arange(rows.size) % n_folds
    return folds


def repeated(area, n_positive, n_negative, repetitions, rng, noise=0.4, shift=2.0):
    """Labels, scores and folds of each repetition, (r, n): models that differ a little, each fold's answers shifted."""
    labels, own = binormal(0.5, n_positive, n_negative, rng)
    folds = np.stack([stratified(labels, 5, rng) for _ in range(repetitions)])
    scores = own * np.sqrt(1 - noise**2) + noise * rng.normal(size=folds.shape)
    scores += labels * np.sqrt(2) * norm.ppf(area)
    return labels, scores + np.take_along_axis(shift * rng.normal(size=(repetitions, 5)), folds, axis=1), folds


def covers(interval, truth):
    """Whether it holds the truth."""
    return interval[0] <= truth <= interval[1]
