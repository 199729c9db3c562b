"""Size, intensity and position of a region."""

from collections.abc import Sequence

import numpy as np
import SimpleITK as sitk
from scipy.spatial.distance import pdist

from PDL1PredictorLib.core.case import require_region, require_same_grid
from PDL1PredictorLib.core.results import RegionMeasures


def measure(ct: sitk.Image, region: sitk.Image) -> RegionMeasures:
    """Measure a region on its CT; axial slices are those along k, as on the working lattice.

    Raises:
        GridMismatchError: The two lie on different grids.
        EmptyRegionError: The region has no voxel.
    """
    require_same_grid(ct, region)
    require_region(region, "region", minimum=1)
    mask = sitk.GetArrayViewFromImage(region) > 0
    values = sitk.GetArrayViewFromImage(ct)[mask].astype(np.float64)
    return RegionMeasures(
        voxels=len(values),
        volume_ml=volume_ml(region),
        longest_axial_diameter_mm=longest_axial_diameter_mm(region),
        mean_hu=float(values.mean()),
        sd_hu=float(values.std()),
    )


def volume_ml(mask: sitk.Image) -> float:
    """Volume of a mask, in mL."""
    return float(np.count_nonzero(sitk.GetArrayViewFromImage(mask)) * np.prod(mask.GetSpacing()) / 1000)


def range_ml(own_ml: float, moved_ml: Sequence[float]) -> tuple[float, float]:
    """Least and greatest volume of a tumor whose contour was moved inwards and outwards.

    Args:
        own_ml: As outlined.
        moved_ml: Of the moved contours; where one is missing, it had left too little of the tumor: the least is 0.
    """
    least = min(own_ml, *moved_ml) if len(moved_ml) > 1 else 0.0
    return least, max([own_ml, *moved_ml])


def centroid_lps_mm(mask: sitk.Image) -> tuple[float, float, float]:
    """Mean position of a mask's voxel centers in patient coordinates (L, P, S), in mm.

    Raises:
        EmptyRegionError: The mask has no voxel.
    """
    require_region(mask, "mask", minimum=1)
    voxels = np.nonzero(sitk.GetArrayViewFromImage(mask))
    x, y, z = mask.TransformContinuousIndexToPhysicalPoint([float(axis.mean()) for axis in voxels[::-1]])
    return x, y, z


def longest_axial_diameter_mm(region: sitk.Image) -> float:
    """Greatest distance between two voxel centers in one slice along k, plus one voxel, in mm."""
    mask = sitk.GetArrayViewFromImage(region) > 0
    spacing_ji_mm = (region.GetSpacing()[1], region.GetSpacing()[0])
    longest = 0.0
    for plane in mask:
        rows = np.flatnonzero(plane.any(axis=1))
        if len(rows) == 0:
            continue
        first = plane[rows].argmax(axis=1)
        last = plane.shape[1] - 1 - plane[rows, ::-1].argmax(axis=1)
        # the farthest pair are corners of the convex hull, and every corner is an end of its row
        ends = np.column_stack([np.tile(rows, 2), np.concatenate([first, last])]) * np.asarray(spacing_ji_mm)
        longest = max(longest, float(pdist(ends).max()))
    return float(longest + max(spacing_ji_mm))
