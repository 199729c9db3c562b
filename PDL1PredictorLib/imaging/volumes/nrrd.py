"""The header of a NRRD file (.nrrd, .nhdr), read by the rules of docs/input.md.

Source: format definition NRRD0005, teem.sourceforge.net/nrrd/format.html.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from PDL1PredictorLib.core.case import SYNTHETIC_KEY, SYNTHETIC_MARK
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.provenance import NOTES
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
    whole_numbers,
)

MOST_HEADER_BYTES = 1 << 24
TYPES = {
    "i1": ("signed char", "int8", "int8_t"),
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i2": ("short", "short int", "signed short", "signed short int", "int16", "int16_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"),
    "i4": ("int", "signed int", "int32", "int32_t"),
    "u4": ("uint", "unsigned int", "uint32", "uint32_t"),
    "i8": ("longlong", "long long", "long long int", "signed long long", "signed long long int", "int64", "int64_t"),
    "u8": ("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
CODINGS = {"raw": "raw", "gzip": "gzip", "gz": "gzip", "ascii": "text", "text": "text", "txt": "text"}
TO_LPS = {  # space: what turns its coordinates into left, posterior, superior
    "left-posterior-superior": (1, 1, 1), "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1), "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1), "las": (1, -1, 1),
}  # fmt: skip
NOWHERE = {"scanner-xyz", "3d-right-handed", "3d-left-handed"}  # spaces that say nothing of the patient
UNITS_MM = {"mm": 1.0, "millimeter": 1.0, "cm": 10.0, "m": 1000.0, "um": 0.001, "µm": 0.001, "": 1.0, "???": 1.0}
SPATIAL = {"domain", "space", "???", "none"}
FIELDS = {
    "dimension", "type", "blocksize", "encoding", "endian", "content", "min", "max", "oldmin", "oldmax", "datafile",
    "lineskip", "byteskip", "number", "sampleunits", "sizes", "spacings", "thicknesses", "axismins", "axismaxs",
    "centers", "centerings", "labels", "units", "kinds", "space", "spacedimension", "spaceunits", "spaceorigin",
    "spacedirections", "measurementframe",
}  # fmt: skip
VECTOR = re.compile(r"none|\([^()]*\)")


@dataclass
class _Text:
    """A header as read: fields by name without spaces, 3D Slicer's segments, the data file's name, bytes taken.

    Beside these, whether it is marked as of a synthetic patient.
    """

    fields: dict[str, str] = field(default_factory=dict)
    segments: dict[str, str] = field(default_factory=dict)
    data_name: bytes = b""
    size: int = 0
    synthetic: bool = False

    def words(self, name: str) -> list[str]:
        return self.fields.get(name, "").split()


@dataclass(frozen=True)
class _Axes:
    """Which stored axes (fastest first) are spatial, and which holds several values per voxel."""

    spatial: list[int]
    component: int | None


def read_nrrd_header(path: Path, what: str) -> VolumeHeader:
    """The header of a NRRD file.

    Args:
        path: The file, or a detached header.
        what: What it is read as, for messages.

    Raises:
        InputError: It is damaged, contradicts itself, or holds what is no volume.
        OSError: It cannot be read.
    """
    text = _text(path)
    sizes = whole_numbers(path, text.words("sizes"), "sizes")
    if text.fields.get("dimension") != str(len(sizes)):
        raise damaged(path, f"it has {text.fields.get('dimension', 'no')} dimensions and {len(sizes)} sizes")
    axes = _axes(path, text, sizes)
    if axes.component is not None and not 1 <= sizes[axes.component] <= 4096:
        raise damaged(path, f"it has {sizes[axes.component]} values per voxel")
    size = require_shape(path, what, [sizes[n] for n in axes.spatial])
    place, warnings = _place(path, text, axes, size)
    return VolumeHeader(
        shape=tuple(sizes[::-1]),
        size=size,
        component_axis=None if axes.component is None else len(sizes) - 1 - axes.component,
        place=place,
        stored=_stored(path, text, sizes),
        segments=text.segments,
        warnings=warnings,
        synthetic=text.synthetic,
    )


def nrrd_data_file(path: Path) -> Path:
    """The file that holds the voxels: the header's own, or the one that it names.

    Raises:
        InputError: It is no NRRD file, or the data file is not one that is followed.
        OSError: It cannot be read.
    """
    return _data_file(path, _text(path))


def _text(path: Path) -> _Text:
    text = _Text()
    with path.open("rb") as stream:
        first = stream.readline(64)
        if not re.fullmatch(rb"NRRD000[1-5]\r?\n", first):
            raise damaged(path, "it does not begin as a NRRD file does")
        while line := stream.readline(MOST_HEADER_BYTES):
            bare = line.rstrip(b"\r\n")
            if not bare:
                break
            if not bare.startswith(b"#"):
                _take_line(path, bare, text)
            if stream.tell() > MOST_HEADER_BYTES or not line.endswith(b"\n"):
                break
        text.size = stream.tell()
    return text


def _take_line(path: Path, line: bytes, text: _Text) -> None:
    """One line: `key:=value` is a note of whoever wrote it, `field: value` is the format's."""
    key, colon, rest = line.partition(b":")
    name = _decoded(key)
    if colon and rest.startswith(b"="):
        if name == SYNTHETIC_KEY:
            text.synthetic = _decoded(rest[1:]).strip() == SYNTHETIC_MARK
        if name.startswith(("Segment", NOTES)):
            text.segments[name] = _decoded(rest[1:]).replace("\\n", "\n").replace("\\\\", "\\")
        return
    name = name.replace(" ", "").lower()
    if name not in FIELDS or name in text.fields:
        raise damaged(path, f"its header has the line {_decoded(line)[:60]!r}")
    text.fields[name] = _decoded(rest).strip()
    if name == "datafile":
        text.data_name = rest.strip()


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _axes(path: Path, text: _Text, sizes: list[int]) -> _Axes:
    kinds = text.words("kinds") or ["domain"] * len(sizes)
    given = text.fields.get("spacedirections")
    vectors = ["(?)"] * len(sizes) if given is None else VECTOR.findall(given)
    if len(kinds) != len(sizes) or len(vectors) != len(sizes):
        raise damaged(path, f"it has {len(sizes)} sizes, {len(kinds)} kinds and {len(vectors)} space directions")
    others = [
        n for n, (kind, vector) in enumerate(zip(kinds, vectors, strict=True))
        if kind.lower() not in (*SPATIAL, "time") or vector == "none"
    ]  # fmt: skip
    wide = [n for n in others if sizes[n] > 1]
    if len(wide) > 1:
        raise InputError(f"{path.name} has {len(wide)} axes that are not of space. Choose one volume.")
    if "complex" in kinds or "2-vector" in kinds:
        raise InputError(f"{path.name} holds complex numbers or vectors. Choose a plain volume.")
    component = wide[0] if wide else None
    return _Axes([n for n in range(len(sizes)) if n not in others], component)


