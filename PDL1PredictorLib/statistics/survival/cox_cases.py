"""A Cox model on the cases it was fitted to: predictions with intervals, and residuals."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from PDL1PredictorLib.statistics.checks import FloatArray, confidence_of
from PDL1PredictorLib.statistics.survival.checks import covariates, follow_up
from PDL1PredictorLib.statistics.survival.cox import Cox
from PDL1PredictorLib.statistics.survival.partial_likelihood import risks
from PDL1PredictorLib.statistics.survival.risk_sets import Ties, cumulated, risk_sets


class Predicted(NamedTuple):
    """Survival of new cases by a Cox model.

    Attributes:
        survival: (n, h) chance to be free of the event.
        low: (n, h) lower limit.
        high: (n, h) upper limit.
    """

    survival: FloatArray
    low: FloatArray
    high: FloatArray


def predict_with_interval(
    cox: Cox,
    x: ArrayLike,
    time: ArrayLike,
    event: ArrayLike,
    new: ArrayLike,
    horizons: ArrayLike,
    confidence: float = 0.95,
) -> Predicted:
    """Survival of new cases, with the uncertainty of coefficients and baseline.

    Args:
        cox: The model, with Efron's ties, fitted to `x`, `time` and `event`.
        x: (n, p) covariates that it was fitted to.
        time: (n,) follow-up of those cases.
        event: (n,) of those cases.
        new: (k, p) covariates of new cases.
        horizons: (h,) times, up to the longest follow-up.
        confidence: Of the intervals, symmetric about the logarithm of survival.

    Raises:
        ValueError: An argument is not as said.

    Source: Tsiatis 1981, doi 10.1214/aos/1176345335; the default of R's survfit.coxph.
    """
    follow = follow_up(time, event)
    table = covariates(x, follow.time.size)
    sets = risk_sets(follow.time, follow.event, np.arange(follow.time.size))
    at = risks(table - cox.mean, cox.coef, sets)
    steps = np.exp(-float(cox.score(table).max())) / at.denominator
    h = np.atleast_1d(np.asarray(horizons, dtype=float))
    reached = (sets.times[sets.step][None, :] <= h[:, None]).astype(float)  # (h, d)
    hazard, squares, centers = reached @ steps, reached @ steps**2, reached @ (steps[:, None] * at.center)
    centered = np.atleast_2d(np.asarray(new, dtype=float)) - cox.mean
    risk = np.exp(centered @ cox.coef)[:, None]
    away = hazard[None, :, None] * centered[:, None, :] - centers[None, :, :]  # (k, h, p)
    variance = squares[None, :] + np.einsum("khp,pq,khq->kh", away, cox.covariance, away)
    half = float(stats.norm.ppf(0.5 + confidence_of(confidence) / 2)) * risk * np.sqrt(variance)
    log_survival = np.where(h[None, :] <= cox.until, -risk * hazard[None, :], np.nan)
    return Predicted(np.exp(log_survival), np.exp(log_survival - half), np.minimum(np.exp(log_survival + half), 1.0))


def martingale_residuals(cox: Cox, x: ArrayLike, time: ArrayLike, event: ArrayLike, ties: Ties = "efron") -> FloatArray:
    """(n,) events of each case less those that the model expects of it, whose sum is 0.

    Args:
        cox: The model, fitted to the cases.
        x: (n, p) their covariates.
        time: (n,) their follow-up.
        event: (n,) whether the event came then.
        ties: As in the fit.

    Raises:
        ValueError: An argument is not as said.

    Source: Therneau, Grambsch and Fleming 1990, doi 10.1093/biomet/77.1.147.
    """
    follow = follow_up(time, event)
    table = covariates(x, follow.time.size)
    sets = risk_sets(follow.time, follow.event, np.arange(follow.time.size), ties)
    at = risks(table - cox.mean, cox.coef, sets)
    found = np.empty(follow.time.size)
    found[sets.order] = follow.event[sets.order] - at.risk * cumulated(sets, 1 / at.denominator)
    return found
