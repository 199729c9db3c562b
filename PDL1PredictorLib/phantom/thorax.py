"""Paints one axial slice of a chest, from the outside in: table, fat, muscle, mediastinum, lungs, bones."""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.phantom import exact
from PDL1PredictorLib.phantom.chest import SIDE, Chest, dome_height, lung_cover, polar, ramp, walls
from PDL1PredictorLib.phantom.scanner import Lattice

AIR_HU, FAT_HU, MUSCLE_HU = -1000.0, -105.0, 52.0
CORTEX_HU, MARROW_HU, CARTILAGE_HU, DISC_HU = 620.0, 190.0, 115.0, 85.0
FIELD_STEP_MM = 18.0  # of the coarse unevenness of the lung
VERTEBRA_MM = 24.5  # from one disc to the next

# center x, y, z and half axes along x, y, z in mm, turn in the axial plane in degrees, HU (None: blood)
ORGANS: tuple[tuple[float, float, float, float, float, float, float, float | None], ...] = (
    (20, -26, -50, 54, 41, 56, 18, 88.0),  # heart muscle
    (44, -18, -56, 23, 17, 34, 18, None),  # left ventricle
    (16, -50, -52, 33, 12, 36, 12, None),  # right ventricle
    (-21, -27, -44, 17, 22, 30, 0, None),  # right atrium
    (5, 6, -22, 30, 14, 17, 0, None),  # left atrium
    (0, 22, 0, 8, 5, 200, 0, 42.0),  # esophagus
)
# below the diaphragm: center x, y, half axes, HU
ABDOMEN: tuple[tuple[float, float, float, float, float], ...] = (
    (80, 0, 75, 130, FAT_HU),
    (88, 42, 34, 40, 118.0),  # spleen
    (62, -30, 40, 36, 32.0),  # stomach
    (60, -44, 26, 14, AIR_HU),  # its bubble
)


class Spline(NamedTuple):
    """Where a coarse table is read: first of four knots (n,), and their weights (n, 4)."""

    first: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True, eq=False)
class Sheet:
    """What every slice of a lattice shares.

    Attributes:
        lattice: The voxels.
        radius: Distance from the body's axis, (nj, ni), mm.
        bins: Index into the polar tables, (nj, ni).
        field_x: Where the coarse lung field is read along x.
        field_y: Along y.
        empty: The picture without a patient: air and the table, float32 (nj, ni).
    """

    lattice: Lattice
    radius: np.ndarray
    bins: np.ndarray
    field_x: Spline
    field_y: Spline
    empty: np.ndarray


def make_sheet(chest: Chest, lattice: Lattice) -> Sheet:
    """Prepare the painting of a lattice's slices."""
    radius, bins = polar(lattice.x, lattice.y)
    _, rows, columns = chest.lung_field.shape
    field_x, field_y = _spline(lattice.x, columns), _spline(lattice.y, rows)
    return Sheet(lattice, radius, bins, field_x, field_y, _empty_table(lattice.x, lattice.y, chest))


