"""Cox models with a penalty on the size of their coefficients, for many covariates: LASSO, ridge, or both."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PDL1PredictorLib.statistics.checks import FloatArray, groups
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError, follow_up
from PDL1PredictorLib.statistics.survival.partial_likelihood import Likelihood, likelihood
from PDL1PredictorLib.statistics.survival.risk_sets import RiskSets, risk_sets

OUTER, SWEEPS = 100, 1000
SETTLED = 1e-7  # of a coefficient, per standard deviation of its covariate


@dataclass(frozen=True, eq=False)
class PenalizedPath:
    """Coefficients for falling penalties.

    Attributes:
        penalties: (k,) falling.
        coef: (k, p) log hazard ratio per unit of each covariate; 0 where it is left out.
        mean: (p,) of the covariates.
    """

    penalties: FloatArray
    coef: FloatArray
    mean: FloatArray

    def score(self, x: ArrayLike, place: int) -> FloatArray:
        """(n,) log hazard relative to a case with mean covariates, with the penalty at `place`."""
        return np.asarray((np.asarray(x, dtype=float) - self.mean) @ self.coef[place])


class ChosenPenalty(NamedTuple):
    """The penalty under which held-out cases are told best.

    Attributes:
        place: In the path.
        gain: (k,) log partial likelihood per event that held-out cases gain over no covariate at all.
    """

    place: int
    gain: FloatArray


def penalized_path(
    x: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    penalties: ArrayLike | None = None,
    n_penalties: int = 30,
    smallest: float = 0.05,
    l1_share: float = 1.0,
) -> PenalizedPath:
    """Fit Cox models (Efron) for falling penalties.

    The log partial likelihood over the number of cases, less penalty times (share |b| + (1 - share) b^2 / 2) of the
    coefficients per standard deviation, is largest. Covariates with one value only are left out.

    Args:
        x: (n, p) covariates in any units.
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        penalties: (k,) falling, all positive; None: from the smallest that leaves out every covariate downward.
        n_penalties: How many, where none are given.
        smallest: The last of them over the first.
        l1_share: 1: LASSO; towards 0: ridge; above 0.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: No event, or no covariate with more than one value.

    Source: Simon et al. 2011, doi 10.18637/jss.v039.i05 (R's glmnet, which treats ties as Breslow).
    """
    follow = follow_up(time, event, events_needed=True)
    table = _table(x, follow.time.size)
    if not 0 < l1_share <= 1:
        raise ValueError(f"l1_share must lie above 0 and up to 1, got {l1_share!r}.")
    mean, sd = table.mean(axis=0), table.std(axis=0)
    varies = sd > 1e-12 * (1 + np.abs(mean))
    if not varies.any():
        raise NotEstimableError("No covariate has more than one value.")
    scaled = (table[:, varies] - mean[varies]) / sd[varies]
    sets = [risk_sets(follow.time, follow.event, np.arange(follow.time.size))]
    grid = _grid(penalties, scaled, sets, n_penalties, smallest, l1_share)
    coef, beta = np.zeros((grid.size, table.shape[1])), np.zeros(scaled.shape[1])
    for place, penalty in enumerate(grid.tolist()):
        beta = _fit(scaled, sets, beta, penalty * l1_share, penalty * (1 - l1_share))
        coef[place, varies] = beta / sd[varies]
    return PenalizedPath(grid, coef, mean)


def choose_penalty(
    x: ArrayLike, time: ArrayLike, event: ArrayLike, folds: ArrayLike, path: PenalizedPath, l1_share: float = 1.0
) -> ChosenPenalty:
    """The penalty of a path under which models fitted without a fold tell that fold best.

    What a fold gains is the likelihood of all cases less that of the others (Verweij and van Houwelingen), which also
    tells something where the fold is small.

    Args:
        x: (n, p) covariates.
        time: (n,) follow-up.
        event: (n,) 1: the event came then, 0: censored.
        folds: (n,) names of the folds, at least two.
        path: Of all these cases.
        l1_share: As in the path.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: The cases without a fold have no event.

    Source: Verweij and van Houwelingen 1993, doi 10.1002/sim.4780122407.
    """
    follow = follow_up(time, event, events_needed=True)
    table, fold = _table(x, follow.time.size), groups(folds, follow.time.size, "folds")
    everyone = [risk_sets(follow.time, follow.event, np.arange(follow.time.size))]
    gain = np.zeros(path.penalties.size)
    for number in range(int(fold.max()) + 1):
        kept = np.flatnonzero(fold != number)
        own = penalized_path(table[kept], follow.time[kept], follow.event[kept], path.penalties, l1_share=l1_share)
        others = [risk_sets(follow.time, follow.event, kept)]
        none = np.zeros(table.shape[1])
        start = likelihood(table, none, everyone).value - likelihood(table, none, others).value
        for place, coef in enumerate(own.coef):
            gain[place] += likelihood(table, coef, everyone).value - likelihood(table, coef, others).value - start
    return ChosenPenalty(int(gain.argmax()), gain / follow.event.sum())


def _table(x: ArrayLike, n: int) -> FloatArray:
    table = np.asarray(x, dtype=float)
    if table.ndim != 2 or table.shape[0] != n or table.shape[1] < 1:
        raise ValueError(f"x must be {n} rows of covariates, one per time, got the shape {np.shape(x)}.")
    if not np.isfinite(table).all():
        raise ValueError(f"x must be finite, {np.count_nonzero(~np.isfinite(table))} values are not.")
    return table


def _grid(
    penalties: ArrayLike | None, x: FloatArray, sets: list[RiskSets], count: int, smallest: float, l1_share: float
) -> FloatArray:
    if penalties is not None:
        grid = np.atleast_1d(np.asarray(penalties, dtype=float))
        if not (grid > 0).all() or not (np.diff(grid) < 0).all():
            raise ValueError("penalties must be positive and falling.")
        return grid
    if count < 1 or not 0 < smallest < 1:
        raise ValueError(f"At least 1 penalty is needed, the last a share of the first; got {count} and {smallest!r}.")
    largest = np.abs(likelihood(x, np.zeros(x.shape[1]), sets).score).max() / (x.shape[0] * l1_share)
    return np.asarray(largest * np.geomspace(1, smallest, count))


def _fit(x: FloatArray, sets: list[RiskSets], beta: FloatArray, l1: float, l2: float) -> FloatArray:
    """Newton's method, each step by coordinates; halved where the penalized likelihood would fall."""
    n = x.shape[0]

    def objective(value: float, at: FloatArray) -> float:
        return float(value / n - l1 * np.abs(at).sum() - l2 * (at @ at) / 2)

    here = likelihood(x, beta, sets)
    for _ in range(OUTER):
        step = _by_coordinates(here, beta, n, l1, l2) - beta
        there = likelihood(x, beta + step, sets)
        while objective(there.value, beta + step) < objective(here.value, beta) - 1e-12:
            step = step / 2
            there = likelihood(x, beta + step, sets)
        beta, here = beta + step, there
        if np.abs(step).max() < SETTLED:
            return beta
    return beta


def _by_coordinates(here: Likelihood, beta: FloatArray, n: int, l1: float, l2: float) -> FloatArray:
    """The highest point of the likelihood's parabola less the penalty."""
    h = here.information / n
    target = here.score / n + h @ beta
    b, product, steep = beta.copy(), h @ beta, np.diag(h)
    active: NDArray[np.intp] = np.arange(b.size)
    for sweep in range(SWEEPS):
        largest = 0.0
        for j in active.tolist():
            rest = target[j] - product[j] + steep[j] * b[j]
            new = np.sign(rest) * max(abs(rest) - l1, 0.0) / (steep[j] + l2)
            if (change := new - b[j]) != 0.0:
                product += h[:, j] * change
                b[j] = new
                largest = max(largest, abs(change))
        if largest < SETTLED / 10:
            if active.size == b.size:
                return b
            active = np.arange(b.size)
        else:
            active = np.flatnonzero(b) if sweep % 10 and b.any() else np.arange(b.size)
    return b
