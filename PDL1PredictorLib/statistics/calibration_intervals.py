"""How far the calibration slope and intercepts could move: intervals of the profile likelihood."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import chdtri

from PDL1PredictorLib.statistics.calibration import calibration, logit
from PDL1PredictorLib.statistics.checks import BoolArray, FloatArray, confidence_of, outcomes, probabilities_of

Interval = tuple[float, float]
FARTHEST = 200.0  # a coefficient of a standardized logit beyond it stands for infinity
UNKNOWN = (-math.inf, math.inf)


class CalibrationIntervals(NamedTuple):
    """Intervals of the figures of `Calibration`; an end is infinite where the cases set no limit.

    Attributes:
        slope: Open upwards where the logits separate the outcomes, on both sides where all are equal.
        intercept: That goes with the slope; it may be open likewise.
        in_the_large: Always finite.
    """

    slope: Interval
    intercept: Interval
    in_the_large: Interval


def calibration_intervals(
    labels: ArrayLike, probabilities: ArrayLike, confidence: float = 0.95
) -> CalibrationIntervals:
    """Intervals of calibration slope, its intercept, and calibration in the large.

    They hold the values that a likelihood ratio test does not reject, with the other coefficient at its best. With few
    cases that covers better than 1.96 standard errors, and it has an answer where logits separate the outcomes and no
    finite slope fits best.

    Args:
        labels: (n,), 0 or 1, both present.
        probabilities: (n,), of the outcome 1.
        confidence: Of the intervals, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: Venzon and Moolgavkar 1988, doi 10.2307/2347496; Heinze and Schemper 2002, doi 10.1002/sim.1047 (separated
    outcomes).
    """
    positive = outcomes(labels)
    x = logit(probabilities_of(probabilities, positive.size))
    drop = float(chdtri(1, 1 - confidence_of(confidence))) / 2
    spread = float(x.std())
    ones = np.ones_like(x)
    reach = 40.0 + float(np.abs(x).max())
    best = calibration(positive, probabilities)
    in_the_large = _within(lambda shift: _likelihood(positive, x + shift), drop, reach, best.in_the_large)
    if spread <= 1e-9 * max(1.0, float(np.abs(x).max())):
        return CalibrationIntervals(UNKNOWN, UNKNOWN, in_the_large)
    z = (x - x.mean()) / spread
    slope = _within(_profile(positive, z, ones), drop, FARTHEST, best.slope * spread)
    # The intercept is where x is 0, which may lie far from the cases: their slope moves it that far.
    far = FARTHEST * (1 + abs(float(x.mean())) / spread)
    intercept = _within(_profile(positive, ones, x / spread), drop, far, best.intercept)
    return CalibrationIntervals((slope[0] / spread, slope[1] / spread), intercept, in_the_large)


def _profile(positive: BoolArray, fixed: FloatArray, free: FloatArray) -> Callable[[float], float]:
    """Log-likelihood of a coefficient of `fixed`, with that of `free` at its best."""

    def likelihood(coefficient: float) -> float:
        offset = coefficient * fixed
        return _likelihood(positive, offset + _best(positive, free, offset) * free)

    return likelihood


def _likelihood(positive: BoolArray, logits: FloatArray) -> float:
    return -float(np.logaddexp(0, np.where(positive, -logits, logits)).sum())


def _best(positive: BoolArray, x: FloatArray, offset: FloatArray) -> float:
    """Coefficient of x that is most likely beside the offset; the farthest one where none is."""
    reach = 2 * FARTHEST + 2 * float(np.abs(offset).max())

    def gradient(coefficient: float) -> float:
        logits = offset + coefficient * x
        return float(((positive - 1 / (1 + np.exp(-np.clip(logits, -700, 700)))) * x).sum())

    if gradient(-reach) <= 0:
        return -reach
    return reach if gradient(reach) >= 0 else float(brentq(gradient, -reach, reach, xtol=1e-10))


def _within(likelihood: Callable[[float], float], drop: float, reach: float, top: float) -> Interval:
    """Where a log-likelihood lies no more than so far below its top, looked for if NaN; infinite beyond the reach."""
    top = _top(likelihood, reach) if math.isnan(top) else top
    least = likelihood(top) - drop

    def above(coefficient: float) -> float:
        return likelihood(coefficient) - least

    low = -math.inf if above(-reach) >= 0 else float(brentq(above, -reach, top, xtol=1e-8))
    return low, math.inf if above(reach) >= 0 else float(brentq(above, top, reach, xtol=1e-8))


def _top(likelihood: Callable[[float], float], reach: float) -> float:
    """Where it is largest, by golden section: it rises to its top and falls behind it."""
    ratio = (math.sqrt(5) - 1) / 2
    low, high = -reach, reach
    left, right = high - ratio * (high - low), low + ratio * (high - low)
    at_left, at_right = likelihood(left), likelihood(right)
    while high - low > 1e-7:
        if at_left < at_right:
            low, left, at_left = left, right, at_right
            right = low + ratio * (high - low)
            at_right = likelihood(right)
        else:
            high, right, at_right = right, left, at_left
            left = high - ratio * (high - low)
            at_left = likelihood(left)
    return (low + high) / 2
