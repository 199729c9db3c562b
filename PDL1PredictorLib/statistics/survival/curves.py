"""The share still free of the event: Kaplan-Meier and Nelson-Aalen curves, quantiles, restricted mean, follow-up."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from PDL1PredictorLib.statistics.checks import FloatArray, confidence_of
from PDL1PredictorLib.statistics.survival.checks import follow_up

IntervalKind = Literal["log-log", "log", "plain"]
EQUAL = 1e-9  # a curve this near to a share is at it, not beside it


class At(NamedTuple):
    """A curve at some times.

    Attributes:
        survival: (h,) share free of the event; NaN beyond the longest follow-up.
        std_err: (h,) Greenwood's.
        low: (h,) lower limit.
        high: (h,) upper limit.
        at_risk: (h,) cases whose follow-up reaches the time.
    """

    survival: FloatArray
    std_err: FloatArray
    low: FloatArray
    high: FloatArray
    at_risk: FloatArray


class Quantile(NamedTuple):
    """The time by which a share of the cases has had the event.

    Attributes:
        time: NaN where it is not reached.
        interval: Where the limits of the curve reach it; NaN where they do not.
    """

    time: float
    interval: tuple[float, float]


class RestrictedMean(NamedTuple):
    """Mean time free of the event up to a horizon.

    Attributes:
        value: In the unit of time.
        se: Standard error.
    """

    value: float
    se: float


@dataclass(frozen=True, eq=False)
class Curve:
    """A Kaplan-Meier curve. It is 1 up to the first of `times`, then a step at each.

    Attributes:
        times: (m,) distinct times of follow-up, rising, those with censoring only too.
        at_risk: (m,) cases followed up to each time.
        events: (m,) events at it.
        survival: (m,) share free of the event from it on.
        hazard_variance: (m,) Greenwood's sum: the variance of the logarithm of `survival`; infinite where that is 0.
        low: (m,) lower limit of `survival`; NaN where that is 0, and before the first event on the scale "log-log".
        high: (m,) upper limit, likewise.
    """

    times: FloatArray
    at_risk: FloatArray
    events: FloatArray
    survival: FloatArray
    hazard_variance: FloatArray
    low: FloatArray
    high: FloatArray

    @property
    def n(self) -> int:
        """Cases."""
        return int(self.at_risk[0])

    def at(self, horizons: ArrayLike) -> At:
        """The curve at some times."""
        t = np.atleast_1d(np.asarray(horizons, dtype=float))
        place = np.searchsorted(self.times, t, side="right")
        known = t <= self.times[-1]

        def taken(values: FloatArray, before: float) -> FloatArray:
            return np.where(known, np.concatenate([[before], values])[place], np.nan)

        errors = _standard_errors(self.survival, self.hazard_variance)
        return At(
            taken(self.survival, 1.0),
            taken(errors, 0.0),
            taken(self.low, np.nan),
            taken(self.high, np.nan),
            self.numbers_at_risk(t),
        )

    def numbers_at_risk(self, horizons: ArrayLike) -> FloatArray:
        """(h,) cases whose follow-up reaches each time."""
        place = np.searchsorted(self.times, np.atleast_1d(np.asarray(horizons, dtype=float)), side="left")
        return np.concatenate([self.at_risk, [0.0]])[place]

    def quantile(self, share: float = 0.5) -> Quantile:
        """The time by which `share` of the cases has had the event; 0.5 is the median.

        Where the curve runs level at that share, the middle of the level part is taken, as R does.

        Raises:
            ValueError: The share is not between 0 and 1.
        """
        left = 1 - confidence_of(share)
        return Quantile(
            self._reaches(self.survival, left), (self._reaches(self.low, left), self._reaches(self.high, left))
        )

    def restricted_mean(self, horizon: float) -> RestrictedMean:
        """Mean time free of the event up to `horizon`: the area below the curve.

        Raises:
            ValueError: The horizon is not positive, or beyond the longest follow-up.

        Source: Royston and Parmar 2013, doi 10.1186/1471-2288-13-152.
        """
        if not 0 < horizon <= self.times[-1]:
            raise ValueError(f"horizon must lie between 0 and the longest follow-up {self.times[-1]:g}, got {horizon}.")
        inside = self.times < horizon
        edges = np.concatenate([[0.0], self.times[inside], [horizon]])
        areas = np.diff(edges) * np.concatenate([[1.0], self.survival[inside]])
        to_come = np.cumsum(areas[::-1])[::-1][1:]  # the area from each step on
        at_risk, events = self.at_risk[inside], self.events[inside]
        some = (events > 0) & (at_risk > events)  # no area is left where the last ones have the event together
        added = to_come[some] ** 2 * events[some] / (at_risk[some] * (at_risk[some] - events[some]))
        return RestrictedMean(float(areas.sum()), math.sqrt(float(added.sum())))

    def cumulative_hazard(self, horizons: ArrayLike) -> tuple[FloatArray, FloatArray]:
        """Nelson and Aalen's cumulative hazard at some times, (h,), and its standard error, (h,)."""
        place = np.searchsorted(self.times, np.atleast_1d(np.asarray(horizons, dtype=float)), side="right")
        value = np.concatenate([[0.0], np.cumsum(self.events / self.at_risk)])
        variance = np.concatenate([[0.0], np.cumsum(self.events / self.at_risk**2)])
        return value[place], np.sqrt(variance[place])

    def _reaches(self, curve: FloatArray, left: float) -> float:
        known = np.isfinite(curve) & (self.events > 0)
        times, values = self.times[known], curve[known]
        below = np.flatnonzero(values <= left + EQUAL)
        if below.size == 0:
            return self._reaches_nothing(curve)
        first = int(below[0])
        if abs(values[first] - left) > EQUAL:
            return float(times[first])
        later = np.flatnonzero(values < left - EQUAL)
        if later.size:
            return float((times[first] + times[later[0]]) / 2)
        return float((times[first] + self.times[-1]) / 2) if curve is self.survival else float(times[first])

    def _reaches_nothing(self, curve: FloatArray) -> float:
        ends_at_zero = curve is self.survival and self.survival[-1] == 0
        return float(self.times[-1]) if ends_at_zero else math.nan


