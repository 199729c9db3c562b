"""What a manifest says of a model within: its answer, as log-odds, is one input of the endpoint's model."""

from dataclasses import dataclass
from typing import Any

from PDL1PredictorLib.models.schema.values import MAX_DEEP, SMALLEST_SD, count, mapping, number, series, text

STEEPEST = 1e6  # of a calibration


@dataclass(frozen=True)
class Stacked:
    """The model within.

    Attributes:
        title: For people.
        columns: Deep features that it takes, (d,), from 0.
        mean: Training mean of each.
        sd: Training SD of each.
        method: Its kind in words.
        file: Of its ONNX classifier.
        slope: Of its calibration, on the classifier's log-odds.
        intercept: Of it.
    """

    title: str
    columns: tuple[int, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]
    method: str
    file: str
    slope: float
    intercept: float


def read_stacked(values: Any, what: str) -> Stacked:
    """The entry `stacked` of an endpoint.

    Raises:
        KeyError: A value is missing.
        ValueError: One is of another type, out of its bounds, or does not fit the others.
    """
    given = mapping(values, what)
    columns = given["columns"]
    if not isinstance(columns, list) or not 1 <= len(columns) <= MAX_DEEP:
        raise ValueError(f"{what}.columns must list 1 to {MAX_DEEP} deep features.")
    found = tuple(count(column, f"{what}.columns", 0, MAX_DEEP - 1) for column in columns)
    mean, sd = (series(given[name], f"{what}.{name}") for name in ("input_mean", "input_sd"))
    if len(set(found)) < len(found) or not len(mean) == len(sd) == len(found) or min(sd) < SMALLEST_SD:
        raise ValueError(f"{what} needs {len(found)} columns, each once, and as many means and positive SDs.")
    model = mapping(given["model"], f"{what}.model")
    line = mapping(given["calibration"], f"{what}.calibration")
    slope, intercept = (
        number(line[name], f"{what}.calibration.{name}", -STEEPEST, STEEPEST) for name in ("slope", "intercept")
    )
    return Stacked(
        title=text(given["title"], f"{what}.title"),
        columns=found,
        mean=mean,
        sd=sd,
        method=text(model["kind"], f"{what}.model.kind"),
        file=text(model["file"], f"{what}.model.file"),
        slope=slope,
        intercept=intercept,
    )
