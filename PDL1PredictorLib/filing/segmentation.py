"""Tumor and ring as DICOM SEG, on the slices of the CT."""

from dataclasses import dataclass, replace
from typing import Any

import highdicom
import numpy as np
import SimpleITK as sitk
from skimage.color import rgb2lab

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.errors import EmptyRegionError
from PDL1PredictorLib.core.provenance import AUTOMATIC, Outline
from PDL1PredictorLib.core.results import LesionResult
from PDL1PredictorLib.filing import codes
from PDL1PredictorLib.filing.making import MAKER, RESEARCH, Kind, Making
from PDL1PredictorLib.filing.uids import derived_uid
from PDL1PredictorLib.imaging.dicom.algorithm import UNKNOWN_VERSION, parameters_of
from PDL1PredictorLib.report.segments import RING_COLOR, TUMOR_COLOR


@dataclass(frozen=True, eq=False)
class Segment:
    """One region of one tumor.

    Attributes:
        name: `Tumor 1`, `Peritumoral ring 1`.
        is_ring: Whether it is the ring.
        voxels: bool (k, j, i) on the CT's grid.
        tracking_uid: The region's own name, in the segmentation and in the report of its measures.
        outline: How a tumor's contour was drawn by a program; None of a ring, and of a reader's contour.
    """

    name: str
    is_ring: bool
    voxels: np.ndarray
    tracking_uid: str
    outline: Outline | None = None


@dataclass(frozen=True, eq=False)
class Regions:
    """The two regions of one tumor.

    Attributes:
        tumor: The tumor as it was given.
        ring: The ring on the same voxels; None where it has no voxel of the CT's.
    """

    tumor: Segment
    ring: Segment | None

    @property
    def segments(self) -> tuple[Segment, ...]:
        """Those that are there, the tumor first."""
        return (self.tumor,) if self.ring is None else (self.tumor, self.ring)


def regions_of(
    lesion: LesionResult,
    mask: sitk.Image,
    ring: sitk.Image | None,
    series_uid: str,
    outline: Outline | None = None,
) -> Regions:
    """Both regions on the CT's grid.

    Args:
        lesion: The result.
        mask: The tumor that went in, on the CT's grid.
        ring: A ring that a person drew, on the same grid; None for the one that was drawn on the working lattice,
            whose nearest voxel decides.
        series_uid: Of the CT.
        outline: How the tumor's contour was drawn by a program, where that is known.
    """
    tumor = sitk.GetArrayFromImage(mask) > 0
    near = ring
    if near is None:
        near = sitk.Resample(lesion.ring_image, mask, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
    around = (sitk.GetArrayFromImage(near) > 0) & ~tumor
    found = [
        Segment(f"{name} {lesion.index}", name != "Tumor", voxels, _tracking(series_uid, name, voxels))
        for name, voxels in (("Tumor", tumor), ("Peritumoral ring", around))
    ]
    return Regions(replace(found[0], outline=outline), found[1] if around.any() else None)


def _tracking(series_uid: str, name: str, voxels: np.ndarray) -> str:
    return derived_uid("region", series_uid, name, np.packbits(voxels).tobytes())


def segmentation(making: Making, segments: list[Segment]) -> Any:
    """Regions as one object, a segment each; slices without any voxel of a segment have no frame of it.

    Args:
        making: Result and CT.
        segments: At least one.

    Raises:
        EmptyRegionError: A segment has no voxel.
    """
    for segment in segments:
        if not segment.voxels.any():
            raise EmptyRegionError(f"The segment {segment.name} has no voxel, so it cannot be filed.")
    content = [part for one in segments for part in (one.name, one.tracking_uid, *_told(one.outline))]
    made = highdicom.seg.Segmentation(
        source_images=list(making.source.slices),
        pixel_array=np.stack([one.voxels for one in segments], axis=-1).astype(np.uint8),
        segmentation_type=highdicom.seg.SegmentationTypeValues.BINARY,
        segment_descriptions=[_description(number, one) for number, one in enumerate(segments, start=1)],
        series_instance_uid=making.series_uid(Kind.SEGMENTATION, *content),
        series_number=Kind.SEGMENTATION.series_number,
        sop_instance_uid=making.uid(Kind.SEGMENTATION, *content),
        instance_number=1,
        content_label="TUMOR_AND_RING",
        content_description=f"{RESEARCH}: tumor as outlined, ring about it",
        **making.equipment(),
    )
    return making.finish(made, Kind.SEGMENTATION)


def _told(outline: Outline | None) -> tuple[str, ...]:
    """What an object's UID depends on besides the voxels, where a program drew the contour: all but the clock."""
    return () if outline is None else (outline.text, parameters_of(replace(outline, created_utc="")))


def _description(number: int, segment: Segment) -> Any:
    """The tumor is somebody's outline, or drawn by a program; the ring was computed from it by rule."""
    kinds, outline = highdicom.seg.SegmentAlgorithmTypeValues, segment.outline
    algorithm = _rule() if segment.is_ring else None if outline is None else _program(outline)
    by_program = kinds.AUTOMATIC if outline is not None and outline.kind == AUTOMATIC else kinds.SEMIAUTOMATIC
    found = highdicom.seg.SegmentDescription(
        segment_number=number,
        segment_label=segment.name,
        segmented_property_category=codes.CATEGORY_TISSUE if segment.is_ring else codes.CATEGORY_ALTERED,
        segmented_property_type=codes.RING if segment.is_ring else codes.NEOPLASM,
        algorithm_type=kinds.MANUAL if algorithm is None else by_program,
        algorithm_identification=algorithm,
        tracking_uid=segment.tracking_uid,
        tracking_id=segment.name,
        anatomic_regions=[codes.LUNG],
        display_color=_color(RING_COLOR if segment.is_ring else TUMOR_COLOR),
    )
    found.SegmentDescription = _words(segment)
    if outline is not None and outline.clicked:
        found.SegmentationAlgorithmIdentificationSequence[0].AlgorithmParameters = parameters_of(outline)
    elif outline is not None:  # of another program the name is all that is known, and no family of algorithms
        del found.SegmentationAlgorithmIdentificationSequence
    return found


def _words(segment: Segment) -> str:
    if segment.is_ring:
        return "Ring about the tumor, by distance from the outline"
    return "Tumor, as it was outlined" if segment.outline is None else f"Tumor, {segment.outline.text}"


def _color(rgb: tuple[float, float, float]) -> Any:
    return highdicom.color.CIELabColor(*(float(part) for part in rgb2lab([[rgb]])[0, 0]))


def _program(outline: Outline) -> Any:
    """What drew a contour: this library from a click, or another program."""
    if not outline.clicked:
        name = (outline.method or "algorithm not named")[:64]
        return highdicom.AlgorithmIdentificationSequence(
            name=name, family=codes.EDGE_DETECTION, version=UNKNOWN_VERSION
        )
    name = f"{MAKER} contour from a click, {outline.method or 'method not known'}"
    by_network = outline.method.startswith("network")
    family = codes.ARTIFICIAL_INTELLIGENCE if by_network else codes.EDGE_DETECTION
    return highdicom.AlgorithmIdentificationSequence(
        name=name[:64], family=family, version=(outline.version or UNKNOWN_VERSION)[:64], source=MAKER
    )


def _rule() -> Any:
    return highdicom.AlgorithmIdentificationSequence(
        name=f"{MAKER} peritumoral ring", family=codes.MORPHOLOGICAL, version=__version__, source=MAKER
    )
