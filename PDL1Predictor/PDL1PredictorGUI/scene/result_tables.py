"""A result's tables, filled from its JSON: predictions, warnings, contributions, features.

The JSON is the truth. A .mrb keeps tables with six digits, no NaN and no quotation marks: `results.restore` fills them
anew after a scene was loaded.
"""

import math
from typing import Any, NamedTuple

import vtk
from slicer.i18n import tr as _

from PDL1PredictorGUI.setup.library import make_importable

Lesion = dict[str, Any]


class Column(NamedTuple):
    """A column: stable name for programs, title for people, values."""

    name: str
    title: str
    values: list[Any]


def prediction_columns(lesion: Lesion) -> list[Column]:
    """One row per endpoint, in the model's order."""
    rows = lesion["endpoints"]
    return [
        Column("endpoint", _("Endpoint"), [row["title"] for row in rows]),
        Column("probability", _("Probability"), [row["probability"] for row in rows]),
        Column("low", _("95 % from"), [row["interval"][0] for row in rows]),
        Column("high", _("95 % to"), [row["interval"][1] for row in rows]),
        Column("threshold", _("Threshold"), [row["threshold"] for row in rows]),
        Column("call", _("Call at threshold"), [call(row) for row in rows]),
        Column("answer", _("Answer"), [row["verdict_text"] for row in rows]),
    ]


def warning_columns(warnings: list[dict[str, str]]) -> list[Column]:
    """One row per warning."""
    return [
        Column("code", _("Code"), [warning["code"] for warning in warnings]),
        Column("text", _("What it means"), [warning["text"] for warning in warnings]),
    ]


def contribution_columns(endpoint: dict[str, Any]) -> list[Column]:
    """One row per input of the classifier, the largest effect first."""
    rows = endpoint["contributions"]
    return [
        Column("input", _("Input"), [input_title(row["name"]) for row in rows]),
        Column("value", _("Value (SD)"), [number(row["value"]) for row in rows]),
        Column("effect", _("Effect (log-odds)"), [number(row["effect"]) for row in rows]),
    ]


def feature_columns(lesion: Lesion) -> list[Column]:
    """One row per radiomic feature of tumor and ring."""
    features = lesion["features"]
    regions = {"tumor": _("Tumor"), "ring": _("Ring")}
    parts = [name.partition("_") for name in features]
    return [
        Column("feature", _("Feature"), list(features)),
        Column("region", _("Region"), [regions.get(part[0], part[0]) for part in parts]),
        Column("value", _("Value"), [number(value) for value in features.values()]),
    ]


def call(endpoint: dict[str, Any]) -> str:
    """The endpoint's word for the call at the model's threshold."""
    return str(endpoint["positive_word"] if endpoint["positive"] else endpoint["negative_word"])


def answer(endpoint: dict[str, Any]) -> str:
    """The call, or what keeps from one, in the words of the report."""
    make_importable()
    from PDL1PredictorLib.report.words import short_word

    return short_word(endpoint["verdict"], call(endpoint))


def percent(share: float) -> str:
    """A probability for people, as the report writes it."""
    make_importable()
    from PDL1PredictorLib.report import words

    return words.percent(share)


def interval(endpoint: dict[str, Any]) -> str:
    """The 95 % interval for people, as the report writes it."""
    make_importable()
    from PDL1PredictorLib.report import words

    low, high = endpoint["interval"]
    return words.percent_range((low, high))


def lead(endpoints: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The answer that stands first, as in the report; None of none."""
    make_importable()
    from PDL1PredictorLib.report.words import lead_key

    key = lead_key([row["endpoint"] for row in endpoints])
    return next((row for row in endpoints if row["endpoint"] == key), None)


def what_the_number_is(endpoint: dict[str, Any]) -> str:
    """A sentence that nobody can read the other way round."""
    text = _("Probability of “{word}”: {probability}, 95 % interval {interval}. Called {word} from {threshold}.")
    return text.format(
        word=endpoint["positive_word"],
        probability=percent(endpoint["probability"]),
        interval=interval(endpoint),
        threshold=percent(endpoint["threshold"]),
    )


def input_title(name: str) -> str:
    """An input of the classifier, for people."""
    kind, _sign, number_ = name.partition("_")
    if kind == "deep":
        return _("Deep {number}").format(number=number_)
    return {"radscore_tumor": _("RadScore tumor"), "radscore_ring": _("RadScore ring")}.get(name, name)


def number(value: float | None) -> float:
    """A JSON number; null, which stands for not finite, as NaN."""
    return math.nan if value is None else float(value)


def fill(table_node: Any, columns: list[Column]) -> None:
    """Puts columns into a table node, in place of all it had: texts as strings, the rest as numbers in full."""
    table = vtk.vtkTable()
    for column in columns:
        is_text = any(isinstance(value, str) for value in column.values)
        array = vtk.vtkStringArray() if is_text or not column.values else vtk.vtkDoubleArray()
        array.SetName(column.name)
        for value in column.values:
            array.InsertNextValue(value)
        table.AddColumn(array)
    was_modifying = table_node.StartModify()
    table_node.SetAndObserveTable(table)
    for column in columns:
        table_node.SetColumnTitle(column.name, column.title)
    table_node.SetUseColumnTitleAsColumnHeader(True)
    table_node.SetLocked(True)
    table_node.EndModify(was_modifying)
