"""Bringing a mask onto the CT's grid: exactly where the voxels agree, by interpolation only where asked for."""

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import (
    GRID_TOLERANCE_MM,
    SNAP_VOXELS,
    corners_apart_mm,
    grid_difference,
    require_same_grid,
)
from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.loaded import Loaded
from PDL1PredictorLib.imaging.measures import volume_ml

EDGE = 1e-3  # voxels by which a center may lie beyond the CT's outer face


def place_mask(mask: sitk.Image, ct: sitk.Image, resample: bool) -> Loaded:
    """A mask as uint8 0/1 on the CT's grid.

    Nothing is interpolated where the mask's voxels are voxels of the CT, also if they are stored in another order of
    the axes or cover only a part of the CT, as 3D Slicer and DICOM SEG store them. Corners may lie up to a tenth of the
    CT's smallest voxel edge off: writers round direction cosines.

    Args:
        mask: Three-dimensional, 0 outside.
        ct: The grid wanted.
        resample: Allow linear interpolation, cut at 0.5, for any other grid.

    Returns:
        The mask, with a warning in numbers if it was moved or resampled.

    Raises:
        GridMismatchError: Another grid and `resample` is off, or a part of the mask lies outside the CT.
        EmptyRegionError: Nothing is left after resampling.
    """
    binary = mask != 0
    apart_mm = corners_apart_mm(ct, binary)
    if apart_mm < _snap_mm(ct):
        warnings = _snapped(apart_mm, grid_difference(ct, binary))
        binary.CopyInformation(ct)
        return Loaded(binary, warnings)
    code = sitk.DICOMOrientImageFilter.GetOrientationFromDirectionCosines(ct.GetDirection())
    turned = sitk.DICOMOrient(binary, code)
    start, apart_mm = _start_in(ct, turned)
    if apart_mm < _snap_mm(ct):
        return Loaded(_pasted(turned, ct, start), _snapped(apart_mm, "its voxels do not lie exactly on the CT's"))
    if not resample:
        require_same_grid(ct, mask)
    return _resampled(binary, ct)


def _snap_mm(ct: sitk.Image) -> float:
    return float(max(SNAP_VOXELS * min(ct.GetSpacing()), GRID_TOLERANCE_MM))


def _snapped(apart_mm: float, difference: str) -> tuple[CaseWarning, ...]:
    if apart_mm <= GRID_TOLERANCE_MM:
        return ()
    text = (
        f"The mask's grid is not exactly the CT's ({difference}): it was moved onto it by up to {apart_mm:.3g} mm, "
        "less than a tenth of a voxel."
    )
    return (CaseWarning("grid_snapped", text),)


def _resampled(binary: sitk.Image, ct: sitk.Image) -> Loaded:
    smooth = sitk.Resample(sitk.Cast(binary, sitk.sitkFloat32), ct, sitk.Transform(), sitk.sitkLinear, 0.0)
    placed = smooth >= 0.5
    if not sitk.GetArrayViewFromImage(placed).any():
        raise EmptyRegionError(
            "Resampled to the CT's grid, the mask has no voxel: the two do not overlap, or the mask is thinner than a "
            "voxel. Check that both belong to the same scan."
        )
    _require_inside(binary, ct)
    before_ml, after_ml = volume_ml(binary), volume_ml(placed)
    text = (
        f"The mask was resampled to the CT's grid: {before_ml:.4g} mL before, {after_ml:.4g} mL after "
        f"({100 * (after_ml / before_ml - 1):+.1f} %)."
    )
    return Loaded(placed, (CaseWarning("mask_resampled", text),))


def _require_inside(mask: sitk.Image, ct: sitk.Image) -> None:
    """Refuse a mask of which voxel centers lie outside the CT: resampling would cut them off in silence."""
    kji = np.argwhere(sitk.GetArrayViewFromImage(mask))
    points = kji[:, ::-1] @ _steps(mask).T + np.asarray(mask.GetOrigin())
    voxels = np.linalg.solve(_steps(ct), (points - np.asarray(ct.GetOrigin())).T).T
    beyond = (voxels < -0.5 - EDGE) | (voxels > np.asarray(ct.GetSize()) - 0.5 + EDGE)
    lost = int(beyond.any(axis=1).sum())
    if lost:
        raise GridMismatchError(
            f"{lost} of the mask's {len(kji)} voxels lie outside the CT. Choose the CT that it was drawn on."
        )


def _steps(image: sitk.Image) -> np.ndarray:
    return np.asarray(np.reshape(image.GetDirection(), (3, 3)) * np.asarray(image.GetSpacing()))


def _start_in(ct: sitk.Image, mask: sitk.Image) -> tuple[np.ndarray, float]:
    """CT voxel (i, j, k) nearest to the mask's first voxel, and how far, in mm, corners lie from the voxels thus meant.

    The CT's grid is continued beyond its faces.
    """
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
    return start.astype(int), float(np.linalg.norm(apart_mm, axis=1).max())


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
