"""Pictures of a tumor: slices of the CT as PNG, contours as vector paths, the heat map as a colored layer.

Volumes are first turned to the orientation closest to LPS (axes are swapped and flipped, nothing is interpolated), so
that arrays (k, j, i) run towards superior, posterior and the patient's left. Pictures are shown as radiologists expect
them: the patient's right on the left side of axial and coronal pictures, anterior on the left side of sagittal ones.
"""

import io
import math
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import SimpleITK as sitk
from PIL import Image
from skimage import measure

from PDL1PredictorLib.core.results import HeatMap, LesionResult, VoxelMap
from PDL1PredictorLib.core.windows import LUNG, SOFT_TISSUE, Window
from PDL1PredictorLib.report.colors import HEAT_COLORS, MAP_COLORS
from PDL1PredictorLib.report.lattice import box_of, voxels_in
from PDL1PredictorLib.report.words import feature_title

Array = np.ndarray[Any, Any]


class Plane(NamedTuple):
    """One of the three ways to cut a volume.

    Attributes:
        name: For people.
        letters: The patient's sides at left, right, top, bottom.
        towards: Where its position is positive and negative.
    """

    name: str
    letters: tuple[str, str, str, str]
    towards: tuple[str, str]


PLANES = (
    Plane("axial", ("R", "L", "A", "P"), ("S", "I")),
    Plane("coronal", ("R", "L", "S", "I"), ("P", "A")),
    Plane("sagittal", ("A", "P", "S", "I"), ("L", "R")),
)
"""By the axis (k, j, i) across them."""

OUTSIDE_HU = -3024.0  # black in every window: what lies outside the prepared volume does not look like lung
FIELD_MM = (100.0, 200.0)  # smallest and largest edge of a slice picture
MARGIN_MM = 30.0  # shown around the tumor on each side
HEAT_FLOOR = 0.15  # below this the CT is left alone
HEAT_ALPHA = 0.75  # opacity of the strongest spot


@dataclass(frozen=True)
class Picture:
    """One picture, in pixels of equal edges; pixel (row, column) covers [column, column + 1] x [row, row + 1].

    Attributes:
        title: What is seen.
        note: Where it lies and how it is windowed.
        png: The CT, 8 bit gray.
        overlay_png: A colored layer of the same size, or None.
        width: Columns.
        height: Rows.
        mm_per_pixel: Edge of a pixel.
        letters: Left, right, top, bottom: the patient's sides.
        tumor_path: Tumor outline as SVG path data in pixels, empty if it is not in the slice.
        ring_path: Outer outline of the ring, likewise.
    """

    title: str
    note: str
    png: bytes
    overlay_png: bytes | None
    width: int
    height: int
    mm_per_pixel: float
    letters: tuple[str, str, str, str]
    tumor_path: str
    ring_path: str


class Pictured(Protocol):
    """What slices of a tumor are drawn from; see `core.results.LesionResult`."""

    @property
    def views_ct(self) -> sitk.Image:
        """HU volume around the tumor."""
        ...

    @property
    def tumor_image(self) -> sitk.Image:
        """Mask of the tumor."""
        ...

    @property
    def ring_image(self) -> sitk.Image:
        """Mask of the ring."""
        ...

    @property
    def center_lps_mm(self) -> tuple[float, float, float]:
        """Centroid in patient coordinates, mm."""
        ...


def slice_pictures(lesion: Pictured) -> tuple[Picture, ...]:
    """Axial (lung and soft-tissue window), coronal and sagittal picture through the tumor's center."""
    ct, tumor, ring = _volumes(lesion)
    spacing_mm = float(ct.GetSpacing()[0])
    box = box_of(ct, ct)
    voxels = sitk.GetArrayFromImage(ct)
    in_tumor = voxels_in(box, ct, tumor) > 0
    in_either = in_tumor | (voxels_in(box, ct, ring) > 0)
    center = _center(ct, lesion, in_tumor)
    half = _half_field(in_tumor, spacing_mm)
    point = ct.TransformIndexToPhysicalPoint(center[::-1])

    def picture(name: str, axis: int, window: Window, window_name: str) -> Picture:
        planes = [_plane(v, axis, center[axis]) for v in (voxels, in_tumor, in_either)]
        row, column = _plane_center(voxels.shape, axis, center)
        hu, tumor_plane, either_plane = (
            _crop(plane, row, column, half, fill)
            for plane, fill in zip(planes, (OUTSIDE_HU, False, False), strict=True)
        )
        return Picture(
            title=name,
            note=f"{window_name} window, {_position(float(point[2 - axis]), *PLANES[axis].towards)}",
            png=png_of(windowed(hu, window)),
            overlay_png=None,
            width=hu.shape[1],
            height=hu.shape[0],
            mm_per_pixel=spacing_mm,
            letters=PLANES[axis].letters,
            tumor_path=contour_path(tumor_plane),
            ring_path=contour_path(either_plane),
        )

    return (
        picture("Axial", 0, LUNG, "lung"),
        picture("Axial", 0, SOFT_TISSUE, "soft-tissue"),
        picture("Coronal", 1, LUNG, "lung"),
        picture("Sagittal", 2, LUNG, "lung"),
    )