def paint_slice(image: np.ndarray, sheet: Sheet, chest: Chest, z_mm: float) -> np.ndarray:
    """Paint one slice, all but vessels, airways and tumor.

    Args:
        image: Receives the HU, float32 (nj, ni).
        sheet: The lattice.
        chest: The anatomy.
        z_mm: Level.

    Returns:
        Share of each pixel that lies in a lung, float32 (nj, ni), 0 to 1.
    """
    wall = walls(chest, z_mm)
    x, y = sheet.lattice.x, sheet.lattice.y
    edge = float(sheet.lattice.spacing_kji_mm[1])
    skin, pleura = wall.skin[sheet.bins], wall.pleura[sheet.bins]
    field = _field(sheet, chest, z_mm)

    image[:] = sheet.empty
    outside = sheet.radius - skin
    _blend(image, ramp(outside, edge), 25.0)
    _blend(image, ramp(outside + 2.2, edge), FAT_HU + 0.3 * field)
    muscle = ramp(sheet.radius - wall.muscle[sheet.bins], 2.0)
    plane = sheet.radius - (wall.pleura + 0.58 * (wall.muscle - wall.pleura))[sheet.bins]  # fat between two muscles
    muscle *= 1.0 - 0.75 * exact.exp(-((plane / 1.6) ** 2)).astype(np.float32)
    _blend(image, muscle, MUSCLE_HU + 0.5 * field)
    _blend(image, ramp(sheet.radius - pleura - 0.5, edge), FAT_HU + 8.0 + 0.6 * field)
    _paint_organs(image, x, y, z_mm, chest, edge)
    if z_mm < max(chest.dome_mm) + 4.0:
        inside = ramp(sheet.radius - pleura, edge)
        _paint_abdomen(image, x, y, inside * ramp(z_mm - dome_height(chest, x, y), 3.0), edge)
    lung = lung_cover(chest, x, y, z_mm, sheet.radius, sheet.bins, wall.pleura, edge)
    _blend(image, lung, _lung_hu(chest, field, y, z_mm))
    _paint_spine(image, x, y, z_mm, chest, edge)
    _paint_ribs(image, sheet, wall.pleura, wall.rib_offset, wall.rib, wall.bone, edge)
    _paint_sternum_and_scapulae(image, sheet, wall.pleura, z_mm, edge)
    return lung


def fissure_height(chest: Chest, y: np.ndarray) -> np.ndarray:
    """Height of the oblique fissure at each y, mm: from the upper back to the lower front."""
    return np.asarray(38.0 + 0.95 * y + 10.0 * exact.sin(y / 35.0 + chest.outline[0]))


def _lung_hu(chest: Chest, field: np.ndarray, y: np.ndarray, z_mm: float) -> np.ndarray:
    gravity = (0.42 * y).astype(np.float32)[:, None]  # denser at the back: the patient lies on it
    distance = (z_mm - fissure_height(chest, y)) * 0.7
    fissure = (75.0 * exact.exp(-((distance / 1.3) ** 2))).astype(np.float32)[:, None]
    return np.asarray(np.float32(chest.lung_hu) + gravity + fissure + field)


def _empty_table(x: np.ndarray, y: np.ndarray, chest: Chest) -> np.ndarray:
    depth = y[:, None] - (chest.half_depth + 4.0 - (x**2 / 1300.0)[None])  # below the couch's upper face
    shell = np.maximum(np.abs(depth - 1.5) - 1.5, np.abs(x)[None] - 205.0)
    foam = np.maximum(np.abs(depth - 20.0) - 17.0, np.abs(x)[None] - 203.0)
    image = np.full((len(y), len(x)), AIR_HU, np.float32)
    _blend(image, ramp(foam, 1.0), -930.0)
    _blend(image, ramp(shell, 1.0), -250.0)
    return image


def _paint_organs(image: np.ndarray, x: np.ndarray, y: np.ndarray, z_mm: float, chest: Chest, edge: float) -> None:
    for cx, cy, cz, ax, ay, az, turn, hu in ORGANS:
        size = chest.heart if az < 100 else 1.0
        above = (z_mm - cz) / (az * size)
        level = 1.0 - above * above
        if level > 0.0:
            at_level = size * math.sqrt(level)
            density = chest.vessel_hu * 0.95 if hu is None else hu
            _ellipse(image, x, y, (cx, cy), (ax * at_level, ay * at_level), density, 3 * edge, turn)


def _paint_abdomen(image: np.ndarray, x: np.ndarray, y: np.ndarray, below: np.ndarray, edge: float) -> None:
    organs = np.full_like(image, 108.0)  # liver, wherever nothing else is
    for cx, cy, ax, ay, hu in ABDOMEN:
        _ellipse(organs, x, y, (cx, cy), (ax, ay), hu, 2 * edge)
    _blend(image, below, organs)


