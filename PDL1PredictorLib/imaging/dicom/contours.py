"""Contours of one plane as one area: copies dropped, holes and islands told apart, overlapping ones joined."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.dicom.polygons import drawn_once, filled, perimeter

COPY_VOXELS = 0.25  # mean distance of two outlines up to which one is a copy of the other, rounded or thinned out
COPY_MM = 0.15
WALL_VOXELS = 1.0  # the same where one lies in the other: no wall is drawn that thin
COPY_SHARE = 0.75  # how much of both two copies have in common at least, so that specks are not taken for copies
TOUCH_VOXELS = 0.1  # mean depth up to which outlines only touch, or one ends at the other's border
TOUCH_SHARE = 0.1
FINEST = 8  # sub-pixels along an axis
FINE_PIXELS = 1 << 22
MAX_PIXELS = 1 << 29
MAX_CONTOURS = 1000

Size = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Polygon:
    """One closed contour in its plane.

    Attributes:
        points: Vertices (n, 2) as (row, column) in voxels.
        exclusive: It says of itself that what it has in common with others of its plane is outside
            (CLOSEDPLANAR_XOR).
    """

    points: np.ndarray
    exclusive: bool = False


@dataclass(frozen=True, eq=False)
class Outlines:
    """The contours of one plane, put in order.

    Attributes:
        polygons: Vertices (n, 2) of each, without copies.
        levels: How many contours lie around each, one in the other: it adds if even, cuts a hole if odd.
        exclusive: Levels do not count; the even-odd rule holds over all.
        copies: How many contours were dropped since they repeat another.
        rounds: How many ran round more than once, which counts once.
        overlaps: Pairs of `polygons` that overlap in part and are joined.
    """

    polygons: tuple[np.ndarray, ...]
    levels: tuple[int, ...]
    exclusive: bool = False
    copies: int = 0
    rounds: int = 0
    overlaps: tuple[tuple[int, int], ...] = ()

    def draw(self, shape: tuple[int, int], fine: int = 1) -> np.ndarray:
        """The enclosed pixel centers, bool (rows, columns), or those of a grid `fine` times as dense between them."""
        size = tuple((n - 1) * fine + 1 for n in shape)
        area = np.zeros(size, bool)
        for n in sorted(range(len(self.polygons)), key=lambda n: self.levels[n]):
            corner, part = _window(self.polygons[n] * fine, size)
            target = area[corner[0] : corner[0] + part.shape[0], corner[1] : corner[1] + part.shape[1]]
            if self.exclusive:
                target ^= part
            elif self.levels[n] % 2:
                target &= ~part
            else:
                target |= part
        return area

    def twice(self, shape: tuple[int, int]) -> int:
        """How many pixels two joined contours both enclose, which the even-odd rule would have taken out."""
        both = np.zeros(shape, bool)
        for a, b in self.overlaps:
            both |= filled(self.polygons[a], shape) & filled(self.polygons[b], shape)
        return int(np.count_nonzero(both))


def in_order(contours: Sequence[Polygon], spacing_mm: Size) -> Outlines:
    """Drop copies of contours of one plane and say how the others lie to each other.

    Args:
        contours: Vertices in voxels.
        spacing_mm: Of rows and of columns.

    Raises:
        InputError: More contours in one plane than anyone draws.
    """
    if len(contours) > MAX_CONTOURS:
        raise InputError(
            f"{len(contours)} contours lie in one plane; at most {MAX_CONTOURS} can be told apart. Export them again."
        )
    laps = [drawn_once(contour.points) for contour in contours]
    polygons = [points for points, _ in laps]
    rounds = sum(again for _, again in laps)
    exclusive = any(contour.exclusive for contour in contours)
    if len(polygons) < 2:
        return Outlines(tuple(polygons), (0,) * len(polygons), exclusive, rounds=rounds)
    relations = _Relations(polygons, spacing_mm)
    kept = relations.without_copies()
    levels = relations.levels(kept)
    place = {n: position for position, n in enumerate(kept)}
    pairs = () if exclusive else tuple((place[a], place[b]) for a, b in relations.overlaps(kept))
    return Outlines(tuple(polygons[n] for n in kept), levels, exclusive, len(polygons) - len(kept), rounds, pairs)


class _Relations:
    """How polygons lie to each other, measured on sub-pixels."""

    def __init__(self, polygons: list[np.ndarray], spacing_mm: Size) -> None:
        pairs, pixels = _meeting(polygons)
        self.fine = int(np.clip(math.sqrt(FINE_PIXELS / max(pixels, 1.0)), 1, FINEST))
        self.voxel_mm = math.sqrt(math.prod(spacing_mm))
        self.pixel_mm2 = math.prod(spacing_mm) / self.fine**2
        self.around_mm = [perimeter(points, spacing_mm) for points in polygons]
        self.windows = [_window(points * self.fine) for points in polygons]
        self.area = [int(np.count_nonzero(part)) for _, part in self.windows]
        self.common = {(a, b): _common(self.windows[a], self.windows[b]) for a, b in pairs}

    def without_copies(self) -> list[int]:
        """Positions of the polygons that repeat no larger one, so that the order in the file does not count."""
        kept: list[int] = []
        for n in sorted(range(len(self.area)), key=lambda n: -self.area[n]):
            if not any(self._are_copies(other, n) for other in kept):
                kept.append(n)
        return sorted(kept)

    def levels(self, kept: list[int]) -> tuple[int, ...]:
        """For each of those kept, how many lie around it, one in the other."""
        levels: dict[int, int] = {}
        for n in sorted(kept, key=lambda n: -self.area[n]):
            levels[n] = 1 + max((levels[outer] for outer in levels if self._inside(n, outer)), default=-1)
        return tuple(levels[n] for n in kept)

    def overlaps(self, kept: list[int]) -> list[tuple[int, int]]:
        """Pairs that have something in common, but of which none lies in the other."""
        left = set(kept)
        pairs = [(a, b) for a, b in self.common if a in left and b in left]
        return [(a, b) for a, b in pairs if not self._touch(a, b) and not self._nested(a, b)]

    def _shared(self, a: int, b: int) -> int:
        return self.common.get((min(a, b), max(a, b)), 0)

    def _are_copies(self, a: int, b: int) -> bool:
        shared = self._shared(a, b)
        either = self.area[a] + self.area[b] - shared
        if shared == 0 or shared < COPY_SHARE * either:
            return False
        apart_mm = (either - shared) * self.pixel_mm2 / min(self.around_mm[a], self.around_mm[b])
        voxels = WALL_VOXELS if self._nested(a, b) else COPY_VOXELS
        return apart_mm <= max(voxels * self.voxel_mm, COPY_MM)

    def _inside(self, inner: int, outer: int) -> bool:
        shared = self._shared(inner, outer)
        return shared > 0 and self._thin(self.area[inner] - shared, inner)

    def _nested(self, a: int, b: int) -> bool:
        return self._inside(a, b) or self._inside(b, a)

    def _touch(self, a: int, b: int) -> bool:
        smaller = a if self.area[a] <= self.area[b] else b
        return self._thin(self._shared(a, b), smaller)

    def _thin(self, pixels: int, n: int) -> bool:
        """Whether a part of polygon n is no more than a seam along its outline."""
        depth_mm = pixels * self.pixel_mm2 / self.around_mm[n]
        return depth_mm <= TOUCH_VOXELS * self.voxel_mm and pixels <= TOUCH_SHARE * self.area[n]


def _meeting(polygons: list[np.ndarray]) -> tuple[list[tuple[int, int]], float]:
    """Pairs whose boxes meet, and the pixels that it takes to compare them."""
    low = np.asarray([points.min(axis=0) for points in polygons])
    high = np.asarray([points.max(axis=0) for points in polygons])
    pairs: list[tuple[int, int]] = []
    pixels = float((high - low + 1).prod(axis=1).sum())
    for n in range(len(polygons) - 1):
        common = np.minimum(high[n], high[n + 1 :]) - np.maximum(low[n], low[n + 1 :])
        meet = (common >= 0).all(axis=1)
        pairs += [(n, n + 1 + int(other)) for other in np.flatnonzero(meet)]
        pixels += float((common[meet] + 1).prod(axis=1).sum())
    if pixels > MAX_PIXELS:
        raise InputError(f"{len(polygons)} contours of one plane lie over each other. Export them again.")
    return pairs, pixels


def _window(points: np.ndarray, size: tuple[int, ...] | None = None) -> tuple[tuple[int, int], np.ndarray]:
    """The pixels that a polygon encloses, in its box: the box's first row and column, and the pixels."""
    low = np.floor(points.min(axis=0)).astype(int)
    high = np.ceil(points.max(axis=0)).astype(int) + 1
    if size is not None:
        low, high = np.clip(low, 0, size), np.clip(high, 0, size)
    return (int(low[0]), int(low[1])), filled(points - low, (int(high[0] - low[0]), int(high[1] - low[1])))


def _common(a: tuple[tuple[int, int], np.ndarray], b: tuple[tuple[int, int], np.ndarray]) -> int:
    """How many pixels two windows both have set."""
    low = np.maximum(a[0], b[0])
    high = np.minimum(np.add(a[0], a[1].shape), np.add(b[0], b[1].shape))
    if (high <= low).any():
        return 0
    parts = []
    for corner, part in (a, b):
        first, last = low - corner, high - corner
        parts.append(part[first[0] : last[0], first[1] : last[1]])
    return int(np.count_nonzero(parts[0] & parts[1]))
