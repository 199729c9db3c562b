"""A case as files for the background process, which knows no scene."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from PDL1PredictorGUI.scene.bridge import image_of_volume, place_segment
from PDL1PredictorGUI.scene.outline import notes_of
from PDL1PredictorGUI.scene.pet import pet_in_suv
from PDL1PredictorGUI.scene.synthetic import is_synthetic

if TYPE_CHECKING:
    import SimpleITK as sitk

_NRRD_TYPES = {"int8", "uint8", "int16", "uint16", "int32", "uint32", "float32", "float64"}


class CaseFiles(NamedTuple):
    """The files of an exported case; all lie in one folder.

    Attributes:
        ct: The CT.
        tumor: The mask.
        ring: Of an edited ring, or None.
        clinical: Clinical values, or None.
        pet: A PET in SUV, or None.
        told: What must be known of how the PET was read.
    """

    ct: Path
    tumor: Path
    ring: Path | None
    clinical: Path | None
    pet: Path | None = None
    told: tuple[str, ...] = ()


def export_case(
    volumeNode: Any,
    segmentationNode: Any,
    segmentID: str,
    folder: Path,
    ring_segment_id: str | None = None,
    clinical: Mapping[str, Any] | None = None,
    pet: Any = None,
) -> CaseFiles:
    """Writes a case for the background process; nothing in the files names the patient.

    Args:
        volumeNode: The CT.
        segmentationNode: Holds the tumor and the ring.
        segmentID: The tumor.
        folder: An existing folder; its path may hold any letters.
        ring_segment_id: An edited ring that is to be used as it is.
        clinical: Fields of `core.case.Clinical`; missing ones may be None.
        pet: Volume of a PET, written in SUV.

    Raises:
        InputError: Something cannot be used; nothing is written then.
        OSError: The folder cannot be written, or the disk is full.
    """
    ct = image_of_volume(volumeNode)
    tumor = place_segment(segmentationNode, segmentID, ct)
    ring = place_segment(segmentationNode, ring_segment_id, ct) if ring_segment_id else None
    suv, told = pet_in_suv(pet) if pet is not None else (None, ())
    known = {name: value for name, value in (clinical or {}).items() if value is not None}
    files = CaseFiles(
        folder / "ct.nrrd",
        folder / "tumor.nrrd",
        folder / "ring.nrrd" if ring is not None else None,
        folder / "clinical.json" if known else None,
        folder / "pet.nrrd" if suv is not None else None,
        told,
    )
    write_image(ct, files.ct, _synthetic_field() if is_synthetic(volumeNode) else {})
    write_image(tumor, files.tumor, notes_of(segmentationNode, segmentID))
    if files.ring is not None:
        write_image(ring, files.ring)
    if files.pet is not None:
        write_image(suv, files.pet)
    if files.clinical is not None:
        files.clinical.write_text(json.dumps(known), encoding="utf-8")
    return files


def _synthetic_field() -> dict[str, str]:
    """Name and value of the field by which the library marks the CT of a synthetic patient."""
    from PDL1PredictorLib.core.case import SYNTHETIC_KEY, SYNTHETIC_MARK

    return {SYNTHETIC_KEY: SYNTHETIC_MARK}


def write_image(image: "sitk.Image", path: Path, own_fields: Mapping[str, str] | None = None) -> None:
    """Writes an uncompressed NRRD file by Python's own `open`: quick, and any path works on any system.

    Args:
        image: The image.
        path: File to write.
        own_fields: Names and values of fields of our own; letters that are not ASCII become question marks.

    Source: format definition NRRD0005, teem.sourceforge.net/nrrd/format.html.
    """
    import SimpleITK as sitk

    voxels = sitk.GetArrayViewFromImage(image)
    if voxels.dtype.name not in _NRRD_TYPES:  # such as 64-bit integers, which no CT needs
        voxels = voxels.astype(np.float64)
    names = {"float32": "float", "float64": "double"}
    steps = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()  # column = one voxel along an axis
    header = (
        "NRRD0005",
        f"type: {names.get(voxels.dtype.name, voxels.dtype.name)}",
        "dimension: 3",
        "space: left-posterior-superior",
        f"sizes: {' '.join(str(n) for n in image.GetSize())}",
        f"space directions: {' '.join(_vector(steps[:, axis]) for axis in range(3))}",
        "kinds: domain domain domain",
        "endian: little",
        "encoding: raw",
        f"space origin: {_vector(image.GetOrigin())}",
    )
    header = (*header, *(f"{name}:={value}" for name, value in (own_fields or {}).items()))
    with path.open("wb") as file:
        file.write(("\n".join(header) + "\n\n").encode("ascii", errors="replace"))
        file.write(np.ascontiguousarray(voxels, dtype=voxels.dtype.newbyteorder("<")).data)


def _vector(values: Any) -> str:
    return "(" + ",".join(repr(float(v)) for v in values) + ")"
