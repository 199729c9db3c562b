"""Tubes: branching trees that fill a region, and how they are painted into a volume."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.interpolate import PchipInterpolator

from PDL1PredictorLib.phantom import draws, exact
from PDL1PredictorLib.phantom.scanner import Lattice

_CHUNK = 800  # pieces painted at once: few enough to stay in the cache and to need windows of like size


@dataclass(frozen=True, eq=False)
class Tubes:
    """Short straight pieces with round ends; points are (k, j, i) = (z, y, x) in mm.

    Attributes:
        start: (n, 3).
        end: (n, 3).
        radius: (n,), mm.
        hu: (n,), density.
    """

    start: np.ndarray
    end: np.ndarray
    radius: np.ndarray
    hu: np.ndarray


def join(parts: list[Tubes]) -> Tubes:
    """Several sets of tubes as one."""
    return Tubes(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("start", "end", "radius", "hu"))
    )


def polyline(points: np.ndarray, radii: np.ndarray, hu: float, pieces: int = 5) -> Tubes:
    """A smooth tube through `points` (n, 3) with the radii (n,) there."""
    at = np.linspace(0, len(points) - 1, pieces * (len(points) - 1) + 1)
    knots = np.arange(len(points))
    path = np.round(PchipInterpolator(knots, points)(at), 9)  # the library's last bit may differ by processor
    radius = np.round(np.interp((at[1:] + at[:-1]) / 2, knots, radii), 9)
    return Tubes(path[:-1], path[1:], radius, np.full(len(radius), hu))


@dataclass(frozen=True, eq=False)
class Tree:
    """A tree of points; point 0 is the root.

    Attributes:
        points: (n, 3), mm, (z, y, x).
        parent: (n,), index of the point before; 0 for the root itself.
        leaves: (n,), number of ends that a point feeds.
    """

    points: np.ndarray
    parent: np.ndarray
    leaves: np.ndarray


def grow_tree(root: np.ndarray, targets: np.ndarray, balance: float = 0.4, batch: int = 12) -> Tree:
    """Connect every target to a root, each through the point that makes wire and path short.

    Args:
        root: (3,), mm.
        targets: (n, 3), mm.
        balance: How much the length of the path back to the root counts against new wire; 0 gives the shortest wire.
        batch: Targets attached at once, nearest to the root first.

    Source: the greedy minimum spanning tree with a balancing factor of Cuntz et al. 2010,
    doi 10.1371/journal.pcbi.1000877; here the targets come in order of their distance.
    """
    order = np.argsort(exact.length(*(targets - root).T), kind="stable")
    points = np.concatenate([root[None], targets[order]])
    parent = np.zeros(len(points), int)
    path = np.zeros(len(points))
    squares = (points**2).sum(1)
    for first in range(1, len(points), batch):
        new = slice(first, min(first + batch, len(points)))
        near, seen = 2 * points[new, None], points[None, :first]  # no matrix product: its rounding differs by machine
        product = near[..., 0] * seen[..., 0] + near[..., 1] * seen[..., 1] + near[..., 2] * seen[..., 2]
        d2 = squares[new, None] + squares[None, :first] - product
        wire = np.sqrt(np.maximum(d2, 0))
        parent[new] = np.argmin(wire + balance * path[None, :first], axis=1)
        path[new] = path[parent[new]] + wire[np.arange(wire.shape[0]), parent[new]]
    leaves = np.bincount(parent[1:], minlength=len(points)) == 0
    count = leaves.astype(int)
    for index in range(len(points) - 1, 0, -1):  # a parent always comes before its children
        count[parent[index]] += count[index]
    return Tree(points, parent, count)


def tree_tubes(tree: Tree, leaf_mm: float, hu: float, rng: np.random.Generator, step_mm: float = 1.8) -> Tubes:
    """The branches of a tree as curved, tapering tubes.

    Radii follow Murray's law with exponent 2.7: a branch that feeds n ends is n^(1/2.7) times as wide as an end.
    """
    child = np.arange(1, len(tree.points))
    start, end = tree.points[tree.parent[child]], tree.points[child]
    length = exact.length(*(end - start).T)
    bend = (start + end) / 2 + 0.09 * draws.normal(rng, start.shape) * length[:, None]
    wide = leaf_mm * exact.power(tree.leaves[child], 1 / 2.7)
    pieces = np.maximum(np.ceil(length / np.maximum(step_mm, 0.8 * wide)).astype(int), 1)
    branch = np.repeat(np.arange(len(child)), pieces)
    within = np.arange(len(branch)) - np.repeat(np.cumsum(pieces) - pieces, pieces)

    def at(share: np.ndarray) -> np.ndarray:
        t = share[:, None]
        return np.asarray(start[branch] * (1 - t) ** 2 + 2 * bend[branch] * t * (1 - t) + end[branch] * t**2)

    share = pieces[branch]
    return Tubes(at(within / share), at((within + 1) / share), wide[branch], np.full(len(branch), hu))


def paint_tubes(volume: np.ndarray, lattice: Lattice, tubes: Tubes, around_hu: float, lumen: bool = False) -> None:
    """Paint tubes into a volume: brighter than what is there, or with `lumen` darker.

    A tube thinner than a voxel is painted as thin as its share of the voxel.

    Args:
        volume: float32 (k, j, i), contiguous; changed in place.
        lattice: The voxels.
        tubes: What to paint.
        around_hu: Density into which the tube's edge fades.
        lumen: Keep the darker of the two values instead of the brighter.
    """
    spacing, origin = lattice.spacing_kji_mm, lattice.origin_kji_mm
    edge = float(exact.power(np.prod(spacing), 1 / 3))
    middle, half = (tubes.start + tubes.end) / 2, (tubes.end - tubes.start) / 2
    reach = np.abs(half) + tubes.radius[:, None] + edge / 2
    top = origin + (np.array(volume.shape) - 1) * spacing
    seen = np.nonzero(((middle + reach > origin) & (middle - reach < top)).all(1))[0]
    seen = seen[np.argsort(reach[seen].max(1), kind="stable")]  # pieces of a chunk share the size of their windows
    combine = np.minimum if lumen else np.maximum
    flat = volume.reshape(-1)
    big = int((reach[seen].max(1) < 4).sum())
    cuts = [*range(0, big, _CHUNK), *range(big, len(seen) + 4, 4)]
    for first, stop in pairwise(cuts):
        rows = seen[first:stop]
        if len(rows) == 0:
            continue
        wide = np.ceil(reach[rows].max(0) / spacing).astype(int)
        base = np.rint((middle[rows] - origin) / spacing).astype(int)
        index = [base[:, axis, None] + np.arange(-wide[axis], wide[axis] + 1) for axis in range(3)]
        away = [(index[a] * spacing[a] + origin[a] - middle[rows, a, None]).astype(np.float32) for a in range(3)]
        h = half[rows].astype(np.float32)
        square = np.maximum((h**2).sum(1), 1e-6)[:, None, None, None]
        along = _outer(*(away[a] * h[:, a, None] for a in range(3)))
        along /= square
        distance = _outer(*(a**2 for a in away))
        held = np.clip(along, -1, 1)
        distance += square * held * (held - 2 * along)
        np.sqrt(np.maximum(distance, 0, out=distance), out=distance)
        radius = tubes.radius[rows].astype(np.float32)[:, None, None, None]
        cover = np.clip((radius - distance) / np.float32(edge) + np.float32(0.5), 0, 1)
        cover *= np.minimum(1.0, 2 * radius / np.float32(edge))
        inside = [(index[a] >= 0) & (index[a] < volume.shape[a]) for a in range(3)]
        chosen = np.nonzero(
            (cover > 0) & (inside[0][:, :, None, None] & inside[1][:, None, :, None] & inside[2][:, None, None, :])
        )
        p, k, j, i = chosen
        where = (index[0][p, k] * volume.shape[1] + index[1][p, j]) * volume.shape[2] + index[2][p, i]
        rise = (tubes.hu[rows] - around_hu).astype(np.float32)[p]
        combine.at(flat, where, np.float32(around_hu) + cover[chosen] * rise)


def _outer(k: np.ndarray, j: np.ndarray, i: np.ndarray) -> np.ndarray:
    """Sum of three tables (n, .) over their common grid, (n, nk, nj, ni)."""
    return np.asarray(k[:, :, None, None] + j[:, None, :, None] + i[:, None, None, :])
