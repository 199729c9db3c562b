"""How much of a heat map lies where the tumor is."""

from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.imaging.regions import Regions


class Shares(NamedTuple):
    """What tumor and ring hold of a heat map.

    Attributes:
        heat: Share of the heat, 0 to 1; None of a map without any.
        area: Share of the picture.
    """

    heat: float | None
    area: float


def shares_inside(heat: sitk.Image, regions: Regions) -> Shares:
    """Shares inside tumor and ring.

    Args:
        heat: Over the whole slice or volume that the network saw, not negative, from `imaging.patch.place_map` or
            `imaging.volume.place_volume_map`.
        regions: Of the same case: tumor and ring on the working lattice.
    """
    inside = np.zeros(heat.GetSize()[::-1], dtype=bool)
    for region in (regions.tumor, regions.ring):
        placed = sitk.Resample(region, heat, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
        inside |= sitk.GetArrayViewFromImage(placed) > 0
    values = sitk.GetArrayViewFromImage(heat).astype(np.float64)
    total = float(values.sum())
    return Shares(float(values[inside].sum()) / total if total > 0 else None, float(inside.mean()))
