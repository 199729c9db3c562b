"""All features that IBSI describes and this library measures, by IBSI code and way of aggregation."""

import math
from collections.abc import Iterable, Mapping

import numpy as np

from PDL1PredictorLib.radiomics.features.first_order import first_order_features
from PDL1PredictorLib.radiomics.features.glcm import glcm_features
from PDL1PredictorLib.radiomics.features.gldm import gldm_features
from PDL1PredictorLib.radiomics.features.glrlm import glrlm_features
from PDL1PredictorLib.radiomics.features.glszm import glszm_features
from PDL1PredictorLib.radiomics.features.gray_levels import GrayLevels
from PDL1PredictorLib.radiomics.features.matrices import RegionMatrices, listed, run_lengths
from PDL1PredictorLib.radiomics.features.ngtdm import ngtdm_features
from PDL1PredictorLib.radiomics.features.shape import shape_features
from PDL1PredictorLib.radiomics.ibsi.prepare import Prepared, discretized
from PDL1PredictorLib.radiomics.ibsi.settings import Dimensions, IbsiSettings
from PDL1PredictorLib.radiomics.table import features_of
from PDL1PredictorLib.radiomics.voxels import DIRECTIONS, RegionVoxels

Codes = dict[tuple[str, str], float]
"""Value by IBSI code and aggregation; the aggregation of what is no texture is empty."""

_AGGREGATIONS: dict[Dimensions, tuple[str, str]] = {  # mean over the directions, and their matrices added up
    "2D": ("2D:avg", "2D:slice-merged"),
    "2.5D": ("2.5D:dir-merged", "2.5D:merged"),
    "3D": ("3D:avg", "3D:merged"),
}
_IN_PLANE = [number for number, (k, _, _) in enumerate(DIRECTIONS) if k == 0]


def ibsi_features(prepared: Prepared, settings: IbsiSettings) -> Codes:
    """Everything that can be measured.

    Args:
        prepared: Image and regions.
        settings: Gray levels and dimensions.

    Raises:
        InputError: The region has one intensity only, or too many gray levels.
    """
    region = RegionVoxels.of(prepared.inside, prepared.spacing_mm)
    values = prepared.image[prepared.inside]
    gray = discretized(values, settings)
    found = _shape(prepared) | statistics(values, gray, region)
    for dimensions in settings.dimensions:
        found |= _texture(gray, region, dimensions)
    return found


def _coded(family: str, values: Mapping[str, float], aggregation: str = "") -> Codes:
    """The features of a class that IBSI describes too, by its code; the table knows them."""
    return {
        (feature.ibsi, aggregation): values[feature.name]
        for feature in features_of(family)
        if feature.ibsi and feature.name in values
    }


def _shape(prepared: Prepared) -> Codes:
    """Shape, with three features that pyradiomics leaves out because they say the same as sphericity.

    The reference values of the axis lengths take the voxels for a sample of points: variances over n - 1, not n.

    Source: IBSI reference manual, compactness 1 (SKGS) and 2 (BQWJ), spherical disproportion (KRCK).
    """
    region = RegionVoxels.of(prepared.outline, prepared.spacing_mm)
    values = shape_features(region)
    for name in ("LeastAxisLength", "MinorAxisLength", "MajorAxisLength"):
        values[name] *= math.sqrt(region.size / (region.size - 1))
    area, volume, sphericity = values["SurfaceArea"], values["MeshVolume"], values["Sphericity"]
    return _coded("shape", values) | {
        ("SKGS", ""): volume / (math.sqrt(math.pi) * area**1.5),
        ("BQWJ", ""): sphericity**3,
        ("KRCK", ""): 1 / sphericity,
    }


def statistics(values: np.ndarray, gray: GrayLevels, region: RegionVoxels) -> Codes:
    """Intensity statistics and those of the histogram; IBSI's kurtosis is 0 for a normal distribution."""
    found = first_order_features(values, gray.counts, math.prod(region.spacing_mm))
    found["Kurtosis"] -= 3
    return _coded("firstorder", found)


def _texture(gray: GrayLevels, region: RegionVoxels, dimensions: Dimensions) -> Codes:
    if dimensions == "2D":
        parts = _slices(gray, region)
    else:
        parts = [RegionMatrices(gray, _pulled_apart(region) if dimensions == "2.5D" else region)]
    directions = range(len(DIRECTIONS)) if dimensions == "3D" else _IN_PLANE
    found: Codes = {}
    along = [[part.along(number) for number in directions] for part in parts]
    for aggregation, merge in zip(_AGGREGATIONS[dimensions], (False, True), strict=True):
        matrices = [_added(each) for each in along] if merge else along
        pairs = [pair for part in matrices for pair, _ in part if pair.any()]
        if pairs:
            of_pairs = glcm_features(listed(pairs, gray.present), with_mcc=False)
            found |= _coded("glcm", _means([of_pairs]), aggregation)
        runs = [glrlm_features(run_lengths([run], gray.present)) for part in matrices for _, run in part]
        found |= _coded("glrlm", _means(runs), aggregation)
    around = [part.neighborhoods() for part in parts]
    found |= _coded("glszm", _means(glszm_features(part.zones()) for part in parts), dimensions)
    found |= _coded("gldm", _means(gldm_features(dependences) for dependences, _ in around), dimensions)
    return found | _coded("ngtdm", _means(ngtdm_features(tones) for _, tones in around), dimensions)


def _means(parts: Iterable[Mapping[str, np.ndarray]]) -> dict[str, float]:
    """Mean of each feature over all matrices of all parts in which it is defined."""
    gathered: dict[str, list[np.ndarray]] = {}
    for part in parts:
        for name, values in part.items():
            gathered.setdefault(name, []).append(values[~np.isnan(values)])
    joined = {name: np.concatenate(values) for name, values in gathered.items()}
    return {name: float(values.mean()) if values.size else math.nan for name, values in joined.items()}


def _added(along: list[tuple[np.ndarray, np.ndarray]]) -> list[tuple[np.ndarray, np.ndarray]]:
    """The matrices of all directions as one."""
    return [(np.sum([pairs for pairs, _ in along], axis=0), np.sum([runs for _, runs in along], axis=0))]


def _pulled_apart(region: RegionVoxels) -> RegionVoxels:
    """The region with an empty plane between its slices: no voxel has a neighbor in another one.

    The voxels keep their order, so their gray levels still belong to them.
    """
    k, j, i = region.inside.shape
    inside = np.zeros((2 * k - 1, j, i), bool)
    inside[::2] = region.inside
    return RegionVoxels(inside, region.start, region.spacing_mm)


def _slices(gray: GrayLevels, region: RegionVoxels) -> list[RegionMatrices]:
    """Each slice as a region of its own, on the gray levels of the whole."""
    bounds = np.cumsum([0, *region.inside.sum(axis=(1, 2))])
    parts = []
    for k in range(region.inside.shape[0]):
        voxels = slice(bounds[k], bounds[k + 1])
        ranks = gray.ranks[voxels]
        if ranks.size:
            counts = np.bincount(ranks, minlength=gray.present.size + 1)[1:]
            part = RegionVoxels(region.inside[k : k + 1], region.start, region.spacing_mm)
            parts.append(RegionMatrices(GrayLevels(gray.levels[voxels], gray.present, counts, ranks), part))
    return parts
