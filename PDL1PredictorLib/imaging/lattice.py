"""The working lattice: isotropic points on which everything is measured, and the values of a volume there.

The lattice runs along the volume's own axes, taken in the order and sense nearest to left, posterior, superior (LPS);
an oblique volume stays oblique. So a volume is resampled one axis at a time, by one small matrix per axis.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

Kji = tuple[int, int, int]
Kind = Literal["cubic", "linear"]

PREFILTER_MARGIN = 20  # native voxels; the spline's memory of a cut fades by 0.27 per voxel: below 1e-6 HU from 17 on
ROUNDING_SLACK = 1e-6  # exact halves (frequent, between two integers) must round the same way whatever the crop


@dataclass(frozen=True)
class Box:
    """Lattice points from `start` up to, not including, `stop`, both (k, j, i); it may reach beyond the lattice."""

    start: Kji
    stop: Kji

    @property
    def shape(self) -> Kji:
        """Number of points, (k, j, i); never negative."""
        k, j, i = (max(b - a, 0) for a, b in zip(self.start, self.stop, strict=True))
        return k, j, i

    def grown(self, points: int) -> "Box":
        """The box with `points` more on every side."""
        return Box(_kji(a - points for a in self.start), _kji(b + points for b in self.stop))

    def clipped(self, other: "Box") -> "Box":
        """The part that lies in `other`."""
        start = _kji(max(a, b) for a, b in zip(self.start, other.start, strict=True))
        stop = _kji(min(a, b) for a, b in zip(self.stop, other.stop, strict=True))
        return Box(start, _kji(max(a, b) for a, b in zip(start, stop, strict=True)))

    def joined(self, other: "Box") -> "Box":
        """The smallest box that contains both."""
        start = _kji(min(a, b) for a, b in zip(self.start, other.start, strict=True))
        return Box(start, _kji(max(a, b) for a, b in zip(self.stop, other.stop, strict=True)))

    def slices_in(self, outer: "Box") -> tuple[slice, slice, slice]:
        """Where this box lies in an array over `outer`, which contains it."""
        k, j, i = (slice(a - o, b - o) for a, b, o in zip(self.start, self.stop, outer.start, strict=True))
        return k, j, i


@dataclass(frozen=True)
class Lattice:
    """Isotropic points over a volume, aligned on its center.

    Attributes:
        spacing_mm: Distance of neighbors along every axis.
        shape: Number of points, (k, j, i).
        origin_lps_mm: Patient coordinates of point (0, 0, 0).
        direction: Axes as SimpleITK keeps them: 9 cosines, row by row, columns i, j, k.
        native_spacing_mm: Spacing of the volume along the same axes, (k, j, i).
        native_shape: Its number of voxels along the same axes, (k, j, i).
        native_axes: Which axis of the volume's voxel array (k, j, i) each of these axes is.
        reversed_axes: Whether the volume stores it in the opposite sense.
    """

    spacing_mm: float
    shape: Kji
    origin_lps_mm: tuple[float, float, float]
    direction: tuple[float, ...]
    native_spacing_mm: tuple[float, float, float]
    native_shape: Kji
    native_axes: Kji
    reversed_axes: tuple[bool, bool, bool]

    @property
    def whole(self) -> Box:
        """Every point."""
        return Box((0, 0, 0), self.shape)

    def native_positions(self, box: Box) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Where the points of a box lie along each axis (k, j, i), in native voxels from the first center."""
        k, j, i = (
            ((np.arange(a, b) - (points - 1) / 2) * self.spacing_mm) / native_mm + (voxels - 1) / 2
            for a, b, points, native_mm, voxels in zip(
                box.start, box.stop, self.shape, self.native_spacing_mm, self.native_shape, strict=True
            )
        )
        return k, j, i

    def box_over_native(self, start: Kji, stop: Kji) -> Box:
        """The smallest box, clipped to the lattice, whose points reach every native position from `start` to `stop`."""
        bounds = [
            (
                math.floor(((a - (voxels - 1) / 2) * native_mm) / self.spacing_mm + (points - 1) / 2),
                math.ceil(((b - (voxels - 1) / 2) * native_mm) / self.spacing_mm + (points - 1) / 2) + 1,
            )
            for a, b, points, native_mm, voxels in zip(
                start, stop, self.shape, self.native_spacing_mm, self.native_shape, strict=True
            )
        ]
        return Box(_kji(a for a, _ in bounds), _kji(b for _, b in bounds)).clipped(self.whole)

    def point_lps_mm(self, kji: Sequence[float]) -> tuple[float, float, float]:
        """Patient coordinates (L, P, S) of a lattice position, (k, j, i), which need not be a whole number."""
        offset = np.asarray(kji, float)[::-1] * self.spacing_mm
        x, y, z = np.asarray(self.origin_lps_mm) + np.reshape(self.direction, (3, 3)) @ offset
        return float(x), float(y), float(z)

    def position_kji(self, point_lps_mm: Sequence[float]) -> np.ndarray:
        """Lattice position (k, j, i), not rounded, of a patient point (L, P, S)."""
        offset = np.asarray(point_lps_mm, float) - np.asarray(self.origin_lps_mm)
        return (np.linalg.solve(np.reshape(self.direction, (3, 3)), offset) / self.spacing_mm)[::-1]

    def box_of(self, image: sitk.Image) -> Box:
        """The box that an image made by `image` covers."""
        start = _kji(round(float(x)) for x in self.position_kji(image.GetOrigin()))
        return Box(start, _kji(a + n for a, n in zip(start, image.GetSize()[::-1], strict=True)))

    def image(self, values: np.ndarray, box: Box) -> sitk.Image:
        """A volume in patient space from values (k, j, i) over a box."""
        image = sitk.GetImageFromArray(values)
        image.SetSpacing([self.spacing_mm] * 3)
        image.SetOrigin(self.point_lps_mm(box.start))
        image.SetDirection(self.direction)
        return image


