"""The cut of a number that parts sooner from later best, with what such a search does to p."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from PDL1PredictorLib.statistics.checks import BoolArray, FloatArray, numbers
from PDL1PredictorLib.statistics.survival.checks import FollowUp, NotEstimableError, follow_up


class Scan(NamedTuple):
    """The log-rank statistic of every cut.

    Attributes:
        cuts: (c,) values; a case is high where it is above.
        n_high: (c,) cases above.
        statistic: (c,) chi-square with one degree of freedom, as if that cut alone had been tried.
    """

    cuts: FloatArray
    n_high: FloatArray
    statistic: FloatArray


class BestCut(NamedTuple):
    """The cut with the largest log-rank statistic ("X-tile").

    Attributes:
        cut: A case is high where its value is above.
        n_high: Cases above.
        statistic: Chi-square.
        p_naive: As if this cut had been known before: too small. Never to be given alone.
        p_permutation: Share of permutations whose own best cut is as good: this one counts the search.
        scan: Of all cuts.
    """

    cut: float
    n_high: int
    statistic: float
    p_naive: float
    p_permutation: float
    scan: Scan


def scan_cuts(x: ArrayLike, time: ArrayLike, event: ArrayLike, smallest_share: float = 0.1) -> Scan:
    """Log-rank statistics of all cuts that leave enough cases on either side.

    Args:
        x: (n,) numbers, at least two different ones.
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        smallest_share: Of the cases that either side must have, 0 to below 0.5.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: No event, or no cut leaves enough cases on either side.
    """
    follow = follow_up(time, event, events_needed=True)
    values = numbers(x, follow.time.size, "x")
    order = np.argsort(values, kind="stable")
    below = cut_places(values[order], smallest_share)
    found = _statistics(FollowUp(follow.time[order], follow.event[order]), below)
    return Scan(values[order][below - 1], (values.size - below).astype(float), found)


def best_cut(
    x: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    rng: np.random.Generator,
    n_permutations: int = 999,
    smallest_share: float = 0.1,
) -> BestCut:
    """The cut with the largest log-rank statistic; p by permutation of the values among the cases.

    Args:
        x: (n,) numbers, at least two different ones.
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        rng: Chance of the permutations.
        n_permutations: At least 1; the smallest possible p is 1 over one more.
        smallest_share: Of the cases that either side must have, 0 to below 0.5.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: As `scan_cuts`.

    Source: Camp, Dolled-Filhart and Rimm 2004, doi 10.1158/1078-0432.CCR-04-0713; why p must count the search: Altman
        et al. 1994, doi 10.1093/jnci/86.11.829.
    """
    if n_permutations < 1:
        raise ValueError(f"n_permutations must be at least 1, got {n_permutations!r}.")
    scan = scan_cuts(x, time, event, smallest_share)
    follow = follow_up(time, event)
    below = cut_places(np.sort(numbers(x, follow.time.size, "x")), smallest_share)
    place = int(scan.statistic.argmax())
    largest = float(scan.statistic[place])
    as_good = 0
    for _ in range(n_permutations):
        shuffled = rng.permutation(follow.time.size)
        statistic = _statistics(FollowUp(follow.time[shuffled], follow.event[shuffled]), below)
        as_good += int(statistic.max() >= largest * (1 - 1e-12))
    p = (1 + as_good) / (1 + n_permutations)
    cut, n_high = float(scan.cuts[place]), int(scan.n_high[place])
    return BestCut(cut, n_high, largest, float(stats.chi2.sf(largest, 1)), p, scan)


def cut_places(rising: FloatArray, smallest_share: float) -> NDArray[np.intp]:
    """(c,) numbers of cases at or below each possible cut, of values that rise.

    Raises:
        ValueError: The share is not 0 to below 0.5.
        NotEstimableError: No cut leaves enough cases on either side.
    """
    if not 0 <= smallest_share < 0.5:
        raise ValueError(f"smallest_share must be at least 0 and below 0.5, got {smallest_share!r}.")
    below = np.flatnonzero(np.diff(rising) > 0) + 1
    least = max(smallest_share * rising.size - 1e-9, 1)
    below = below[(below >= least) & (rising.size - below >= least)]
    if below.size == 0:
        raise NotEstimableError(f"No cut leaves {100 * smallest_share:g} % of the cases on either side.")
    return np.asarray(below, dtype=np.intp)


def _statistics(follow: FollowUp, below: NDArray[np.intp]) -> FloatArray:
    """(c,) chi-squares, of cases in the order of their values."""
    times, place = np.unique(follow.time, return_inverse=True)
    dead = np.bincount(place, weights=follow.event, minlength=times.size)
    at_risk = np.cumsum(np.bincount(place, minlength=times.size)[::-1])[::-1]
    hazard = np.cumsum(dead / at_risk)
    residual = follow.event - hazard[place]  # events less those expected, one hazard for all
    difference = np.cumsum(residual)[below - 1]
    some = np.flatnonzero(dead)
    spread = dead[some] * (at_risk[some] - dead[some]) / np.maximum(at_risk[some] - 1, 1)
    low = np.cumsum(_reached(follow.time, times[some]), axis=0)[below - 1] / at_risk[some]  # share below the cut
    variance = (low * (1 - low)) @ spread
    return np.asarray(np.where(variance > 0, difference**2 / np.where(variance > 0, variance, 1), 0.0))


def _reached(time: FloatArray, times: FloatArray) -> BoolArray:
    return np.asarray(time[:, None] >= times[None, :])
