"""Masks from DICOM: RTSTRUCT contours and DICOM SEG, as volumes that lie on the CT's grid or can be placed there."""

import importlib
import warnings
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import EmptyRegionError, GridMismatchError, InputError, MissingPackageError
from PDL1PredictorLib.core.lazy import require_module
from PDL1PredictorLib.imaging.dicom_files import header, require_same_frame, require_whole
from PDL1PredictorLib.imaging.label_maps import Entry, choose
from PDL1PredictorLib.imaging.loaded import Loaded

MAX_TILT_SLICES = 0.2  # how far a contour may leave its plane, in slices
SAME_PLANE_SLICES = 0.02
MAX_PLANE_STEP_SLICES = 1.5


def read_dicom_mask(path: Path, ct: sitk.Image, segment: str | None) -> Loaded:
    """A region of an RTSTRUCT (on the CT's grid) or of a DICOM SEG (on its own grid), uint8 0/1.

    Raises:
        InputError: Neither of the two, damaged, or the choice of the region is not clear.
        GridMismatchError: It was drawn on another scan.
        EmptyRegionError: The region has no contour or voxel.
    """
    require_whole(path)
    data = header(path)
    modality = str(data.get("Modality", ""))
    if modality == "RTSTRUCT":
        return _from_rtstruct(data, path.name, ct, segment)
    if modality == "SEG":
        return _from_seg(path, ct, segment)
    raise InputError(f"{path.name} is DICOM {modality or 'without a modality'}; a mask is an RTSTRUCT or a SEG.")


@dataclass(frozen=True)
class _Roi:
    entry: Entry
    frame_uid: str
    contours_lps_mm: list[np.ndarray]  # each (points, 3)


def _from_rtstruct(data: Any, source: str, ct: sitk.Image, segment: str | None) -> Loaded:
    try:
        rois = _rois(data)
    except (AttributeError, TypeError, ValueError) as error:
        raise InputError(f"{source} is a damaged RTSTRUCT ({error}). Export it again.") from error
    if not rois:
        raise InputError(f"{source} holds no ROI. Choose the RTSTRUCT with the tumor's contours.")
    roi = rois[choose([r.entry for r in rois], segment, source)]
    what = f"ROI {roi.entry.name or roi.entry.number} of {source}"
    require_same_frame(ct, roi.frame_uid, what)
    if not roi.contours_lps_mm:
        raise EmptyRegionError(f"{what} has no closed contour. Outline the tumor, then predict.")
    contours = [_voxel_positions(points, ct) for points in roi.contours_lps_mm]
    mask = sitk.GetImageFromArray(_filled(contours, ct.GetSize()[::-1], what))
    mask.CopyInformation(ct)
    return Loaded(mask)


def _rois(data: Any) -> list[_Roi]:
    contours: dict[int, list[np.ndarray]] = {}
    for item in data.get("ROIContourSequence") or []:
        closed = [c for c in item.get("ContourSequence") or [] if str(c.ContourGeometricType).startswith("CLOSED")]
        points = [np.reshape([float(x) for x in c.ContourData], (-1, 3)) for c in closed]
        contours[int(item.ReferencedROINumber)] = [p for p in points if len(p) >= 3]
    return [
        _Roi(
            Entry(int(item.ROINumber), str(item.get("ROIName", ""))),
            str(item.get("ReferencedFrameOfReferenceUID", "")),
            contours.get(int(item.ROINumber), []),
        )
        for item in data.get("StructureSetROISequence") or []
    ]


def _voxel_positions(points_lps_mm: np.ndarray, ct: sitk.Image) -> np.ndarray:
    """Positions (k, j, i) in voxels of the CT, by its affine, so that oblique volumes are right too."""
    axes = np.reshape(ct.GetDirection(), (3, 3)) * np.asarray(ct.GetSpacing())
    return np.asarray(np.linalg.solve(axes, (points_lps_mm - np.asarray(ct.GetOrigin())).T).T[:, ::-1])