def kaplan_meier(
    time: ArrayLike, event: ArrayLike, interval: IntervalKind = "log-log", confidence: float = 0.95
) -> Curve:
    """The share free of the event over time. Where an event and a censoring share a time, the event came first.

    Args:
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        interval: Scale of the limits; "log-log" stays between 0 and 1 and is the best at small numbers.
        confidence: Of the limits, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: Kaplan and Meier 1958, doi 10.1080/01621459.1958.10501452; limits: Borgan and Liestol 1990.
    """
    follow = follow_up(time, event)
    times, place = np.unique(follow.time, return_inverse=True)
    events = np.bincount(place, weights=follow.event, minlength=times.size).astype(float)
    at_risk = np.cumsum(np.bincount(place, minlength=times.size)[::-1])[::-1].astype(float)
    survival = np.cumprod(1 - events / at_risk)
    with np.errstate(divide="ignore"):
        variance = np.cumsum(events / (at_risk * (at_risk - events)))
    quantile = float(stats.norm.ppf(0.5 + confidence_of(confidence) / 2))
    low, high = _limits(survival, variance, interval, quantile)
    return Curve(times, at_risk, events, survival, variance, low, high)


def median_follow_up(time: ArrayLike, event: ArrayLike) -> Quantile:
    """Median time of follow-up: that of the curve with events and censorings exchanged (reverse Kaplan-Meier).

    Raises:
        ValueError: An argument is not as said.

    Source: Schemper and Smith 1996, doi 10.1016/0197-2456(96)00075-X.
    """
    follow = follow_up(time, event)
    return kaplan_meier(follow.time, ~follow.event).quantile(0.5)


def _standard_errors(survival: FloatArray, variance: FloatArray) -> FloatArray:
    return np.where(survival > 0, survival * np.sqrt(np.where(survival > 0, variance, 0.0)), np.nan)


def _limits(
    survival: FloatArray, variance: FloatArray, interval: IntervalKind, quantile: float
) -> tuple[FloatArray, FloatArray]:
    inner = survival > 0
    s, se = survival[inner], np.sqrt(variance[inner])
    low, high = np.full(survival.shape, np.nan), np.full(survival.shape, np.nan)
    if interval == "plain":
        low[inner], high[inner] = s - quantile * s * se, s + quantile * s * se
    elif interval == "log":
        low[inner], high[inner] = s * np.exp(-quantile * se), s * np.exp(quantile * se)
    elif interval == "log-log":
        inner &= survival < 1  # no event yet: nothing to make a limit of
        logarithm, se = np.log(survival[inner]), np.sqrt(variance[inner])
        half = quantile * se / -logarithm
        low[inner], high[inner] = np.exp(logarithm * np.exp(half)), np.exp(logarithm * np.exp(-half))
    else:
        raise ValueError(f"interval must be log-log, log or plain, got {interval!r}.")
    return np.clip(low, 0, 1), np.clip(high, 0, 1)
