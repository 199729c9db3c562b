"""Answers of a model for many cases, joined to the table of their follow-up."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from PDL1PredictorLib.cohort.files import Row, read_rows
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.tables.label_source import missing_column

NUMBERS, WITHHELD, SCORE = ("_probability", "_value"), "_withheld", "_score"


def with_answers(
    columns: Sequence[str], rows: Sequence[Row], file: Path, key: str
) -> tuple[tuple[str, ...], list[Row]]:
    """The table with the columns of `predictions.csv` of `pdl1 predict --cohort`, joined by case.

    Of each endpoint there is a column more, such as `PDL1_HIGH_score`: the probability or value, that of withheld
    answers too, since a study of all cases must not lose those that the verdict withholds. Of a case with several
    tumors the first, the largest, counts. Rows of cases without an answer stay, with empty cells.

    Args:
        columns: Of the table.
        rows: Of the table.
        file: The answers.
        key: Column of the table that names the case.

    Raises:
        InputError: A column is missing, or stands in both tables.
    """
    there, found = read_rows(file)
    problems = [missing_column(name, names) for name, names in (("case", there), (key, columns)) if name not in names]
    if problems:
        raise InputError(f"{file.name}: {'; '.join(problems)}.")
    scores = tuple(f"{name.removesuffix(WITHHELD)}{SCORE}" for name in there if name.endswith(WITHHELD))
    added = (*(name for name in there if name not in ("case", key)), *scores)
    if twice := sorted(set(added) & set(columns)):
        raise InputError(f"{', '.join(twice)} stand in both tables. Rename them in one.")
    by_case: dict[str, Mapping[str, str]] = {}
    for row in found:
        by_case.setdefault(row.get("case"), {**row.cells, **_scores(row, scores)})
    return (*columns, *added), [_joined(row, by_case.get(row.get(key), {}), added) for row in rows]


def _scores(row: Row, scores: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in scores:
        endpoint = name.removesuffix(SCORE)
        cells = [row.get(f"{endpoint}{suffix}") for suffix in (*NUMBERS, WITHHELD)]
        found[name] = next((cell for cell in cells if cell), "")
    return found


def _joined(row: Row, answers: Mapping[str, str], added: Sequence[str]) -> Row:
    return replace(row, cells={**row.cells, **{name: answers.get(name, "") for name in added}})
