"""The checks that every page of survival shares."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PDL1PredictorLib.statistics.checks import BoolArray, FloatArray


class FollowUp(NamedTuple):
    """How long each case was followed, and how that ended.

    Attributes:
        time: (n,) finite, none negative; in any unit.
        event: (n,) whether the event came at that time; otherwise the case was censored then.
    """

    time: FloatArray
    event: BoolArray


class NotEstimableError(ValueError):
    """The numbers are valid, but what was asked for cannot be estimated from them."""


def follow_up(time: ArrayLike, event: ArrayLike, events_needed: bool = False) -> FollowUp:
    """Times and events, checked.

    Args:
        time: (n,) finite, none negative, n >= 1.
        event: (n,) each 0 or 1 (or false and true).
        events_needed: Whether a table without any event is refused.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: No event where one is needed.
    """
    times, events = np.asarray(time, dtype=float), np.asarray(event)
    if times.ndim != 1 or times.size < 1:
        raise ValueError(f"time must be a row of at least 1 number, got the shape {times.shape}.")
    if events.shape != times.shape:
        raise ValueError(f"event must be {times.size} values, one per time, got the shape {events.shape}.")
    if not np.isfinite(times).all():
        raise ValueError(f"time must be finite, {np.count_nonzero(~np.isfinite(times))} of {times.size} are not.")
    if times.min() < 0:
        raise ValueError(f"time must not be negative, {np.count_nonzero(times < 0)} of {times.size} are.")
    if not np.isin(events, (0, 1)).all():
        wrong = events[~np.isin(events, (0, 1))][0]
        raise ValueError(f"event must be 1 (it came) or 0 (censored), got {wrong!r}.")
    happened = events.astype(bool)
    if events_needed and not happened.any():
        raise NotEstimableError(f"None of the {times.size} cases had the event, so nothing can be estimated from them.")
    return FollowUp(times, happened)


def covariates(x: ArrayLike, n: int) -> FloatArray:
    """A table of finite numbers, (n, p); one row of numbers is one covariate.

    Raises:
        ValueError: Another shape, or values that are not finite.
        NotEstimableError: A column has one value only.
    """
    table = np.asarray(x, dtype=float)
    table = table[:, np.newaxis] if table.ndim == 1 else table
    if table.ndim != 2 or table.shape[0] != n or table.shape[1] < 1:
        raise ValueError(f"x must be {n} rows of covariates, one per time, got the shape {np.shape(x)}.")
    if not np.isfinite(table).all():
        raise ValueError(f"x must be finite, {np.count_nonzero(~np.isfinite(table))} values are not.")
    constant = np.flatnonzero(np.ptp(table, axis=0) == 0)
    if constant.size:
        raise NotEstimableError(f"Covariate {constant[0]} has the same value in every case, so it has no hazard ratio.")
    return table


def strata_of(strata: ArrayLike | None, n: int) -> list[NDArray[np.intp]]:
    """Rows of each stratum, in the order of their names; one of all rows where there are none.

    Raises:
        ValueError: Not n values.
    """
    if strata is None:
        return [np.arange(n)]
    names = np.asarray(strata)
    if names.shape != (n,):
        raise ValueError(f"strata must be {n} values, one per time, got the shape {names.shape}.")
    return [np.flatnonzero(names == name) for name in np.unique(names)]