def _place(path: Path, text: _Text, axes: _Axes, size: tuple[int, int, int]) -> tuple[Place, tuple[CaseWarning, ...]]:
    flips, why = _space(path, text)
    unit_mm = _unit_mm(path, text)
    if "spacedirections" in text.fields:
        steps = _steps(path, text, axes)
        if "spacings" in text.fields:
            _require_equal_spacings(path, text, axes, steps)
    else:
        spacings = numbers(path, text.words("spacings"), "spacings")
        if len(spacings) <= max(axes.spatial):
            raise InputError(f"{path.name} does not say the spacing of its voxels. Export it again.")
        steps, why = np.diag([spacings[n] for n in axes.spatial[:3]]), why or "it has no space directions"
    origin = _origin(path, text)
    if origin is None:
        origin, why = np.zeros(3), why or "it has no space origin"
    place, warnings = placed(path, steps * flips[:, None] * unit_mm, origin * flips * unit_mm, size)
    return place, (orientation_unknown(path, why), *warnings) if why else warnings


def _space(path: Path, text: _Text) -> tuple[np.ndarray, str]:
    """What turns coordinates into LPS, and why they may not be the patient's."""
    space = text.fields.get("space", "").lower()
    base = space.removesuffix("-time") if space.endswith("-time") else space
    if len(base) == 4 and base.endswith("t"):
        base = base[:3]
    if base in TO_LPS:
        return np.asarray(TO_LPS[base], float), ""
    if base in NOWHERE:
        return np.ones(3), f"its space is {space}"
    if not space:
        return np.ones(3), "it names no space"
    raise damaged(path, f"its space is {space!r}, which NRRD does not know")


