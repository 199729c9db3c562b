"""Whether hazard ratios stay the same over time, as a Cox model takes for granted: the score test."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from PDL1PredictorLib.statistics.checks import FloatArray
from PDL1PredictorLib.statistics.survival.checks import FollowUp, covariates, follow_up
from PDL1PredictorLib.statistics.survival.cox import Cox
from PDL1PredictorLib.statistics.survival.curves import kaplan_meier
from PDL1PredictorLib.statistics.survival.hazard_ratios import ChiSquareTest, chi_square
from PDL1PredictorLib.statistics.survival.partial_likelihood import Risks, risks
from PDL1PredictorLib.statistics.survival.risk_sets import RiskSets, cumulated, risk_sets

Scale = Literal["km", "rank", "identity", "log"]


def proportional_hazards(
    cox: Cox, x: ArrayLike, time: ArrayLike, event: ArrayLike, scale: Scale = "km"
) -> tuple[list[ChiSquareTest], ChiSquareTest]:
    """Test of each covariate, and of all together, whether its log hazard ratio changes over time.

    Args:
        cox: The model, with Efron's ties, fitted to the cases.
        x: (n, p) their covariates.
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        scale: Of time, along which a straight change is looked for: 1 less the share free of the event, rank, time
            itself or its logarithm.

    Returns:
        A test for each covariate with one degree of freedom, and one for all with p.

    Raises:
        ValueError: An argument is not as said, or a time of 0 on the scale "log".

    Source: Grambsch and Therneau 1994, doi 10.1093/biomet/81.3.515, as the score test that R's cox.zph has been since
        survival 3.0; before, and in lifelines, it was an approximation of it.
    """
    follow = follow_up(time, event, events_needed=True)
    table = covariates(x, follow.time.size)
    spread = table.std(axis=0)
    scaled = (table - cox.mean) / spread
    sets = risk_sets(follow.time, follow.event, np.arange(follow.time.size))
    at = risks(scaled, cox.coef * spread, sets)
    g = _scaled_times(follow, scale)[sets.order][sets.deaths]
    g = g - g.mean()
    slope = g @ (scaled[sets.order][sets.deaths]) - g @ at.center
    information = _information(scaled[sets.order], at, sets, g)
    count = scaled.shape[1]
    each = [_tested(slope[[i]], information, [*range(count), count + i]) for i in range(count)]
    return each, _tested(slope, information, [*range(2 * count)])


def _scaled_times(follow: FollowUp, scale: Scale) -> FloatArray:
    if scale == "identity":
        return follow.time
    if scale == "rank":
        return np.asarray(stats.rankdata(follow.time))
    if scale == "log":
        if follow.time.min() <= 0:
            raise ValueError("A time of 0 has no logarithm: use another scale.")
        return np.log(follow.time)
    if scale == "km":
        curve = kaplan_meier(follow.time, follow.event)
        return 1 - np.concatenate([[1.0], curve.survival])[np.searchsorted(curve.times, follow.time)]
    raise ValueError(f"scale must be km, rank, identity or log, got {scale!r}.")


def _information(table: FloatArray, at: Risks, sets: RiskSets, g: FloatArray) -> FloatArray:
    """(2 p, 2 p) of the covariates and of their products with time."""

    def part(weights: FloatArray) -> FloatArray:
        through = at.risk * cumulated(sets, weights / at.denominator)
        return np.asarray(table.T @ (through[:, None] * table) - at.center.T @ (weights[:, None] * at.center))

    plain, once, twice = part(np.ones_like(g)), part(g), part(g**2)
    return np.block([[plain, once], [once, twice]])


def _tested(slope: FloatArray, information: FloatArray, rows: list[int]) -> ChiSquareTest:
    u = np.concatenate([np.zeros(len(rows) - slope.size), slope])
    return chi_square(float(u @ np.linalg.solve(information[np.ix_(rows, rows)], u)), slope.size)
