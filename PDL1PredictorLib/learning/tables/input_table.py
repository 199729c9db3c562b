"""A table of inputs and a label, checked whole before anything is fitted, every problem named at once."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from PDL1PredictorLib.cohort.clinical.cells import NO, YES
from PDL1PredictorLib.cohort.files import Row, read_rows
from PDL1PredictorLib.core.errors import CohortError
from PDL1PredictorLib.learning.tables.label_source import ITSELF, LabelSource, missing_column, number_of, with_label

COUNTERS = ("", "row", "index", "unnamed: 0")  # columns by these names number the rows
NAMES = ("case", "patient", "id", "name")  # and by these say whose row it is
MIN_CASES = 10  # of each label


@dataclass(frozen=True)
class LabelRule:
    """What a label may be.

    Attributes:
        value: A cell's text to the label; None where it is none.
        wanted: What to write in its place, in words.
        problems: Name of the label and all of them, (n,), to what is wrong with them together.
        same: Whether a column (n,) is the label (n,) itself, told in another way perhaps.
    """

    value: Callable[[str], float | None]
    wanted: str
    problems: Callable[[str, np.ndarray], Iterable[str]]
    same: Callable[[np.ndarray, np.ndarray], bool]


@dataclass(frozen=True, eq=False)
class InputTable:
    """A table that was found in order.

    Attributes:
        file_name: Of the table.
        sha256: Of the file.
        label: Name of the label's column.
        inputs: Names of the d inputs.
        x: Their values, (n, d).
        labels: 0 or 1, or numbers, as the rule of the reading had it, (n,).
        n_unknown: Rows left out because their label is empty.
        ignored: Columns that are no inputs.
        warnings: What the user should look at, though it does not stand in the way.
        patients: Whose row each is, (n,); None where each row is a patient of its own.
        options: How the label came about, as options of the command, in order.
        row_numbers: Of the rows, as a spreadsheet counts, (n,).
    """

    file_name: str
    sha256: str
    label: str
    inputs: tuple[str, ...]
    x: np.ndarray
    labels: np.ndarray
    n_unknown: int
    ignored: tuple[str, ...]
    warnings: tuple[str, ...]
    patients: tuple[str, ...] | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    row_numbers: tuple[int, ...] = ()

    @property
    def question(self) -> str:
        """The label in words: its name, with the cut where it is one."""
        cut = self.options.get("at-least")
        return self.label if cut is None else f"{self.label} >= {cut}"


def _yes_no(text: str) -> float | None:
    return 1 if text.lower() in YES else 0 if text.lower() in NO else None


def _enough_of_each(label: str, labels: np.ndarray) -> Iterator[str]:
    n_positive, n_negative = int(labels.sum()), int((1 - labels).sum())
    if min(n_positive, n_negative) < MIN_CASES:
        yield f"{label} is 1 in {n_positive} rows and 0 in {n_negative}; at least {MIN_CASES} of each are needed"


def _same_or_turned(values: np.ndarray, labels: np.ndarray) -> bool:
    return np.array_equal(values, labels) or np.array_equal(values, 1 - labels)


YES_NO = LabelRule(_yes_no, "1 or 0", _enough_of_each, _same_or_turned)


def read_input_table(
    path: Path, label: str, ignore: Sequence[str] = (), source: LabelSource = ITSELF, rule: LabelRule = YES_NO
) -> InputTable:
    """Read a CSV or Parquet file with one row a case: numbers, and a label.

    Columns that number or name the rows (`row`, `case`, `patient` ...) are no inputs; all others are, but those to be
    ignored. Rows without a label are left out.

    Args:
        path: The table; its first row names the columns.
        label: Column of 1 and 0 (or yes and no, positive and negative ...), or of what the rule says.
        ignore: Columns that are no inputs.
        source: Where the label comes from, and whose the rows are.
        rule: What a label may be.

    Raises:
        CohortError: With every problem of every row.
        InputError: The file cannot be read as a table.
    """
    path = Path(path)
    columns, rows = with_label(*read_rows(path), label, source)
    needed = (label, *ignore, *([source.patient] if source.patient else []))
    problems = [missing_column(name, columns) for name in needed if name not in columns]
    named = tuple(c for c in columns if (c.lower() in (*COUNTERS, *NAMES) or c == source.patient) and c != label)
    ignored = tuple(c for c in columns if c in named or c in ignore)
    inputs = tuple(c for c in columns if c != label and c not in ignored)
    if not inputs:
        problems.append("it has no column of inputs")
    if not rows:
        problems.append("it has no row")
    problems += [f"row {row.number}: {row.fault}" for row in rows if row.fault]
    if problems:
        raise CohortError(path, problems)

    if source.patient:
        problems += [f"row {row.number}: {source.patient} is empty" for row in rows if not row.get(source.patient)]
    answers = [(row, rule.value(row.get(label))) for row in rows]
    problems += [_wrong_label(row, label, rule) for row, answer in answers if answer is None and row.get(label)]
    known = [row for row, answer in answers if answer is not None]
    labels = np.array([answer for _, answer in answers if answer is not None])
    problems += rule.problems(label, labels)
    columns_of_values = []
    for name in inputs:
        values = np.array([number_of(row.get(name)) for row in known])
        problems += _cell_problems(name, known, values) or _column_problems(name, values, label, labels, rule)
        columns_of_values.append(values)
    for name in named:
        if name.lower() in NAMES and source.patient is None:
            problems += _twice(name, known)
    if problems:
        raise CohortError(path, problems)
    x = np.column_stack(columns_of_values)
    return InputTable(
        file_name=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        label=label,
        inputs=inputs,
        x=x,
        labels=labels,
        n_unknown=len(rows) - len(known),
        ignored=ignored,
        warnings=tuple(_equal_rows(x, known)),
        patients=tuple(row.get(source.patient) for row in known) if source.patient else None,
        options=source.options(),
        row_numbers=tuple(row.number for row in known),
    )


def _wrong_label(row: Row, label: str, rule: LabelRule) -> str:
    written = f"{label} is {row.get(label)!r}"
    return f"row {row.number}: {written}; write {rule.wanted}, or leave it empty where it is not known"


def _cell_problems(name: str, rows: Sequence[Row], values: np.ndarray) -> list[str]:
    bad = ~np.isfinite(values)
    if rows and bad.all():
        return [f"the column {name} holds no number; make numbers of it, or leave it out (--ignore {name})"]
    return [
        f"row {row.number}: {name} is {repr(row.get(name)) if row.get(name) else 'empty'}; a number is needed"
        for row, is_bad in zip(rows, bad, strict=True)
        if is_bad
    ]


def _column_problems(name: str, values: np.ndarray, label: str, labels: np.ndarray, rule: LabelRule) -> Iterator[str]:
    """Columns that say nothing, or what no new case could be predicted from."""
    if values.size < 2:
        return
    remedy = f"leave it out (--ignore {name})"
    if np.ptp(values) == 0:
        yield f"the column {name} is {values[0]:g} in all rows, so it says nothing; {remedy}"
    elif (np.diff(values) == 1).all():
        yield f"the column {name} counts the rows; {remedy}"
    elif rule.same(values, labels):
        yield f"the column {name} is {label} itself; {remedy}"


def _twice(name: str, rows: Sequence[Row]) -> Iterator[str]:
    places: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        places[row.get(name)].append(row.number)
    for value, numbers in places.items():
        if value and len(numbers) > 1:
            where = ", ".join(map(str, numbers))
            yield (
                f"{name} {value} stands in the rows {where}; folds are drawn by row: keep one row of each, or hold "
                f"them out together (--patient {name})"
            )


def _equal_rows(x: np.ndarray, rows: Sequence[Row]) -> Iterator[str]:
    _, first, counts = np.unique(x, axis=0, return_index=True, return_counts=True)
    for at in first[counts > 1]:
        same = (x == x[at]).all(axis=1)
        numbers = [row.number for row, is_same in zip(rows, same, strict=True) if is_same]
        where = ", ".join(map(str, numbers))
        yield f"The rows {where} have the same inputs; if they are one case, the figures are too good."
