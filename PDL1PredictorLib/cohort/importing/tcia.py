"""A cohort from DICOM folders as The Cancer Imaging Archive hands them out: CT and segmentation of each patient."""

import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PDL1PredictorLib.cohort.importing.clinical import (
    PAPERS_RULE,
    ExpressionRule,
    add_expression,
    read_clinical,
    read_expression,
)
from PDL1PredictorLib.cohort.writing import Imported, TableRow
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.imaging.dicom.files import header, is_dicom
from PDL1PredictorLib.imaging.plain_words import plain_words

TAGS = (
    *("PatientID", "Modality", "SeriesInstanceUID", "FrameOfReferenceUID"),
    *("ReferencedSeriesSequence", "SegmentSequence"),
)


@dataclass(frozen=True)
class _Series:
    """A folder of one series, or the file of a segmentation.

    Attributes:
        path: Where it is.
        patient: PatientID.
        modality: CT or SEG.
        uid: SeriesInstanceUID.
        frame: FrameOfReferenceUID.
        refers_to: Series that a segmentation was drawn on.
        segments: Names in a segmentation.
    """

    path: Path
    patient: str
    modality: str
    uid: str
    frame: str
    refers_to: tuple[str, ...]
    segments: tuple[str, ...]


def import_tcia(
    folder: Path,
    clinical: Path | None = None,
    expression: Path | None = None,
    rule: ExpressionRule = PAPERS_RULE,
    progress: Progress = SILENT,
) -> Imported:
    """Find the CT and the segmentation of every patient, and join clinical values and labels.

    A segmentation belongs to the CT series that it refers to, or, where it names none, to the patient's only CT in its
    frame of reference. Every segmentation becomes a case.

    Args:
        folder: Searched with its subfolders; one series a folder, whatever the folders are called.
        clinical: The collection's clinical table; patients by "Case ID".
        expression: Table of gene expression, see `importing.clinical`.
        rule: What makes PDL1 positive there.
        progress: Told after every folder.

    Raises:
        InputError: There is no pair of CT and segmentation, or a table does not fit.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is no folder. Choose the folder with the DICOM files.")
    by_patient: dict[str, list[_Series]] = defaultdict(list)
    rows: list[TableRow] = []
    notes: list[str] = []
    for parent, folders, files in os.walk(folder):
        folders.sort()
        progress.step("import", 0.5, Path(parent).name)
        scans, masks = _series_in(sorted(Path(parent) / name for name in files if not name.startswith(".")))
        if len(scans) > 1:
            notes.append(f"{parent}: left out, it holds {len(scans)} CT series; put each into a folder of its own.")
            scans = []
        for series in (*scans, *masks):
            by_patient[series.patient].append(series)
    for patient in sorted(by_patient):
        found, said = _cases_of(patient, by_patient[patient])
        rows += found
        notes += said
    if not rows:
        reasons = "".join(f"\n  {note}" for note in notes[:10])
        raise InputError(
            f"{folder} holds no CT with a DICOM segmentation (SEG). Choose the folder of the collection.{reasons}"
        )
    if clinical is not None:
        notes += _join_clinical(rows, read_clinical(clinical))
    if expression is not None:
        notes += add_expression(rows, read_expression(expression), rule)
    return Imported(rows, tuple(notes))


def _series_in(files: Sequence[Path]) -> tuple[list[_Series], list[_Series]]:
    """The CT series, each once, and the segmentations among the files of a folder."""
    scans: dict[str, _Series] = {}
    masks = []
    for path in files:
        if is_dicom(path):
            series = _series(path)
            if series.modality == "SEG":
                masks.append(series)
            elif series.modality == "CT":
                scans.setdefault(series.uid, series)
    return list(scans.values()), masks


def _series(path: Path) -> _Series:
    data = header(path, TAGS)
    with plain_words(path, "DICOM file"):
        modality = str(data.get("Modality", ""))
        return _Series(
            path=path if modality == "SEG" else path.parent,
            patient=str(data.get("PatientID", "")).strip(),
            modality=modality,
            uid=str(data.get("SeriesInstanceUID", "")),
            frame=str(data.get("FrameOfReferenceUID", "")),
            refers_to=tuple(str(one.SeriesInstanceUID) for one in data.get("ReferencedSeriesSequence", [])),
            segments=tuple(str(one.get("SegmentLabel", "")) for one in data.get("SegmentSequence", [])),
        )


def _cases_of(patient: str, series: Sequence[_Series]) -> tuple[list[TableRow], list[str]]:
    scans = [one for one in series if one.modality == "CT"]
    masks = [one for one in series if one.modality == "SEG"]
    if not masks:
        return [], [f"{patient}: left out, it has no segmentation."]
    rows: list[TableRow] = []
    notes = []
    for mask in masks:
        fitting = [scan for scan in scans if scan.uid in mask.refers_to]
        fitting = fitting or [scan for scan in scans if scan.frame and scan.frame == mask.frame]
        if len(fitting) != 1:
            notes.append(f"{patient}: {mask.path.name} left out, {len(fitting)} CT series fit it.")
            continue
        name = patient if not rows else f"{patient}-{len(rows) + 1}"
        rows.append({"case": name, "patient": patient, "image": str(fitting[0].path), "mask": str(mask.path)})
        if len(mask.segments) > 1:
            named = ", ".join(mask.segments)
            notes.append(f"{name}: {mask.path.name} has several segments ({named}); the first is taken.")
            rows[-1]["segment"] = mask.segments[0]
    return rows, notes


def _join_clinical(rows: list[TableRow], clinical: Mapping[str, TableRow]) -> list[str]:
    missing = []
    for row in rows:
        if row["patient"] in clinical:
            row.update(clinical[row["patient"]])
        else:
            missing.append(row["patient"])
    return [f"Without clinical values: {', '.join(sorted(set(missing)))}."] if missing else []
