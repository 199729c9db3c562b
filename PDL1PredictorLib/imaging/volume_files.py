"""One volume from one file: NIfTI, NRRD or MetaImage, with the damage found that the readers pass over in silence."""

import gzip
import math
import os
import struct
import zlib
from pathlib import Path

import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


def read_volume(path: Path, what: str) -> sitk.Image:
    """Read a volume file; axes of one element beyond the third are dropped.

    Args:
        path: A file with one of the known suffixes.
        what: What it is read as, for messages, such as "CT".

    Raises:
        InputError: No such file, an unknown suffix, or a file that is damaged or cut off.
    """
    require_file(path, what)
    name = path.name.lower()
    if not name.endswith(SUFFIXES):
        raise InputError(
            f"{path.name} is no file that can be read as {what}. Known: {', '.join(SUFFIXES)} and DICOM. "
            "Convert it first."
        )
    if name.endswith((".nii", ".nii.gz")):
        _require_whole_nifti(path)
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(
            f"{path.name} cannot be read: it is damaged, cut off, or not what its suffix says "
            f"({reason(error)}). Copy or export it again."
        ) from error
    while image.GetDimension() > 3 and image.GetSize()[-1] == 1:
        image = sitk.Extract(
            image,
            [*image.GetSize()[:-1], 0],
            [0] * image.GetDimension(),
            sitk.ExtractImageFilter.DIRECTIONCOLLAPSETOSUBMATRIX,
        )
    return image


def require_file(path: Path, what: str) -> None:
    """Refuse a path that leads nowhere, or to an empty file.

    Raises:
        InputError: With what is wrong.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist. Choose the file or DICOM folder of the {what}.")
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty. Copy or export it again.")


def reason(error: Exception) -> str:
    """The last line of an ITK exception, which is the one that says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200].rstrip(".") if lines else type(error).__name__


def forget_metadata(image: sitk.Image) -> None:
    """Erase what a header said besides the geometry: it may name the patient, and would travel with the image."""
    for key in image.GetMetaDataKeys():
        image.EraseMetaData(key)


def _require_whole_nifti(path: Path) -> None:
    """Refuse a NIfTI that ITK would fill up with zeros (cut off), or give a spacing of 1 mm (spacing 0)."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if zipped else path.open("rb") as stream:
            header = stream.read(540)
        expected, spacing = _nifti_header(header)
        size = _unzipped_size(path, expected) if zipped else path.stat().st_size
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise InputError(
            f"{path.name} is not a whole NIfTI file ({reason(error)}). Copy or export it again."
        ) from error
    if size < expected:
        raise InputError(
            f"{path.name} is cut off: its header promises {expected} bytes, it holds {size}. Copy or export it again."
        )
    if not all(math.isfinite(s) and s != 0 for s in spacing):
        raise InputError(
            f"{path.name} gives the spacing {' x '.join(f'{s:g}' for s in spacing)} mm; "
            "every spacing must be positive. Export it again."
        )


def _nifti_header(header: bytes) -> tuple[int, tuple[float, ...]]:
    """Least size of the unzipped file in bytes, and the spacing of the first three axes."""
    for order in "<>":
        length = struct.unpack_from(f"{order}i", header)[0]
        if length == 348:  # NIfTI-1
            dim = struct.unpack_from(f"{order}8h", header, 40)
            bits = struct.unpack_from(f"{order}h", header, 72)[0]
            pixdim = struct.unpack_from(f"{order}8f", header, 76)
            offset = struct.unpack_from(f"{order}f", header, 108)[0]
        elif length == 540:  # NIfTI-2
            dim = struct.unpack_from(f"{order}8q", header, 16)
            bits = struct.unpack_from(f"{order}h", header, 14)[0]
            pixdim = struct.unpack_from(f"{order}8d", header, 104)
            offset = struct.unpack_from(f"{order}q", header, 168)[0]
        else:
            continue
        axes = dim[1 : 1 + min(max(dim[0], 0), 7)]
        return int(offset) + math.prod(axes) * bits // 8, tuple(pixdim[1 : 1 + min(len(axes), 3)])
    raise OSError("its first bytes are not a NIfTI header")


def _unzipped_size(path: Path, expected: int) -> int:
    """Size after unzipping; the file is unzipped only if its last four bytes do not already state the expected size."""
    with path.open("rb") as stream:
        stream.seek(-4, os.SEEK_END)
        if struct.unpack("<I", stream.read(4))[0] == expected % 2**32:
            return expected
    size = 0
    with gzip.open(path) as stream:
        while chunk := stream.read(1 << 22):
            size += len(chunk)
    return size
