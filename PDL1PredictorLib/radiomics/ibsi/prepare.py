"""From an image and a mask to intensities on IBSI's grid and two regions: one for shape, one for intensities."""

import math
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import require_same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.imaging.lattice import ROUNDING_SLACK, Kind, weights
from PDL1PredictorLib.radiomics.checks import MANY_GRAY_LEVELS
from PDL1PredictorLib.radiomics.features.gray_levels import GrayLevels, gray_levels
from PDL1PredictorLib.radiomics.ibsi.settings import IbsiSettings


class Prepared(NamedTuple):
    """What features are measured on.

    Attributes:
        image: Intensities, float64 (k, j, i).
        outline: The region whose shape is measured, bool.
        inside: The part of it whose intensities are measured, bool, at least one voxel.
        spacing_mm: (k, j, i).
    """

    image: np.ndarray
    outline: np.ndarray
    inside: np.ndarray
    spacing_mm: tuple[float, float, float]


def prepare(image: sitk.Image, mask: sitk.Image, settings: IbsiSettings) -> Prepared:
    """Interpolate, round, and leave out of the region what the settings leave out.

    Args:
        image: Intensities in HU.
        mask: The region, not 0 inside, on the same grid.
        settings: Grid, range and outliers.

    Raises:
        GridMismatchError: The mask lies on another grid.
        InputError: The image has voxels that are not finite.
        EmptyRegionError: Nothing is left of the region.
    """
    require_same_grid(image, mask)
    intensities = sitk.GetArrayFromImage(image).astype(np.float64)
    if not np.isfinite(intensities).all():
        raise InputError("The image has voxels that are NaN or infinite. Export it again from its source.")
    outline = sitk.GetArrayFromImage(mask) != 0
    i_mm, j_mm, k_mm = image.GetSpacing()
    native_mm = (k_mm, j_mm, i_mm)
    spacing_mm = native_mm
    if settings.spacing_mm is not None:
        k, j, i = (wanted or mm for wanted, mm in zip(settings.spacing_mm, native_mm, strict=True))
        spacing_mm = (k, j, i)
        intensities = np.floor(interpolated(intensities, native_mm, spacing_mm, settings.kind) + 0.5)
        outline = interpolated(outline.astype(np.float64), native_mm, spacing_mm, "linear") >= 0.5 - ROUNDING_SLACK
    inside = _resegmented(intensities, outline, settings)
    if not inside.any():
        raise EmptyRegionError(
            f"No voxel of the region is left with the IBSI settings {settings.name}. Check that the mask belongs to "
            "this image, or choose a wider range_hu."
        )
    return Prepared(intensities, outline, inside, spacing_mm)


def interpolated(
    values: np.ndarray,
    native_mm: tuple[float, float, float],
    spacing_mm: tuple[float, float, float],
    kind: Kind,
) -> np.ndarray:
    """Values on a grid of another spacing with the same center, which reaches over the whole volume, all (k, j, i).

    Source: IBSI reference manual, "Interpolation grid" (align by center).
    """
    for axis, (from_mm, to_mm) in enumerate(zip(native_mm, spacing_mm, strict=True)):
        if from_mm == to_mm:
            continue
        voxels = values.shape[axis]
        points = math.ceil(round(voxels * from_mm / to_mm, 6))
        positions = (np.arange(points) - (points - 1) / 2) * to_mm / from_mm + (voxels - 1) / 2
        matrix = weights(positions, voxels, kind)
        values = np.moveaxis(np.tensordot(matrix, values, axes=(1, axis)), 0, axis)
    return values


def _resegmented(image: np.ndarray, outline: np.ndarray, settings: IbsiSettings) -> np.ndarray:
    """Range and outliers are both judged on the whole outline."""
    inside = outline
    if settings.range_hu is not None:
        low, high = settings.range_hu
        inside = inside & (image >= low) & (image <= high)
    if settings.outlier_sd is not None:
        values = image[outline]
        inside = inside & (np.abs(image - values.mean()) <= settings.outlier_sd * values.std())
    return inside


def discretized(values: np.ndarray, settings: IbsiSettings) -> GrayLevels:
    """Gray levels of the region's intensities.

    Args:
        values: float64.
        settings: Bin width, with the range it starts from, or bin count.

    Raises:
        InputError: One intensity only cannot be cut into a number of bins, or the bins are too many.

    Source: IBSI reference manual, fixed bin size (Q3RU) and fixed bin number (K15C).
    """
    least, greatest = float(values.min()), float(values.max())
    if settings.bin_width is not None and settings.range_hu is not None:
        low = settings.range_hu[0]
        n = math.floor((greatest - low) / settings.bin_width) + 1
        if n > MANY_GRAY_LEVELS:
            raise InputError(f"There are {n} gray levels, more than {MANY_GRAY_LEVELS}. Choose a larger bin_width.")
        return gray_levels(values, low + settings.bin_width * np.arange(n + 1))
    if least == greatest:
        raise InputError(f"All voxels of the region have the intensity {least:g}, so it has no texture.")
    edges = np.linspace(least, greatest, (settings.bin_count or 0) + 1)
    edges[-1] = np.inf  # the greatest intensity belongs to the last level
    return gray_levels(values, edges)
