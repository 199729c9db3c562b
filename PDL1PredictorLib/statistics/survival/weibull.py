"""A Weibull model of accelerated failure: covariates stretch or shrink time."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import FloatArray
from PDL1PredictorLib.statistics.survival.checks import FollowUp, NotEstimableError, covariates, follow_up

STEPS = 100
SETTLED = 1e-10


@dataclass(frozen=True, eq=False)
class Weibull:
    """log time = intercept + x coef + scale * (smallest extreme value).

    Attributes:
        coef: (p + 1,) intercept first; a unit more of a covariate multiplies time by exp(coef).
        se: (p + 1,) standard errors.
        scale: 1 over the shape; below 1 the hazard rises.
        loglik: Log likelihood with the intercept only, and with the covariates.
        mean: (p,) of the covariates.
    """

    coef: FloatArray
    se: FloatArray
    scale: float
    loglik: tuple[float, float]
    mean: FloatArray


def fit_weibull(x: ArrayLike, time: ArrayLike, event: ArrayLike) -> Weibull:
    """Fit a Weibull model by maximum likelihood.

    Args:
        x: (n, p) covariates.
        time: (n,) follow-up, all positive.
        event: (n,) 1: the event came then, 0: censored.

    Raises:
        ValueError: An argument is not as said, or a time is 0.
        NotEstimableError: No event, a constant covariate, or the likelihood has no highest point.

    Source: Kalbfleisch and Prentice 2002, "The Statistical Analysis of Failure Time Data", 3.6; R's survreg.
    """
    follow = follow_up(time, event, events_needed=True)
    if follow.time.min() <= 0:
        raise ValueError("A Weibull model needs times above 0.")
    table = covariates(x, follow.time.size)
    mean, sd = table.mean(axis=0), table.std(axis=0)
    ones = np.ones((follow.time.size, 1))
    exponential = math.log(float(follow.time.sum() / follow.event.sum()))  # the highest point of scale 1
    null = _highest(ones, follow, np.array([exponential, 0.0]))
    start = np.concatenate([null.at[:1], np.zeros(table.shape[1]), null.at[1:]])
    found = _highest(np.hstack([ones, (table - mean) / sd]), follow, start)
    turn = np.diag(np.concatenate([[1.0], 1 / sd, [1.0]]))  # back to the units of x
    turn[0, 1:-1] = -mean / sd
    at, covariance = turn @ found.at, turn @ np.linalg.inv(found.information) @ turn.T
    return Weibull(at[:-1], np.sqrt(np.diag(covariance))[:-1], math.exp(at[-1]), (null.value, found.value), mean)


@dataclass(frozen=True, eq=False)
class _Point:
    """The likelihood at coefficients and log scale."""

    at: FloatArray
    value: float
    slope: FloatArray
    information: FloatArray


def _point(at: FloatArray, design: FloatArray, follow: FollowUp) -> _Point:
    """With z = (log t - x b) / s, each case adds event (z - log s - log t) - exp(z)."""
    sigma, event = math.exp(at[-1]), follow.event.astype(float)
    z = (np.log(follow.time) - design @ at[:-1]) / sigma
    with np.errstate(over="ignore"):
        e = np.exp(z)
    value = float(np.sum(event * (z - at[-1] - np.log(follow.time)) - e))
    full = np.hstack([design / sigma, z[:, None]])  # minus the slope of z
    slope = full.T @ (e - event) - np.append(np.zeros(at.size - 1), event.sum())
    information = full.T @ (e[:, None] * full)
    extra = full.T @ (e - event)  # from the slope of `full` by log s
    information[:, -1] += extra
    information[-1, :-1] += extra[:-1]
    return _Point(at, value, slope, information)


def _highest(design: FloatArray, follow: FollowUp, start: FloatArray) -> _Point:
    here = _point(start, design, follow)
    for _ in range(STEPS):
        step = np.linalg.solve(_positive(here.information), here.slope)
        step = step / max(1.0, float(np.abs(step).max()))
        there = _point(here.at + step, design, follow)
        while not there.value >= here.value - 1e-9 * (1 + abs(here.value)):
            step = step / 2
            there = _point(here.at + step, design, follow)
        here = there
        if np.abs(step).max() < SETTLED * (1 + np.abs(here.at).max()):
            return here
    raise NotEstimableError("The likelihood of the Weibull model has no highest point with these covariates.")


def _positive(information: FloatArray) -> FloatArray:
    """Far from the highest point the curvature may have the wrong sign: enough is added to go uphill."""
    lowest = float(np.linalg.eigvalsh(information)[0])
    largest = float(np.abs(np.diag(information)).max())
    short = max(0.0, 1e-8 * largest - lowest)
    return np.asarray(information + short * np.eye(information.shape[0]))
