"""Great vessels, the trees of the lungs and the airways of one chest."""

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from PDL1PredictorLib.phantom import draws, exact
from PDL1PredictorLib.phantom.chest import Chest, lung_cover, pleura_mm, polar
from PDL1PredictorLib.phantom.scanner import Lattice
from PDL1PredictorLib.phantom.tubes import Tree, Tubes, grow_tree, join, paint_tubes, polyline, tree_tubes

COARSE_MM = 5.0
ENDS_PER_TREE = 1100  # targets of one artery or vein tree of one lung
LEAF_MM = 0.5  # radius of the thinnest vessel that is painted
WALL_HU, LUMEN_HU, AROUND_HU = 30.0, -990.0, -860.0
HILA = {-1: (2.0, 4.0, -36.0), 1: (6.0, 4.0, 40.0)}  # (z, y, x) of the right and the left hilum, mm

# points (z, y, x) with the radius there, mm; share of the blood's density
GREAT_VESSELS: tuple[tuple[tuple[tuple[float, float, float, float], ...], float], ...] = (
    (  # aorta, from the valve over the arch to the diaphragm
        (
            (-18, -22, 4, 14),
            (5, -24, -10, 16),
            (35, -22, -14, 15.5),
            (52, -8, -4, 14),
            (57, 10, 10, 13.5),
            (48, 30, 22, 13),
            (25, 38, 25, 12.5),
            (-40, 38, 22, 12),
            (-100, 32, 12, 11.5),
            (-160, 30, 5, 11),
        ),
        1.0,
    ),
    (
        ((-12, -45, 16, 13), (5, -38, 20, 14), (18, -20, 22, 13), (16, 2, 34, 10), (4, 6, 44, 7)),
        0.95,
    ),  # pulmonary, left
    (((16, -24, 20, 12), (14, -8, 0, 10), (10, -1, -22, 10), (2, 4, -38, 7.5)), 0.95),  # right pulmonary artery
    (((-20, -18, -26, 10), (10, -14, -28, 9), (45, -16, -27, 8), (75, -26, -22, 7), (125, -22, -45, 7)), 1.1),  # cava
    (((62, -28, -21, 6), (72, -34, 0, 6), (85, -32, 25, 6), (125, -22, 50, 6)), 1.1),  # left brachiocephalic vein
    (((54, -12, -6, 6.5), (75, -12, -14, 6.5), (95, -8, -22, 5), (130, -12, -30, 4)), 1.0),  # brachiocephalic artery
    (((56, 2, 5, 4), (80, 0, 14, 4), (130, -6, 22, 4)), 1.0),  # left carotid
    (((55, 14, 14, 5), (80, 14, 24, 5), (110, 10, 38, 5)), 1.0),  # left subclavian
    (((-120, 34, -8, 4), (10, 36, -9, 4), (28, 22, -22, 4), (30, 0, -26, 4)), 0.8),  # azygos vein
    (((-130, 2, -24, 11), (-80, -6, -26, 11), (-55, -16, -24, 11)), 0.85),  # inferior vena cava
)
AIRWAYS: tuple[tuple[tuple[float, float, float, float], ...], ...] = (
    ((150, 6, 0, 8.5), (90, 6, -1, 8.5), (45, 9, -2, 8.5), (22, 12, 0, 9)),  # trachea
    ((22, 12, -1, 8), (14, 12, -14, 7), (6, 12, -28, 6), (-8, 14, -36, 4.5)),  # right main bronchus
    ((22, 12, 1, 7.5), (12, 14, 18, 6), (2, 14, 36, 5.5), (-6, 14, 44, 4)),  # left main bronchus
    ((9, 12, -24, 5), (20, 8, -42, 3.5), (34, 4, -50, 2.5)),  # right upper lobe
    ((2, 14, 36, 4.5), (12, 4, 48, 3.2), (26, -4, 54, 2.4)),  # left upper lobe
)


@dataclass(frozen=True, eq=False)
class LungMap:
    """The lungs on a coarse lattice of 5 mm.

    Attributes:
        lattice: The voxels.
        inside: bool (nk, nj, ni).
        clearance_mm: Distance from each voxel to the nearest voxel outside the lungs, (nk, nj, ni).
    """

    lattice: Lattice
    inside: np.ndarray
    clearance_mm: np.ndarray


