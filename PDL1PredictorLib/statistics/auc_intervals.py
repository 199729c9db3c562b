"""Intervals of an area under the ROC curve that hold with few cases: on the logit scale, and Newcombe's."""

import math

from scipy.optimize import brentq
from scipy.special import ndtri, stdtrit

from PDL1PredictorLib.statistics.checks import confidence_of

NOTHING_KNOWN = (0.0, 1.0)


def logit_interval(
    value: float, variance: float, df: float = math.inf, confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of an area that is symmetric on the logit scale: it never leaves 0 to 1 and leans towards 0.5.

    With eight or nine positive cases value +- 1.96 standard errors covers too rarely: the estimate is skewed, and its
    variance, itself of few cases, is small where it is large. The logit scale cures the first, Student's t the second.

    Args:
        value: Area, above 0 and below 1.
        variance: Of it; NaN or 0 where the cases say nothing of it, which gives (0, 1).
        df: Degrees of freedom of the variance, see `welch_df`; infinite for the normal quantile.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: Pepe 2003, "The Statistical Evaluation of Medical Tests", section 5.2.4; Qin and Hotilovac 2008,
    doi 10.1177/0962280207087173.
    """
    if not 0 < value < 1:
        raise ValueError(f"An area with an interval on the logit scale lies between 0 and 1, got {value!r}.")
    level = 0.5 + confidence_of(confidence) / 2
    if math.isnan(variance) or variance <= 0:
        return NOTHING_KNOWN
    quantile = float(stdtrit(df, level)) if math.isfinite(df) else float(ndtri(level))
    middle, half = math.log(value / (1 - value)), quantile * math.sqrt(variance) / (value * (1 - value))
    return _expit(middle - half), _expit(middle + half)


def welch_df(variances: tuple[float, float], counts: tuple[int, int]) -> float:
    """Degrees of freedom of a sum of two variances, from so many positive and so many negative cases.

    A single case has no variance; it counts as one degree. Infinite where both variances are 0.

    Source: Welch 1947, doi 10.1093/biomet/34.1-2.28.
    """
    parts = sum(variance**2 / max(count - 1, 1) for variance, count in zip(variances, counts, strict=True))
    return sum(variances) ** 2 / parts if parts > 0 else math.inf


def newcombe_interval(value: float, n_positive: int, n_negative: int, confidence: float = 0.95) -> tuple[float, float]:
    """Interval from the area and the numbers of cases alone; it says something of a perfect area, too.

    Args:
        value: Area, 0 to 1.
        n_positive: Number of positive cases, >= 1.
        n_negative: Number of negative cases, >= 1.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: Newcombe 2006, doi 10.1002/sim.2324, method 5, whose variance is Hanley and McNeil's 1982,
    doi 10.1148/radiology.143.1.7063747, made symmetric.
    """
    if min(n_positive, n_negative) < 1:
        raise ValueError(f"Cases of both outcomes are needed, got {n_positive} positive and {n_negative} negative.")
    pairs = n_positive * n_negative
    return score_interval(value, 1 / pairs, ((n_positive + n_negative) / 2 - 1) / pairs, confidence)


def score_interval(value: float, same: float, shared: float, confidence: float = 0.95) -> tuple[float, float]:
    """Newcombe's interval where the pairs of cases have any weights, as those within folds.

    Args:
        value: Area, 0 to 1.
        same: Sum of the squared weights of the pairs, whose sum is 1.
        shared: Half of the sum of products of weights of two pairs that share one case.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.
    """
    if not 0 <= value <= 1:
        raise ValueError(f"An area lies between 0 and 1, got {value!r}.")
    z = float(ndtri(0.5 + confidence_of(confidence) / 2))

    def lower(estimate: float) -> float:
        """The smallest area from which the estimate is no more than z standard errors away."""

        def room(area: float) -> float:
            spread = same + shared * ((1 - area) / (2 - area) + area / (1 + area))
            return estimate - area - z * math.sqrt(area * (1 - area) * spread)

        end = min(estimate, 1 - 1e-12)  # at 1 the variance is 0, a root that is no limit
        return float(brentq(room, 0.0, end)) if estimate > 0 and room(end) < 0 else 0.0

    return lower(value), 1 - lower(1 - value)


def _expit(logit: float) -> float:
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0
