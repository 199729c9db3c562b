"""The chance to be still followed, and the weights that make up for those who are not."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import FloatArray
from PDL1PredictorLib.statistics.survival.checks import FollowUp


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


def censoring_curve(follow: FollowUp) -> Censoring:
    """The curve of censoring. Where an event and a censoring share a time, the event came first."""
    times, count = np.unique(follow.time[~follow.event], return_counts=True)
    at_risk = (follow.time[None, :] >= times[:, None]).sum(axis=1) - _events_at(follow, times)
    return Censoring(times, np.cumprod(1 - count / at_risk))


def _events_at(follow: FollowUp, times: FloatArray) -> FloatArray:
    """Those with the event at each time are no longer at risk of being censored then."""
    own = np.sort(follow.time[follow.event])
    return np.asarray(np.searchsorted(own, times, side="right") - np.searchsorted(own, times, side="left"), dtype=float)
