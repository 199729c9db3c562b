"""Section Predict, used by mouse and keyboard: what is refused, and what happens in the middle of a run.

The answer does not matter here: a small program stands for `pdl1 predict`, see `window_steps.WORKER`.
"""

import os
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import SimpleITK as sitk
import slicer
import slicerhost
from PDL1PredictorGUI.background import predictor
from PDL1PredictorGUI.scene import bridge, results
from PDL1PredictorGUI.setup import computer, packages, preferences, processes
from slicerhost.user import choose, click, write
from window_steps import leftovers, start, text_of, wait_for_end

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
    slicerhost.wait_until(lambda: preferences.read(preferences.MODELS_FOLDER), 5)  # a typed path is taken after a pause
    ready.shared.parameters.model = "phantom-demo"
    choose(
        ready.ui.modelComboBox, next(entry.title for entry in ready.predict.model.models if "tiny" in str(entry.path))
    )
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
    take_away(monkeypatch, "Jinja2")
    with slicerhost.user_answers("Cancel") as dialogs:
        click(ready.ui.predictButton)
        assert "Jinja2: " in dialogs.texts[0]
    assert "Without these packages nothing can be predicted" in ready.ui.outcomeLabel.text
    assert worker.commands == []
    assert leftovers() == []
    assert ready.ui.predictButton.text == "Predict"
    assert slicerhost.packages.installed == []


def test_without_torch_and_its_extension_a_graphics_card_says_what_to_install(ready, worker, monkeypatch):
    monkeypatch.setattr(computer, "has_graphics", lambda device: device == "cuda")
    preferences.write(preferences.DEVICE, "cuda")
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
