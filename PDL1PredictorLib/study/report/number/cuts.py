"""How well a predicted number tells the cases at and above a value from those below it."""

from collections.abc import Sequence

import numpy as np

from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.study.report.measures import Plain, estimate_of

LEAST = 2  # cases on either side: DeLong's variance needs as many


def cut_numbers(observed: np.ndarray, predicted: np.ndarray, cuts: Sequence[float]) -> list[Plain]:
    """AUC of the predicted number for observed values at and above each cut, with DeLong's interval.

    Args:
        observed: (n,).
        predicted: (n,), in the same unit.
        cuts: Values.

    Returns:
        Of each cut `cut`, `positive` and `negative` cases, and `auc`; None with too few on one side, or where all
        predictions are equal.
    """
    return [_at(observed, predicted, cut) for cut in cuts]


def _at(observed: np.ndarray, predicted: np.ndarray, cut: float) -> Plain:
    labels = (observed >= cut).astype(int)
    positive, negative = int(labels.sum()), int((1 - labels).sum())
    told = min(positive, negative) >= LEAST and np.ptp(predicted) > 0
    found = auc(labels, predicted) if told else None
    return {
        "cut": cut,
        "positive": positive,
        "negative": negative,
        "auc": None if found is None else estimate_of(found.value, found.interval),
    }
