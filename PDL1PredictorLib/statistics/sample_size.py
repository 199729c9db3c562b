"""How many cases a model of yes/no outcomes needs, and how many parameters the cases at hand can carry."""

import math
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtri
from scipy.stats import norm

SHRINKAGE = 0.9  # of the coefficients in new cases, at least
OPTIMISM = 0.05  # of Nagelkerke's R2 in the cases of training, at most
ERROR_OF_RISK = 0.05  # of the overall risk: half of its 95 % interval
MEAN_ERROR = 0.05  # of a case's probability, on average over cases


class SampleSize(NamedTuple):
    """Cases that each criterion asks for; the largest decides.

    Attributes:
        overall_risk: For a 95 % interval of the share of positives of +- 0.05.
        mean_error: For an average error of a case's probability of 0.05; its formula was found for 30 parameters or
            fewer.
        shrinkage: For coefficients that keep 0.9 of their size in new cases.
        optimism: For Nagelkerke's R2 that falls by no more than 0.05.
    """

    overall_risk: int
    mean_error: int
    shrinkage: int
    optimism: int

    @property
    def n(self) -> int:
        """Cases that are enough for all four."""
        return max(self)


class Carried(NamedTuple):
    """Parameters that each criterion allows the cases at hand; the fewest decide.

    Attributes:
        mean_error: As in `SampleSize`.
        shrinkage: Likewise.
        optimism: Likewise.
        overall_risk: Whether the cases are enough for the share of positives alone, which no parameter changes.
    """

    mean_error: int
    shrinkage: int
    optimism: int
    overall_risk: bool

    @property
    def parameters(self) -> int:
        """That all four allow: 0 where the share of positives itself is too uncertain."""
        return min(self[:3]) if self.overall_risk else 0


def sample_size(parameters: int, prevalence: float, r2: float) -> SampleSize:
    """Cases that a model needs.

    Args:
        parameters: Candidate predictors, each with its degrees of freedom, before any selection; >= 1.
        prevalence: Share of positives, between 0 and 1.
        r2: Cox-Snell's R2 that is hoped for; see `cox_snell_r2`.

    Raises:
        ValueError: An argument is not as said, or r2 exceeds what the prevalence allows.

    Source: Riley et al. 2020, doi 10.1136/bmj.m441, figures 1 to 4 (2019, doi 10.1002/sim.7992); average error: van
    Smeden et al. 2019, doi 10.1177/0962280218784726.
    """
    if parameters < 1:
        raise ValueError(f"parameters must be at least 1, got {parameters!r}.")
    _check(prevalence, r2)
    target = _shrinkage_of_optimism(prevalence, r2)
    return SampleSize(
        _up(_for_overall_risk(prevalence)),
        _up(_for_mean_error(parameters, prevalence)),
        _up(parameters / _parameters_per_case(SHRINKAGE, r2)),
        _up(parameters / _parameters_per_case(target, r2)),
    )


def parameters_carried(n: int, prevalence: float, r2: float) -> Carried:
    """Parameters that a model of n cases may have, by the same criteria.

    Args:
        n: Cases, >= 1.
        prevalence: Share of positives, between 0 and 1.
        r2: Cox-Snell's R2 that is hoped for.

    Raises:
        ValueError: As `sample_size`.
    """
    _check_cases(n)
    _check(prevalence, r2)
    exponent = (0.544 * math.log(n) + 0.508 - 0.259 * _log_share(prevalence) + math.log(MEAN_ERROR)) / 0.504
    return Carried(
        _down(math.exp(exponent)),
        _down(n * _parameters_per_case(SHRINKAGE, r2)),
        _down(n * _parameters_per_case(_shrinkage_of_optimism(prevalence, r2), r2)),
        n >= _for_overall_risk(prevalence),
    )


