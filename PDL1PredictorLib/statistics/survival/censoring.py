"""The chance to be still followed, and the weights that make up for those who are not."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PDL1PredictorLib.statistics.checks import FloatArray
from PDL1PredictorLib.statistics.survival.checks import FollowUp, NotEstimableError


class Censoring(NamedTuple):
    """The curve of censoring, by Kaplan and Meier with the two outcomes exchanged.

    Attributes:
        times: (m,) distinct times at which a case was censored, rising.
        followed: (m,) chance to be followed beyond each.
    """

    times: FloatArray
    followed: FloatArray

    def before(self, t: ArrayLike) -> FloatArray:
        """Chance to be followed up to, but not counting, each time."""
        return self._at(t, "left")

    def beyond(self, t: ArrayLike) -> FloatArray:
        """Chance to be followed beyond each time."""
        return self._at(t, "right")

    def _at(self, t: ArrayLike, side: Literal["left", "right"]) -> FloatArray:
        place = np.searchsorted(self.times, np.asarray(t, dtype=float), side=side)
        return np.concatenate([[1.0], self.followed])[place]


def censoring_curve(follow: FollowUp, event_first: bool = True) -> Censoring:
    """The curve of censoring.

    Args:
        follow: The cases.
        event_first: Where an event and a censoring share a time, whether the event came first, so that its case was no
            longer at risk of being censored; otherwise both count as at risk.
    """
    times, count = np.unique(follow.time[~follow.event], return_counts=True)
    at_risk = (follow.time[None, :] >= times[:, None]).sum(axis=1)
    if event_first:
        own = np.sort(follow.time[follow.event])
        at_risk = at_risk - np.searchsorted(own, times, side="right") + np.searchsorted(own, times, side="left")
    return Censoring(times, np.cumprod(1 - count / at_risk))


def weights_at(follow: FollowUp, horizon: float, censoring: Censoring) -> FloatArray:
    """(n,) weights of the cases whose state at `horizon` is known, 0 of those censored before.

    Raises:
        NotEstimableError: By the curve, nobody is followed as long as somebody here.
    """
    had, free = follow.event & (follow.time <= horizon), follow.time > horizon
    chance = np.where(had, censoring.before(follow.time), censoring.beyond(horizon))
    if not (chance[had | free] > 0).all():
        raise NotEstimableError(f"Nobody is followed as long as {horizon:g}: choose an earlier horizon.")
    return np.where(had | free, 1 / np.where(chance > 0, chance, 1.0), 0.0)


def influence_of_weights(follow: FollowUp, horizon: float, slopes: FloatArray) -> FloatArray:
    """What each case does to a weighted figure by way of the estimated curve of censoring.

    Args:
        follow: The cases, by whose curve the weights were made.
        horizon: For which.
        slopes: (n,) change of the figure with the logarithm of each weight.

    Returns:
        (n,) times n: to be added to the influence of the cases themselves.

    Source: Blanche, Dartigues and Jacqmin-Gadda 2013, doi 10.1002/sim.5958, appendix.
    """
    times, place = np.unique(follow.time, return_inverse=True)
    n = follow.time.size
    at_risk = np.cumsum(np.bincount(place, minlength=times.size)[::-1])[::-1]
    censored = np.bincount(place, weights=~follow.event, minlength=times.size)
    open_until = np.where(follow.time <= horizon, place, np.searchsorted(times, horizon, side="right"))
    beyond = _sums_beyond(slopes, open_until, times.size)
    drift = np.cumsum(censored * n / at_risk**2 * beyond)
    return np.where(follow.event, 0.0, n / at_risk[place] * beyond[place]) - drift[place]


def _sums_beyond(slopes: FloatArray, until: NDArray[np.intp], count: int) -> FloatArray:
    """(count,) sum of the slopes of the cases in whose weight the censorings of each time stand."""
    ends = np.bincount(until, weights=slopes, minlength=count + 1)
    return np.asarray(np.cumsum(ends[::-1])[::-1][1:])
