"""What the tumor at the click is made of, and how much each voxel is like it."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from PDL1PredictorLib.segmentation.cube import Cube

LUNG_BELOW_HU, USUAL_LUNG_HU = -600.0, -850.0
SEED_MM = 1.5
SOFT_FROM_HU = -150.0  # a tumor that is denser has soft tissue; bone and contrast agent are then told from it
FAT_BELOW_HU = 70.0  # below the tumor: begins to be unlike it, beside the edge to the lung
DENSER_HU = (90.0, 220.0)  # above the tumor: begins to be unlike it; is as unlike as it gets
CALCIFIED_HU = 200.0  # a tumor that is denser is told from the lung alone
SOLID_HU = 60.0  # what is denser than this is not farther from the lung for it
MOST_UNLIKE_DENSER, MOST_UNLIKE_FAT = 0.8, 0.9
LEAST_CONTRAST_HU = 80.0  # between tumor and lung


@dataclass(frozen=True)
class Tissue:
    """The tumor's tissue.

    Attributes:
        hu: Its typical value, in HU.
        lung_hu: Of the lung around.
        edge_hu: The value at its edge to the lung.
    """

    hu: float
    lung_hu: float
    edge_hu: float

    @property
    def is_soft(self) -> bool:
        """Whether it is soft tissue: neither ground glass nor calcified."""
        return SOFT_FROM_HU < self.hu < CALCIFIED_HU

    @property
    def stands_out(self) -> bool:
        """Whether it is denser than the lung."""
        return self.hu - self.lung_hu >= LEAST_CONTRAST_HU


def tissue_at(cube: Cube, place_kji: np.ndarray, snap_mm: float, edge_share: float) -> tuple[Tissue, np.ndarray]:
    """The tissue at a place, and the densest place within reach of it, where a click beside the tumor is put right.

    Args:
        cube: The picture.
        place_kji: Of the click.
        snap_mm: Reach.
        edge_share: Where between lung and tumor the edge lies, 0 to 1.
    """
    reach = int(np.ceil(snap_mm / cube.spacing_mm)) + 2
    first = np.clip(np.rint(place_kji).astype(int) - reach, 0, np.array(cube.hu.shape) - 1)
    near = cube.hu[tuple(slice(a, a + 2 * reach + 1) for a in first)]
    smooth = ndimage.gaussian_filter(near, 1.0 / cube.spacing_mm)
    grid = np.indices(near.shape).reshape(3, -1).T + first
    away_mm = np.linalg.norm(grid - place_kji, axis=1) * cube.spacing_mm
    worth = np.where(away_mm <= snap_mm, smooth.ravel() - 20.0 * away_mm, -np.inf)  # of two alike the nearer one
    seed = grid[int(np.argmax(np.minimum(worth, SOLID_HU - 20.0 * away_mm)))]
    close = np.linalg.norm(grid - seed, axis=1) * cube.spacing_mm <= SEED_MM
    hu = float(np.median(near.ravel()[close]))
    lung = cube.hu[cube.body & (cube.hu < LUNG_BELOW_HU)]
    lung_hu = min(float(np.median(lung)), hu) if len(lung) > 100 else USUAL_LUNG_HU
    return Tissue(hu, lung_hu, lung_hu + edge_share * (min(hu, SOLID_HU) - lung_hu)), seed.astype(float)


def likeness(hu: np.ndarray, tissue: Tissue) -> np.ndarray:
    """How much each value is like the tumor, 0 to 1.

    From the lung's value to the tumor's it rises, one half at the edge. Of soft tissue, fat and what is much denser,
    such as bone and vessels with contrast agent, are less like it.
    """
    width = max((min(tissue.hu, SOLID_HU) - tissue.lung_hu) / 10, 15.0)
    like = 1 / (1 + np.exp(np.clip((tissue.edge_hu - hu) / width, -30, 30)))
    if not tissue.is_soft:
        return np.asarray(like, np.float32)
    denser = np.interp(hu - tissue.hu, DENSER_HU, (0.0, MOST_UNLIKE_DENSER))
    fat = np.interp(tissue.hu - hu, (FAT_BELOW_HU, 2 * FAT_BELOW_HU), (0.0, MOST_UNLIKE_FAT))
    return np.asarray(like * (1 - denser) * (1 - fat), np.float32)


def may_be_tumor(hu: np.ndarray, tissue: Tissue) -> np.ndarray:
    """Denser than the edge to the lung, and not as dense as bone beside soft tissue; bool."""
    dense = hu > tissue.edge_hu
    return np.asarray(dense & (hu < tissue.hu + DENSER_HU[1])) if tissue.is_soft else np.asarray(dense)
