"""Section 7: the list with its facts, import and removal, and a study that runs while the user works."""

import shutil
import sys
import zipfile
from pathlib import Path

import pytest
import slicer
import slicerhost
from PDL1PredictorGUI.background import command
from PDL1PredictorGUI.background.study import EVALUATE, TRAIN, Study
from PDL1PredictorGUI.setup import own_models, preferences, processes
from slicerhost.user import click, click_cell

from PDL1PredictorLib.models.bundle import pack, read_bundle

# Speaks as `pdl1 train` does, waits for a file, and makes what a training makes.
TRAINER = """
import json, pathlib, shutil, sys, time
flag, source, out = map(pathlib.Path, sys.argv[1:])
text = "an epoch takes about 3 s here; 5 trainings of 40 epochs take 10 min"
print(json.dumps({"type": "progress", "stage": "network", "fraction": 0.3, "message": text}), flush=True)
print("a line for the log", flush=True)
while not flag.exists():
    time.sleep(0.01)
if flag.read_text() == "fail":
    print(json.dumps({"type": "error", "message": "There is no model to keep. PDL1: too few."}), flush=True)
    sys.exit(2)
shutil.copytree(source, out)
report = out.with_name(out.name + ".study")
report.mkdir()
(report / "report.html").write_text("<p>report</p>")
print(json.dumps({"type": "result", "out": str(out), "failed": {"c3": "no tumor"}}), flush=True)
"""


@pytest.fixture
def own(shown, tmp_path):
    """The user's folder of models, chosen in the window."""
    folder = tmp_path / "Meine Modelle ä"
    shown.ui.modelsFolderEdit.currentPath = str(folder)
    shown.predict.model.take_models_folder()
    return folder


@pytest.fixture
def section(own, shown):
    """Section 7, opened."""
    shown.ui.modelsSection.collapsed = False
    shown.refresh()
    return shown.models


@pytest.fixture
def trainer(monkeypatch, tmp_path, tiny_model):
    """Stands for `pdl1 train`; `go` lets it end."""
    flag, out = tmp_path / "go", tmp_path / "Modell ü"
    fake = [sys.executable, "-c", TRAINER, str(flag), str(tiny_model), str(out)]
    monkeypatch.setattr(command, "program_of", lambda _words: fake)
    study = Study(TRAIN, "Training of mine", ("train",), out, "about 10 min")
    return study, lambda word="all": flag.write_text(word)


def rows(section):
    table = section.ui.modelsTable
    return [[table.item(row, column).text() for column in range(3)] for row in range(table.rowCount)]


def begin(section, study):
    section.study.start(study)
    slicerhost.wait_until(lambda: section.ui.studyProgressBar.value == 30 and section.ui.studyLogEdit.plainText, 20)


def ended(section):
    slicerhost.wait_until(lambda: not section.study.running, 20)


def test_the_bundled_models_are_listed_with_what_a_verdict_hangs_on(section):
    assert [row[2] for row in rows(section)] == ["this extension"] * 4
    titles = [row[0] for row in rows(section)]
    real = next(place for place, title in enumerate(titles) if "Synthetic" not in title)
    click_cell(section.ui.modelsTable, real)
    text = section.ui.modelFactsBrowser.toPlainText()
    for word in ("For", "Trained on", "a CT and the tumor's contour", "AUC", "95 % interval", "MB", "no proven skill"):
        assert word in text, word
    click_cell(section.ui.modelsTable, 1 - real)
    assert section.ui.modelFactsBrowser.toPlainText().startswith("Trained on synthetic patients only")
    assert "Off: this model is not one of your own" in section.ui.removeModelButton.toolTip


def test_the_card_is_shown(section):
    with slicerhost.user_answers(True) as dialogs:
        click(section.ui.showCardButton)
    assert dialogs.shown[0].title == "About the model"


def test_a_bundle_is_imported_listed_and_removed_again(section, own, tiny_model, tmp_path):
    packed = pack(tiny_model, tmp_path / "from a friend.zip")
    with slicerhost.user_answers(str(packed)):
        click(section.ui.importModelButton)
    made = own / f"{read_bundle(tiny_model).name}.zip"
    assert made.read_bytes() == packed.read_bytes()
    assert section.ui.modelsOutcomeLabel.text == f"Imported: {made}"
    assert rows(section)[-1][2] == "your own"
    assert section.entry.path == made
    assert str(made) in [section.ui.modelComboBox.itemData(row) for row in range(section.ui.modelComboBox.count)]
    with slicerhost.user_answers("Cancel"):
        click(section.ui.removeModelButton)
    assert made.exists()
    with slicerhost.user_answers("Ok") as dialogs:
        click(section.ui.removeModelButton)
    assert str(made) in dialogs.texts[0]
    assert not made.exists()
    assert len(rows(section)) == 4


