"""Masks from DICOM: RTSTRUCT contours and DICOM SEG, as volumes that lie on the CT's grid or can be placed there."""

from pathlib import Path
from typing import Any

import pydicom
import SimpleITK as sitk
from pydicom.dataelem import RawDataElement

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.dicom.files import UNDEFINED_LENGTH, DicomStream, quiet, uid
from PDL1PredictorLib.imaging.dicom.rtstruct import read_rtstruct
from PDL1PredictorLib.imaging.dicom.seg import read_seg
from PDL1PredictorLib.imaging.loaded import Loaded
from PDL1PredictorLib.imaging.plain_words import plain_words

DEFERRED_BYTES = 1024  # longer values are passed over while it is looked whether they are there


@quiet()
def read_dicom_mask(path: Path, ct: sitk.Image, segment: str | None, fill_gaps: bool = False) -> Loaded:
    """A region of an RTSTRUCT (on the CT's grid) or of a DICOM SEG (on its own grid), uint8 0/1.

    Args:
        path: The file.
        ct: The CT that it was drawn on.
        segment: Name or number of the region; None if there is only one.
        fill_gaps: Interpolate contours over more than two slices in a row too.

    Raises:
        InputError: Neither of the two, damaged, the choice of the region is not clear, or contours are missing.
        GridMismatchError: It was drawn on another scan.
        EmptyRegionError: The region has no contour or voxel.
        MissingPackageError: highdicom is needed for DICOM SEG.
    """
    with plain_words(path, "DICOM file"):
        data = _opened(path)
        modality = str(data.get("Modality") or "")
    if modality == "RTSTRUCT":
        return read_rtstruct(data, path, ct, segment, fill_gaps)
    if modality == "SEG":
        return read_seg(data, path, ct, segment)
    raise InputError(f"{path.name} is DICOM {modality or 'without a modality'}; a mask is an RTSTRUCT or a SEG.")


def _opened(path: Path) -> Any:
    """The whole data set, once it is known to end where its values do, which pydicom does not look at."""
    with DicomStream(path) as stream:
        raw = pydicom.dcmread(stream, defer_size=DEFERRED_BYTES)  # nothing is converted yet
        syntax = uid(raw.file_meta.get("TransferSyntaxUID"))
        if syntax and not syntax.is_transfer_syntax:
            raise InputError(
                f"{path.name} is stored in the transfer syntax {syntax}, which is not known. Export it again."
            )
        for element in raw.values():
            if not isinstance(element, RawDataElement) or element.length == UNDEFINED_LENGTH:
                continue
            if element.value_tell + element.length > stream.size:
                raise InputError(f"{path.name} is cut off in its value {element.tag}. Copy or export it again.")
        stream.seek(0)
        return pydicom.dcmread(stream)
