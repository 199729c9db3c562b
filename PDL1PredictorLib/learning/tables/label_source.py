"""Where a table's label comes from: a column of 1 and 0, a number with a cut, a second table with one row a patient."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path

from PDL1PredictorLib.cohort.files import Row, read_rows
from PDL1PredictorLib.core.errors import InputError


@dataclass(frozen=True)
class LabelSource:
    """Where a label is found that is no column of 1 and 0 of the table itself.

    Attributes:
        patient: Column that says whose row it is; patients are held out whole.
        file: Second table with the label, one row a patient, joined by `patient`.
        at_least: The label is a number, and 1 where it is at least this.
    """

    patient: str | None = None
    file: Path | None = None
    at_least: float | None = None

    def __post_init__(self) -> None:
        if self.file is not None and self.patient is None:
            raise InputError("A second table of labels is joined by the patient: name that column (--patient).")

    def options(self) -> dict[str, str]:
        """As options of the command."""
        given = {
            "labels": None if self.file is None else self.file.name,
            "at-least": None if self.at_least is None else f"{self.at_least:g}",
            "patient": self.patient,
        }
        return {name: value for name, value in given.items() if value is not None}


ITSELF = LabelSource()


def with_label(
    columns: Sequence[str], rows: Sequence[Row], label: str, source: LabelSource
) -> tuple[tuple[str, ...], list[Row]]:
    """The table with its label as 1 and 0: joined from the second table, cut where it is a number.

    A cell that is no number where one is needed stays as it is, and is told with the other problems.

    Raises:
        InputError: The second table lacks a column, names a patient twice, or the first has the label, too.
    """
    if source.file is not None:
        columns, rows = _joined(tuple(columns), rows, label, source.file, str(source.patient))
    if source.at_least is None:
        return tuple(columns), list(rows)
    return tuple(columns), [
        replace(row, cells={**row.cells, label: _cut(row.get(label), source.at_least)}) for row in rows
    ]


def _joined(
    columns: tuple[str, ...], rows: Sequence[Row], label: str, file: Path, patient: str
) -> tuple[tuple[str, ...], list[Row]]:
    there, found = read_rows(file)
    problems = [missing_column(name, there) for name in (patient, label) if name not in there]
    if problems or label in columns:
        raise InputError(f"{file.name}: {'; '.join(problems) or f'{label} is a column of both tables'}.")
    by_patient = {row.get(patient): row.get(label) for row in found}
    if len(by_patient) < len(found):
        raise InputError(f"{file.name} has two rows of one patient. Keep one of each.")
    return (*columns, label), [
        replace(row, cells={**row.cells, label: by_patient.get(row.get(patient), "")}) for row in rows
    ]


def _cut(text: str, at_least: float) -> str:
    value = number_of(text)
    return text if math.isnan(value) else str(int(value >= at_least))


def missing_column(name: str, columns: Sequence[str]) -> str:
    """What to say of a column that is not there."""
    near = get_close_matches(name, columns, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(columns)}"
    return f"the column {name} is missing; {hint}"


def number_of(text: str) -> float:
    """NaN where it is none."""
    try:
        return float(text)
    except ValueError:
        return math.nan
