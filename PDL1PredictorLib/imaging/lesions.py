"""Separate tumors in one mask."""

import numpy as np
import SimpleITK as sitk
from scipy import ndimage


def split_lesions(mask: sitk.Image, minimum_voxels: int = 1) -> tuple[sitk.Image, ...]:
    """The connected parts of a mask (26 neighbors), each as a mask of its own, the largest first.

    Parts of equal size follow in the order of their first voxel in memory (i fastest).

    Args:
        mask: 0 outside; any grid.
        minimum_voxels: Smaller parts are left out, so that a mask full of specks does not fill the memory.

    Returns:
        uint8 masks on the same grid; none for an empty mask.
    """
    labels, sizes, box = _label(mask)
    order = [int(n) for n in np.argsort(-sizes, kind="stable") if sizes[n] >= max(minimum_voxels, 1)]
    return tuple(_mask_like(mask, labels == n + 1, box) for n in order)


def count_lesions(mask: sitk.Image, minimum_voxels: int = 1) -> int:
    """Number of connected parts (26 neighbors) with at least so many voxels."""
    return int(np.count_nonzero(_label(mask)[1] >= minimum_voxels))


def _label(mask: sitk.Image) -> tuple[np.ndarray, np.ndarray, tuple[slice, ...]]:
    """Labels in the bounding box, number of voxels of label 1, 2 ..., and that box."""
    values = sitk.GetArrayViewFromImage(mask)
    box = []
    for axis in range(3):
        hit = np.flatnonzero(values.any(axis=tuple(other for other in range(3) if other != axis)))
        box.append(slice(int(hit[0]), int(hit[-1]) + 1) if len(hit) else slice(0, 0))
    labels, _ = ndimage.label(values[tuple(box)] != 0, structure=np.ones((3, 3, 3), bool))
    return labels, np.bincount(labels.ravel())[1:], tuple(box)


def _mask_like(mask: sitk.Image, part: np.ndarray, box: tuple[slice, ...]) -> sitk.Image:
    values = np.zeros(mask.GetSize()[::-1], np.uint8)
    values[box] = part
    image = sitk.GetImageFromArray(values)
    image.CopyInformation(mask)
    return image
