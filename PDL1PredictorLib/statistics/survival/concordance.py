"""Whether who scores higher has the event sooner: Harrell's and Uno's C, and the difference of two scores."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from PDL1PredictorLib.statistics.checks import FloatArray, confidence_of, numbers
from PDL1PredictorLib.statistics.survival.censoring import censoring_curve
from PDL1PredictorLib.statistics.survival.checks import FollowUp, NotEstimableError, follow_up, strata_of

CHUNK = 512  # events compared with all cases at once


class Concordance(NamedTuple):
    """Agreement of a score with the order of events.

    Attributes:
        value: Share of comparable pairs in which the higher score has the event sooner, ties of the score counted
            half; 0.5 is chance.
        interval: Normal, by `se`, cut to 0 and 1.
        se: By the infinitesimal jackknife.
        concordant: Pairs as predicted (weighted in Uno's C).
        discordant: Pairs against the prediction.
        tied_score: Comparable pairs with equal scores.
        tied_time: Pairs of events at the same time, which cannot be compared.
        influence: (n,) what each case adds to the value; the root of its sum of squares is `se`.
    """

    value: float
    interval: tuple[float, float]
    se: float
    concordant: float
    discordant: float
    tied_score: float
    tied_time: float
    influence: FloatArray


class ConcordanceDifference(NamedTuple):
    """Two scores of the same cases.

    Attributes:
        value: First minus second.
        interval: Normal.
        se: With their covariance.
        p: Two-sided.
    """

    value: float
    interval: tuple[float, float]
    se: float
    p: float


def harrell_c(
    time: ArrayLike,
    event: ArrayLike,
    score: ArrayLike,
    until: float = math.inf,
    strata: ArrayLike | None = None,
    confidence: float = 0.95,
) -> Concordance:
    """Harrell's C, all comparable pairs alike. It depends on how cases were censored: see `uno_c`.

    Args:
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        score: (n,) higher: sooner.
        until: Events after this time count as censored.
        strata: (n,) names; only pairs within one are compared.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: No pair can be compared.

    Source: Harrell et al. 1996, doi 10.1002/(SICI)1097-0258(19960229)15:4<361::AID-SIM168>3.0.CO;2-4; standard error:
        Therneau and Atkinson, "Concordance", vignette of R's survival.
    """
    follow = follow_up(time, event, events_needed=True)
    return _concordance(follow, np.ones(follow.time.size), score, until, strata, confidence)


def uno_c(
    time: ArrayLike, event: ArrayLike, score: ArrayLike, until: float = math.inf, confidence: float = 0.95
) -> Concordance:
    """Uno's C: pairs weighted so that it estimates what it would be without censoring before `until`.

    Args:
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        score: (n,) higher: sooner.
        until: Events after this time count as censored; choose it where enough cases are still followed.
        confidence: Of the interval, between 0 and 1. It takes the weights as known.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: No pair can be compared.

    Source: Uno et al. 2011, doi 10.1002/sim.4154.
    """
    follow = follow_up(time, event, events_needed=True)
    weights = np.zeros(follow.time.size)
    weights[follow.event] = censoring_curve(follow).before(follow.time[follow.event]) ** -2.0
    return _concordance(follow, weights, score, until, None, confidence)


def compare_c(first: Concordance, second: Concordance, confidence: float = 0.95) -> ConcordanceDifference:
    """Difference of the C of two scores of the same cases, in the same order.

    Raises:
        ValueError: They are not of equally many cases.
    """
    if first.influence.shape != second.influence.shape:
        raise ValueError(f"Both must be of the same cases, got {first.influence.size} and {second.influence.size}.")
    value = first.value - second.value
    se = float(np.linalg.norm(first.influence - second.influence))
    half = _quantile(confidence) * se
    p = float(2 * stats.norm.sf(abs(value) / se)) if se > 0 else 1.0
    return ConcordanceDifference(value, (value - half, value + half), se, p)


def _concordance(
    follow: FollowUp, weights: FloatArray, score: ArrayLike, until: float, strata: ArrayLike | None, confidence: float
) -> Concordance:
    scores = numbers(score, follow.time.size, "score")
    usable = FollowUp(follow.time, follow.event & (follow.time <= until))
    tallies = np.zeros((3, follow.time.size))
    tied_time = 0.0
    for rows in strata_of(strata, follow.time.size):
        part = FollowUp(usable.time[rows], usable.event[rows])
        tallies[:, rows], tied = _tallies(part, weights[rows], scores[rows])
        tied_time += tied
    concordant, discordant, tied_score = (
        float(tally.sum() / 2) for tally in tallies
    )  # a pair stands at both its cases
    pairs = concordant + discordant + tied_score
    if not pairs > 0:
        raise NotEstimableError("No pair of cases can be compared: nobody was followed beyond the first event.")
    value = (concordant + tied_score / 2) / pairs
    influence = (tallies[0] + tallies[2] / 2 - value * tallies.sum(axis=0)) / pairs
    se = float(np.linalg.norm(influence))
    half = _quantile(confidence) * se
    interval = (max(value - half, 0.0), min(value + half, 1.0))
    return Concordance(value, interval, se, concordant, discordant, tied_score, tied_time, influence)


def _tallies(follow: FollowUp, weights: FloatArray, scores: FloatArray) -> tuple[FloatArray, float]:
    """(3, n) weighted pairs of each case: concordant, discordant, tied in score; and pairs tied in time."""
    tallies, tied_time = np.zeros((3, follow.time.size)), 0.0
    rows = np.flatnonzero(follow.event)
    for chunk in np.split(rows, range(CHUNK, rows.size, CHUNK)):
        time, weight = follow.time[chunk, None], weights[chunk, None]
        together = (follow.time[None, :] == time) & follow.event[None, :]
        comparable = (follow.time[None, :] >= time) & ~together
        lower = scores[None, :] < scores[chunk, None]
        equal = scores[None, :] == scores[chunk, None]
        for tally, found in zip(tallies, (lower, ~lower & ~equal, equal), strict=True):
            pairs = np.where(comparable & found, weight, 0.0)
            tally += pairs.sum(axis=0)
            tally[chunk] += pairs.sum(axis=1)
        tied_time += float((weight * (together & ~equal)).sum() / 2)
    return tallies, tied_time


def _quantile(confidence: float) -> float:
    return float(stats.norm.ppf(0.5 + confidence_of(confidence) / 2))
