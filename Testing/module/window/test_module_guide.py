"""The guides to an evaluation and a training: cases, check, settings, the command that is run."""

import csv
import json
import shlex
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace

import pytest
import qt
import SimpleITK as sitk
import slicerhost
from PDL1PredictorGUI.background import command
from PDL1PredictorGUI.background.study import EVALUATE, TRAIN, shell_text, split_options
from PDL1PredictorGUI.setup import computer, packages, preferences
from PDL1PredictorGUI.setup.study_packages import EVALUATION, TRAINING
from PDL1PredictorGUI.window.models.guide import CHECK, SETTINGS, SOURCE, Guide
from slicerhost.user import choose, click, write

from PDL1PredictorLib.cli.main import _parser

ANSWERER = "import sys; print(sys.argv[1]); sys.exit(int(sys.argv[2]))"
PLANS = [
    {"design": "split", "repeats": 1, "seconds": 60, "text": "One division, 70% teach, 30% test: about 1 min"},
    {"design": "nested", "repeats": 5, "seconds": 3600, "text": "Nested cross-validation in 5 folds: about 60 min"},
]
ROWS = [
    {"endpoint": "PDL1", "title": "PD-L1", "usable": True, "text": "30 positive, 30 negative"},
    {"endpoint": "EGFR", "title": "EGFR", "usable": False, "text": "3 positive, 57 negative: too few"},
]
FOUND = {
    "n": 60,
    "patients": 58,
    "warnings": ["Column EGRF is not used. Did you mean EGFR?"],
    "case_warnings": {"c1": [{"code": "parts_left_out", "text": "The mask has 2 separate parts."}]},
    "outlook": {
        "endpoints": ROWS,
        "refusals": [],
        "notes": ["Small."],
        "plans": PLANS,
        "advised": 1,
        "clinical": ["age_years"],
        "memory_mb": 2100,
        "text": "about 5 min, 2.0 s a case",
    },
}


@pytest.fixture
def model(tiny_model):
    return SimpleNamespace(title="Tiny", key=str(tiny_model), problem="")


@pytest.fixture
def library(monkeypatch):
    """What the library answers, one after another: (kind, content, exit status); the words that were asked."""
    answers, asked = [], []

    def program_of(words):
        asked.append(list(words))
        kind, content, status = answers.pop(0)
        return [sys.executable, "-c", ANSWERER, json.dumps({"type": kind, **content}), str(status)]

    monkeypatch.setattr(command, "program_of", program_of)
    return SimpleNamespace(answers=answers, asked=asked)


@pytest.fixture
def opened(slicer_scene, model, tmp_path):
    """A function that opens a guide whose studies are kept in `started`."""
    guides = []

    def open_guide(kind, start=None):
        started = []
        guide = Guide(kind, [model], model.key, start or started.append)
        guides.append(guide)
        guide.show()
        slicerhost.process_events(0.05)
        guide.settings.folder.currentPath = str(tmp_path / "Ergebnisse ü")
        return guide, started

    yield open_guide
    for guide in guides:
        guide.close()
        guide.dialog.deleteLater()


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "Fälle 1.csv"
    path.write_text("case,image,mask,PDL1\n", encoding="utf-8")
    return path


def checked(guide):
    slicerhost.wait_until(lambda: not guide.command.running, 120)
    slicerhost.process_events(0.05)


def to_settings(guide, library, table, found=FOUND):
    library.answers.append(("result", found, 0))
    write(guide.source.table, str(table))
    click(guide.next_button)
    checked(guide)
    click(guide.next_button)
    assert guide.page == SETTINGS


def options_of(study):
    """The words of a study as the library's own parser reads them."""
    return _parser().parse_args(list(study.words))


def test_what_is_still_to_be_chosen_is_said(opened, table):
    guide, _started = opened(EVALUATE)
    assert guide.next_button.toolTip == "Choose a table first."
    write(guide.source.table, str(table.with_name("none.csv")))
    assert "is not there" in guide.next_button.toolTip
    write(guide.source.table, str(table))
    assert guide.next_button.enabled
    choose(guide.source.kinds, "A folder of images and masks")
    assert guide.next_button.toolTip == "Choose a folder first."
    assert not guide.source.table.visible
    write(guide.source.folder, str(table.parent))
    assert guide.source.made.currentPath == str(table.parent / "cohort.csv")
    assert guide.next_button.enabled


