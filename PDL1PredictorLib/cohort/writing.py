"""What the importers share: words of other tables, and writing the table of a cohort."""

import csv
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PDL1PredictorLib.cohort.clinical_cells import CLINICAL
from PDL1PredictorLib.cohort.table import IGNORED_PREFIX, OPTIONAL, REQUIRED, Cohort, read_cohort
from PDL1PredictorLib.core.endpoints import ENDPOINT_COLUMNS
from PDL1PredictorLib.core.files.output import whole_file
from PDL1PredictorLib.core.outside_text import safe_cell

PATHS = ("image", "mask", "pet")
NOT_KNOWN = ("", "unknown", "not collected", "not recorded", "not known", "n/a", "na", "nan", "none", "-", "?")

TableRow = dict[str, str]  # column to cell


@dataclass(frozen=True)
class Imported:
    """What an importer found.

    Attributes:
        rows: Of the table; `image`, `mask` and `pet` are absolute paths until it is written.
        notes: What was left out and why, and what the user must look at.
    """

    rows: list[TableRow]
    notes: tuple[str, ...]


def known(text: str | None) -> str:
    """A cell, "" where it only says that nothing is known."""
    word = (text or "").strip()
    return "" if word.lower() in NOT_KNOWN else word


def write_cohort_table(rows: Sequence[Mapping[str, str]], path: Path, overwrite: bool = False) -> Cohort:
    """Write the rows as the table of a cohort, paths relative to it, and read it as a user of the table will.

    Args:
        rows: Column to cell; `image`, `mask` and `pet` are paths.
        path: CSV file.
        overwrite: Replace an existing file.

    Raises:
        OutputError: The file exists, or cannot be written.
        CohortError: There is something to correct in the table; it was written, so that it can be.
    """
    columns = _columns(rows)
    with whole_file(path, overwrite) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", extrasaction="ignore", lineterminator="\n")
        writer.writerow({name: safe_cell(name) for name in columns})
        for row in rows:
            cells = {**row, **{name: _relative(row[name], path.parent) for name in PATHS if row.get(name)}}
            writer.writerow({name: safe_cell(cell) for name, cell in cells.items()})
    return read_cohort(path)


def _columns(rows: Iterable[Mapping[str, str]]) -> list[str]:
    """Those that any row fills, in the order of the documentation; the user's own at the end."""
    filled = {name: None for row in rows for name, cell in row.items() if cell}
    order = (*REQUIRED, *OPTIONAL, *CLINICAL, *ENDPOINT_COLUMNS)
    return [*(name for name in order if name in filled or name in REQUIRED), *(n for n in filled if n not in order)]


def _relative(path: str, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder)).as_posix()
    except ValueError:  # another drive on Windows
        return Path(path).absolute().as_posix()


def own_column(name: str) -> str:
    """A column that the library does not use, named so that it passes without a warning."""
    return f"{IGNORED_PREFIX}{name.strip()}"
