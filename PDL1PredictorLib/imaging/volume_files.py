"""One volume from one file: NIfTI, NRRD or MetaImage, with the damage found that the readers pass over in silence."""

import gzip
import math
import os
import struct
import zlib
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.loaded import Loaded

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")
CHUNK_BYTES = 1 << 22


def read_volume(path: Path, what: str) -> Loaded:
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
        _require_whole_nifti(path, what)
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
    return Loaded(image)


def require_file(path: Path, what: str) -> None:
    """Refuse a path that leads nowhere, or to an empty file.

    Raises:
        InputError: With what is wrong.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist. Choose the file or DICOM folder of the {what}.")
    if path.is_file() and path.stat().st_size == 0:
        raise InputError(f"{path.name} is empty. Copy or export it again.")
    if not os.access(path, os.R_OK):
        raise InputError(f"{path} may not be read. Ask for the right to read it, or copy it to a folder of your own.")


def reason(error: Exception) -> str:
    """The last line of an ITK exception, which is the one that says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200].rstrip(".") if lines else type(error).__name__


def forget_metadata(image: sitk.Image) -> None:
    """Erase what a header said besides the geometry: it may name the patient, and would travel with the image."""
    for key in image.GetMetaDataKeys():
        image.EraseMetaData(key)


@dataclass(frozen=True)
class _NiftiHeader:
    data_start: int
    data_bytes: int
    spacing_mm: tuple[float, ...]
    float_type: np.dtype | None


def _require_whole_nifti(path: Path, what: str) -> None:
    """Refuse a NIfTI that ITK would repair in silence: cut off (adds zeros), spacing 0 (takes 1 mm), NaN (takes 0)."""
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if zipped else path.open("rb") as stream:
            header = _nifti_header(stream.read(540))
            expected = header.data_start + header.data_bytes
            if header.float_type is not None:
                size, bad = _count(stream, header, header.float_type)
            else:
                size, bad = _unzipped_size(path, expected) if zipped else path.stat().st_size, 0
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise InputError(
            f"{path.name} is not a whole NIfTI file ({reason(error)}). Copy or export it again."
        ) from error
    if size < expected:
        raise InputError(
            f"{path.name} is cut off: its header promises {expected} bytes, it holds {size}. Copy or export it again."
        )
    if not all(math.isfinite(s) and s != 0 for s in header.spacing_mm):
        raise InputError(
            f"{path.name} gives the spacing {' x '.join(f'{s:g}' for s in header.spacing_mm)} mm; "
            "every spacing must be positive. Export it again."
        )
    if bad:
        raise InputError(f"The {what} has {bad} voxels that are NaN or infinite. Export it again from its source.")


def _nifti_header(header: bytes) -> _NiftiHeader:
    for order in "<>":
        length = struct.unpack_from(f"{order}i", header)[0]
        if length == 348:  # NIfTI-1
            dim = struct.unpack_from(f"{order}8h", header, 40)
            code, bits = struct.unpack_from(f"{order}2h", header, 70)
            pixdim = struct.unpack_from(f"{order}8f", header, 76)
            offset = struct.unpack_from(f"{order}f", header, 108)[0]
        elif length == 540:  # NIfTI-2
            dim = struct.unpack_from(f"{order}8q", header, 16)
            code, bits = struct.unpack_from(f"{order}2h", header, 12)
            pixdim = struct.unpack_from(f"{order}8d", header, 104)
            offset = struct.unpack_from(f"{order}q", header, 168)[0]
        else:
            continue
        axes = dim[1 : 1 + min(max(dim[0], 0), 7)]
        floats = {16: np.dtype(f"{order}f4"), 64: np.dtype(f"{order}f8")}
        return _NiftiHeader(
            data_start=int(offset),
            data_bytes=math.prod(axes) * bits // 8,
            spacing_mm=tuple(pixdim[1 : 1 + min(len(axes), 3)]),
            float_type=floats.get(code),
        )
    raise OSError("its first bytes are not a NIfTI header")


def _count(stream: BufferedIOBase, header: _NiftiHeader, float_type: np.dtype) -> tuple[int, int]:
    """Size of the (unzipped) file up to the end of its voxels, and how many of those are not finite."""
    stream.seek(header.data_start)
    left, bad = header.data_bytes, 0
    while left > 0 and (chunk := stream.read(min(left, CHUNK_BYTES))):
        left -= len(chunk)
        values = np.frombuffer(chunk, float_type, count=len(chunk) // float_type.itemsize)
        bad += int(np.count_nonzero(~np.isfinite(values)))
    return header.data_start + header.data_bytes - left, bad


def _unzipped_size(path: Path, expected: int) -> int:
    """Size after unzipping; the file is unzipped only if its last four bytes do not already state the expected size."""
    with path.open("rb") as stream:
        stream.seek(-4, os.SEEK_END)
        if struct.unpack("<I", stream.read(4))[0] == expected % 2**32:
            return expected
    size = 0
    with gzip.open(path) as stream:
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
    return size
