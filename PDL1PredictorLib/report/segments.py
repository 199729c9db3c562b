"""Tumor and ring as named segments that 3D Slicer opens (.seg.nrrd)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.results import LesionResult
from PDL1PredictorLib.report.lattice import common_box, voxels_in
from PDL1PredictorLib.report.nrrd import write_nrrd

_CONTEXT = "Segmentation category and type - DICOM master list"
_LUNG = "Anatomic codes - DICOM master list~SCT^39607008^Lung~^^"
# Slicer's order: context ~ category ~ type ~ modifier ~ region context ~ region ~ region modifier
TUMOR_TERM = f"{_CONTEXT}~SCT^49755003^Morphologically Altered Structure~SCT^108369006^Neoplasm~^^~{_LUNG}"
RING_TERM = f"{_CONTEXT}~SCT^85756007^Tissue~SCT^85756007^Tissue~^^~{_LUNG}"  # no standard code for a margin around
TUMOR_COLOR = (1.0, 0.69, 0.0)  # amber and sky blue: told apart by every kind of color vision, as in the report
RING_COLOR = (0.34, 0.71, 0.91)
REPRESENTATION = "Binary labelmap"


class Segment(NamedTuple):
    """One segment, its voxels bool (k, j, i) on the common box."""

    id: str
    name: str
    term: str
    color: tuple[float, float, float]
    voxels: np.ndarray[Any, Any]


def write_segments(lesions: Sequence[LesionResult], path: Path) -> None:
    """Write every lesion's tumor and ring as segments on the smallest common box.

    Segments that do not overlap share one three-dimensional labelmap (layer 0). Where the ring of one tumor reaches
    into another tumor or its ring, both keep all their voxels: the file then has a list axis with more layers, as
    Slicer itself writes it.

    Args:
        lesions: At least one; all on one lattice.
        path: File to write, ending in `.seg.nrrd`.

    Raises:
        GridMismatchError: The lesions do not share one lattice.

    Source: Slicer developer guide, "Segmentation labelmap file format (.seg.nrrd)", and vtkMRMLSegmentationStorageNode.
    """
    reference = lesions[0].tumor_image
    box = common_box(reference, [image for lesion in lesions for image in (lesion.tumor_image, lesion.ring_image)])
    segments = []
    for lesion in lesions:
        number = f" {lesion.index}" if len(lesions) > 1 else ""
        tumor = voxels_in(box, reference, lesion.tumor_image) > 0
        ring = (voxels_in(box, reference, lesion.ring_image) > 0) & ~tumor
        segments += [
            Segment(f"Tumor_{lesion.index}", f"Tumor{number}", TUMOR_TERM, TUMOR_COLOR, tumor),
            Segment(f"Ring_{lesion.index}", f"Peritumoral ring{number}", RING_TERM, RING_COLOR, ring),
        ]
    layer_of = assign_layers([segment.voxels for segment in segments])
    layers = np.zeros((*box.size[::-1], max(layer_of) + 1), np.uint8)
    for value, (segment, layer) in enumerate(zip(segments, layer_of, strict=True), start=1):
        layers[segment.voxels, layer] = value
    geometry = sitk.Image([1, 1, 1], sitk.sitkUInt8)
    geometry.SetSpacing(reference.GetSpacing())
    geometry.SetDirection(reference.GetDirection())
    geometry.SetOrigin(reference.TransformContinuousIndexToPhysicalPoint([float(n) for n in box.start]))
    voxels = layers[..., 0] if layers.shape[-1] == 1 else layers
    write_nrrd(path, voxels, geometry, _fields(segments, layer_of, box.size))


def write_tumor(mask: sitk.Image, path: Path, notes: Mapping[str, str]) -> None:
    """Write one tumor as a segment that can be edited, on the mask's own grid.

    Args:
        mask: uint8, 0 or 1.
        path: File to write, ending in `.seg.nrrd`.
        notes: Where it comes from, by name: a line each, for whoever reads the file, and a tag each of the segment,
            which 3D Slicer keeps. No `|` may be in them.
    """
    voxels = sitk.GetArrayFromImage(mask).astype(np.uint8)
    segment = Segment("Tumor_1", "Tumor", TUMOR_TERM, TUMOR_COLOR, voxels > 0)
    size = mask.GetSize()
    fields = _fields([segment], [0], (size[0], size[1], size[2]), status="inprogress")
    fields["Segment0_Tags"] += "".join(f"{name}:{text}|" for name, text in notes.items())
    write_nrrd(path, voxels, mask, {**fields, **notes})


def assign_layers(masks: Sequence[np.ndarray[Any, Any]]) -> list[int]:
    """A layer for each mask: the first in which it overlaps nothing that is already there."""
    taken: list[np.ndarray[Any, Any]] = []
    numbers = []
    for mask in masks:
        free = (number for number, voxels in enumerate(taken) if not (voxels & mask).any())
        number = next(free, len(taken))
        if number == len(taken):
            taken.append(np.zeros_like(mask))
        taken[number] |= mask
        numbers.append(number)
    return numbers


def _fields(
    segments: Sequence[Segment], layer_of: Sequence[int], size: tuple[int, int, int], status: str = "completed"
) -> dict[str, str]:
    # Slicer cuts a whole layer to the extent of its first segment: every segment states the whole box
    extent = " ".join(f"0 {n - 1}" for n in size)
    fields: dict[str, str] = {}
    for index, (segment, layer) in enumerate(zip(segments, layer_of, strict=True)):
        fields |= {
            f"Segment{index}_ID": segment.id,
            f"Segment{index}_Name": segment.name,
            f"Segment{index}_NameAutoGenerated": "0",
            f"Segment{index}_Color": " ".join(f"{c:g}" for c in segment.color),
            f"Segment{index}_ColorAutoGenerated": "0",
            f"Segment{index}_LabelValue": str(index + 1),
            f"Segment{index}_Layer": str(layer),
            f"Segment{index}_Extent": extent,
            f"Segment{index}_Tags": f"Segmentation.Status:{status}|TerminologyEntry:{segment.term}|",
        }
    return fields | {
        "Segmentation_MasterRepresentation": REPRESENTATION,  # the key that Slicer 5.10 writes
        "Segmentation_SourceRepresentation": REPRESENTATION,  # the key that its documentation names
        "Segmentation_ContainedRepresentationNames": f"{REPRESENTATION}|",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
    }
