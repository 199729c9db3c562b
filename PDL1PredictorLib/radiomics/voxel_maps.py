"""Maps of a few texture features over a tumor, to be looked at beside a heat map: placed, and bounded in time.

Source: paper 004, "Discussion", which shows maps of two of its features beside the class activation map.
"""

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.results import VoxelMap
from PDL1PredictorLib.imaging.regions import Regions
from PDL1PredictorLib.radiomics.maps import feature_map
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.radiomics.table import lookup

MOST_VOXELS = 15_000  # of a map: about 6 s of one core for the slowest class (GLCM); 15 mL at 1 mm


def voxel_maps(
    regions: Regions, settings: FeatureSettings, names: Sequence[str], progress: Progress = SILENT
) -> tuple[VoxelMap, ...]:
    """A map of each feature over the tumor.

    Of a tumor with more than `MOST_VOXELS` voxels those slices are measured that lie nearest its center, whole slices
    up to that number, one at least; gray levels are those of the whole tumor.

    Args:
        regions: Of the case, with the margin that filters need.
        settings: As the features were measured.
        names: Of texture features of the tumor.
        progress: Told on the way.

    Returns:
        Those that have a value somewhere, in the order of the names.

    Raises:
        InputError: A feature cannot be mapped, or the image cannot be measured.
        CancelledError: The user cancelled.
    """
    tumor = sitk.GetArrayViewFromImage(regions.tumor) > 0
    slices = _middle_slices(tumor)
    only = np.zeros_like(tumor)
    only[slices] = tumor[slices]
    found = []
    for number, name in enumerate(names):
        with progress.part("map", number / len(names), (number + 1) / len(names), name) as part:
            image = feature_map(regions.ct, regions.tumor, settings, name, progress=part, only=only)
        values = np.where(only, sitk.GetArrayFromImage(image), np.nan)
        if np.isfinite(values).any():
            told = len(slices), int(tumor.any(axis=(1, 2)).sum())
            found.append(_cropped(values, only, image, name, told))
    return tuple(found)


def _middle_slices(tumor: np.ndarray) -> np.ndarray:
    """Slices nearest the tumor's center, as many as the bound allows, from below to above."""
    areas = tumor.sum(axis=(1, 2))
    occupied = np.flatnonzero(areas)
    center = float(np.average(np.arange(len(areas)), weights=areas))
    order = occupied[np.argsort(np.abs(occupied - center), kind="stable")]
    n = max(1, int((np.cumsum(areas[order]) <= MOST_VOXELS).sum()))
    return np.sort(order[:n])


def _cropped(values: np.ndarray, only: np.ndarray, grid: sitk.Image, name: str, told: tuple[int, int]) -> VoxelMap:
    """The box of the measured voxels; all others hold a number below every value."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    outside = low - max(high - low, 1.0)
    where = np.argwhere(only)
    start, end = where.min(axis=0), where.max(axis=0) + 1
    box = tuple(slice(int(a), int(b)) for a, b in zip(start, end, strict=True))
    image = sitk.GetImageFromArray(np.where(np.isfinite(values), values, outside)[box].astype(np.float32))
    image.SetDirection(grid.GetDirection())
    image.SetSpacing(grid.GetSpacing())
    image.SetOrigin(grid.TransformIndexToPhysicalPoint([int(n) for n in start[::-1]]))
    return VoxelMap(name, lookup(name).unit, image, low, high, outside, *told)
