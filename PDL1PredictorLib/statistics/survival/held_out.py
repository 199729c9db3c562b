"""A Cox model on cases that it was not fitted to: whether its score and its survival hold there."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import FloatArray
from PDL1PredictorLib.statistics.survival.cox import fit_cox
from PDL1PredictorLib.statistics.survival.curves import At, kaplan_meier
from PDL1PredictorLib.statistics.survival.hazard_ratios import hazard_ratios


class Calibration(NamedTuple):
    """Predictions held against what came.

    Attributes:
        slope: Log hazard ratio per unit of the score on these cases: 1 is right, below 1 too extreme.
        slope_interval: Of it, 95 %.
        slope_se: Standard error.
        horizons: (h,) times.
        expected: (h,) mean predicted survival.
        observed: The Kaplan-Meier curve at those times, with its interval.
    """

    slope: float
    slope_interval: tuple[float, float]
    slope_se: float
    horizons: FloatArray
    expected: FloatArray
    observed: At


def held_out_calibration(
    score: ArrayLike, survival: ArrayLike, time: ArrayLike, event: ArrayLike, horizons: ArrayLike
) -> Calibration:
    """Calibration of a model on other cases.

    Args:
        score: (n,) predicted log hazard.
        survival: (n, h) predicted survival.
        time: (n,) follow-up.
        event: (n,) 1: the event came then, 0: censored.
        horizons: (h,) times of `survival`.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: As `fit_cox`.

    Source: van Houwelingen 2000, doi 10.1002/1097-0258(20001230)19:24<3401::AID-SIM554>3.0.CO;2-2.
    """
    fit = fit_cox(score, time, event)
    h = np.atleast_1d(np.asarray(horizons, dtype=float))
    low, high = hazard_ratios(fit)[0].interval
    expected = np.asarray(survival, dtype=float).mean(axis=0)
    observed = kaplan_meier(time, event).at(h)
    slope, se = float(fit.coef[0]), float(fit.se[0])
    return Calibration(slope, (float(np.log(low)), float(np.log(high))), se, h, expected, observed)
