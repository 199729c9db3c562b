"""Closed contours as a mask on the CT's grid: planes to slices, gaps filled, and what that changed in numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError, InputError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.dicom.contour_gaps import FILLED_SLICES, Layer, interpolated, wide_gaps
from PDL1PredictorLib.imaging.dicom.contours import Outlines, Polygon, in_order

MAX_TILT_SLICES = 0.2  # how far a contour may leave its plane, in slices
SAME_PLANE_SLICES = 0.02
SAME_PLANE_MM = 0.15
BETWEEN_SLICES = 0.1  # planes that lie farther from their slice are told
BEYOND_VOXELS = 1.0  # how far a contour may reach beyond the outermost voxel centers
LOST_SHARE = 0.005  # and how much of the volume may lie there
EDGE_VOXELS = 1e-3
MAX_LISTED = 12


@dataclass(frozen=True, eq=False)
class Contour:
    """One closed contour: vertices (n, 3) in voxels (k, j, i) of the CT, and whether it is a CLOSEDPLANAR_XOR."""

    points: np.ndarray
    exclusive: bool = False


@dataclass(frozen=True, eq=False)
class _Frame:
    """Where a stack of contours lies on the CT: `axis` runs across the slices, the canvas covers the contours."""

    ct: sitk.Image
    axis: int
    corner: tuple[int, int]
    shape: tuple[int, int]

    @property
    def size(self) -> tuple[int, int, int]:
        i, j, k = self.ct.GetSize()
        return (k, j, i)

    @property
    def slice_mm(self) -> float:
        return float(self.ct.GetSpacing()[2 - self.axis])

    @property
    def pixel_mm(self) -> tuple[float, float]:
        spacing = list(self.ct.GetSpacing()[::-1])
        del spacing[self.axis]
        return (spacing[0], spacing[1])

    def volume_ml(self, voxels: int) -> float:
        return float(voxels * math.prod(self.ct.GetSpacing()) / 1000)

    def named(self, indices: Sequence[int]) -> str:
        """Slices in words, counted from 1, with their place along the patient's axis that they are stacked along."""
        middle = [corner + n / 2 for corner, n in zip(self.corner, self.shape, strict=True)]
        points = [
            self.ct.TransformContinuousIndexToPhysicalPoint([float(x) for x in np.insert(middle, self.axis, n)[::-1]])
            for n in indices
        ]
        column = np.reshape(self.ct.GetDirection(), (3, 3))[:, 2 - self.axis]
        along = int(np.argmax(np.abs(column)))
        more = f" and {len(indices) - MAX_LISTED} more" if len(indices) > MAX_LISTED else ""
        numbers = ", ".join(str(n + 1) for n in indices[:MAX_LISTED])
        places = ", ".join(f"{point[along]:.1f}" for point in points[:MAX_LISTED])
        word = "slice" if len(indices) == 1 else "slices"
        return f"{word} {numbers}{more} of {self.size[self.axis]} ({'xyz'[along]} = {places} mm)"


def mask_of(
    contours: Sequence[Contour], ct: sitk.Image, what: str, fill_gaps: bool
) -> tuple[sitk.Image, list[CaseWarning]]:
    """The voxels whose centers the contours enclose.

    A plane that lies between slices goes to the nearest slice; of several planes at one slice the nearest is taken.

    Args:
        contours: At least one, in voxels of the CT.
        ct: The grid wanted.
        what: How the region is called in messages.
        fill_gaps: Fill gaps of more than two slices too.

    Returns:
        uint8 0/1 on the CT's grid, and what was done to get there.

    Raises:
        GridMismatchError: They were drawn on another scan, or a part lies beyond the CT.
        InputError: Too many slices in a row have no contour.
        EmptyRegionError: No voxel center lies inside.
    """
    frame = _frame(contours, ct, what)
    planes = _planes(contours, frame)
    chosen = _nearest_planes(planes, frame)
    layers = {index: _layer(planes[position], position, frame) for index, position in chosen.items()}
    _require_narrow_gaps(layers, frame, what, fill_gaps)
    added = interpolated(layers, frame.pixel_mm, fill_gaps)
    areas = {index: layer.area for index, layer in layers.items()}
    new = {index: area & ~areas.get(index, np.zeros_like(area)) for index, area in added.items()}
    areas |= {index: areas.get(index, False) | area for index, area in new.items()}
    values, lost = _pasted(areas, frame, what)
    warnings = [
        *_copies(planes, what),
        *_joined({index: planes[position] for index, position in chosen.items()}, frame, what),
        *_between(planes, chosen, frame, what),
        *_filled(new, areas, frame, what),
        *_cut(lost, areas, frame, what),
    ]
    mask = sitk.GetImageFromArray(values)
    mask.CopyInformation(ct)
    return mask, warnings


