"""The user's own columns of a cohort's table at work: to choose cases by, and to keep apart in the parts of a split."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.table import IGNORED_PREFIX, Cohort
from PDL1PredictorLib.core.errors import InputError

MOST_LEVELS = 10  # of a column that is kept apart; more would leave single cases


def own_values(cohort: Cohort, column: str) -> dict[str, str]:
    """Case to its cell in a column of the user's own, "" where empty.

    Args:
        cohort: The table.
        column: With or without `note_` in front.

    Raises:
        InputError: There is no such column.
    """
    name = column.strip().removeprefix(IGNORED_PREFIX)
    known = dict.fromkeys(one for case in cohort.cases for one in case.own)
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"It has {', '.join(known) or 'none'}."
        raise InputError(
            f"{cohort.source.name} has no column {IGNORED_PREFIX}{name} by which cases could be divided. {hint}"
        )
    return {case.name: case.own.get(name, "") for case in cohort.cases}


def only(cohort: Cohort, condition: str) -> Cohort:
    """The cases whose own column holds a value.

    Args:
        cohort: The table.
        condition: `column=value`; `block=0`, for example. The value as it stands in the table.

    Raises:
        InputError: The condition is none, the column is not there, or no case has the value.
    """
    column, equals, value = condition.partition("=")
    if not (equals and column.strip()):
        raise InputError(f"A choice of cases is written COLUMN=VALUE, got {condition!r}.")
    values = own_values(cohort, column)
    names = [name for name, cell in values.items() if cell == value.strip()]
    if not names:
        levels = ", ".join(repr(one) for one in sorted(set(values.values())))
        raise InputError(f"No case of {cohort.source.name} has {column}={value}. The column holds {levels}.")
    return replace(
        cohort.select(names),
        case_warnings={name: found for name, found in cohort.case_warnings.items() if name in set(names)},
    )


def kept_apart(prepared: PreparedCohort, levels: Mapping[str, str]) -> PreparedCohort:
    """The same cases, each level of a column with its share in every part of a split, beside the labels.

    Args:
        prepared: The cases.
        levels: Case to its level; "" is a level of its own.

    Raises:
        InputError: There are more levels than `MOST_LEVELS`.
    """
    own = [levels[name] for name in prepared.names]
    names = sorted(set(own))
    if len(names) > MOST_LEVELS:
        raise InputError(f"Cases can be divided evenly by at most {MOST_LEVELS} levels, the column has {len(names)}.")
    return prepared.with_blocks(strata=indicators(own, names))


def indicators(values: Sequence[str], levels: Sequence[str]) -> np.ndarray:
    """(n, g) float: 1 in the column of the case's level, 0 in the others; one column less than levels says all."""
    columns = levels[1:] if len(levels) == 2 else levels
    return np.array([[float(value == level) for level in columns] for value in values]).reshape(len(values), -1)
