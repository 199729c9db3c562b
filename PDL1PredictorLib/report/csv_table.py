"""Features as a table for a spreadsheet or a statistics program."""

import csv
import math
from pathlib import Path

from PDL1PredictorLib.core.results import CaseResult

COLUMNS = ("lesion", "feature", "value")


def write_features(result: CaseResult, path: Path) -> None:
    """Write one row per lesion and feature; values come back exactly, a missing one (NaN) is an empty field."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for lesion in result.lesions:
            table.writerows((lesion.index, name, _number(value)) for name, value in lesion.features.items())


def _number(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))