def _frame(contours: Sequence[Contour], ct: sitk.Image, what: str) -> _Frame:
    axis = int(np.argmin(np.max([np.ptp(contour.points, axis=0) for contour in contours], axis=0)))
    tilt = max(float(np.ptp(contour.points[:, axis])) for contour in contours)
    if tilt > MAX_TILT_SLICES:
        raise GridMismatchError(
            f"A contour of {what} leaves its plane by {tilt:.2f} slices of this CT: it was drawn on another series. "
            "Choose the series that it was drawn on."
        )
    every = np.concatenate([contour.points for contour in contours])
    size = np.asarray(ct.GetSize()[::-1])
    beyond = np.maximum(-every.min(axis=0), every.max(axis=0) - (size - 1))
    if (beyond > BEYOND_VOXELS).any():
        worst = int(np.argmax(beyond))
        raise GridMismatchError(
            f"{what} leaves the CT's field of view, by up to {beyond[worst]:.1f} voxels "
            f"({beyond[worst] * ct.GetSpacing()[2 - worst]:.1f} mm). Choose the series that it was drawn on, whole."
        )
    low = np.delete(np.floor(every.min(axis=0)).astype(int) - 1, axis)
    high = np.delete(np.ceil(every.max(axis=0)).astype(int) + 2, axis)
    shape = (int(high[0] - low[0]), int(high[1] - low[1]))
    return _Frame(ct, axis, (int(low[0]), int(low[1])), shape)


def _planes(contours: Sequence[Contour], frame: _Frame) -> dict[float, Outlines]:
    """What is drawn in each plane, by its position across the slices."""
    same = max(SAME_PLANE_SLICES, SAME_PLANE_MM / frame.slice_mm)
    stacked: dict[float, list[Polygon]] = {}
    last = None
    for position, contour in sorted(
        ((float(contour.points[:, frame.axis].mean()), contour) for contour in contours), key=lambda pair: pair[0]
    ):
        last = last if last is not None and position - last <= same else position
        points = np.delete(contour.points, frame.axis, axis=1) - frame.corner
        stacked.setdefault(last, []).append(Polygon(points, contour.exclusive))
    return {position: in_order(polygons, frame.pixel_mm) for position, polygons in stacked.items()}


def _nearest_planes(planes: dict[float, Outlines], frame: _Frame) -> dict[int, float]:
    """The plane that each slice takes; a slice beyond the CT has a number beyond its own."""
    nearest: dict[int, float] = {}
    for position in planes:
        index = math.floor(position + 0.5)
        within = int(np.clip(index, 0, frame.size[frame.axis] - 1))
        if abs(position - within) <= 0.5 + EDGE_VOXELS:
            index = within  # also exactly on the outer border of the first or last slice
        if index not in nearest or abs(position - index) < abs(nearest[index] - index):
            nearest[index] = position
    return dict(sorted(nearest.items()))


def _layer(outlines: Outlines, position: float, frame: _Frame) -> Layer:
    return Layer(position, outlines.draw(frame.shape), lambda fine: outlines.draw(frame.shape, fine))


def _require_narrow_gaps(layers: dict[int, Layer], frame: _Frame, what: str, fill_gaps: bool) -> None:
    gaps = [] if fill_gaps else wide_gaps(layers)
    if gaps:
        widest = max(gaps, key=lambda gap: gap.last - gap.first)
        count = widest.last - widest.first + 1
        raise InputError(
            f"{what} has no contour on {count} slices in a row between others (the first and the last of them are "
            f"{frame.named([widest.first, widest.last])}); up to {FILLED_SLICES} are filled by interpolation. Draw the "
            "contours that are missing, choose the series that it was drawn on, or have them filled (--fill-gaps); "
            "tumors that are separate belong into ROIs of their own."
        )


