"""How well numbers agree, predicted with observed and repeated with each other: errors, variance, lines, intervals."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from PDL1PredictorLib.statistics.checks import FloatArray, numbers, sample
from PDL1PredictorLib.statistics.proportions import Proportion, proportion

RESAMPLES, REDRAWN_SEED = 2000, 1
Measure = Callable[[FloatArray, FloatArray], FloatArray]
"""Observed and predicted, (..., n), to a figure of each row, (...)."""


class Constants(NamedTuple):
    """What the best constant of these very cases reaches; a model that is no better has found nothing.

    Attributes:
        mse_of_mean: Mean squared error of predicting their mean: their variance (over n).
        mse_of_median: Mean squared error of predicting their median.
        mae_of_mean: Mean absolute error of predicting their mean.
        mae_of_median: Mean absolute error of predicting their median: no constant has a smaller one.
    """

    mse_of_mean: float
    mse_of_median: float
    mae_of_mean: float
    mae_of_median: float


class Line(NamedTuple):
    """Observed = intercept + slope x predicted, by least squares.

    Attributes:
        slope: 1 is right, below 1 the predictions differ too much. NaN where they are all equal.
        intercept: That goes with the slope; 0 is right.
        in_the_large: Mean of observed less predicted; 0 is right, above 0 the predictions are too low.
    """

    slope: float
    intercept: float
    in_the_large: float


class Limits(NamedTuple):
    """Limits of agreement.

    Attributes:
        bias: Mean of predicted less observed.
        sd: Of these differences, over n - 1.
        low: bias - 1.96 sd.
        high: bias + 1.96 sd.
    """

    bias: float
    sd: float
    low: float
    high: float


class Coverage(NamedTuple):
    """Prediction intervals against what was observed.

    Attributes:
        covered: Share of the observed values within their interval, ends included, with Wilson's interval.
        mean_width: Of the intervals.
        median_width: Of the intervals.
    """

    covered: Proportion
    mean_width: float
    median_width: float


class Comparison(NamedTuple):
    """Squared errors of two models on the same cases.

    Attributes:
        difference: Mean squared error of a less that of b; below 0 a is better.
        interval: 95 %, Student's t.
        t: Difference over its standard error; NaN where all differences are equal.
        p: Two-sided.
    """

    difference: float
    interval: tuple[float, float]
    t: float
    p: float


def mean_squared_error(observed: FloatArray, predicted: FloatArray) -> FloatArray:
    """Mean squared distance along the last axis, in the square of the unit."""
    return np.asarray(((predicted - observed) ** 2).mean(axis=-1))


def root_mean_squared_error(observed: FloatArray, predicted: FloatArray) -> FloatArray:
    """Its root, in the unit."""
    return np.asarray(np.sqrt(mean_squared_error(observed, predicted)))


def mean_absolute_error(observed: FloatArray, predicted: FloatArray) -> FloatArray:
    """Mean distance along the last axis, in the unit."""
    return np.asarray(np.abs(predicted - observed).mean(axis=-1))


def r_squared(observed: FloatArray, predicted: FloatArray) -> FloatArray:
    """1 less the squared error over that of the observed mean, along the last axis.

    1 is best, 0 is what predicting the mean of these very cases gives, below 0 is worse than that. NaN where the
    observed values are all equal.

    Source: Kvalseth 1985, doi 10.1080/00031305.1985.10479448, equation 1.
    """
    variance = np.asarray(observed.var(axis=-1))
    error = mean_squared_error(observed, predicted)
    return np.where(np.ptp(observed, axis=-1) > 0, 1 - error / np.where(variance > 0, variance, 1), np.nan)


def skill(observed: FloatArray, predicted: FloatArray, without: FloatArray) -> FloatArray:
    """1 less the squared error over that of answers that were given without a model, along the last axis.

    With the mean of the training cases in place of the model, it is R² of held-out cases: 0 is what that mean gives,
    which knew as little of them as the model did. NaN where those answers are all right.

    Args:
        observed: (..., n).
        predicted: (..., n).
        without: (..., n), such as the mean of each fold's training cases.

    Source: Campbell and Thompson 2008, doi 10.1093/rfs/hhm055, equation 1; of cross-validated models Schuurmann et al.
    2008, doi 10.1021/ci800253u.
    """
    error, reference = mean_squared_error(observed, predicted), mean_squared_error(observed, without)
    return np.asarray(np.where(reference > 0, 1 - error / np.where(reference > 0, reference, 1), np.nan))


def concordance(observed: FloatArray, predicted: FloatArray) -> FloatArray:
    """Lin's coefficient of concordance along the last axis: 1 where all cases lie on the line of identity.

    It is Pearson's r less what a shift and another scale cost. NaN where both are constant and equal.

    Source: Lin 1989, doi 10.2307/2532051, moments over n.
    """
    means = observed.mean(axis=-1), predicted.mean(axis=-1)
    covariance = ((observed - means[0][..., None]) * (predicted - means[1][..., None])).mean(axis=-1)
    spread = np.asarray(observed.var(axis=-1) + predicted.var(axis=-1) + (means[0] - means[1]) ** 2)
    return np.where(spread > 0, 2 * covariance / np.where(spread > 0, spread, 1), np.nan)


def redrawn(n: int) -> np.ndarray:
    """Rows of n cases drawn with replacement, (`RESAMPLES`, n): the same wherever these cases are judged.

    So the interval of a study's report is that of the model's card and manifest, to the last digit.
    """
    return np.random.default_rng(REDRAWN_SEED).integers(max(n, 1), size=(RESAMPLES, n))


def with_interval(
    measure: Measure, observed: ArrayLike, predicted: ArrayLike, rows: np.ndarray
) -> tuple[float, tuple[float, float]]:
    """A measure of all cases, with the 95 % percentile interval of resampled ones.

    Args:
        measure: Of this page.
        observed: (n,).
        predicted: (n,).
        rows: (resamples, n) integers, each row cases drawn with replacement; the same rows for every model.

    Returns:
        Value and interval, (NaN, NaN) where some resample has no value.

    Raises:
        ValueError: The arrays are not as said.

    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    y, f = _pair(observed, predicted)
    replicates = measure(y[rows], f[rows])
    low, high = np.quantile(replicates, [0.025, 0.975]) if np.isfinite(replicates).all() else (math.nan, math.nan)
    return float(measure(y, f)), (float(low), float(high))


