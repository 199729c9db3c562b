"""The tables of a batch: `predictions.csv`, a row a tumor, and `failures.csv`, a row a case without an answer."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from PDL1PredictorLib.core.files.output import whole_file
from PDL1PredictorLib.core.outside_text import safe_cell
from PDL1PredictorLib.report.kinds import read_answer, renderer

TRAINING_CASE = "training_case"  # whether the model has learned from the CT: yes, no, or empty where it does not say
PREDICTIONS, FAILURES = "predictions.csv", "failures.csv"
HEAD = (
    *("case", "folder", "lesion", "tumor_volume_ml", "tumor_diameter_mm", "slice", "unlike_p", TRAINING_CASE),
    "warnings",
)
Row = dict[str, Any]


def rows_of(case: str, folder: str, content: Mapping[str, Any]) -> list[Row]:
    """What `result.json` says of a case, a row a tumor.

    Args:
        case: Its name.
        folder: Of its results, below that of the batch.
        content: Of its `result.json`.

    Raises:
        KeyError: An entry is missing.
        TypeError: An entry is of another type.
        ValueError: An entry cannot be.
    """
    return [_row(case, folder, content, lesion) for lesion in content["lesions"]]


def _row(case: str, folder: str, content: Mapping[str, Any], lesion: Mapping[str, Any]) -> Row:
    codes = dict.fromkeys(warning["code"] for warning in (*content["warnings"], *lesion["warnings"]))
    learned = {True: "yes", False: "no", None: ""}[content.get(TRAINING_CASE)]  # None: also in older results
    size, likeness = lesion["tumor"], lesion["unlike"]["p"]
    place = (lesion.get("slice") or {}).get("number")
    head = (case, folder, lesion["index"], size["volume_ml"], size["longest_axial_diameter_mm"], place, likeness)
    told = (learned, " ".join(codes))
    row: Row = dict(zip(HEAD, (*head, *told), strict=True))
    for entry in lesion["endpoints"]:
        answer = read_answer(entry)
        row |= {f"{answer.endpoint}_{name}": cell for name, cell in renderer(answer).cells(answer).items()}
    return row


def write_predictions(rows: Sequence[Row], out: Path) -> None:
    """Write `predictions.csv`, whole; the columns of an endpoint are those that its kind of answer has.

    Raises:
        OutputError: It cannot be written; the old one stays.
    """
    further = dict.fromkeys(name for row in rows for name in row if name not in HEAD)
    _write(out / PREDICTIONS, (*HEAD, *further), rows)


def write_failures(failed: Mapping[str, str], out: Path) -> None:
    """Write `failures.csv`, whole: case and reason; the header alone where none failed.

    Raises:
        OutputError: It cannot be written; the old one stays.
    """
    rows = ({"case": case, "reason": reason} for case, reason in failed.items())
    _write(out / FAILURES, ("case", "reason"), rows)


def _write(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    with whole_file(path, overwrite=True) as draft, draft.open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows({name: "" if cell is None else safe_cell(cell) for name, cell in row.items()} for row in rows)
