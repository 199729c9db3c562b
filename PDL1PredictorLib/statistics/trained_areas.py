"""The area within folds of models that were trained in a cross-validation, with what shared training cases add."""

import math

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.auc_intervals import NOTHING_KNOWN, logit_interval
from PDL1PredictorLib.statistics.fold_ranks import variance_of_training
from PDL1PredictorLib.statistics.within_folds import FoldAuc, auc_within_folds


def auc_of_trained(
    labels: ArrayLike, scores: ArrayLike, folds: ArrayLike, patients: ArrayLike | None = None
) -> FoldAuc:
    """As `auc_within_folds`, but with a variance that holds for models that were trained on each other's test cases.

    The variance is that of pairs within one repetition (mean over the repetitions, which are of the same patients) and
    what `variance_of_training` adds. Of a score that nothing was learned for, such as a volume, take
    `auc_within_folds`.

    Args:
        labels: (n,), 0 or 1, both present.
        scores: (n,), or (r, n) for r repetitions; higher means positive.
        folds: Of each case, as scores.
        patients: Of each case, (n,); None where each case is a patient.

    Raises:
        ValueError: An argument is not as said, or no fold of some repetition has both outcomes.
    """
    within = auc_within_folds(labels, scores, folds, patients)
    rows, numbers = np.atleast_2d(np.asarray(scores, dtype=float)), np.atleast_2d(np.asarray(folds))
    once = [
        auc_within_folds(labels, row, fold, patients).standard_error ** 2
        for row, fold in zip(rows, numbers, strict=True)
    ]
    variance = float(np.mean(once)) + variance_of_training(labels, rows, numbers)
    if not (math.isfinite(variance) and 0 < within.value < 1 and within.interval != NOTHING_KNOWN):
        return within
    rarer = min(within.n_positive, within.n_negative)
    return within._replace(
        standard_error=math.sqrt(variance), interval=logit_interval(within.value, variance, rarer - 1)
    )