def constants(observed: ArrayLike) -> Constants:
    """Errors of predicting the mean and the median of the observed values, (n,).

    Raises:
        ValueError: They are not finite numbers.
    """
    y = sample(observed, "observed")
    mean, median = np.full_like(y, y.mean()), np.full_like(y, np.median(y))
    return Constants(
        *(float(mean_squared_error(y, constant)) for constant in (mean, median)),
        *(float(mean_absolute_error(y, constant)) for constant in (mean, median)),
    )


def calibration_line(observed: ArrayLike, predicted: ArrayLike) -> Line:
    """The line that says the observed values by the predicted ones, each (n,), n >= 2.

    Raises:
        ValueError: The arrays are not as said.

    Source: Steyerberg et al. 2010, doi 10.1097/EDE.0b013e3181c30fb2 (calibration slope).
    """
    y, f = _pair(observed, predicted, at_least=2)
    in_the_large = float((y - f).mean())
    if np.ptp(f) == 0:
        return Line(math.nan, math.nan, in_the_large)
    slope = float(((f - f.mean()) * (y - y.mean())).sum() / ((f - f.mean()) ** 2).sum())
    return Line(slope, float(y.mean() - slope * f.mean()), in_the_large)


def limits_of_agreement(observed: ArrayLike, predicted: ArrayLike) -> Limits:
    """Where 95 % of the differences lie if they are normal; each (n,), n >= 2.

    Raises:
        ValueError: The arrays are not as said.

    Source: Bland and Altman 1986, doi 10.1016/S0140-6736(86)90837-8.
    """
    y, f = _pair(observed, predicted, at_least=2)
    bias, sd = float((f - y).mean()), float((f - y).std(ddof=1))
    return Limits(bias, sd, bias - 1.96 * sd, bias + 1.96 * sd)


