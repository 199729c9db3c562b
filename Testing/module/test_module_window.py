"""The window, used by mouse and keyboard: what each section does, what it refuses, what happens in the middle of a run.

Where the answer does not matter the background process is a small program that speaks as `pdl1 predict` does, waits
until the test lets it go, and hands over a folder that `pdl1 predict` wrote.
"""

import json
import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
import slicer
import slicerhost
import vtk
from PDL1PredictorGUI import bridge, heatmap, packages, predictor, preferences, processes, results, ring
from PDL1PredictorGUI.tumor import new_tumor
from slicerhost.user import choose, click, click_cell, write

WORKER = """
import json, pathlib, shutil, sys, time
done = pathlib.Path(sys.argv[1])
step = {"type": "progress", "stage": "network", "fraction": 0.4, "message": "running the network", "elapsed_s": 0.1}
print(json.dumps(step), flush=True)
print("a line for the log", flush=True)
while not done.exists():
    time.sleep(0.01)
shutil.copytree(sys.argv[2], "result")
"""
OFF_WORDS = ("Off", "Choose", "Find cases", "No case", "Press", "The prediction is being stopped")


@pytest.fixture
def worker(monkeypatch, result_folder, tmp_path):
    """Stands for `pdl1 predict`; `let_go` lets it end."""
    flag = tmp_path / "let go"
    commands = []

    def command_of(_request, _files):
        commands.append([sys.executable, "-c", WORKER, str(flag), str(result_folder)])
        return commands[-1]

    monkeypatch.setattr(predictor, "command_of", command_of)
    return SimpleNamespace(let_go=flag.touch, hold=lambda: flag.unlink(missing_ok=True), commands=commands)


@pytest.fixture
def shown(window):
    """The window in a main window, as a user sees it."""
    main = slicerhost.MainWindow("PDL1Predictor")
    yield window
    main.dismiss()


@pytest.fixture
def ready(shown, case_in_scene):
    """The window with the phantom chosen and measured."""
    case = case_in_scene()
    parameters = shown.shared.parameters
    parameters.volume, parameters.segmentation = case.volume, case.segmentation
    parameters.segment_id = case.segment_id
    shown.shared.live.settle()
    return shown


@pytest.fixture
def answered(ready, result_folder):
    """The window with a result."""
    ready.results.show(results.store(result_folder, ready.shared.request()))
    ready.shared.live.settle()
    return ready


def leftovers():
    return list(Path(slicer.app.temporaryPath).glob(f"{predictor.FOLDER_PREFIX}*"))


def start(window):
    """Presses Predict and waits until the process runs; gives its family."""
    click(window.ui.predictButton)
    slicerhost.wait_until(lambda: window.ui.progressBar.value == 40 and "log" in window.ui.logEdit.plainText, 20)
    family = processes.family(window.predict.prediction._job.process_id)
    assert family
    assert leftovers()
    return family


def wait_for_end(window, seconds=20):
    slicerhost.wait_until(lambda: window.predict.state.name == "IDLE", seconds)


def second_tumor(window, phantom):
    parameters = window.shared.parameters
    other = new_tumor(parameters.volume, parameters.segmentation)[1]
    bridge.put_segment(parameters.segmentation, other, phantom.case.tumor, parameters.volume)
    return other


def text_of(combo):
    return combo.currentText


# --- every control


def controls(window):
    """Everything that the window's file names and a user can change or press."""
    from PySide6 import QtWidgets

    kinds = (
        *(QtWidgets.QAbstractButton, QtWidgets.QComboBox, QtWidgets.QAbstractSpinBox, QtWidgets.QLineEdit),
        *(QtWidgets.QAbstractItemView, QtWidgets.QPlainTextEdit, QtWidgets.QProgressBar),
        *(slicer.qMRMLNodeComboBox, sys.modules["ctk"].ctkSliderWidget, sys.modules["ctk"].ctkPathLineEdit),
    )
    return {
        name: widget
        for name, widget in vars(window.ui).items()
        if isinstance(widget, kinds) and not name.startswith("qt_")
    }


def tips(window, seen):
    """Collects the tooltips of what is on and of what is off."""
    for name, widget in controls(window).items():
        assert widget.toolTip, f"{name} has no tooltip"
        seen.setdefault(name, {True: set(), False: set()})[bool(widget.enabled)].add(widget.toolTip)


