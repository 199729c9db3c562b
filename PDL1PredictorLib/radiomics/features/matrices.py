"""The matrices of a region from which its texture features are computed."""

import numpy as np

from PDL1PredictorLib.radiomics.compiled import compiled
from PDL1PredictorLib.radiomics.features.cooccurrences import Cooccurrences
from PDL1PredictorLib.radiomics.features.gray_levels import GrayLevels
from PDL1PredictorLib.radiomics.features.kernels import neighborhoods, pairs_and_runs, zones
from PDL1PredictorLib.radiomics.features.level_sizes import LevelSizes
from PDL1PredictorLib.radiomics.features.ngtdm import ToneDifferences
from PDL1PredictorLib.radiomics.voxels import RegionVoxels


class RegionMatrices:
    """Counts what is where in a region, whose gray levels are laid out in its padded box.

    Args:
        gray: Gray level of each voxel.
        region: Where the voxels lie.
    """

    def __init__(self, gray: GrayLevels, region: RegionVoxels) -> None:
        self._gray, self._region = gray, region
        self._n = gray.present.size
        self._longest = max(region.inside.shape)
        self._levels = region.padded_volume(gray.levels)
        self._ranks = self._levels if gray.ranks is gray.levels else region.padded_volume(gray.ranks)
        self._runs = np.empty(self._levels.size, np.uint16)

    def along(self, direction: int) -> tuple[np.ndarray, np.ndarray]:
        """Neighbors and runs along one direction.

        Args:
            direction: Its place in `DIRECTIONS`.

        Returns:
            Number of neighbors by gray level of both, symmetric; and what `run_lengths` takes.
        """
        region, n = self._region, self._n
        pairs = np.zeros((n + 1, n + 1), np.uint32)
        so_far = np.zeros((n + 1, self._longest + 2), np.uint32)
        compiled(pairs_and_runs)(self._ranks, region.padded, region.offsets[direction], self._runs, pairs, so_far)
        pairs = pairs[1:, 1:]
        return pairs + pairs.T, so_far

    def zones(self) -> LevelSizes:
        """Number of zones by gray level and size."""
        region = self._region
        parents, sizes = np.empty(region.size, np.int32), np.empty(region.size, np.int32)
        zone_ranks = np.empty(region.size, np.uint16)
        labels = np.empty(self._levels.size, np.int32)
        lists = (self._levels, self._gray.ranks, region.padded, region.row, region.plane, *region.zone_neighbors)
        n = compiled(zones)(*lists, labels, parents, sizes, zone_ranks)
        present, place = np.unique(sizes[:n], return_inverse=True)
        cells = np.bincount(
            (zone_ranks[:n].astype(np.int64) - 1) * present.size + place, minlength=self._n * present.size
        )
        counts = cells.reshape(1, self._n, present.size).astype(float)
        return LevelSizes(counts, self._gray.present.astype(float), present.astype(float))

    def neighborhoods(self) -> tuple[LevelSizes, ToneDifferences]:
        """Like neighbors by gray level, and the differences from the mean of the neighbors."""
        region, gray = self._region, self._gray
        alike = np.zeros((self._n + 1, 27), np.int64)
        differences = np.zeros((self._n + 1, 27), np.int64)
        compiled(neighborhoods)(
            self._levels, gray.ranks, region.padded, region.row, region.plane, region.n_neighbors, alike, differences
        )
        levels = gray.present.astype(float)
        dependences = LevelSizes(alike[None, 1:].astype(float), levels, np.arange(1.0, 28.0))
        summed = (differences[1:, 1:] / np.arange(1, 27)).sum(axis=1)  # without a neighbor there is no difference
        return dependences, ToneDifferences(gray.counts[None].astype(float), summed[None], levels)


def listed(matrices: list[np.ndarray], levels: np.ndarray) -> Cooccurrences:
    """The cells of symmetric matrices that are not empty."""
    n = levels.size
    cells = [np.flatnonzero(matrix) for matrix in matrices]
    at = np.concatenate(cells)
    counts = np.concatenate([matrix.ravel()[cell] for matrix, cell in zip(matrices, cells, strict=True)])
    number = np.repeat(np.arange(len(cells)), [cell.size for cell in cells])
    return Cooccurrences(number, at // n, at % n, counts.astype(float), levels.astype(np.int64), len(matrices))


def run_lengths(so_far: list[np.ndarray], levels: np.ndarray) -> LevelSizes:
    """Runs by length from voxels by length so far: one of each run has its full length."""
    reached = np.stack(so_far)[:, 1:, 1:].astype(float)
    longest = int(np.flatnonzero(reached.any(axis=(0, 1)))[-1]) + 1
    return LevelSizes(
        reached[:, :, :longest] - reached[:, :, 1 : longest + 1], levels.astype(float), np.arange(1.0, longest + 1)
    )
