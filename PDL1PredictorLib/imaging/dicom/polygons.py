"""Polygons on a grid: which voxel centers one encloses by the even-odd rule, however many vertices it has."""

import numpy as np

BLOCK_CROSSINGS = 1 << 20  # how many crossings of edges and rows are held at once
ON_VERTEX = 1e-12
SAME_VERTEX = 1e-9
SAME_ROUND = 0.02  # how far the vertices of a second round may lie from those of the first


def filled(polygon: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """The pixels whose centers a polygon encloses by the even-odd rule, bool (rows, columns).

    An outline that touches itself to cut a hole keeps the hole. Centers on an edge or a vertex are inside, so that the
    answer is that of scikit-image's `polygon2mask`, which takes time with the product of pixels and vertices.

    Args:
        polygon: Vertices (n, 2) as (row, column) in pixels; pixel (0, 0) has its center at (0, 0).
        shape: Rows and columns of the answer; what lies outside is cut off.
    """
    start, end = np.roll(polygon, 1, axis=0), polygon
    left = np.zeros((shape[0], shape[1] + 1), np.int64)  # crossings left of a center toggle it and all that follow
    right = np.zeros_like(left)
    for edges in _blocks(start, end, shape[0]):
        _toggle(right, edges, low_side=True)
        _toggle(left, edges, low_side=False)
    from_left = np.cumsum(left, axis=1)[:, :-1] & 1
    from_right = np.cumsum(right[:, ::-1], axis=1)[:, ::-1][:, 1:] & 1
    inside = (from_left | from_right).astype(bool)
    _set_vertices(inside, polygon)
    return inside


def _blocks(start: np.ndarray, end: np.ndarray, rows: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """The edges in parts that cross a bounded number of rows each."""
    span = np.clip(np.abs(end[:, 0] - start[:, 0]), 0, rows) + 2
    part = (np.cumsum(span) // BLOCK_CROSSINGS).astype(int)
    cuts = np.flatnonzero(np.diff(part)) + 1
    return list(zip(np.split(start, cuts), np.split(end, cuts), strict=True))


def _toggle(counts: np.ndarray, edges: tuple[np.ndarray, np.ndarray], low_side: bool) -> None:
    """Count the crossings of edges with rows at the column where centers begin (or cease) to lie beyond them.

    Edges hold their lower end (`low_side`) or their upper one, so that a vertex between two edges counts once.
    """
    start, end = edges
    low, high = np.minimum(start[:, 0], end[:, 0]), np.maximum(start[:, 0], end[:, 0])
    first = np.ceil(low) if low_side else np.floor(low) + 1
    last = np.ceil(high) - 1 if low_side else np.floor(high)
    first = np.clip(first, 0, counts.shape[0]).astype(int)
    number = np.maximum(np.clip(last, -1, counts.shape[0] - 1).astype(int) - first + 1, 0)
    edge = np.repeat(np.arange(len(start)), number)
    row = first[edge] + np.arange(len(edge)) - np.repeat(np.cumsum(number) - number, number)
    a, b = start[edge] - np.stack([row, np.zeros_like(row)], 1), end[edge] - np.stack([row, np.zeros_like(row)], 1)
    crossing = (a[:, 1] * b[:, 0] - b[:, 1] * a[:, 0]) / (b[:, 0] - a[:, 0])
    # a center at column c lies left of the crossing if c < crossing, right of it if c > crossing
    column = np.ceil(crossing) if low_side else np.floor(crossing) + 1
    column = np.clip(column, 0, counts.shape[1] - 1).astype(int)
    np.add.at(counts, (row, column), 1)


def _set_vertices(inside: np.ndarray, polygon: np.ndarray) -> None:
    nearest = np.rint(polygon)
    on = (np.abs(polygon - nearest) < ON_VERTEX).all(axis=1)
    on &= ((nearest >= 0) & (nearest < inside.shape)).all(axis=1)
    rows, columns = nearest[on].astype(int).T
    inside[rows, columns] = True


def drawn_once(polygon: np.ndarray) -> tuple[np.ndarray, bool]:
    """A polygon without repeated vertices, and whether its outline ran round twice or more, which would empty it."""
    kept = np.any(np.abs(polygon - np.roll(polygon, 1, axis=0)) > SAME_VERTEX, axis=1)
    once = polygon[kept]
    rounds = next((r for r in (4, 3, 2) if _repeats(once, r)), 1)
    return once[: len(once) // rounds], rounds > 1


def _repeats(polygon: np.ndarray, rounds: int) -> bool:
    if len(polygon) % rounds or len(polygon) < 3 * rounds:
        return False
    laps = polygon.reshape(rounds, -1, 2)
    return bool((np.abs(laps - laps[0]) <= SAME_ROUND).all())


def perimeter(polygon: np.ndarray, spacing_mm: tuple[float, float]) -> float:
    """Length of the outline in mm."""
    steps = (polygon - np.roll(polygon, 1, axis=0)) * np.asarray(spacing_mm)
    return float(np.hypot(steps[:, 0], steps[:, 1]).sum())


def encloses_area(polygon: np.ndarray, spacing_mm: tuple[float, float], at_least_mm: float = 0.01) -> bool:
    """Whether the vertices are three or more that do not lie on one line."""
    if len(polygon) < 3:
        return False
    points = (polygon - polygon.mean(axis=0)) * np.asarray(spacing_mm)
    _, directions = np.linalg.eigh(points.T @ points)
    return bool(np.ptp(points @ directions[:, 0]) > at_least_mm)