def heat_pictures(lesion: LesionResult, heat_map: HeatMap) -> tuple[Picture, ...]:
    """The heat map over the CT, on the map's own pixels: its one slice, or three planes through the tumor's center."""
    ct, tumor, ring = _volumes(lesion)
    heat = sitk.DICOMOrient(heat_map.image, "LPS")
    hu = sitk.Resample(ct, heat, sitk.Transform(), sitk.sitkLinear, OUTSIDE_HU, sitk.sitkFloat32)
    masks = [
        sitk.Resample(mask, heat, sitk.Transform(), sitk.sitkNearestNeighbor, 0, sitk.sitkUInt8)
        for mask in (tumor, ring)
    ]
    in_tumor, in_ring = (sitk.GetArrayFromImage(mask) > 0 for mask in masks)
    layers = (sitk.GetArrayFromImage(hu), sitk.GetArrayFromImage(heat), in_tumor, in_tumor | in_ring)
    if heat.GetSize()[2] == 1:
        middle = [(n - 1) / 2 for n in heat.GetSize()]
        return (_heat_plane(layers, 0, 0, heat, float(heat.TransformContinuousIndexToPhysicalPoint(middle)[2])),)
    center = _center(heat, lesion, in_tumor)
    point = heat.TransformIndexToPhysicalPoint(center[::-1])
    return tuple(_heat_plane(layers, axis, center[axis], heat, float(point[2 - axis])) for axis in range(3))


def _heat_plane(layers: tuple[Array, ...], axis: int, n: int, heat: sitk.Image, at_mm: float) -> Picture:
    """One plane of CT, heat, tumor and both regions."""
    hu, values, in_tumor, in_either = (_plane(layer, axis, n) for layer in layers)
    return Picture(
        title=f"Heat map, {PLANES[axis].name}" if len(layers[1]) > 1 else "Heat map",
        note=f"lung window, {_position(at_mm, *PLANES[axis].towards)}",
        png=png_of(windowed(hu, LUNG)),
        overlay_png=png_of(heat_rgba(values)),
        width=values.shape[1],
        height=values.shape[0],
        mm_per_pixel=float(heat.GetSpacing()[0]),
        letters=PLANES[axis].letters,
        tumor_path=contour_path(in_tumor),
        ring_path=contour_path(in_either),
    )


def map_picture(lesion: LesionResult, found: VoxelMap) -> Picture:
    """A map of a feature over the CT: its axial slice through the tumor's center, or the measured one nearest to it."""
    ct, tumor, ring = _volumes(lesion)
    placed = sitk.DICOMOrient(found.image, "LPS")
    values = sitk.Resample(placed, ct, sitk.Transform(), sitk.sitkNearestNeighbor, found.outside, sitk.sitkFloat32)
    share = map_share(sitk.GetArrayFromImage(values), found)
    box, voxels = box_of(ct, ct), sitk.GetArrayFromImage(ct)
    in_tumor = voxels_in(box, ct, tumor) > 0
    in_either = in_tumor | (voxels_in(box, ct, ring) > 0)
    k, row, column = _center(ct, lesion, in_tumor)
    measured = np.flatnonzero(np.isfinite(share).any(axis=(1, 2)))
    k = int(measured[np.argmin(np.abs(measured - k))]) if len(measured) else k
    half = _half_field(in_tumor, float(ct.GetSpacing()[0]))
    hu, colored, tumor_plane, either_plane = (
        _crop(layer[k], row, column, half, fill)
        for layer, fill in ((voxels, OUTSIDE_HU), (share, np.nan), (in_tumor, False), (in_either, False))
    )
    at_mm = float(ct.TransformIndexToPhysicalPoint((column, row, k))[2])
    return Picture(
        title=feature_title(found.feature),
        note=f"lung window, {_position(at_mm, *PLANES[0].towards)}",
        png=png_of(windowed(hu, LUNG)),
        overlay_png=png_of(map_rgba(colored)),
        width=hu.shape[1],
        height=hu.shape[0],
        mm_per_pixel=float(ct.GetSpacing()[0]),
        letters=PLANES[0].letters,
        tumor_path=contour_path(tumor_plane),
        ring_path=contour_path(either_plane),
    )


def map_share(values: Array, found: VoxelMap) -> Array:
    """Values of a map from 0, the least, to 1, the greatest; NaN where there is none."""
    inside = values > (found.low + found.outside) / 2
    share = (values - found.low) / ((found.high - found.low) or 1.0)
    return np.asarray(np.where(inside, np.clip(share, 0, 1), np.nan))