def interval_coverage(observed: ArrayLike, low: ArrayLike, high: ArrayLike) -> Coverage:
    """How often the observed value lies in its prediction interval, and how wide these are; each (n,).

    Raises:
        ValueError: The arrays are not as said, or an interval ends below its start.
    """
    y, start = _pair(observed, low)
    end = numbers(high, y.size, "high")
    if (end < start).any():
        raise ValueError("A prediction interval must not end below its start.")
    inside = int(np.count_nonzero((start <= y) & (y <= end)))
    widths = end - start
    return Coverage(proportion(inside, y.size), float(widths.mean()), float(np.median(widths)))


def compare_errors(observed: ArrayLike, a: ArrayLike, b: ArrayLike) -> Comparison:
    """Student's paired t of the squared errors of two models, each (n,), n >= 2.

    Raises:
        ValueError: The arrays are not as said.

    Source: Diebold and Mariano 1995, doi 10.1080/07350015.1995.10524599, for cases that do not depend on each other.
    """
    y, first = _pair(observed, a, at_least=2)
    second = numbers(b, y.size, "b")
    losses = (first - y) ** 2 - (second - y) ** 2
    mean, error = float(losses.mean()), float(losses.std(ddof=1)) / math.sqrt(y.size)
    if np.ptp(losses) == 0:
        return Comparison(mean, (mean, mean), math.nan, 1.0 if mean == 0 else 0.0)
    half = float(stats.t.ppf(0.975, y.size - 1)) * error
    t = mean / error
    return Comparison(mean, (mean - half, mean + half), t, float(2 * stats.t.sf(abs(t), y.size - 1)))


def _pair(observed: ArrayLike, predicted: ArrayLike, at_least: int = 1) -> tuple[FloatArray, FloatArray]:
    y = sample(observed, "observed", at_least)
    return y, numbers(predicted, y.size, "predicted")


def intraclass_correlation(values: ArrayLike) -> FloatArray:
    """ICC(2,1) of every column: two-way random effects, absolute agreement, a single measurement.

    It is 1 where a case always gets the same value, and falls with differences between raters that all cases share as
    well as with those that they do not.

    Args:
        values: (n, k, f): n cases measured by k raters in f ways, k >= 2. A case with a value that is not finite is
            left out of that column.

    Returns:
        (f,): NaN where fewer than two cases have all values, or where all values are equal.

    Raises:
        ValueError: The shape is not as said.

    Source: Shrout and Fleiss 1979, doi 10.1037/0033-2909.86.2.420; McGraw and Wong 1996, doi
    10.1037/1082-989X.1.1.30, ICC(A,1).
    """
    x = np.asarray(values, dtype=float)
    if x.ndim != 3 or x.shape[1] < 2:
        raise ValueError(f"values must be cases by at least two raters by ways to measure, got the shape {x.shape}.")
    k = x.shape[1]
    whole = np.isfinite(x).all(axis=1)  # (n, f)
    n = whole.sum(axis=0).astype(float)
    count = np.maximum(n, 1)
    known = np.where(whole[:, None, :], x, 0.0)
    mean = known.sum(axis=(0, 1)) / (count * k)
    apart = np.where(whole[:, None, :], known - mean, 0.0)
    of_cases, of_raters = apart.mean(axis=1), apart.sum(axis=0) / count
    between_cases = k * (of_cases**2).sum(axis=0)
    between_raters = count * (of_raters**2).sum(axis=0)
    rest = np.maximum((apart**2).sum(axis=(0, 1)) - between_cases - between_raters, 0.0)
    enough = n >= 2
    freedom = np.where(enough, n - 1, 1.0)
    cases, raters, error = between_cases / freedom, between_raters / (k - 1), rest / (freedom * (k - 1))
    scale = cases + (k - 1) * error + k * (raters - error) / count
    defined = enough & (scale > 1e-12 * np.maximum(mean**2, 1e-12))
    return np.asarray(np.where(defined, (cases - error) / np.where(defined, scale, 1.0), np.nan))
