"""What the training cohort looks like, for the warning that a case is unlike it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.covariance import LedoitWolf

from PDL1PredictorLib.learning.selection import Standardizer


@dataclass(frozen=True, eq=False)
class Reference:
    """What the training cohort looks like, for the out-of-distribution check.

    Attributes:
        features: Names of the radiomic features that are used, r of them.
        mean: Of their z-scores over the training cases, (r,).
        precision: Inverse of their Ledoit-Wolf covariance, (r, r).
        distance_99: 99th percentile of the Mahalanobis distance of cases that it was not learned from.
    """

    features: tuple[str, ...]
    mean: np.ndarray
    precision: np.ndarray
    distance_99: float


def reference_of(
    used: Iterable[str],
    names: Sequence[str],
    standardizer: Standardizer,
    features: np.ndarray,
    held_out: Sequence[tuple[np.ndarray, np.ndarray]],
) -> Reference | None:
    """Mean and covariance of the features that are used, and how far cases lie from them that they do not come from.

    Args:
        used: Names of the features that the models rest on.
        names: Of all features.
        standardizer: Of all features.
        features: Of all cases, (n, f).
        held_out: Pairs of rows: what a distance is learned from, and measured on. What is kept is learned from the
            first of a single pair, and from the cases of all pairs together otherwise.

    Returns:
        None where no feature is used: then nothing tells how unlike a case is.
    """
    chosen = tuple(sorted(set(used)))
    if not chosen:
        return None
    everyone = np.unique(np.concatenate([rows for pair in held_out for rows in pair]))
    z = standardizer(features)[:, [names.index(name) for name in chosen]]
    distances = [np.sqrt(LedoitWolf().fit(z[known]).mahalanobis(z[others])) for known, others in held_out]
    kept = LedoitWolf().fit(z[held_out[0][0] if len(held_out) == 1 else everyone])
    return Reference(chosen, kept.location_, kept.precision_, float(np.percentile(np.concatenate(distances), 99)))