def _paint_spine(image: np.ndarray, x: np.ndarray, y: np.ndarray, z_mm: float, chest: Chest, edge: float) -> None:
    back = min(max(chest.half_depth - 72.0, 40.0), 60.0)
    level = (z_mm - chest.rib_phase_mm + VERTEBRA_MM / 2) % VERTEBRA_MM - VERTEBRA_MM / 2  # 0 at mid-vertebra
    near_disc = abs(level) - (VERTEBRA_MM / 2 - 2.8)  # positive in the disc
    disc = min(max(0.5 + near_disc, 0.0), 1.0)
    plate = min(max(1.6 + near_disc, 0.0), 1.0) * (1 - disc)  # bony plate beside the disc
    for side in (-1, 1):
        muscle = (side * 25.0, back + 40.0)
        _ellipse(image, x, y, muscle, (22.0, 17.0), FAT_HU, 2 * edge, side * 10.0)
        _ellipse(image, x, y, muscle, (20.5, 15.5), MUSCLE_HU, 2 * edge, side * 10.0)
        _ellipse(image, x, y, (side * 7.0, muscle[1] - 2.0), (6.0, 13.0), MUSCLE_HU, 2 * edge)
    _ellipse(image, x, y, (0.0, back + 4.0), (24.0, 20.0), 20.0, 4.0)  # soft tissue around the bones
    waist = 1.0 - 0.1 * float(exact.cos(np.pi * level / VERTEBRA_MM * 2))
    _ellipse(image, x, y, (0.0, back), (18.5 * waist, 15.0 * waist), CORTEX_HU + disc * (DISC_HU - CORTEX_HU), edge)
    marrow = MARROW_HU + plate * 260.0 + disc * (DISC_HU - MARROW_HU)
    _ellipse(image, x, y, (0.0, back), (17.0 * waist, 13.5 * waist), marrow, edge)
    if abs(level) < 8.0:
        for side in (-1, 1):
            _bone(image, x, y, (side * 12.0, back + 17.0), (4.5, 8.0), edge)
            _bone(image, x, y, (side * 24.0, back + 27.0), (14.0, 4.5), edge, turn=-side * 22.0)
    _ellipse(image, x, y, (0.0, back + 23.0), (15.0, 12.0), 300.0, 3 * edge)
    _ellipse(image, x, y, (0.0, back + 21.5), (10.5, 9.0), 8.0, edge)  # canal
    _ellipse(image, x, y, (0.0, back + 21.5), (5.0, 4.0), 42.0, 2 * edge)  # cord
    _bone(image, x, y, (0.0, back + 42.0), (3.5, 10.0), edge)


def _paint_ribs(
    image: np.ndarray,
    sheet: Sheet,
    pleura: np.ndarray,
    offset: np.ndarray,
    rib: np.ndarray,
    bone: np.ndarray,
    edge: float,
) -> None:
    across = (sheet.radius - (pleura + 6.2).astype(np.float32)[sheet.bins]) / np.float32(3.9)
    where = np.nonzero(np.abs(across) < 1.4)
    bins = sheet.bins[where]
    away = exact.length(across[where], (offset / 6.6)[bins]).astype(np.float32)  # 1 on the rib's surface
    here = image[where]
    cover = np.clip((1.0 - away) * 4.2 / edge + 0.5, 0, 1) * rib[bins]
    marrow = np.clip((0.66 - away) * 4.2 / edge + 0.5, 0, 1)
    bony = CORTEX_HU * 0.9 + (MARROW_HU - CORTEX_HU * 0.9) * marrow
    here += cover * (CARTILAGE_HU + bone[bins] * (bony - CARTILAGE_HU) - here)
    image[where] = here


