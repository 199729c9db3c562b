"""How two numbers go together: Pearson and Spearman, with p and interval."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from PDL1PredictorLib.statistics.checks import FloatArray, confidence_of, numbers, sample


class Correlation(NamedTuple):
    """A coefficient of correlation.

    Attributes:
        value: -1 to 1.
        interval: By Fisher's z.
        p: Two-sided, of no correlation.
        n: Cases.
    """

    value: float
    interval: tuple[float, float]
    p: float
    n: int


def pearson(x: ArrayLike, y: ArrayLike, confidence: float = 0.95) -> Correlation:
    """Correlation of the values: how well a straight line says one by the other.

    Args:
        x: (n,), n >= 4, not all equal.
        y: (n,), of the same cases in the same order, not all equal.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: interval and p as R's cor.test: Fisher 1921, "On the probable error of a coefficient of correlation".
    """
    first, second = _pair(x, y)
    value, p = stats.pearsonr(first, second)
    return _with_interval(float(value), float(p), first.size, 1.0, confidence)


def spearman(x: ArrayLike, y: ArrayLike, confidence: float = 0.95) -> Correlation:
    """Correlation of the ranks: how well one grows with the other. p is by Student's t.

    Args:
        x: (n,), n >= 4, not all equal.
        y: (n,), of the same cases in the same order, not all equal.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: Spearman 1904, doi 10.2307/1412159; interval: Bonett and Wright 2000, doi 10.1007/BF02294183.
    """
    first, second = _pair(x, y)
    value, p = stats.spearmanr(first, second)
    return _with_interval(float(value), float(p), first.size, 1 + float(value) ** 2 / 2, confidence)


def _pair(x: ArrayLike, y: ArrayLike) -> tuple[FloatArray, FloatArray]:
    first = sample(x, "x", at_least=4)
    second = numbers(y, first.size, "y")
    for name, values in (("x", first), ("y", second)):
        if np.ptp(values) == 0:
            raise ValueError(f"{name} has one value only, so nothing can correlate with it.")
    return first, second


def _with_interval(value: float, p: float, n: int, inflation: float, confidence: float) -> Correlation:
    """`inflation`: variance of Fisher's z times n - 3."""
    quantile = float(stats.norm.ppf(0.5 + confidence_of(confidence) / 2))
    if abs(value) >= 1:  # rounding may leave 1 + 1e-16; z is infinite
        value = math.copysign(1.0, value)
        return Correlation(value, (value, value), p, n)
    half = quantile * math.sqrt(inflation / (n - 3))
    return Correlation(value, (math.tanh(math.atanh(value) - half), math.tanh(math.atanh(value) + half)), p, n)
