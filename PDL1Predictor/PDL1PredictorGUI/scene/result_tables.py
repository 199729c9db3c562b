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
    """One row per endpoint, in the model's order; the columns that its answers have."""
    rows = lesion["endpoints"]
    level = interval_level(rows)
    ends = (_("{level} from"), _("{level} to")) if level else (_("From"), _("To"))
    low, high = (end.format(level=level) for end in ends)
    numbers = {"probability": _("Probability"), "value": _("Value")}
    found = [name for name in numbers if any(name in row for row in rows)]
    columns = [Column("endpoint", _("Endpoint"), [row["title"] for row in rows])]
    columns += [Column(name, numbers[name], [number(row.get(name)) for row in rows]) for name in found]
    columns += [
        Column("low", low, [row["interval"][0] for row in rows]),
        Column("high", high, [row["interval"][1] for row in rows]),
    ]
    if any("unit" in row for row in rows):
        columns.append(Column("unit", _("Unit"), [row.get("unit", "") for row in rows]))
    if any("threshold" in row for row in rows):
        columns.append(Column("threshold", _("Threshold"), [number(row.get("threshold")) for row in rows]))
        columns.append(Column("call", _("Call at threshold"), [call(row) for row in rows]))
    return [*columns, Column("answer", _("Answer"), [row["verdict_text"] for row in rows])]


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


def shown(endpoint: dict[str, Any]) -> tuple[Any, Any]:
    """How the report shows such an answer, and the answer itself: the one place where the window asks for its kind."""
    make_importable()
    from PDL1PredictorLib.report.kinds import read_answer, renderer

    read = read_answer(endpoint)
    return renderer(read), read


def call(endpoint: dict[str, Any]) -> str:
    """The endpoint's word for the call at the model's threshold; empty where nothing is called."""
    if "positive_word" not in endpoint:
        return ""
    return str(endpoint["positive_word"] if endpoint["positive"] else endpoint["negative_word"])


def answer(endpoint: dict[str, Any]) -> str:
    """The call, or what keeps from one, or the number, in the words of the report."""
    show, read = shown(endpoint)
    return str(show.verdict(read).short)


def cut(endpoint: dict[str, Any]) -> str:
    """The threshold for people; empty without one."""
    show, read = shown(endpoint)
    return str(show.cut(read))


def interval(endpoint: dict[str, Any]) -> str:
    """The interval for people, as the report writes it."""
    show, read = shown(endpoint)
    return str(show.interval(read))


def interval_level(rows: list[dict[str, Any]]) -> str:
    """`95 %`, what all intervals have; empty where they differ."""
    names = {show.interval_name(read) for show, read in map(shown, rows)}
    return names.pop().partition(" %")[0] + " %" if len(names) == 1 else ""


def titles(rows: list[dict[str, Any]]) -> tuple[str, str, str]:
    """Of the window's columns: the number, its interval, the threshold (empty without one)."""
    heads = list(dict.fromkeys(show.heads(read) for show, read in map(shown, rows)))
    cut = next((head.cut for head in heads if head.cut), "")
    if len(heads) > 1:
        return _("Value"), _("Interval"), cut
    return heads[0].finding, heads[0].short_interval, cut


def effect_title(endpoint: dict[str, Any]) -> str:
    """`Effect (log-odds)`."""
    show, read = shown(endpoint)
    return _("Effect ({unit})").format(unit=show.explained(read).unit)


def lead(endpoints: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The answer that stands first, as in the report; None of none."""
    make_importable()
    from PDL1PredictorLib.report.words import lead_key

    key = lead_key([row["endpoint"] for row in endpoints])
    return next((row for row in endpoints if row["endpoint"] == key), None)


def what_the_number_is(endpoint: dict[str, Any]) -> str:
    """A sentence that nobody can read the other way round."""
    show, read = shown(endpoint)
    return str(show.sentences(read)[0])


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
