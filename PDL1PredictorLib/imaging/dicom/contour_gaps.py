"""Slices without contour between others: filled by interpolating the shapes on both sides."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import ndimage

FILLED_SLICES = 2  # so many slices in a row are taken for forgotten, or left to interpolation by the one who drew
FINEST = (8, 4, 2, 1)  # sub-pixels along an axis: powers of two, so that every n-th lies exactly on a pixel
FINE_PIXELS = 1 << 19
ALONE_SHARE = 0.5  # beside other contours, so much of the smaller shape must lie over the other: nodes lie in chains
NEIGHBORS = np.ones((3, 3), bool)


@dataclass(frozen=True, eq=False)
class Layer:
    """What is drawn at one slice.

    Attributes:
        position: Of its plane, in slices; it may lie between two.
        area: Enclosed pixels, bool (rows, columns).
        finer: The same on a grid so many times as dense, `area` being every n-th of its pixels.
    """

    position: float
    area: np.ndarray
    finer: Callable[[int], np.ndarray]


@dataclass(frozen=True)
class Gap:
    """Slices `first` to `last` have no contour, though what is drawn on both sides belongs together."""

    first: int
    last: int


def wide_gaps(layers: dict[int, Layer]) -> list[Gap]:
    """Gaps of more slices than are filled unasked, with contours on both sides that overlap in their plane."""
    return [
        Gap(a + 1, b - 1)
        for a, b in pairwise(sorted(layers))
        if b - a - 1 > FILLED_SLICES and (layers[a].area & layers[b].area).any()
    ]


def interpolated(layers: dict[int, Layer], spacing_mm: tuple[float, float], wide: bool) -> dict[int, np.ndarray]:
    """What is missing between the layers: by slice, the pixels to add, bool (rows, columns).

    Distances to the border in mm, negative inside, are interpolated linearly between the two planes (shape-based
    interpolation, Raya and Udupa 1990, doi 10.1109/42.52980). Parts that do not overlap are not connected, nor are
    parts with anything drawn over them on a slice between. A contour is found missing also where the slice holds
    another lesion, if the shapes on both sides lie over each other by half.

    Args:
        layers: What is drawn, by slice.
        spacing_mm: Of rows and of columns.
        wide: Fill gaps of any width, not of two slices at most only.
    """
    added: dict[int, np.ndarray] = {}
    for a, b in _neighbors(layers, wide):
        for start, end, fine in _parts(layers, a, b):
            distances = [_distance_mm(part, spacing_mm, fine) for part in (start, end)]
            for index in range(a + 1, b):
                share = (index - layers[a].position) / (layers[b].position - layers[a].position)
                inside = ((1 - share) * distances[0] + share * distances[1] < 0)[::fine, ::fine]
                added[index] = added.get(index, False) | inside
    return {index: area for index, area in added.items() if area.any()}


def _neighbors(layers: dict[int, Layer], wide: bool) -> Iterator[tuple[int, int]]:
    for a in sorted(layers):
        yield from ((a, a + 1 + gap) for gap in range(1, FILLED_SLICES + 1) if a + 1 + gap in layers)
    if wide:
        yield from ((a, b) for a, b in pairwise(sorted(layers)) if b - a - 1 > FILLED_SLICES)


def _parts(layers: dict[int, Layer], a: int, b: int) -> Iterator[tuple[np.ndarray, np.ndarray, int]]:
    """Parts of two layers that belong together across a gap, on sub-pixels, and how many of these a pixel has."""
    first, last = layers[a].area, layers[b].area
    between = np.zeros_like(first)
    for index in range(a + 1, b):
        if index in layers and not layers[index].area.any():
            return  # drawn, but between the voxel centers: so thin was it meant to be
        if index in layers:
            between |= layers[index].area
    if not (first & last & ~between).any():
        return
    share = ALONE_SHARE if between.any() else 0.0
    first, last = _untouched(first, between), _untouched(last, between)
    groups, number = ndimage.label(first | last, NEIGHBORS)
    for group in range(1, number + 1):
        start, end = first & (groups == group), last & (groups == group)
        over = np.count_nonzero(start & end)
        if over and over >= share * min(np.count_nonzero(start), np.count_nonzero(end)):
            fine = next((n for n in FINEST if n * n * first.size <= FINE_PIXELS), 1)
            yield _finer(layers[a], start, fine), _finer(layers[b], end, fine), fine


def _untouched(area: np.ndarray, between: np.ndarray) -> np.ndarray:
    """The parts of an area over which nothing is drawn."""
    parts, _ = ndimage.label(area, NEIGHBORS)
    return area & ~np.isin(parts, parts[between & area])


def _finer(layer: Layer, part: np.ndarray, fine: int) -> np.ndarray:
    """The sub-pixels of a part of a layer."""
    area = layer.finer(fine)
    area[::fine, ::fine] |= layer.area
    parts, _ = ndimage.label(area, NEIGHBORS)
    return np.isin(parts, parts[::fine, ::fine][part])


def _distance_mm(area: np.ndarray, spacing_mm: tuple[float, float], fine: int) -> np.ndarray:
    """Distance to the border of an area in mm, negative inside."""
    sampling = [spacing / fine for spacing in spacing_mm]
    outside: np.ndarray = ndimage.distance_transform_edt(~area, sampling=sampling)
    inside: np.ndarray = ndimage.distance_transform_edt(area, sampling=sampling)
    signed: np.ndarray = outside - inside
    return signed
