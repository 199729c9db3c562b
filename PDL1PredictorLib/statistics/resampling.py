"""How far a figure could move: bootstrap intervals of any statistic, and the interval of repeated cross-validation."""

import math
import warnings
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from PDL1PredictorLib.statistics.checks import FloatArray, confidence_of, sample

Statistic = Callable[[NDArray[np.intp]], float]
"""Rows, (n,) integers in which a case may occur several times, to the figure of these cases."""


class Bootstrap(NamedTuple):
    """A statistic with the interval of its resamples.

    Attributes:
        value: Of the cases as they are.
        interval: Percentile or BCa.
        replicates: The statistic of every resample, (n_resamples,).
    """

    value: float
    interval: tuple[float, float]
    replicates: FloatArray


class FoldMean(NamedTuple):
    """A figure over the folds of repeated cross-validation.

    Attributes:
        mean: Over all folds of all repetitions.
        sd: Over them, n - 1 in the denominator.
        interval: Of the mean; wider than that of as many independent values, since training sets share cases.
    """

    mean: float
    sd: float
    interval: tuple[float, float]


def bootstrap(
    statistic: Statistic,
    strata: ArrayLike,
    rng: np.random.Generator,
    n_resamples: int = 2000,
    method: Literal["percentile", "BCa"] = "percentile",
    confidence: float = 0.95,
) -> Bootstrap:
    """Interval of any statistic, by drawing cases with replacement within each stratum.

    Drawn within the labels, no resample lacks an outcome. Equal strata draw from all cases alike.

    Args:
        statistic: Of rows; for example `lambda rows: auc(labels[rows], scores[rows]).value`.
        strata: (n,), equal values make a stratum (as a rule the labels); each has at least two cases.
        rng: Draws the cases; the same state gives the same result.
        n_resamples: How many, >= 1.
        method: `percentile`, or `BCa`: bias corrected and accelerated, better where the figure is skewed or biased.
        confidence: Of the interval, between 0 and 1.

    Returns:
        The interval is the value itself where every resample gives it.

    Raises:
        ValueError: The strata, n_resamples or confidence are not as said; the statistic is not finite for all cases or
            for some resample; BCa is not defined, as when all resamples lie on one side of the value.

    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters 13 and 14; computed by scipy.
    """
    groups = _groups(strata)
    if n_resamples < 1:
        raise ValueError(f"n_resamples must be at least 1, got {n_resamples!r}.")
    value = float(statistic(np.sort(np.concatenate(groups))))
    if not math.isfinite(value):
        raise ValueError(f"The statistic must be a finite number, it is {value!r} for all cases.")
    with warnings.catch_warnings(), np.errstate(invalid="ignore", divide="ignore"):
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # told below, in words
        found = stats.bootstrap(
            groups,
            lambda *drawn: float(statistic(np.concatenate(drawn))),
            n_resamples=n_resamples,
            vectorized=False,
            confidence_level=confidence_of(confidence),
            method=method,
            random_state=rng,
        )
    replicates = np.asarray(found.bootstrap_distribution, dtype=float)
    interval = (float(found.confidence_interval.low), float(found.confidence_interval.high))
    if undefined := np.count_nonzero(~np.isfinite(replicates)):
        raise ValueError(
            f"The statistic is not a finite number in {undefined} of {n_resamples} resamples. "
            "Draw within the labels, or choose a statistic that every resample has."
        )
    if (replicates == value).all():
        interval = (value, value)
    if not np.isfinite(interval).all():
        raise ValueError("BCa is not defined for these cases. Use the percentile method.")
    return Bootstrap(value, interval, replicates)


def repeated_cv_mean(values: ArrayLike, test_to_training: float, confidence: float = 0.95) -> FoldMean:
    """Mean over the folds of repeated cross-validation, its interval corrected for overlapping training sets.

    The plain standard error, sd / sqrt(n), goes to 0 as repetitions are added although no case is added. Here the
    variance is sd^2 (1 / n + test cases / training cases), with n - 1 degrees of freedom.

    Args:
        values: A figure of every fold of every repetition, (n,), n >= 2.
        test_to_training: Cases of a test fold over those of its training set: 1/4 for 5 folds.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: Nadeau and Bengio 2003, doi 10.1023/A:1024068626366; for repeated folds Bouckaert and Frank 2004,
    doi 10.1007/978-3-540-24775-3_3.
    """
    figures = sample(values, "values", at_least=2)
    n, mean, sd = figures.size, float(figures.mean()), float(figures.std(ddof=1))
    quantile = float(stats.t.ppf(0.5 + confidence_of(confidence) / 2, n - 1))
    half = quantile * corrected_standard_error(figures, test_to_training)
    return FoldMean(mean, sd, (mean - half, mean + half))


def corrected_standard_error(values: ArrayLike, test_to_training: float) -> float:
    """Standard error of a mean over the folds of repeated cross-validation; see `repeated_cv_mean`.

    Args:
        values: A figure of every fold of every repetition, (n,), n >= 2.
        test_to_training: Cases of a test fold over those of its training set: 1/4 for 5 folds.

    Raises:
        ValueError: An argument is not as said.
    """
    figures = sample(values, "values", at_least=2)
    if not 0 < test_to_training < math.inf:
        raise ValueError(f"test_to_training must be positive, got {test_to_training!r}.")
    return float(figures.std(ddof=1)) * math.sqrt(1 / figures.size + test_to_training)


def _groups(strata: ArrayLike) -> tuple[NDArray[np.intp], ...]:
    """The rows of each stratum."""
    values = np.asarray(strata)
    if values.ndim != 1 or not values.size:
        raise ValueError(f"strata must be one value per case, got the shape {values.shape}.")
    found, place = np.unique(values, return_inverse=True)
    groups = tuple(np.flatnonzero(place == number) for number in range(found.size))
    for name, rows in zip(found, groups, strict=True):
        if rows.size < 2:
            raise ValueError(f"Every stratum needs at least two cases, {name!r} has one.")
    return groups