def _paint_sternum_and_scapulae(image: np.ndarray, sheet: Sheet, pleura: np.ndarray, z_mm: float, edge: float) -> None:
    x, y = sheet.lattice.x, sheet.lattice.y
    front = float(pleura[0])  # the first bin looks straight ahead
    if z_mm > -75.0:
        width = 15.0 + 9.0 * min(max((z_mm - 55.0) / 20.0, 0.0), 1.0)  # the manubrium is wider
        _bone(image, x, y, (0.0, -front - 8.0), (width, 6.0), edge)
    reach = min(max((z_mm + 48.0) / 60.0, 0.0), 1.0)  # the scapula widens upwards
    if reach > 0.0:
        from_middle = np.abs(SIDE - 0.92) / (0.10 + 0.36 * reach)  # 1 at the scapula's borders
        thickness = 3.0 + 3.0 * exact.exp(-(((SIDE - 1.30) / 0.1) ** 2)) * reach  # thick at its lateral border
        thickness = thickness * np.sqrt(np.maximum(0.0, 1.0 - np.square(from_middle**2)))
        middle = pleura + 17.0 + 6.0 * exact.sin(3.0 * SIDE)
        off = np.abs(sheet.radius - middle.astype(np.float32)[sheet.bins])
        half = (thickness / 2).astype(np.float32)[sheet.bins]
        _blend(image, ramp(off - half, edge) * (half > 0), 520.0)


def _bone(
    image: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    center: tuple[float, float],
    half: tuple[float, float],
    edge: float,
    turn: float = 0.0,
) -> None:
    _ellipse(image, x, y, center, half, CORTEX_HU, edge, turn)
    inner = (max(half[0] - 1.7, 0.5), max(half[1] - 1.7, 0.5))
    _ellipse(image, x, y, center, inner, MARROW_HU, edge, turn)


def _ellipse(
    image: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    center: tuple[float, float],
    half: tuple[float, float],
    hu: float,
    edge: float,
    turn: float = 0.0,
) -> None:
    """Blend an ellipse in; `turn` in degrees, from x to y."""
    reach = max(half) + edge
    i = slice(*np.searchsorted(x, (center[0] - reach, center[0] + reach)))
    j = slice(*np.searchsorted(y, (center[1] - reach, center[1] + reach)))
    if i.start == i.stop or j.start == j.stop:
        return  # outside the field of view
    across, back = (x[None, i] - center[0]).astype(np.float32), (y[j, None] - center[1]).astype(np.float32)
    angle = turn * (np.pi / 180)
    cosine, sine = np.float32(exact.cos(angle)), np.float32(exact.sin(angle))
    u = (across * cosine + back * sine) / np.float32(half[0])
    v = (back * cosine - across * sine) / np.float32(half[1])
    away = (exact.length(u, v).astype(np.float32) - 1) * np.float32(math.sqrt(half[0] * half[1]))
    _blend(image[j, i], ramp(away, edge), hu)


def _blend(image: np.ndarray, share: np.ndarray, hu: np.ndarray | float) -> None:
    image += share * (np.asarray(hu, np.float32) - image)


def _spline(at_mm: np.ndarray, knots: int) -> Spline:
    """Cubic spline weights of the four knots of the coarse field around each place."""
    at = np.clip(at_mm / FIELD_STEP_MM + (knots - 1) / 2, 1, knots - 2.001)
    first = at.astype(int) - 1
    away = np.abs(at[:, None] - first[:, None] - np.arange(4))
    beyond = np.maximum(0, 2 - away)
    near, far = 2 / 3 - away**2 + away * away * away / 2, beyond * beyond * beyond / 6
    return Spline(first, np.where(away < 1, near, far).astype(np.float32))


def _mix(table: np.ndarray, spline: Spline) -> np.ndarray:
    """Read a table (knots, ...) at n places, (n, ...); no matrix product, whose rounding differs by machine."""
    shape = (-1,) + (1,) * (table.ndim - 1)
    return exact.total(table[spline.first + q] * spline.weights[:, q].reshape(shape) for q in range(4))


def _field(sheet: Sheet, chest: Chest, z_mm: float) -> np.ndarray:
    level = _mix(chest.lung_field, _spline(np.array([z_mm]), len(chest.lung_field)))[0]
    return _mix(np.ascontiguousarray(_mix(level.T, sheet.field_x).T), sheet.field_y)
