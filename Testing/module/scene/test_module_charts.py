"""The charts hold the result's numbers, are drawn as Slicer's plot view draws them, and survive saving."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import slicer
import vtk
from PDL1PredictorGUI.scene import charts, results
from vtk.util.numpy_support import vtk_to_numpy
from window_steps import judged


@pytest.fixture
def stored(case_in_scene, result_folder):
    return results.store(result_folder, case_in_scene())


@pytest.fixture
def lively(case_in_scene, result_folder, tmp_path):
    """A result whose bars can be seen: the tiny model's probabilities are next to 0."""
    folder = tmp_path / "lively"
    shutil.copytree(result_folder, folder)
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    for row, probability in zip(content["lesions"][0]["endpoints"], (0.3, 0.7), strict=True):
        interval = [probability - 0.1, probability + 0.15]
        row.update(judged(row, "positive", probability=probability, interval=interval, uncertainty=interval))
    (folder / "result.json").write_text(json.dumps(content), encoding="utf-8")
    return results.store(folder, case_in_scene())


def series(chart):
    """Name, x and y of each series, as the plot view reads them."""
    found = {}
    for n in range(chart.GetNumberOfPlotSeriesNodes()):
        node = chart.GetNthPlotSeriesNode(n)
        table = node.GetTableNode().GetTable()
        x, y = (
            vtk_to_numpy(table.GetColumnByName(name)).tolist()
            for name in (node.GetXColumnName(), node.GetYColumnName())
        )
        found[node.GetName()] = (x, y)
    return found


def node_ids():
    scene = slicer.mrmlScene
    return {scene.GetNthNode(n).GetID() for n in range(scene.GetNumberOfNodes())}


def test_the_probability_chart_holds_the_numbers(stored):
    rows = stored.lesion["endpoints"]
    found = series(charts.probability_chart(stored))
    assert found["Probability"] == ([1, 2], [row["probability"] for row in rows])
    assert found["Threshold"] == ([1, 2], [row["threshold"] for row in rows])


def test_each_interval_is_a_stroke_of_its_own(stored):
    (a_low, a_high), (b_low, b_high) = (row["uncertainty"] for row in stored.lesion["endpoints"])
    x, y = series(charts.probability_chart(stored))["95 % interval of the patient"]
    np.testing.assert_equal(x, [1, 1, math.nan, 2, 2, math.nan])
    np.testing.assert_equal(y, [a_low, a_high, math.nan, b_low, b_high, math.nan])


def test_what_is_not_answered_has_its_place_and_no_number(case_in_scene, refused_folder):
    chart = charts.probability_chart(results.store(refused_folder, case_in_scene()))
    found = series(chart)
    assert np.isnan([found["Probability"][1], found["Threshold"][1]]).tolist() == [[True, True], [False, False]]
    assert np.isnan(found["95 % calibration interval"][1]).all()
    assert chart.GetXAxisTitle().replace("\n", "   ").split("   ") == [
        "1 PD-L1 (not answered)",
        "2 EGFR (not answered)",
    ]


def test_the_contribution_chart_holds_the_numbers_the_largest_first(stored):
    inputs = stored.endpoint("EGFR")["contributions"]
    chart = charts.contribution_chart(stored, "EGFR")
    ((name, (x, y)),) = series(chart).items()
    assert name == "up: towards mutant, down: towards wild type"
    assert (x, y) == (list(range(1, 13)), [item["effect"] for item in inputs])
    assert np.all(np.diff(np.abs(y)) <= 0)
    first = inputs[0]["name"].replace("deep_", "Deep ").replace("radscore_", "RadScore ")
    assert chart.GetXAxisTitle().startswith(f"1 {first}   2 ")


@pytest.mark.parametrize(
    ("given", "bars", "words"), [(12, 12, "what moved the answer for EGFR"), (13, 6, "6 largest of 13")]
)
def test_of_many_inputs_the_largest_are_shown(case_in_scene, result_folder, tmp_path, given, bars, words):
    folder = tmp_path / "many"
    shutil.copytree(result_folder, folder)
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    (row,) = (row for row in content["lesions"][0]["endpoints"] if row["endpoint"] == "EGFR")
    row["contributions"] = (row["contributions"] * 2)[:given]
    (folder / "result.json").write_text(json.dumps(content), encoding="utf-8")
    chart = charts.contribution_chart(results.store(folder, case_in_scene()), "EGFR")
    ((x, y),) = series(chart).values()
    assert (x, y) == (list(range(1, bars + 1)), [item["effect"] for item in row["contributions"][:bars]])
    assert words in chart.GetTitle()
    assert f"   {bars + 1} " not in chart.GetXAxisTitle().replace("\n", "   ")


