"""A walk through the window with mouse and keyboard on a real chest CT and with the bundled model, start to end.

The numbers are the command line's, from files that Slicer itself wrote. Pictures of every step go to Testing/out.
"""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import slicerhost
import vtk
from heatmap_steps import colored
from PDL1PredictorGUI.scene import heatmap, results, ring
from PDL1PredictorGUI.setup import processes
from scipy import ndimage
from slicerhost.user import choose, click, click_cell, write
from window_steps import leftovers

ROOT = Path(__file__).resolve().parents[3]
PICTURES = ROOT / "Testing" / "out"
HU = (-300, 3000)
LESION_FIRST, LESION_LAST = (204, 345, 32), (232, 375, 34)  # voxels (i, j, k): a box around the tumor
TABLE_COLUMNS = (0, 1, 3)
MODEL = "phantom-demo"  # of synthetic patients: it has to be chosen, and gives no answer here
HOT = 0.8
SAME_PIXELS = 0.98  # of those that either picture shows


@pytest.fixture
def shown(loaded):
    """The window as it opens, in a main window."""
    widget = loaded(ROOT / "PDL1Predictor" / "PDL1Predictor.py")
    main = slicerhost.MainWindow("PDL1Predictor", size=(1500, 1500))
    widget.main_window = main
    yield widget
    main.dismiss()


def picture(window, name):
    PICTURES.mkdir(exist_ok=True)
    window.main_window.screenshot(PICTURES / f"walk_{name}.png")


def settle(window):
    slicerhost.wait_until(lambda: not window.shared.live.waiting, 20)


def wait_for_end(window):
    slicerhost.wait_until(lambda: window.predict.state.name == "IDLE", 240)
    settle(window)


def threshold_in_a_box(window):
    """What a user does in Slicer's own editor: a box as the editable area, then Threshold."""
    parameters, editor = window.shared.parameters, window.ui.segmentEditor
    held = parameters.segmentation.GetSegmentation()
    box = held.AddEmptySegment("Box", "Box")
    values = np.zeros(slicer.util.arrayFromVolume(parameters.volume).shape, np.uint8)
    values[tuple(slice(a, b + 1) for a, b in zip(LESION_FIRST[::-1], LESION_LAST[::-1], strict=True))] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(values, parameters.segmentation, box, parameters.volume)
    choose(window.ui.tumorComboBox, "Tumor 1")
    node = editor.mrmlSegmentEditorNode()
    node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment)
    node.SetMaskSegmentID(box)
    editor.setActiveEffectByName("Threshold")
    effect = editor.activeEffect()
    effect.setParameter("MinimumThreshold", HU[0])
    effect.setParameter("MaximumThreshold", HU[1])
    effect.self().onApply()
    node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedEverywhere)
    held.RemoveSegment(box)
    settle(window)


def outline(window, ct):
    slicer.util.loadVolume(str(ct), {"name": "Chest CT"})
    choose(window.ui.volumeSelector, "Chest CT")
    picture(window, "1_ct")
    click(window.ui.newTumorButton)
    threshold_in_a_box(window)
    assert slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode().GetBackgroundVolumeID()
    assert window.ui.tumorVolumeLabel.text.endswith(" mL")


def expected_voxels(window):
    values = slicer.util.arrayFromVolume(window.shared.parameters.volume)
    inside = np.zeros(values.shape, bool)
    inside[tuple(slice(a, b + 1) for a, b in zip(LESION_FIRST[::-1], LESION_LAST[::-1], strict=True))] = True
    return inside & (values >= HU[0])


def show_ring(window):
    parameters = window.shared.parameters
    click(window.ui.showRingCheckBox)
    settle(window)
    assert ring.ring_of(parameters.segmentation, parameters.segment_id)
    found = slicer.util.arrayFromSegmentBinaryLabelmap(
        parameters.segmentation, parameters.segment_id, parameters.volume
    )
    assert np.array_equal(found != 0, expected_voxels(window))
    middle = np.argwhere(found).mean(axis=0)[::-1]
    to_ras = vtk.vtkMatrix4x4()
    parameters.volume.GetIJKToRASMatrix(to_ras)
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        node.JumpSliceByCentering(*to_ras.MultiplyPoint([*middle, 1.0])[:3])
        width, height, depth = node.GetFieldOfView()
        node.SetFieldOfView(width / 3, height / 3, depth)
    picture(window, "2_ring")


def choose_model(window):
    assert not window.ui.predictButton.enabled
    choose(window.ui.modelComboBox, window.predict.model.entry(MODEL).title)
    assert window.ui.modelTrainingLabel.visible
    settle(window)


def start(window):
    click(window.ui.predictButton)
    slicerhost.wait_until(lambda: window.ui.progressBar.value > 5, 60)
    return processes.family(window.predict.prediction._job.process_id)


