"""Answers of a model for many cases, joined to the table of their follow-up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PDL1PredictorLib.cohort.files import Row, read_rows
from PDL1PredictorLib.core.errors import CohortError, InputError
from PDL1PredictorLib.learning.tables.label_source import missing_column

NUMBERS, WITHHELD, SCORE = ("_probability", "_value"), "_withheld", "_score"
TRAINING_CASE = "training_case"  # of `predictions.csv`: `yes` where the model has learned from the CT
ALLOW = "--allow-training-cases"


@dataclass(frozen=True)
class Answers:
    """A model's answers for the cases of a table.

    Attributes:
        file: `predictions.csv` of `pdl1 predict --cohort`.
        key: Column of the table that names the case.
        allow_training_cases: Take cases that the model has learned from, too, and tell it.
    """

    file: Path
    key: str = "case"
    allow_training_cases: bool = False


def with_answers(
    columns: Sequence[str], rows: Sequence[Row], answers: Answers, needed: Sequence[str] = ()
) -> tuple[tuple[str, ...], list[Row], tuple[str, ...]]:
    """The table with the columns of `predictions.csv` of `pdl1 predict --cohort`, joined by case.

    Of each endpoint there is a column more, such as `PDL1_HIGH_score`: the probability or value, that of withheld
    answers too, since a study of all cases must not lose those that the verdict withholds. Of a case with several
    tumors the first, the largest, counts. Rows of cases without an answer stay, with empty cells.

    Args:
        columns: Of the table.
        rows: Of the table.
        answers: Of the model.
        needed: Columns without which a row is left out later, so that it does not matter whose case it is.

    Returns:
        Columns and rows of both, and what the reader must know of cases that the model has learned from.

    Raises:
        CohortError: The model has learned from some of the cases; all are listed.
        InputError: A column is missing, or stands in both tables.
    """
    file, key = answers.file, answers.key
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
    joined = [_joined(row, by_case.get(row.get(key), {}), added) for row in rows]
    used = [row.get(key) for row in rows if row.get(key) in by_case and all(row.get(name) for name in needed)]
    told = _of_training(used, by_case, answers)
    return (*columns, *added), joined, told


def _of_training(cases: Sequence[str], by_case: Mapping[str, Mapping[str, str]], answers: Answers) -> tuple[str, ...]:
    """What is told of cases that the model has learned from; without leave they stop it."""
    learned = [case for case in cases if by_case[case].get(TRAINING_CASE, "").lower() == "yes"]
    unknown = [case for case in cases if not by_case[case].get(TRAINING_CASE, "")]
    if learned and not answers.allow_training_cases:
        problems = [f"{case}: the model has learned from this CT, so its answer is no test of it" for case in learned]
        problems.append(f"take these cases out of the table, or accept answers that are too good ({ALLOW})")
        raise CohortError(answers.file, problems)
    notes = []
    if learned:
        notes.append(
            f"The model has learned from {len(learned)} of the {len(cases)} cases that it answers here: its answers "
            f"for these are too good, and so is every figure of its score. They were kept on demand ({ALLOW})."
        )
    if unknown:
        notes.append(
            f"Of {len(unknown)} of the {len(cases)} cases that the model answers here it is not known whether it has "
            "learned from them. Make sure that it has not: figures on training cases are too good."
        )
    return tuple(notes)


def _scores(row: Row, scores: Sequence[str]) -> dict[str, str]:
    found = {}
    for name in scores:
        endpoint = name.removesuffix(SCORE)
        cells = [row.get(f"{endpoint}{suffix}") for suffix in (*NUMBERS, WITHHELD)]
        found[name] = next((cell for cell in cells if cell), "")
    return found


def _joined(row: Row, answers: Mapping[str, str], added: Sequence[str]) -> Row:
    return replace(row, cells={**row.cells, **{name: answers.get(name, "") for name in added}})
