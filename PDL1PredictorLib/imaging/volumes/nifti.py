"""The header of a NIfTI file (.nii, .nii.gz; NIfTI-1 and NIfTI-2), read by the rules of docs/input.md.

Source: nifti1.h and nifti2.h, nifti.nimh.nih.gov (fields, methods 1 to 3 of placing a volume, units).
"""

import gzip
import math
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from PDL1PredictorLib.core.case import GRID_TOLERANCE_MM, SNAP_VOXELS, SYNTHETIC_MARK
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.provenance import NOTES, ORIGIN, SEMIAUTOMATIC
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.volumes.header import (
    Place,
    Stored,
    VolumeHeader,
    corner_distance_mm,
    damaged,
    orientation_unknown,
    placed,
    require_shape,
    require_spacing,
)

Warnings = tuple[CaseWarning, ...]
TYPES = {
    2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"
}  # fmt: skip
OTHER_TYPES = {1: "single bits", 32: "complex numbers", 128: "colors (RGB)", 1536: "float128",
               1792: "complex numbers", 2048: "complex numbers", 2304: "colors (RGBA)"}  # fmt: skip
VECTORS = {1004, 1005, 1006, 1007, 1008, 1009, 1010, 2003, 2004}  # intents: what holds several values per voxel
UNITS_MM = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}  # unknown is read as mm, as every writer means it
BRIEF = re.compile(r"PDL1Predictor (\S{1,20}) semi-automatic (classical|network)\b")
SAME_SPACING = 1e-5  # relative: pixdim and sform are kept in single precision
QUATERNION_SLACK = 1e-3
HALF_TURN = 1e-7
QUATERNION_ROUNDING = 4e-7  # of 1 - (b2 + c2 + d2), from single precision
TO_LPS = np.array([-1.0, -1.0, 1.0])  # NIfTI's world is right, anterior, superior


@dataclass(frozen=True)
class _Fields:
    """The fields as they are stored."""

    order: Literal["<", ">"]
    header_bytes: int
    magic: bytes
    dim: tuple[int, ...]
    datatype: int
    bitpix: int
    pixdim: tuple[float, ...]
    vox_offset: float
    scl: tuple[float, float]
    qform_code: int
    sform_code: int
    quatern: tuple[float, float, float]
    qoffset: tuple[float, float, float]
    srow: np.ndarray
    units: int
    intent: int
    descrip: bytes


