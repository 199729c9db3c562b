"""Directions in space, evenly spread, and which are neighbors: an icosahedron whose faces are divided."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import sparse
from scipy.spatial import cKDTree

COARSE, FINE = 2, 3  # divisions: 162 directions 16 degrees apart, 642 directions 8 degrees apart
ROWS, COLUMNS = 64, 128  # of the table by which a direction is looked up


@dataclass(frozen=True, eq=False)
class Sphere:
    """n directions.

    Attributes:
        directions: Unit vectors, (n, 3), along the axes (k, j, i).
        first: Of each of the m directed edges, where it begins, (m,).
        second: Where it ends, (m,).
        back: The edge from its end to its beginning, (m,).
        incoming: Adds up what arrives along the edges in each direction, (n, m).
        table: From values at the directions to values in `ROWS` x `COLUMNS` cells of polar angle and azimuth.
    """

    directions: np.ndarray
    first: np.ndarray
    second: np.ndarray
    back: np.ndarray
    table: sparse.csr_matrix
    incoming: sparse.csr_matrix

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values at the directions, (n,), as a table (`ROWS`, `COLUMNS`) for `looked_up`."""
        return np.asarray(self.table @ values).reshape(ROWS, COLUMNS)


@cache
def sphere(divisions: int) -> Sphere:
    """The directions; always the same."""
    points, faces = _icosahedron()
    for _ in range(divisions):
        points, faces = _divided(points, faces)
    pairs = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    number = {(a, b): n for n, (a, b) in enumerate(edges.tolist())}
    back = np.array([number[b, a] for a, b in edges.tolist()])
    m = len(edges)
    incoming = sparse.csr_matrix((np.ones(m, np.float32), (edges[:, 1], np.arange(m))))
    return Sphere(points, edges[:, 0], edges[:, 1], back, _table(points), incoming)


def cells_of(offsets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cell of the table in which an offset lies: row and column; and its length.

    Args:
        offsets: (3, ...), along (k, j, i), in any unit.
    """
    k, j, i = offsets
    flat2 = j * j + i * i
    length = np.sqrt(flat2 + k * k)
    polar = np.arctan2(np.sqrt(flat2), k)
    row = np.minimum((polar * (ROWS / np.pi)).astype(np.int32), ROWS - 1)
    column = ((np.arctan2(j, i) + np.pi) * (COLUMNS / (2 * np.pi))).astype(np.int32) % COLUMNS
    return row, column, length


def _table(points: np.ndarray) -> sparse.csr_matrix:
    """Each cell is the mean of the three nearest directions, nearer ones counting more."""
    polar = (np.arange(ROWS) + 0.5) * np.pi / ROWS
    azimuth = (np.arange(COLUMNS) + 0.5) * 2 * np.pi / COLUMNS - np.pi
    theta, phi = np.meshgrid(polar, azimuth, indexing="ij")
    cells = np.stack([np.cos(theta), np.sin(theta) * np.sin(phi), np.sin(theta) * np.cos(phi)], axis=-1).reshape(-1, 3)
    distance, nearest = cKDTree(points).query(cells, k=3)
    weight = 1 / (distance + 1e-3)
    weight /= weight.sum(axis=1, keepdims=True)
    rows = np.repeat(np.arange(len(cells)), 3)
    return sparse.csr_matrix((weight.ravel(), (rows, nearest.ravel())), shape=(len(cells), len(points)))


def _icosahedron() -> tuple[np.ndarray, np.ndarray]:
    g = (1 + 5**0.5) / 2
    points = np.array([(s * a, t * b, 0) for s in (-1, 1) for t in (-1, 1) for a, b in ((1.0, g),)])
    points = np.concatenate([np.roll(points, shift, axis=1) for shift in range(3)])
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    near = (distance > 0) & (distance < distance[distance > 0].min() * 1.01)
    n = range(len(points))
    faces = [(a, b, c) for a in n for b in n for c in n if a < b < c and near[a, b] and near[b, c] and near[a, c]]
    return points, np.array(faces)


def _divided(points: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each triangle becomes four."""
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges, where = np.unique(pairs, axis=0, return_inverse=True)
    middle = points[edges].mean(axis=1)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    ab, bc, ca = (len(points) + where.ravel()).reshape(3, -1)
    a, b, c = faces.T
    return np.concatenate([points, middle]), np.concatenate(
        [np.stack(corner, axis=1) for corner in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))]
    )
