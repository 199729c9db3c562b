"""The CT series of a folder: which files are its slices, which are not, and what must be said of those."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.dicom.files import begins_as_dicom, first_bytes, header, lacks_prefix, not_readable, quiet

TAGS = (
    *("SOPClassUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality", "ImageType", "SeriesDescription"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns", "NumberOfFrames"),
    *("RescaleSlope", "RescaleIntercept", "RescaleType", "ModalityLUTSequence", "PhotometricInterpretation"),
    *("PixelRepresentation", "BitsAllocated", "BitsStored", "HighBit", "ImagesInAcquisition"),
    *("LossyImageCompression", "LossyImageCompressionRatio"),
    *("PatientAge", "PatientSex", "SliceThickness", "ConvolutionKernel", "Manufacturer"),  # never a name
    *("SmokingStatus", "XRayTubeCurrent"),
    *("StudyDate", "PatientID"),  # of the number a hash alone is kept
)
CT_CLASSES = (CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage)
DICOM_SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")
SILENT_NAMES = ("dicomdir", "thumbs.db", "desktop.ini")  # beside the images of many discs and folders
MAX_NAMES = 3
MAX_LISTED_SERIES = 10
EMPTY, NO_LINK, FORBIDDEN, NO_DICOM = "empty", "a link that leads nowhere", "may not be read", "no DICOM"


@dataclass(frozen=True, eq=False)
class Slice:
    """One file of a series.

    Attributes:
        path: Where it is.
        data: The part of its header that is needed.
        prefixed: False for a file with DICOM's meta header but without the bytes that come before it.
    """

    path: Path
    data: Any
    prefixed: bool = True

    def text(self, tag: str) -> str:
        """A value as text, "" where it is missing; several values are joined.

        Raises:
            InputError: The value is damaged.
        """
        with quiet():
            try:
                value = self.data.get(tag)
            except Exception as error:  # pydicom converts a value only here, and each type of value fails in its way
                raise InputError(f"{self.path.name} has a damaged {tag} ({error}). Export it again.") from error
        if value is None:
            return ""
        is_list = not isinstance(value, str) and isinstance(value, Sequence)
        return "\\".join(str(v) for v in value) if is_list else str(value).strip()

    def hint(self, tag: str) -> str:
        """A value that the reading does not depend on, "" where it is missing or damaged."""
        try:
            return self.text(tag)
        except InputError:
            return ""

    @property
    def image_type(self) -> list[str]:
        """The words of ImageType, such as ORIGINAL, PRIMARY, AXIAL."""
        return self.text("ImageType").upper().split("\\")


@dataclass(frozen=True, eq=False)
class Folder:
    """What lies in a folder, its subfolders apart.

    Attributes:
        path: The folder.
        series: The images by SeriesInstanceUID, "" for those without.
        aside: What is no image, with its reason.
        suspects: Those of them that may be a slice of a series whose files are named alike.
    """

    path: Path
    series: dict[str, list[Slice]]
    aside: list[tuple[Path, str]]
    suspects: list[tuple[Path, str]]


def look_into(folder: Path) -> Folder:
    """Look at every file of a folder. Hidden files, such as the companions that macOS writes, are ignored.

    Raises:
        InputError: The folder cannot be read, or a file was a slice but is none any more: passed over, it could be
            missing at an end unseen.
    """
    series: dict[str, list[Slice]] = defaultdict(list)
    aside, suspects = [], []
    for path in _entries(folder):
        start, why = _start_of(path)
        if not why and begins_as_dicom(start):
            found = Slice(path, header(path, TAGS), not lacks_prefix(start))
            if found.text("Rows"):
                series[found.text("SeriesInstanceUID")].append(found)
            elif _sop_class(found) in CT_CLASSES or not (_sop_class(found) or found.text("Modality")):
                raise InputError(f"The slice {path.name} is cut off. Copy or export the series again.")
            continue  # other objects, such as an RTSTRUCT beside its CT, need no word
        why = why or NO_DICOM
        if path.suffix.lower() in DICOM_SUFFIXES:
            raise InputError(_refusal(path, why))
        aside.append((path, why))
        if why != NO_DICOM or b"\0" in start:  # a text file was never a slice
            suspects.append((path, why))
    return Folder(folder, dict(series), aside, suspects)


def _entries(folder: Path) -> list[Path]:
    try:
        return [p for p in sorted(folder.iterdir()) if not p.name.startswith(".") and _may_be_file(p)]
    except OSError as error:
        raise InputError(not_readable(folder, error)) from error


def _may_be_file(path: Path) -> bool:
    if path.name.lower() in SILENT_NAMES:
        return False
    return path.is_file() or (path.is_symlink() and not path.exists())


def _start_of(path: Path) -> tuple[bytes, str]:
    """The first bytes of a file, or why there are none."""
    if not path.exists():
        return b"", NO_LINK
    try:
        start = first_bytes(path)
    except OSError:
        return b"", FORBIDDEN
    return start, "" if start else EMPTY


def _sop_class(found: Slice) -> str:
    return str(found.data.file_meta.get("MediaStorageSOPClassUID", "")) or found.text("SOPClassUID")


def _refusal(path: Path, why: str) -> str:
    if why == FORBIDDEN:
        return f"{path} may not be read, and may be a slice. Ask for the right to read it, or move it elsewhere."
    what = {EMPTY: "is empty", NO_LINK: "is a link that leads nowhere"}.get(why, "is damaged (it is no DICOM)")
    return f"{path.name} {what}, and may be a slice. Copy or export the series again, or remove the file."


def _kind(path: Path) -> str:
    """How a file is named: its suffix; numbers after a point, as in a UID, are none."""
    return "" if path.suffix[1:].isdigit() else path.suffix.lower()


def choose_series(found: Folder, uid: str | None) -> tuple[list[Slice], list[CaseWarning]]:
    """The slices of the CT series that is meant, and what was left out.

    Args:
        found: The folder.
        uid: SeriesInstanceUID; needed if there are several CT series.

    Raises:
        InputError: No CT there, several, or a file that may be a slice but cannot be read.
    """
    groups = found.series
    if not groups:
        subfolders = sum(entry.is_dir() for entry in found.path.iterdir())
        hint = f" It has {subfolders} subfolders: choose the one with the CT." if subfolders else ""
        raise InputError(f"{found.path} holds no DICOM image. Choose the folder with the slices of the CT.{hint}")
    if uid is not None and uid not in groups:
        raise InputError(f"{found.path} holds no series {uid}. It holds:{_listed(groups)}")
    _require_uids(groups)
    chosen = uid if uid is not None else _only_ct(groups, found.path)
    slices = groups[chosen]
    modality = slices[0].text("Modality")
    if modality != "CT":
        raise InputError(f"The DICOM modality is {modality or 'none'}; a CT is needed. Choose the CT series.")
    scouts = [one for one in slices if "LOCALIZER" in one.image_type]
    if len(scouts) == len(slices):
        scouts = []
    kinds = {_kind(one.path) for one in slices}
    for path, why in found.suspects:
        if _kind(path) in kinds:
            raise InputError(_refusal(path, why))
    others = {} if uid is not None else {key: group for key, group in groups.items() if key != chosen}
    warned = [*_files_left_out(found), *_series_left_out(others, scouts)]
    return [one for one in slices if one not in scouts], warned


def _require_uids(groups: dict[str, list[Slice]]) -> None:
    """Refuse a folder in which it is not clear to which series a slice belongs."""
    scans = {uid: group for uid, group in groups.items() if group[0].text("Modality") == "CT"}
    if "" in scans and len(scans) > 1:
        raise InputError(
            f"{_counted(scans[''], 'image has', 'images have')} no SeriesInstanceUID ({_names(scans[''])}), so it is "
            "not clear whether they belong to the CT beside them. Export the series again, or move them elsewhere."
        )
    if len(scans) > 2 and all(len(group) == 1 for group in scans.values()):
        raise InputError(
            f"Each of the {len(scans)} CT images has a SeriesInstanceUID of its own, so they make no series. Export "
            "the series again with one and the same uid."
        )


def _only_ct(groups: dict[str, list[Slice]], folder: Path) -> str:
    scans = {uid: group for uid, group in groups.items() if group[0].text("Modality") == "CT"}
    if not scans:
        modalities = sorted({group[0].text("Modality") or "none" for group in groups.values()})
        raise InputError(f"The DICOM modality is {', '.join(modalities)}; a CT is needed. Choose the CT series.")
    if len(scans) > 1:  # a scout view, or a picture of a dose report, is never what is meant
        scans = {uid: group for uid, group in scans.items() if any(map(_is_slice, group))} or scans
    if len(scans) > 1:
        raise InputError(f"{folder} holds {len(scans)} CT series. Choose one by its uid (--series):{_listed(scans)}")
    return next(iter(scans))


def _is_slice(one: Slice) -> bool:
    return "LOCALIZER" not in one.image_type and bool(one.text("ImagePositionPatient") or one.text("NumberOfFrames"))


def _listed(groups: dict[str, list[Slice]]) -> str:
    lines = [
        f"\n  {uid or 'without a uid'}: {group[0].text('Modality')}, {len(group)} slices, "
        f"{group[0].hint('SeriesDescription') or 'no description'}"
        for uid, group in groups.items()
    ]
    more = len(lines) - MAX_LISTED_SERIES
    return "".join(lines[:MAX_LISTED_SERIES]) + (f"\n  and {more} more" if more > 0 else "")


def _files_left_out(found: Folder) -> list[CaseWarning]:
    if not found.aside:
        return []
    by_reason: dict[str, list[Path]] = defaultdict(list)
    for path, why in found.aside:
        by_reason[why].append(path)
    told = "; ".join(f"{len(paths)} {why} ({_listed_names(paths)})" for why, paths in by_reason.items())
    text = f"Of the files beside the slices {len(found.aside)} were left out: {told}. If one is a slice, copy it again."
    return [CaseWarning("files_left_out", text)]


def _series_left_out(others: dict[str, list[Slice]], scouts: list[Slice]) -> list[CaseWarning]:
    told = [
        f"{_counted(group, 'image', 'images')} of the series {group[0].hint('SeriesDescription') or 'without a name'} "
        f"({group[0].text('Modality') or 'no modality'})"
        for group in list(others.values())[:MAX_NAMES]
    ]
    told += [f"{len(others) - MAX_NAMES} more series"] if len(others) > MAX_NAMES else []
    told += [f"{_counted(scouts, 'localizer', 'localizers')} ({_names(scouts)})"] if scouts else []
    text = f"Beside the slices of the CT the folder holds other images, which were left out: {'; '.join(told)}."
    return [CaseWarning("series_left_out", text)] if told else []


def _counted(items: Sequence[object], one: str, several: str) -> str:
    return f"{len(items)} {one if len(items) == 1 else several}"


def _names(slices: Iterable[Slice]) -> str:
    return _listed_names([one.path for one in slices])


def _listed_names(paths: Sequence[Path]) -> str:
    """Up to three names, and how many more there are."""
    more = len(paths) - MAX_NAMES
    return ", ".join(path.name for path in paths[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