def test_findings_are_shown_and_an_evaluation_is_handed_over(opened, library, table, model, tmp_path):
    guide, started = opened(EVALUATE)
    to_settings(guide, library, table)
    assert library.asked == [["cohort", "check", str(table), "--model", model.key]]
    cells = guide.check.table
    assert [cells.item(row, 2).text() for row in range(2)] == ["yes", "no"]
    said = guide.check.findings.toPlainText()
    for text in ("Did you mean EGFR?", "Small.", "c1: The mask has 2 separate parts."):
        assert text in said
    assert guide.check.stage.text == "60 tumors of 58 patients."
    assert guide.settings.takes.text == "about 5 min, 2.0 s a case; up to about 2.1 GB of memory"
    out = tmp_path / "Ergebnisse ü" / "tiny-F-lle-1"
    assert guide.settings.out == out
    guide.settings.stability.setChecked(False)
    click(guide.next_button)
    (study,) = started
    assert not guide.dialog.visible
    options = options_of(study)
    assert (options.model, options.cohort, options.out) == ([model.key], table, out)
    assert (options.endpoints, options.no_stability, options.device) == ("PDL1", True, "auto")
    assert study.expected == "about 5 min, 2.0 s a case"


def test_a_training_is_handed_over_as_the_parser_takes_it(opened, library, table, tmp_path):
    guide, started = opened(TRAIN)
    choose(guide.source.what, guide.source.what.itemText(3))
    assert guide.source.key == "dlr"
    to_settings(guide, library, table)
    assert library.asked[0][-2:] == ["--recipe", "dlr"]
    settings = guide.settings
    assert settings.plans.currentIndex == 1
    assert settings.takes.text.startswith("about 60 min; ")
    assert settings.clinical.placeholderText == "age_years"
    assert "quicker" in settings.elsewhere.text
    write(settings.clinical, "age_years,ECOG=0..5")
    write(settings.weights, str(tmp_path / "weights ü.safetensors"))
    write(settings.more, '--workers 1 --only "center=St. Anna"')
    write(settings.name, "my model")
    assert shlex.split(settings.command.plainText)[0] == "pdl1"
    click(guide.settings.copy_button)
    click(guide.next_button)
    (study,) = started
    assert shell_text(study.words) == settings.command.plainText
    options = options_of(study)
    assert (options.recipe, options.design, options.outer_repeats) == ("dlr", "nested", 5)
    assert (options.clinical, options.only, options.workers) == ("age_years,ECOG=0..5", "center=St. Anna", 1)
    assert options.weights == tmp_path / "weights ü.safetensors"
    assert study.out.name == "my model"


def test_a_recipe_without_weights_and_one_division(opened, library, table):
    guide, started = opened(TRAIN)
    choose(guide.source.what, guide.source.what.itemText(2))
    to_settings(guide, library, table)
    assert not guide.settings.weights.visible
    choose(guide.settings.plans, PLANS[0]["text"])
    click(guide.next_button)
    options = options_of(started[0])
    assert (options.recipe, options.design, options.outer_repeats) == ("responder3d", "split", 5)


@pytest.mark.parametrize(
    ("field", "text", "words"),
    [
        ("name", "a/b", "Choose a name"),
        ("name", "there", "is there already"),
        ("more", '"open', "quotation marks are closed"),
        ("folder", "", "Choose a folder for the results"),
    ],
)
def test_settings_that_cannot_be_are_said(opened, library, table, tmp_path, field, text, words):
    (tmp_path / "Ergebnisse ü" / "there").mkdir(parents=True)
    guide, _started = opened(TRAIN)
    to_settings(guide, library, table)
    write(getattr(guide.settings, field), text)
    assert words in guide.next_button.toolTip
    assert guide.settings.command.plainText == ""


def test_no_finding_is_no_study(opened, library, table):
    guide, _started = opened(TRAIN)
    to_settings(guide, library, table)
    guide.settings.endpoints.item(0).setCheckState(qt.Qt.Unchecked)
    assert guide.next_button.toolTip == "Choose one finding at least."


def test_what_would_be_refused_keeps_next_off(opened, library, table):
    guide, _started = opened(EVALUATE)
    refused = {**FOUND, "outlook": {**FOUND["outlook"], "refusals": ["c1: Tiny has <learned> from this CT"]}}
    library.answers.append(("result", refused, 0))
    write(guide.source.table, str(table))
    click(guide.next_button)
    checked(guide)
    assert guide.page == CHECK
    assert guide.next_button.toolTip == "Off: it would be refused, for the reasons above."
    assert "c1: Tiny has <learned> from this CT" in guide.check.findings.toPlainText()
    click(guide.back_button)
    assert guide.page == SOURCE


def test_every_problem_of_a_table_is_listed(opened, library, table):
    guide, _started = opened(EVALUATE)
    message = (
        "The cohort a.csv has 2 problems; nothing was started. Correct the table:\n  row 2 (c1): x\n  row 3 (c2): y"
    )
    library.answers.append(("error", {"message": message}, 2))
    write(guide.source.table, str(table))
    click(guide.source.images)
    click(guide.next_button)
    checked(guide)
    assert library.asked[0][-1] == "--quick"
    assert guide.check.stage.text == "The cases cannot be used as they are."
    assert "row 3 (c2): y" in guide.check.findings.toPlainText()
    assert not guide.next_button.enabled


