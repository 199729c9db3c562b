"""Features as a table for a spreadsheet or a statistics program."""

import csv
import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from PDL1PredictorLib.core.outside_text import safe_cell
from PDL1PredictorLib.core.results import CaseWarning, codes

COLUMNS = ("lesion", "feature", "value", "warnings")


def write_features(
    features: Mapping[int, Mapping[str, float]], warnings: Mapping[int, Iterable[CaseWarning]], path: Path
) -> None:
    """Write one row per lesion and feature; values come back exactly, a missing one (NaN) is an empty field.

    Args:
        features: By lesion number, the values by feature name.
        warnings: By lesion number, what the reader must know; every row carries the codes, so that none gets lost.
        path: File to write.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(COLUMNS)
        for lesion, values in features.items():
            told = codes(warnings[lesion])
            table.writerows((lesion, safe_cell(name), _number(value), told) for name, value in values.items())


def write_comparison(rows: Iterable[tuple[str, float, float, float]], names: tuple[str, str], path: Path) -> None:
    """Write one row per feature: its value by either engine, and how far they lie apart.

    Args:
        rows: Feature, value by the first engine, value by the second, relative difference.
        names: The engines.
        path: File to write.
    """
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("feature", *names, "relative_difference"))
        table.writerows((safe_cell(name), *map(_number, numbers)) for name, *numbers in rows)


def _number(value: float) -> str:
    return "" if math.isnan(value) else repr(float(value))
