"""A contour as a file: a segment for 3D Slicer, or a label map; each says where it comes from."""

from datetime import UTC, datetime
from pathlib import Path

import SimpleITK as sitk

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.provenance import STATUS_NOTE, Outline
from PDL1PredictorLib.imaging.file_hashes import region_print
from PDL1PredictorLib.imaging.volumes.itk import write_image
from PDL1PredictorLib.report.nrrd import write_nrrd
from PDL1PredictorLib.report.segments import write_tumor
from PDL1PredictorLib.segmentation.segment import Segmented

SUFFIXES = (".seg.nrrd", ".nrrd", ".nii.gz")
FILE_NOTES = "ITK_FileNotes"  # SimpleITK writes it as NIfTI's description
MOST_NOTES = 79  # bytes of that field


def require_suffix(path: Path) -> str:
    """The suffix of a file that can be written.

    Raises:
        InputError: It has another one.
    """
    found = next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), None)
    if found is None:
        raise InputError(f"The contour can be written as {', '.join(SUFFIXES)}; got {path.name}. Choose one of these.")
    return found


def write_segmented(found: Segmented, path: Path) -> None:
    """Write a contour on the CT's grid.

    Args:
        found: The contour.
        path: File to write; its suffix names the format.

    Raises:
        InputError: The suffix names none.
        OSError: It cannot be written.
    """
    suffix = require_suffix(path)
    if suffix == ".seg.nrrd":
        notes = notes_of(found)
        del notes[STATUS_NOTE]  # 3D Slicer has a tag of its own for it
        write_tumor(found.mask, path, notes)
    elif suffix == ".nrrd":
        write_nrrd(path, sitk.GetArrayFromImage(found.mask), found.mask, notes_of(found))
    else:
        image = sitk.Image(found.mask)
        image.SetMetaData(FILE_NOTES, brief(found))
        write_image(image, path, compressed=True)


def outline_of_segmented(found: Segmented) -> Outline:
    """How a contour was drawn, in the form that results, reports and filed objects tell it."""
    return Outline(
        method=found.method if not found.network else f"{found.method} ({found.network})",
        version=__version__,
        prompt="point" if len(found.prompt.points) == 1 else "line",
        points_lps_mm=found.prompt.points,
        warnings=tuple(warning.code for warning in found.warnings),
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        voxels=region_print(found.mask),
        edited=False,
    )


def notes_of(found: Segmented) -> dict[str, str]:
    """Where a contour comes from, by name."""
    return outline_of_segmented(found).notes()


def brief(found: Segmented) -> str:
    """The same in the few letters that NIfTI has room for."""
    points = " ".join(",".join(f"{x:.1f}" for x in point) for point in found.prompt.points)
    return f"PDL1Predictor {__version__} semi-automatic {found.method} LPS {points}"[:MOST_NOTES]