def read_nifti_header(path: Path, what: str) -> VolumeHeader:
    """The header of a NIfTI file.

    Args:
        path: The file; whether it is zipped is told by its first bytes, not by its name.
        what: What it is read as, for messages.

    Raises:
        InputError: It is damaged, contradicts itself, or holds what is no volume of one value per voxel.
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(path) if zipped else path.open("rb") as stream:
            fields = _fields(stream.read(540))
    except (gzip.BadGzipFile, EOFError, zlib.error, struct.error, ValueError) as error:
        raise InputError(f"{path.name} is not a whole NIfTI file ({error}). Copy or export it again.") from error
    _require_single_file(path, fields)
    size = require_shape(path, what, _sizes(path, fields))
    dtype = _dtype(path, what, fields)
    place, warnings = _place(path, fields, size)
    scale, scale_warnings = _scale(path, fields)
    stored = Stored(path, 0, "gzip" if zipped else "raw", dtype, skip=int(fields.vox_offset))
    return VolumeHeader(
        shape=size[::-1],
        size=size,
        place=place,
        stored=stored,
        scale=scale,
        warnings=(*warnings, *scale_warnings),
        segments=_notes(fields.descrip),
        synthetic=fields.descrip.rstrip(b"\0 ") == SYNTHETIC_MARK.encode(),
    )


def _notes(description: bytes) -> dict[str, str]:
    """What `pdl1 segment` says of its contour in the few letters of the description (`segmentation.write.brief`)."""
    found = BRIEF.match(description.decode("ascii", errors="replace"))
    if found is None:
        return {}
    version, method = found.groups()
    return {ORIGIN: SEMIAUTOMATIC, f"{NOTES}Version": version, f"{NOTES}Method": method}


def _fields(header: bytes) -> _Fields:
    orders: tuple[Literal["<", ">"], ...] = ("<", ">")
    for order in orders:
        length = struct.unpack_from(f"{order}i", header)[0]
        if length in (348, 540) and len(header) < length:
            raise ValueError("its header is cut off")
        if length in (348, 540):
            return _nifti1(header, order) if length == 348 else _nifti2(header, order)
    raise ValueError("its first bytes are not a NIfTI header")


def _nifti1(header: bytes, order: Literal["<", ">"]) -> _Fields:
    def get(layout: str, offset: int) -> tuple[float, ...]:
        return struct.unpack_from(order + layout, header, offset)

    return _Fields(
        order=order,
        header_bytes=348,
        magic=header[344:348],
        dim=struct.unpack_from(order + "8h", header, 40),
        intent=int(get("h", 68)[0]),
        datatype=int(get("h", 70)[0]),
        bitpix=int(get("h", 72)[0]),
        pixdim=get("8f", 76),
        vox_offset=get("f", 108)[0],
        scl=(get("f", 112)[0], get("f", 116)[0]),
        units=header[123],
        qform_code=int(get("h", 252)[0]),
        sform_code=int(get("h", 254)[0]),
        quatern=struct.unpack_from(order + "3f", header, 256),
        qoffset=struct.unpack_from(order + "3f", header, 268),
        srow=np.reshape(get("12f", 280), (3, 4)),
        descrip=header[148:228],
    )


def _nifti2(header: bytes, order: Literal["<", ">"]) -> _Fields:
    def get(layout: str, offset: int) -> tuple[float, ...]:
        return struct.unpack_from(order + layout, header, offset)

    return _Fields(
        order=order,
        header_bytes=540,
        magic=header[4:12],
        dim=struct.unpack_from(order + "8q", header, 16),
        intent=int(get("i", 504)[0]),
        datatype=int(get("h", 12)[0]),
        bitpix=int(get("h", 14)[0]),
        pixdim=get("8d", 104),
        vox_offset=get("q", 168)[0],
        scl=(get("d", 176)[0], get("d", 184)[0]),
        units=int(get("i", 500)[0]) & 0xFF,
        qform_code=int(get("i", 344)[0]),
        sform_code=int(get("i", 348)[0]),
        quatern=struct.unpack_from(order + "3d", header, 352),
        qoffset=struct.unpack_from(order + "3d", header, 376),
        srow=np.reshape(get("12d", 400), (3, 4)),
        descrip=header[240:320],
    )


def _require_single_file(path: Path, fields: _Fields) -> None:
    """Refuse a header whose voxels lie elsewhere, or one with a broken magic, which may be another format's."""
    magic = b"n+1\0" if fields.header_bytes == 348 else b"n+2\0\r\n\x1a\n"
    if fields.magic in (b"ni1\0", b"ni2\0\r\n\x1a\n"):
        raise InputError(
            f"{path.name} is the header of a pair of files (.hdr and .img), which is not read. Save it as "
            ".nii or .nii.gz."
        )
    if fields.magic != magic:
        raise InputError(
            f"{path.name} is not a whole NIfTI file (its magic is {fields.magic!r} instead of {magic!r}; Analyze 7.5 "
            "is not read). Copy or export it again."
        )
    least = fields.header_bytes + 4
    if not (least <= fields.vox_offset < 2**31 and fields.vox_offset == int(fields.vox_offset)):
        raise damaged(path, f"its voxels begin at byte {fields.vox_offset:g}; {least} or more is needed")


def _sizes(path: Path, fields: _Fields) -> tuple[int, ...]:
    count = fields.dim[0]
    if not 1 <= count <= 7:
        raise damaged(path, f"its header gives {count} dimensions")
    return fields.dim[1 : 1 + count]