def test_every_control_says_what_it_does_or_why_it_is_off(shown, case_in_scene, worker, result_folder, tmp_path):
    seen = {}
    for name in ("logGroup", "computerGroup", "featuresGroup", "batchSection"):
        getattr(shown.ui, name).collapsed = False
    tips(shown, seen)
    case = case_in_scene()
    parameters = shown.shared.parameters
    parameters.volume, parameters.segmentation, parameters.segment_id = case.volume, case.segmentation, case.segment_id
    parameters.show_ring = True
    shown.shared.live.settle()
    tips(shown, seen)
    own = ring.ring_of(parameters.segmentation, parameters.segment_id)
    parameters.segmentation.GetSegmentation().GetSegment(own).SetTag(ring.EDITED, "1")
    shown.shared.live.settle()
    tips(shown, seen)
    start(shown)
    tips(shown, seen)
    worker.let_go()
    wait_for_end(shown)
    tips(shown, seen)
    slicer.mrmlScene.RemoveNode(shown.results.result.heat_maps[parameters.endpoint])
    tips(shown, seen)
    shown.batch.batch = object()  # as while one runs
    shown.batch.update()
    tips(shown, seen)
    shown.batch.batch = None
    parameters.model = str(tmp_path / "no model")
    tips(shown, seen)
    assert len(seen) > 45
    for name, found in seen.items():
        assert not found[True] & found[False], f"{name} says the same when it is off: {found[False]}"
        for tip in found[False]:
            assert tip.startswith(OFF_WORDS) or "cannot be used" in tip or "no model" in tip, (name, tip)
    off = {name for name, found in seen.items() if found[False]}
    expected = {"predictButton", "newTumorButton", "tumorComboBox", "ringSlider", "excludeAirCheckBox", "modelComboBox"}
    expected |= {
        "deviceComboBox",
        "sampleButton",
        "heatMapCheckBox",
        "modelCardButton",
        "batchButton",
        "drawRingButton",
    }
    assert expected <= off
    assert expected <= {name for name, found in seen.items() if found[True]} | {"batchButton"}


def test_a_section_opens_and_closes_and_hides_again_what_is_not_to_be_seen(ready):
    click(ready.ui.predictSection)
    assert not ready.ui.predictButton.visible
    click(ready.ui.predictSection)
    assert ready.ui.predictButton.visible
    for name in ("progressPanel", "outcomeLabel", "whyNotLabel", "modelProblemLabel"):
        assert not getattr(ready.ui, name).visible, name


def test_the_window_stays_narrow_whatever_nodes_are_called(answered):
    def widths():
        slicerhost.process_events(0.05)
        sections = ("patient", "regions", "predict", "results")
        return [getattr(answered.ui, f"{name}Section").minimumSizeHint().width() for name in sections]

    before = widths()
    assert max(before) < 380
    long_name = "A very long name of a series that a scanner has made up " * 3
    answered.shared.parameters.volume.SetName(long_name)
    answered.shared.parameters.segmentation.GetSegmentation().GetNthSegment(0).SetName(long_name)
    answered.shared.refresh()
    assert widths() == before


# --- 1. patient


def test_the_sample_patient_is_ready_to_be_predicted(shown):
    click(shown.ui.sampleButton)
    shown.shared.live.settle()
    assert shown.shared.parameters.volume is not None
    assert "mL" in shown.ui.tumorVolumeLabel.text
    shown.shared.parameters.model = "phantom-demo"
    assert shown.ui.predictButton.enabled
    assert slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode().GetBackgroundVolumeID()


def test_without_a_ct_the_window_says_what_to_do(shown):
    assert "Choose a CT in section 1" in shown.ui.whyNotLabel.text
    assert shown.ui.tumorHintLabel.text == "Choose a CT first."
    with pytest.raises(AssertionError, match="predictButton is off: Choose a CT"):
        click(shown.ui.predictButton)


def test_an_mr_is_refused_with_the_reason(ready, small_images):
    bridge.volume_of_image(sitk.Abs(small_images[0]), "MR of the head")
    choose(ready.ui.volumeSelector, "MR of the head")
    ready.shared.live.settle()
    assert ready.ui.volumeProblemLabel.visible
    assert "Choose a CT, not an MR" in ready.ui.volumeProblemLabel.text
    assert not ready.ui.predictButton.enabled
    assert "The voxels of MR of the head run from" in ready.ui.whyNotLabel.text
    choose(ready.ui.volumeSelector, "CT")
    ready.shared.live.settle()
    assert not ready.ui.volumeProblemLabel.visible
    assert ready.ui.predictButton.enabled


