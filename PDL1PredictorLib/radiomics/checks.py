"""What an engine refuses before it starts, in words that its package would not find."""

import math
from collections.abc import Mapping

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import require_region, require_same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.radiomics.settings import FeatureSettings

MAX_GRAY_LEVELS = 512  # co-occurrence matrices grow with the square, work on them with the cube; a wavelet triples it
MANY_GRAY_LEVELS = 4096  # where only the cells that are not empty are worked on


def require_measurable(
    ct: sitk.Image,
    masks: Mapping[str, sitk.Image],
    settings: FeatureSettings,
    max_gray_levels: int = MAX_GRAY_LEVELS,
) -> None:
    """Refuse images and regions on which the features mean nothing.

    Args:
        ct: Intensities in HU.
        masks: Region name to mask, not 0 inside.
        settings: What will be measured.
        max_gray_levels: How many gray levels the engine can take.

    Raises:
        EmptyRegionError: A region has too few voxels.
        GridMismatchError: A mask lies on another grid.
        InputError: A region's name is not known, a mask holds no labels, a region has one intensity only or too many
            gray levels, or the image is not finite or too small for a filter.
    """
    unknown = [name for name in masks if name not in REGIONS]
    if unknown or not masks:
        raise InputError(f"Expected regions named {' or '.join(REGIONS)}, got {', '.join(unknown) or 'none'}.")
    intensities = sitk.GetArrayViewFromImage(ct)
    bad = int(intensities.size - np.count_nonzero(np.isfinite(intensities)))
    if bad:
        raise InputError(
            f"The resampled CT has {bad} voxels that are NaN or infinite. Export the CT again from its source."
        )
    _require_room(ct, settings)
    for name, mask in masks.items():
        _require_labels(REGIONS[name], mask)
        require_same_grid(ct, mask)
        require_region(mask, REGIONS[name])
        inside = sitk.GetArrayViewFromImage(mask) != 0
        _require_volume(REGIONS[name], inside)
        _require_gray_levels(REGIONS[name], intensities[inside], settings, max_gray_levels)


def _require_labels(what: str, mask: sitk.Image) -> None:
    """Any type of number will do, but a probability or a color says of no voxel whether it belongs to the region."""
    if mask.GetNumberOfComponentsPerPixel() != 1:
        raise InputError(
            f"The mask of the {what} has {mask.GetNumberOfComponentsPerPixel()} values per voxel; one is needed. "
            "Export it as a label map."
        )
    values = sitk.GetArrayViewFromImage(mask)
    if np.issubdtype(values.dtype, np.inexact) and not np.equal(values, np.round(values)).all():
        raise InputError(
            f"The mask of the {what} holds values that are no whole numbers. Cut a probability at 0.5 beforehand, or "
            "export the mask as a label map."
        )


def _require_volume(what: str, inside: np.ndarray) -> None:
    extent = []
    for others in ((1, 2), (0, 2), (0, 1)):
        held = np.flatnonzero(inside.any(axis=others))
        extent.append(int(held[-1] - held[0]) + 1)
    if min(extent) < 2:
        raise EmptyRegionError(
            f"The {what} is {' x '.join(map(str, reversed(extent)))} voxels large; at least 2 along every axis are "
            "needed for three-dimensional features. Outline it on more slices."
        )


def _require_gray_levels(what: str, values: np.ndarray, settings: FeatureSettings, most: int) -> None:
    low, high = float(values.min()), float(values.max())
    if low == high:
        raise InputError(
            f"All voxels of the {what} have the same intensity ({low:g} HU), so it has no texture. "
            "Check that the mask belongs to this CT."
        )
    if settings.bin_width is not None and (high - low) / settings.bin_width > most:
        raise InputError(
            f"The intensities of the {what} run from {low:g} to {high:g} HU: more than {most} gray levels "
            f"of {settings.bin_width:g} HU. Choose a larger bin_width, or bin_count."
        )


def _require_room(ct: sitk.Image, settings: FeatureSettings) -> None:
    for sigma_mm in settings.log_sigma_mm:
        for n_voxels, spacing_mm in zip(ct.GetSize(), ct.GetSpacing(), strict=True):
            needed = max(4, math.ceil(sigma_mm / spacing_mm) + 1)
            if n_voxels < needed:
                raise InputError(
                    f"The image has {' x '.join(map(str, ct.GetSize()))} voxels; the Laplacian of Gaussian of "
                    f"{sigma_mm:g} mm needs at least {needed} along each axis. "
                    "Give a larger part of the CT, or leave that width out."
                )
