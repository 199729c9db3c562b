"""How good predictions are for one time: AUC(t), the Brier score and its mean over time, calibration."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from PDL1PredictorLib.statistics.checks import FloatArray, confidence_of, numbers, probabilities_of
from PDL1PredictorLib.statistics.survival.censoring import (
    Censoring,
    censoring_curve,
    influence_of_weights,
    weights_at,
)
from PDL1PredictorLib.statistics.survival.checks import FollowUp, NotEstimableError, follow_up


class AtHorizon(NamedTuple):
    """A figure of predictions for one time.

    Attributes:
        horizon: The time.
        value: The figure.
        interval: Normal, cut to 0 and 1.
        se: With the uncertainty of the weights, where they come from the same cases.
        had: Cases with the event by then.
        free: Cases followed beyond it.
        influence: (n,) of each case on the value; `se` is their standard deviation over the root of n.
    """

    horizon: float
    value: float
    interval: tuple[float, float]
    se: float
    had: int
    free: int
    influence: FloatArray


def auc_at(
    time: ArrayLike,
    event: ArrayLike,
    score: ArrayLike,
    horizon: float,
    censoring: Censoring | None = None,
    confidence: float = 0.95,
) -> AtHorizon:
    """AUC of a score for the event by `horizon` (cumulative cases, dynamic controls), weighted for censoring.

    Args:
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        score: (n,) higher: sooner.
        horizon: For which the score is judged.
        censoring: Curve of censoring of other cases, such as those of training; None: of these.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: Nobody has had the event by then, or nobody is followed beyond it.

    Source: Uno et al. 2007, doi 10.1198/016214507000000149; standard error: Blanche, Dartigues and Jacqmin-Gadda 2013,
        doi 10.1002/sim.5958.
    """
    follow = follow_up(time, event)
    scores = numbers(score, follow.time.size, "score")
    had, free = follow.event & (follow.time <= horizon), follow.time > horizon
    if not (had.any() and free.any()):
        raise NotEstimableError(
            f"By {horizon:g}, {had.sum()} had the event and {free.sum()} were followed beyond: both must be some."
        )
    weights = weights_at(follow, horizon, censoring or censoring_curve(follow))
    above = (scores[had][:, None] > scores[free]) + 0.5 * (scores[had][:, None] == scores[free])
    cases, controls = weights[had], weights[free]
    pairs = cases.sum() * controls.sum()
    value = float(cases @ above @ controls / pairs)
    slopes = np.zeros(follow.time.size)
    slopes[had] = cases * (above @ controls - value * controls.sum()) / pairs
    slopes[free] = controls * (cases @ above - value * cases.sum()) / pairs
    return _figure(follow, horizon, value, slopes, 0.0, censoring is None, confidence)


def brier_at(
    time: ArrayLike,
    event: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    censoring: Censoring | None = None,
    confidence: float = 0.95,
) -> AtHorizon:
    """Mean squared error of predicted survival at `horizon`, weighted for censoring; 0 is best.

    Args:
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        survival: (n,) predicted chance to be free of the event at `horizon`.
        horizon: For which the predictions are judged.
        censoring: Curve of censoring of other cases, such as those of training; None: of these.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: Nobody is followed as long.

    Source: Graf et al. 1999, doi 10.1002/(SICI)1097-0258(19990915/30)18:17/18<2529::AID-SIM274>3.0.CO;2-5; Gerds and
        Schumacher 2006, doi 10.1002/bimj.200610301.
    """
    follow = follow_up(time, event)
    predicted = probabilities_of(survival, follow.time.size)
    if follow.time.max() < horizon:
        raise NotEstimableError(f"Nobody is followed as long as {horizon:g}: choose an earlier horizon.")
    weights = weights_at(follow, horizon, censoring or censoring_curve(follow))
    slopes = weights * ((follow.time > horizon) - predicted) ** 2 / follow.time.size
    value = float(slopes.sum())
    return _figure(follow, horizon, value, slopes, value, censoring is None, confidence)


def integrated(values: ArrayLike, grid: ArrayLike) -> float:
    """Mean over time of a figure known on a grid, by the trapezoid rule.

    Args:
        values: (g,) of the figure.
        grid: (g,) rising times, g >= 2.

    Raises:
        ValueError: The grid does not rise, or is too short.
    """
    times = np.asarray(grid, dtype=float)
    if times.size < 2 or not (np.diff(times) > 0).all():
        raise ValueError("grid must be at least 2 rising times.")
    return float(np.trapezoid(numbers(values, times.size, "values"), times) / (times[-1] - times[0]))


def _figure(
    follow: FollowUp,
    horizon: float,
    value: float,
    slopes: FloatArray,
    center: float,
    own_weights: bool,
    confidence: float,
) -> AtHorizon:
    """`slopes`: of the value with the logarithm of each weight; n times it is the influence of the case itself."""
    influence = follow.time.size * slopes - center
    if own_weights:
        influence = influence + influence_of_weights(follow, horizon, slopes)
    n = follow.time.size
    se = float(influence.std(ddof=1) / np.sqrt(n)) if n > 1 else float("nan")
    half = float(stats.norm.ppf(0.5 + confidence_of(confidence) / 2)) * se
    had, free = follow.event & (follow.time <= horizon), follow.time > horizon
    interval = (max(value - half, 0.0), min(value + half, 1.0))
    return AtHorizon(horizon, value, interval, se, int(had.sum()), int(free.sum()), influence)
