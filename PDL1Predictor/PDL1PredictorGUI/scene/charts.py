"""Plots of a result: the probabilities with their intervals and thresholds, and what moved one answer.

Slicer's plots have no words along an axis: bars are numbered, and the axis' title says what the numbers are. A bar's
name is also in its tooltip.
"""

import math
import textwrap
from typing import Any

import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import answers
from PDL1PredictorGUI.scene.result_nodes import CHARTS, PREFIX, SEGMENT_ID, SEGMENT_NAME, ResultNodes, references
from PDL1PredictorGUI.scene.result_tables import Column, effect_title, fill, input_title, number

KIND = PREFIX + "Chart"  # attribute of a chart and of its table
PROBABILITIES = "probabilities"
BLUE, DARK, AMBER = (0.45, 0.62, 0.78), (0.16, 0.20, 0.27), (0.90, 0.55, 0.10)
TITLE_WIDTH = 52  # characters in one line of an axis' title
MOST, LARGEST = 12, 6  # inputs whose names still leave room for their bars; of more, so many are shown
_layout_before: list[int] = []  # the user's layout, while a chart has changed it


def probability_chart(result: ResultNodes) -> Any:
    """The chart node of all endpoints: bars, intervals and thresholds; made anew from the result.

    A number's bar is its share of the way between its ends, which stand beside its name. What is not answered has its
    place, and no bar.
    """
    rows = result.lesion["endpoints"]
    scales = [show.scale(read) for show, read in map(answers.shown, rows)]
    places = [float(n) for n in range(1, len(rows) + 1)]
    given = [answers.answered(row) for row in rows]
    shares = [scale.share(scale.value) if here else math.nan for scale, here in zip(scales, given, strict=True)]
    cuts = [math.nan if scale.mark is None else scale.share(scale.mark) for scale in scales]
    value, words = _("Probability"), (_("predicted probability"), _("Probability of positive"))
    if any(scale.mark is None for scale in scales):
        value, words = _("Answer"), (_("answers"), _("Probability, or share of the scale"))
    ends = [_ends(row, scale) for row, scale in zip(rows, scales, strict=True)]
    columns = [
        Column("place", _("No."), places),
        Column("endpoint", _("Endpoint"), [row["title"] for row in rows]),
        Column("probability", value, shares),
        Column("threshold", _("Threshold"), cuts),
    ]
    titles = {answers.span_name(row) for row in rows}
    name = titles.pop() if len(titles) == 1 else _("Interval")
    interval = [
        Column("place", _("No."), _strokes([(place, place) for place in places])),
        Column("interval", name, _strokes(ends)),
    ]
    chart = _chart(result, PROBABILITIES, _("predicted probabilities"))
    bars = _table(result, PROBABILITIES, columns)
    lines = _table(result, PROBABILITIES + " intervals", interval)
    node = slicer.vtkMRMLPlotSeriesNode
    _series(chart, 0, value, bars, "probability", node.PlotTypeScatterBar, BLUE, label="endpoint")
    _series(chart, 1, name, lines, "interval", node.PlotTypeScatter, DARK, line=True)
    _series(chart, 2, _("Threshold"), bars, "threshold", node.PlotTypeScatter, AMBER, label="endpoint")
    chart.SetTitle(_("{segment}: {what}").format(segment=result.segment_name, what=words[0]))
    chart.SetYAxisTitle(words[1])
    chart.SetYAxisRangeAuto(False)
    chart.SetYAxisRange(0.0, 1.0)
    _number_axis(chart, [_name_with_ends(row, scale) for row, scale in zip(rows, scales, strict=True)])
    return chart


def _ends(row: dict[str, Any], scale: Any) -> tuple[float, ...]:
    """The ends of the interval that the window shows, as shares of the scale; NaN where there is none to show."""
    ends = getattr(answers.shown(row)[1], answers.main_span(row)) if answers.answered(row) else None
    return (math.nan, math.nan) if ends is None else tuple(map(scale.share, ends))


def _name_with_ends(row: dict[str, Any], scale: Any) -> str:
    """`EGFR`, `EGFR (not answered)`, or `PD-L1 TPS (0 % to 100 %)` where the scale is not that of a probability."""
    if not answers.answered(row):
        return _("{endpoint} (not answered)").format(endpoint=row["title"])
    if scale.mark is not None:
        return str(row["title"])
    return f"{row['title']} ({scale.ticks[0][1]} to {scale.ticks[-1][1]})"


def contribution_chart(result: ResultNodes, endpoint: str) -> Any:
    """The chart node of what moved one endpoint's answer, the largest effect first; made anew from the result.

    Of many inputs the largest are shown, and the title says of how many; the result's table holds them all.

    Raises:
        KeyError: The result does not hold the endpoint.
    """
    row = result.endpoint(endpoint)
    every = row["contributions"]
    inputs = every if len(every) <= MOST else every[:LARGEST]
    names = [input_title(item["name"]) for item in inputs]
    columns = [
        Column("place", _("No."), [float(n) for n in range(1, len(inputs) + 1)]),
        Column("input", _("Input"), names),
        Column("effect", effect_title(row), [number(item["effect"]) for item in inputs]),
    ]
    kind = f"contributions {endpoint}"
    chart = _chart(result, kind, _("{endpoint} contributions chart").format(endpoint=row["title"]))
    table = _table(result, kind, columns)
    bars = slicer.vtkMRMLPlotSeriesNode.PlotTypeScatterBar
    # One series: Slicer's plots would set the bars of two beside each other
    show, read = answers.shown(row)
    how = show.explained(read)
    name = _("up: towards {positive}, down: towards {negative}").format(positive=how.raises, negative=how.lowers)
    _series(chart, 0, name, table, "effect", bars, BLUE, label="input")
    title = _("{segment}: what moved the answer for {endpoint}")
    if len(inputs) < len(every):
        title = _("{segment}: what moved {endpoint}, {shown} largest of {all}")
    chart.SetTitle(title.format(segment=result.segment_name, endpoint=row["title"], shown=len(inputs), all=len(every)))
    chart.SetYAxisTitle(_("Change in {unit}").format(unit=how.unit))
    chart.SetYAxisRangeAuto(True)
    _number_axis(chart, names)
    return chart


