"""The header of a MetaImage (.mha, .mhd), read by the rules of docs/input.md.

Source: MetaIO's MetaImage documentation, itk.org/Wiki/ITK/MetaIO/Documentation, and its sources (names of one field).
"""

import difflib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from PDL1PredictorLib.core.case import SYNTHETIC_KEY, SYNTHETIC_MARK
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.volumes.data_files import data_file, require_one_file
from PDL1PredictorLib.imaging.volumes.header import (
    Place,
    Stored,
    VolumeHeader,
    damaged,
    numbers,
    orientation_unknown,
    placed,
    require_shape,
    require_spacing,
    whole_numbers,
)

MOST_HEADER_BYTES = 1 << 24
TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
MATRICES = ("TransformMatrix", "Rotation", "Orientation")
OFFSETS = ("Offset", "Position", "Origin")
KNOWN = (
    *("ObjectType", "NDims", "BinaryData", "BinaryDataByteOrderMSB", "ElementByteOrderMSB", "CompressedData"),
    *("CompressedDataSize", *MATRICES, *OFFSETS, "CenterOfRotation", "AnatomicalOrientation", "ElementSpacing"),
    *("ElementSize", "DimSize", "HeaderSize", "ElementNumberOfChannels", "ElementType", "ElementDataFile"),
    *("ElementMin", "ElementMax", "ElementNBits", "SequenceID", "Modality", "ObjectSubType", "TransformType"),
    *("Comment", "Name", "ID", "ParentID", "Color", "CreationDate", "AcquisitionDate"),
    *("DistanceUnits", "ElementToIntensityFunctionSlope", "ElementToIntensityFunctionOffset"),
)
NEARLY = 0.8  # a name this like a known one is that one, damaged


@dataclass(frozen=True)
class _Text:
    """A header as read: fields, the data file's name, bytes taken."""

    fields: dict[str, str]
    data_name: bytes
    size: int

    def first(self, names: tuple[str, ...]) -> list[str] | None:
        return next((self.fields[name].split() for name in names if name in self.fields), None)

    def is_true(self, name: str) -> bool:
        return self.fields.get(name, "").lower()[:1] in ("t", "1", "y")


def read_metaimage_header(path: Path, what: str) -> VolumeHeader:
    """The header of a MetaImage.

    Args:
        path: The file, or a detached header.
        what: What it is read as, for messages.

    Raises:
        InputError: It is damaged, contradicts itself, or holds what is no volume.
        OSError: It cannot be read.
    """
    text = _text(path)
    sizes = _whole(path, text, "DimSize")
    if text.fields.get("NDims") != str(len(sizes)):
        raise damaged(path, f"it has {text.fields.get('NDims', 'no')} dimensions and {len(sizes)} sizes")
    channels = (_whole(path, text, "ElementNumberOfChannels") or [1])[0]
    if not 1 <= channels <= 4096:
        raise damaged(path, f"it has {channels} values per voxel")
    size = require_shape(path, what, sizes)
    place, warnings = _place(path, text, len(sizes), size)
    shape = tuple(sizes[::-1])
    return VolumeHeader(
        shape=(*shape, channels) if channels > 1 else shape,
        size=size,
        component_axis=len(shape) if channels > 1 else None,
        place=place,
        stored=_stored(path, text, sizes, channels),
        warnings=warnings,
        synthetic=text.fields.get(SYNTHETIC_KEY) == SYNTHETIC_MARK,
    )


def metaimage_data_file(path: Path) -> Path:
    """The file that holds the voxels: the header's own, or the one that it names.

    Raises:
        InputError: It is no MetaImage, or the data file is not one that is followed.
        OSError: It cannot be read.
    """
    return _data_file(path, _text(path))


def _text(path: Path) -> _Text:
    fields: dict[str, str] = {}
    with path.open("rb") as stream:
        while line := stream.readline(MOST_HEADER_BYTES):
            key, equals, value = line.partition(b"=")
            name = key.decode("latin-1").strip()
            if not (equals and line.endswith(b"\n")) and name != "ElementDataFile":
                raise damaged(path, f"its header has the line {line[:60].decode('latin-1').strip()!r}")
            if name in fields:
                raise damaged(path, f"its header says {name} twice")
            _require_known(path, name)
            fields[name] = value.decode("utf-8", "replace").strip()
            if name == "ElementDataFile":
                return _Text(fields, value.strip(), stream.tell())
            if stream.tell() > MOST_HEADER_BYTES:
                break
    raise damaged(path, "its header has no ElementDataFile")


