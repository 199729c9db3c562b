"""Volumes for pictures: the CT around the tumor, and masks and maps on the same grid."""

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Case
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.imaging.lattice import Box, lattice_of, sample
from PDL1PredictorLib.imaging.patch import PADDING_HU


def views_volume(
    case: Case, center_lps_mm: tuple[float, float, float], settings: RegionSettings, edge_mm: float = 160.0
) -> sitk.Image:
    """A cube of the lattice around a point, for pictures; linear interpolation, float32 HU, -1024 outside the CT.

    The cube has an odd number of voxels per edge: its middle voxel is the one nearest the point.
    """
    lattice = lattice_of(case.ct, settings.spacing_mm)
    k, j, i = (round(float(x)) for x in lattice.position_kji(center_lps_mm))
    box = Box((k, j, i), (k + 1, j + 1, i + 1)).grown(round(edge_mm / settings.spacing_mm / 2))
    return lattice.image(sample(case.ct, lattice, box, "linear", PADDING_HU).astype(np.float32), box)


def onto(reference: sitk.Image, image: sitk.Image) -> sitk.Image:
    """A mask of a region or a placed map on the grid of a picture volume; 0 where it has no value.

    Masks (whole numbers) go to the nearest voxel, maps (floating point) are interpolated linearly.
    """
    is_map = image.GetPixelID() in (sitk.sitkFloat32, sitk.sitkFloat64)
    kind = sitk.sitkLinear if is_map else sitk.sitkNearestNeighbor
    return sitk.Resample(image, reference, sitk.Transform(), kind, 0.0, image.GetPixelID())
