"""One tumor: its shape, its inside, and what it does to the lung around it."""

import math
from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.phantom import draws, exact
from PDL1PredictorLib.phantom.scanner import Lattice
from PDL1PredictorLib.phantom.traits import Traits
from PDL1PredictorLib.phantom.tubes import Tubes, join, paint_tubes

WALL_HU, CORE_HU, LUNG_HU = 50.0, 15.0, -860.0
HALO_MM, HALO_MAX_HU = 4.0, 450.0
STRIPE_PERIOD_MM, STRIPE_HU = 7.0, 45.0
GRAIN_MM = 1.4  # SD of the Gaussian that makes the texture; correlation falls to 1/e at twice that
STRANDS = 220  # drawn for every tumor; spiculation decides how many grow


@dataclass(frozen=True, eq=False)
class Tumor:
    """A tumor whose every random part is drawn, ready to be painted on any lattice.

    Attributes:
        traits: What it is.
        center: (z, y, x), mm.
        radius_mm: Mean radius before the waviness.
        waves: Directions times frequency of the waviness, (n, 3).
        phases: (n,).
        amplitude: Of the waviness, as share of the radius.
        core_share: Radius of the core over the radius of the boundary.
        grain: Texture of SD 1 on a lattice of 1 mm about the center, float32 (m, m, m).
        stripe_phase: Phase at the center, its drift per mm and the phase and size of its sway, (4,).
        strands: Directions (n, 3), and per strand its rank, length share and width share, (n, 6).
    """

    traits: Traits
    center: np.ndarray
    radius_mm: float
    waves: np.ndarray
    phases: np.ndarray
    amplitude: float
    core_share: float
    grain: np.ndarray
    stripe_phase: np.ndarray
    strands: np.ndarray

    @property
    def reach_mm(self) -> float:
        """No part of the tumor or its halo is farther from the center, strands apart."""
        return self.radius_mm * (1 + 2 * self.amplitude) + HALO_MM + 4.0

    def boundary_mm(self, directions: np.ndarray) -> np.ndarray:
        """Distance of the boundary from the center along unit vectors (3, ...), mm."""
        return (self.radius_mm * (1 + self.amplitude * _waviness(directions, self.waves, self.phases))).astype(
            np.float32
        )


def equivalent_diameter_mm(traits: Traits) -> float:
    """Diameter of the ball of the tumor's volume, mm: 16 to 56."""
    return 30.0 * float(exact.exp(0.25 * traits.size))


def draw_tumor(traits: Traits, center: np.ndarray, rng: np.random.Generator) -> Tumor:
    """Draw a tumor's random parts around a center (z, y, x) in mm."""
    waves = _unit(draws.normal(rng, (14, 3))) * draws.uniform(rng, 2.5, 6.5, (14, 1))
    phases = draws.uniform(rng, 0, 2 * np.pi, (14,))
    amplitude = 0.02 + 0.15 * float(exact.expit(1.2 * traits.lobulation))
    sphere = _even_directions(2000).T
    swelling = 1 + amplitude * _waviness(sphere, waves, phases)
    mean_cube = float(np.mean(swelling * swelling * swelling))
    radius = equivalent_diameter_mm(traits) / 2 / float(exact.power(mean_cube, 1 / 3))  # lobulation keeps the volume
    stripe_phase = np.array(
        [
            draws.uniform(rng, 0, 2 * np.pi),
            0.03 * float(draws.normal(rng, 1)[0]),
            draws.uniform(rng, 0, 2 * np.pi),
            draws.uniform(rng, 0, 0.5),
        ]
    )
    strands = np.concatenate([_unit(draws.normal(rng, (STRANDS, 3))), rng.random((STRANDS, 3))], axis=1)
    half = int(np.ceil(radius * (1 + 2 * amplitude))) + 2
    grain = draws.NormalNumbers(rng).draw((2 * half + 1,) * 3)
    for axis in range(3):
        grain = exact.blur(grain, GRAIN_MM, axis, mirrored=True)
    grain /= grain.std()
    core_volume = 0.5 * float(exact.expit(1.3 * traits.necrosis))
    return Tumor(
        traits,
        np.asarray(center, float),
        radius,
        waves,
        phases,
        amplitude,
        float(exact.power(core_volume, 1 / 3)),
        grain,
        stripe_phase,
        strands,
    )