def cancel(window):
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    family = start(window)
    assert family
    assert leftovers()
    click(window.ui.predictButton)
    wait_for_end(window)
    assert window.ui.outcomeLabel.text == "Cancelled. Nothing was kept."
    assert not processes.alive(family)
    assert leftovers() == []
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes
    assert results.all_results() == []


def predict(window):
    start(window)
    picture(window, "3_running")
    wait_for_end(window)
    assert window.ui.outcomeLabel.text.startswith("Done in "), window.ui.outcomeLabel.text
    assert window.ui.staleLabel.text == ""
    assert leftovers() == []
    picture(window, "4_results")
    return window.results.result


def export(window, folder):
    """CT and tumor as Slicer writes them."""
    folder.mkdir()
    parameters = window.shared.parameters
    slicer.util.saveNode(parameters.volume, str(folder / "case_ct.nrrd"))
    labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode")
    ids = vtk.vtkStringArray()
    ids.InsertNextValue(parameters.segment_id)
    logic = slicer.modules.segmentations.logic()
    assert logic.ExportSegmentsToLabelmapNode(parameters.segmentation, ids, labels, parameters.volume)
    slicer.util.saveNode(labels, str(folder / "case_tumor.nrrd"))
    slicer.mrmlScene.RemoveNode(labels)
    for name in ("case_ct.nrrd", "case_tumor.nrrd"):
        assert (folder / name).exists()


def command_line(folder):
    """`pdl1 predict` on those files."""
    out = folder.parent / "command line"
    options = ["--ct", str(folder / "case_ct.nrrd"), "--tumor", str(folder / "case_tumor.nrrd"), "--out", str(out)]
    command = [sys.executable, "-m", "PDL1PredictorLib", "predict", *options, "--model", MODEL]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    return out


def compare(found, expected):
    """Every number to 1e-6."""
    assert found["features"] == pytest.approx(expected["features"], rel=1e-6)
    assert len(found["endpoints"]) == len(expected["endpoints"]) == 10
    for ours, theirs in zip(found["endpoints"], expected["endpoints"], strict=True):
        assert ours["endpoint"] == theirs["endpoint"]
        assert ours["verdict"] == theirs["verdict"]
        assert ours["verdict"]["reasons"][0]["code"] == "synthetic_model"
        assert ours["probability"] == pytest.approx(theirs["probability"], abs=1e-6)
        assert ours["interval"] == pytest.approx(theirs["interval"], abs=1e-6)


def read_lesion(folder):
    return json.loads((folder / "result.json").read_text(encoding="utf-8"))["lesions"][0]


def hottest_point_ras(image):
    """Center of the voxel of a heat map's largest value."""
    values = sitk.GetArrayViewFromImage(image)
    index = np.unravel_index(values.argmax(), values.shape)[::-1]
    return np.array(image.TransformIndexToPhysicalPoint([int(i) for i in index])) * (-1, -1, 1)


def hot_on_screen(view, image):
    """Which pixels of a view a heat map of the command line, by its own header, makes hot: rows from the top."""
    width, height, _ = view.node.GetDimensions()
    to_ras = slicer.util.arrayFromVTKMatrix(view.node.GetXYToRAS())
    y, x = np.mgrid[height - 1 : -1 : -1, :width]  # the view counts from the bottom
    lps = (to_ras @ [x.ravel(), y.ravel(), np.zeros(x.size), np.ones(x.size)])[:3] * [[-1], [-1], [1]]
    axes = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    index = np.linalg.solve(axes, lps - np.reshape(image.GetOrigin(), (3, 1)))
    last = np.reshape(image.GetSize(), (3, 1)) - 1
    inside = ((index >= -0.5) & (index <= last + 0.5)).all(axis=0)  # a voxel reaches half its size beyond its center
    values = ndimage.map_coordinates(sitk.GetArrayFromImage(image), index.clip(0, last)[::-1], order=1)
    return (inside & (values >= HOT)).reshape(height, width)


def overlap(one, other):
    """Pixels of both over those of either."""
    assert one.any()
    return (one & other).sum() / (one | other).sum()


def look_at_the_heat_map(window, expected, out):
    """The finding's hot part is where the command line's file says, in all three views."""
    maps = {  # of the findings that the network answers
        number: sitk.ReadImage(str(out / row["heat_map"]))
        for number, row in enumerate(expected["endpoints"])
        if row["heat_map"] is not None
    }
    row = next(n for n, image in maps.items() if sitk.GetArrayViewFromImage(image).max() >= HOT)
    key = expected["endpoints"][row]["endpoint"]
    click_cell(window.ui.predictionsTable, row)
    assert heatmap.HeatMapDisplay().shown() is window.results.result.heat_maps[key]
    assert "of the heat lies inside tumor and ring" in window.ui.heatMapNoteLabel.text
    click(window.ui.jumpButton)
    picture(window, "5_heat_map")
    window.ui.opacitySlider.value = 1.0
    window.ui.thresholdSlider.value = HOT
    window.shared.parameters.segmentation.GetDisplayNode().SetVisibility(False)
    heatmap._hide_legends()  # colored too
    for view in slicer.app.layoutManager().slice_views.values():
        view.node.JumpSliceByCentering(*hottest_point_ras(maps[row]))
        found, wanted = colored(view), hot_on_screen(view, maps[row])
        same = overlap(found, wanted)
        assert same > SAME_PIXELS, view.name
        for move in ((1, 0), (-1, 0), (0, 1), (0, -1)):  # not even a pixel off
            assert same > overlap(found, np.roll(wanted, move, (0, 1))), view.name
    window.shared.parameters.segmentation.GetDisplayNode().SetVisibility(True)
    window.ui.opacitySlider.value = 0.5
    window.ui.thresholdSlider.value = 0.15


