"""The texture matrices of the surroundings of every voxel: cubes of gray levels, one row of voxels per cube.

pyradiomics measures such a cube as a region of its own: its voxels inside the mask, and neighbors within it only.
"""

from functools import cached_property

import numpy as np

from PDL1PredictorLib.radiomics.features.cooccurrences import Cooccurrences
from PDL1PredictorLib.radiomics.features.level_sizes import LevelSizes
from PDL1PredictorLib.radiomics.features.ngtdm import ToneDifferences
from PDL1PredictorLib.radiomics.voxels import DIRECTIONS


class Patches:
    """Cubes around some voxels.

    Args:
        ranks: Place of each voxel's gray level in `levels`, from 1; 0 outside the region, int64 (cube, voxel).
        levels: The gray levels of the whole region, rising, int64.
        edge: Voxels along the edge of a cube.
    """

    def __init__(self, ranks: np.ndarray, levels: np.ndarray, edge: int) -> None:
        self._ranks, self._levels, self._edge = ranks, levels, edge
        self._cube = np.arange(len(ranks))[:, None]

    def cooccurrences(self) -> tuple[Cooccurrences, np.ndarray]:
        """Symmetric co-occurrence matrices that are not empty, and which (cube, direction) each one belongs to."""
        n = self._levels.size
        codes = []
        for number, (one, other) in enumerate(self._pairs):
            a, b = self._ranks[:, one], self._ranks[:, other]
            matrix = np.broadcast_to(self._cube * len(DIRECTIONS) + number, a.shape)
            there = (a > 0) & (b > 0)
            a, b, matrix = a[there] - 1, b[there] - 1, matrix[there]
            codes += [(matrix * n + a) * n + b, (matrix * n + b) * n + a]
        cells, counts = np.unique(np.concatenate(codes), return_counts=True)
        owners, matrix = np.unique(cells // (n * n), return_inverse=True)
        pairs = Cooccurrences(matrix, cells // n % n, cells % n, counts.astype(float), self._levels, owners.size)
        return pairs, owners

    def run_lengths(self) -> LevelSizes:
        """Runs by gray level and length, one matrix per cube and direction; empty where no line holds two voxels."""
        n = self._levels.size
        matrices = []
        for one, other in self._pairs:
            so_far = np.ones(self._ranks.shape, np.int64)
            held = (self._ranks > 0).astype(np.int64)
            for back, here in zip(one, other, strict=True):  # along every line from its start
                so_far[:, here] += so_far[:, back] * (self._ranks[:, here] == self._ranks[:, back])
                held[:, here] += held[:, back]
            reached = self._counted(so_far, self._edge + 2)
            runs = reached[:, :, 1:-1] - reached[:, :, 2:]
            matrices.append(runs * (held.max(axis=1) > 1)[:, None, None])
        counts = np.stack(matrices, axis=1).reshape(-1, n, self._edge)
        return LevelSizes(counts, self._levels.astype(float), np.arange(1.0, self._edge + 1))

    def zones(self) -> LevelSizes:
        """Zones by gray level and size, one matrix per cube."""
        size = self._ranks.shape[1]
        labels = np.broadcast_to(np.arange(size), self._ranks.shape).copy()
        while True:
            before = labels.copy()
            for one, other in self._pairs:
                alike = (self._ranks[:, one] == self._ranks[:, other]) & (self._ranks[:, one] > 0)
                least = np.where(alike, np.minimum(labels[:, one], labels[:, other]), size)
                for place in (one, other):
                    labels[:, place] = np.minimum(labels[:, place], least)
            if (labels == before).all():
                break
        voxels = np.bincount((self._cube * size + labels).ravel(), minlength=self._ranks.size).reshape(-1, size)
        roots = np.where((labels == np.arange(size)) & (self._ranks > 0), voxels, 0)
        counts = self._counted(roots, size + 1, roots > 0)[:, :, 1:]
        return LevelSizes(counts, self._levels.astype(float), np.arange(1.0, size + 1))

    def dependences(self) -> LevelSizes:
        """Voxels by gray level and number of like neighbors, one matrix per cube."""
        alike = np.zeros(self._ranks.shape, np.int64)
        for one, other in self._pairs:
            same = self._ranks[:, one] == self._ranks[:, other]
            alike[:, one] += same
            alike[:, other] += same
        return LevelSizes(self._counted(alike, 27), self._levels.astype(float), np.arange(1.0, 28.0))

    def tone_differences(self) -> ToneDifferences:
        """Distance of each voxel from the mean of its neighbors, summed by gray level, one matrix per cube."""
        n = self._levels.size
        levels = np.concatenate([[0], self._levels])[self._ranks].astype(float)
        there = self._ranks > 0
        total, count = np.zeros(self._ranks.shape), np.zeros(self._ranks.shape)
        for one, other in self._pairs:
            for here, neighbor in ((one, other), (other, one)):
                total[:, here] += levels[:, neighbor]
                count[:, here] += there[:, neighbor]
        away = np.abs(levels - np.divide(total, count, out=levels.copy(), where=count > 0))
        place = (self._cube * n + self._ranks - 1)[there]
        counts = np.bincount(place, minlength=len(self._ranks) * n).reshape(-1, n)
        differences = np.bincount(place, away[there], len(self._ranks) * n).reshape(-1, n)
        return ToneDifferences(counts.astype(float), differences, self._levels.astype(float))

    @cached_property
    def _pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Per direction: places in the cube of a voxel and of the next one, each line from its start."""
        grid = np.indices((self._edge,) * 3).reshape(3, -1)
        found = []
        for direction in DIRECTIONS:
            following = grid + np.array(direction)[:, None]
            within = ((following >= 0) & (following < self._edge)).all(axis=0)
            k, j, i = following[:, within]
            found.append((np.flatnonzero(within), (k * self._edge + j) * self._edge + i))
        return found

    def _counted(self, sizes: np.ndarray, n_sizes: int, there: np.ndarray | None = None) -> np.ndarray:
        """Number of voxels by cube, gray level and size, float64."""
        n = self._levels.size
        there = self._ranks > 0 if there is None else there
        code = ((self._cube * n + self._ranks - 1) * n_sizes + sizes)[there]
        return np.bincount(code, minlength=len(self._ranks) * n * n_sizes).reshape(-1, n, n_sizes).astype(float)
