"""Measures of a region as a group of a structured report: size, density, and features that IBSI describes."""

import math
from typing import Any

import highdicom
import numpy as np

from PDL1PredictorLib.core.results import LesionResult, Provenance, RegionMeasures
from PDL1PredictorLib.filing import codes
from PDL1PredictorLib.filing.answers import remark
from PDL1PredictorLib.filing.segmentation import Segment
from PDL1PredictorLib.radiomics.table import TEXTURES, Feature, features_of, lookup

sr = highdicom.sr
FAMILIES = ("shape", "firstorder")  # of which a code says everything
BINNED = ("Entropy", "Uniformity")  # not of these: they depend on how gray levels are binned
OTHERWISE = ("Kurtosis",)  # IBSI subtracts 3
MOST_TEXTURES = 8  # of a region; how it was filtered and binned stands beside each


def region_group(segment: Segment, number: int, segmentation: Any, lesion: LesionResult, provenance: Provenance) -> Any:
    """One region: where it lies, its size, its density, its features.

    Args:
        segment: The region.
        number: Of its segment.
        segmentation: The object that holds it.
        lesion: The result.
        provenance: How it was measured.
    """
    region, name = (lesion.ring, "ring") if segment.is_ring else (lesion.tumor, "tumor")
    group = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=segment.tracking_uid, identifier=segment.name),
        referenced_segment=sr.ReferencedSegment.from_segmentation(segmentation, number),
        finding_type=codes.RING if segment.is_ring else codes.NEOPLASM,
        finding_category=codes.CATEGORY_TISSUE if segment.is_ring else codes.CATEGORY_ALTERED,
        finding_sites=[sr.FindingSite(codes.LUNG)],
        algorithm_id=sr.AlgorithmIdentification(
            name=f"PDL1Predictor, {provenance.engine}"[:64], version=provenance.library_version
        ),
        measurements=[
            *_measures(region, segment.is_ring),
            *_features(lesion, name),
            *_textures(lesion, name, provenance),
        ],
    )
    remark(group, _how(lesion))
    if segment.outline is not None:
        remark(group, f"The outline is {segment.outline.text}.")
    return group


def _how(lesion: LesionResult) -> str:
    spacing = np.round(lesion.tumor_image.GetSpacing(), 3)
    edges = " x ".join(f"{edge:g}" for edge in spacing)
    return (
        f"Measured on voxels of {edges} mm, to which CT and outline were resampled; the segment lies on the slices of "
        "the CT. Features are of the unfiltered CT, but for textures, whose method names the filtered picture and the "
        "gray levels; they are those on which the answers rest most, in three dimensions, of matrices of one direction "
        "each their mean."
    )


def _measures(region: RegionMeasures, is_ring: bool) -> list[Any]:
    found = [sr.Measurement(name=codes.VOLUME, value=float(region.volume_ml), unit=codes.unit("mL"))]
    if not is_ring:
        longest = float(region.longest_axial_diameter_mm)
        found.append(sr.Measurement(name=codes.LONG_AXIS, value=longest, unit=codes.unit("mm")))
    for value, derivation in ((region.mean_hu, codes.MEAN), (region.sd_hu, codes.DEVIATION)):
        found.append(
            sr.Measurement(name=codes.ATTENUATION, value=float(value), unit=codes.unit("HU"), derivation=derivation)
        )
    return found


def coded_features(lesion: LesionResult, region: str) -> dict[str, Any]:
    """The features of a region that go into the report, by their code, with the table's row and the value."""
    found = {}
    for family in FAMILIES:
        for feature in features_of(family):
            value = lesion.features.get(f"{region}_original_{family}_{feature.name}", math.nan)
            if feature.ibsi and feature.name not in (*BINNED, *OTHERWISE) and math.isfinite(value):
                found[feature.ibsi] = (feature, float(value))
    return found


def _features(lesion: LesionResult, region: str) -> list[Any]:
    return [
        sr.Measurement(name=codes.ibsi(feature), value=value, unit=codes.unit(feature.unit))
        for feature, value in coded_features(lesion, region).values()
    ]


def textures_behind(lesion: LesionResult, region: str) -> dict[str, tuple[Feature, float]]:
    """The textures of a region on which the answers rest most: name to the table's row and the value.

    A feature counts with its effect on each answer; one of those that an input sums up with its share of that.
    """
    weights: dict[str, float] = {}
    for one in (moved for answer in lesion.endpoints for moved in answer.contributions):
        for name, share in one.behind or ((one.name, 1.0),):
            weights[name] = weights.get(name, 0.0) + abs(one.effect * share)
    found: dict[str, tuple[Feature, float]] = {}
    for name in sorted(weights, key=lambda name: (-weights[name], name)):
        value = lesion.features.get(name, math.nan)
        if len(found) < MOST_TEXTURES and name.startswith(f"{region}_") and math.isfinite(value):
            feature = lookup(name)
            if feature.family in TEXTURES and feature.ibsi:
                found[name] = (feature, float(value))
    return found


def _textures(lesion: LesionResult, region: str, provenance: Provenance) -> list[Any]:
    settings = provenance.settings.get("features") or {}
    binned = settings.get("bin_width"), settings.get("bin_count")
    return [
        sr.Measurement(
            name=codes.ibsi(feature),
            value=value,
            unit=codes.unit(feature.unit),
            method=codes.texture_method(name.split("_")[1], settings.get("wavelet") or "", *binned),
        )
        for name, (feature, value) in textures_behind(lesion, region).items()
    ]