def show_probabilities(result: ResultNodes) -> Any:
    """Shows the probabilities in a plot view beside the images; gives the chart node."""
    return show(probability_chart(result))


def show_contributions(result: ResultNodes, endpoint: str) -> Any:
    """Shows an endpoint's contributions in a plot view beside the images; gives the chart node."""
    return show(contribution_chart(result, endpoint))


def show(chart: Any) -> Any:
    """Shows a chart in every plot view, in a layout that has one; the user's own is kept for `hide`."""
    manager = slicer.app.layoutManager()
    before = manager.layout if manager is not None else None
    slicer.modules.plots.logic().ShowChartInLayout(chart)
    if manager is not None and manager.layout != before:
        _layout_before[:] = [before]
    return chart


def hide() -> None:
    """Gives the user's layout back, if showing a chart had changed it and the user has chosen no other since."""
    manager = slicer.app.layoutManager()
    if manager is not None and _layout_before and _has_plot(manager.layout):
        manager.setLayout(_layout_before[0])
    _layout_before.clear()


def restore(result: ResultNodes) -> None:
    """Makes the charts that a scene brought anew: a saved table has lost the gaps between the intervals."""
    kinds = {node.GetAttribute(KIND) for node in references(result.main, CHARTS)}
    if PROBABILITIES in kinds:
        probability_chart(result)
    for endpoint in result.endpoints:
        if f"contributions {endpoint}" in kinds:
            contribution_chart(result, endpoint)


def _has_plot(layout: int) -> bool:
    return slicer.modules.plots.logic().GetLayoutWithPlot(layout) == layout


def _strokes(ends: list[tuple[float, ...]]) -> list[float]:
    """Values of a line that is lifted between its strokes: NaN is a gap."""
    return [value for pair in ends for value in (*pair, math.nan)]


def _chart(result: ResultNodes, kind: str, what: str) -> Any:
    chart = _own(result, kind, "vtkMRMLPlotChartNode", what)
    chart.SetTitleFontSize(14)
    chart.SetAxisTitleFontSize(12)
    chart.SetAxisLabelFontSize(12)
    chart.SetLegendFontSize(12)
    chart.SetLegendVisibility(True)
    chart.SetGridVisibility(False)
    return chart


def _table(result: ResultNodes, kind: str, columns: list[Column]) -> Any:
    node = _own(result, kind, "vtkMRMLTableNode", _("{kind} chart data").format(kind=kind))
    fill(node, columns)
    return node


def _own(result: ResultNodes, kind: str, class_name: str, what: str) -> Any:
    """The result's node of that kind and class, made and filed beside the result's others if there is none."""
    for node in references(result.main, CHARTS):
        if node.IsA(class_name) and node.GetAttribute(KIND) == kind:
            return node
    segment = result.main.GetAttribute(SEGMENT_NAME) or result.main.GetAttribute(SEGMENT_ID)
    node = slicer.mrmlScene.AddNewNodeByClass(class_name, f"{segment}: {what}")
    node.SetAttribute(KIND, kind)
    result.main.AddNodeReferenceID(CHARTS, node.GetID())
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(result.main)
    if item:
        hierarchy.CreateItem(hierarchy.GetItemParent(item), node)
    return node


def _series(
    chart: Any,
    position: int,
    name: str,
    table: Any,
    y: str,
    plot_type: int,
    color: tuple[float, float, float],
    label: str = "",
    line: bool = False,
) -> None:
    series = chart.GetNthPlotSeriesNode(position)
    if series is None:
        series = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLPlotSeriesNode")
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
    was_modifying = series.StartModify()
    series.SetName(name)  # what the legend says
    series.SetAndObserveTableNodeID(table.GetID())
    series.SetXColumnName("place")
    series.SetYColumnName(y)
    series.SetLabelColumnName(label)
    series.SetPlotType(plot_type)
    series.SetColor(*color)
    series.SetLineStyle(series.LineStyleSolid if line else series.LineStyleNone)
    series.SetLineWidth(3.0 if line else 1.0)
    series.SetMarkerStyle(series.MarkerStyleNone if line else series.MarkerStyleDiamond)
    series.SetMarkerSize(11.0)
    series.EndModify(was_modifying)


def _number_axis(chart: Any, names: list[str]) -> None:
    """Numbers for the bars, and what they are."""
    items = [f"{n}\u00a0{name.replace(' ', chr(0xA0))}" for n, name in enumerate(names, start=1)]
    lines = textwrap.wrap("   ".join(items), TITLE_WIDTH, break_long_words=False, break_on_hyphens=False)
    chart.SetXAxisTitle("\n".join(lines).replace("\u00a0", " "))
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(0.0, len(names) + 1.0)
