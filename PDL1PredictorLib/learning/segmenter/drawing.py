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
THICK_SHARE, THICKEST_MM = 0.3, 5.0


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
    places = line(cube.tumor, cube.spacing_mm, rng) if rng.random() < LINE_SHARE else click(cube.tumor, rng)[None]
    start = np.clip(np.rint(places.mean(axis=0)).astype(int) - VOXELS // 2, 0, WIDE - VOXELS)
    part = tuple(slice(a, a + VOXELS) for a in start)
    hu, tumor, known = cube.hu[part].astype(np.float32), cube.tumor[part], cube.known[part]
    places = places - start
    if moved:
        if cube.whole and hosts and rng.random() < PASTED_SHARE:
            hu = pasted(hu, tumor, hosts[int(rng.integers(len(hosts)))][part], cube.spacing_mm)
        hu = _noisy(_thick(hu, cube.spacing_mm, rng), rng)
        (hu, tumor, known), places = _turned((hu, tumor, known), places, rng)
    return Drawn(channels(hu, places), *(np.ascontiguousarray(a, np.float32) for a in (tumor, known)))


def click(tumor: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A place inside the tumor and within reach of the cube's middle, (3,)."""
    depth = np.zeros(tumor.shape)
    box = ndimage.find_objects(tumor.astype(np.uint8))[0]
    depth[box] = ndimage.distance_transform_edt(np.pad(tumor[box], 1))[1:-1, 1:-1, 1:-1]
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


def _thick(hu: np.ndarray, spacing_mm: float, rng: np.random.Generator) -> np.ndarray:
    """Thicker slices, or not."""
    voxels = rng.uniform(1.0, THICKEST_MM) / spacing_mm
    if rng.random() >= THICK_SHARE or voxels < 1.5:
        return hu
    return np.asarray(ndimage.uniform_filter1d(hu, round(voxels), axis=0, mode="nearest"), np.float32)


def _noisy(hu: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another scanner: scale, shift, noise or a softer kernel."""
    changed = hu * rng.uniform(1 - SCALE, 1 + SCALE) + rng.uniform(-SHIFT_HU, SHIFT_HU)
    if rng.random() < 0.3:
        changed = ndimage.gaussian_filter(changed, rng.uniform(0.3, 0.8))
    changed = changed + rng.standard_normal(hu.shape, np.float32) * np.float32(rng.uniform(0, NOISE_HU))
    return np.asarray(np.where(hu <= OUTSIDE_HU, OUTSIDE_HU, changed), np.float32)


def shown_of(part: Cubes, most: int = 4) -> list[np.ndarray]:
    """Channels of a few cases, to hold an exported network against."""
    return [draw(cube, (), np.random.default_rng(row), moved=False).shown for row, cube in enumerate(part.cases[:most])]
