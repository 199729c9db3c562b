"""What must be known of single cases of a cohort, for the screen, tables and reports."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from PDL1PredictorLib.core.files.output import whole_file
from PDL1PredictorLib.core.outside_text import safe_cell
from PDL1PredictorLib.core.results import CaseWarning

CaseWarnings = Mapping[str, Sequence[CaseWarning]]
"""Case name to its warnings; a case without any may be missing."""

SPELLED_OUT = 3  # cases of one code that the screen shows one by one


def as_lines(warnings: CaseWarnings) -> list[str]:
    """A line per case, or one for a code that many cases share: with how many they are and the first one's text."""
    lines = []
    for code, texts in _by_code(warnings).items():
        if len(texts) <= SPELLED_OUT:
            lines += [f"Warning ({code}), {name}: {text}" for name, text in texts]
            continue
        names = ", ".join(dict.fromkeys(name for name, _ in texts[:SPELLED_OUT]))
        lines.append(f"Warning ({code}), {len(texts)} times ({names} ...), the first: {texts[0][1]}")
    return lines


def as_plain(warnings: CaseWarnings) -> dict[str, list[dict[str, str]]]:
    """For JSON: case to its warnings as in `result.json`; cases without any are left out."""
    return {name: [warning.to_dict() for warning in found] for name, found in warnings.items() if found}


def write_warning_table(warnings: CaseWarnings, path: Path, overwrite: bool = False) -> None:
    """Write `case,code,text`, a row a warning.

    Raises:
        OutputError: The file exists, or cannot be written.
    """
    with whole_file(path, overwrite) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("case", "code", "text"))
        table.writerows((safe_cell(name), warning.code, safe_cell(warning.text)) for name, warning in _each(warnings))


def _by_code(warnings: CaseWarnings) -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for name, warning in _each(warnings):
        found.setdefault(warning.code, []).append((name, warning.text))
    return found


def _each(warnings: CaseWarnings) -> Iterable[tuple[str, CaseWarning]]:
    return ((name, warning) for name, found in warnings.items() for warning in found)