def _unit_mm(path: Path, text: _Text) -> float:
    given = re.findall(r'"([^"]*)"', text.fields.get("spaceunits", "") or text.fields.get("units", ""))
    lengths = {UNITS_MM.get(unit.strip().lower()) for unit in given[:3]} or {1.0}
    length = lengths.pop()
    if lengths or length is None:
        raise InputError(f"{path.name} gives the units {', '.join(given)}; mm is needed. Export it again.")
    return length


def _steps(path: Path, text: _Text, axes: _Axes) -> np.ndarray:
    vectors = VECTOR.findall(text.fields["spacedirections"])
    columns = [_vector(path, vectors[n], "space directions") for n in axes.spatial]
    return np.stack(columns[:3], axis=1)


def _vector(path: Path, text: str, name: str) -> np.ndarray:
    """Three numbers; a fourth coordinate, of time, is left out."""
    values = numbers(path, text.strip("()").split(","), name)
    if not 3 <= len(values) <= 4:
        raise damaged(path, f"its {name} have {len(values)} coordinates")
    return np.asarray(values[:3])


def _require_equal_spacings(path: Path, text: _Text, axes: _Axes, steps: np.ndarray) -> None:
    spacings = numbers(path, text.words("spacings"), "spacings")
    given = [spacings[n] if n < len(spacings) else np.nan for n in axes.spatial[:3]]
    lengths = np.linalg.norm(steps, axis=0)
    if any(np.isfinite(s) and abs(s - length) > 1e-3 * length for s, length in zip(given, lengths, strict=True)):
        raise InputError(
            f"{path.name} contradicts itself: its spacings are {given}, its space directions {lengths.tolist()} mm "
            "long. Export it again from its source."
        )


def _origin(path: Path, text: _Text) -> np.ndarray | None:
    if text.fields.get("spaceorigin"):
        return _vector(path, text.fields["spaceorigin"], "space origin")
    return None


def _stored(path: Path, text: _Text, sizes: list[int]) -> Stored:
    coding = CODINGS.get(text.fields.get("encoding", "").lower())
    if coding is None:
        raise InputError(
            f"{path.name} has the encoding {text.fields.get('encoding', 'none')!r}; raw, gzip and ascii are read. "
            "Save it again."
        )
    file = _data_file(path, text)
    start = 0 if file != path else text.size
    lines, skip = ((*whole_numbers(path, text.words(name)[:1], name), 0)[0] for name in ("lineskip", "byteskip"))
    if lines < 0 or skip < -1 or (skip == -1 and coding != "raw"):
        raise damaged(path, f"its header skips {lines} lines and {skip} bytes")
    dtype = _dtype(path, text, coding)
    if skip == -1:
        start, skip = file.stat().st_size - int(np.prod(sizes, dtype=object)) * dtype.itemsize, 0
        if start < 0:
            raise damaged(path, f"{file.name} is shorter than its header promises")
    return Stored(file, _after_lines(path, file, start, lines), coding, dtype, skip=skip)  # type: ignore[arg-type]


def _after_lines(path: Path, file: Path, start: int, lines: int) -> int:
    with file.open("rb") as stream:
        stream.seek(start)
        for _ in range(lines):
            if not stream.readline(MOST_HEADER_BYTES):
                raise damaged(path, f"its header skips {lines} lines, which {file.name} does not have")
        return stream.tell()


def _data_file(path: Path, text: _Text) -> Path:
    if "datafile" not in text.fields:
        if path.name.lower().endswith(".nhdr") and path.stat().st_size == text.size:
            raise damaged(path, "it names no data file")
        return path
    require_one_file(path, text.data_name)
    return data_file(path, text.data_name)


def _dtype(path: Path, text: _Text, coding: str) -> np.dtype:
    name = " ".join(text.words("type")).lower()
    kind = next((kind for kind, names in TYPES.items() if name in names), None)
    if kind is None:
        raise damaged(path, f"its type is {name or 'missing'!r}")
    endian = text.fields.get("endian", "").lower()
    if endian not in ("little", "big") and (endian or (coding != "text" and kind not in ("i1", "u1"))):
        raise damaged(path, f"its endian is {endian or 'missing'!r}")
    return np.dtype(f"{'>' if endian == 'big' else '<'}{kind}")