def open_report_and_save(window, expected, folder):
    click(window.ui.reportButton)
    assert slicerhost.dialogs.shown[-1].text.endswith("report.html")
    with slicerhost.user_answers(str(folder)):
        click(window.ui.saveButton)
    compare(read_lesion(folder), expected)
    assert {path.suffix for path in folder.iterdir()} >= {".html", ".json", ".csv", ".nrrd"}


def look(window):
    """All that a user reads in the window."""
    ui, table = window.ui, window.ui.predictionsTable
    labels = ("tumorVolumeLabel", "diameterLabel", "meanHuLabel", "ringVolumeLabel", "endpointLabel", "warningsLabel")
    labels += ("syntheticLabel", "unlikeLabel", "modelTrainingLabel")
    combos = ("tumorComboBox", "modelComboBox", "resultComboBox", "endpointComboBox")
    return {
        **{name: getattr(ui, name).text for name in (*labels, "staleLabel")},
        **{name: getattr(ui, name).currentText for name in combos},
        "ct": ui.volumeSelector.currentNode().GetName(),
        "segmentation": ui.segmentationSelector.currentNode().GetName(),
        "show ring": ui.showRingCheckBox.checked,
        "heat map": (ui.heatMapCheckBox.checked, heatmap.HeatMapDisplay().shown().GetName()),
        "opacity": ui.opacitySlider.value,
        "table": [[table.item(row, at).text() for at in TABLE_COLUMNS] for row in range(table.rowCount)],
        "numbers": [table.cellWidget(row, 2).text for row in range(table.rowCount)],
    }


def save_close_and_reopen(window, path, expected):
    before, edges = look(window), window.results.result.endpoints
    slicer.util.saveScene(str(path))
    slicer.mrmlScene.Clear(0)
    slicerhost.process_events(0.1)
    assert results.all_results() == []
    assert window.ui.volumeSelector.currentNode() is None
    assert not window.ui.resultPanel.visible
    assert window.ui.outcomeLabel.text == ""
    slicer.util.loadScene(str(path))
    settle(window)
    assert look(window) == before
    assert window.results.result.endpoints == edges
    compare(window.results.result.lesion, expected)
    picture(window, "6_reopened")


def batch(window, folder, out, expected):
    ui = window.ui
    for section in ("patient", "tumor", "regions", "predict", "results"):
        click(getattr(ui, f"{section}Section"))
    click(ui.batchSection)
    write(ui.batchFolderEdit, str(folder))
    write(ui.batchOutEdit, str(out))
    click(ui.findCasesButton)
    click(ui.batchButton)
    slicerhost.wait_until(lambda: not window.batch.running, 240)
    picture(window, "7_batch")
    assert [ui.batchTable.item(row, 0).text() for row in range(ui.batchTable.rowCount)] == ["case", "other"]
    assert "no mask" in ui.batchTable.item(1, 2).text()
    with (out / "predictions.csv").open(encoding="utf-8", newline="") as file:
        (good,) = csv.DictReader(file)
    for row in expected["endpoints"]:
        assert good[f"{row['endpoint']}_probability"] == ""  # there is no answer
        assert float(good[f"{row['endpoint']}_withheld"]) == pytest.approx(row["probability"], abs=1e-6)
    compare(read_lesion(out / "case"), expected)


@pytest.mark.real_data
def test_a_walk_through_the_window_on_a_real_ct(shown, shared, tmp_path):
    outline(shown, shared / "data" / "chest_ct_nrrd" / "lung1_image.nrrd")
    show_ring(shown)
    choose_model(shown)
    cancel(shown)
    result = predict(shown)
    files = tmp_path / "Fälle 1"
    export(shown, files)
    out = command_line(files)
    expected = read_lesion(out)
    compare(result.lesion, expected)
    look_at_the_heat_map(shown, expected, out)
    open_report_and_save(shown, expected, tmp_path / "gespeichert für später")
    save_close_and_reopen(shown, tmp_path / "Szene ä.mrb", expected)
    (files / "other_ct.nrrd").write_bytes((files / "case_ct.nrrd").read_bytes()[:10])
    batch(shown, files, tmp_path / "Stapel ö", expected)
    slicer.app.moduleManager().unload("PDL1Predictor")
    assert leftovers() == []  # the opened report too
