"""What the network sees of a case in one step: a cube about a click inside the tumor, moved, pasted, noisy."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from PDL1PredictorLib.learning.segmenter.cubes import OUTSIDE_HU, WIDE, Cubes, WideCube
from PDL1PredictorLib.segmentation.shown import VOXELS, channels

PASTED_SHARE = 0.4
LINE_SHARE = 0.3
HALO_MM, BLEND_MM = 1.5, 4.0  # of a pasted tumor: taken along as it is; over which its surroundings give way
EDGE_SHARE = 0.25  # clicks lie at least this share of the greatest depth inside
SHIFT_HU, SCALE, NOISE_HU = 30.0, 0.05, 25.0
LINE_ERROR_MM = 1.5


@dataclass(frozen=True, eq=False)
class Drawn:
    """One example.

    Attributes:
        shown: Channels, float32 (4, k, j, i).
        tumor: float32 0 or 1, (k, j, i).
        known: float32 0 or 1: what counts in the loss.
    """

    shown: np.ndarray
    tumor: np.ndarray
    known: np.ndarray


def draw(cube: WideCube, hosts: Sequence[np.ndarray], rng: np.random.Generator, moved: bool = True) -> Drawn:
    """An example of a case.

    Args:
        cube: The case.
        hosts: Places to paste into, of the same spacing; may be none.
        rng: For everything.
        moved: Whether it is augmented; without, only the click is drawn, and no tumor is pasted.
    """
    hu, known = cube.hu.astype(np.float32), cube.known
    if moved and cube.whole and hosts and rng.random() < PASTED_SHARE:
        hu = pasted(hu, cube.tumor, hosts[int(rng.integers(len(hosts)))], cube.spacing_mm)
    places = line(cube.tumor, cube.spacing_mm, rng) if rng.random() < LINE_SHARE else click(cube.tumor, rng)[None]
    start = np.clip(np.rint(places.mean(axis=0)).astype(int) - VOXELS // 2, 0, WIDE - VOXELS)
    part = tuple(slice(a, a + VOXELS) for a in start)
    arrays: tuple[np.ndarray, ...] = (hu[part], cube.tumor[part], known[part])
    places = places - start
    if moved:
        arrays, places = _turned(arrays, places, rng)
        arrays = (_noisy(arrays[0], rng), *arrays[1:])
    return Drawn(channels(arrays[0], places), *(np.ascontiguousarray(a, np.float32) for a in arrays[1:]))


def click(tumor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A place inside the tumor and within reach of the cube's middle, (3,)."""
    depth = ndimage.distance_transform_edt(tumor)
    reach = slice((WIDE - VOXELS) // 2, (WIDE + VOXELS) // 2)
    near = np.zeros(tumor.shape)
    near[reach, reach, reach] = depth[reach, reach, reach]
    near = near if near.any() else depth
    inner = np.argwhere(near >= EDGE_SHARE * near.max())
    return np.asarray(inner[rng.integers(len(inner))], float) + rng.uniform(-0.5, 0.5, 3)


def line(tumor: np.ndarray, spacing_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Both ends of the longest diameter of the axial slice with the most tumor, not quite exact, (2, 3)."""
    k = int(tumor.sum((1, 2)).argmax())
    edge = np.argwhere(tumor[k] & ~ndimage.binary_erosion(tumor[k]))
    apart = np.linalg.norm(edge[:, None] - edge[None], axis=-1)
    ends = np.unravel_index(int(apart.argmax()), apart.shape)
    places = np.array([[k, *edge[end]] for end in ends], float)
    error = np.clip(rng.normal(0, 1, (2, 3)), -2, 2) * [[0.0, 1.0, 1.0]] * LINE_ERROR_MM / spacing_mm / 2
    return np.asarray(places + error)


def pasted(hu: np.ndarray, tumor: np.ndarray, host: np.ndarray, spacing_mm: float) -> np.ndarray:
    """A tumor within another lung: itself and a halo as they are, then its surroundings give way to the host's."""
    away_mm = ndimage.distance_transform_edt(~tumor, sampling=spacing_mm)
    own = np.clip(1 - (away_mm - HALO_MM) / BLEND_MM, 0, 1).astype(np.float32)
    return np.asarray(own * hu + (1 - own) * host.astype(np.float32))


def _turned(
    arrays: tuple[np.ndarray, ...], places: np.ndarray, rng: np.random.Generator
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """Mirrored along any axis, and the axial plane turned by a quarter, or not."""
    if rng.random() < 0.5:
        arrays, places = tuple(a.swapaxes(1, 2) for a in arrays), places[:, [0, 2, 1]]
    flips = tuple(axis for axis in range(3) if rng.random() < 0.5)
    arrays = tuple(np.flip(a, flips) for a in arrays)
    turned = places.copy()
    turned[:, list(flips)] = VOXELS - 1 - places[:, list(flips)]
    return arrays, turned


def _noisy(hu: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another scanner: scale, shift, noise or a softer kernel."""
    changed = hu * rng.uniform(1 - SCALE, 1 + SCALE) + rng.uniform(-SHIFT_HU, SHIFT_HU)
    if rng.random() < 0.3:
        changed = ndimage.gaussian_filter(changed, rng.uniform(0.3, 0.8))
    changed = changed + rng.normal(0, rng.uniform(0, NOISE_HU), hu.shape)
    return np.asarray(np.where(hu <= OUTSIDE_HU, OUTSIDE_HU, changed), np.float32)


def shown_of(part: Cubes, most: int = 4) -> list[np.ndarray]:
    """Channels of a few cases, to hold an exported network against."""
    return [draw(cube, (), np.random.default_rng(row), moved=False).shown for row, cube in enumerate(part.cases[:most])]
