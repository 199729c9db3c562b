"""What the DICOM readers share: which files are DICOM, and their headers."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pydicom
import SimpleITK as sitk
from pydicom.dataelem import RawDataElement

from PDL1PredictorLib.core.errors import GridMismatchError, InputError

FRAME_KEY = "0020|0052"  # the CT carries its frame of reference, so that masks of another are refused
UNDEFINED_LENGTH = 0xFFFFFFFF


def is_dicom(path: Path) -> bool:
    """Whether a file has the DICOM prefix."""
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(132)[128:] == b"DICM"


def header(path: Path, tags: Sequence[str] | None = None) -> Any:
    """A file's data set without pixels; only some tags if they are named, which is faster.

    Raises:
        InputError: The file is damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # values that break the standard's small print are common and do no harm here
        try:
            return pydicom.dcmread(path, stop_before_pixels=True, specific_tags=list(tags) if tags else None)
        except Exception as error:
            raise InputError(f"{path.name} is a damaged DICOM file ({error}). Export it again.") from error


def require_whole(path: Path) -> None:
    """Refuse a DICOM file that ends before its last value does, which pydicom reads without a word.

    Raises:
        InputError: The file is cut off or damaged.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            data = pydicom.dcmread(path, defer_size=1024)  # long values are passed over
        except Exception as error:
            raise InputError(f"{path.name} is a damaged DICOM file ({error}). Export it again.") from error
    size = path.stat().st_size
    for tag in data.keys():  # noqa: SIM118 - a data set iterates over converted elements, not tags
        element = data.get_item(tag)
        if not isinstance(element, RawDataElement) or element.length == UNDEFINED_LENGTH:
            continue
        if element.value_tell + element.length > size:
            raise InputError(f"{path.name} is cut off in its value {element.tag}. Copy or export it again.")


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
