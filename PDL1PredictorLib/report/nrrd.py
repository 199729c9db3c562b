"""Writes NRRD files: text header and gzip data, through Python's own `open`, so any path works on any system."""

import gzip
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

_TYPES = {"uint8": "uint8", "float32": "float"}


def write_nrrd(
    path: Path, voxels: np.ndarray[Any, Any], geometry: sitk.Image, fields: Mapping[str, str] | None = None
) -> None:
    """Write a volume, or several layers of one, in patient space (LPS, mm).

    Args:
        path: File to write.
        voxels: uint8 or float32, (k, j, i), or (k, j, i, layer).
        geometry: Image whose spacing, origin and direction are taken; its voxels are not read.
        fields: Additional key/value pairs, as 3D Slicer uses them.

    Raises:
        ValueError: Another type, or another number of axes.

    Source: format definition NRRD0005, teem.sourceforge.net/nrrd/format.html.
    """
    if voxels.dtype.name not in _TYPES or voxels.ndim not in (3, 4):
        raise ValueError(f"uint8 or float32 with 3 or 4 axes is written, got {voxels.dtype} with {voxels.ndim}.")
    layered = voxels.ndim == 4
    sizes = voxels.shape[::-1] if not layered else (voxels.shape[3], *voxels.shape[2::-1])
    steps = np.array(geometry.GetDirection()).reshape(3, 3) * geometry.GetSpacing()  # column = one voxel along an axis
    directions = [_vector(steps[:, axis]) for axis in range(3)]
    header = [
        "NRRD0005",
        f"type: {_TYPES[voxels.dtype.name]}",
        f"dimension: {voxels.ndim}",
        "space: left-posterior-superior",
        f"sizes: {' '.join(str(n) for n in sizes)}",
        f"space directions: {' '.join(['none'] * layered + directions)}",
        f"kinds: {' '.join(['list'] * layered + ['domain'] * 3)}",
        "endian: little",
        "encoding: gzip",
        f"space origin: {_vector(geometry.GetOrigin())}",
        *(f"{key}:={value}" for key, value in (fields or {}).items()),
    ]
    little = np.ascontiguousarray(voxels, dtype=voxels.dtype.newbyteorder("<"))
    with path.open("wb") as file:
        file.write(("\n".join(header) + "\n\n").encode("utf-8"))
        file.write(gzip.compress(little.tobytes(), compresslevel=6, mtime=0))  # no time: equal input, equal file


def _vector(values: Sequence[float] | np.ndarray[Any, Any]) -> str:
    return "(" + ",".join(repr(float(v)) for v in values) + ")"
