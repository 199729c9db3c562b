"""Table 1 of a study: who is in the cohort, and whether those with and without an endpoint differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.table import Cohort, CohortCase
from PDL1PredictorLib.core.endpoints import Endpoint, Kind, endpoint
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.statistics.groups import chi_square, fisher, mann_whitney

Plain = dict[str, Any]
NUMBERS = {
    "age_years": "Age (years)",
    "slice_thickness_mm": "Slice thickness (mm)",
    "tube_current_ma": "Tube current (mA)",
}
WORDS = {
    "sex": "Sex",
    "smoking": "Smoking",
    "family_history": "Family history",
    "manufacturer": "Scanner",
    "kernel": "Kernel",
}
COLUMNS = ("variable", "level", "all", "positive", "negative", "p", "test")
MISSING = "not known"
FEWEST_EXPECTED = 5.0  # counts below this make the chi-square test rough


@dataclass(frozen=True)
class _Groups:
    """The cases, and those of them with and without the endpoint."""

    every: Sequence[CohortCase]
    positive: Sequence[CohortCase]
    negative: Sequence[CohortCase]

    def columns(self, text: Callable[[Sequence[CohortCase]], str], split: bool) -> Plain:
        """The three cells of a row."""
        found = {"all": text(self.every)}
        return found | {
            "positive": text(self.positive) if split else "",
            "negative": text(self.negative) if split else "",
        }


def table_1(cohort: Cohort, by: str | None = None) -> list[Plain]:
    """The rows of the table, in the order to print them.

    Numbers are median (first to third quartile), compared by the Mann-Whitney test; words are counts (percent of those
    known), compared by the chi-square test, or by Fisher's where a two by two table expects fewer than 5 cases in a
    cell. Cases for which the endpoint or the variable is not known take no part in a test. The unit is the tumor.

    Args:
        cohort: The table of the cohort.
        by: The endpoint that divides it; without one nothing is compared.

    Returns:
        Plain rows: variable, level ("" where there is none), all, positive, negative (text, "" without `by`), p (a
        number, None where nothing was compared) and test.

    Raises:
        InputError: The cohort has no such endpoint, or it is no yes/no question.
    """
    if by is not None and dividing([by]) is None:
        raise InputError(
            f"{by} is a {endpoint(by).kind} and makes no two groups. Compare by a yes/no endpoint, or by none."
        )
    if by is not None and by not in cohort.endpoints:
        raise InputError(f"The cohort has no endpoint {by!r}. It has: {', '.join(cohort.endpoints) or 'none'}.")
    groups = _Groups(
        cohort.cases,
        [case for case in cohort.cases if by is not None and case.labels[by] == 1],
        [case for case in cohort.cases if by is not None and case.labels[by] == 0],
    )
    split = by is not None
    rows = [_row("Tumors", "", groups.columns(lambda cases: str(len(cases)), split))]
    rows.append(_row("Patients", "", groups.columns(lambda cases: str(len({case.patient for case in cases})), split)))
    for name, title in NUMBERS.items():
        rows += _number_rows(title, groups, partial(_clinical, name), split)
    for name, title in WORDS.items():
        rows += _word_rows(title, groups, partial(_clinical, name), split)
    for column in cohort.declared:
        rows += (_word_rows if column.words else _number_rows)(column.name, groups, partial(_other, column.name), split)
    for key in cohort.endpoints:
        if key != by:
            rows += ROWS[endpoint(key).kind](endpoint(key), groups, split)
    return rows


def dividing(endpoints: Sequence[str]) -> str | None:
    """The first of the endpoints that divides cases into two groups; None where none does."""
    return next((key for key in endpoints if endpoint(key).kind in DIVIDING), None)


def _row(variable: str, level: str, cells: Plain, p: float | None = None, test: str = "") -> Plain:
    return {"variable": variable, "level": level, **cells, "p": p, "test": test}


def _number_rows(title: str, groups: _Groups, of: Callable[[CohortCase], float | None], split: bool) -> list[Plain]:
    def known(cases: Sequence[CohortCase]) -> list[float]:
        return [value for case in cases if (value := of(case)) is not None]

    def text(cases: Sequence[CohortCase]) -> str:
        if not known(cases):
            return "-"
        low, middle, high = np.quantile(known(cases), [0.25, 0.5, 0.75])
        return f"{middle:.4g} ({low:.4g} to {high:.4g})"

    if not known(groups.every):
        return []
    a, b = known(groups.positive), known(groups.negative)
    p, test = (mann_whitney(a, b).p, "Mann-Whitney") if a and b else (None, "")
    rows = [_row(title, "", groups.columns(text, split), p, test)]
    return rows + _missing_row(title, groups, of, split)


def _word_rows(title: str, groups: _Groups, of: Callable[[CohortCase], str | None], split: bool) -> list[Plain]:
    levels = sorted({word for case in groups.every if (word := of(case)) is not None})
    if not levels:
        return []

    def count(level: str, cases: Sequence[CohortCase]) -> int:
        return sum(of(case) == level for case in cases)

    def text(level: str, cases: Sequence[CohortCase]) -> str:
        n_known = sum(of(case) is not None for case in cases)
        n = count(level, cases)
        return f"{n} ({n / n_known:.0%})" if n_known else str(n)

    p, test = _compare_counts([[count(level, part) for part in (groups.positive, groups.negative)] for level in levels])
    rows = [_row(title, level, groups.columns(partial(text, level), split)) for level in levels]
    rows[0] |= {"p": p, "test": test}  # once, beside the first level
    return rows + _missing_row(title, groups, of, split)


def _missing_row(title: str, groups: _Groups, of: Callable[[CohortCase], object], split: bool) -> list[Plain]:
    def text(cases: Sequence[CohortCase]) -> str:
        return str(sum(of(case) is None for case in cases))

    if all(of(case) is not None for case in groups.every):
        return []
    return [_row(title, MISSING, groups.columns(text, split))]


def _compare_counts(counts: list[list[int]]) -> tuple[float | None, str]:
    table = np.array([row for row in counts if any(row)])
    if len(table) < 2 or not table.any(axis=0).all():
        return None, ""
    found = chi_square(table)
    if found.smallest_expected >= FEWEST_EXPECTED:
        return found.p, "chi-square"
    if table.shape == (2, 2):
        return fisher(table).p, "Fisher"
    return found.p, f"chi-square (fewer than {FEWEST_EXPECTED:g} expected in a cell)"


def _clinical(name: str, case: CohortCase) -> Any:
    value = getattr(case.clinical, name)
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value


def _other(name: str, case: CohortCase) -> Any:
    return case.clinical.other.get(name)


def _answer(one: Endpoint, case: CohortCase) -> str | None:
    label = case.labels[one.key]
    if label is None:
        return None
    return one.positive if label else one.negative


def _answers(one: Endpoint, groups: _Groups, split: bool) -> list[Plain]:
    return _word_rows(one.title, groups, partial(_answer, one), split)


def _values(one: Endpoint, groups: _Groups, split: bool) -> list[Plain]:
    return _number_rows(f"{one.title} ({one.unit})", groups, lambda case: case.labels[one.key], split)


def _times(one: Endpoint, groups: _Groups, split: bool) -> list[Plain]:
    """How many had the event, and how long each was followed: quartiles of that are none of the survival."""

    def events(cases: Sequence[CohortCase]) -> str:
        known = [case.events[one.key] for case in cases if one.key in case.events]
        return f"{sum(known)} ({sum(known) / len(known):.0%})" if known else "0"

    followed = _number_rows(f"{one.title}, followed ({one.unit})", groups, lambda case: case.labels[one.key], split)
    if not followed:
        return []
    followed[0] |= {"p": None, "test": ""}  # the longer of two follow-ups is no longer survival
    return [_row(one.title, "events", groups.columns(events, split)), *followed]


ROWS: dict[Kind, Callable[[Endpoint, _Groups, bool], list[Plain]]] = {
    "binary": _answers,
    "number": _values,
    "time": _times,
}
DIVIDING: tuple[Kind, ...] = ("binary",)