def test_the_axis_names_every_bar(stored):
    title = charts.probability_chart(stored).GetXAxisTitle()
    assert title.replace("\n", "   ").split("   ") == ["1 PD-L1", "2 EGFR"]


def test_long_axis_titles_are_broken_between_names(stored):
    lines = charts.contribution_chart(stored, "EGFR").GetXAxisTitle().split("\n")
    assert len(lines) > 1
    assert max(map(len, lines)) <= charts.TITLE_WIDTH
    assert all(line[0].isdigit() for line in lines)


def test_an_endpoint_that_is_not_there_has_no_chart(stored):
    with pytest.raises(KeyError):
        charts.contribution_chart(stored, "KRAS")


def test_asking_again_makes_no_second_chart(stored):
    chart = charts.probability_chart(stored)
    other = charts.contribution_chart(stored, "EGFR")
    before = node_ids()
    assert charts.probability_chart(stored) == chart
    assert charts.contribution_chart(stored, "EGFR") == other
    assert charts.contribution_chart(stored, "PDL1") != other
    assert before < node_ids()


def test_charts_go_with_their_result(stored):
    before = node_ids()
    charts.probability_chart(stored)
    charts.contribution_chart(stored, "EGFR")
    added = node_ids() - before
    assert len(added) >= 8  # two charts, three tables, four series less one
    results.remove(stored)
    assert not added & node_ids()
    assert not list(slicer.util.getNodesByClass("vtkMRMLPlotSeriesNode"))


def test_charts_lie_in_the_results_folder(stored):
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(slicer.mrmlScene)
    item = hierarchy.GetItemByDataNode(charts.probability_chart(stored))
    assert hierarchy.GetItemParent(item) == hierarchy.GetItemParent(hierarchy.GetItemByDataNode(stored.main))


# --- shown


@pytest.fixture
def layout():
    manager = slicer.app.layoutManager()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
    yield manager
    charts.hide()
    manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)


def test_showing_brings_a_layout_with_a_plot_and_hiding_takes_it_back(stored, layout):
    before = layout.layout
    chart = charts.show_probabilities(stored)
    assert layout.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotView
    assert layout.plotWidget(0).mrmlPlotViewNode().GetPlotChartNode() == chart
    other = charts.show_contributions(stored, "EGFR")
    assert layout.plotWidget(0).mrmlPlotViewNode().GetPlotChartNode() == other
    charts.hide()
    assert layout.layout == before


def test_a_layout_that_has_a_plot_stays(stored, layout):
    with_plot = slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpPlotTableView
    layout.setLayout(with_plot)
    charts.show_probabilities(stored)
    assert layout.layout == with_plot
    charts.hide()
    assert layout.layout == with_plot


def test_a_layout_that_the_user_chose_meanwhile_stays(stored, layout):
    charts.show_probabilities(stored)
    layout.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView)
    charts.hide()
    assert layout.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutOneUpRedSliceView


# --- saved


def test_charts_survive_a_bundle_with_their_gaps(stored, layout, tmp_path):
    before = {
        name: values
        for chart in (charts.probability_chart(stored), charts.contribution_chart(stored, "EGFR"))
        for name, values in series(chart).items()
    }
    file = tmp_path / "charts.mrb"
    assert slicer.util.saveScene(str(file))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(file))
    (result,) = results.all_results()
    ids = node_ids()
    results.restore(result)
    assert node_ids() == ids
    after = {}
    for node in slicer.util.getNodesByClass("vtkMRMLPlotChartNode"):
        after |= series(node)
    assert after.keys() == before.keys()
    for name, values in before.items():
        np.testing.assert_equal(after[name], values)


# --- drawn


