"""Harrell's C of scores that several models gave, each the cases of its fold: only pairs within a fold are compared."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import FloatArray
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.statistics.survival.concordance import harrell_c

NORMAL_95 = 1.959963984540054


class FoldConcordance(NamedTuple):
    """Mean over the repetitions.

    Attributes:
        value: Harrell's C.
        interval: 95 %, normal, cut to 0 and 1. It counts cases, not repetitions, and takes the models as they are.
        repetitions: (r,) of each.
    """

    value: float
    interval: tuple[float, float]
    repetitions: FloatArray


def concordance_within_folds(
    time: ArrayLike, event: ArrayLike, scores: ArrayLike, folds: ArrayLike
) -> FoldConcordance | None:
    """Of r repetitions of the folds.

    Args:
        time: (n,) follow-up, none negative.
        event: (n,) 1: the event came then, 0: censored.
        scores: (r, n) higher: sooner.
        folds: (r, n) number of the fold of each case.

    Returns:
        None where some repetition has no pair that can be compared.

    Raises:
        ValueError: An argument is not as said.
    """
    try:
        found = [
            harrell_c(time, event, score, strata=fold)
            for score, fold in zip(np.asarray(scores, dtype=float), np.asarray(folds), strict=True)
        ]
    except NotEstimableError:
        return None
    values = np.array([one.value for one in found])
    error = float(np.linalg.norm(np.mean([one.influence for one in found], axis=0)))
    value = float(values.mean())
    half = NORMAL_95 * error
    return FoldConcordance(value, (max(value - half, 0.0), min(value + half, 1.0)), values)
