"""Bringing a mask onto the CT's grid: exactly where the voxels agree, by interpolation only where asked for."""

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import GRID_TOLERANCE_MM, require_same_grid, same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError


def place_mask(mask: sitk.Image, ct: sitk.Image, resample: bool) -> sitk.Image:
    """A mask as uint8 0/1 on the CT's grid.

    Nothing is interpolated where the mask's voxels are voxels of the CT, also if they are stored in another order of
    the axes or cover only a part of the CT, as 3D Slicer and DICOM SEG store them.

    Args:
        mask: Three-dimensional, 0 outside.
        ct: The grid wanted.
        resample: Allow linear interpolation, cut at 0.5, for any other grid.

    Raises:
        GridMismatchError: Another grid and `resample` is off, or a part of the mask lies outside the CT.
        EmptyRegionError: Nothing is left after resampling.
    """
    binary = mask != 0
    if same_grid(ct, binary):
        placed = binary
        placed.CopyInformation(ct)
        return placed
    code = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(ct.GetDirection())
    turned = sitk.DICOMOrient(binary, code)
    start = _start_in(ct, turned)
    if start is not None:
        return _pasted(turned, ct, start)
    if not resample:
        require_same_grid(ct, mask)
    smooth = sitk.Resample(sitk.Cast(binary, sitk.sitkFloat32), ct, sitk.Transform(), sitk.sitkLinear, 0.0)
    placed = smooth >= 0.5
    if not sitk.GetArrayViewFromImage(placed).any():
        raise EmptyRegionError(
            "Resampled to the CT's grid, the mask has no voxel: the two do not overlap, or the mask is thinner than a "
            "voxel. Check that both belong to the same scan."
        )
    return placed


def _start_in(ct: sitk.Image, mask: sitk.Image) -> np.ndarray | None:
    """CT voxel (i, j, k) of the mask's first voxel, if all its voxels are voxels of the (perhaps continued) CT grid."""
    far = [n - 1 for n in mask.GetSize()]
    corners = [[far[axis] if bit >> axis & 1 else 0 for axis in range(3)] for bit in range(8)]
    offsets = np.asarray(
        [
            np.subtract(ct.TransformPhysicalPointToContinuousIndex(mask.TransformIndexToPhysicalPoint(corner)), corner)
            for corner in corners
        ]
    )
    start = np.rint(offsets[0])
    apart_mm = np.abs(offsets - start) * np.asarray(ct.GetSpacing())
    return start.astype(int) if apart_mm.max() <= GRID_TOLERANCE_MM else None


def _pasted(mask: sitk.Image, ct: sitk.Image, start: np.ndarray) -> sitk.Image:
    values = sitk.GetArrayFromImage(mask)
    whole = np.zeros(ct.GetSize()[::-1], np.uint8)
    source, target = [], []
    for first, count, n in zip(start[::-1], values.shape, whole.shape, strict=True):
        low, high = max(int(first), 0), max(min(int(first) + count, n), max(int(first), 0))
        target.append(slice(low, high))
        source.append(slice(low - int(first), high - int(first)))
    whole[tuple(target)] = values[tuple(source)]
    lost = int(np.count_nonzero(values)) - int(np.count_nonzero(whole))
    if lost:
        raise GridMismatchError(
            f"{lost} of the mask's {np.count_nonzero(values)} voxels lie outside the CT. "
            "Choose the CT that it was drawn on."
        )
    image = sitk.GetImageFromArray(whole)
    image.CopyInformation(ct)
    return image
