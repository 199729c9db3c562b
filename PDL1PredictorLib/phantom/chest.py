"""The shape of a chest: where its walls, its lungs and its bones run at each level.

The frame is the body's own: x to the left, y to the back, z to the head, in mm; (0, 0, 0) is the middle of the chest.
Walls around the body's axis are polar tables: a radius for each of `ANGLES`.
"""

import math
from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.phantom import draws, exact

BINS = 1440  # of the polar tables: a quarter of a degree, less than a pixel at the skin
ANGLES = (np.arange(BINS) + 0.5) / BINS * 2 * np.pi - np.pi  # 0 to the back, positive to the left
SIDE = np.abs(ANGLES)  # from the spine (0) to the sternum (pi), either side
_BODY, _CAGE = 2.35, 2.25  # exponents of the superellipses; 2 is an ellipse
_SINE, _COSINE = np.abs(exact.sin(ANGLES)), np.abs(exact.cos(ANGLES))
_POWERS = {power: (exact.power(_SINE, power), exact.power(_COSINE, power)) for power in (_BODY, _CAGE)}


@dataclass(frozen=True, eq=False)
class Chest:
    """One patient's anatomy.

    Attributes:
        half_width: Of the body, in mm.
        half_depth: Of the body, in mm.
        fat_mm: Thickness of the fat under the skin.
        outline: Phases of the body's small unevenness, (4,).
        rib_phase_mm: Height of the ribs.
        rib_pitch_mm: Distance between ribs at the back.
        heart: Scale of the heart, about 1.
        dome_mm: Height of the diaphragm, (right, left).
        vessel_hu: Density of blood with contrast.
        lung_hu: Density of the lung at mid-depth.
        lung_field: Coarse unevenness of the lung, HU, (24, 22, 26) on a grid of 18 mm.
    """

    half_width: float
    half_depth: float
    fat_mm: float
    outline: np.ndarray
    rib_phase_mm: float
    rib_pitch_mm: float
    heart: float
    dome_mm: tuple[float, float]
    vessel_hu: float
    lung_hu: float
    lung_field: np.ndarray


@dataclass(frozen=True, eq=False)
class Walls:
    """Radii from the body's axis at one level, in mm, each (BINS,).

    Attributes:
        skin: Outside of the body.
        muscle: Outside of the muscles, where the fat begins.
        pleura: Inside of the chest wall.
        rib_offset: Height above the nearest rib's axis.
        bone: 1 where ribs are bone, 0 where they are cartilage or absent.
        rib: 1 where there are ribs at all.
    """

    skin: np.ndarray
    muscle: np.ndarray
    pleura: np.ndarray
    rib_offset: np.ndarray
    bone: np.ndarray
    rib: np.ndarray


def draw_chest(rng: np.random.Generator, field_of_view_mm: float) -> Chest:
    """Draw the anatomy of a patient who fits the field of view."""
    half_width = min(field_of_view_mm / 2 * draws.uniform(rng, 0.88, 0.95), draws.uniform(rng, 168.0, 190.0))
    dome = draws.uniform(rng, -92.0, -72.0)
    return Chest(
        half_width=float(half_width),
        half_depth=float(half_width * draws.uniform(rng, 0.66, 0.73)),
        fat_mm=float(draws.uniform(rng, 7.0, 20.0)),
        outline=draws.uniform(rng, 0, 2 * np.pi, (4,)),
        rib_phase_mm=float(draws.uniform(rng, 0, 24)),
        rib_pitch_mm=float(draws.uniform(rng, 22.5, 26.0)),
        heart=float(draws.uniform(rng, 0.9, 1.08)),
        dome_mm=(float(dome), float(dome - draws.uniform(rng, 5.0, 15.0))),
        vessel_hu=float(draws.uniform(rng, 130.0, 200.0)),
        lung_hu=float(draws.uniform(rng, -865.0, -835.0)),
        lung_field=draws.normal(rng, (24, 22, 26)).astype(np.float32) * 14,
    )


