"""Cox's model of proportional hazards, with Efron's treatment of ties: coefficients, baseline, survival."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import FloatArray, numbers
from PDL1PredictorLib.statistics.survival.checks import covariates, follow_up, strata_of
from PDL1PredictorLib.statistics.survival.partial_likelihood import highest, likelihood, risks
from PDL1PredictorLib.statistics.survival.risk_sets import RiskSets, Ties, risk_sets


@dataclass(frozen=True, eq=False)
class Coefficients:
    """Log hazard ratios of a Cox model.

    Attributes:
        coef: (p,) log hazard ratio per unit of each covariate.
        covariance: (p, p) of them.
        mean: (p,) mean of each covariate, at which the baseline is given.
        loglik: Log partial likelihood without and with the covariates.
        score_chi2: Score test of all covariates together, with p degrees of freedom.
        n: Cases.
        events: Cases with the event.
    """

    coef: FloatArray
    covariance: FloatArray
    mean: FloatArray
    loglik: tuple[float, float]
    score_chi2: float
    n: int
    events: int

    @property
    def se(self) -> FloatArray:
        """(p,) standard errors of the coefficients."""
        return np.sqrt(np.diag(self.covariance))

    def score(self, x: ArrayLike) -> FloatArray:
        """(n,) log hazard relative to a case with mean covariates; x is (n, p)."""
        table = np.asarray(x, dtype=float)
        table = table[:, np.newaxis] if table.ndim == 1 else table
        return np.asarray((table - self.mean) @ self.coef)


@dataclass(frozen=True, eq=False)
class Cox(Coefficients):
    """A Cox model with the cumulative hazard of a case with mean covariates.

    Attributes:
        times: (m,) times with an event, rising.
        cumulative_hazard: (m,) from then on, of a case with mean covariates.
        until: The longest follow-up; nothing is known of later times.
    """

    times: FloatArray
    cumulative_hazard: FloatArray
    until: float


def fit_cox(x: ArrayLike, time: ArrayLike, event: ArrayLike, ties: Ties = "efron") -> Cox:
    """Fit a Cox model.

    Args:
        x: (n, p) covariates in any unit, or (n,) for one.
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        ties: How events at the same time are treated.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: No event, a covariate without variation, columns that depend on each other, or one that
            parts those with the event from those at risk.

    Source: Cox 1972, doi 10.1111/j.2517-6161.1972.tb00899.x; Efron 1977, doi 10.1080/01621459.1977.10480613.
    """
    follow = follow_up(time, event, events_needed=True)
    table = covariates(x, follow.time.size)
    sets = risk_sets(follow.time, follow.event, np.arange(follow.time.size), ties)
    fit = _fit(table, [sets], follow.time.size)
    times, cumulative_hazard = _baseline(table, fit, sets)
    return Cox(**vars(fit), times=times, cumulative_hazard=cumulative_hazard, until=float(follow.time.max()))


def fit_stratified(
    x: ArrayLike, time: ArrayLike, event: ArrayLike, strata: ArrayLike | None, ties: Ties = "efron"
) -> Coefficients:
    """Fit log hazard ratios that are the same in every stratum, each of which has a baseline of its own.

    Args:
        x: (n, p) covariates in any unit, or (n,) for one.
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        strata: (n,) names; None: one stratum.
        ties: How events at the same time are treated.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: As `fit_cox`.
    """
    follow = follow_up(time, event, events_needed=True)
    table = covariates(x, follow.time.size)
    rows = [part for part in strata_of(strata, follow.time.size) if follow.event[part].any()]
    return _fit(table, [risk_sets(follow.time, follow.event, part, ties) for part in rows], follow.time.size)


def baseline_of(score: ArrayLike, time: ArrayLike, event: ArrayLike) -> Cox:
    """The model that takes a log hazard as it is: its one covariate is the score, with coefficient 1.

    Only the baseline is estimated: for scores whose size means something, such as those of a penalized model.

    Args:
        score: (n,) log hazard, up to a constant.
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.

    Raises:
        ValueError: An argument is not as said.
        NotEstimableError: No event.
    """
    follow = follow_up(time, event, events_needed=True)
    table = numbers(score, follow.time.size, "score")[:, np.newaxis]
    sets = risk_sets(follow.time, follow.event, np.arange(follow.time.size))
    one = np.ones(1)
    value = likelihood(table, one, [sets]).value
    fit = Coefficients(one, np.zeros((1, 1)), table.mean(axis=0), (value, value), 0.0, table.size, sets.deaths.size)
    times, cumulative_hazard = _baseline(table, fit, sets)
    return Cox(**vars(fit), times=times, cumulative_hazard=cumulative_hazard, until=float(follow.time.max()))


def survival_at(cox: Cox, x: ArrayLike, horizons: ArrayLike) -> FloatArray:
    """Chance to be free of the event.

    Args:
        cox: The model.
        x: (n, p) covariates.
        horizons: (h,) times in the unit of the fit, none negative.

    Returns:
        (n, h), each 0 to 1; NaN at times beyond the longest follow-up of the fit.

    Raises:
        ValueError: A horizon is negative or not finite.
    """
    at = np.atleast_1d(np.asarray(horizons, dtype=float))
    if not (np.isfinite(at).all() and (at >= 0).all()):
        raise ValueError(f"horizons must be finite and not negative, got {at.tolist()}.")
    hazard = np.concatenate([[0.0], cox.cumulative_hazard])[np.searchsorted(cox.times, at, side="right")]
    survival = np.exp(-np.exp(cox.score(x))[:, None] * hazard[None, :])
    survival[:, at > cox.until] = np.nan
    return np.asarray(survival)


def _fit(table: FloatArray, strata: list[RiskSets], n: int) -> Coefficients:
    mean, sd = table.mean(axis=0), table.std(axis=0)
    scaled = (table - mean) / sd
    start = likelihood(scaled, np.zeros(table.shape[1]), strata)
    coef, end = highest(scaled, strata)
    return Coefficients(
        coef=coef / sd,
        covariance=np.linalg.inv(end.information) / np.outer(sd, sd),
        mean=mean,
        loglik=(start.value, end.value),
        score_chi2=float(start.score @ np.linalg.solve(start.information, start.score)),
        n=n,
        events=sum(sets.deaths.size for sets in strata),
    )


def _baseline(table: FloatArray, fit: Coefficients, sets: RiskSets) -> tuple[FloatArray, FloatArray]:
    """Times and cumulative hazard at mean covariates."""
    at = risks(table - fit.mean, fit.coef, sets)
    largest = float(fit.score(table).max())  # `risks` scales by it
    steps = np.add.reduceat(1 / at.denominator, sets.begins) * np.exp(-largest)
    return sets.times, np.asarray(np.cumsum(steps))
