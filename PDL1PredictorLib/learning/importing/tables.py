"""The tables of an import: RadScore coefficients, means and SDs of features, means and SDs of inputs."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PDL1PredictorLib.cohort.files import Row, read_rows
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.core.strict_json import brief
from PDL1PredictorLib.models.schema.values import LARGEST, MAX_FEATURES, SMALLEST_SD

COEFFICIENTS = ("region", "feature", "coefficient")
SCALES = ("region", "feature", "mean", "sd")
INPUTS = ("input", "mean", "sd")
INTERCEPT = "intercept"
MAX_BYTES = 16 * 2**20
MAX_SHOWN = 5

Scales = dict[str, tuple[float, float]]
"""Mean and SD by name."""


@dataclass(frozen=True)
class RadScore:
    """The score of an endpoint.

    Attributes:
        coefficients: Region to full feature name to coefficient.
        intercepts: Region to what is added to its sum; 0 where the table has none.
    """

    coefficients: dict[str, dict[str, float]] = field(default_factory=dict)
    intercepts: dict[str, float] = field(default_factory=dict)


def read_coefficients(path: Path) -> RadScore:
    """A table of RadScore coefficients: `region,feature,coefficient`.

    Features are named as extraction names them, with the region in front or without. A row with the feature
    `intercept` is added to the score of its region.

    Raises:
        InputError: A column is missing, a name stands there twice, or a cell cannot be.
    """
    found = RadScore({region: {} for region in REGIONS}, dict.fromkeys(REGIONS, 0.0))
    problems: list[str] = []
    seen: set[tuple[str, str]] = set()
    for row in _rows(path, COEFFICIENTS):
        region, feature = row.get("region"), row.get("feature")
        value = _number(row, "coefficient", problems)
        if not _known(row, seen, problems):
            continue
        if feature == INTERCEPT:
            found.intercepts[region] = value
        else:
            found.coefficients[region][full_name(region, feature)] = value
    _refuse(path, problems)
    if not any(found.coefficients.values()):
        raise InputError(f"{path} holds no coefficient. Write a row for each feature of the score.")
    return found


def read_scales(path: Path) -> Scales:
    """A table of means and standard deviations of features: `region,feature,mean,sd`; raises as `read_coefficients`."""
    found: Scales = {}
    problems: list[str] = []
    seen: set[tuple[str, str]] = set()
    for row in _rows(path, SCALES):
        values = _number(row, "mean", problems), _number(row, "sd", problems, positive=True)
        if _known(row, seen, problems):
            found[full_name(row.get("region"), row.get("feature"))] = values
    _refuse(path, problems)
    return found


def read_inputs(path: Path, names: Sequence[str]) -> Scales:
    """Means and standard deviations of an endpoint's inputs: `input,mean,sd`, one row an input.

    Raises:
        InputError: As `read_coefficients`, or the inputs are not those of the endpoint.
    """
    found: Scales = {}
    problems: list[str] = []
    for row in _rows(path, INPUTS):
        name = row.get("input")
        if name in found:
            problems.append(f"row {row.number}: {name[:120]!r} stands there twice")
        found[name] = _number(row, "mean", problems), _number(row, "sd", problems, positive=True)
    strange = sorted(set(found) ^ set(names))
    if strange:
        problems.append(
            f"its inputs must be {', '.join(names[:4])}{' ...' if len(names) > 4 else ''}, {len(names)} in all; "
            f"{brief(strange[0])} is in one only"
        )
    _refuse(path, problems)
    return {name: found[name] for name in names}


def full_name(region: str, feature: str) -> str:
    """A feature as extraction names it, from a name with or without its region."""
    return feature if feature.startswith(f"{region}_") else f"{region}_{feature}"


def _rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    if path.suffix.lower() != ".csv":
        raise InputError(f"{path} is no .csv. Save the table as CSV.")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path} is larger than the {MAX_BYTES // 2**20} MiB that are read of such a table.")
    found, rows = read_rows(path)
    missing = [name for name in columns if name not in found]
    if missing:
        raise InputError(
            f"{path} lacks the column {', '.join(missing)}. Its first row must be {','.join(columns)}; "
            f"found {brief(', '.join(found))}."
        )
    if len(rows) > MAX_FEATURES:
        raise InputError(f"{path} has {len(rows)} rows; at most {MAX_FEATURES} are read.")
    _refuse(path, [f"row {row.number}: {row.fault}" for row in rows if row.fault])
    return iter(rows)


def _number(row: Row, column: str, problems: list[str], positive: bool = False) -> float:
    text = row.get(column)
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= LARGEST or (positive and value < SMALLEST_SD):
        wanted = "a number above 0" if positive else "a finite number"
        problems.append(f"row {row.number}: {column} is {brief(text)}; {wanted} is needed")
    return value


def _known(row: Row, seen: set[tuple[str, str]], problems: list[str]) -> bool:
    """Whether the row names a region and a feature for the first time."""
    region, feature = row.get("region"), row.get("feature")
    if region not in REGIONS or not feature:
        problems.append(f"row {row.number}: region must be {' or '.join(REGIONS)}, and feature a name")
        return False
    key = (region, full_name(region, feature))
    if key in seen:
        problems.append(f"row {row.number}: {brief(feature)} of the {region} stands there twice")
    seen.add(key)
    return True


def _refuse(path: Path, problems: Sequence[str]) -> None:
    if problems:
        more = f"\n  and {len(problems) - MAX_SHOWN} more" if len(problems) > MAX_SHOWN else ""
        listed = "".join(f"\n  {problem}" for problem in problems[:MAX_SHOWN])
        raise InputError(f"{path} cannot be used:{listed}{more}")
