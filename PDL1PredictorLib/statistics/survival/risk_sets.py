"""Who is at risk when somebody has the event: the sums that a Cox model is made of."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from PDL1PredictorLib.statistics.checks import BoolArray, FloatArray

Ties = Literal["efron", "breslow"]
Rows = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class RiskSets:
    """The events of one stratum, in the order of time.

    Attributes:
        order: (n,) its cases by rising time, as rows of the whole table.
        times: (m,) distinct times with an event, rising.
        first: (m,) place in `order` from which cases are at risk.
        deaths: (d,) places in `order` of the cases with the event.
        begins: (m,) where in `deaths` a time begins.
        step: (d,) which time.
        share: (d,) of those who die together the share that Efron's method has already taken out; 0 for Breslow's.
        last: (n,) of each place in `order` the last step at or before its time; -1: none.
    """

    order: Rows
    times: FloatArray
    first: Rows
    deaths: Rows
    begins: Rows
    step: Rows
    share: FloatArray
    last: Rows

    def at_risk(self, values: FloatArray) -> FloatArray:
        """Sums over those at risk, (m, ...), of values in the order of `order`."""
        return np.asarray(np.cumsum(values[::-1], axis=0)[::-1][self.first])

    def dying(self, values: FloatArray) -> FloatArray:
        """Sums over those with the event, (m, ...), of values in the order of `order`."""
        return np.asarray(np.add.reduceat(values[self.deaths], self.begins, axis=0))

    def per_death(self, values: FloatArray) -> FloatArray:
        """Sums over those at risk, (d, ...), the shares of those who die together taken out."""
        share = self.share.reshape(-1, *[1] * (values.ndim - 1))
        return np.asarray(self.at_risk(values)[self.step] - share * self.dying(values)[self.step])


def risk_sets(time: FloatArray, event: BoolArray, rows: Rows, ties: Ties = "efron") -> RiskSets:
    """The risk sets of the cases in `rows`; at least one of them has the event."""
    order = rows[np.lexsort((~event[rows], time[rows]))]
    t, died = time[order], event[order]
    deaths = np.flatnonzero(died)
    times, begins, step, count = np.unique(t[deaths], return_index=True, return_inverse=True, return_counts=True)
    within = np.arange(deaths.size) - begins[step]
    share = within / count[step] if ties == "efron" else np.zeros(deaths.size)
    first = np.searchsorted(t, times, side="left")
    return RiskSets(
        order, times, first, deaths, begins, step, share, np.searchsorted(times, t, side="right").astype(np.intp) - 1
    )


def cumulated(sets: RiskSets, weights: FloatArray) -> FloatArray:
    """What each case has gone through by its own time, (n,) in the order of `order`.

    Args:
        sets: The risk sets.
        weights: (d,) what each event adds, such as 1 over the sum of those at risk.

    Who has the event is, under Efron's method, only partly at risk at that very time.
    """
    total = np.concatenate([[0.0], np.cumsum(np.add.reduceat(weights, sets.begins))])
    gone = total[sets.last + 1]
    taken_out = np.add.reduceat(sets.share * weights, sets.begins)
    gone[sets.deaths] -= taken_out[sets.step]
    return np.asarray(gone)