def walls(chest: Chest, z_mm: float) -> Walls:
    """The chest wall at one level."""
    uneven = _unevenness(chest, z_mm)
    skin = _superellipse(chest.half_width, chest.half_depth, _BODY) + 3.0 * uneven
    skin = skin + _FURROWS
    pleura = pleura_mm(chest, z_mm)
    upper = float(_smooth((z_mm + 30.0) / 60.0))  # the muscles of the shoulder girdle
    thickness = _MUSCLE + upper * _SHOULDER
    thickness = thickness + np.maximum(0, 0.75 * (skin - pleura - thickness) - chest.fat_mm)
    muscle = np.minimum(pleura + thickness, skin - 4.0)
    height = z_mm - chest.rib_phase_mm + _RIB_FALL
    offset = (height + chest.rib_pitch_mm / 2) % chest.rib_pitch_mm - chest.rib_pitch_mm / 2
    return Walls(*(table.astype(np.float32) for table in (skin, muscle, pleura, offset, _BONE, _RIB)))


def pleura_mm(chest: Chest, z_mm: float) -> np.ndarray:
    """Radius of the inside of the chest wall at one level, (BINS,), mm."""
    inner = min(chest.half_width - chest.fat_mm - 24.0, 148.0)
    depth = min(chest.half_depth - 0.6 * chest.fat_mm - 24.0, 104.0)
    above = min(max((z_mm - 20.0) / 125.0, 0.0), 0.97)
    narrow = math.sqrt(1.0 - float(exact.power(above, 2.2)))  # to the apex
    cage = _superellipse(inner * narrow, depth * (0.35 + 0.65 * narrow), _CAGE)
    return np.asarray(cage + 1.5 * _unevenness(chest, z_mm))


def lung_cover(
    chest: Chest,
    x: np.ndarray,
    y: np.ndarray,
    z_mm: float,
    radius: np.ndarray,
    bins: np.ndarray,
    pleura: np.ndarray,
    edge_mm: float,
) -> np.ndarray:
    """Share of each pixel that lies in a lung, 0 to 1.

    Args:
        chest: The anatomy.
        x: (ni,), mm.
        y: (nj,), mm.
        z_mm: Level.
        radius: Distance of each pixel from the axis, (nj, ni).
        bins: Index of each pixel into the polar tables, (nj, ni).
        pleura: Radius of the pleura, (BINS,).
        edge_mm: Width over which the share falls from 1 to 0.

    Returns:
        float32 (nj, ni).
    """
    cover = ramp(radius - pleura[bins], edge_mm)
    left, right = mediastinum_edges(chest, y, z_mm)
    beside = np.maximum(x[None] - left[:, None], right[:, None] - x[None])  # positive outside the mediastinum
    cover *= ramp(-beside, edge_mm)
    lowest = min(chest.dome_mm) - 75.0
    if z_mm < max(chest.dome_mm) + 2 * edge_mm and z_mm > lowest:
        cover *= ramp(dome_height(chest, x, y) - z_mm, 3.0)
    return cover