def lattice_of(image: sitk.Image, spacing_mm: float) -> Lattice:
    """The lattice of a whole volume; take it before any crop, so that every crop shares its points.

    Its number of points per axis is ceil(voxels * native spacing / spacing), its center the volume's center, so that no
    point lies outside the volume's voxels.

    Source: Image Biomarker Standardisation Initiative, reference manual, "Interpolation grid" (align by center).
    """
    direction, axes, reversed_axes = _canonical_axes(image)  # i, j, k
    voxels = [image.GetSize()[axis] for axis in axes]
    native_mm = [image.GetSpacing()[axis] for axis in axes]
    # rounded first: 50 * 1.1 is a hair above 55 and must not become 56
    points = [math.ceil(round(n * s / spacing_mm, 6)) for n, s in zip(voxels, native_mm, strict=True)]
    center = np.asarray(image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()]))
    origin = center - direction @ ((np.asarray(points) - 1) / 2 * spacing_mm)
    return Lattice(
        spacing_mm=spacing_mm,
        shape=_kji(points[::-1]),
        origin_lps_mm=(float(origin[0]), float(origin[1]), float(origin[2])),
        direction=tuple(float(x) for x in direction.ravel()),
        native_spacing_mm=(native_mm[2], native_mm[1], native_mm[0]),
        native_shape=_kji(voxels[::-1]),
        native_axes=_kji(2 - axis for axis in axes[::-1]),
        reversed_axes=(reversed_axes[2], reversed_axes[1], reversed_axes[0]),
    )


def canonical_view(image: sitk.Image, lattice: Lattice) -> np.ndarray:
    """The voxels with axes along the lattice's: a view, nothing is copied; keep `image` alive while it is used."""
    values = sitk.GetArrayViewFromImage(image).transpose(lattice.native_axes)
    return np.asarray(values[tuple(slice(None, None, -1 if flip else 1) for flip in lattice.reversed_axes)])


