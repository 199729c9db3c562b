"""The slices of a series as one regular stack: alike, in order, evenly spaced, each place once."""

import hashlib
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pydicom

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.dicom.files import DicomStream, not_readable, quiet
from PDL1PredictorLib.imaging.dicom.folder import MAX_NAMES, Slice

SAME_PLACE_MM = 0.01
GAP = 1.5  # a step this much above the usual one is a missing slice
UNEVEN = 0.25  # part of the usual step by which a slice may lie off its place
TILT_MM = 1.0  # sideways drift from the first to the last slice
SQUARE = 0.01  # how far the orientation's vectors may be off unit length and a right angle
RUN = 3  # so many equal steps in a row are a spacing, fewer are gaps
EQUAL_STEPS = 0.1  # part by which they may differ, for positions that were rounded
ROUNDING_MM = 0.05
NUMBERS = {"ImagePositionPatient": 3, "ImageOrientationPatient": 6, "PixelSpacing": 2, "Rows": 1, "Columns": 1}


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in order along their normal.

    Attributes:
        slices: One for every place, at least 3.
        origin_lps_mm: The first voxel of the first slice, (3,).
        axes: Unit vectors along a row, down a column and across the slices as columns, (3, 3), right-handed.
        spacing_mm: Along these axes.
        warnings: What was left out.
    """

    slices: list[Slice]
    origin_lps_mm: np.ndarray
    axes: np.ndarray
    spacing_mm: tuple[float, float, float]
    warnings: tuple[CaseWarning, ...]


def stack(slices: list[Slice]) -> Stack:
    """Put slices in order.

    Raises:
        InputError: They differ, or are missing, doubled, uneven or tilted.
    """
    _require_alike(slices)
    axes = _axes(slices[0])
    slices, positions, copies = _each_place_once(*_in_order(slices, axes[:, 2]), axes[:, 2])
    _require_regular(slices, positions, axes[:, 2])
    row_mm, column_mm = _numbers(slices[0], "PixelSpacing")
    if not (row_mm > 0 and column_mm > 0):
        raise InputError(f"The series gives the pixel spacing {row_mm} x {column_mm} mm; both must be positive.")
    step_mm = float((positions[-1] - positions[0]) @ axes[:, 2]) / (len(slices) - 1)
    return Stack(slices, positions[0], axes, (column_mm, row_mm, step_mm), tuple(copies))


def _require_alike(slices: list[Slice]) -> None:
    if len(slices) < 3:
        raise InputError(f"The series has {len(slices)} slices; at least 3 are needed. Choose the whole series.")
    for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        for one in slices:
            if not one.text(tag):
                raise InputError(
                    f"A slice of the series ({one.path.name}) has no {tag}, so it cannot be placed. Export it again."
                )
    for tag in ("Rows", "Columns", "PixelSpacing", "ImageOrientationPatient"):
        values = [_numbers(one, tag) for one in slices]
        for one, value in zip(slices, values, strict=True):
            if not np.allclose(value, values[0], atol=1e-4, rtol=0):
                raise InputError(
                    f"The slices of the series differ in {tag}: {slices[0].text(tag)} and {one.text(tag)} "
                    f"({one.path.name}). Export one reconstruction alone."
                )
    for one in slices:
        if one.text("FrameOfReferenceUID") != slices[0].text("FrameOfReferenceUID"):
            raise InputError(
                f"The slices of the series lie in several frames of reference ({one.path.name} not in that of "
                f"{slices[0].path.name}), so they are not placed in one space. Export one scan alone."
            )


def _numbers(one: Slice, tag: str) -> list[float]:
    text = one.text(tag)
    try:
        values = [float(x) for x in text.split("\\")]
    except ValueError as error:
        raise InputError(f"{one.path.name} has the {tag} {text!r}, which is no number.") from error
    if len(values) != NUMBERS[tag] or not np.isfinite(values).all():
        raise InputError(f"{one.path.name} has the {tag} {text!r}; {NUMBERS[tag]} numbers are needed. Export it again.")
    return values


def _axes(one: Slice) -> np.ndarray:
    cosines = np.reshape(_numbers(one, "ImageOrientationPatient"), (2, 3))
    lengths = np.linalg.norm(cosines, axis=1)
    if np.abs(lengths - 1).max() > SQUARE or abs(cosines[0] @ cosines[1]) > SQUARE:
        raise InputError(
            f"The rows and columns of {one.path.name} are not at right angles (ImageOrientationPatient "
            f"{one.text('ImageOrientationPatient')}). Export it again, or resample it to straight slices."
        )
    row = cosines[0] / lengths[0]
    normal = np.cross(row, cosines[1])
    normal /= np.linalg.norm(normal)
    return np.column_stack([row, np.cross(normal, row), normal])


def _in_order(slices: list[Slice], normal: np.ndarray) -> tuple[list[Slice], np.ndarray]:
    """Slices along their normal, with their positions (n, 3)."""
    positions = np.asarray([_numbers(one, "ImagePositionPatient") for one in slices])
    order = np.argsort(positions @ normal, kind="stable")
    return [slices[n] for n in order], positions[order]


def _each_place_once(
    slices: list[Slice], positions: np.ndarray, normal: np.ndarray
) -> tuple[list[Slice], np.ndarray, list[CaseWarning]]:
    """Copies of a slice left out; the place decides what a slice is, since its uid may be missing or shared."""
    kept: list[int] = []
    copies = []
    for n, place in enumerate(positions):
        if kept and (place - positions[kept[-1]]) @ normal < SAME_PLACE_MM:
            first, second = slices[kept[-1]], slices[n]
            if np.abs(place - positions[kept[-1]]).max() >= SAME_PLACE_MM or _content(first) != _content(second):
                raise InputError(
                    f"Two slices of the series lie at the same place, {place @ normal:.2f} mm ({first.path.name} and "
                    f"{second.path.name}), and differ. Export one reconstruction and one point in time alone."
                )
            copies.append(second.path.name)
        else:
            kept.append(n)
    if not copies:
        return slices, positions, []
    more = f" and {len(copies) - MAX_NAMES} more" if len(copies) > MAX_NAMES else ""
    text = (
        f"{len(copies)} of {len(slices)} slices are copies of another one with the same place and the same voxels, and "
        f"were left out: {', '.join(copies[:MAX_NAMES])}{more}."
    )
    return [slices[n] for n in kept], positions[kept], [CaseWarning("copies_left_out", text)]


def _content(one: Slice) -> str:
    """What makes the voxels of a slice: its pixels and how they are to be read."""
    with quiet():
        try:
            with DicomStream(one.path) as stream:
                data = pydicom.dcmread(stream, force=True)
            pixels = bytes(data.get("PixelData") or b"")
        except OSError as error:
            raise InputError(not_readable(one.path, error)) from error
        except Exception as error:
            raise InputError(f"{one.path.name} is a damaged DICOM file ({error}). Export it again.") from error
    how = ("RescaleSlope", "RescaleIntercept", "PixelRepresentation", "BitsStored", "HighBit")
    described = "|".join(one.text(tag) for tag in how)
    return f"{described}|{hashlib.sha256(pixels).hexdigest()}"


def _require_regular(slices: list[Slice], positions: np.ndarray, normal: np.ndarray) -> None:
    """Refuse a stack that is no regular volume."""
    if len(slices) < 3:
        raise InputError(f"The series has {len(slices)} slices; at least 3 are needed. Choose the whole series.")
    heights = positions @ normal
    steps = np.diff(heights)
    usual = float(np.median(steps))
    regular = np.linspace(heights[0], heights[-1], len(heights))
    gaps = np.flatnonzero(steps > GAP * usual)
    uneven = np.abs(heights - regular).max() > UNEVEN * usual
    if len(gaps) or uneven:
        _refuse_change_of_spacing(slices, heights, steps)
    if len(gaps):
        missing = sum(max(round(float(step) / usual) - 1, 1) for step in steps[gaps])
        raise InputError(
            f"About {missing} slices of the series are missing: the slices are {usual:.3g} mm apart, but between "
            f"{heights[gaps[0]]:.2f} and {heights[gaps[0] + 1]:.2f} mm there is none. Copy or export the series again."
        )
    if uneven:
        raise InputError(
            f"The slices of the series are unevenly spaced, {steps.min():.3g} to {steps.max():.3g} mm. "
            "Export a reconstruction with even spacing."
        )
    drift = positions[-1] - positions[0]
    drift_mm = float(np.linalg.norm(drift - (drift @ normal) * normal))
    if drift_mm > TILT_MM:
        raise InputError(
            f"The slices drift sideways by {drift_mm:.1f} mm from first to last (tilted gantry). "
            "Resample the series to straight slices first, for example in 3D Slicer."
        )


def _refuse_change_of_spacing(slices: list[Slice], heights: np.ndarray, steps: np.ndarray) -> None:
    """Refuse a stack that goes on with another spacing, which is not a number of single slices that are missing."""
    runs = [(start, mean) for start, count, mean in _runs(steps) if count >= RUN]
    for (_, before), (start, after) in pairwise(runs):
        if abs(after - before) > UNEVEN * min(before, after):
            raise InputError(
                f"The spacing of the slices changes from {before:.3g} to {after:.3g} mm at {heights[start]:.2f} mm "
                f"({slices[start].path.name}): two reconstructions are mixed, or slices are missing at regular "
                "distances. Export one reconstruction with even spacing."
            )


def _runs(steps: np.ndarray) -> list[tuple[int, int, float]]:
    """Stretches of equal steps: where each starts, how many steps it has, and their mean in mm."""
    starts = [0]
    for n in range(1, len(steps)):
        first = steps[starts[-1]]
        if abs(steps[n] - first) > max(EQUAL_STEPS * first, ROUNDING_MM):
            starts.append(n)
    ends = [*starts[1:], len(steps)]
    return [(a, b - a, float(steps[a:b].mean())) for a, b in zip(starts, ends, strict=True)]
