"""Masks from DICOM: RTSTRUCT contours and DICOM SEG, as volumes that lie on the CT's grid or can be placed there."""

from pathlib import Path

import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.dicom_files import header, require_whole
from PDL1PredictorLib.imaging.dicom_seg import read_seg
from PDL1PredictorLib.imaging.loaded import Loaded
from PDL1PredictorLib.imaging.rtstruct import read_rtstruct


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
    require_whole(path)
    data = header(path)
    modality = str(data.get("Modality", ""))
    try:
        if modality == "RTSTRUCT":
            return read_rtstruct(data, path.name, ct, segment, fill_gaps)
        if modality == "SEG":
            return read_seg(path, ct, segment)
    except MemoryError as error:
        raise InputError(
            f"There is too little memory to read {path.name}. Close other programs, or use a computer with more."
        ) from error
    raise InputError(f"{path.name} is DICOM {modality or 'without a modality'}; a mask is an RTSTRUCT or a SEG.")
