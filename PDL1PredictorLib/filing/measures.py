"""Measures of a region as a group of a structured report: size, density, and features that IBSI describes."""

import math
from typing import Any

import highdicom
import numpy as np

from PDL1PredictorLib.core.results import LesionResult, Provenance, RegionMeasures
from PDL1PredictorLib.filing import codes
from PDL1PredictorLib.filing.answers import remark
from PDL1PredictorLib.filing.segmentation import Segment
from PDL1PredictorLib.radiomics.table import features_of

sr = highdicom.sr
FAMILIES = ("shape", "firstorder")  # texture depends on how gray levels are binned, which a code does not say
BINNED = ("Entropy", "Uniformity")  # so do these
OTHERWISE = ("Kurtosis",)  # IBSI subtracts 3


def region_group(segment: Segment, number: int, segmentation: Any, lesion: LesionResult, provenance: Provenance) -> Any:
    """One region: where it lies, its size, its density, its features.

    Args:
        segment: The region.
        number: Of its segment.
        segmentation: The object that holds it.
        lesion: The result.
        provenance: How it was measured.
    """
    region = lesion.ring if segment.is_ring else lesion.tumor
    group = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(uid=segment.tracking_uid, identifier=segment.name),
        referenced_segment=sr.ReferencedSegment.from_segmentation(segmentation, number),
        finding_type=codes.RING if segment.is_ring else codes.NEOPLASM,
        finding_category=codes.CATEGORY_TISSUE if segment.is_ring else codes.CATEGORY_ALTERED,
        finding_sites=[sr.FindingSite(codes.LUNG)],
        algorithm_id=sr.AlgorithmIdentification(
            name=f"PDL1Predictor, {provenance.engine}"[:64], version=provenance.library_version
        ),
        measurements=[*_measures(region, segment.is_ring), *_features(lesion, "ring" if segment.is_ring else "tumor")],
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
        "the CT. Features are of the unfiltered CT."
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
