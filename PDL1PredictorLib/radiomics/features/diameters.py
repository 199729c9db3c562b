"""Greatest distances between points of the surface of a region, in space and within planes.

The surface points are those of the mesh: half way between a voxel inside and its neighbor outside along an axis. The
two that lie farthest apart are corners of the convex hull, so only the hull's corners are compared. Definition:
pyradiomics 3.0.1, `cshape.c`; IBSI 3D diameter (L0JK).
"""

from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.radiomics.compiled import compiled


class Diameters(NamedTuple):
    """In mm.

    Attributes:
        axial: Within a plane of one k.
        coronal: Within a plane of one j.
        sagittal: Within a plane of one i.
        any: In space.
    """

    axial: float
    coronal: float
    sagittal: float
    any: float


def diameters(inside: np.ndarray, spacing_mm: tuple[float, float, float]) -> Diameters:
    """Greatest distances between two surface points of a region with at least one voxel.

    Args:
        inside: bool (k, j, i).
        spacing_mm: (k, j, i).
    """
    points = surface_points(inside)
    half_mm = np.array(spacing_mm) / 2
    within = []
    corners = np.empty(0)
    for axis in range(3):
        others = [other for other in range(3) if other != axis]
        ordered = _sorted_by(points, [axis, *others])
        bounds = np.append(np.flatnonzero(np.diff(ordered[:, 0], prepend=-1)), len(ordered))
        hull = np.empty((len(ordered) + 2, 3), np.int64)  # a hull under way holds its first point twice
        n, squared = compiled(plane_hulls)(ordered, bounds, half_mm[others[0]], half_mm[others[1]], hull)
        within.append(float(np.sqrt(squared)))
        if axis == 0:
            corners = hull[:n] * half_mm
    corners = corners - (corners.min(axis=0) + corners.max(axis=0)) / 2
    from_middle = np.sqrt((corners**2).sum(axis=1))
    order = np.argsort(-from_middle, kind="stable")
    greatest = compiled(farthest)(np.ascontiguousarray(corners[order]), from_middle[order])
    return Diameters(within[0], within[1], within[2], float(np.sqrt(greatest)))


def surface_points(inside: np.ndarray) -> np.ndarray:
    """The corners of the mesh, (point, axis), int64, in half voxels."""
    padded = np.pad(inside, 1)
    found = []
    for axis in range(3):
        low, high = [slice(None)] * 3, [slice(None)] * 3
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        at = np.argwhere(padded[tuple(low)] != padded[tuple(high)]) * 2
        at[:, axis] += 1
        found.append(at)
    return np.concatenate(found)


def _sorted_by(points: np.ndarray, axes: list[int]) -> np.ndarray:
    """The points with their axes in this order, sorted by the first, then the second, then the third."""
    size = points.max() + 1
    a, b, c = (points[:, axis] for axis in axes)
    code = np.sort((a * size + b) * size + c)
    return np.stack([code // (size * size), code // size % size, code % size], axis=1)


def plane_hulls(
    points: np.ndarray, bounds: np.ndarray, unit_b: float, unit_c: float, hull: np.ndarray
) -> tuple[int, float]:
    """Convex hull of the points of each plane, and the greatest distance within one (a kernel).

    Args:
        points: (plane, b, c), sorted; Andrew's monotone chain goes along b.
        bounds: First point of each plane, and the end.
        unit_b: Length of one step along b.
        unit_c: Length of one step along c.
        hull: Receives the corners of all hulls.

    Returns:
        The number of corners, and the square of the distance.
    """
    n = 0
    best = 0.0
    for plane in range(bounds.size - 1):
        first, last = bounds[plane], bounds[plane + 1]
        start = n
        for side in range(2):
            floor = n
            for step in range(last - first):
                at = first + step if side == 0 else last - 1 - step
                while n - floor >= 2:
                    turn = (hull[n - 1, 1] - hull[n - 2, 1]) * (points[at, 2] - hull[n - 2, 2]) - (
                        hull[n - 1, 2] - hull[n - 2, 2]
                    ) * (points[at, 1] - hull[n - 2, 1])
                    if turn > 0:
                        break
                    n -= 1
                for axis in range(3):
                    hull[n, axis] = points[at, axis]
                n += 1
            n -= 1  # the last point of one side is the first of the other
        if n == start:
            n += 1  # a single point
        for a in range(start, n):
            for b in range(start, a):
                d_b = (hull[a, 1] - hull[b, 1]) * unit_b
                d_c = (hull[a, 2] - hull[b, 2]) * unit_c
                best = max(best, d_b * d_b + d_c * d_c)
    return n, best


def farthest(points: np.ndarray, from_middle: np.ndarray) -> float:
    """Square of the greatest distance between two points (a kernel).

    Two points are no farther apart than their distances from the middle together, which ends most searches early.

    Args:
        points: (point, axis), in mm, the farthest from the middle first.
        from_middle: Distance of each point from the middle, falling.
    """
    best = 0.0
    for a in range(points.shape[0]):
        reach = np.sqrt(best) - from_middle[a]
        if from_middle[0] < reach:
            break
        for b in range(a):
            if from_middle[b] < reach:
                break
            d_k = points[a, 0] - points[b, 0]
            d_j = points[a, 1] - points[b, 1]
            d_i = points[a, 2] - points[b, 2]
            best = max(best, d_k * d_k + d_j * d_j + d_i * d_i)
    return best
