"""The partial likelihood of a Cox model with its slope and curvature, and its highest point."""

from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.statistics.checks import FloatArray
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.statistics.survival.risk_sets import RiskSets, cumulated

STEPS = 50
SETTLED = 1e-10  # of a step, in standard deviations of the covariate
FARTHEST = 30.0  # a log hazard ratio per standard deviation that no table of patients supports
FLAT = 1e-7  # information per case about a covariate that has run away
DEPENDENT = 1e11  # condition of the information about covariates of which one can be computed from others


class Likelihood(NamedTuple):
    """At one point.

    Attributes:
        value: Logarithm of the partial likelihood.
        score: (p,) its slope.
        information: (p, p) minus its curvature.
    """

    value: float
    score: FloatArray
    information: FloatArray


class Risks(NamedTuple):
    """The sums of one stratum at one point.

    Attributes:
        risk: (n,) relative hazards, in the order of the risk sets.
        denominator: (d,) their sum over those at risk, one per event.
        center: (d, p) their mean covariates.
    """

    risk: FloatArray
    denominator: FloatArray
    center: FloatArray


def risks(x: FloatArray, coef: FloatArray, sets: RiskSets) -> Risks:
    """The sums of one stratum; relative hazards are scaled so that the largest is 1."""
    table = x[sets.order]
    predictor = table @ coef
    risk = np.exp(predictor - predictor.max())
    denominator = sets.per_death(risk)
    return Risks(risk, denominator, sets.per_death(risk[:, None] * table) / denominator[:, None])


def likelihood(x: FloatArray, coef: FloatArray, strata: list[RiskSets]) -> Likelihood:
    """The likelihood at `coef`.

    Args:
        x: (n, p) covariates.
        coef: (p,) log hazard ratios.
        strata: Risk sets of each stratum that has an event.
    """
    value, score, information = 0.0, np.zeros(coef.size), np.zeros((coef.size, coef.size))
    for sets in strata:
        at = risks(x, coef, sets)
        table = x[sets.order]
        predictor = table @ coef
        value += float((predictor[sets.deaths] - predictor.max()).sum() - np.log(at.denominator).sum())
        score += table[sets.deaths].sum(axis=0) - at.center.sum(axis=0)
        through = at.risk * cumulated(sets, 1 / at.denominator)
        information += table.T @ (through[:, None] * table) - at.center.T @ at.center
    return Likelihood(value, score, information)


def slope(x: FloatArray, coef: FloatArray, strata: list[RiskSets]) -> tuple[float, FloatArray]:
    """Value and slope of the likelihood at `coef`, without its curvature, which takes longer."""
    value, score = 0.0, np.zeros(coef.size)
    for sets in strata:
        predictor = x[sets.order] @ coef
        risk = np.exp(predictor - predictor.max())
        denominator = sets.per_death(risk)
        value += float((predictor[sets.deaths] - predictor.max()).sum() - np.log(denominator).sum())
        residual = -risk * cumulated(sets, 1 / denominator)
        residual[sets.deaths] += 1
        score += x[sets.order].T @ residual
    return value, score


def highest(x: FloatArray, strata: list[RiskSets]) -> tuple[FloatArray, Likelihood]:
    """The coefficients of the highest likelihood, by Newton's method from 0, and the likelihood there.

    Args:
        x: (n, p), each column of mean 0 and standard deviation 1.
        strata: Risk sets of each stratum that has an event.

    Raises:
        NotEstimableError: Columns depend on each other, or the likelihood rises without end: a covariate (or a sum of
            some) parts those with the event from those still at risk.
    """
    coef = np.zeros(x.shape[1])
    here = likelihood(x, coef, strata)
    if np.linalg.cond(here.information) > DEPENDENT:
        raise NotEstimableError(
            "A covariate can be computed from others, or does not vary among those at risk: leave one out."
        )
    for _ in range(STEPS):
        if not np.diag(here.information).min() > FLAT * x.shape[0]:
            break
        step = np.linalg.solve(here.information, here.score)
        there = likelihood(x, coef + step, strata)
        while not there.value >= here.value - 1e-9 * (1 + abs(here.value)):
            step = step / 2
            there = likelihood(x, coef + step, strata)
        coef, here = coef + step, there
        if np.abs(step).max() < SETTLED * (1 + np.abs(coef).max()):
            return coef, here
        if np.abs(coef).max() > FARTHEST:
            break
    raise NotEstimableError(
        f"The likelihood rises without end with covariate {int(np.abs(coef).argmax())}: it parts those with the event "
        "from those still at risk, so its hazard ratio is not finite. Leave it out, join groups, or use a penalty."
    )
