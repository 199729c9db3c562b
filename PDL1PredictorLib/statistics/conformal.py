"""Conformal prediction: which answers cannot be ruled out, at a coverage that holds for any model."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import FloatArray, outcomes, probabilities_of, sample

ANSWERS = ("negative", "positive")


class Quantiles(NamedTuple):
    """How unlike its own answer (1 - its probability) a case may be before that answer is ruled out.

    Attributes:
        negative: Limit for "negative"; infinite where too few negative cases were seen to rule it out ever.
        positive: Limit for "positive", likewise.
    """

    negative: float
    positive: float


def class_conditional_quantiles(labels: ArrayLike, probabilities: ArrayLike, coverage: float) -> Quantiles:
    """Limits that keep the true answer in the set for at least `coverage` of the negative and of the positive cases.

    That holds on average over calibration sets, when new cases are exchangeable with these ones.

    Args:
        labels: (n,), 0 or 1, both present.
        probabilities: (n,), of the outcome 1, from cases that neither classifier nor calibration was fitted on.
        coverage: Between 0 and 1, both left out.

    Raises:
        ValueError: Labels, probabilities or coverage are not as said.

    Source: Vovk 2012, arXiv 1209.2673 (label-conditional); Angelopoulos and Bates 2021, arXiv 2107.07511, section 1.
    """
    positive = outcomes(labels)
    p = probabilities_of(probabilities, positive.size)
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must lie between 0 and 1, got {coverage!r}.")
    return Quantiles(_quantile(p[~positive], coverage), _quantile(1 - p[positive], coverage))


def prediction_set(probability: float, quantiles: tuple[float, float]) -> tuple[str, ...]:
    """The answers that cannot be ruled out: one, both, or none where the case is unlike either.

    Args:
        probability: Of the positive answer, 0 to 1.
        quantiles: (negative, positive) of `class_conditional_quantiles`.

    Raises:
        ValueError: The probability is not one.
    """
    if not 0 <= probability <= 1:
        raise ValueError(f"probability must lie between 0 and 1, got {probability!r}.")
    strangeness = (probability, 1 - probability)
    return tuple(a for a, s, limit in zip(ANSWERS, strangeness, quantiles, strict=True) if s <= limit)


def residual_quantile(residuals: ArrayLike, coverage: float) -> float:
    """Half the width of an interval about a prediction that holds the true number in at least `coverage` of the cases.

    That holds on average over calibration sets, when new cases are exchangeable with these ones. Infinite where too
    few cases were seen.

    Args:
        residuals: Observed less predicted, (n,), n >= 1, from cases that the model was not fitted on.
        coverage: Between 0 and 1, both left out.

    Raises:
        ValueError: Residuals or coverage are not as said.

    Source: split-conformal intervals, Lei et al. 2018, doi 10.1080/01621459.2017.1307116, algorithm 2.
    """
    if not 0 < coverage < 1:
        raise ValueError(f"coverage must lie between 0 and 1, got {coverage!r}.")
    return _quantile(np.abs(sample(residuals, "residuals")), coverage)


def conformal_p(score: float, held_out: ArrayLike) -> float:
    """Share of held-out cases, and the new one, that are at least as strange as it: its conformal p-value.

    Of new cases that are exchangeable with the held-out ones at most a share a has p <= a.

    Args:
        score: Strangeness of the new case.
        held_out: Of the cases that the score was not fitted on, (n,).

    Source: Vovk, Gammerman and Shafer 2005, "Algorithmic Learning in a Random World", chapter 2.
    """
    others = np.asarray(held_out, dtype=np.float64)
    return float(1 + np.count_nonzero(others >= score)) / (others.size + 1)


def _quantile(strangeness: FloatArray, coverage: float) -> float:
    n = len(strangeness)
    rank = math.ceil((n + 1) * coverage - 1e-9)  # n + 1: the new case may rank anywhere among them; 1e-9: rounding
    return float(np.sort(strangeness)[rank - 1]) if rank <= n else math.inf
