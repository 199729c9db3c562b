"""How well two contours agree: shared volume, shared surface, difference of volume. Masks in, numbers out."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import ndimage


class Overlap(NamedTuple):
    """How a contour agrees with another one that is taken as right.

    Attributes:
        dice: Twice the shared voxels over the sum of both, 0 to 1.
        surface_dice: Share of both surfaces that lies within the tolerance of the other one, 0 to 1.
        volume_error: Volume less the right one, over the right one.
    """

    dice: float
    surface_dice: float
    volume_error: float


def overlap(found: np.ndarray, truth: np.ndarray, spacing_kji_mm: Sequence[float], tolerance_mm: float) -> Overlap:
    """All three measures.

    Args:
        found: bool (k, j, i).
        truth: bool, the same shape, at least one voxel set.
        spacing_kji_mm: Of the voxels.
        tolerance_mm: Of the surface.

    Raises:
        ValueError: The shapes differ, or the truth is empty.
    """
    if found.shape != truth.shape or not truth.any():
        raise ValueError(
            f"Two masks of one shape are needed, the right one not empty; got {found.shape}, {truth.shape}."
        )
    error = (int(found.sum()) - int(truth.sum())) / int(truth.sum())
    return Overlap(dice(found, truth), surface_dice(found, truth, spacing_kji_mm, tolerance_mm), error)


def dice(a: np.ndarray, b: np.ndarray) -> float:
    """Twice the shared voxels over the sum of both; 1 of two empty masks.

    Source: Dice 1945, doi 10.2307/1932409.
    """
    both = int(np.count_nonzero(a)) + int(np.count_nonzero(b))
    return 2 * int(np.count_nonzero(a & b)) / both if both else 1.0


def surface_dice(a: np.ndarray, b: np.ndarray, spacing_kji_mm: Sequence[float], tolerance_mm: float) -> float:
    """Share of both surfaces that lies within a tolerance of the other one; 1 of two empty masks, 0 of one.

    The surface of a mask are its voxels with a neighbor across a face that is not set, voxels beyond the array being
    not set; each counts one, and distances run from center to center.

    Args:
        a: bool (k, j, i).
        b: The same shape.
        spacing_kji_mm: Of the voxels.
        tolerance_mm: In mm, included.

    Source: Nikolov et al. 2021, doi 10.2196/26151, who weigh surface elements by their area.
    """
    edges = [_surface(mask) for mask in (a, b)]
    counts = [int(edge.sum()) for edge in edges]
    if 0 in counts:
        return 1.0 if counts == [0, 0] else 0.0
    near = 0
    for edge, other in (edges, edges[::-1]):
        away_mm = ndimage.distance_transform_edt(~other, sampling=spacing_kji_mm)
        near += int((away_mm[edge] <= tolerance_mm + 1e-9).sum())
    return near / sum(counts)


def _surface(mask: np.ndarray) -> np.ndarray:
    return np.asarray(mask & ~ndimage.binary_erosion(mask))