def mediastinum_edges(chest: Chest, y: np.ndarray, z_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Where the mediastinum ends at each y: x of its left and of its right boundary, each (nj,), mm."""
    below = (z_mm + 50.0) / 60.0
    low = math.sqrt(max(0.0, 1.0 - below * below))
    heart = chest.heart * low
    front = 1.0 - (0.8 - 0.5 * heart) * _smooth((-38.0 - y) / 30.0)
    spine = 0.35 * np.maximum(0.0, y - 62.0) + 6.0 * _smooth((y - 34.0) / 10.0)
    hilum = _bump(z_mm, 4.0, 22.0)
    arch = _bump(z_mm, 50.0, 15.0)
    trunk = _bump(z_mm, 16.0, 16.0)
    aorta = _smooth((52.0 - z_mm) / 12.0)
    apex = 30.0 * _smooth((z_mm - 75.0) / 45.0) * _bump(y, -8.0, 30.0)  # the vessels of the arms and the neck
    left = (
        front * (20.0 + 4.0 * _bump(y, -10.0, 40.0))
        + heart * 56.0 * _bump(y, -22.0, 38.0)
        + 17.0 * arch * _bump(y, 12.0, 26.0)
        + trunk * 15.0 * _bump(y, -24.0, 22.0)
        + hilum * 13.0 * _bump(y, 6.0, 15.0)
        + aorta * 13.0 * _bump(y, 38.0, 14.0)
        + apex
        + spine
    )
    right = (
        front * (20.0 + 9.0 * _bump(y, -15.0, 32.0))
        + heart * 22.0 * _bump(y, -16.0, 34.0)
        + hilum * 13.0 * _bump(y, 5.0, 16.0)
        + apex
        + spine
    )
    return left, -right


def dome_height(chest: Chest, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Height of the diaphragm over each pixel, (nj, ni), mm."""
    right_dome, left_dome = chest.dome_mm
    right = right_dome - 62.0 * ((((x + 62.0) / 82.0) ** 2)[None] + (((y + 6.0) / 92.0) ** 2)[:, None])
    left = left_dome - 62.0 * ((((x - 68.0) / 78.0) ** 2)[None] + (((y + 2.0) / 92.0) ** 2)[:, None])
    return np.maximum(right, left).astype(np.float32)


def polar(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Radius (float32) and index into the polar tables (int32) of each pixel, each (nj, ni)."""
    across, back = np.broadcast_arrays(x[None].astype(np.float32), y[:, None].astype(np.float32))
    turn = (exact.angle(across, back).astype(np.float32) + np.float32(np.pi)) * np.float32(BINS / (2 * np.pi))
    return exact.length(across, back).astype(np.float32), np.minimum(turn.astype(np.int32), BINS - 1)


def ramp(distance_mm: np.ndarray, edge_mm: float) -> np.ndarray:
    """Share of a pixel inside a boundary at that signed distance (negative inside), float32, 0 to 1."""
    share = distance_mm.astype(np.float32)
    share *= np.float32(-1 / edge_mm)
    share += np.float32(0.5)
    return np.clip(share, 0, 1, out=share)


def _unevenness(chest: Chest, z_mm: float) -> np.ndarray:
    waves = np.arange(2, 2 + len(chest.outline))[:, None]
    turn = waves * ANGLES + chest.outline[:, None] + 0.004 * (waves - 1) * z_mm
    return np.asarray((exact.cos(turn) / waves).sum(0))


def _superellipse(a: float, b: float, power: float) -> np.ndarray:
    sine, cosine = _POWERS[power]
    return exact.power(sine / exact.power(a, power) + cosine / exact.power(b, power), -1 / power)


def _bump(value: np.ndarray | float, center: float, width: float) -> np.ndarray:
    return exact.exp(-np.square((value - center) / width))


def _smooth(value: np.ndarray | float) -> np.ndarray:
    inside = np.clip(value, 0.0, 1.0)
    return np.asarray(inside * inside * (3.0 - 2.0 * inside))


_FURROWS = -5.0 * _bump(SIDE, 0.0, 0.13) - 3.0 * _bump(SIDE, np.pi, 0.2)  # over the spine and the sternum
_MUSCLE = 15.0 + 6.0 * _bump(SIDE, 1.4, 0.4)
_SHOULDER = 13.0 * _bump(SIDE, 0.85, 0.45) + 9.0 * _bump(SIDE, 2.3, 0.4)  # behind the scapula, in front of the ribs
_RIB_FALL = (
    40.0 * exact.power(exact.sin(np.clip(SIDE, 0, 2.2) * 0.65), 1.2)
    - 26.0 * _smooth((SIDE - 2.15) / 0.8)
    + 2.5 * np.sign(ANGLES)
)
_RIB = _smooth((SIDE - 0.2) / 0.08) * _smooth((2.98 - SIDE) / 0.06)
_BONE = _smooth((2.35 - SIDE) / 0.08)
