"""The table of a cohort: one row a tumor, checked whole before anything starts, every problem named at once."""

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from pathlib import Path

import numpy as np

from PDL1PredictorLib.cohort.clinical_cells import CLINICAL, NO, YES, clinical_of
from PDL1PredictorLib.cohort.endpoint_columns import missing_columns, present_endpoints
from PDL1PredictorLib.cohort.files import Row, examine, read_rows
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.clinical_columns import ClinicalColumn
from PDL1PredictorLib.core.endpoints import ENDPOINT_COLUMNS, Endpoint, Kind, endpoint
from PDL1PredictorLib.core.errors import CohortError, InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.core.running.processes import run_each

REQUIRED = ("case", "image", "mask")
OPTIONAL = ("patient", "split", "segment", "pet")
SPLITS = ("train", "test")
IGNORED_PREFIX = "note_"  # such columns are the user's own and pass without a word; see `own_columns`

Label = float | int | None
_Of = Callable[["CohortCase"], object]  # a value of a case that rows are compared by


@dataclass(frozen=True)
class CohortCase:
    """One tumor of the table.

    Attributes:
        name: How it is called; unique.
        patient: Whose tumor it is; the case's own name where the table does not say.
        image: CT: a volume file or the folder of a DICOM series.
        mask: Label map, RTSTRUCT or DICOM SEG.
        segment: Which region of the mask, where it has several.
        split: "train" or "test" where the table fixes it, None where it is to be drawn.
        clinical: What is known of patient and scan.
        labels: Endpoint key to 1 or 0, or to the number or time, or to None where it is not known.
        pet: Volume file of a PET in SUV, where there is one.
        own: The user's columns (`note_...`), by name without the prefix, to the cell's text; "" where empty.
        events: Key of a time that is known to whether it ended in the event, and not in the end of the follow-up.
    """

    name: str
    patient: str
    image: Path
    mask: Path
    segment: str | None
    split: str | None
    clinical: Clinical
    labels: dict[str, Label]
    pet: Path | None = None
    own: Mapping[str, str] = field(default_factory=dict)
    events: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Cohort:
    """A table that was found in order.

    Attributes:
        cases: In the order of the table, at least one.
        endpoints: Keys of `core.endpoints`; every case has an entry for each in its labels.
        source: The file.
        warnings: What the user should look at, though it does not stand in the way.
        case_warnings: The same of single cases, by name, where the images were looked at.
        declared: Clinical columns beside those of `Clinical`, which stand in its `other`.
    """

    cases: tuple[CohortCase, ...]
    endpoints: tuple[str, ...]
    source: Path
    warnings: tuple[str, ...] = ()
    case_warnings: Mapping[str, tuple[CaseWarning, ...]] = field(default_factory=dict)
    declared: tuple[ClinicalColumn, ...] = ()

    def __len__(self) -> int:
        return len(self.cases)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the cases."""
        return tuple(case.name for case in self.cases)

    @property
    def patients(self) -> tuple[str, ...]:
        """Of the cases, one each: a patient with two tumors occurs twice."""
        return tuple(case.patient for case in self.cases)

    def labels_array(self) -> np.ndarray:
        """(n, e) float: 0, 1, number or time, NaN where it is not known; columns in the order of `endpoints`."""
        rows = [
            [np.nan if case.labels[key] is None else case.labels[key] for key in self.endpoints] for case in self.cases
        ]
        return np.array(rows, dtype=np.float64).reshape(len(self.cases), len(self.endpoints))

    def select(self, names: Sequence[str]) -> "Cohort":
        """The cases with these names, in this order: for example those that could be prepared.

        Raises:
            InputError: A name is not in the cohort.
        """
        by_name = {case.name: case for case in self.cases}
        unknown = [name for name in names if name not in by_name]
        if unknown:
            raise InputError(f"The cohort {self.source.name} has no case {', '.join(unknown)}.")
        return replace(self, cases=tuple(by_name[name] for name in names))


def read_cohort(
    path: Path | str,
    endpoints: Sequence[str] | None = None,
    check_files: bool = True,
    check_images: bool = False,
    workers: int | None = 1,
    progress: Progress = SILENT,
    declared: Sequence[ClinicalColumn] = (),
) -> Cohort:
    """Read the table of a cohort and check all of it.

    Args:
        path: CSV (UTF-8; comma, semicolon or tab) or Parquet, with the columns `case`, `image` and `mask`, and, as far
            as there are any, `patient`, `split`, `segment`, `pet`, the names of `Clinical`, and the columns
            of `core.endpoints`. Paths are relative to the table's folder.
        endpoints: Those that are needed, in this order; None takes all that the table has, in the order of
            `core.endpoints`.
        check_files: Refuse a case whose files are not there.
        check_images: Read the images too, as a prediction would, and draw the regions.
        workers: Processes that do this; None takes one a core.
        progress: Told after every case.
        declared: Further clinical columns, with their coding. One that the table lacks is not known of any case.

    Raises:
        CohortError: With every problem of every row.
        InputError: The file cannot be read as a table.
    """
    path = Path(path)
    columns, rows = read_rows(path)
    problems = [f"the column {name} is missing" for name in REQUIRED if name not in columns]
    present = present_endpoints(columns)
    wanted = tuple(present if endpoints is None else (endpoint(key).key for key in endpoints))
    problems += missing_columns(columns, wanted)
    if not rows:
        problems.append("it has no row")
    if problems:
        raise CohortError(path, problems)
    reader = _RowReader(path.absolute().parent, present, wanted, check_files or check_images, declared)
    cases = [case for row in rows if (case := reader.case(row)) is not None]
    reader.check_across_rows()
    if check_images and not reader.problems:
        reader.check_images(workers, progress)
    if reader.problems:
        raise CohortError(path, reader.in_order())
    warnings = _unknown_columns(columns, [column.name for column in declared])
    return Cohort(tuple(cases), wanted, path, warnings, reader.case_warnings, tuple(declared))


def event_of(time: Label, text: str, one: Endpoint) -> bool | None:
    """A cell as whether a time ended in the event; None where neither is known.

    Raises:
        InputError: The word is not known, or one of the two is given alone.
    """
    days, event = one.columns
    word = text.strip().lower()
    if (time is None) != (not word):
        raise InputError(f"{days if word else event} is empty, while {event if word else days} is not; fill in both")
    if word and word not in (*YES, *NO):
        raise InputError(f"{event} is {text!r}; write 1 where the time ended in the event, else 0")
    return word in YES if word else None


def label_of(text: str, one: Endpoint) -> Label:
    """A cell as a label: 1 or 0, or a number, or None for an empty cell; words in any case.

    Raises:
        InputError: The word is not known, or the number is impossible.
    """
    word = text.strip().lower()
    return LABELS[one.kind](word, text, one) if word else None


def _yes_or_no(word: str, text: str, one: Endpoint) -> Label:
    if word in (*YES, one.positive.lower()):
        return 1
    if word in (*NO, one.negative.lower()):
        return 0
    words = f"{one.positive} or {one.negative}"
    raise InputError(f"{one.key} is {text!r}; write 1 or 0, {words}, or leave the cell empty where it is not known")


def _number(word: str, text: str, one: Endpoint) -> Label:
    low = -math.inf if one.low is None else one.low
    high = math.inf if one.high is None else one.high
    try:
        value = float(word.removesuffix(one.unit.lower()))
    except ValueError:
        value = math.nan
    if math.isfinite(value) and low <= value <= high:
        return value
    bounds = f"from {low:g} to {high:g}" if math.isfinite(high) else f"of {low:g} or more"
    raise InputError(
        f"{one.columns[0]} is {text!r}; write a number {bounds} ({one.unit}), or leave the cell empty where it is not "
        "known"
    )


LABELS: dict[Kind, Callable[[str, str, Endpoint], Label]] = {"binary": _yes_or_no, "number": _number, "time": _number}


def _unknown_columns(columns: Sequence[str], declared: Sequence[str]) -> tuple[str, ...]:
    names = (*REQUIRED, *OPTIONAL, *CLINICAL, *ENDPOINT_COLUMNS, *declared)
    known = {name.lower(): name for name in names}
    warnings = []
    for name in columns:
        if name in known.values() or name.startswith(IGNORED_PREFIX):
            continue
        near = get_close_matches(name.lower(), known, n=1)
        hint = f" Did you mean {known[near[0]]}?" if near else ""
        warnings.append(f"The column {name!r} is not known and is not used.{hint}")
    return tuple(warnings)


class _RowReader:
    """Turns rows into cases and collects what is wrong with them, by row."""

    def __init__(
        self,
        folder: Path,
        present: Sequence[str],
        wanted: Sequence[str],
        check_files: bool,
        declared: Sequence[ClinicalColumn],
    ) -> None:
        self.problems: list[tuple[int, str]] = []  # row of the table, sentence
        self.case_warnings: dict[str, tuple[CaseWarning, ...]] = {}
        self._folder, self._present, self._wanted, self._check_files = folder, present, wanted, check_files
        self._declared = declared
        self._read: list[tuple[Row, CohortCase]] = []

    def case(self, row: Row) -> CohortCase | None:
        """The case of a row, None where there is a problem with it."""
        if row.fault:
            self._tell(row, row.fault)
            return None
        before = len(self.problems)
        for column in REQUIRED:
            if not row.get(column):
                self._tell(row, f"{column} is empty")
        split = row.get("split").lower() or None
        if split not in (*SPLITS, None):
            self._tell(row, f"split is {row.get('split')!r}; write train or test")
        labels = {key: self._label(row, key) for key in self._present}
        events = self._events(row, labels)
        clinical = self._clinical(row)
        image, mask = self._file(row, "image"), self._file(row, "mask")
        name = row.get("case")
        case = CohortCase(
            name=name,
            patient=row.get("patient") or name,
            image=image,
            mask=mask,
            segment=row.get("segment") or None,
            split=split,
            clinical=clinical,
            labels={key: labels.get(key) for key in self._wanted},
            pet=self._file(row, "pet") if row.get("pet") else None,
            own={n.removeprefix(IGNORED_PREFIX): cell for n, cell in row.cells.items() if n.startswith(IGNORED_PREFIX)},
            events={key: event for key, event in events.items() if key in self._wanted},
        )
        if all(row.get(column) for column in REQUIRED):
            self._read.append((row, case))
        return case if len(self.problems) == before else None

    def check_across_rows(self) -> None:
        """Find what only shows when rows are compared."""
        self._twice("the case name", lambda case: case.name)
        self._twice("the same tumor (image, mask and segment)", lambda case: (case.image, case.mask, case.segment))
        self._differs("mask", "images", lambda case: case.mask, lambda case: case.image)
        self._differs("image", "patients", lambda case: case.image, lambda case: case.patient)
        self._differs("patient", "splits", lambda case: case.patient, lambda case: case.split)
        if any(case.split for _, case in self._read):
            for row, case in self._read:
                if case.split is None:
                    self._tell(row, "split is empty, while other rows have one; fill it in every row or in none")

    def check_images(self, workers: int | None, progress: Progress) -> None:
        """Open every image and mask, and draw the regions."""
        jobs = [(case.image, case.mask, case.segment, case.pet) for _, case in self._read]
        found = run_each(examine, jobs, workers, progress, "check")
        for (row, case), examined in zip(self._read, found, strict=True):
            if examined.fault:
                self._tell(row, examined.fault)
            elif examined.warnings:
                self.case_warnings[case.name] = examined.warnings

    def in_order(self) -> list[str]:
        """The problems, first row first."""
        return [f"row {row}{text}" for row, text in sorted(self.problems, key=lambda found: found[0])]

    def _tell(self, row: Row, text: str) -> None:
        name = row.get("case")
        self.problems.append((row.number, f" ({name}): {text}" if name else f": {text}"))

    def _label(self, row: Row, key: str) -> Label:
        try:
            return label_of(row.get(endpoint(key).columns[0]), endpoint(key))
        except InputError as error:
            self._tell(row, str(error))
            return None

    def _events(self, row: Row, labels: Mapping[str, Label]) -> dict[str, bool]:
        found = {}
        for key in (key for key in labels if endpoint(key).timed):
            try:
                event = event_of(labels[key], row.get(endpoint(key).columns[1]), endpoint(key))
            except InputError as error:
                self._tell(row, str(error))
                continue
            if event is not None:
                found[key] = event
        return found

    def _clinical(self, row: Row) -> Clinical:
        try:
            names = (*CLINICAL, *(column.name for column in self._declared))
            return clinical_of({name: row.get(name) for name in names}, self._declared)
        except InputError as error:
            self._tell(row, str(error))
            return Clinical()

    def _file(self, row: Row, column: str) -> Path:
        path = self._folder / row.get(column)
        if not (row.get(column) and self._check_files):
            return path
        if not path.exists():
            self._tell(row, f"the {column} {row.get(column)} does not exist")
        elif path.is_file() and path.stat().st_size == 0:
            self._tell(row, f"the {column} {row.get(column)} is an empty file")
        return path

    def _twice(self, what: str, of: _Of) -> None:
        seen: dict[object, Row] = {}
        for row, case in self._read:
            first = seen.setdefault(of(case), row)
            if first is not row:
                self._tell(row, f"{what} occurs already in row {first.number}")

    def _differs(self, one: str, others: str, of: _Of, other: _Of) -> None:
        """What must be of one kind, such as a patient's split, is of several."""
        groups: dict[object, list[tuple[Row, CohortCase]]] = defaultdict(list)
        for row, case in self._read:
            groups[of(case)].append((row, case))
        for found in groups.values():
            first_row, first = found[0]
            for row, case in found[1:]:
                if other(case) != other(first):
                    values = f"{_short(other(first))} in row {first_row.number}, {_short(other(case))} here"
                    self._tell(row, f"the {one} {_short(of(case))} has two {others}: {values}")


def _short(value: object) -> str:
    if value is None:
        return "none"
    return value.name if isinstance(value, Path) else str(value)