def _pasted(areas: dict[int, np.ndarray], frame: _Frame, what: str) -> tuple[np.ndarray, int]:
    """The areas on the CT's grid, uint8 (k, j, i), and how many voxels lie beyond it."""
    mask = np.zeros(frame.size, np.uint8)
    slices = np.moveaxis(mask, frame.axis, 0)
    rows, columns = slices.shape[1:]
    low = np.clip(frame.corner, 0, None)
    high = np.minimum(np.add(frame.corner, frame.shape), (rows, columns))
    first, last = low - frame.corner, high - frame.corner
    for index, area in areas.items():
        if 0 <= index < len(slices):
            slices[index, low[0] : high[0], low[1] : high[1]] = area[first[0] : last[0], first[1] : last[1]]
    every, kept = _voxels(areas), int(np.count_nonzero(mask))
    if not every:
        raise EmptyRegionError(f"{what} encloses no voxel center of the CT. Check the contours.")
    if every - kept > LOST_SHARE * every:
        raise GridMismatchError(
            f"{what} leaves the CT's field of view: {frame.volume_ml(every - kept):.3g} of its "
            f"{frame.volume_ml(every):.3g} mL lie beyond it. Choose the series that it was drawn on, whole."
        )
    return mask, every - kept


def _voxels(areas: dict[int, np.ndarray]) -> int:
    return sum(int(np.count_nonzero(area)) for area in areas.values())


def _copies(planes: dict[float, Outlines], what: str) -> list[CaseWarning]:
    copies = sum(outlines.copies for outlines in planes.values())
    rounds = sum(outlines.rounds for outlines in planes.values())
    if not copies and not rounds:
        return []
    every = copies + sum(len(outlines.polygons) for outlines in planes.values())
    found = [f"{copies} repeat another contour, exactly or to less than a voxel"] if copies else []
    found += [f"{rounds} run round more than once"] if rounds else []
    text = f"Of the {every} contours of {what}, {' and '.join(found)}: each was taken once."
    return [CaseWarning("contours_repeated", text)]


def _joined(slices: dict[int, Outlines], frame: _Frame, what: str) -> list[CaseWarning]:
    twice = {index: outlines.twice(frame.shape) for index, outlines in slices.items() if outlines.overlaps}
    if not twice:
        return []
    pairs = sum(len(slices[index].overlaps) for index in twice)
    text = (
        f"{pairs} {'pair' if pairs == 1 else 'pairs'} of contours of {what} overlap in part, on "
        f"{frame.named(list(twice))}: they were joined, and the {frame.volume_ml(sum(twice.values())):.3g} mL that "
        "they have in common count once. If a hole was meant, draw it wholly inside."
    )
    return [CaseWarning("contours_joined", text)]


def _between(planes: dict[float, Outlines], chosen: dict[int, float], frame: _Frame, what: str) -> list[CaseWarning]:
    moved = max(abs(position - index) for index, position in chosen.items())
    unused = len(planes) - len(chosen)
    if moved <= BETWEEN_SLICES and not unused:
        return []
    text = (
        f"The contours of {what} lie in {len(planes)} planes, not all on slices of this CT: each of {len(chosen)} "
        f"slices took the nearest plane, up to {moved * frame.slice_mm:.2f} mm away"
        + (f", and {unused} {'plane was' if unused == 1 else 'planes were'} left out." if unused else ".")
    )
    return [CaseWarning("contours_between_slices", text)]


def _filled(new: dict[int, np.ndarray], areas: dict[int, np.ndarray], frame: _Frame, what: str) -> list[CaseWarning]:
    slices = [index for index in sorted(new) if new[index].any()]
    if not slices:
        return []
    text = (
        f"{what} lacks contours between others, on {frame.named(slices)}: the shape there was interpolated from the "
        f"contours on both sides, {frame.volume_ml(_voxels(new)):.3g} of {frame.volume_ml(_voxels(areas)):.3g} mL. "
        "Check it, or draw the contours that are missing."
    )
    return [CaseWarning("contours_interpolated", text)]


def _cut(lost: int, areas: dict[int, np.ndarray], frame: _Frame, what: str) -> list[CaseWarning]:
    if not lost:
        return []
    text = (
        f"{frame.volume_ml(lost):.3g} of the {frame.volume_ml(_voxels(areas)):.3g} mL of {what} lie beyond the CT's "
        "field of view and were left out."
    )
    return [CaseWarning("contours_cut", text)]
