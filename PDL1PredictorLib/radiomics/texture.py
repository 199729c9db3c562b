"""The texture matrices of a region, in one sweep per direction, and all features of one image."""

import numpy as np

from PDL1PredictorLib.radiomics.compiled import compiled
from PDL1PredictorLib.radiomics.first_order import first_order_features
from PDL1PredictorLib.radiomics.glcm import Cooccurrences, glcm_features
from PDL1PredictorLib.radiomics.gldm import gldm_features
from PDL1PredictorLib.radiomics.glrlm import glrlm_features
from PDL1PredictorLib.radiomics.glszm import glszm_features
from PDL1PredictorLib.radiomics.gray_levels import GrayLevels, bin_edges, gray_levels
from PDL1PredictorLib.radiomics.kernels import neighborhoods, pairs_and_runs, zones
from PDL1PredictorLib.radiomics.level_sizes import LevelSizes
from PDL1PredictorLib.radiomics.ngtdm import ToneDifferences, ngtdm_features
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.radiomics.voxels import DIRECTIONS, RegionVoxels

MOST_CELLS = 4_000_000  # directions are taken together up to here: 32 MB


def image_features(values: np.ndarray, region: RegionVoxels, settings: FeatureSettings) -> dict[str, float]:
    """All intensity features of one image inside one region.

    Args:
        values: Intensity of each of the region's voxels, float64.
        region: Where they lie.
        settings: Gray levels and feature classes.

    Returns:
        Value by `class_name`, such as `glcm_Contrast`.
    """
    gray = gray_levels(values, bin_edges(float(values.min()), float(values.max()), settings))
    found: dict[str, float] = {}
    if "firstorder" in settings.classes:
        volume_mm3 = float(np.prod(region.spacing_mm[::-1]))
        found |= _named("firstorder", first_order_features(values, gray.counts, volume_mm3))
    box = _Box(gray, region)
    if {"glcm", "glrlm"} & set(settings.classes):
        found |= box.along_directions(settings.classes)
    if "glszm" in settings.classes:
        found |= _named("glszm", _only(glszm_features(box.zones())))
    if {"gldm", "ngtdm"} & set(settings.classes):
        dependences, tones = box.neighborhoods()
        if "gldm" in settings.classes:
            found |= _named("gldm", _only(gldm_features(dependences)))
        if "ngtdm" in settings.classes:
            found |= _named("ngtdm", _only(ngtdm_features(tones)))
    return found


class _Box:
    """The gray levels of a region laid out in its padded box."""

    def __init__(self, gray: GrayLevels, region: RegionVoxels) -> None:
        self._gray, self._region = gray, region
        self._n = gray.present.size
        self._levels = region.padded_volume(gray.levels)
        self._ranks = self._levels if gray.ranks is gray.levels else region.padded_volume(gray.ranks)

    def along_directions(self, classes: tuple[str, ...]) -> dict[str, float]:
        """Co-occurrence and run length features: means over the directions that have any."""
        region, n = self._region, self._n
        longest = max(region.inside.shape)
        runs = np.empty(self._levels.size, np.uint16)
        glcm, glrlm = [], []
        cells: list[np.ndarray] = []
        lengths: list[np.ndarray] = []
        at_once = max(1, MOST_CELLS // (n * n + n * longest))
        for number, direction in enumerate(DIRECTIONS):
            pairs = np.zeros((n + 1, n + 1), np.uint32)
            so_far = np.zeros((n + 1, longest + 2), np.uint32)
            compiled(pairs_and_runs)(self._ranks, region.padded, region.offsets[number], runs, pairs, so_far)
            pairs = pairs[1:, 1:]
            if pairs.any():
                cells.append(pairs + pairs.T)
            if pairs.any() or region.lies_in_lines(direction):
                lengths.append(so_far)
            if number % at_once == at_once - 1 or number == len(DIRECTIONS) - 1:
                if "glcm" in classes and cells:
                    glcm.append(glcm_features(listed(cells, self._gray.present)))
                if "glrlm" in classes and lengths:
                    glrlm.append(glrlm_features(_run_lengths(lengths, self._gray.present)))
                cells, lengths = [], []
        found: dict[str, float] = {}
        if "glcm" in classes:
            found |= _named("glcm", _means(glcm, "glcm", self._n))
        if "glrlm" in classes:
            found |= _named("glrlm", _means(glrlm, "glrlm", self._n))
        return found

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


def _run_lengths(so_far: list[np.ndarray], levels: np.ndarray) -> LevelSizes:
    """Runs by length from voxels by length so far: one of each run has its full length."""
    reached = np.stack(so_far)[:, 1:, 1:].astype(float)
    longest = int(np.flatnonzero(reached.any(axis=(0, 1)))[-1]) + 1
    return LevelSizes(
        reached[:, :, :longest] - reached[:, :, 1 : longest + 1], levels.astype(float), np.arange(1.0, longest + 1)
    )


def _means(parts: list[dict[str, np.ndarray]], family: str, n_levels: int) -> dict[str, float]:
    """Mean over all directions, leaving out those in which a value is not defined, as pyradiomics does."""
    if not parts:
        return _undefined(family, n_levels)
    found = {}
    for name in parts[0]:
        values = np.concatenate([part[name] for part in parts])
        defined = values[~np.isnan(values)]
        found[name] = float(defined.mean().real) if defined.size else float("nan")
    return found


def _undefined(family: str, n_levels: int) -> dict[str, float]:
    from PDL1PredictorLib.radiomics.table import features_of

    found = dict.fromkeys((feature.name for feature in features_of(family)), float("nan"))
    if family == "glcm" and n_levels == 1:
        found["MCC"] = 1.0
    return found


def _only(values: dict[str, np.ndarray]) -> dict[str, float]:
    return {name: float(value[0]) for name, value in values.items()}


def _named(family: str, values: dict[str, float]) -> dict[str, float]:
    return {f"{family}_{name}": value for name, value in values.items()}
