"""The plain measures of a case that `core.sanity` names."""

import math

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.imaging.lattice import lattice_of
from PDL1PredictorLib.imaging.measures import volume_ml
from PDL1PredictorLib.imaging.regions import Regions

AIR_HU = -900.0  # emptier than lung with little in it
LEAST_NOISE_HU = 0.1  # a picture of one value has a logarithm, too
DENSE, DARK = 90, 10  # percentiles
QUIET = 2  # percentile: where structure is, a voxel differs from its neighbors however little noise there is
_THREE_DIFFERENCES = 6.0**3  # variance of a second difference along three axes, of independent noise of SD 1


def sanity_row(case: Case, regions: Regions) -> np.ndarray:
    """Values of `core.sanity.SANITY_NAMES`, in their order: (m,), all finite.

    Densities are taken on the working lattice, spacings on the CT's own axes. The noise is that of
    single voxels of the lattice, in the quietest places of tumor and ring.

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
            np.percentile(hu[tumor], DENSE),
            hu[ring].mean(),
            hu[ring].std(),
            np.percentile(hu[ring], DARK),
            math.log(volume_ml(regions.tumor)),
            math.log(math.sqrt(math.prod(in_plane))),
            math.log(between),
            np.mean(hu[tumor] < AIR_HU),
            math.log(max(_noise_hu(hu, tumor | ring), LEAST_NOISE_HU)),
        ]
    )


def _noise_hu(hu: np.ndarray, where: np.ndarray) -> float:
    """Noise of single voxels, as SD in cubes of 27 voxels, (k, j, i), in the quietest ones; outside is as the border.

    The second difference along all three axes, one after the other, is next to nothing where structure is, even at
    edges, and in what was interpolated, and keeps what one voxel has and its neighbors have not.
    """
    for axis in range(3):
        hu = ndimage.convolve1d(hu, (1.0, -2.0, 1.0), axis=axis, mode="nearest")
    around = ndimage.uniform_filter(hu**2 / _THREE_DIFFERENCES, 3, mode="nearest")
    return math.sqrt(max(float(np.percentile(around[where], QUIET)), 0.0))


def pixel_aspect(case: Case) -> float:
    """How much longer a pixel of a slice is than wide, 1 or more; a scanner's are square."""
    lattice = lattice_of(case.ct, 1.0)
    _, *in_plane = lattice.native_spacing_mm
    return max(in_plane) / min(in_plane)
