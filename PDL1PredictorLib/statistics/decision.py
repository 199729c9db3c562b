"""Decision curves: what acting on the probability gains over acting on all cases or on none."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import FloatArray, outcomes, probabilities_of, sample


class DecisionCurve(NamedTuple):
    """Net benefit at each threshold probability, in true positives per case; all (t,).

    Attributes:
        thresholds: Probability from which a case is treated.
        model: Those at or above the threshold are treated.
        treat_all: All are.
        treat_none: None is: 0 everywhere.
    """

    thresholds: FloatArray
    model: FloatArray
    treat_all: FloatArray
    treat_none: FloatArray


def decision_curve(labels: ArrayLike, probabilities: ArrayLike, thresholds: ArrayLike | None = None) -> DecisionCurve:
    """Net benefit: true positives less false positives, these weighted by the odds of the threshold.

    Who treats from a probability t on holds one missed positive as bad as (1 - t) / t needless treatments.

    Args:
        labels: (n,), 0 or 1, both present.
        probabilities: (n,), of the outcome 1, calibrated.
        thresholds: (t,), each at least 0 and below 1; None for 0.01 to 0.99 in steps of 0.01.

    Raises:
        ValueError: An argument is not as said.

    Source: Vickers and Elkin 2006, doi 10.1177/0272989X06295361.
    """
    positive = outcomes(labels)
    p = probabilities_of(probabilities, positive.size)
    cuts = np.arange(1, 100) / 100 if thresholds is None else sample(thresholds, "thresholds")
    if cuts.min() < 0 or cuts.max() >= 1:
        raise ValueError(f"thresholds must be at least 0 and below 1, they run from {cuts.min():g} to {cuts.max():g}.")
    odds = cuts / (1 - cuts)
    treated = p >= cuts[:, None]  # (t, n)
    model = (treated & positive).mean(axis=1) - odds * (treated & ~positive).mean(axis=1)
    treat_all = positive.mean() - odds * (~positive).mean()
    return DecisionCurve(cuts, model, treat_all, np.zeros_like(cuts))
