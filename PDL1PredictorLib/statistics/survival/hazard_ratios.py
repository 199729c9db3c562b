"""What a Cox model says: hazard ratios with intervals, and whether its covariates tell anything together."""

from typing import NamedTuple

import numpy as np
from scipy import stats

from PDL1PredictorLib.statistics.checks import confidence_of
from PDL1PredictorLib.statistics.survival.cox import Coefficients


class HazardRatio(NamedTuple):
    """One covariate, the others held.

    Attributes:
        value: Hazard of a case one unit higher, over the other's.
        interval: By the normal distribution of its logarithm.
        z: Coefficient over its standard error.
        p: Two-sided (Wald).
    """

    value: float
    interval: tuple[float, float]
    z: float
    p: float


class ChiSquareTest(NamedTuple):
    """A test by chi-square.

    Attributes:
        statistic: Chi-square.
        df: Degrees of freedom.
        p: Upper tail.
    """

    statistic: float
    df: int
    p: float


class OverallTests(NamedTuple):
    """All covariates of a model against none of them.

    Attributes:
        likelihood_ratio: Twice the gain in log likelihood: the one to report.
        wald: From coefficients and covariance.
        score: From the slope without covariates; of groups without ties it is the log-rank test.
    """

    likelihood_ratio: ChiSquareTest
    wald: ChiSquareTest
    score: ChiSquareTest


def hazard_ratios(fit: Coefficients, confidence: float = 0.95) -> list[HazardRatio]:
    """Hazard ratio of each covariate of a model, in their order.

    Raises:
        ValueError: The confidence is not between 0 and 1.
    """
    quantile = float(stats.norm.ppf(0.5 + confidence_of(confidence) / 2))
    found = []
    for coef, se in zip(fit.coef.tolist(), fit.se.tolist(), strict=True):
        with np.errstate(over="ignore"):  # a covariate in a very small unit may have an infinite ratio per unit
            value, low, high = np.exp([coef, coef - quantile * se, coef + quantile * se]).tolist()
        found.append(HazardRatio(value, (low, high), coef / se, float(2 * stats.norm.sf(abs(coef / se)))))
    return found


def overall_tests(fit: Coefficients) -> OverallTests:
    """Whether the covariates of a model tell anything together."""
    wald = float(fit.coef @ np.linalg.solve(fit.covariance, fit.coef))
    likelihood_ratio = 2 * (fit.loglik[1] - fit.loglik[0])
    return OverallTests(*(chi_square(value, fit.coef.size) for value in (likelihood_ratio, wald, fit.score_chi2)))


def nested_test(smaller: Coefficients, larger: Coefficients) -> ChiSquareTest:
    """Whether a model tells more than one with some of its covariates only, by likelihood ratio.

    Raises:
        ValueError: They are not of the same cases, or the larger one has no more covariates.
    """
    if (smaller.n, smaller.events, smaller.loglik[0]) != (larger.n, larger.events, larger.loglik[0]):
        raise ValueError("Both models must be of the same cases.")
    added = larger.coef.size - smaller.coef.size
    if added < 1:
        raise ValueError(f"The larger model must have more covariates, got {larger.coef.size} and {smaller.coef.size}.")
    return chi_square(2 * (larger.loglik[1] - smaller.loglik[1]), added)


def chi_square(statistic: float, df: int) -> ChiSquareTest:
    """A statistic with its p; rounding may leave one a little below 0."""
    statistic = max(statistic, 0.0)
    return ChiSquareTest(statistic, df, float(stats.chi2.sf(statistic, df)))
