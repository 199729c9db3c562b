"""The ROC curve, point by point."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import FloatArray, numbers, outcomes


class Roc(NamedTuple):
    """Points of the ROC curve from (0, 0), where no case is called positive, to (1, 1), where all are.

    Attributes:
        false_positive_rate: 1 - specificity, rising, (r,).
        true_positive_rate: Sensitivity, rising, (r,).
        thresholds: Falling, (r,): cases at or above it are called positive; the first is infinite.
    """

    false_positive_rate: FloatArray
    true_positive_rate: FloatArray
    thresholds: FloatArray


def roc_curve(labels: ArrayLike, scores: ArrayLike) -> Roc:
    """A point for every score that occurs; straight lines between them enclose the AUC.

    Args:
        labels: (n,), 0 or 1, both present.
        scores: (n,), higher means positive.

    Raises:
        ValueError: Labels or scores are not as said.

    Source: Fawcett 2006, doi 10.1016/j.patrec.2005.10.010, algorithm 1.
    """
    positive = outcomes(labels)
    values, place = np.unique(numbers(scores, positive.size, "scores"), return_inverse=True)

    def called(cases: np.ndarray) -> FloatArray:
        """Share of the cases at or above each value, from the highest value down."""
        counts = np.bincount(place[cases], minlength=values.size)[::-1].cumsum()
        return np.concatenate([[0.0], counts / cases.sum()])

    return Roc(called(~positive), called(positive), np.concatenate([[np.inf], values[::-1]]))