def map_rgba(share: Array) -> Array:
    """Shares of 0 to 1 as RGBA, 8 bit: dense colors, clear where there is no value."""
    at, colors = np.linspace(0, 1, len(MAP_COLORS)), np.array(MAP_COLORS, dtype=np.float64)
    known = np.isfinite(share)
    layers = [np.interp(np.where(known, share, 0), at, colors[:, channel]) for channel in range(3)]
    return np.asarray(np.rint(np.stack([*layers, np.where(known, 255.0, 0.0)], axis=-1)), np.uint8)


def tilt_degrees(lesion: LesionResult) -> float:
    """Greatest angle between an axis of the scan and the patient's axis it is closest to."""
    directions = np.abs(np.array(lesion.views_ct.GetDirection()).reshape(3, 3))
    return math.degrees(math.acos(min(1.0, float(directions.max(axis=0).min()))))


def windowed(hu: Array, window: Window) -> Array:
    """HU as 8 bit gray: black at the window's low end and below, white at its high end and above."""
    return np.asarray(np.rint(window.share(hu) * 255), np.uint8)


def heat_rgba(values: Array) -> Array:
    """A map of 0 to 1 as RGBA, 8 bit: clear below `HEAT_FLOOR`, then ever brighter and denser."""
    share = np.clip(np.nan_to_num(values.astype(np.float64)), 0, 1)
    at = np.linspace(0, 1, len(HEAT_COLORS))
    colors = np.array(HEAT_COLORS, dtype=np.float64)
    layers = [np.interp(share, at, colors[:, channel]) for channel in range(3)]
    alpha = np.clip((share - HEAT_FLOOR) / (1 - HEAT_FLOOR), 0, 1) ** 0.5 * HEAT_ALPHA * 255
    return np.rint(np.stack([*layers, alpha], axis=-1)).astype(np.uint8)


def contour_path(mask: Array) -> str:
    """Outline of a mask (rows, columns) as closed SVG paths in pixels, half way between voxels inside and outside.

    A pixel's center lies inside the outline (even-odd rule) exactly where the mask is set.
    """
    padded = np.pad(mask.astype(np.float64), 1)  # closes outlines at the edge
    paths = []
    for line in measure.find_contours(padded, 0.5):
        points = line[:-1] - 0.5  # undo the padding (-1), put pixel centers at halves (+0.5)
        paths.append("M" + "L".join(f"{column:g} {row:g}" for row, column in points) + "Z")
    return "".join(paths)


def png_of(pixels: Array) -> bytes:
    """8-bit pixels, gray (rows, columns) or RGBA (rows, columns, 4), as a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def _volumes(lesion: Pictured) -> tuple[sitk.Image, sitk.Image, sitk.Image]:
    ct, tumor, ring = (sitk.DICOMOrient(v, "LPS") for v in (lesion.views_ct, lesion.tumor_image, lesion.ring_image))
    return ct, tumor, ring


def _center(ct: sitk.Image, lesion: Pictured, in_tumor: Array) -> tuple[int, int, int]:
    """Voxel (k, j, i) of the tumor's center; on an axis where that slice misses the tumor, its largest slice."""
    index = ct.TransformPhysicalPointToContinuousIndex(lesion.center_lps_mm)[::-1]
    center = []
    for axis in range(3):
        areas = in_tumor.sum(axis=tuple(other for other in range(3) if other != axis))
        n = min(max(round(index[axis]), 0), in_tumor.shape[axis] - 1)
        center.append(n if areas[n] or not areas.any() else int(areas.argmax()))
    return center[0], center[1], center[2]


def _half_field(in_tumor: Array, spacing_mm: float) -> int:
    """Pixels from a picture's middle to its edge: tumor and margin, within `FIELD_MM`."""
    where = np.argwhere(in_tumor)
    extent_mm = float((where.max(axis=0) - where.min(axis=0) + 1).max()) * spacing_mm if len(where) else 0.0
    field_mm = min(max(extent_mm + 2 * MARGIN_MM, FIELD_MM[0]), FIELD_MM[1])
    return round(field_mm / 2 / spacing_mm)


def _plane(volume: Array, axis: int, n: int) -> Array:
    plane: Array = np.take(volume, n, axis=axis)
    return plane if axis == 0 else plane[::-1]  # k runs towards superior, which belongs at the top


def _plane_center(shape: tuple[int, ...], axis: int, center: tuple[int, int, int]) -> tuple[int, int]:
    k, j, i = center
    top_down_k = shape[0] - 1 - k
    return {0: (j, i), 1: (top_down_k, i), 2: (top_down_k, j)}[axis]


def _crop(plane: Array, row: int, column: int, half: int, fill: float) -> Array:
    """The square of 2 half + 1 pixels around a pixel; `fill` outside the plane."""
    padded = np.pad(plane, half, constant_values=fill)
    return padded[row : row + 2 * half + 1, column : column + 2 * half + 1]


def _position(mm: float, positive: str, negative: str) -> str:
    return f"{positive if mm >= 0 else negative} {abs(mm):.1f} mm"
