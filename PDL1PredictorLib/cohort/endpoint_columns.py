"""Which endpoints the columns of a table hold: a time needs two."""

from collections.abc import Sequence

from PDL1PredictorLib.core.endpoints import ENDPOINTS


def present_endpoints(columns: Sequence[str]) -> list[str]:
    """Keys of the endpoints whose columns are all there, in the order of `core.endpoints`."""
    return [one.key for one in ENDPOINTS if set(one.columns) <= set(columns)]


def missing_columns(columns: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Problems in words: columns of what was asked for, and the other column of a time of which there is one."""
    problems = []
    for one in ENDPOINTS:
        missing = [name for name in one.columns if name not in columns]
        if missing and one.key in wanted:
            problems.append(f"the column {' and the column '.join(missing)} is missing, which was asked for")
        elif 0 < len(missing) < len(one.columns):
            problems.append(f"the column {missing[0]} is missing, without which {one.key} says nothing")
    return problems