def _dtype(path: Path, what: str, fields: _Fields) -> np.dtype:
    if fields.datatype in OTHER_TYPES or fields.intent in VECTORS:
        held = OTHER_TYPES.get(fields.datatype, "vectors")
        raise InputError(f"The {what} {path.name} holds {held}; one number per voxel is needed. Choose a plain volume.")
    if fields.datatype not in TYPES:
        raise damaged(path, f"its header gives the data type {fields.datatype}, which NIfTI does not know")
    dtype = np.dtype(TYPES[fields.datatype]).newbyteorder(fields.order)
    if fields.bitpix != 8 * dtype.itemsize:
        raise damaged(
            path, f"its header gives {fields.bitpix} bits per voxel, its data type {dtype.name} has another number"
        )
    return dtype


def _scale(path: Path, fields: _Fields) -> tuple[tuple[float, float] | None, Warnings]:
    """Slope and intercept; a slope of 0 means none, and NaN is what some writers put there for none."""
    slope, intercept = fields.scl
    if slope == 0 or math.isnan(slope):
        if slope == 0 and intercept == 0:
            return None, ()
        if math.isnan(intercept) or intercept == 0 or slope == 0:
            text = (
                f"{path.name} gives the slope {slope:g} and the intercept {intercept:g}, which NIfTI reads as no "
                "scaling: the stored values were taken as they are."
            )
            return None, (CaseWarning("scaling_ignored", text),)
    if not (math.isfinite(slope) and math.isfinite(intercept)):
        raise InputError(
            f"{path.name} gives the slope {slope:g} and the intercept {intercept:g}; both must be finite. "
            "Export it again."
        )
    return (None if (slope, intercept) == (1, 0) else (slope, intercept)), ()


def _place(path: Path, fields: _Fields, size: tuple[int, int, int]) -> tuple[Place, Warnings]:
    unit_mm = UNITS_MM.get(fields.units & 7)
    if unit_mm is None:
        raise damaged(path, f"its header gives the unit of length {fields.units & 7}, which NIfTI does not know")
    pixdim = np.asarray(fields.pixdim[1:4]) * unit_mm
    require_spacing(path, pixdim)
    for name, code in (("qform", fields.qform_code), ("sform", fields.sform_code)):
        if not 0 <= code <= 5:
            raise damaged(path, f"its {name}_code is {code}; 0 to 5 is known")
    if fields.sform_code == 0 and fields.qform_code == 0:
        place, warnings = placed(path, np.diag(pixdim), (0.0, 0.0, 0.0), size)  # toward L, P, S, as ITK assumes
        return place, (orientation_unknown(path, "qform and sform are 0"), *warnings)
    if fields.sform_code == 0:
        return placed(path, *_qform(path, fields, pixdim, unit_mm), size)
    if fields.qform_code == 0:
        return _by_sform(path, fields, pixdim, unit_mm, size)
    return _by_both(path, fields, pixdim, unit_mm, size)


