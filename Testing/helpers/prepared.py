"""Prepared cases from plain arrays."""

from collections.abc import Sequence

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.targets import Target


def binary_targets(endpoints: Sequence[str], labels: np.ndarray) -> dict[str, Target]:
    """Yes/no targets of the columns of labels (n, e)."""
    return {key: Target("binary", column) for key, column in zip(endpoints, labels.T.astype(float), strict=True)}


def prepared(
    names: Sequence[str],
    endpoints: Sequence[str],
    feature_names: Sequence[str],
    features: np.ndarray,
    patches_hu: np.ndarray,
    patches_tumor: np.ndarray,
    labels: np.ndarray,
) -> PreparedCohort:
    """Cases with features, slices and yes/no endpoints; see `PreparedCohort` for the shapes."""
    blocks = {"features": features, "slices": patches_hu, "slices_tumor": patches_tumor}
    return PreparedCohort(tuple(names), binary_targets(endpoints, labels), blocks, tuple(feature_names))
