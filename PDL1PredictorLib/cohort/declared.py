"""Clinical columns that a cohort declares: named for a training, their coding taken from the table's cells."""

import math
import re
from collections.abc import Sequence
from pathlib import Path

from PDL1PredictorLib.cohort.clinical_cells import CLINICAL, NO, YES
from PDL1PredictorLib.cohort.files import Row, read_rows
from PDL1PredictorLib.cohort.table import OPTIONAL, REQUIRED
from PDL1PredictorLib.core.clinical_columns import CLINICAL_INPUTS, ClinicalColumn
from PDL1PredictorLib.core.endpoints import ENDPOINT_COLUMNS
from PDL1PredictorLib.core.errors import CohortError, InputError

RANGE = re.compile(r"(?P<low>[^.]*(?:\.\d+)?)\.\.(?P<high>.*)")
TAKEN = (*REQUIRED, *OPTIONAL, *CLINICAL, *ENDPOINT_COLUMNS)
MOST_SHOWN = 6
_HOW = "Write NAME, NAME=first/second/third (words in their order) or NAME=low..high (a number within bounds)."


def parse_choice(text: str) -> tuple[tuple[str, ...], tuple[ClinicalColumn, ...]]:
    """What is written after `--clinical` in a training.

    Args:
        text: Comma-separated: names of `CLINICAL_INPUTS` and of columns of the table, the latter perhaps with their
            words in order (`stage=I/II/III`) or bounds (`ECOG=0..5`).

    Returns:
        All names in their order, and the declared columns as far as they are said.

    Raises:
        InputError: A name is none, stands twice, or is that of something else.
    """
    names, declared = [], []
    for part in (one.strip() for one in text.split(",")):
        name, equals, said = (piece.strip() for piece in part.partition("="))
        if name in names:
            raise InputError(f"The clinical value {name} is named twice.")
        names.append(name)
        if name in CLINICAL_INPUTS and not equals:
            continue
        if name in TAKEN:
            raise InputError(f"{name} has a meaning of its own and cannot be declared as a clinical value. {_HOW}")
        if equals and not said:
            raise InputError(f"{part!r} says nothing of {name}. {_HOW}")
        declared.append(_said(name, said))
    return tuple(names), tuple(declared)


def _said(name: str, said: str) -> ClinicalColumn:
    bounds = RANGE.fullmatch(said)
    if bounds and "/" not in said:
        try:
            low, high = float(bounds["low"]), float(bounds["high"])
        except ValueError as error:
            raise InputError(f"{name}={said} is no range. {_HOW}") from error
        return ClinicalColumn(name, low=low, high=high)
    return ClinicalColumn(name, tuple(word.strip() for word in said.split("/")) if said else ())


def with_coding(table: Path, declared: Sequence[ClinicalColumn]) -> tuple[ClinicalColumn, ...]:
    """Declared columns with the coding of their words.

    A column whose cells are numbers is one. Of two words, `no` and its kin are 0, else the first in the alphabet. More
    words have an order that nobody but the user knows.

    Args:
        table: Of the cohort.
        declared: Columns as far as they were said.

    Raises:
        CohortError: A column is not there, is empty, or mixes numbers and words, or the order of its words is not said.
    """
    columns, rows = read_rows(Path(table))
    found, problems = [], []
    for one in declared:
        try:
            if one.name not in columns:
                raise InputError(f"the column {one.name} is missing, which --clinical names")
            found.append(_coded(one, rows))
        except InputError as error:
            problems.append(str(error).rstrip("."))
    if problems:
        raise CohortError(Path(table), problems)
    return tuple(found)


def _coded(one: ClinicalColumn, rows: Sequence[Row]) -> ClinicalColumn:
    cells = [text for row in rows if (text := row.get(one.name))]
    if not cells:
        raise InputError(f"the column {one.name} is empty")
    if one.words or one.low is not None or one.high is not None:
        return one  # every cell is held against it when the rows are read
    numbers = [_is_number(text) for text in cells]
    if all(numbers):
        return one
    if any(numbers):
        example = next(text for text, is_number in zip(cells, numbers, strict=True) if not is_number)
        raise InputError(
            f"the column {one.name} holds numbers and words, such as {example!r}: write numbers alone, with a decimal "
            "point and without a unit, and leave a cell empty where it is not known"
        )
    words = sorted({text.lower(): text for text in cells}.values(), key=str.lower)
    if len(words) != 2:
        shown = "/".join(words[:MOST_SHOWN])
        raise InputError(
            f"the column {one.name} holds {len(words)} different words: say their order, for example --clinical "
            f'"{one.name}={shown}"; two words, or numbers, need none. Leave a cell empty where it is not known'
        )
    return ClinicalColumn(one.name, tuple(sorted(words, key=_no_first)))


def _no_first(word: str) -> tuple[int, str]:
    plain = word.lower()
    return (0 if plain in NO else 2 if plain in YES else 1, plain)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