def test_a_second_bundle_of_the_name_is_asked_for(section, own, tiny_model):
    folder_json = str(tiny_model / "model.json")
    with slicerhost.user_answers(folder_json, folder_json, "Cancel") as dialogs:
        click(section.ui.importModelButton)
        click(section.ui.importModelButton)
    assert "There is a model of this name already" in dialogs.texts[-1]
    with slicerhost.user_answers(folder_json, "Ok"):
        click(section.ui.importModelButton)
    assert len(list(own.iterdir())) == 1


def test_what_is_no_sound_bundle_is_refused_in_words(section, own, tiny_model, tmp_path):
    damaged = shutil.copytree(tiny_model, tmp_path / "damaged")
    weights = damaged / "network.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../x.txt", "x")
    for path, words in ((damaged / "model.json", "network.safetensors"), (tmp_path / "evil.zip", "unsafe name")):
        with slicerhost.user_answers(str(path)):
            click(section.ui.importModelButton)
        assert section.ui.modelsOutcomeLabel.text.startswith("Nothing was imported. ")
        assert words in section.ui.modelsOutcomeLabel.text
    assert not own.exists()


def test_a_damaged_model_of_ones_own_says_so_and_can_be_removed(section, own, tiny_model):
    shutil.copytree(tiny_model, own / "first")
    (own / "first" / "network.safetensors").write_bytes(b"x")
    section._look_again(own / "first")
    assert section.ui.modelFactsBrowser.toPlainText().startswith("This model cannot be used.")
    assert "cannot be used" in section.ui.evaluateButton.toolTip
    with slicerhost.user_answers("Ok"):
        click(section.ui.removeModelButton)
    assert not (own / "first").exists()


def test_without_a_models_folder_there_is_one_beside_the_settings(section, tiny_model):
    preferences.write(preferences.MODELS_FOLDER, "")
    folder = Path(slicer.app.slicerUserSettingsFilePath).parent / "PDL1Predictor" / "Models"
    assert own_models.own_folder() == folder
    section.take_in(tiny_model)
    assert preferences.read(preferences.MODELS_FOLDER) == str(folder)
    assert own_models.is_own(section.entry.path)
    click(section.ui.openModelsButton)
    assert slicerhost.dialogs.shown[-1].kind == "url"
    shutil.rmtree(folder)


# --- a study that runs


def test_a_study_runs_while_the_user_works_and_its_report_opens(section, trainer, own):
    study, go = trainer
    begin(section, study)
    ui = section.ui
    assert ui.studyStageLabel.text.startswith("An epoch takes about 3 s here")
    assert "of about 10 min" in ui.studyStageLabel.text
    assert "a line for the log" in ui.studyLogEdit.plainText
    for button in (ui.evaluateButton, ui.trainButton):
        assert button.toolTip == "Off while an evaluation or a training runs."
    slicer.mrmlScene.Clear(0)  # another scene: it goes on
    assert section.study.running
    assert section.shared.busy == ""
    go()
    ended(section)
    assert slicerhost.dialogs.shown[-1].text.endswith("report.html")
    assert "Cases without an answer: 1" in ui.studyOutcomeLabel.text
    assert not ui.studyPanel.visible
    click(ui.studyReportButton)
    click(ui.installBundleButton)
    assert [path.suffix for path in own.iterdir()] == [".zip"]


def test_a_study_that_is_cancelled_says_that_it_can_go_on(section, trainer):
    study, _go = trainer
    begin(section, study)
    family = processes.family(section.study.command.process_id)
    click(section.ui.cancelStudyButton)
    ended(section)
    assert f"What is done stays in {study.cache}" in section.ui.studyOutcomeLabel.text
    assert processes.alive(family) == []
    assert not section.ui.installBundleButton.enabled
    begin(section, study)  # the same again
    section.stop()
    assert not section.study.running


def test_a_study_that_is_refused_says_why(section, trainer):
    study, go = trainer
    begin(section, study)
    go("fail")
    ended(section)
    assert section.ui.studyOutcomeLabel.text == "There is no model to keep. PDL1: too few."


def test_a_study_that_dies_keeps_what_is_done(section, trainer):
    study, _go = trainer
    begin(section, study)
    for member in reversed(processes.family(section.study.command.process_id)):
        processes.end(member.pid, [])
    ended(section)
    assert "start it again with the same settings to go on" in section.ui.studyOutcomeLabel.text


def test_the_end_of_the_window_ends_the_study(section, trainer, shown):
    begin(section, trainer[0])
    shown.cleanup()
    assert not section.study.running


def test_a_study_knows_where_its_report_and_its_cache_are(tmp_path):
    out = tmp_path / "a"
    assert Study(EVALUATE, "", (), out).report == out / "report.html"
    assert Study(TRAIN, "", (), out).report == tmp_path / "a.study" / "report.html"
    assert Study(TRAIN, "", (), out).cache == tmp_path / "a.cache"
