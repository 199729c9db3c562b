"""The front door for files: a CT and a mask from whatever format they are in."""

from dataclasses import replace
from pathlib import Path

import SimpleITK as sitk

from PDL1PredictorLib.core.case import require_ct, require_region
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.dicom.files import header, is_dicom, quiet
from PDL1PredictorLib.imaging.file_hashes import region_changed, region_print
from PDL1PredictorLib.imaging.label_maps import pick_label
from PDL1PredictorLib.imaging.loaded import Loaded
from PDL1PredictorLib.imaging.placing import place_mask
from PDL1PredictorLib.imaging.suv import require_suv
from PDL1PredictorLib.imaging.volumes.files import forget_metadata, read_header, read_volume, require_file


def read_ct(path: Path | str, series: str | None = None) -> Loaded:
    """Read a CT.

    Args:
        path: NIfTI, NRRD or MetaImage file, the folder of a DICOM series, or one of its files.
        series: SeriesInstanceUID, if a DICOM folder holds several CT series.

    Raises:
        InputError: It cannot be read, is damaged, or is no CT; with what is wrong and what to do.
    """
    path = Path(path)
    require_file(path, "CT")
    if path.is_dir() or is_dicom(path):
        from PDL1PredictorLib.imaging.dicom.series import read_series  # brings pydicom, which takes its time

        loaded = read_series(path, series)
    else:
        loaded = read_volume(path, "CT")
        forget_metadata(loaded.image)
    doubt = require_ct(loaded.image)
    if doubt:
        loaded = replace(loaded, warnings=(*loaded.warnings, CaseWarning("hounsfield_uncertain", doubt)))
    return loaded


def read_pet(path: Path | str, series: str | None = None) -> Loaded:
    """Read a PET, in SUV by body weight, on its own grid.

    Args:
        path: Folder of a DICOM series, or one of its files, in Bq/mL with dose, weight and times, or in SUV; or a
            NIfTI, NRRD or MetaImage file in SUV.
        series: SeriesInstanceUID, where a DICOM folder holds several PET series.

    Raises:
        InputError: It cannot be read, or its numbers are no SUV and cannot be converted.
    """
    path = Path(path)
    require_file(path, "PET")
    if path.is_dir() or is_dicom(path):
        from PDL1PredictorLib.imaging.dicom.pet import read_pet_series

        loaded = read_pet_series(path, series)
    else:
        loaded = read_volume(path, "PET")
        forget_metadata(loaded.image)
    require_suv(loaded.image)
    return loaded


def is_synthetic(path: Path | str) -> bool:
    """Whether a CT's file is marked as of a synthetic patient; its voxels are not read.

    Raises:
        InputError: The file is not there, or its header cannot be read.
    """
    path = Path(path)
    require_file(path, "CT")
    return not (path.is_dir() or is_dicom(path)) and read_header(path, "CT").synthetic


def read_mask(
    path: Path | str, ct: sitk.Image, segment: str | None = None, resample: bool = False, fill_gaps: bool = False
) -> Loaded:
    """Read the mask of a CT.

    Args:
        path: Label map (NIfTI, NRRD, MetaImage), segmentation of 3D Slicer (.seg.nrrd), RTSTRUCT or DICOM SEG, or a
            folder that holds exactly one of the last two.
        ct: The CT, as `read_ct` gave it.
        segment: Which region, by name or number (label value); needed if there are several.
        resample: Allow a mask on another grid, by linear interpolation.
        fill_gaps: Interpolate contours of an RTSTRUCT that are missing on more than two slices in a row.

    Returns:
        uint8 0/1 on the CT's grid, at least one voxel set, and what was done to get there.

    Raises:
        InputError: It cannot be read, or it is not clear which region is meant; all are listed.
        GridMismatchError: It lies on another grid, or was drawn on another scan.
        EmptyRegionError: No voxel is set.
        MissingPackageError: highdicom is needed for DICOM SEG.
    """
    path = Path(path)
    require_file(path, "mask")
    if path.is_dir():
        path = _only_dicom_mask(path)
    if is_dicom(path):
        from PDL1PredictorLib.imaging.dicom.masks import read_dicom_mask

        loaded = read_dicom_mask(path, ct, segment, fill_gaps)
    else:
        volume = read_volume(path, "mask")
        picked = pick_label(volume.image, segment, path.name)
        loaded = replace(picked, warnings=(*volume.warnings, *picked.warnings))
    require_region(loaded.image, "mask", minimum=1)
    placed = place_mask(loaded.image, ct, resample)
    forget_metadata(placed.image)
    outline = loaded.outline
    if outline is not None and outline.voxels:
        outline = replace(outline, edited=region_changed(outline.voxels, region_print(placed.image)))
    return replace(loaded, image=placed.image, warnings=(*loaded.warnings, *placed.warnings), outline=outline)


@quiet()
def _only_dicom_mask(folder: Path) -> Path:
    found = [p for p in sorted(folder.iterdir()) if is_dicom(p)]
    masks = [p for p in found if str(header(p, ["Modality"]).get("Modality", "")) in ("RTSTRUCT", "SEG")]
    if len(masks) == 1:
        return masks[0]
    listed = f": {', '.join(p.name for p in masks)}" if masks else ""
    raise InputError(f"{folder} holds {len(masks)} RTSTRUCT or SEG files{listed}. Choose the file of the mask.")
