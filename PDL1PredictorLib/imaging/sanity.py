"""The plain measures of a case that `core.sanity` names."""

import math

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.imaging.lattice import lattice_of
from PDL1PredictorLib.imaging.regions import Regions

AIR_HU = -900.0  # emptier than lung with little in it
LEAST_NOISE_HU = 0.1  # a picture of one value has a logarithm, too
TO_SD = 1.4826  # median absolute deviation to standard deviation, of normal noise
_SIX_NEIGHBORS = math.sqrt(7 / 6)  # SD of a voxel less the mean of its six neighbors, of independent noise of SD 1


def sanity_row(case: Case, regions: Regions) -> np.ndarray:
    """Values of `core.sanity.SANITY_NAMES`, in their order: (9,), all finite.

    Densities are taken on the working lattice, spacings on the CT's own axes. The noise is what the voxels of the tumor
    differ by from their neighbors on the lattice: a median, so that edges count little.

    Args:
        case: CT and tumor on their native grid.
        regions: From `make_regions` of the same case.
    """
    hu = sitk.GetArrayViewFromImage(regions.ct).astype(np.float64)
    tumor, ring = (sitk.GetArrayViewFromImage(region) > 0 for region in (regions.tumor, regions.ring))
    lattice = lattice_of(case.ct, regions.ct.GetSpacing()[0])
    between, *in_plane = lattice.native_spacing_mm
    return np.array(
        [
            hu[tumor].mean(),
            hu[tumor].std(),
            hu[ring].mean(),
            hu[ring].std(),
            math.log(np.count_nonzero(tumor) * math.prod(regions.ct.GetSpacing()) / 1000),
            math.log(math.sqrt(math.prod(in_plane))),
            math.log(between),
            np.mean(hu[tumor] < AIR_HU),
            math.log(max(_noise_hu(hu, tumor), LEAST_NOISE_HU)),
        ]
    )


def _noise_hu(hu: np.ndarray, tumor: np.ndarray) -> float:
    """SD that independent noise would have, (k, j, i) and where; outer voxels are their own neighbors outside."""
    padded = np.pad(hu, 1, mode="edge")
    middle = (slice(1, -1),) * 3
    near = [np.roll(padded, step, axis)[middle] for axis in range(3) for step in (-1, 1)]
    difference = (hu - np.mean(near, axis=0))[tumor]
    return float(np.median(np.abs(difference - np.median(difference)))) * TO_SD / _SIX_NEIGHBORS
