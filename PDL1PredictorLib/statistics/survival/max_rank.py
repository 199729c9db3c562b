"""Maximally selected log-rank statistics in their standardized form, with p that needs no permutation."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from PDL1PredictorLib.statistics.checks import FloatArray, numbers
from PDL1PredictorLib.statistics.survival.best_cut import cut_places
from PDL1PredictorLib.statistics.survival.checks import FollowUp, NotEstimableError, follow_up


class MaxRank(NamedTuple):
    """The cut with the largest standardized rank statistic (R's maxstat).

    Attributes:
        cut: A case is high where its value is above.
        statistic: M, the largest of the absolute standardized statistics. Cuts near the ends have no advantage, as
            they have with the largest log-rank statistic: the two rules may choose far apart.
        p_1992: By the limit of many cases, Lausen and Schumacher's.
        p_1994: By the correlation of neighboring cuts, theirs.
    """

    cut: float
    statistic: float
    p_1992: float
    p_1994: float


class ExactMaxRank(NamedTuple):
    """The same with scores rounded to whole numbers, whose distribution can be counted.

    Attributes:
        statistic: M of the rounded scores.
        p: An upper limit of the exact p.
    """

    statistic: float
    p: float


def max_rank(x: ArrayLike, time: ArrayLike, event: ArrayLike, smallest_share: float = 0.1) -> MaxRank:
    """The cut with the largest standardized log-rank statistic.

    Args:
        x: (n,) numbers, at least two different ones.
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        smallest_share: Of the cases that either side must have, above 0, below 0.5.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: No event, or no cut leaves enough cases on either side.

    Source: Lausen and Schumacher 1992, doi 10.2307/2532740, and 1994, doi 10.1007/978-3-642-46808-7_27; scores:
        Hothorn and Lausen 2003, doi 10.1016/S0167-9473(02)00225-6.
    """
    scores, values, below = _ordered(x, time, event, smallest_share)
    found = _standardized(scores, below)
    place = int(found.argmax())
    m = float(found[place])
    return MaxRank(float(values[below[place] - 1]), m, p_1992(m, smallest_share), p_1994(m, below, scores.size))


def exact_max_rank(x: ArrayLike, time: ArrayLike, event: ArrayLike, smallest_share: float = 0.1) -> ExactMaxRank:
    """The largest standardized statistic of rounded scores, with an upper limit of its exact p.

    Its time grows with the fourth power of the number of cases: for at most 170 of them.

    Args:
        x: (n,) numbers, at least two different ones.
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        smallest_share: Of the cases that either side must have, above 0, below 0.5.

    Raises:
        ValueError: An argument is not as said, or there are more than 170 cases.
        NotEstimableError: As `max_rank`.

    Source: Hothorn and Lausen 2003, doi 10.1016/S0167-9473(02)00225-6; counting: Streitberg and Roehmel 1986.
    """
    scores, _, below = _ordered(x, time, event, smallest_share)
    if scores.size > 170:
        raise ValueError(f"The exact distribution is counted for at most 170 cases, got {scores.size}.")
    whole = np.round((scores - scores.min()) * scores.size / np.ptp(scores))
    m = float(_standardized(whole, below).max())
    return ExactMaxRank(m, _upper_limit(whole.astype(np.intp), below, m))


def p_1992(statistic: float, smallest_share: float) -> float:
    """P of a largest statistic by the limit of many cases; 1 where the statistic is below 1."""
    if statistic < 1:
        return 1.0
    density = float(stats.norm.pdf(statistic))
    odds = ((1 - smallest_share) / smallest_share) ** 2
    p = 4 * density / statistic + density * (statistic - 1 / statistic) * math.log(odds)
    return min(max(p, 0.0), 1.0)


def p_1994(statistic: float, below: NDArray[np.intp], n: int) -> float:
    """P of a largest statistic by the correlation of neighboring cuts, of which each has `below` cases at or below."""
    first, second = below[:-1].astype(float), below[1:].astype(float)
    t = np.sqrt(1 - first * (n - second) / ((n - first) * second))
    added = math.exp(-(statistic**2) / 2) / math.pi * float(np.sum(t - (statistic**2 / 4 - 1) * t**3 / 6))
    return min(max(2 * float(stats.norm.sf(statistic)) + added, 0.0), 1.0)


def log_rank_scores(follow: FollowUp) -> FloatArray:
    """(n,) event less the hazard gone through, cases of equal time as if all but the last had left before it."""
    last = stats.rankdata(follow.time, method="max").astype(int)
    order = np.argsort(follow.time, kind="stable")
    gone = np.cumsum((follow.event / (follow.time.size - last + 1))[order])
    return np.asarray(follow.event - gone[last - 1])


def _ordered(
    x: ArrayLike, time: ArrayLike, event: ArrayLike, smallest_share: float
) -> tuple[FloatArray, FloatArray, NDArray[np.intp]]:
    """Scores and values in the order of values, and of each possible cut how many cases are at or below."""
    if not smallest_share > 0:
        raise ValueError(f"smallest_share must be above 0, got {smallest_share!r}.")
    follow = follow_up(time, event, events_needed=True)
    values = numbers(x, follow.time.size, "x")
    order = np.argsort(values, kind="stable")
    scores = log_rank_scores(follow)[order]
    if np.ptp(scores) == 0:
        raise NotEstimableError("All cases have the same log-rank score: no cut can part them.")
    return scores, values[order], cut_places(values[order], smallest_share)


def _moments(scores: FloatArray, below: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and standard deviation, over permutations, of the sum of the first scores."""
    n, total = scores.size, scores.sum()
    variance = below * (n - below) / (n**2 * (n - 1)) * (n * np.sum(scores**2) - total**2)
    return below / n * total, np.sqrt(variance)


def _standardized(scores: FloatArray, below: NDArray[np.intp]) -> FloatArray:
    mean, sd = _moments(scores, below.astype(float))
    return np.asarray(np.abs((np.cumsum(scores)[below - 1] - mean) / sd))


def _upper_limit(scores: NDArray[np.intp], below: NDArray[np.intp], m: float) -> float:
    """Sum over cuts of the chance to reach m, less what the cut before it has surely reached already."""
    n, total = scores.size, int(scores.sum())
    chance = _chances(scores)
    mean, sd = _moments(scores.astype(float), np.arange(1, n).astype(float))
    away = np.abs((np.arange(total + 1)[None, :] - mean[:, None]) / sd[:, None])  # row k: the first k + 1 scores
    away[chance == 0] = 0.0
    reached = np.where(away > m, chance, 0.0)
    reached[:, 0] = 0.0
    alone = reached.sum(axis=1)
    sums = np.arange(total + 1)
    for k in range(int(below.min()) - 1, n - 2):
        low = np.flatnonzero((reached[k] > 0) & (sums < mean[k]))
        high = np.flatnonzero((reached[k] > 0) & (sums > mean[k]))
        low = low[away[k + 1][np.minimum(low + scores.max(), total)] > m]
        high = high[away[k + 1][high] > m]
        alone[k + 1] -= reached[k][low].sum() + reached[k][high].sum()
    return float(min(alone[below - 1].sum(), 1.0))


def _chances(scores: NDArray[np.intp]) -> FloatArray:
    """(n - 1, total + 1) chance that k + 1 scores drawn without putting back have each sum."""
    n, total = scores.size, int(scores.sum())
    ways = np.zeros((n + 1, total + 1))
    ways[0, 0] = 1.0
    for score in scores.tolist():
        ways[1:, score:] += ways[:-1, : total + 1 - score].copy()
    return np.asarray(ways[1:n] / special.binom(n, np.arange(1, n))[:, None])