def test_a_chosen_ct_is_shown(ready, small_images):
    other = bridge.volume_of_image(small_images[0], "Another CT")
    choose(ready.ui.volumeSelector, "Another CT")
    for name in ("Red", "Yellow", "Green"):
        composite = slicer.app.layoutManager().sliceWidget(name).mrmlSliceCompositeNode()
        assert composite.GetBackgroundVolumeID() == other.GetID()


def test_the_next_patient_does_not_keep_the_last_ones_values(ready, small_images):
    choose(ready.ui.smokingComboBox, "current")
    ready.ui.ageSpinBox.value = 61
    assert ready.shared.parameters.age == 61
    bridge.volume_of_image(small_images[0], "Another CT")
    choose(ready.ui.volumeSelector, "Another CT")
    assert ready.ui.ageSpinBox.value == -1
    assert text_of(ready.ui.smokingComboBox) == "unknown"


@pytest.mark.parametrize("kind", ["linear", "bent"])
def test_a_ct_under_a_transform(ready, kind):
    names = {"linear": "vtkMRMLLinearTransformNode", "bent": "vtkMRMLBSplineTransformNode"}
    transform = slicer.mrmlScene.AddNewNodeByClass(names[kind])
    if kind == "linear":
        shift = vtk.vtkTransform()
        shift.Translate(7, 0, 0)
        transform.SetMatrixTransformToParent(shift.GetMatrix())
    parameters = ready.shared.parameters
    before = ready.ui.tumorVolumeLabel.text
    for node in (parameters.volume, parameters.segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    ready.shared.refresh()
    ready.shared.live.settle()
    if kind == "linear":
        assert ready.ui.predictButton.enabled
        assert ready.ui.tumorVolumeLabel.text == before
    else:
        assert "which is not linear" in ready.ui.volumeProblemLabel.text
        assert not ready.ui.predictButton.enabled


# --- 2. tumor


def test_a_tumor_is_outlined_by_clicks(shown, small_images):
    shown.shared.parameters.volume = bridge.volume_of_image(small_images[0], "CT")
    assert not shown.ui.segmentEditor.visible
    click(shown.ui.newTumorButton)
    assert text_of(shown.ui.tumorComboBox) == "Tumor 1"
    assert shown.ui.segmentEditor.visible
    shown.shared.live.settle()
    assert "The segment Tumor 1 is empty" in shown.ui.tumorHintLabel.text
    assert "is empty" in shown.ui.whyNotLabel.text
    editor = shown.ui.segmentEditor
    editor.setActiveEffectByName("Threshold")
    effect = editor.activeEffect()
    effect.setParameter("MinimumThreshold", 4000)
    effect.setParameter("MaximumThreshold", 5000)
    effect.self().onApply()
    shown.shared.live.settle()
    assert "mL" in shown.ui.tumorVolumeLabel.text
    assert not shown.ui.tumorHintLabel.visible
    editor.undo()
    shown.shared.live.settle()
    assert "is empty" in shown.ui.tumorHintLabel.text
    assert shown.ui.tumorVolumeLabel.text == "–"


def test_only_the_tools_for_a_lung_tumor_are_offered(ready):
    from PySide6 import QtWidgets

    buttons = {button.text for button in ready.ui.segmentEditor.findChildren(QtWidgets.QToolButton) if button.visible}
    assert {"Threshold", "Paint", "Draw", "Erase", "Islands"} <= buttons
    assert not {"Hollow", "Logical operators", "Mask volume"} & buttons
    assert ready.ui.segmentEditor.maximumNumberOfUndoStates == 10


def test_the_editors_keys_work_only_while_the_module_is_shown(ready):
    editor = ready.ui.segmentEditor
    editor.setActiveEffectByName("Paint")
    assert editor._shortcuts_installed
    slicer.app.moduleManager().select("")
    assert not editor._shortcuts_installed
    assert editor.activeEffect() is None
    assert not editor._view_observations
    slicer.app.moduleManager().select("PDL1Predictor")
    assert editor._shortcuts_installed


def test_painting_never_eats_the_ring_and_other_modules_paint_as_before(ready):
    node = ready.ui.segmentEditor.mrmlSegmentEditorNode()
    assert node.GetOverwriteMode() == node.OverwriteNone
    slicer.app.moduleManager().select("")
    assert node.GetOverwriteMode() == node.OverwriteAllSegments


def test_what_is_chosen_in_the_editor_is_what_is_predicted(ready, phantom):
    other = second_tumor(ready, phantom)
    click(ready.ui.showRingCheckBox)
    ready.shared.live.settle()
    first = ready.shared.parameters.segment_id
    ready.ui.segmentEditor.setCurrentSegmentID(other)
    assert ready.shared.parameters.segment_id == other
    ready.ui.segmentEditor.setCurrentSegmentID(ring.ring_of(ready.shared.parameters.segmentation, first))
    assert ready.shared.parameters.segment_id == first  # the ring's own tumor, so that it can be edited
    choose(ready.ui.tumorComboBox, "Tumor 1")
    assert ready.ui.segmentEditor.currentSegmentID() == ready.shared.parameters.segment_id == other


def test_a_segment_of_another_scan_is_refused(ready, put_case, small_images):
    far = sitk.Image(small_images[1])
    far.SetOrigin((900.0, 900.0, 900.0))
    case = put_case(small_images[0], far, "Other")
    case.segmentation.SetName("From elsewhere")
    choose(ready.ui.segmentationSelector, "From elsewhere")
    ready.shared.live.settle()
    assert "the two do not overlap" in ready.ui.whyNotLabel.text
    assert not ready.ui.predictButton.enabled


# --- 3. regions


def test_the_ring_is_shown_by_a_click_and_hidden_by_another(ready):
    parameters = ready.shared.parameters
    click(ready.ui.showRingCheckBox)
    ready.shared.live.settle()
    assert ring.ring_of(parameters.segmentation, parameters.segment_id)
    click(ready.ui.showRingCheckBox)
    ready.shared.live.settle()
    assert not ring.ring_of(parameters.segmentation, parameters.segment_id)


def test_a_tumor_at_the_border_is_told(ready, phantom):
    parameters = ready.shared.parameters
    values = sitk.GetArrayFromImage(phantom.case.tumor)
    inside = np.argwhere(values)[:, 1:]
    values[:, : inside[:, 0].max(), inside[:, 1].min() : inside[:, 1].max()] = 1  # up to the first row
    mask = sitk.GetImageFromArray(values)
    mask.CopyInformation(phantom.case.tumor)
    bridge.put_segment(parameters.segmentation, parameters.segment_id, mask, parameters.volume)
    ready.shared.live.settle()
    assert "touches the border of the CT" in ready.ui.ringNoteLabel.text
    assert ready.ui.predictButton.enabled  # a warning, not a refusal


# --- 4. predict


def test_predict_turns_into_cancel_and_cancel_leaves_nothing(ready, worker):
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    family = start(ready)
    assert ready.ui.predictButton.text == "Cancel"
    assert ready.ui.stageLabel.text == "Running the network"
    assert ready.ui.timeLabel.text.endswith(" s")
    assert not ready.ui.modelComboBox.enabled
    click(ready.ui.predictButton)
    wait_for_end(ready)
    assert ready.ui.outcomeLabel.text == "Cancelled. Nothing was kept."
    assert ready.ui.predictButton.text == "Predict"
    assert not ready.ui.progressPanel.visible
    assert not processes.alive(family)
    assert leftovers() == []
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes


def test_the_window_lives_while_a_prediction_runs(ready, worker):
    start(ready)
    ready.ui.ringSlider.value = 5.0
    ready.shared.live.settle()
    assert ready.shared.parameters.ring_mm == 5.0
    worker.let_go()
    wait_for_end(ready)
    slicerhost.wait_until(lambda: not ready.shared.live.waiting, 10)
    assert "the region settings have changed" in ready.ui.staleLabel.text  # during the run


def test_the_log_is_there_when_it_is_asked_for(ready, worker):
    assert not ready.ui.logEdit.visible
    start(ready)
    click(ready.ui.logGroup)
    assert ready.ui.logEdit.visible
    assert ready.ui.logEdit.plainText == "a line for the log"


def test_two_runs_in_a_row_and_the_second_knows_how_long_it_takes(ready, worker):
    worker.let_go()
    click(ready.ui.predictButton)
    wait_for_end(ready)
    first = ready.results.result.main
    assert ready.ui.outcomeLabel.text.startswith("Done in ")
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    worker.hold()
    start(ready)
    assert " of about " in ready.ui.timeLabel.text
    worker.let_go()
    wait_for_end(ready)
    assert len(results.all_results()) == 1
    assert ready.results.result.main is not first
    assert slicer.mrmlScene.GetNumberOfNodes() == nodes
    assert leftovers() == []


def test_a_killed_worker_is_one_sentence_and_the_next_run_works(ready, worker):
    family = start(ready)
    os.kill(family[-1].pid, signal.SIGKILL)
    wait_for_end(ready)
    assert "ended from outside" in ready.ui.outcomeLabel.text
    assert "Close other programs" in ready.ui.outcomeLabel.text
    assert leftovers() == []
    worker.let_go()
    click(ready.ui.predictButton)
    wait_for_end(ready)
    assert ready.results.result is not None


@pytest.mark.parametrize("what", ["volume", "segmentation"])
def test_a_node_deleted_in_the_middle_of_a_run(ready, worker, what):
    family = start(ready)
    slicer.mrmlScene.RemoveNode(getattr(ready.shared.parameters, what))
    wait_for_end(ready)
    assert "was deleted while it was being predicted" in ready.ui.outcomeLabel.text
    assert not processes.alive(family)
    assert leftovers() == []
    assert not ready.ui.predictButton.enabled


def test_a_model_that_cannot_be_read_is_told_and_predict_is_off(ready, tiny_model, tmp_path):
    broken = tmp_path / "kaputtes Modell ä"
    broken.mkdir()
    (broken / "model.json").write_text("{", encoding="utf-8")
    with slicerhost.user_answers(str(broken / "model.json")):
        click(ready.ui.browseModelButton)
    assert ready.shared.parameters.model == str(broken)
    assert ready.ui.modelProblemLabel.visible
    assert "model.json" in ready.ui.modelProblemLabel.text
    assert not ready.ui.predictButton.enabled
    assert not ready.ui.modelCardButton.enabled
    assert text_of(ready.ui.modelComboBox) == "kaputtes Modell ä (cannot be used)"
    with slicerhost.user_answers(str(tiny_model / "model.json")):
        click(ready.ui.browseModelButton)
    assert ready.ui.predictButton.enabled
    with slicerhost.user_answers(None):
        click(ready.ui.browseModelButton)
    assert ready.shared.parameters.model == str(tiny_model)


def test_the_models_card_is_a_page(ready):
    pages = []

    def read(dialog):
        from PySide6 import QtWidgets

        pages.append(dialog.findChild(QtWidgets.QTextBrowser).toPlainText())
        return False

    with slicerhost.user_answers(read):
        click(ready.ui.modelCardButton)
    assert "synthetic" in pages[0]


def test_the_users_models_folder_is_listed_and_remembered(ready, tiny_model):
    click(ready.ui.computerGroup)
    write(ready.ui.modelsFolderEdit, str(tiny_model.parent))
    ready.shared.parameters.model = "phantom-demo"
    choose(ready.ui.modelComboBox, next(entry.title for entry in ready.predict._models if "tiny" in str(entry.path)))
    assert Path(ready.shared.parameters.model) == tiny_model
    assert preferences.read(preferences.MODELS_FOLDER) == str(tiny_model.parent)


def test_the_device_belongs_to_the_computer_not_to_the_case(ready):
    choose(ready.ui.deviceComboBox, "Processor (CPU)")
    assert preferences.read(preferences.DEVICE) == "cpu"
    assert ready.shared.request().device == "cpu"
    node = ready.shared.parameters.parameterNode
    assert not any("evice" in name for name in node.GetParameterNamesAsCommaSeparatedList().split(","))


def take_away(monkeypatch, name):
    real = packages.installed_version
    monkeypatch.setattr(packages, "installed_version", lambda wanted: None if wanted == name else real(wanted))


def test_a_declined_installation_starts_nothing(ready, worker, monkeypatch):
    take_away(monkeypatch, "safetensors")
    with slicerhost.user_answers("Cancel") as dialogs:
        click(ready.ui.predictButton)
        assert "safetensors: " in dialogs.texts[0]
    assert "Without these packages nothing can be predicted" in ready.ui.outcomeLabel.text
    assert worker.commands == []
    assert leftovers() == []
    assert ready.ui.predictButton.text == "Predict"
    assert slicerhost.packages.installed == []


def test_without_torch_and_its_extension_the_window_says_what_to_install(ready, worker, monkeypatch):
    take_away(monkeypatch, "torch")
    monkeypatch.setitem(sys.modules, "PyTorchUtils", None)
    click(ready.ui.predictButton)
    assert "Open the Extensions Manager" in ready.ui.outcomeLabel.text
    assert worker.commands == []


def test_a_full_disk_is_told(ready, worker, monkeypatch):
    monkeypatch.setattr(predictor.shutil, "disk_usage", lambda _path: SimpleNamespace(free=5 * 10**6))
    click(ready.ui.predictButton)
    assert "5 MB are free" in ready.ui.outcomeLabel.text
    assert "Free some space" in ready.ui.outcomeLabel.text
    assert worker.commands == []


def test_a_stroke_just_before_predict_counts(ready, worker, phantom):
    parameters = ready.shared.parameters
    empty = sitk.Image(phantom.case.tumor) * 0
    bridge.put_segment(parameters.segmentation, parameters.segment_id, empty, parameters.volume)
    assert ready.shared.live.waiting
    click(ready.ui.predictButton)
    assert "is empty" in ready.ui.outcomeLabel.text
    assert worker.commands == []


# --- in the middle of a run


def test_another_module_is_shown_in_the_middle_of_a_run(ready, worker):
    start(ready)
    slicer.app.moduleManager().select("")
    worker.let_go()
    wait_for_end(ready)
    assert len(results.all_results()) == 1
    slicer.app.moduleManager().select("PDL1Predictor")
    ready.shared.live.settle()
    assert ready.results.result is not None
    assert ready.ui.staleLabel.text == ""
    assert ready.ui.predictionsTable.rowCount == 2


def test_the_scene_is_closed_in_the_middle_of_a_run(ready, worker, case_in_scene):
    family = start(ready)
    slicer.mrmlScene.Clear(0)
    wait_for_end(ready)
    assert "the scene was closed" in ready.ui.outcomeLabel.text
    assert not processes.alive(family)
    assert leftovers() == []
    assert results.all_results() == []
    case = case_in_scene()  # the window works on
    parameters = ready.shared.parameters
    parameters.volume, parameters.segmentation, parameters.segment_id = case.volume, case.segmentation, case.segment_id
    parameters.model = str(Path(worker.commands[0][-1]).parent)
    ready.shared.live.settle()
    assert "mL" in ready.ui.tumorVolumeLabel.text


def test_a_reload_in_the_middle_of_a_run(ready, worker):
    old = dict(sys.modules)
    family = start(ready)
    nodes = slicer.mrmlScene.GetNumberOfNodes()
    try:
        ready.onReload()
        new = slicer.modules.PDL1PredictorWidget
        assert new is not ready
        assert not processes.alive(family)
        assert leftovers() == []
        assert slicer.mrmlScene.GetNumberOfNodes() == nodes
        assert new.shared.parameters.volume is not None  # the case is the scene's, not the window's
        new.enter()
        new.shared.live.settle()
        assert "mL" in new.ui.tumorVolumeLabel.text
        assert new.ui.predictButton.text == "Predict"
        new.exit()
    finally:  # the other tests go on with the pages that they have imported
        sys.modules.update({name: page for name, page in old.items() if name.startswith("PDL1Predictor")})


def test_the_module_is_unloaded_in_the_middle_of_a_run(ready, worker):
    family = start(ready)
    slicer.app.moduleManager().unload("PDL1Predictor")
    assert not processes.alive(family)
    assert leftovers() == []


# --- 5. results


def test_the_table_the_words_and_the_map_follow_a_click(answered):
    ui = answered.ui
    shown = ui.predictionsTable
    assert [shown.item(row, 0).text() for row in range(shown.rowCount)] == ["PD-L1", "EGFR"]
    for row, key in enumerate(answered.results.result.endpoints):
        click_cell(shown, row)
        said = answered.results.result.endpoint(key)
        assert answered.shared.parameters.endpoint == key
        assert said["title"] in ui.endpointLabel.text
        assert f"{said['threshold']:.1%}" in ui.endpointLabel.text
        assert text_of(ui.endpointComboBox) == said["title"]
        assert shown.cellWidget(row, 1).format == f"{said['probability']:.1%}"
        low, high = said["interval"]
        assert shown.item(row, 2).text() == f"{low:.0%} – {high:.0%}"


def change_ct(window):
    values = slicer.util.arrayFromVolume(window.shared.parameters.volume)
    values[0, 0, 0] += 1
    slicer.util.arrayFromVolumeModified(window.shared.parameters.volume)


def change_contour(window):
    parameters = window.shared.parameters
    mask = bridge.mask_of_segment(parameters.segmentation, parameters.segment_id, parameters.volume)
    smaller = sitk.BinaryErode(mask, [1, 1, 1])
    bridge.put_segment(parameters.segmentation, parameters.segment_id, smaller, parameters.volume)


def choose_other_ct(window):
    image = bridge.image_of_volume(window.shared.parameters.volume)
    bridge.volume_of_image(image + 1, "Follow-up")
    choose(window.ui.volumeSelector, "Follow-up")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (change_ct, "the CT has changed"),
        (choose_other_ct, "the CT has changed"),
        (change_contour, "the contour has changed"),
        (lambda window: click(window.ui.excludeBoneCheckBox), "the region settings have changed"),
        (lambda window: setattr(window.shared.parameters, "model", "phantom-demo"), "another model is chosen"),
    ],
    ids=["CT voxels", "other CT", "contour", "settings", "model"],
)
def test_a_change_marks_the_result_as_out_of_date(answered, change, words):
    assert not answered.ui.staleLabel.visible
    change(answered)
    slicerhost.wait_until(lambda: not answered.shared.live.waiting, 10)
    assert answered.ui.staleLabel.visible
    assert words in answered.ui.staleLabel.text
    assert answered.ui.predictionsTable.rowCount == 2  # still there to be read