def _qform(path: Path, fields: _Fields, pixdim: np.ndarray, unit_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Steps (columns i, j, k) and origin, mm, L, P, S, by method 2."""
    qfac = fields.pixdim[0]
    if qfac not in (-1, 0, 1):
        raise damaged(path, f"its qfac (pixdim[0]) is {qfac:g}; -1 or 1 is needed")
    vector = np.asarray(fields.quatern)
    square = float(vector @ vector)
    if not square <= 1 + QUATERNION_SLACK:  # also NaN
        raise damaged(path, f"its quaternion has the length {math.sqrt(square):.6g}; 1 is the most")
    half_turn = 1 - square < HALF_TURN  # as the NIfTI library reads it: what is left of a is rounding
    b, c, d = vector / math.sqrt(square) if half_turn else vector
    a = 0.0 if half_turn else math.sqrt(1 - square)
    rotation = np.array(
        [
            [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
            [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
            [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - c * c - b * b],
        ]
    )
    steps = rotation * pixdim * np.array([1.0, 1.0, -1.0 if qfac < 0 else 1.0])
    return steps * TO_LPS[:, None], np.asarray(fields.qoffset) * unit_mm * TO_LPS


def _sform(fields: _Fields, unit_mm: float) -> tuple[np.ndarray, np.ndarray]:
    """Steps and origin by method 3."""
    affine = fields.srow * unit_mm * TO_LPS[:, None]
    return affine[:, :3], affine[:, 3]


def _by_sform(
    path: Path, fields: _Fields, pixdim: np.ndarray, unit_mm: float, size: tuple[int, int, int]
) -> tuple[Place, Warnings]:
    """The sform alone; its scale must be that of pixdim, unless a script left pixdim at 1."""
    steps, origin = _sform(fields, unit_mm)
    place, warnings = placed(path, steps, origin, size)
    place = _with_spacing(place, pixdim)
    spacing = np.asarray(place.spacing_mm)
    if np.array_equal(spacing, pixdim):
        return place, warnings
    apart_mm = float(np.linalg.norm((spacing - pixdim) * (np.asarray(size) - 1)))
    ones = np.array_equal(fields.pixdim[1:4], (1.0, 1.0, 1.0))
    if not ones and apart_mm >= SNAP_VOXELS * min(spacing.min(), pixdim.min()):
        raise InputError(
            f"{path.name} contradicts itself: its pixdim says voxels of {_by(pixdim)} mm, its sform {_by(spacing)} mm. "
            "Export it again from its source."
        )
    text = (
        f"{path.name} gives voxels of {_by(pixdim)} mm in pixdim and of {_by(spacing)} mm in its sform, the only valid "
        f"transform: {_by(spacing)} mm was taken. Check the size of the tumor."
    )
    return place, (*warnings, CaseWarning("spacing_from_sform", text))


def _by_both(
    path: Path, fields: _Fields, pixdim: np.ndarray, unit_mm: float, size: tuple[int, int, int]
) -> tuple[Place, Warnings]:
    """The sform, if the qform puts every corner at the same place."""
    s_steps, s_origin = _sform(fields, unit_mm)
    place, warnings = placed(path, s_steps, s_origin, size)  # first: a shear has words of its own
    q_steps, q_origin = _qform(path, fields, pixdim, unit_mm)
    apart_mm = corner_distance_mm(s_steps - q_steps, s_origin - q_origin, size)
    rounding_mm = _quaternion_rounding(fields) * corner_distance_mm(s_steps, np.zeros(3), size) + GRID_TOLERANCE_MM
    if apart_mm >= max(SNAP_VOXELS * pixdim.min(), rounding_mm):
        raise InputError(
            f"{path.name} contradicts itself: its qform says {_words(q_steps, q_origin)}, its sform "
            f"{_words(s_steps, s_origin)}; corners lie up to {apart_mm:.4g} mm apart. Export it again from its source."
        )
    place = _with_spacing(place, pixdim)
    if apart_mm <= rounding_mm:
        return place, warnings
    text = f"In {path.name} qform and sform place corners up to {apart_mm:.3g} mm apart; the sform was taken."
    return place, (*warnings, CaseWarning("geometry_adjusted", text))


def _quaternion_rounding(fields: _Fields) -> float:
    """The angle, in radians, that single precision leaves open in the quaternion.

    Its first number is not stored; near a half turn, as most CTs have it, it is the root of a difference near 0.
    """
    a = math.sqrt(max(1 - float(np.square(fields.quatern).sum()), 0.0))
    return 2 * min(math.sqrt(QUATERNION_ROUNDING), QUATERNION_ROUNDING / (2 * a) if a else math.inf)


def _by(spacing_mm: np.ndarray) -> str:
    return " x ".join(f"{s:.6g}" for s in spacing_mm)


def _words(steps: np.ndarray, origin: np.ndarray) -> str:
    """Spacing, the way that the axes run, and the first voxel."""
    letters = [("RL", "AP", "IS")[int(np.abs(axis).argmax())][int(axis[np.abs(axis).argmax()] > 0)] for axis in steps.T]
    first = ", ".join(f"{o:.6g}" for o in origin)
    return f"voxels of {_by(np.linalg.norm(steps, axis=0))} mm along {''.join(letters)} from ({first})"


def _with_spacing(place: Place, pixdim: np.ndarray) -> Place:
    """The spacing of pixdim, where it is that of the transform but for its rounding."""
    if not np.allclose(place.spacing_mm, pixdim, rtol=SAME_SPACING, atol=0):
        return place
    i, j, k = (float(s) for s in pixdim)
    return Place((i, j, k), place.origin_mm, place.direction)