def expected_shrinkage(n: int, parameters: int, r2: float) -> float:
    """What coefficients keep of their size in new cases, r2 to 1: the calibration slope to be expected.

    Args:
        n: Cases, >= 1.
        parameters: Candidate predictors before any selection, >= 1.
        r2: Cox-Snell's R2 that is hoped for, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: Riley et al. 2019, doi 10.1002/sim.7992, equation of criterion 1 solved for the shrinkage.
    """
    _check_cases(n)
    if parameters < 1:
        raise ValueError(f"parameters must be at least 1, got {parameters!r}.")
    if not 0 < r2 < 1:
        raise ValueError(f"r2 must lie between 0 and 1, got {r2!r}.")

    def too_many(shrinkage: float) -> float:
        return _parameters_per_case(shrinkage, r2) - parameters / n

    lowest = r2 + (1 - r2) * 1e-12
    return float(brentq(too_many, lowest, 1.0, xtol=1e-12)) if too_many(lowest) > 0 else r2


def cox_snell_r2(c_statistic: float, prevalence: float) -> float:
    """Cox-Snell's R2 of a model with this area under the ROC curve.

    The linear predictor is taken as normal with one variance in both outcomes. Its logistic model is then known without
    fitting, and the expected likelihood is an integral; the source draws a large sample instead.

    Args:
        c_statistic: Area, above 0.5 and below 1.
        prevalence: Share of positives, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: Riley, Van Calster and Collins 2021, doi 10.1002/sim.8806.
    """
    if not 0.5 < c_statistic < 1:
        raise ValueError(f"The area must lie between 0.5 and 1, got {c_statistic!r}.")
    _check_prevalence(prevalence)
    apart = math.sqrt(2) * float(ndtri(c_statistic))
    x = np.linspace(-10, 10, 4001)  # from the middle of an outcome's predictors, in their SD
    odds = math.log(prevalence / (1 - prevalence))
    gain_positive = _log_expit(odds + apart * (x + apart) - apart**2 / 2) - math.log(prevalence)
    gain_negative = _log_expit(-(odds + apart * x - apart**2 / 2)) - math.log(1 - prevalence)
    gain = prevalence * gain_positive + (1 - prevalence) * gain_negative
    return -math.expm1(-2 * float(np.trapezoid(norm.pdf(x) * gain, x)))


def largest_r2(prevalence: float) -> float:
    """Cox-Snell's R2 of a perfect model.

    Raises:
        ValueError: The prevalence does not lie between 0 and 1.

    Source: Riley et al. 2020, doi 10.1136/bmj.m441; Nagelkerke 1991, doi 10.1093/biomet/78.3.691.
    """
    _check_prevalence(prevalence)
    return -math.expm1(2 * (prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)))


def _parameters_per_case(shrinkage: float, r2: float) -> float:
    return (shrinkage - 1) * math.log1p(-r2 / shrinkage)


def _shrinkage_of_optimism(prevalence: float, r2: float) -> float:
    return r2 / (r2 + OPTIMISM * largest_r2(prevalence))


def _for_overall_risk(prevalence: float) -> float:
    return (1.96 / ERROR_OF_RISK) ** 2 * prevalence * (1 - prevalence)


def _for_mean_error(parameters: int, prevalence: float) -> float:
    logarithm = -0.508 + 0.259 * _log_share(prevalence) + 0.504 * math.log(parameters) - math.log(MEAN_ERROR)
    return math.exp(logarithm / 0.544)


def _log_share(prevalence: float) -> float:
    """Of the rarer outcome: the formula of the average error was found for shares up to a half."""
    return math.log(min(prevalence, 1 - prevalence))


def _log_expit(logits: np.ndarray) -> np.ndarray:
    return np.asarray(-np.logaddexp(0, -logits))


def _up(cases: float) -> int:
    return math.ceil(cases - 1e-9)


def _down(parameters: float) -> int:
    return math.floor(parameters + 1e-9)


def _check(prevalence: float, r2: float) -> None:
    largest = largest_r2(prevalence)
    if not 0 < r2 < largest:
        raise ValueError(
            f"Cox-Snell's R2 must lie between 0 and {largest:.3f} at a prevalence of {prevalence:g}, got {r2!r}. "
            "Take cox_snell_r2 of the area that is hoped for."
        )


def _check_prevalence(prevalence: float) -> None:
    if not 0 < prevalence < 1:
        raise ValueError(f"The prevalence must lie between 0 and 1, got {prevalence!r}.")


def _check_cases(n: int) -> None:
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n!r}.")
