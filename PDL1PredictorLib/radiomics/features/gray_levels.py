"""Intensities to gray levels, as pyradiomics discretizes: bins from a multiple of the width, or a number of bins."""

from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.radiomics.compiled import compiled
from PDL1PredictorLib.radiomics.features.kernels import assign_gray_levels
from PDL1PredictorLib.radiomics.settings import FeatureSettings

MOST_LEVELS = 32768  # they are kept in 16 bits


class GrayLevels(NamedTuple):
    """The gray level of each voxel of a region.

    Attributes:
        levels: Gray level per voxel, uint16, from 1.
        present: The levels that occur, rising, int64.
        counts: How many voxels have each of them, int64.
        ranks: Place of each voxel's level among those that occur, uint16, from 1.
    """

    levels: np.ndarray
    present: np.ndarray
    counts: np.ndarray
    ranks: np.ndarray


def bin_edges(low: float, high: float, settings: FeatureSettings) -> np.ndarray:
    """Lower edges of the gray levels; the last lies above the greatest intensity.

    Args:
        low: Least intensity in the region.
        high: Greatest intensity.
        settings: Bin width or bin count.

    Raises:
        InputError: There are more gray levels than can be told apart, or the intensities differ by rounding only.

    Source: pyradiomics 3.0.1, `imageoperations.getBinEdges`; van Griethuysen et al. 2017, doi
    10.1158/0008-5472.CAN-17-0339. IBSI describes both as fixed bin size (Q3RU) and fixed bin number (K15C).
    """
    width = settings.bin_width
    if width is None:
        try:
            edges = np.histogram(np.array([low, high]), settings.bin_count or 0)[1]
        except ValueError as error:
            raise InputError(
                f"The filtered intensities are all {low:g} but for rounding: they cannot be cut into "
                f"{settings.bin_count} gray levels. Choose bin_width."
            ) from error
        edges[-1] += 1  # the greatest intensity belongs to the last level
        return edges
    if (high - low) / width > MOST_LEVELS:
        raise InputError(
            f"The filtered intensities run from {low:g} to {high:g}: more than {MOST_LEVELS} gray levels of {width:g}. "
            "Choose a larger bin_width, or bin_count."
        )
    first = low - low % width
    edges = np.arange(first, high + 2 * width, width)
    return edges if edges.size > 1 else np.array([edges[0] - 0.5, edges[0] + 0.5])


def gray_levels(values: np.ndarray, edges: np.ndarray) -> GrayLevels:
    """Assign every intensity its gray level.

    Args:
        values: Intensities of the region's voxels, float64.
        edges: Of `bin_edges`; about evenly spaced.
    """
    levels = np.empty(values.size, np.uint16)
    compiled(assign_gray_levels)(values, edges, float(edges[1] - edges[0]), levels)
    histogram = np.bincount(levels)
    present = np.flatnonzero(histogram)
    if present.size == present[-1]:  # every level up to the greatest occurs
        return GrayLevels(levels, present, histogram[present], levels)
    rank_of = np.zeros(histogram.size, np.uint16)
    rank_of[present] = np.arange(1, present.size + 1)
    return GrayLevels(levels, present, histogram[present], rank_of[levels])
