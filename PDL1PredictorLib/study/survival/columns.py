"""A table with times and events, and its columns as covariates: numbers, logarithms, categories."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from PDL1PredictorLib.cohort.clinical.cells import NO, YES
from PDL1PredictorLib.cohort.files import Row, read_rows
from PDL1PredictorLib.core.errors import CohortError, InputError
from PDL1PredictorLib.learning.tables.input_table import NAMES
from PDL1PredictorLib.learning.tables.label_source import missing_column, number_of
from PDL1PredictorLib.study.survival.answers import Answers, with_answers

MOST_LEVELS = 12  # of a category; more is a column of names


@dataclass(frozen=True)
class Term:
    """One covariate of a model.

    Attributes:
        name: As the report shows it, such as `age`, `log(diameter)` or `stage: II`.
        column: As it was asked for; the levels of a category share it.
        against: Of a level, the level that it is compared with; empty for numbers.
    """

    name: str
    column: str
    against: str = ""


@dataclass(frozen=True, eq=False)
class SurvivalTable:
    """A table that was found in order; rows without time or event are left out.

    Attributes:
        file_name: Of the table.
        sha256: Of the file.
        time: (n,) follow-up.
        event: (n,) whether the event came.
        cells: Column to its (n,) texts, missing ones "".
        n_unknown: Rows left out.
        notes: What the reader must know of how it was made.
    """

    file_name: str
    sha256: str
    time: np.ndarray
    event: np.ndarray
    cells: Mapping[str, np.ndarray]
    n_unknown: int
    notes: tuple[str, ...] = ()

    def numbers(self, name: str) -> np.ndarray:
        """(n,) a column of numbers, NaN where it is empty; `log(COLUMN)` is its natural logarithm.

        Raises:
            InputError: It is not there, holds text, or a logarithm of nothing above 0.
        """
        inner = re.fullmatch(r"log\((.+)\)", name)
        texts = self._column(inner[1] if inner else name)
        values = np.array([number_of(text) for text in texts])
        wrong = next((str(text) for text, value in zip(texts, values, strict=True) if text and math.isnan(value)), None)
        if wrong is not None:
            raise InputError(f"The column {inner[1] if inner else name} holds {wrong!r}, which is no number.")
        if inner is None:
            return values
        if not (values[np.isfinite(values)] > 0).all():
            raise InputError(f"{name}: the column holds numbers that are not above 0, which have no logarithm.")
        return np.asarray(np.log(values))

    def texts(self, name: str) -> np.ndarray:
        """(n,) a column as it stands, "" where it is empty.

        Raises:
            InputError: It is not there.
        """
        return self._column(name)

    def covariates(self, names: Sequence[str]) -> tuple[list[Term], np.ndarray]:
        """Terms and their (n, k) values, NaN where one is missing.

        A column of text is a category: a term for each level but the first in alphabetical order, which the others are
        compared with.

        Raises:
            InputError: A column is not there, or has too many levels.
        """
        terms: list[Term] = []
        values: list[np.ndarray] = []
        for name in names:
            added, own = self._terms(name)
            terms += added
            values += own
        return terms, np.column_stack(values) if values else np.empty((self.time.size, 0))

    def _terms(self, name: str) -> tuple[list[Term], list[np.ndarray]]:
        texts = None if name.startswith("log(") else self._column(name)
        if texts is None or all(not text or not math.isnan(number_of(text)) for text in texts):
            return [Term(name, name)], [self.numbers(name)]
        levels = sorted({str(text) for text in texts if text})
        if len(levels) > MOST_LEVELS:
            raise InputError(f"The column {name} has {len(levels)} different texts: too many for a category.")
        missing = texts == ""
        return [Term(f"{name}: {level}", name, levels[0]) for level in levels[1:]], [
            np.where(missing, np.nan, (texts == level).astype(float)) for level in levels[1:]
        ]

    def _column(self, name: str) -> np.ndarray:
        if name not in self.cells:
            raise InputError(f"{self.file_name}: {missing_column(name, tuple(self.cells))}.")
        return self.cells[name]


def read_survival_table(
    path: Path, time: str, event: str, missing: Mapping[str, str], answers: Answers | None = None
) -> SurvivalTable:
    """Read a CSV or Parquet file with one row a patient.

    Args:
        path: The table; its first row names the columns.
        time: Column of follow-up, in any unit, none negative.
        event: Column of 1 (it came) and 0 (censored), or yes and no.
        missing: Column to a text that stands for "not known" in it.
        answers: Of a model, to join; None: none.

    Raises:
        CohortError: With every problem of every row.
        InputError: The file cannot be read as a table.
    """
    path = Path(path)
    columns, rows = read_rows(path)
    notes: tuple[str, ...] = ()
    if answers is not None:
        columns, rows, notes = with_answers(columns, rows, answers, (time, event))
    problems = [missing_column(name, columns) for name in (time, event, *missing) if name not in columns]
    problems += [f"row {row.number}: {row.fault}" for row in rows if row.fault]
    if problems:
        raise CohortError(path, problems)
    known = [row for row in rows if row.get(time) and row.get(event)]
    problems = [*_wrong_times(known, time), *_wrong_events(known, event), *_repeated(known, columns)]
    if not known:
        problems.append(f"no row has both {time} and {event}")
    if problems:
        raise CohortError(path, problems)
    cells = {name: np.array([_cell(row, name, missing) for row in known], dtype=str) for name in columns if name}
    return SurvivalTable(
        path.name,
        hashlib.sha256(path.read_bytes()).hexdigest(),
        np.array([float(row.get(time)) for row in known]),
        np.array([row.get(event).lower() in YES for row in known]),
        cells,
        len(rows) - len(known),
        notes,
    )


def _cell(row: Row, name: str, missing: Mapping[str, str]) -> str:
    text = row.get(name)
    return "" if text == missing.get(name) or text.lower() in ("na", "nan") else text


def _wrong_times(rows: Sequence[Row], time: str) -> list[str]:
    return [
        f"row {row.number}: {time} is {row.get(time)!r}; a number that is not negative is needed"
        for row in rows
        if not (math.isfinite(number_of(row.get(time))) and number_of(row.get(time)) >= 0)
    ]


def _wrong_events(rows: Sequence[Row], event: str) -> list[str]:
    return [
        f"row {row.number}: {event} is {row.get(event)!r}; write 1 (it came) or 0 (censored)"
        for row in rows
        if row.get(event).lower() not in (*YES, *NO)
    ]


def _repeated(rows: Sequence[Row], columns: Sequence[str]) -> list[str]:
    problems = []
    for name in (column for column in columns if column.lower() in NAMES or column.lower() == "patientid"):
        names = [row.get(name) for row in rows if row.get(name)]
        twice = sorted({text for text in names if names.count(text) > 1}) if len(set(names)) < len(names) else []
        problems += [f"{name} {text} stands in several rows; keep one row of each patient" for text in twice]
    return problems