def test_a_folder_becomes_a_table_first(opened, library, table):
    labels = table.with_name("labels.csv")
    labels.write_text("case,PDL1\n", encoding="utf-8")
    guide, _started = opened(EVALUATE)
    choose(guide.source.kinds, "A folder of images and masks")
    write(guide.source.folder, str(table.parent))
    write(guide.source.labels, str(labels))
    made = str(table.parent / "cohort.csv")
    library.answers += [("result", {"out": made, "notes": ["c9 has no mask."]}, 0), ("result", FOUND, 0)]
    click(guide.next_button)
    slicerhost.wait_until(lambda: len(library.asked) == 2, 20)
    checked(guide)
    first, second = library.asked
    assert first == ["cohort", "import", "folder", str(table.parent), "--labels", str(labels), "--out", made]
    assert second[:3] == ["cohort", "check", made]
    assert "c9 has no mask." in guide.check.findings.toPlainText()
    _parser().parse_args(first)
    _parser().parse_args(second)


def test_missing_packages_are_asked_for_and_no_is_no_start(opened, library, table, monkeypatch):
    real = packages.installed_version
    monkeypatch.setattr(packages, "installed_version", lambda name: None if name == "scikit-learn" else real(name))
    guide, started = opened(EVALUATE)
    to_settings(guide, library, table)
    with slicerhost.user_answers("Cancel") as dialogs:
        click(guide.next_button)
    assert "scikit-learn: 52 MB" in dialogs.texts[0]
    assert started == []
    assert "Without these packages it cannot run here" in guide.message.text


def test_what_keeps_a_study_from_starting_is_said(opened, library, table):
    def start(_study):
        raise RuntimeError("a run is still under way; wait for its end")

    guide, _started = opened(EVALUATE, start)
    to_settings(guide, library, table)
    click(guide.next_button)
    assert guide.message.text.startswith("a run is still under way")
    assert guide.dialog.visible


def test_the_packages_of_a_training_are_the_librarys_extra():
    text = (Path(__file__).resolve().parents[3] / "pyproject.toml").read_text(encoding="utf-8")
    extra = tomllib.loads(text)["project"]["optional-dependencies"]["train"]
    assert sorted(package.name + package.right_versions for package in TRAINING) == sorted(extra)
    assert set(EVALUATION) < set(TRAINING)


def test_on_windows_the_command_is_quoted_as_its_shell_wants_it(monkeypatch):
    monkeypatch.setattr(computer, "is_windows", lambda: True)
    assert shell_text(["train", "--out", r"C:\my models\a"]) == r'pdl1 train --out "C:\my models\a"'
    assert split_options(r"--words C:\words.json") == ("--words", r"C:\words.json")


def test_a_real_cohort_is_checked_evaluated_and_reported(loaded_section, phantom, tmp_path, tiny_model):
    """From a folder of images to the report, by the library's own commands."""
    folder = tmp_path / "Bilder ü"
    folder.mkdir()
    for number in range(3):
        sitk.WriteImage(phantom.case.ct + number, str(folder / f"p{number}_ct.nrrd"))
        sitk.WriteImage(phantom.case.tumor, str(folder / f"p{number}_tumor.nrrd"))
    with (tmp_path / "labels.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["case", "PDL1"], ["p0", 1], ["p1", 0], ["p2", 1]])
    section = loaded_section
    section.take_in(tiny_model)
    click(section.ui.evaluateButton)
    guide = section.guide
    choose(guide.source.kinds, "A folder of images and masks")
    write(guide.source.folder, str(folder))
    write(guide.source.labels, str(tmp_path / "labels.csv"))
    click(guide.next_button)
    slicerhost.wait_until(lambda: not guide.command.running and bool(guide.check.found), 200)
    assert guide.check.why_not == ""
    assert guide.settings.name.text == ""
    click(guide.next_button)
    write(guide.settings.folder, str(tmp_path))
    write(guide.settings.name, "report")
    guide.settings.stability.setChecked(False)
    click(guide.next_button)
    assert section.study.running
    slicerhost.wait_until(lambda: not section.study.running, 300)
    assert "done in" in section.ui.studyOutcomeLabel.text, section.ui.studyLogEdit.plainText
    assert (tmp_path / "report" / "report.html").is_file()
    assert slicerhost.dialogs.shown[-1].text.endswith("report.html")


@pytest.fixture
def loaded_section(shown, tmp_path):
    """Section 7 of the window, with a models folder of the user's own."""
    preferences.write(preferences.MODELS_FOLDER, str(tmp_path / "models"))
    shown.ui.modelsSection.collapsed = False
    shown.refresh()
    return shown.models
