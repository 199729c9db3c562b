"""What the DICOM readers share: which files are DICOM, and their headers."""

import io
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import SimpleITK as sitk

from PDL1PredictorLib.core.errors import GridMismatchError, InputError
from PDL1PredictorLib.imaging.volumes.files import unreadable

if TYPE_CHECKING:
    from pydicom.uid import UID

FRAME_KEY = "0020|0052"  # the CT carries its frame of reference, so that masks of another are refused
UNDEFINED_LENGTH = 0xFFFFFFFF
PREFIX = b"\0" * 128 + b"DICM"
FIRST_VRS = (b"UL", b"CS", b"UI", b"DA", b"TM", b"OB", b"SH", b"LO", b"DT")  # of the elements that a file begins with
MAX_FIRST_ELEMENT = 0x0070
MAX_FIRST_LENGTH = 1024
MAX_READ_UNASKED = 1 << 16  # bytes that a damaged length may ask for without a look at what is left


@contextmanager
def quiet() -> Iterator[None]:
    """Silence for what pydicom grumbles at, now or when a value is asked for.

    Breaks of the standard's small print are common and do no harm here; what matters is checked by the readers.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def uid(value: object) -> "UID":
    """A value of a header as UID, whether it is a valid one or not, without a word of pydicom's."""
    import pydicom  # not before a DICOM file is there: most cases are not, and it takes half as long as SimpleITK

    return pydicom.uid.UID(str(value or ""), validation_mode=pydicom.config.IGNORE)


def is_dicom(path: Path) -> bool:
    """Whether a file is DICOM: it has the prefix, or begins with DICOM's first elements without it.

    Raises:
        InputError: It may not be read.
    """
    try:
        return path.is_file() and begins_as_dicom(first_bytes(path))
    except OSError as error:
        raise InputError(not_readable(path, error)) from error


def first_bytes(path: Path) -> bytes:
    """As many bytes of a file as are needed to tell DICOM; raises OSError."""
    with path.open("rb") as stream:
        return stream.read(len(PREFIX) + 8)


def begins_as_dicom(start: bytes) -> bool:
    """Whether a file that starts so is DICOM."""
    return start[128:132] == b"DICM" or _begins_with_elements(start)


def lacks_prefix(start: bytes) -> bool:
    """Whether a DICOM file begins with its meta header at once, without the 128 bytes and four letters before it."""
    return start[128:132] != b"DICM" and start[:2] == b"\x02\x00"


def _begins_with_elements(start: bytes) -> bool:
    """Old exports lack the prefix: the first element is then of group 2 or 8 and has a VR, or a short, even length."""
    group, element = int.from_bytes(start[:2], "little"), int.from_bytes(start[2:4], "little")
    if len(start) < 8 or group not in (0x0002, 0x0008) or element > MAX_FIRST_ELEMENT:
        return False
    length = int.from_bytes(start[4:8], "little")
    return start[4:6] in FIRST_VRS or (length <= MAX_FIRST_LENGTH and length % 2 == 0)


def not_readable(path: Path, error: OSError) -> str:
    """That a file cannot be opened, in words."""
    if isinstance(error, PermissionError):
        return str(unreadable(path, error))
    return f"{path} cannot be read ({error.strerror or error}). Check the disk or the network, or copy it again."


class DicomStream(io.BufferedReader):
    """A file that never asks the system for more bytes than it holds: a damaged length would ask for gigabytes."""

    def __init__(self, path: Path) -> None:
        super().__init__(io.FileIO(path))
        self.size = os.fstat(self.fileno()).st_size

    def read(self, size: int | None = -1) -> bytes:
        """At most the bytes that are left."""
        if size is not None and size > MAX_READ_UNASKED:
            size = min(size, max(self.size - self.tell(), 0))
        return super().read(size)


def header(path: Path, tags: Sequence[str] | None = None) -> Any:
    """A file's data set without pixels; only some tags if they are named, which is faster.

    Raises:
        InputError: The file is damaged, or may not be read.
    """
    return _read(path, stop_before_pixels=True, specific_tags=list(tags) if tags else None)


def _read(path: Path, **options: Any) -> Any:
    import pydicom

    with quiet():
        try:
            with DicomStream(path) as stream:
                return pydicom.dcmread(stream, force=begins_as_dicom(first_bytes(path)), **options)
        except OSError as error:
            raise InputError(not_readable(path, error)) from error
        except Exception as error:
            raise InputError(f"{path.name} is a damaged DICOM file ({error}). Export it again.") from error


def require_same_frame(ct: sitk.Image, frame_uid: str, what: str) -> None:
    """Refuse a mask that was drawn in another frame of reference, if both are known.

    Raises:
        GridMismatchError: They differ.
    """
    ct_frame = ct.GetMetaData(FRAME_KEY) if ct.HasMetaDataKey(FRAME_KEY) else ""
    if ct_frame and frame_uid and ct_frame != frame_uid:
        raise GridMismatchError(
            f"{what} refers to another scan: its frame of reference is {frame_uid}, the CT's is {ct_frame}. "
            "Choose the CT series that it was drawn on."
        )
