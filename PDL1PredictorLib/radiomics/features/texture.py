"""All intensity features of one image inside one region."""

import numpy as np

from PDL1PredictorLib.radiomics.features.first_order import first_order_features
from PDL1PredictorLib.radiomics.features.glcm import glcm_features
from PDL1PredictorLib.radiomics.features.gldm import gldm_features
from PDL1PredictorLib.radiomics.features.glrlm import glrlm_features
from PDL1PredictorLib.radiomics.features.glszm import glszm_features
from PDL1PredictorLib.radiomics.features.gray_levels import GrayLevels, bin_edges, gray_levels
from PDL1PredictorLib.radiomics.features.matrices import RegionMatrices, listed, run_lengths
from PDL1PredictorLib.radiomics.features.ngtdm import ngtdm_features
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
    matrices = RegionMatrices(gray, region)
    if {"glcm", "glrlm"} & set(settings.classes):
        found |= _along_directions(matrices, gray, region, settings.classes)
    if "glszm" in settings.classes:
        found |= _named("glszm", _only(glszm_features(matrices.zones())))
    if {"gldm", "ngtdm"} & set(settings.classes):
        dependences, tones = matrices.neighborhoods()
        if "gldm" in settings.classes:
            found |= _named("gldm", _only(gldm_features(dependences)))
        if "ngtdm" in settings.classes:
            found |= _named("ngtdm", _only(ngtdm_features(tones)))
    return found


def _along_directions(
    matrices: RegionMatrices, gray: GrayLevels, region: RegionVoxels, classes: tuple[str, ...]
) -> dict[str, float]:
    """Co-occurrence and run length features: means over the directions that have any."""
    n = gray.present.size
    glcm, glrlm = [], []
    cells: list[np.ndarray] = []
    lengths: list[np.ndarray] = []
    at_once = max(1, MOST_CELLS // (n * n + n * max(region.inside.shape)))
    for number, direction in enumerate(DIRECTIONS):
        pairs, so_far = matrices.along(number)
        if pairs.any():
            cells.append(pairs)
        if pairs.any() or region.lies_in_lines(direction):
            lengths.append(so_far)
        if number % at_once == at_once - 1 or number == len(DIRECTIONS) - 1:
            if "glcm" in classes and cells:
                glcm.append(glcm_features(listed(cells, gray.present)))
            if "glrlm" in classes and lengths:
                glrlm.append(glrlm_features(run_lengths(lengths, gray.present)))
            cells, lengths = [], []
    found: dict[str, float] = {}
    if "glcm" in classes:
        found |= _named("glcm", _means(glcm, "glcm", n))
    if "glrlm" in classes:
        found |= _named("glrlm", _means(glrlm, "glrlm", n))
    return found


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
