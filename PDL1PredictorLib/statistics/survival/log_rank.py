"""Whether groups differ in how soon the event comes: the log-rank test and its weighted kin, within strata too."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from PDL1PredictorLib.statistics.checks import FloatArray
from PDL1PredictorLib.statistics.checks import groups as group_numbers
from PDL1PredictorLib.statistics.survival.checks import FollowUp, NotEstimableError, follow_up, strata_of


class LogRank(NamedTuple):
    """Events of each group against those expected if all groups had one hazard.

    Attributes:
        names: (g,) of the groups, sorted.
        n: (g,) cases.
        observed: (g,) events (weighted where `rho` is not 0).
        expected: (g,) of them.
        statistic: Chi-square.
        df: Groups less one.
        p: Upper tail.
    """

    names: tuple[str, ...]
    n: FloatArray
    observed: FloatArray
    expected: FloatArray
    statistic: float
    df: int
    p: float


class Sums(NamedTuple):
    """What a log-rank test is made of.

    Attributes:
        observed: (g,) weighted events.
        expected: (g,) weighted events expected.
        covariance: (g, g) of their difference.
    """

    observed: FloatArray
    expected: FloatArray
    covariance: FloatArray


def log_rank(
    time: ArrayLike, event: ArrayLike, group: ArrayLike, strata: ArrayLike | None = None, rho: float = 0.0
) -> LogRank:
    """Compare groups.

    Args:
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        group: (n,) names or numbers, at least two different ones.
        strata: (n,) names; groups are compared within each, and the differences added.
        rho: Weight of a time: the share still free of the event before it, to this power; 0 is the log-rank test, 1
            the one of Peto and Peto, which heeds early events more.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: One group only, no event, or a group that is never at risk when an event comes.

    Source: Harrington and Fleming 1982, doi 10.1093/biomet/69.3.553.
    """
    follow = follow_up(time, event, events_needed=True)
    number = group_numbers(group, follow.time.size, "group")
    names = tuple(str(name) for name in np.unique(np.asarray(group)))
    if len(names) < 2:
        raise NotEstimableError(f"Two groups are needed to compare, got {names[0]} only.")
    sums = _all_strata(follow, number, strata, rho)
    statistic = _statistic(sums)
    return LogRank(
        names,
        np.bincount(number).astype(float),
        sums.observed,
        sums.expected,
        statistic,
        len(names) - 1,
        float(stats.chi2.sf(statistic, len(names) - 1)),
    )


def _all_strata(follow: FollowUp, number: NDArray[np.intp], strata: ArrayLike | None, rho: float) -> Sums:
    count = int(number.max()) + 1
    parts = [
        _sums(FollowUp(follow.time[rows], follow.event[rows]), number[rows], count, rho)
        for rows in strata_of(strata, follow.time.size)
        if follow.event[rows].any()
    ]
    return Sums(*(np.sum(values, axis=0) for values in zip(*parts, strict=True)))


def _sums(follow: FollowUp, number: NDArray[np.intp], count: int, rho: float) -> Sums:
    times, place = np.unique(follow.time, return_inverse=True)
    member = np.zeros((times.size, count))
    np.add.at(member, (place, number), 1.0)
    dead = np.zeros((times.size, count))
    np.add.at(dead, (place[follow.event], number[follow.event]), 1.0)
    at_risk = np.cumsum(member[::-1], axis=0)[::-1]
    n, d = at_risk.sum(axis=1), dead.sum(axis=1)
    weight = np.concatenate([[1.0], np.cumprod(1 - d / n)[:-1]]) ** rho
    share = at_risk / n[:, None]
    spread = weight**2 * d * (n - d) / np.maximum(n - 1, 1)
    covariance = np.diag((spread[:, None] * share).sum(axis=0)) - share.T @ (spread[:, None] * share)
    return Sums((weight[:, None] * dead).sum(axis=0), ((weight * d)[:, None] * share).sum(axis=0), covariance)


def _statistic(sums: Sums) -> float:
    inner = np.diag(sums.covariance) > 1e-12 * np.diag(sums.covariance).max()
    if not inner.all() or inner.size < 2:
        raise NotEstimableError(
            "A group is never at risk together with another when an event comes: nothing to compare."
        )
    difference = (sums.observed - sums.expected)[:-1]
    return float(difference @ np.linalg.solve(sums.covariance[:-1, :-1], difference))
