"""DICOM series as archives, anonymizers and broken copies hand them out."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace

from campaign import Job
from dicom_writing import write_series
from entry import ACCEPTED, REFUSED, REPAIRED, Entry
from pydicom.dataset import Dataset
from small_inputs import fixed_uids, small_chest

Change = Callable[[int, Dataset], None]
After = Callable[[SimpleNamespace], object]


def _series(change: Change | None, after: After | None, folder: Path) -> Job:
    written = write_series(folder / "ct", small_chest()[0], change, uid=fixed_uids())
    if after is not None:
        after(written)
    return Job("", "ct", written.folder)


def _one(what: str, expected: str, change: Change | None = None, after: After | None = None, word: str = "") -> Entry:
    return Entry("DICOM series", what, expected, partial(_series, change, after), word)


def _same_uid(data: Dataset) -> None:
    data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = "1.2.3"


def _every(edit: Callable[[Dataset], None]) -> Change:
    return lambda n, data: edit(data)


def _at(numbers: tuple[int, ...], edit: Callable[[Dataset], None]) -> Change:
    return lambda n, data: edit(data) if n in numbers else None


def _without(*keywords: str) -> Callable[[Dataset], None]:
    def edit(data: Dataset) -> None:
        for keyword in keywords:
            delattr(data, keyword)

    return edit


def _other_slope(n: int, data: Dataset) -> None:
    """Stored with another scale on every slice: the same Hounsfield units."""
    slope = 0.5 if n % 2 else 1.0
    stored = data.pixel_array.astype("f8") - 1024
    data.RescaleSlope, data.RescaleIntercept = slope, -1024
    data.PixelData = ((stored + 1024) / slope).round().astype("<u2").tobytes()


def _tilted(n: int, data: Dataset) -> None:
    x, y, z = data.ImagePositionPatient
    data.ImagePositionPatient = [x, y + 0.5 * n, z]


def _wider(data: Dataset) -> None:
    data.PixelSpacing = [2.0, 2.0]


def _without_preamble(written: SimpleNamespace) -> None:
    for path in written.paths:
        path.write_bytes(path.read_bytes()[132:])


def _cut(written: SimpleNamespace) -> None:
    content = written.paths[4].read_bytes()
    written.paths[4].write_bytes(content[: len(content) // 2])


def _broken_link(written: SimpleNamespace) -> None:
    written.paths[-1].unlink()
    written.paths[-1].symlink_to(written.folder / "moved away.dcm")


def _unknown_syntax(written: SimpleNamespace) -> None:
    for path in written.paths:
        path.write_bytes(path.read_bytes().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.9\0", 1))


SERIES = (
    _one("sound", ACCEPTED),
    _one("every slice with one SOPInstanceUID", ACCEPTED, _every(_same_uid)),
    _one("no slice with a SOPInstanceUID", ACCEPTED, _every(_without("SOPInstanceUID"))),
    _one("first and last slice share a SOPInstanceUID", ACCEPTED, _at((0, 11), _same_uid)),
    _one("files without preamble", ACCEPTED, None, _without_preamble),
    _one("a scale of its own on every slice", ACCEPTED, _other_slope),
    _one("a text file beside the slices", REPAIRED, None, lambda w: (w.folder / "notes.txt").write_text("x")),
    _one("a copy of a slice", REPAIRED, None, lambda w: shutil.copy(w.paths[3], w.folder / "copy.dcm")),
    _one("a slice missing in the middle", REFUSED, None, lambda w: w.paths[5].unlink(), "missing"),
    _one("a link to a slice that is gone", REFUSED, None, _broken_link),
    _one("an empty file", REFUSED, None, lambda w: w.paths[-1].write_bytes(b""), "empty"),
    _one("a slice that is cut off", REFUSED, None, _cut),
    _one("no rescale values", REFUSED, _every(_without("RescaleSlope", "RescaleIntercept"))),
    _one("no rescale values on one slice", REFUSED, _at((4,), _without("RescaleSlope", "RescaleIntercept"))),
    _one("a slice with other pixels", REFUSED, _at((4,), _wider), word="PixelSpacing"),
    _one("a tilted gantry", REFUSED, _tilted, word="tilt"),
    _one("an unknown transfer syntax", REFUSED, None, _unknown_syntax),
    _one("a slice without position", REFUSED, _at((4,), _without("ImagePositionPatient")), word="ImagePositionPatient"),
)