def test_every_tumor_keeps_its_result_and_one_can_go_back(answered, phantom, result_folder):
    ui, parameters = answered.ui, answered.shared.parameters
    first = answered.results.result.main
    other = second_tumor(answered, phantom)
    choose(ui.tumorComboBox, "Tumor 1")
    assert parameters.segment_id == other
    assert answered.results.result is None
    assert "This tumor has no prediction yet" in ui.noResultLabel.text
    assert heatmap.HeatMapDisplay().shown() is None
    second = results.store(result_folder, answered.shared.request())
    answered.results.show(second)
    assert [ui.resultComboBox.itemText(row) for row in range(ui.resultComboBox.count)] == ["Tumor — CT", "Tumor 1 — CT"]
    choose(ui.resultComboBox, "Tumor — CT")
    assert answered.results.result.main is first
    assert text_of(ui.tumorComboBox) == "Tumor"
    answered.shared.live.settle()
    assert ui.staleLabel.text == ""
    choose(ui.tumorComboBox, "Tumor 1")
    assert answered.results.result.main is second.main
    parameters.segmentation.GetSegmentation().RemoveSegment(other)  # the result outlives its contour
    answered.shared.refresh()
    choose(ui.resultComboBox, "Tumor 1 — CT")
    answered.shared.live.settle()
    assert answered.results.result.main is second.main
    assert "Out of date" in ui.staleLabel.text


