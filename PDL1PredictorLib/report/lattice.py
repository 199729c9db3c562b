"""Volumes in different boxes of one shared lattice: equal spacing and direction, origins whole voxels apart."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import grid_text
from PDL1PredictorLib.core.errors import GridMismatchError

STEP_TOLERANCE = 0.01  # voxels; a rounded origin passes, a volume that was resampled elsewhere does not


class Box(NamedTuple):
    """A box of the lattice of `reference`.

    Attributes:
        start: First voxel (i, j, k) in the reference's index space; may be negative.
        size: Voxels along (i, j, k).
    """

    start: tuple[int, int, int]
    size: tuple[int, int, int]


def offset_on(reference: sitk.Image, image: sitk.Image) -> tuple[int, int, int]:
    """Index (i, j, k) of the reference at which the image's first voxel lies.

    Raises:
        GridMismatchError: The two do not share one lattice.
    """
    same_axes = np.allclose(reference.GetDirection(), image.GetDirection(), atol=1e-5)
    same_steps = np.allclose(reference.GetSpacing(), image.GetSpacing(), rtol=1e-5)
    exact = np.array(reference.TransformPhysicalPointToContinuousIndex(image.GetOrigin()))
    whole = np.rint(exact)
    if not (same_axes and same_steps and np.abs(exact - whole).max() <= STEP_TOLERANCE):
        raise GridMismatchError(
            f"One lattice was expected; came {grid_text(reference)} and {grid_text(image)}. "
            "Make the pictures and the regions from one resampled volume."
        )
    i, j, k = (int(n) for n in whole)
    return i, j, k


def box_of(reference: sitk.Image, image: sitk.Image) -> Box:
    """The image's box in the reference's index space."""
    i, j, k = image.GetSize()
    return Box(offset_on(reference, image), (i, j, k))


def common_box(reference: sitk.Image, images: Sequence[sitk.Image]) -> Box:
    """The smallest box of the reference's lattice that holds every image."""
    boxes = [box_of(reference, image) for image in images]
    low = np.min([box.start for box in boxes], axis=0)
    high = np.max([np.add(box.start, box.size) for box in boxes], axis=0)
    i, j, k = (int(n) for n in low)
    ni, nj, nk = (int(n) for n in high - low)
    return Box((i, j, k), (ni, nj, nk))


def voxels_in(box: Box, reference: sitk.Image, image: sitk.Image, fill: float = 0) -> np.ndarray[Any, Any]:
    """The image's voxels (k, j, i) in another box: `fill` where it has none, cut where it reaches beyond.

    Args:
        box: Box on the reference's lattice.
        reference: Any volume of the lattice.
        image: Volume to read.
        fill: Value outside the image.
    """
    source = sitk.GetArrayFromImage(image)
    target = np.full(box.size[::-1], fill, dtype=source.dtype)
    shift = np.subtract(offset_on(reference, image), box.start)[::-1]  # (k, j, i)
    low = np.maximum(shift, 0)
    high = np.minimum(shift + source.shape, target.shape)
    if (low < high).all():
        inside = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
        taken = tuple(slice(a, b) for a, b in zip(low - shift, high - shift, strict=True))
        target[inside] = source[taken]
    return target
