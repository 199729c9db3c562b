"""Masks in DICOM: contours and segmentations that clinics and programs really write."""

import copy
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pydicom
from campaign import Job
from dicom_seg import write_seg
from dicom_writing import write_rtstruct, write_series
from entry import ACCEPTED, REFUSED, REPAIRED, Entry
from pydicom.dataset import Dataset
from small_inputs import BALL_ML, ball_contours, ball_mask, fixed_uids, small_chest

Contours = list[np.ndarray]
GTV = "GTV"


def _rtstruct(
    change: Callable[[Contours], Contours], folder: Path, frame: str = "", edit: Callable[[Dataset], None] | None = None
) -> Job:
    uid = fixed_uids()
    series = write_series(folder / "ct", small_chest()[0], uid=uid)
    path = write_rtstruct(folder / "rtstruct.dcm", {GTV: change(ball_contours())}, frame or series.frame, uid)
    if edit is not None:
        data = pydicom.dcmread(path)
        edit(data)
        data.save_as(path)
    return Job("", "mask", path, series.folder)


def _contour(
    what: str, expected: str, change: Callable[[Contours], Contours], word: str = "", ml: float | None = BALL_ML
) -> Entry:
    return Entry("RTSTRUCT", what, expected, partial(_rtstruct, change), word, ml if expected != REFUSED else None)


def _edited(what: str, expected: str, edit: Callable[[Dataset], None], word: str = "") -> Entry:
    build = partial(_rtstruct, list, edit=edit)
    return Entry("RTSTRUCT", what, expected, build, word, BALL_ML if expected != REFUSED else None)


def _halves(contours: Contours) -> Contours:
    """Every outline drawn as two strokes that overlap, together a little more than the ball."""
    return [points + np.array([shift, 0.0, 0.0]) for points in contours for shift in (-0.3, 0.3)]


def _around(contours: Contours, share: float) -> Contours:
    """Every outline shrunk about its middle."""
    return [points.mean(axis=0) + share * (points - points.mean(axis=0)) for points in contours]


def _above(contours: Contours) -> Contours:
    """So that the last one lies one slice above the CT."""
    return [points + np.array([0, 0, 15.0]) for points in contours]


def _all_points(data: Dataset, value: Callable[[Dataset], None]) -> None:
    for item in data.ROIContourSequence[0].ContourSequence:
        value(item)


def _kind_of_contours(name: str) -> Callable[[Dataset], None]:
    return lambda data: _all_points(data, lambda item: setattr(item, "ContourGeometricType", name))


def _first_point(text: str) -> Callable[[Dataset], None]:
    def edit(data: Dataset) -> None:
        item = data.ROIContourSequence[0].ContourSequence[0]
        values = [str(value) for value in item.ContourData]
        item.ContourData = [text, *values[1:]]

    return edit


# what is filled in between lacks the ball's bulge
CONTOURS = (
    _contour("sound", ACCEPTED, list),
    _contour("one contour stored twice", REPAIRED, lambda c: [*c, c[2]], "repeated"),
    _contour("every contour stored twice", REPAIRED, lambda c: c + c, "repeated"),
    _contour("every contour twice, once backwards", REPAIRED, lambda c: c + [points[::-1] for points in c], "repeated"),
    _contour(
        "every contour twice, rounded apart", REPAIRED, lambda c: c + [np.round(points, 1) for points in c], "repeated"
    ),
    _contour("outlines in two strokes that overlap", REPAIRED, _halves, "joined", None),
    _contour("a hole inside each contour", ACCEPTED, lambda c: c + _around(c, 0.5), "", 0.75 * BALL_ML),
    _contour("one slice without contour", REPAIRED, lambda c: c[:3] + c[4:], "interpolated", 0.95 * BALL_ML),
    _contour("two slices without contour", REPAIRED, lambda c: c[:2] + c[4:], "interpolated", 0.91 * BALL_ML),
    _contour("every second slice without contour", REPAIRED, lambda c: c[::2], "interpolated", None),
    _contour("three slices without contour", REFUSED, lambda c: c[:2] + c[5:], "slices"),
    _contour(
        "one contour beyond the last slice", REFUSED, lambda c: [points + np.array([0, 0, 15.0]) for points in c], ""
    ),
    _contour("no contour at all", REFUSED, lambda c: [], "no closed contour"),
    _contour("contours with two points only", REFUSED, lambda c: [points[:2] for points in c], ""),
    _contour("contours 1e30 mm away", REFUSED, lambda c: [points + 1e30 for points in c], ""),
    _edited("contours that are open lines", REFUSED, _kind_of_contours("OPEN_PLANAR"), ""),
    _edited("a coordinate that is no number", REFUSED, _first_point("1e999"), ""),
    Entry("RTSTRUCT", "drawn on another scan", REFUSED, partial(_rtstruct, list, frame="1.2.3"), "another scan"),
)


def _seg(edit: Callable[[Dataset], None] | None, folder: Path, **options: object) -> Job:
    series = write_series(folder / "ct", small_chest()[0], uid=fixed_uids())
    path = write_seg(folder / "seg.dcm", series.paths, options.pop("mask", ball_mask()), names=("Tumor",), **options)
    if edit is not None:
        data = pydicom.dcmread(path)
        edit(data)
        data.save_as(path)
    return Job("", "mask", path, series.folder)


def _with_background(data: Dataset) -> None:
    background = copy.deepcopy(data.SegmentSequence[0])
    background.SegmentNumber, background.SegmentLabel = 0, "Background"
    if not any(segment.SegmentNumber == 0 for segment in data.SegmentSequence):
        data.SegmentSequence.insert(0, background)


def _without(keyword: str) -> Callable[[Dataset], None]:
    return lambda data: delattr(data, keyword)


def _lose_a_group(data: Dataset) -> None:
    data.PerFrameFunctionalGroupsSequence = data.PerFrameFunctionalGroupsSequence[:-1]


def _cut_pixels(data: Dataset) -> None:
    data.PixelData = data.PixelData[: len(data.PixelData) // 2]


def _other_frame(data: Dataset) -> None:
    data.FrameOfReferenceUID = "1.2.3"


def _many_frames(data: Dataset) -> None:
    data.NumberOfFrames = 2_000_000_000


def _segment(
    what: str, expected: str, edit: Callable[[Dataset], None] | None, word: str = "", **options: object
) -> Entry:
    build = partial(_seg, edit, **options)
    return Entry("DICOM SEG", what, expected, build, word, BALL_ML if expected != REFUSED else None)


SEGMENTATIONS = (
    _segment("sound", ACCEPTED, None),
    _segment("label map with a described background", ACCEPTED, _with_background, kind="LABELMAP"),
    _segment("shares of voxels", REPAIRED, None, "cut", mask=0.9 * ball_mask(), kind="FRACTIONAL"),
    _segment("without frame of reference", REPAIRED, _without("FrameOfReferenceUID"), "frame"),
    _segment("drawn on another scan", REFUSED, _other_frame, "another scan"),
    _segment("a frame without its description", REFUSED, _lose_a_group, ""),
    _segment("half of its pixels lost", REFUSED, _cut_pixels, ""),
    _segment("two thousand million frames promised", REFUSED, _many_frames, ""),
    _segment("without pixels", REFUSED, _without("PixelData"), ""),
)