def test_the_heat_map_goes_and_the_users_layers_come_back(answered, small_images):
    parameters = answered.shared.parameters
    assert parameters.show_heat_map
    parameters.endpoint = next(iter(answered.results.result.heat_maps))
    click(answered.ui.heatMapCheckBox)
    mine = bridge.volume_of_image(small_images[0], "PET")
    slicer.util.setSliceViewerLayers(foreground=mine, foregroundOpacity=0.3)
    click(answered.ui.heatMapCheckBox)
    assert heatmap.HeatMapDisplay().shown() is not None
    answered.ui.opacitySlider.value = 0.8
    composite = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceCompositeNode()
    assert composite.GetForegroundOpacity() == pytest.approx(0.8)
    answered.ui.thresholdSlider.value = 0.6
    assert heatmap.HeatMapDisplay().shown().GetDisplayNode().GetLowerThreshold() == pytest.approx(0.6)
    click(answered.ui.heatMapCheckBox)
    assert heatmap.HeatMapDisplay().shown() is None
    assert composite.GetForegroundVolumeID() == mine.GetID()
    assert composite.GetForegroundOpacity() == pytest.approx(0.3)


def test_an_empty_heat_map_says_so(answered):
    parameters = answered.shared.parameters
    node = next(iter(answered.results.result.heat_maps.values()))
    parameters.endpoint = next(iter(answered.results.result.heat_maps))
    answered.shared.refresh()
    values = slicer.util.arrayFromVolume(node)
    values[:] = 0.5
    slicer.util.arrayFromVolumeModified(node)
    answered.shared.refresh()
    assert not answered.ui.heatMapNoteLabel.visible
    values[:] = 0
    slicer.util.arrayFromVolumeModified(node)
    answered.shared.refresh()
    assert "This map is empty" in answered.ui.heatMapNoteLabel.text
    assert answered.ui.heatMapNoteLabel.visible


