"""Cox models with a penalty on the size of their coefficients, for many covariates: LASSO, ridge, or both."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import FloatArray, groups
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError, follow_up
from PDL1PredictorLib.statistics.survival.partial_likelihood import likelihood, slope
from PDL1PredictorLib.statistics.survival.risk_sets import RiskSets, risk_sets

STEPS, MOST_CHANGES = 100, 10_000
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
        beta = _fit(scaled, sets, beta, penalty, float(grid[max(place - 1, 0)]), l1_share)
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
        start = slope(table, none, everyone)[0] - slope(table, none, others)[0]
        for place, coef in enumerate(own.coef):
            gain[place] += slope(table, coef, everyone)[0] - slope(table, coef, others)[0] - start
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
    largest = np.abs(slope(x, np.zeros(x.shape[1]), sets)[1]).max() / (x.shape[0] * l1_share)
    return np.asarray(largest * np.geomspace(1, smallest, count))


def _fit(
    x: FloatArray, sets: list[RiskSets], beta: FloatArray, penalty: float, before: float, l1_share: float
) -> FloatArray:
    """The highest point for a penalty, from that for the penalty before, by way of the covariates likely to matter."""
    l1, l2, n = penalty * l1_share, penalty * (1 - l1_share), x.shape[0]
    score = slope(x, beta, sets)[1] / n
    # sequential strong rule: Tibshirani et al. 2012, doi 10.1111/j.1467-9868.2011.01004.x; what it misses is added
    kept = (beta != 0) | (np.abs(score) >= l1_share * (2 * penalty - before))
    while True:
        if kept.any():
            beta[kept] = _newton(x[:, kept], sets, beta[kept], l1, l2)
        score = slope(x, beta, sets)[1] / n
        missed = ~kept & (np.abs(score) > l1 + SETTLED)
        if not missed.any():
            return beta
        kept |= missed


def _newton(x: FloatArray, sets: list[RiskSets], beta: FloatArray, l1: float, l2: float) -> FloatArray:
    """Newton's method, halved where the penalized likelihood would fall."""
    n = x.shape[0]

    def objective(at: FloatArray) -> float:
        return float(slope(x, at, sets)[0] / n - l1 * np.abs(at).sum() - l2 * (at @ at) / 2)

    for _ in range(STEPS):
        here = likelihood(x, beta, sets)
        curvature, score = here.information / n, here.score / n
        step = lasso_of_parabola(curvature + l2 * np.eye(beta.size), score + curvature @ beta, l1, beta) - beta
        if np.abs(step).max() < SETTLED:
            return np.asarray(beta + step)
        start = objective(beta)
        while objective(beta + step) < start - 1e-12:
            step = step / 2
        beta = beta + step
    return beta


def lasso_of_parabola(h: FloatArray, t: FloatArray, l1: float, start: FloatArray) -> FloatArray:
    """The b for which t b - b h b / 2 - l1 |b| is largest.

    Args:
        h: (p, p) symmetric, no eigenvalue below 0.
        t: (p,)
        l1: Penalty, positive or 0.
        start: (p,) a guess, such as the answer for a similar problem.

    Source: Lee et al. 2006, "Efficient sparse coding algorithms", algorithm 1 (feature-sign search).
    """
    h = h + 1e-11 * max(float(np.trace(h)), 1e-300) / t.size * np.eye(t.size)
    b, sign = start.copy(), np.sign(start)
    for _ in range(MOST_CHANGES):
        gradient = t - h @ b
        active = sign != 0
        if np.abs(gradient[active] - l1 * sign[active]).max(initial=0.0) < SETTLED / 100:
            outside = np.where(active, 0.0, np.abs(gradient) - l1)
            entering = int(outside.argmax())
            if outside[entering] <= SETTLED / 100:
                return b
            sign[entering] = np.sign(gradient[entering])
            active[entering] = True
        new = np.zeros_like(b)
        new[active] = np.linalg.solve(h[np.ix_(active, active)], t[active] - l1 * sign[active])
        b = _best_between(h, t, l1, b, new)
        sign = np.sign(b)
    return b


def _best_between(h: FloatArray, t: FloatArray, l1: float, old: FloatArray, new: FloatArray) -> FloatArray:
    """The best of the end of a segment and the points on it where a coefficient becomes 0."""
    crossing = np.flatnonzero(old * new < 0)
    best, found = -np.inf, new
    for share in (1.0, *(old[crossing] / (old[crossing] - new[crossing]))):
        point = old + share * (new - old)
        point[crossing[np.isclose(old[crossing] / (old[crossing] - new[crossing]), share, rtol=1e-12)]] = 0.0
        value = float(t @ point - point @ h @ point / 2 - l1 * np.abs(point).sum())
        if value > best:
            best, found = value, point
    return found
