"""How much of a heat map lies where the tumor is."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.results import HeatMap
from PDL1PredictorLib.imaging.regions import Regions


class Shares(NamedTuple):
    """What tumor and ring hold of a heat map.

    Attributes:
        heat: Share of the heat, 0 to 1; None of a map without any.
        area: Share of what the network saw.
    """

    heat: float | None
    area: float


def shares_inside(heat: sitk.Image, regions: Regions, seen: sitk.Image | None = None) -> Shares:
    """Shares inside tumor and ring, both of what the network saw.

    A rectangle about the tumor is filled by it to a third or more; held against the whole slice, any heat in it would
    seem to be aimed.

    Args:
        heat: Over the whole slice or volume that the network saw, not negative, from `imaging.patch.place_map` or
            `imaging.volume.place_volume_map`.
        regions: Of the same case: tumor and ring on the working lattice.
        seen: On the grid of `heat`, not 0 where the network saw the slice; None where it saw all of it.
    """
    inside = np.zeros(heat.GetSize()[::-1], dtype=bool)
    for region in (regions.tumor, regions.ring):
        placed = sitk.Resample(region, heat, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
        inside |= sitk.GetArrayViewFromImage(placed) > 0
    shown = np.ones_like(inside) if seen is None else sitk.GetArrayViewFromImage(seen) > 0
    values = sitk.GetArrayViewFromImage(heat).astype(np.float64)
    total = float(values[shown].sum())
    held = float(values[inside & shown].sum())
    return Shares(held / total if total > 0 else None, float(inside[shown].mean()))


def with_shares(heat_map: HeatMap, regions: Regions) -> HeatMap:
    """A heat map with its shares; see `shares_inside`.

    Args:
        heat_map: As the model gives it.
        regions: Of the same case.
    """
    heat, area = shares_inside(heat_map.image, regions, heat_map.seen)
    return replace(heat_map, heat_share=heat, area_share=area)