@dataclass(frozen=True, eq=False)
class Plumbing:
    """All tubes of a chest, in the order of painting.

    Attributes:
        vessels: Blood.
        bronchial_walls: Walls, painted like vessels.
        lumens: Air, painted over them.
    """

    vessels: Tubes
    bronchial_walls: Tubes
    lumens: Tubes


def map_lungs(chest: Chest) -> LungMap:
    """Find the lungs on the coarse lattice."""
    lattice = Lattice(
        np.arange(-155.0, 156, COARSE_MM), np.arange(-110.0, 111, COARSE_MM), np.arange(-125.0, 131, COARSE_MM)
    )
    radius, bins = polar(lattice.x, lattice.y)
    inside = np.empty(lattice.shape, bool)
    for k, z in enumerate(lattice.z):
        pleura = pleura_mm(chest, float(z)).astype(np.float32)
        inside[k] = lung_cover(chest, lattice.x, lattice.y, float(z), radius, bins, pleura, 1.0) > 0.5
    clearance = ndimage.distance_transform_edt(inside, sampling=COARSE_MM)
    return LungMap(lattice, inside, clearance)


def draw_plumbing(chest: Chest, lungs: LungMap, rng: np.random.Generator) -> Plumbing:
    """Draw the vessels and airways of one chest."""
    vessels = [_tube(points, chest.vessel_hu * share) for points, share in GREAT_VESSELS]
    airways = [_tube(points, LUMEN_HU) for points in AIRWAYS]
    lung_walls, lung_lumens = [_widened(tube, 1.3) for tube in airways], airways
    blood = chest.vessel_hu * 0.9
    for side, hilum in HILA.items():
        arteries = grow_tree(np.array(hilum), _targets(lungs, side, rng))
        veins = grow_tree(np.array(hilum) - np.array([8.0, 6.0, 6.0 * side]), _targets(lungs, side, rng))
        vessels.append(tree_tubes(arteries, LEAF_MM, blood, rng))
        vessels.append(tree_tubes(veins, LEAF_MM, blood, rng))
        bronchi = tree_tubes(_trunk_of(arteries), 0.55 * LEAF_MM * float(exact.power(7.0, 1 / 2.7)), LUMEN_HU, rng)
        beside = np.array([1.0, 1.6, 0.0]) * (bronchi.radius[:, None] + 1.2)  # a bronchus runs beside its artery
        bronchi = Tubes(bronchi.start + beside, bronchi.end + beside, bronchi.radius, bronchi.hu)
        lung_walls.append(_widened(bronchi, 0.8))
        lung_lumens.append(bronchi)
    return Plumbing(join(vessels), join(lung_walls), join(lung_lumens))


def paint_plumbing(volume: np.ndarray, lattice: Lattice, plumbing: Plumbing) -> None:
    """Paint vessels, then the walls of the airways, then their air; `volume` float32 (k, j, i) changes in place."""
    paint_tubes(volume, lattice, plumbing.vessels, AROUND_HU)
    paint_tubes(volume, lattice, plumbing.bronchial_walls, AROUND_HU)
    paint_tubes(volume, lattice, plumbing.lumens, WALL_HU, lumen=True)


def _tube(points: tuple[tuple[float, float, float, float], ...], hu: float) -> Tubes:
    table = np.array(points, float)
    return polyline(table[:, :3], table[:, 3], hu)


def _widened(tubes: Tubes, wall_mm: float) -> Tubes:
    return Tubes(tubes.start, tubes.end, tubes.radius + wall_mm, np.full_like(tubes.hu, WALL_HU))


def _targets(lungs: LungMap, side: int, rng: np.random.Generator) -> np.ndarray:
    """Random places in one lung, (n, 3), a little away from the pleura."""
    right_side = np.sign(lungs.lattice.x) == side
    spots = np.argwhere((lungs.clearance_mm > COARSE_MM) & right_side[None, None, :])
    spots = spots[rng.integers(len(spots), size=ENDS_PER_TREE)]
    origin = lungs.lattice.origin_kji_mm
    return np.asarray(origin + COARSE_MM * (spots + draws.uniform(rng, -0.5, 0.5, spots.shape)))


def _trunk_of(tree: Tree, least: int = 7) -> Tree:
    """The part of a tree whose branches feed at least so many ends; thinner bronchi cannot be seen."""
    kept = np.nonzero(tree.leaves >= least)[0]
    place = np.zeros(len(tree.points), int)
    place[kept] = np.arange(len(kept))
    return Tree(tree.points[kept], place[tree.parent[kept]], tree.leaves[kept] // least)