def draw(chart, size=(640, 420)):
    """The chart as pixels (row, column, RGB), drawn with VTK's charts by the rules of Slicer's plot view."""
    view = vtk.vtkContextView()
    window = view.GetRenderWindow()
    window.SetOffScreenRendering(1)
    window.SetSize(*size)
    view.GetRenderer().SetBackground(1, 1, 1)
    drawn = vtk.vtkChartXY()
    view.GetScene().AddItem(drawn)
    for n in range(chart.GetNumberOfPlotSeriesNodes()):
        node = chart.GetNthPlotSeriesNode(n)
        bars = node.GetPlotType() == node.PlotTypeScatterBar
        plot = drawn.AddPlot(vtk.vtkChart.BAR if bars else vtk.vtkChart.LINE)
        plot.SetColorF(*node.GetColor())
        plot.SetWidth(node.GetLineWidth())
        solid = node.GetLineStyle() == node.LineStyleSolid
        plot.GetPen().SetLineType(vtk.vtkPen.SOLID_LINE if solid else vtk.vtkPen.NO_PEN)
        if not bars:
            plot.SetMarkerSize(node.GetMarkerSize())
            diamond = node.GetMarkerStyle() == node.MarkerStyleDiamond
            plot.SetMarkerStyle(vtk.vtkPlotPoints.DIAMOND if diamond else vtk.vtkPlotPoints.NONE)
        plot.SetUseIndexForXSeries(False)
        plot.SetInputData(node.GetTableNode().GetTable(), node.GetXColumnName(), node.GetYColumnName())
        plot.SetLabel(node.GetName())
    drawn.SetTitle(chart.GetTitle())
    drawn.SetShowLegend(chart.GetLegendVisibility())
    axes = (
        (vtk.vtkAxis.BOTTOM, chart.GetXAxisTitle(), chart.GetXAxisRangeAuto(), chart.GetXAxisRange()),
        (vtk.vtkAxis.LEFT, chart.GetYAxisTitle(), chart.GetYAxisRangeAuto(), chart.GetYAxisRange()),
    )
    for number, title, auto, limits in axes:
        axis = drawn.GetAxis(number)
        axis.SetTitle(title)
        axis.SetGridVisible(chart.GetGridVisibility())
        if not auto:
            axis.SetBehavior(vtk.vtkAxis.FIXED)
            axis.SetUnscaledRange(limits)
    view.Render()
    view.Render()  # the axes are laid out at the first
    places = {}
    for number in (vtk.vtkAxis.BOTTOM, vtk.vtkAxis.LEFT):
        axis = drawn.GetAxis(number)
        places[number] = (axis.GetPoint1(), axis.GetPoint2(), axis.GetUnscaledMinimum(), axis.GetUnscaledMaximum())
    reader = vtk.vtkWindowToImageFilter()
    reader.SetInput(window)
    reader.ReadFrontBufferOff()
    reader.Update()
    image = reader.GetOutput()
    width, height, _ = image.GetDimensions()
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, 3).astype(int)
    return pixels, places


def pixel_of(places, x, y):
    """Column and row (from below) of a point of the chart."""
    (x0, _), (x1, _), low_x, high_x = places[vtk.vtkAxis.BOTTOM]
    (_, y0), (_, y1), low_y, high_y = places[vtk.vtkAxis.LEFT]
    return round(x0 + (x - low_x) / (high_x - low_x) * (x1 - x0)), round(
        y0 + (y - low_y) / (high_y - low_y) * (y1 - y0)
    )


def is_color(pixel, color):
    return np.abs(pixel - np.array(color) * 255).max() < 40


def test_bars_reach_their_probability_and_markers_their_threshold(lively):
    pixels, places = draw(charts.probability_chart(lively))
    for number, row in enumerate(lively.lesion["endpoints"], start=1):
        column, top = pixel_of(places, number + 0.2, row["probability"])
        assert is_color(pixels[top - 4, column], charts.BLUE)
        assert not is_color(pixels[top + 4, column], charts.BLUE)
        column, at = pixel_of(places, number, row["threshold"])
        assert is_color(pixels[at, column], charts.AMBER)


def test_no_line_runs_from_one_interval_to_the_next(lively):
    pixels, places = draw(charts.probability_chart(lively))
    dark = np.abs(pixels - np.array(charts.DARK) * 255).max(axis=2) < 40
    (left, low), (right, high) = (pixel_of(places, x, y) for x, y in ((1.1, 0.02), (1.9, 0.98)))
    assert not dark[low:high, left:right].any()
    for place, middle in ((1, 0.375), (2, 0.775)):  # while the intervals themselves are drawn
        column, row = pixel_of(places, place, middle)
        assert dark[row, column - 2 : column + 3].any()


def test_pictures_for_the_eye(lively):
    out = Path(__file__).parents[2] / "out"
    out.mkdir(exist_ok=True)
    for name, chart in (
        ("chart_probabilities", charts.probability_chart(lively)),
        ("chart_contributions", charts.contribution_chart(lively, "EGFR")),
    ):
        pixels, _ = draw(chart)
        writer = vtk.vtkPNGWriter()
        height, width, _ = pixels.shape
        image = vtk.vtkImageData()
        image.SetDimensions(width, height, 1)
        from vtk.util.numpy_support import numpy_to_vtk

        image.GetPointData().SetScalars(numpy_to_vtk(pixels.reshape(-1, 3).astype(np.uint8), deep=True))
        writer.SetInputData(image)
        writer.SetFileName(str(out / f"{name}.png"))
        writer.Write()
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
