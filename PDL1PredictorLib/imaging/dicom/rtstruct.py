"""Regions of an RTSTRUCT: which ROI is meant, which of its contours enclose anything, and their mask."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.dicom.contour_stack import Contour, mask_of
from PDL1PredictorLib.imaging.dicom.files import FRAME_KEY, require_same_frame
from PDL1PredictorLib.imaging.dicom.polygons import encloses_area
from PDL1PredictorLib.imaging.label_maps import Entry, choose
from PDL1PredictorLib.imaging.loaded import Loaded
from PDL1PredictorLib.imaging.plain_words import plain_words

MAX_COORDINATE_MM = 1e5  # no patient is that large; far larger numbers overflow
EXCLUSIVE = "CLOSEDPLANAR_XOR"


@dataclass(frozen=True)
class _Roi:
    entry: Entry
    frame_uid: str
    contours_lps_mm: tuple[tuple[str, np.ndarray], ...]  # type in DICOM's words, points (n, 3)


def read_rtstruct(data: Any, path: Path, ct: sitk.Image, segment: str | None, fill_gaps: bool) -> Loaded:
    """One ROI of an RTSTRUCT on the CT's grid, uint8 0/1.

    Args:
        data: The data set.
        path: Its file, for messages.
        ct: The CT that it was drawn on.
        segment: Name or number of the ROI; None if there is only one.
        fill_gaps: Interpolate over gaps of more than two slices too.

    Raises:
        InputError: Damaged, not clear which ROI is meant, or too many slices in a row without contour.
        GridMismatchError: Drawn on another scan, or a part lies beyond the CT.
        EmptyRegionError: The ROI encloses nothing.
    """
    source = path.name
    with plain_words(path, "RTSTRUCT"):
        roi = _roi(data, segment, source)
    what = f"ROI {roi.entry.name or roi.entry.number} of {source}"
    require_same_frame(ct, roi.frame_uid, what)
    closed, left_out = _closed(roi, ct, what)
    mask, changes = mask_of(closed, ct, what, fill_gaps)
    return Loaded(mask, (*_frame_unknown(roi, ct, what), *left_out, *changes))


def _roi(data: Any, segment: str | None, source: str) -> _Roi:
    items = list(data.get("StructureSetROISequence") or [])
    entries = [Entry(int(item.ROINumber), str(item.get("ROIName") or "")) for item in items]
    if not entries:
        raise InputError(f"{source} holds no ROI. Choose the RTSTRUCT with the tumor's contours.")
    position = choose(entries, segment, source)
    number = entries[position].number
    drawn = [item for item in data.get("ROIContourSequence") or [] if int(item.ReferencedROINumber) == number]
    drawn = [item for item in drawn if item.get("ContourSequence")]
    same = sum(entry.number == number for entry in entries)
    if same > 1 or len(drawn) > 1:
        raise InputError(
            f"{source} holds {max(same, len(drawn))} ROIs or lists of contours with the number {number}, so it is not "
            "clear which contours belong together. Export it again."
        )
    contours = [contour for item in drawn for contour in item.ContourSequence]
    return _Roi(entries[position], _frame_uid(items[position], data), tuple(_points(contours, source)))


def _frame_uid(item: Any, data: Any) -> str:
    """Frame of reference of a ROI, or of the whole file if it says only that one."""
    whole = [
        str(frame.get("FrameOfReferenceUID") or "") for frame in data.get("ReferencedFrameOfReferenceSequence") or []
    ]
    named = [str(item.get("ReferencedFrameOfReferenceUID") or ""), *(whole if len(whole) == 1 else [])]
    return next((uid for uid in named if uid), str(data.get("FrameOfReferenceUID") or ""))


def _points(contours: Sequence[Any], source: str) -> list[tuple[str, np.ndarray]]:
    read = []
    for n, contour in enumerate(contours, start=1):
        values = contour.get("ContourData")
        values = [] if values is None else [values] if isinstance(values, (str, float)) else values
        numbers = np.asarray([float(value) for value in values], np.float64)
        kind = str(contour.get("ContourGeometricType") or "").strip().upper()
        promised = int(contour.get("NumberOfContourPoints") or 0)
        problem = _problem(kind, numbers, promised)
        if problem:
            raise InputError(f"{source} is a damaged RTSTRUCT: contour {n} of the ROI {problem}. Export it again.")
        read.append((kind, numbers.reshape(-1, 3)))
    return read


def _problem(kind: str, numbers: np.ndarray, promised: int) -> str:
    if not kind:
        return "does not say of what type it is"
    if len(numbers) % 3:
        return f"has {len(numbers)} numbers, which are no points of 3"
    if len(numbers) < 3 * promised:
        return f"has {len(numbers) // 3} of the {promised} points that it should have"
    if not np.isfinite(numbers).all():
        return "has coordinates that are not finite"
    if len(numbers) and np.abs(numbers).max() > MAX_COORDINATE_MM:
        return f"has a coordinate of {np.abs(numbers).max():.3g} mm"
    return ""


def _closed(roi: _Roi, ct: sitk.Image, what: str) -> tuple[list[Contour], list[CaseWarning]]:
    """The contours that enclose an area, in voxels of the CT, and what was left out."""
    closed: list[Contour] = []
    left_out: Counter[str] = Counter()
    for kind, points in roi.contours_lps_mm:
        if not kind.startswith("CLOSED"):
            left_out[f"of type {kind}"] += 1
        elif len(points) < 3:
            left_out["with fewer than 3 points"] += 1
        elif not _has_area(points):
            left_out["whose points lie on one line"] += 1
        else:
            closed.append(Contour(_voxel_positions(points, ct), kind == EXCLUSIVE))
    listed = ", ".join(f"{count} {why}" for why, count in left_out.items())
    if not closed:
        raise EmptyRegionError(
            f"{what} has no closed contour{f' ({listed})' if listed else ''}. Outline the tumor, then predict."
        )
    if not left_out:
        return closed, []
    text = (
        f"{left_out.total()} of the {len(roi.contours_lps_mm)} contours of {what} enclose nothing and were left out: "
        f"{listed}."
    )
    return closed, [CaseWarning("contours_left_out", text)]


def _has_area(points_lps_mm: np.ndarray) -> bool:
    centered = points_lps_mm - points_lps_mm.mean(axis=0)
    _, directions = np.linalg.eigh(centered.T @ centered)
    in_plane: np.ndarray = centered @ directions[:, 1:]
    return encloses_area(in_plane, (1.0, 1.0))


def _voxel_positions(points_lps_mm: np.ndarray, ct: sitk.Image) -> np.ndarray:
    """Positions (k, j, i) in voxels of the CT, by its affine, so that oblique volumes are right too."""
    axes = np.reshape(ct.GetDirection(), (3, 3)) * np.asarray(ct.GetSpacing())
    return np.asarray(np.linalg.solve(axes, (points_lps_mm - np.asarray(ct.GetOrigin())).T).T[:, ::-1])


def _frame_unknown(roi: _Roi, ct: sitk.Image, what: str) -> list[CaseWarning]:
    if roi.frame_uid or not ct.HasMetaDataKey(FRAME_KEY):
        return []
    text = (
        f"{what} does not say in which frame of reference it was drawn: that it belongs to this CT is assumed. Check "
        "where the contours lie."
    )
    return [CaseWarning("frame_unknown", text)]