def _require_known(path: Path, name: str) -> None:
    """Refuse a damaged name of a field; others are notes of whoever wrote the file."""
    if name in KNOWN:
        return
    like = difflib.get_close_matches(name, KNOWN, 1, NEARLY)
    if like:
        raise damaged(path, f"its header has the field {name!r}, which looks like {like[0]}")


def _numbers(path: Path, text: _Text, names: tuple[str, ...]) -> list[float]:
    """The numbers of the first of these fields; none where there is no such field."""
    return numbers(path, text.first(names) or [], names[0])


def _whole(path: Path, text: _Text, name: str) -> list[int]:
    return whole_numbers(path, text.first((name,)) or [], name)


def _place(path: Path, text: _Text, axes: int, size: tuple[int, int, int]) -> tuple[Place, tuple[CaseWarning, ...]]:
    if text.fields.get("DistanceUnits", "mm").lower() not in ("mm", "?"):
        raise InputError(f"{path.name} gives the unit {text.fields['DistanceUnits']}; mm is needed. Export it again.")
    spacing = _numbers(path, text, ("ElementSpacing", "ElementSize"))
    matrix, origin = _numbers(path, text, MATRICES), _numbers(path, text, OFFSETS)
    if not spacing:
        raise InputError(f"{path.name} does not say the spacing of its voxels. Export it again.")
    if len(spacing) != axes or len(matrix) not in (0, axes**2) or len(origin) not in (0, axes):
        raise damaged(
            path,
            f"it has {axes} axes, {len(spacing)} spacings, {len(matrix)} direction cosines and {len(origin)} offsets",
        )
    missing = [name for name, values in (("TransformMatrix", matrix), ("Offset", origin)) if not values]
    rows = np.reshape(matrix or np.eye(axes), (axes, axes))[:3, :3]  # one row per axis
    lengths = np.linalg.norm(rows, axis=1)
    if not np.abs(lengths - 1).max() <= 1e-3:  # also NaN
        raise damaged(path, f"the axes in its TransformMatrix are {', '.join(f'{x:g}' for x in lengths)} long, not 1")
    require_spacing(path, spacing[:3])
    place, warnings = placed(path, rows.T * spacing[:3], (origin or [0.0] * axes)[:3], size)
    place = Place((spacing[0], spacing[1], spacing[2]), place.origin_mm, place.direction)
    return place, (
        orientation_unknown(path, f"it has no {' and no '.join(missing)}"),
        *warnings,
    ) if missing else warnings


def _stored(path: Path, text: _Text, sizes: list[int], channels: int) -> Stored:
    for name, plain in (("ElementToIntensityFunctionSlope", 1.0), ("ElementToIntensityFunctionOffset", 0.0)):
        if _numbers(path, text, (name,)) not in ([], [plain]):
            raise InputError(
                f"{path.name} gives {name} {text.fields[name]}, which is not applied. Export plain values."
            )
    kind = TYPES.get(text.fields.get("ElementType", ""))
    if text.fields.get("ObjectType", "Image") != "Image" or kind is None:
        raise damaged(path, f"its ElementType is {text.fields.get('ElementType', 'missing')}")
    msb = text.is_true("BinaryDataByteOrderMSB") or text.is_true("ElementByteOrderMSB")
    dtype = np.dtype(kind).newbyteorder(">" if msb else "<")
    file = _data_file(path, text)
    start = text.size if file == path else 0
    if "BinaryData" in text.fields and not text.is_true("BinaryData"):  # where nothing is said, ITK reads bytes
        return Stored(file, start, "text", dtype)
    skip = (_whole(path, text, "HeaderSize") or [0])[0]
    if text.is_true("CompressedData"):
        length = _whole(path, text, "CompressedDataSize")
        return Stored(file, start + max(skip, 0), "zlib", dtype, stored_bytes=length[0] if length else None)
    if skip == -1:
        start, skip = file.stat().st_size - int(np.prod([*sizes, channels], dtype=object)) * dtype.itemsize, 0
    if skip < 0 or start < 0:
        raise damaged(
            path, f"its HeaderSize is {text.fields.get('HeaderSize')} and {file.name} too short for its voxels"
        )
    return Stored(file, start, "raw", dtype, skip=skip)


def _data_file(path: Path, text: _Text) -> Path:
    if text.fields["ElementDataFile"].upper() == "LOCAL":
        return path
    require_one_file(path, text.data_name)
    return data_file(path, text.data_name)
