"""A result's tables, filled from its JSON: predictions, warnings, contributions, features.

The JSON is the truth. A .mrb keeps tables with six digits, no NaN and no quotation marks: `results.restore` fills them
anew after a scene was loaded.
"""

import math
from typing import Any, NamedTuple

import vtk
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import answers
from PDL1PredictorGUI.setup.library import make_importable

Lesion = dict[str, Any]
_NUMBERS = {"probability": _("Probability"), "value": _("Value")}  # attribute of an answer, and its title
_INTERVALS = {
    "interval": _("Calibration or prediction interval"),
    "uncertainty": _("95 % uncertainty"),
    "stability": _("Contour moved by 1 mm"),
}
_BESIDE = {"threshold": _("Threshold"), "base_rate": _("Base rate")}
_TESTED = {"sensitivity": _("Sensitivity"), "specificity": _("Specificity")}


class Column(NamedTuple):
    """A column: stable name for programs, title for people, values."""

    name: str
    title: str
    values: list[Any]


def prediction_columns(lesion: Lesion) -> list[Column]:
    """One row per endpoint, in the model's order: what the answer comes to first, then the columns that answers have.

    Where there is no answer there is no number: `result.json` keeps it.
    """
    rows = lesion["endpoints"]
    columns = [
        Column("endpoint", _("Endpoint"), [row["title"] for row in rows]),
        Column("status", _("Status"), [answers.status(row) for row in rows]),
        Column("answer", _("Answer"), [answers.answer(row) for row in rows]),
        Column("reasons", _("Reasons"), [answers.codes(row) for row in rows]),
    ]
    columns += [Column(name, _NUMBERS[name], _given(rows, name)) for name in _present(rows, _NUMBERS)]
    for name in _present(rows, _INTERVALS):
        for at, (end, title) in enumerate((("low", _("{interval}, from")), ("high", _("{interval}, to")))):
            heading = title.format(interval=_INTERVALS[name])
            columns.append(Column(f"{name}_{end}", heading, _given(rows, name, at)))
    if any("unit" in row for row in rows):
        columns.append(Column("unit", _("Unit"), [row.get("unit", "") for row in rows]))
    columns += [Column(name, _BESIDE[name], _values(rows, name)) for name in _present(rows, _BESIDE)]
    columns += [Column(name, _TESTED[name], _values(rows, name, 0)) for name in _present(rows, _TESTED)]
    return [*columns, Column("model", _("Model"), [answers.shown(row)[1].model for row in rows])]


def _present(rows: list[dict[str, Any]], names: dict[str, str]) -> list[str]:
    """Those attributes that any of the answers has."""
    reads = [answers.shown(row)[1] for row in rows]
    return [name for name in names if any(getattr(read, name, None) is not None for read in reads)]


def _values(rows: list[dict[str, Any]], name: str, at: int | None = None) -> list[float]:
    """An attribute of each answer, or one of its parts; NaN where there is none."""
    values = [getattr(answers.shown(row)[1], name, None) for row in rows]
    return [number(value if at is None or value is None else value[at]) for value in values]


def _given(rows: list[dict[str, Any]], name: str, at: int | None = None) -> list[float]:
    """The same, and NaN where there is no answer."""
    found = zip(_values(rows, name, at), rows, strict=True)
    return [value if answers.answered(row) else math.nan for value, row in found]


def warning_columns(warnings: list[dict[str, str]]) -> list[Column]:
    """One row per warning."""
    return [
        Column("code", _("Code"), [warning["code"] for warning in warnings]),
        Column("text", _("What it means"), [warning["text"] for warning in warnings]),
    ]


def contribution_columns(endpoint: dict[str, Any]) -> list[Column]:
    """One row per input of the classifier, the largest effect first; none where there is no answer."""
    rows = endpoint["contributions"] if answers.answered(endpoint) else []
    return [
        Column("input", _("Input"), [input_title(row["name"]) for row in rows]),
        Column("value", _("Value (SD)"), [number(row["value"]) for row in rows]),
        Column("effect", effect_title(endpoint), [number(row["effect"]) for row in rows]),
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


def titles(rows: list[dict[str, Any]]) -> tuple[str, str]:
    """Of the window's columns: the number, and its interval."""
    findings = {show.heads(read).finding for show, read in map(answers.shown, rows)}
    spans = {answers.span_title(row) for row in rows}
    return (
        findings.pop() if len(findings) == 1 else _("Value"),
        spans.pop() if len(spans) == 1 else _("Interval"),
    )


def effect_title(endpoint: dict[str, Any]) -> str:
    """`Effect (log-odds)`."""
    show, read = answers.shown(endpoint)
    return _("Effect ({unit})").format(unit=show.explained(read).unit)


def input_title(name: str) -> str:
    """An input of the classifier, for people."""
    kind, _sign, number_ = name.partition("_")
    if kind == "deep" and number_.isdigit():
        return _("Deep {number}").format(number=number_)
    known = {"radscore_tumor": _("RadScore tumor"), "radscore_ring": _("RadScore ring")}
    if name in known:
        return known[name]
    make_importable()
    from PDL1PredictorLib.report.words import feature_title

    return feature_title(name)


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