def sample(image: sitk.Image, lattice: Lattice, box: Box, kind: Kind, outside: float = 0.0) -> np.ndarray:
    """Values of a volume on a box of its lattice.

    Only the voxels near the box are read. Between the outermost voxel centers and the volume's faces a cubic spline is
    mirrored and a linear one held, as ITK does.

    Args:
        image: The volume that the lattice was made from, or a mask on its grid.
        lattice: From `lattice_of`.
        box: Points wanted.
        kind: "cubic" for the cubic B-spline that passes through the voxels, "linear" for linear.
        outside: Value of points beyond the lattice.

    Returns:
        float64 (k, j, i), shape of the box; equal for every crop to within 1e-6 HU.
    """
    inner = box.clipped(lattice.whole)
    result = np.full(box.shape, float(outside))
    if 0 in inner.shape:
        return result
    positions = lattice.native_positions(inner)
    margin = PREFILTER_MARGIN if kind == "cubic" else 1
    starts = [max(math.floor(x[0]) - margin, 0) for x in positions]
    stops = [min(math.ceil(x[-1]) + margin + 1, n) for x, n in zip(positions, lattice.native_shape, strict=True)]
    crop = canonical_view(image, lattice)[tuple(slice(a, b) for a, b in zip(starts, stops, strict=True))]
    values: np.ndarray = crop.astype(np.float64)
    for axis in sorted(range(3), key=lambda axis: len(positions[axis]) / values.shape[axis]):  # shrink first: less work
        matrix = weights(positions[axis] - starts[axis], values.shape[axis], kind)
        values = np.moveaxis(np.tensordot(matrix, values, axes=(1, axis)), 0, axis)
    result[inner.slices_in(box)] = values
    return result


def sample_hu(ct: sitk.Image, lattice: Lattice, box: Box, outside: float = -1024.0) -> np.ndarray:
    """Hounsfield units on a box: cubic B-spline in floating point, then rounded to whole HU, as float32 (k, j, i)."""
    return np.floor(sample(ct, lattice, box, "cubic", outside) + (0.5 + ROUNDING_SLACK)).astype(np.float32)


def sample_mask(mask: sitk.Image, lattice: Lattice, box: Box) -> np.ndarray:
    """A mask on a box: linear, cut at 0.5 (included); bool (k, j, i), False beyond the lattice.

    Nearest neighbor would leave ties, which rounding decides differently for every crop.
    """
    return sample(mask, lattice, box, "linear") >= 0.5 - ROUNDING_SLACK


def weights(positions: np.ndarray, voxels: int, kind: Kind) -> np.ndarray:
    """The matrix (positions, voxels) that interpolates along one axis; positions in voxels from the first center."""
    if kind == "linear":
        return _hat(np.clip(positions, 0, voxels - 1), voxels)
    if voxels == 1:
        return np.ones((len(positions), 1))
    first = np.floor(positions).astype(int) - 1
    matrix = np.zeros((len(positions), voxels))
    for step in range(4):
        distance = np.abs(positions - (first + step))
        weight = np.where(
            distance < 1, (4 - 6 * distance**2 + 3 * distance**3) / 6, np.clip(2 - distance, 0, None) ** 3 / 6
        )
        np.add.at(matrix, (np.arange(len(positions)), _mirrored(first + step, voxels)), weight)
    prefilter = ndimage.spline_filter1d(np.eye(voxels), order=3, axis=0, mode="mirror")
    return np.asarray(matrix @ prefilter)


def _hat(positions: np.ndarray, voxels: int) -> np.ndarray:
    return np.asarray(np.clip(1 - np.abs(positions[:, None] - np.arange(voxels)[None, :]), 0, None))


def _mirrored(index: np.ndarray, voxels: int) -> np.ndarray:
    period = 2 * (voxels - 1)
    index = np.mod(index, period)
    return np.asarray(np.where(index < voxels, index, period - index))


def _canonical_axes(image: sitk.Image) -> tuple[np.ndarray, list[int], list[bool]]:
    """Direction (columns i, j, k) nearest to LPS; per column the native axis along it, and whether it is reversed."""
    point = sitk.Image([1, 1, 1], sitk.sitkUInt8)
    point.SetDirection(image.GetDirection())
    direction = np.reshape(sitk.DICOMOrient(point, "LPS").GetDirection(), (3, 3))
    cosines = np.reshape(image.GetDirection(), (3, 3)).T @ direction
    axes = [int(axis) for axis in np.abs(cosines).argmax(axis=0)]
    return direction, axes, [bool(cosines[axis, column] < 0) for column, axis in enumerate(axes)]


def _kji(values: Any) -> Kji:
    k, j, i = (int(value) for value in values)
    return k, j, i
