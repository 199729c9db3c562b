"""One volume from one file: NIfTI, NRRD or MetaImage, read by this library itself, by the rules of docs/input.md.

SimpleITK's own readers pass over damage in silence (a wrong checksum, a header that contradicts itself), end the
process at a name that is not UTF-8, and ask for the memory that a damaged header promises.
"""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.loaded import Loaded
from PDL1PredictorLib.imaging.volumes.header import VolumeHeader
from PDL1PredictorLib.imaging.volumes.metaimage import metaimage_data_file, read_metaimage_header
from PDL1PredictorLib.imaging.volumes.nifti import read_nifti_header
from PDL1PredictorLib.imaging.volumes.nrrd import nrrd_data_file, read_nrrd_header
from PDL1PredictorLib.imaging.volumes.stored_voxels import load, not_finite, require_room

SUFFIXES = (".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd")


def read_volume(path: Path, what: str) -> Loaded:
    """Read a volume file; axes of one element beyond the third are dropped.

    Args:
        path: A file with one of the known suffixes.
        what: What it is read as, for messages, such as "CT".

    Returns:
        The volume, whose only metadata are what 3D Slicer says of segments and `pdl1 segment` of its contour; and what
        was repaired or assumed.

    Raises:
        InputError: No such file, an unknown suffix, or a file that is damaged, cut off, contradicts itself, or cannot
            be read for another reason, which is said.
    """
    header = read_header(path, what)
    try:
        values, extra = load(header)
        bad = not_finite(values)
        if bad:
            raise InputError(f"The {what} has {bad} voxels that are NaN or infinite. Export it again from its source.")
        image = _image(values, header)
    except OSError as error:
        raise unreadable(path, error) from error
    except (MemoryError, RuntimeError) as error:  # SimpleITK knows only the latter
        raise InputError(
            f"There is not enough memory for {path.name}: its voxels need {_gigabytes(header):.2g} GB twice. Close "
            "other programs, or crop the volume."
        ) from error
    return Loaded(image, (*header.warnings, *_extra(path, extra)), synthetic=header.synthetic)


def read_header(path: Path, what: str) -> VolumeHeader:
    """The header of a volume file, without its voxels.

    Raises:
        InputError: As `read_volume`.
    """
    require_file(path, what)
    name = path.name.lower()
    if not name.endswith(SUFFIXES):
        raise InputError(
            f"{path.name} is no file that can be read as {what}. Known: {', '.join(SUFFIXES)} and DICOM. "
            "Convert it first."
        )
    try:
        if not path.is_file():
            raise InputError(f"{path.name} is no file. Choose the file of the {what}.")
        header = _reader(name)(path, what)
        require_room(header)
    except OSError as error:
        raise unreadable(path, error) from error
    return header


def _reader(name: str) -> Callable[[Path, str], VolumeHeader]:
    if name.endswith((".nii", ".nii.gz")):
        return read_nifti_header
    return read_nrrd_header if name.endswith((".nrrd", ".nhdr")) else read_metaimage_header


def files_of(path: Path) -> tuple[Path, ...]:
    """The files of a volume: the one named, and the data file that a detached header leads to.

    Raises:
        InputError: The header cannot be read, or leads to no file that is followed.
    """
    name = path.name.lower()
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for
            raise InputError(f"{path.name} is no file. Choose the file of the volume.")
        if name.endswith((".nrrd", ".nhdr")):
            data = nrrd_data_file(path)
        elif name.endswith((".mha", ".mhd")):
            data = metaimage_data_file(path)
        else:
            return (path,)
    except OSError as error:
        raise unreadable(path, error) from error
    return (path,) if data == path else (path, data)


def require_file(path: Path, what: str) -> None:
    """Refuse a path that leads nowhere, or to an empty file.

    Raises:
        InputError: With what is wrong.
    """
    try:
        exists = path.exists()
        empty = exists and path.is_file() and path.stat().st_size == 0
    except OSError as error:  # a folder on the way may not be entered, or the name is too long
        raise unreadable(path, error) from error
    if not exists:
        raise InputError(f"{path} does not exist. Choose the file or DICOM folder of the {what}.")
    if empty:
        raise InputError(f"{path.name} is empty. Copy or export it again.")
    if not os.access(path, os.R_OK):
        raise unreadable(path, PermissionError())


def unreadable(path: Path, error: OSError) -> InputError:
    """The error for a file that the system does not let be read, with the system's reason."""
    if isinstance(error, PermissionError):
        return InputError(f"{path} may not be read. Ask for the right to read it, or copy it to a folder of your own.")
    return InputError(f"{path} cannot be read: {error.strerror or error}. Check the disk, or copy the file again.")


def reason(error: Exception) -> str:
    """The last line of an ITK exception, which is the one that says what happened."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1][:200].rstrip(".") if lines else type(error).__name__


def forget_metadata(image: sitk.Image) -> None:
    """Erase what a header said besides the geometry: it may name the patient, and would travel with the image."""
    for key in image.GetMetaDataKeys():
        image.EraseMetaData(key)


def _image(values: np.ndarray, header: VolumeHeader) -> sitk.Image:
    components = 1
    if header.component_axis is not None:
        values = np.moveaxis(values, header.component_axis, -1)
        components = values.shape[-1]
    shape = header.size[::-1] if components == 1 else (*header.size[::-1], components)
    image = sitk.GetImageFromArray(values.reshape(shape), isVector=components > 1)
    image.SetSpacing(header.place.spacing_mm)
    image.SetOrigin(header.place.origin_mm)
    image.SetDirection(header.place.direction)
    for key, value in header.segments.items():
        image.SetMetaData(key, value)
    return image


def _gigabytes(header: VolumeHeader) -> float:
    return float(np.prod(header.shape, dtype=float)) * header.stored.dtype.itemsize / 1e9


def _extra(path: Path, count: int) -> tuple[CaseWarning, ...]:
    if not count:
        return ()
    text = f"{path.name} holds {count} bytes after its last voxel; they were passed over."
    return (CaseWarning("extra_bytes", text),)