def test_jump_brings_every_view_to_the_tumor(answered):
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        node.JumpSliceByCentering(500.0, 500.0, 500.0)
    click(answered.ui.jumpButton)
    center = heatmap.tumor_center_ras(answered.results.result)
    red = slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode()
    assert red.GetSliceOffset() == pytest.approx(center[2], abs=1e-3)


def test_charts_come_by_a_click_and_the_layout_comes_back(answered):
    manager = slicer.app.layoutManager()
    before = manager.layout
    click(answered.ui.contributionChartButton)
    assert manager.layout != before
    click_cell(answered.ui.predictionsTable, 1)  # the chart follows the finding
    chart = slicer.util.getNodesByClass("vtkMRMLPlotViewNode")[0].GetPlotChartNode()
    assert "EGFR" in chart.GetTitle()
    click(answered.ui.probabilityChartButton)
    click(answered.ui.closeChartButton)
    assert manager.layout == before


def test_the_feature_table_is_filtered_sorted_and_saved(answered, tmp_path):
    ui = answered.ui
    click(ui.featuresGroup)
    total = len(answered.results.result.lesion["features"])
    assert ui.featureCountLabel.text == f"{total} of {total} features"
    write(ui.featureFilterEdit, "RING mean")
    shown = [name for name in answered.results.result.lesion["features"] if "ring" in name and "mean" in name.lower()]
    assert ui.featuresTable.model().rowCount() == len(shown)
    assert 0 < len(shown) < total
    with slicerhost.user_answers(str(tmp_path / "Merkmale ä.csv")):
        click(ui.saveFeaturesButton)
    text = (tmp_path / "Merkmale ä.csv").read_text(encoding="utf-8")
    assert all(name in text for name in shown)
    assert "tumor_original_firstorder_Range" not in text


