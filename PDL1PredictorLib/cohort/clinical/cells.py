"""Cells of a table as clinical values."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any

from PDL1PredictorLib.core.case import OTHER, Clinical
from PDL1PredictorLib.core.clinical_columns import ClinicalColumn
from PDL1PredictorLib.core.errors import InputError

CLINICAL = tuple(one.name for one in fields(Clinical) if one.name != OTHER)
"""Columns that every table may have."""
YES = ("1", "1.0", "yes", "true", "positive", "present", "mutant", "translocated", "rearranged")
NO = ("0", "0.0", "no", "false", "negative", "absent", "wild", "wildtype", "wild type", "wild-type")
UNITS = {"age_years": "years", "slice_thickness_mm": "mm", "tube_current_ma": "mA"}
SEXES = {"m": "male", "f": "female"}
SMOKING = {"nonsmoker": "never", "non-smoker": "never", "ex-smoker": "former", "smoker": "current"}


def clinical_of(cells: Mapping[str, str], declared: Sequence[ClinicalColumn] = ()) -> Clinical:
    """Cells as clinical values; an empty cell is a missing value.

    Args:
        cells: Text by name: fields of `Clinical`, and declared ones.
        declared: What the latter mean.

    Raises:
        InputError: A value is impossible; all such values are named.
    """
    own = {column.name: column for column in declared}
    values: dict[str, Any] = {}
    problems = []
    for name, text in cells.items():
        if not text:
            continue
        try:
            values[name] = _declared(own[name], text) if name in own else _clinical_value(name, text)
            Clinical.from_dict({name: values[name]}, tuple(own))
        except InputError as error:
            problems.append(str(error).rstrip("."))
    if problems:
        raise InputError("; ".join(problems))
    return Clinical.from_dict(values, tuple(own))


def _declared(column: ClinicalColumn, text: str) -> float | str:
    """The number, or the word as the coding spells it."""
    code = column.code(text)
    return column.words[int(code)] if column.words else code


def _clinical_value(name: str, text: str) -> object:
    word = text.lower()
    if name in UNITS:
        try:
            return float(text)
        except ValueError:
            raise InputError(f"{name} must be a number, in {UNITS[name]} and without the unit, got {text!r}") from None
    if name == "family_history":
        if word not in (*YES, *NO):
            raise InputError(f"family_history must be yes or no, got {text!r}")
        return word in YES
    if name == "sex":
        return SEXES.get(word, word)
    return SMOKING.get(word, word) if name == "smoking" else text
