"""Small made-up CTs with a known tumor, for contours from a click."""

from typing import NamedTuple

import numpy as np
import SimpleITK as sitk


class Clicked(NamedTuple):
    """A CT with what is true of it.

    Attributes:
        ct: HU, int16.
        tumor: bool (k, j, i).
        center: Of the tumor, (x, y, z) LPS in mm.
    """

    ct: sitk.Image
    tumor: np.ndarray
    center: tuple[float, float, float]


ORIGIN = (-40.0, -38.0, -200.0)


def made_ct(
    radius_mm: float = 8.0,
    tumor_hu: float = 40.0,
    wall_mm: float | None = None,
    vessel_mm: float = 0.0,
    spacing: tuple[float, float, float] = (1.0, 1.0, 2.0),
) -> Clicked:
    """Lung of -850 HU with a ball in it; a body of 40 HU about the lung and air about the body.

    Args:
        radius_mm: Of the ball.
        tumor_hu: Of the ball.
        wall_mm: Distance of the chest wall's inner face from the ball's middle, to the left; None for far away.
        vessel_mm: Radius of a vessel that runs through the ball along the patient's axis; 0 for none.
        spacing: (x, y, z).
    """
    size = [round(80 / mm) for mm in spacing]
    z, y, x = np.meshgrid(*(np.arange(n) * mm for n, mm in zip(size[::-1], spacing[::-1], strict=True)), indexing="ij")
    middle = (40.0, 38.0, 40.0)
    hu = np.full(x.shape, -850.0)
    edge = middle[0] + (26.0 if wall_mm is None else wall_mm)
    hu[x > edge] = 40.0
    hu[x > edge + 12.0] = -1000.0
    away = np.sqrt((x - middle[0]) ** 2 + (y - middle[1]) ** 2 + (z - middle[2]) ** 2)
    tumor = (away <= radius_mm) & (x <= edge)
    if vessel_mm:
        hu[(x - middle[0]) ** 2 + (y - middle[1]) ** 2 <= vessel_mm**2] = 40.0
    hu[tumor] = tumor_hu
    hu += np.random.default_rng(0).normal(0, 10, hu.shape)
    ct = sitk.GetImageFromArray(np.clip(hu, -1024, 3000).astype(np.int16))
    ct.SetSpacing(spacing)
    ct.SetOrigin(ORIGIN)
    x0, y0, z0 = (o + m for o, m in zip(ORIGIN, middle, strict=True))
    return Clicked(ct, tumor, (x0, y0, z0))