def _filled(contours: list[np.ndarray], shape: tuple[int, ...], what: str) -> np.ndarray:
    """The voxels whose centers the contours enclose, uint8 (k, j, i).

    Contours of one plane are combined by the even-odd rule, so that a contour inside another cuts a hole. A plane that
    lies between slices goes to the nearest slice; of several planes at one slice the nearest is taken.
    """
    axis = int(np.argmin(np.max([np.ptp(c, axis=0) for c in contours], axis=0)))
    tilt = max(float(np.ptp(c[:, axis])) for c in contours)
    if tilt > MAX_TILT_SLICES:
        raise GridMismatchError(
            f"A contour of {what} leaves its plane by {tilt:.2f} slices of this CT: it was drawn on another series. "
            "Choose the series that it was drawn on."
        )
    every = np.concatenate(contours)
    if (every < -1).any() or (every > np.asarray(shape)).any():
        raise GridMismatchError(f"{what} leaves the CT's field of view. Choose the series that it was drawn on.")
    planes = _planes(contours, axis)
    steps = np.diff(sorted(planes))
    if len(steps) and np.median(steps) > MAX_PLANE_STEP_SLICES:
        raise GridMismatchError(
            f"The contours of {what} are {np.median(steps):.1f} slices of this CT apart, so slices between them would "
            "be empty. Choose the series that it was drawn on."
        )
    nearest: dict[int, float] = {}
    for plane in planes:
        index = int(np.clip(np.floor(plane + 0.5), 0, shape[axis] - 1))
        if index not in nearest or abs(plane - index) < abs(nearest[index] - index):
            nearest[index] = plane
    mask = np.zeros(shape, np.uint8)
    slices = np.moveaxis(mask, axis, 0)
    for index, plane in nearest.items():
        for contour in planes[plane]:
            _fill_into(slices[index], np.delete(contour, axis, axis=1))
    if not mask.any():
        raise EmptyRegionError(f"{what} encloses no voxel center of the CT. Check the contours.")
    return mask


def _planes(contours: list[np.ndarray], axis: int) -> dict[float, list[np.ndarray]]:
    """Contours by their position across the slices."""
    planes: dict[float, list[np.ndarray]] = defaultdict(list)
    last = None
    for contour in sorted(contours, key=lambda c: float(c[:, axis].mean())):
        position = float(contour[:, axis].mean())
        last = last if last is not None and position - last <= SAME_PLANE_SLICES else position
        planes[last].append(contour)
    return dict(planes)


def _fill_into(plane: np.ndarray, contour: np.ndarray) -> None:
    """Toggle the pixels that a contour (rows, columns) encloses; only its bounding box is looked at."""
    low = np.clip(np.floor(contour.min(axis=0)).astype(int), 0, None)
    high = np.minimum(np.ceil(contour.max(axis=0)).astype(int) + 1, plane.shape)
    if (high <= low).any():
        return
    draw = require_module("skimage.draw", "Contours of an RTSTRUCT need the package scikit-image: install it.")
    inside = draw.polygon2mask(tuple(high - low), contour - low)
    plane[low[0] : high[0], low[1] : high[1]] ^= inside.astype(np.uint8)


def _from_seg(path: Path, ct: sitk.Image, segment: str | None) -> Loaded:
    try:
        highdicom = importlib.import_module("highdicom")
    except ImportError as error:
        raise MissingPackageError(
            f"highdicom is needed to read the DICOM SEG {path.name}. Install it, or save the mask as NIfTI or NRRD."
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            seg = highdicom.seg.segread(path)
        except Exception as error:
            raise InputError(f"{path.name} is a damaged DICOM SEG ({error}). Export it again.") from error
        entries = [Entry(int(s.SegmentNumber), str(s.get("SegmentLabel", ""))) for s in seg.SegmentSequence]
        number = entries[choose(entries, segment, path.name)].number
        require_same_frame(ct, str(seg.get("FrameOfReferenceUID", "")), path.name)
        try:
            volume = seg.get_volume(segment_numbers=[number], combine_segments=False)
        except Exception as error:
            raise InputError(
                f"Segment {number} of {path.name} cannot be read as a volume ({error}). Export it again."
            ) from error
    mask = sitk.GetImageFromArray((np.asarray(volume.array)[..., 0] >= 0.5).astype(np.uint8))
    columns = volume.affine[:3, 2::-1]  # the frames may run against the normal: the affine says how they lie
    spacing = np.linalg.norm(columns, axis=0)
    mask.SetSpacing(spacing.tolist())
    mask.SetDirection((columns / spacing).ravel().tolist())
    mask.SetOrigin(volume.affine[:3, 3].tolist())
    return Loaded(mask)