def test_the_report_opens_and_the_results_are_saved_with_path_letters_of_any_kind(answered, tmp_path):
    click(answered.ui.reportButton)
    opened = [item for item in slicerhost.dialogs.shown if item.kind == "url"]
    assert len(opened) == 1
    assert opened[0].text.endswith("report.html")
    folder = tmp_path / "Ergebnisse für Müller"
    with slicerhost.user_answers(str(folder)):
        click(answered.ui.saveButton)
    assert (folder / "report.html").stat().st_size > 1000
    content = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    assert content == answered.results.result.content


# --- 6. batch


@pytest.fixture
def cohort(phantom, tmp_path):
    folder = tmp_path / "Kohorte ä ö"
    folder.mkdir()
    sitk.WriteImage(phantom.case.ct, str(folder / "a_ct.nrrd"))
    sitk.WriteImage(phantom.case.tumor, str(folder / "a_mask.nrrd"))
    (folder / "b_ct.nrrd").write_bytes(b"no image")
    return folder


def table_of(window):
    table = window.ui.batchTable
    return [[table.item(row, column).text() for column in range(table.columnCount)] for row in range(table.rowCount)]


def test_a_batch_by_clicks(ready, cohort, tmp_path):
    ui = ready.ui
    click(ui.batchSection)
    assert ui.findCasesButton.toolTip == "Choose a folder first."
    write(ui.batchFolderEdit, str(cohort))
    click(ui.findCasesButton)
    assert [row[0] for row in table_of(ready)] == ["a", "b"]
    assert "no mask" in table_of(ready)[1][2]
    assert ui.batchButton.toolTip == "Choose a folder for the results first."
    write(ui.batchOutEdit, str(tmp_path / "out ü"))
    click(ui.batchButton)
    assert ui.batchButton.text == "Cancel"
    assert ui.predictButton.toolTip == "Off while a batch runs."
    slicerhost.wait_until(lambda: not ready.batch.running, 120)
    done = table_of(ready)[0]
    assert "%" in done[1]
    assert done[2].startswith("done")
    assert ui.batchOutcomeLabel.text.startswith("1 of 2 cases predicted")
    assert (tmp_path / "out ü" / "a" / "report.html").exists()
    assert ready.ui.predictButton.enabled


def test_a_batch_of_the_scene_ends_with_the_scene(ready, tmp_path):
    ui = ready.ui
    click(ui.batchSection)
    choose(ui.batchSourceComboBox, "All tumors of this scene")
    click(ui.findCasesButton)
    write(ui.batchOutEdit, str(tmp_path / "out"))
    click(ui.batchButton)
    slicerhost.wait_until(lambda: ready.batch.batch._job.process_id, 20)
    family = processes.family(ready.batch.batch._job.process_id)
    slicer.mrmlScene.Clear(0)
    slicerhost.wait_until(lambda: not ready.batch.running, 20)
    assert not processes.alive(family)
    assert leftovers() == []
    assert table_of(ready) == []
