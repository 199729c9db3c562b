"""What the header of a volume file says, in one form for every format, and the words for a file that cannot be read."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from PDL1PredictorLib.core.case import GRID_TOLERANCE_MM, SNAP_VOXELS
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import CaseWarning

Vector = tuple[float, float, float]
MOST_VOXELS = 2**31  # 1290 voxels cubed: more is a damaged header
SPACING_MM = (0.001, 100.0)
FARTHEST_MM = 1e5
ROUNDING = 1e-6  # of cosines that were kept in single precision
SINGULAR = 1e-3


@dataclass(frozen=True)
class Stored:
    """Where the voxels lie, and how.

    Attributes:
        file: The file that holds them: the header's own, or its data file.
        start: First byte of them in it, or of the compressed stream.
        coding: "raw", "gzip", "zlib" (MetaImage: zlib or gzip) or "text".
        skip: Bytes of the decoded stream before the first voxel.
        dtype: Type and byte order.
        stored_bytes: Length of the compressed stream, if the header says it.
    """

    file: Path
    start: int
    coding: Literal["raw", "gzip", "zlib", "text"]
    dtype: np.dtype
    skip: int = 0
    stored_bytes: int | None = None


@dataclass(frozen=True)
class Place:
    """How the voxels lie in the patient, as SimpleITK keeps it: mm; (i, j, k) or (L, P, S); direction row by row."""

    spacing_mm: Vector
    origin_mm: Vector
    direction: tuple[float, ...]


@dataclass(frozen=True)
class VolumeHeader:
    """A volume file's header, checked.

    Attributes:
        shape: Stored axes, slowest first, those of one element and of components included.
        size: Voxels (i, j, k).
        component_axis: Which of `shape` holds several values per voxel, None if there is one.
        place: The geometry.
        stored: The voxels.
        scale: Slope and intercept to apply, None for stored values as they are.
        segments: What 3D Slicer says of the segments, and `pdl1 segment` of its contour; nothing else.
        warnings: What was repaired or assumed.
        synthetic: Whether the file is marked as of a synthetic patient.
    """

    shape: tuple[int, ...]
    size: tuple[int, ...]
    place: Place
    stored: Stored
    component_axis: int | None = None
    scale: tuple[float, float] | None = None
    segments: dict[str, str] = field(default_factory=dict)
    warnings: tuple[CaseWarning, ...] = ()
    synthetic: bool = False


def damaged(path: Path, why: str) -> InputError:
    """The error for a file whose bytes are not what they should be."""
    return InputError(
        f"{path.name} cannot be read: it is damaged, cut off, or not what its suffix says ({why.rstrip('.')}). "
        "Copy or export it again."
    )


def numbers(path: Path, words: Sequence[str], name: str) -> list[float]:
    """Numbers of a text header.

    Raises:
        InputError: A word is no number, with the field's name.
    """
    try:
        if any("_" in word for word in words):  # Python would take 1_0 for 10
            raise ValueError
        return [float(word) for word in words]
    except ValueError as error:
        raise damaged(path, f"its {name} is {' '.join(words)!r}") from error


def whole_numbers(path: Path, words: Sequence[str], name: str) -> list[int]:
    """Whole numbers of a text header.

    Raises:
        InputError: A word is no whole number, with the field's name.
    """
    values = numbers(path, words, name)
    if not all(math.isfinite(value) and value == int(value) for value in values):
        raise damaged(path, f"its {name} is {' '.join(words)!r}")
    return [int(value) for value in values]


def require_shape(path: Path, what: str, sizes: Sequence[int]) -> tuple[int, int, int]:
    """The three sizes of a volume, axes of one element beyond the third left out.

    Raises:
        InputError: Sizes that no volume has, or not three axes.
    """
    if any(n < 1 for n in sizes) or math.prod(sizes) > MOST_VOXELS:
        raise damaged(path, f"its header gives the size {' x '.join(map(str, sizes))}")
    used = list(sizes)
    while len(used) > 3 and used[-1] == 1:
        used.pop()
    if len(used) != 3:
        raise InputError(
            f"The {what} {path.name} has {len(used)} dimensions; a volume of 3 is needed. Choose one volume."
        )
    return used[0], used[1], used[2]


def corner_distance_mm(steps: np.ndarray, origin: np.ndarray, size: Sequence[int]) -> float:
    """How far the farthest corner is moved by a change of the steps (3 x 3, columns i, j, k) and of the origin, mm."""
    far = np.asarray(size) - 1
    return max(float(np.linalg.norm(origin + steps @ (far * bits))) for bits in itertools.product((0, 1), repeat=3))


def placed(
    path: Path, steps: np.ndarray, origin: Sequence[float] | np.ndarray, size: Sequence[int]
) -> tuple[Place, tuple[CaseWarning, ...]]:
    """The geometry of three steps from voxel to voxel.

    Axes that are not exactly at right angles are made so where no corner moves by a tenth of a voxel or more.

    Args:
        path: The file, for messages.
        steps: (3, 3), columns i, j, k, in mm toward left, posterior, superior.
        origin: Center of the first voxel, mm, L, P, S.
        size: Voxels (i, j, k).

    Raises:
        InputError: A spacing or position that cannot be, or sheared axes.
    """
    spacing = np.linalg.norm(steps, axis=0)
    require_spacing(path, spacing)
    if not (np.isfinite(origin).all() and np.abs(origin).max() < FARTHEST_MM):
        raise damaged(path, f"its header places the first voxel at {', '.join(f'{x:g}' for x in origin)} mm")
    direction = steps / spacing
    warnings: tuple[CaseWarning, ...] = ()
    if np.abs(direction.T @ direction - np.eye(3)).max() > ROUNDING:
        direction, warnings = _squared(path, direction, spacing, size)
    k, j, i = (float(s) for s in spacing[::-1])
    x, y, z = (float(o) for o in origin)
    return Place((i, j, k), (x, y, z), tuple(direction.ravel().tolist())), warnings


def require_spacing(path: Path, spacing_mm: Sequence[float] | np.ndarray) -> None:
    """Refuse voxels of no size, or of one that no scanner makes.

    Raises:
        InputError: With the spacing.
    """
    text = " x ".join(f"{s:g}" for s in spacing_mm)
    if not all(math.isfinite(s) and s > 0 for s in spacing_mm):
        raise InputError(f"{path.name} gives the spacing {text} mm; every spacing must be positive. Export it again.")
    low, high = SPACING_MM
    if not all(low <= s <= high for s in spacing_mm):
        raise InputError(
            f"{path.name} gives the spacing {text} mm; every spacing must lie between {low:g} and {high:g} mm. "
            "Check its units and export it again."
        )


def _squared(
    path: Path, direction: np.ndarray, spacing: np.ndarray, size: Sequence[int]
) -> tuple[np.ndarray, tuple[CaseWarning, ...]]:
    cosines = np.abs(direction.T @ direction)
    left, _, right = np.linalg.svd(direction)
    nearest = left @ right
    moved_mm = corner_distance_mm((direction - nearest) * spacing, np.zeros(3), size)
    if moved_mm >= SNAP_VOXELS * spacing.min() or abs(np.linalg.det(direction)) < SINGULAR:
        a, b = max(((0, 1), (0, 2), (1, 2)), key=lambda pair: cosines[pair])
        angle = math.degrees(math.acos(min(float(cosines[a, b]), 1.0)))
        raise InputError(
            f"{path.name} is sheared: its axes {'ijk'[a]} and {'ijk'[b]} are at {angle:.2f} degrees instead of 90. "
            "Resample it to a grid with right angles first, for example in 3D Slicer."
        )
    if moved_mm <= GRID_TOLERANCE_MM:
        return nearest, ()
    text = (
        f"The axes of {path.name} were not exactly at right angles and were made so; the farthest corner moved by "
        f"{moved_mm:.3g} mm."
    )
    return nearest, (CaseWarning("geometry_adjusted", text),)


def orientation_unknown(path: Path, why: str) -> CaseWarning:
    """The warning for a header that does not say how the volume lies in the patient."""
    text = (
        f"{path.name} does not say how the volume lies in the patient ({why}): left and right, front and back are "
        "assumed. Export it again from DICOM."
    )
    return CaseWarning("orientation_unknown", text)
