"""What run lengths, zones and dependences share: matrices of gray level by size, and the statistics on them."""

from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.radiomics.features.first_order import EPSILON


class LevelSizes(NamedTuple):
    """Matrices that count something by gray level and size.

    Attributes:
        counts: float64 (matrix, level, size); a matrix may be empty.
        levels: Gray levels of the rows, float64.
        sizes: Sizes of the columns, float64.
    """

    counts: np.ndarray
    levels: np.ndarray
    sizes: np.ndarray


class Statistics(NamedTuple):
    """One number per matrix; NaN for an empty one.

    Attributes:
        total: Number of things counted.
        level_non_uniformity: Dominance of few gray levels.
        size_non_uniformity: Dominance of few sizes.
        level_variance: Of the gray level.
        size_variance: Of the size.
        entropy: Of the joint distribution, in bits.
        small: Mean of 1 / size^2.
        large: Mean of size^2.
        low: Mean of 1 / level^2.
        high: Mean of level^2.
        small_low: Mean of 1 / (size^2 level^2).
        small_high: Mean of level^2 / size^2.
        large_low: Mean of size^2 / level^2.
        large_high: Mean of size^2 level^2.
        per_voxel: Number of things over the sum of their sizes.
    """

    total: np.ndarray
    level_non_uniformity: np.ndarray
    size_non_uniformity: np.ndarray
    level_variance: np.ndarray
    size_variance: np.ndarray
    entropy: np.ndarray
    small: np.ndarray
    large: np.ndarray
    low: np.ndarray
    high: np.ndarray
    small_low: np.ndarray
    small_high: np.ndarray
    large_low: np.ndarray
    large_high: np.ndarray
    per_voxel: np.ndarray


def statistics(matrices: LevelSizes) -> Statistics:
    """The statistics that the features of the three classes are made of."""
    counts, levels, sizes = matrices
    by_level, by_size = counts.sum(axis=2), counts.sum(axis=1)
    total = by_level.sum(axis=1)
    total = np.where(total == 0, np.nan, total)
    per_total = 1 / total
    bright, large = levels**2, sizes**2
    # sums over the sizes first: three numbers per gray level hold all mixed moments
    of_small, of_large = np.einsum("mls,s->ml", counts, 1 / large), np.einsum("mls,s->ml", counts, large)
    return Statistics(
        total=total,
        level_non_uniformity=(by_level**2).sum(axis=1) * per_total,
        size_non_uniformity=(by_size**2).sum(axis=1) * per_total,
        level_variance=_variance(by_level * per_total[:, None], levels),
        size_variance=_variance(by_size * per_total[:, None], sizes),
        entropy=_entropy(counts, total),
        small=of_small.sum(axis=1) * per_total,
        large=of_large.sum(axis=1) * per_total,
        low=np.einsum("ml,l->m", by_level, 1 / bright) * per_total,
        high=np.einsum("ml,l->m", by_level, bright) * per_total,
        small_low=np.einsum("ml,l->m", of_small, 1 / bright) * per_total,
        small_high=np.einsum("ml,l->m", of_small, bright) * per_total,
        large_low=np.einsum("ml,l->m", of_large, 1 / bright) * per_total,
        large_high=np.einsum("ml,l->m", of_large, bright) * per_total,
        per_voxel=total / np.einsum("ms,s->m", by_size, sizes),
    )


def _variance(share: np.ndarray, values: np.ndarray) -> np.ndarray:
    mean = np.einsum("mv,v->m", share, values)
    return np.asarray((share * (values - mean[:, None]) ** 2).sum(axis=1))


def _entropy(counts: np.ndarray, total: np.ndarray) -> np.ndarray:
    """Only the cells that are not empty: the others add nothing, and most are."""
    matrix, level, size = np.nonzero(counts)
    share = counts[matrix, level, size] / total[matrix]
    bits = np.bincount(matrix, -share * np.log2(share + EPSILON), counts.shape[0])
    return np.where(np.isnan(total), np.nan, bits)