def paint_tumor(volume: np.ndarray, lattice: Lattice, lung: np.ndarray, tumor: Tumor) -> np.ndarray:
    """Paint halo, strands and tumor into a volume.

    Args:
        volume: float32 (k, j, i), contiguous; changed in place.
        lattice: The voxels.
        lung: Share of each voxel that was lung; neither tumor nor halo grows into the chest wall.
        tumor: What to paint.

    Returns:
        The tumor without halo and strands, uint8 (k, j, i).
    """
    where = lattice.near(tumor.center, np.full(3, tumor.reach_mm))
    block = lattice.block(where)
    z, y, x = block.z - tumor.center[0], block.y - tumor.center[1], block.x - tumor.center[2]
    offsets = np.stack(np.meshgrid(z, y, x, indexing="ij")).astype(np.float32)
    distance = np.sqrt((offsets**2).sum(0))
    directions = offsets / np.maximum(distance, np.float32(1e-3))
    boundary = tumor.boundary_mm(directions)
    outside = distance - boundary

    image, allowed = volume[where], lung[where]
    rise = HALO_MAX_HU * float(exact.expit(1.2 * tumor.traits.halo))
    shell = 1 / (1 + exact.exp(np.clip((outside - HALO_MM) / np.float32(0.5), -30, 30)).astype(np.float32))
    image += rise * shell * allowed * np.clip(-image / 860, 0, 1)  # glass over lung, nothing over a vessel
    paint_tubes(volume, lattice, _strands(tumor), LUNG_HU)

    slice_mm, _, pixel_mm = lattice.spacing_kji_mm
    edge = np.float32(pixel_mm) + np.float32(slice_mm - pixel_mm) * np.abs(
        directions[0]
    )  # a thick slice blurs the poles
    cover = np.clip(0.5 - outside / edge, 0, 1) * allowed
    core = np.clip(0.5 - (distance - tumor.core_share * boundary) / 3, 0, 1)
    inside = WALL_HU + (CORE_HU - WALL_HU) * core + _grain_hu(tumor, z, y, x) + _stripes_hu(tumor, z, y, x)
    image += cover * (inside - image)
    mask = np.zeros(volume.shape, np.uint8)
    mask[where] = (outside <= 0) & (allowed >= 0.5)
    return mask


def _grain_hu(tumor: Tumor, z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Isotropic texture: linear interpolation of the grain, axis by axis."""
    sd_hu = 10.0 + 50.0 * float(exact.expit(1.3 * tumor.traits.texture))
    read = tumor.grain
    for dimension, axis in enumerate((z, y, x)):
        read = _read_linear(read, axis + len(tumor.grain) // 2, dimension)
    return np.asarray(np.float32(sd_hu) * read)


def _read_linear(table: np.ndarray, at: np.ndarray, dimension: int) -> np.ndarray:
    """Linear interpolation along one dimension at fractional indices; zero outside."""
    lower = np.clip(np.floor(at).astype(int), 0, table.shape[dimension] - 2)
    shape = [-1 if d == dimension else 1 for d in range(table.ndim)]
    outside = (at < 0) | (at > table.shape[dimension] - 1)
    upper_share = np.where(outside, 0, at - lower).astype(np.float32).reshape(shape)
    lower_share = np.where(outside, 0, 1 - (at - lower)).astype(np.float32).reshape(shape)
    return np.asarray(table.take(lower, dimension) * lower_share + table.take(lower + 1, dimension) * upper_share)


def _stripes_hu(tumor: Tumor, z: np.ndarray, y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Stripes that alternate along x + y (positive trait) or x - y (negative), equal in each slice but for a drift."""
    value = tumor.traits.striation
    start, drift, sway, swing = tumor.stripe_phase
    phase = start + drift * z + swing * exact.sin(z / 15.0 + sway)
    along = (x[None] + np.sign(value) * y[:, None]) / np.sqrt(2.0)
    wave = exact.cos(2 * np.pi / STRIPE_PERIOD_MM * along[None] + phase[:, None, None])
    return np.asarray(STRIPE_HU * abs(value) * wave, np.float32)


def _strands(tumor: Tumor) -> Tubes:
    """Thin strands from the boundary into the lung; more, longer and denser ones with more spiculation."""
    strength = float(exact.expit(1.2 * tumor.traits.spiculation))
    grown = tumor.strands[tumor.strands[:, 3] < strength]
    if len(grown) == 0:  # the thinnest strand shows that there are none
        grown = tumor.strands[np.argmin(tumor.strands[:, 3])][None]
    direction, length_share, width_share = grown[:, :3], grown[:, 4], grown[:, 5]
    root = tumor.boundary_mm(direction.T) - 1.5
    length = (6.0 + 8.0 * length_share) * (0.5 + 0.7 * strength) + 1.5
    radius = (0.7 + 0.3 * width_share) * (0.7 + 0.6 * strength)
    parts = []
    for piece in range(4):  # each strand tapers in four pieces
        start = tumor.center + direction * (root + length * piece / 4)[:, None]
        end = tumor.center + direction * (root + length * (piece + 1) / 4)[:, None]
        parts.append(Tubes(start, end, radius * (1 - 0.15 * piece), np.full(len(grown), -50.0 + 100.0 * strength)))
    return join(parts)


def _waviness(directions: np.ndarray, waves: np.ndarray, phases: np.ndarray) -> np.ndarray:
    """A smooth random function of the direction, about SD 1, between -2 and 2; directions (3, ...)."""
    total = np.zeros(directions.shape[1:], np.float32)
    for (z, y, x), phase in zip(waves.astype(np.float32), phases.astype(np.float32), strict=True):
        total += exact.cos(z * directions[0] + y * directions[1] + x * directions[2] + phase).astype(np.float32)
    return 2 * exact.tanh(total / np.float32(math.sqrt(len(waves) / 2)) / 2).astype(np.float32)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / exact.length(*vectors.T)[:, None])


def _even_directions(count: int) -> np.ndarray:
    """Directions spread evenly over the sphere along a golden spiral, (n, 3)."""
    index = np.arange(count) + 0.5
    height, turn = 1 - 2 * index / count, np.pi * (1 + math.sqrt(5)) * index
    flat = np.sqrt(1 - height**2)
    return np.stack([height, flat * exact.sin(turn), flat * exact.cos(turn)], axis=1)
