"""Every way out of a start leaves the window usable: it runs, or it is idle and has said why."""

import subprocess
import sys
import types

import pytest
import slicer
import slicerhost
from PDL1PredictorGUI.setup import computer, packages, preferences
from slicerhost.user import click, write
from window_steps import leftovers, wait_for_end

BATCH = "Predict all (1)"


def lack(monkeypatch, *names):
    """Takes packages away until they are "installed"; torch is asked for once a graphics card is chosen."""
    if "torch" in names:
        monkeypatch.setattr(computer, "has_graphics", lambda device: device == "cuda")
        preferences.write(preferences.DEVICE, "cuda")
    real = packages.installed_version
    slicerhost.packages.missing = set(names)
    monkeypatch.setattr(
        packages, "installed_version", lambda name: None if name in slicerhost.packages.missing else real(name)
    )


def torch_extension(monkeypatch, install):
    page = types.ModuleType("PyTorchUtils")
    page.PyTorchUtilsLogic = type("PyTorchUtilsLogic", (), {"installTorch": lambda self, **options: install(options)})
    monkeypatch.setitem(sys.modules, "PyTorchUtils", page)


def is_idle(window):
    return (
        window.predict.state.name == "IDLE"
        and window.predict.prediction is None
        and window.batch.batch is None
        and window.shared.busy == ""
        and window.ui.predictButton.text == "Predict"
        and window.ui.predictButton.enabled
        and not window.ui.progressPanel.visible
        and leftovers() == []
    )


def raises(error):
    def install(_options):
        raise error

    return install


ERRORS = [
    ImportError("DLL load failed while importing _C"),
    subprocess.CalledProcessError(1, ["pip"]),
    RuntimeError("nobody thought of it"),
    KeyError("torch"),
    AssertionError(),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_an_installation_that_raises_anything_is_told_and_the_window_is_idle(ready, worker, monkeypatch, error):
    lack(monkeypatch, "torch", "numba")
    torch_extension(monkeypatch, raises(error))
    with slicerhost.user_answers("Ok"):
        click(ready.ui.predictButton)
    assert "could not be installed: torch>=2.5" in ready.ui.outcomeLabel.text
    assert is_idle(ready)
    assert worker.commands == []


def test_a_torch_that_the_application_cannot_import_is_tried_by_the_prediction(ready, worker, monkeypatch):
    def install(_options):
        slicerhost.packages.missing.discard("torch")
        raise ImportError("DLL load failed while importing _C")

    lack(monkeypatch, "torch")
    torch_extension(monkeypatch, install)
    worker.let_go()
    with slicerhost.user_answers("Ok"):
        click(ready.ui.predictButton)
    wait_for_end(ready)
    assert ready.ui.outcomeLabel.text.startswith("Done in ")
    assert is_idle(ready)


@pytest.mark.parametrize("step", ["request", "new_prediction"])
def test_an_error_that_nobody_expected_ends_the_start(ready, worker, monkeypatch, step):
    place = ready.shared if step == "request" else ready.shared.logic
    with monkeypatch.context() as broken:
        broken.setattr(place, step, lambda *_arguments: 1 / 0)
        click(ready.ui.predictButton)
    assert "an error that nobody expected: division by zero" in ready.ui.outcomeLabel.text
    assert is_idle(ready)


def press_while_installing(monkeypatch, press):
    """The PyTorch extension lets events through while it installs; the user does something meanwhile."""

    def install(_options):
        press()
        slicerhost.packages.missing.discard("torch")

    lack(monkeypatch, "torch")
    torch_extension(monkeypatch, install)


def test_cancel_works_while_packages_are_installed(ready, worker, monkeypatch):
    press_while_installing(monkeypatch, lambda: click(ready.ui.predictButton))
    with slicerhost.user_answers("Ok"):
        click(ready.ui.predictButton)
    assert ready.ui.outcomeLabel.text == "Cancelled. Nothing was started."
    assert is_idle(ready)
    assert worker.commands == []


def test_a_scene_that_is_closed_while_packages_are_installed(ready, worker, monkeypatch):
    press_while_installing(monkeypatch, lambda: slicer.mrmlScene.Clear(0))
    with slicerhost.user_answers("Ok"):
        click(ready.ui.predictButton)
    assert ready.predict.state.name == "IDLE"
    assert ready.shared.busy == ""
    assert worker.commands == []


# --- the batch


def prepare_batch(window, tmp_path):
    window.ui.batchSection.collapsed = False
    window.ui.batchSourceComboBox.setCurrentIndex(1)
    write(window.ui.batchOutEdit, str(tmp_path / "out"))
    click(window.ui.findCasesButton)
    assert window.ui.batchButton.text == BATCH


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_batch_whose_installation_raises_anything_is_idle_again(ready, worker, monkeypatch, tmp_path, error):
    prepare_batch(ready, tmp_path)
    lack(monkeypatch, "torch")
    torch_extension(monkeypatch, raises(error))
    with slicerhost.user_answers("Ok"):
        click(ready.ui.batchButton)
    assert "could not be installed: torch>=2.5" in ready.ui.batchOutcomeLabel.text
    assert ready.ui.batchButton.text == BATCH
    assert ready.ui.batchButton.enabled
    assert is_idle(ready)


def test_cancel_works_while_packages_are_installed_for_a_batch(ready, worker, monkeypatch, tmp_path):
    prepare_batch(ready, tmp_path)
    press_while_installing(monkeypatch, lambda: click(ready.ui.batchButton))
    with slicerhost.user_answers("Ok"):
        click(ready.ui.batchButton)
    assert ready.ui.batchOutcomeLabel.text == "Cancelled. Nothing was started."
    assert is_idle(ready)
    assert worker.commands == []


def test_a_case_that_cannot_be_started_for_a_reason_that_nobody_expected_is_a_row(ready, monkeypatch, tmp_path):
    from PDL1PredictorGUI.background import batch_table

    prepare_batch(ready, tmp_path)
    monkeypatch.setattr(batch_table, "export_case", lambda *_arguments: 1 / 0)
    click(ready.ui.batchButton)
    assert "by an error that nobody expected: division by zero" in ready.ui.batchTable.item(0, 2).text()
    assert "0 of 1 cases predicted" in ready.ui.batchOutcomeLabel.text
    assert is_idle(ready)
    assert not (tmp_path / "out").exists()


def test_a_batch_that_cannot_be_started_for_a_reason_that_nobody_expected_says_so(ready, monkeypatch, tmp_path):
    from PDL1PredictorGUI.background import batch

    prepare_batch(ready, tmp_path)
    monkeypatch.setattr(batch.Batch, "_command", lambda *_arguments: 1 / 0)
    click(ready.ui.batchButton)
    assert "by an error that nobody expected: division by zero" in ready.ui.batchOutcomeLabel.text
    assert is_idle(ready)
    assert leftovers() == []


# --- the computer


@pytest.fixture
def system(monkeypatch):
    """A function that makes this another computer."""

    def be(name, machine):
        monkeypatch.setattr(computer.sys, "platform", name)
        monkeypatch.setattr(computer.platform, "machine", lambda: machine)

    return be


@pytest.mark.parametrize(
    ("name", "machine", "expected"),
    [
        ("darwin", "x86_64", ["auto", "cpu"]),
        ("darwin", "arm64", ["auto", "cpu", "mps"]),
        ("win32", "AMD64", ["auto", "cpu", "cuda"]),
        ("linux", "x86_64", ["auto", "cpu", "cuda"]),
    ],
)
def test_only_devices_that_the_computer_can_have_are_offered(
    slicer_scene, system, monkeypatch, tmp_path, name, machine, expected
):
    system(name, machine)
    driver = tmp_path / "System32" / "nvcuda.dll"
    driver.parent.mkdir()
    monkeypatch.setenv("SYSTEMROOT", str(tmp_path))
    monkeypatch.setattr("PDL1PredictorLib.models.device._NVIDIA_FILES", (str(driver),))
    assert "cuda" not in dict(computer.devices())
    driver.touch()
    assert [device for device, _words in computer.devices()] == expected
    for device in ("auto", "cpu", "cuda", "mps"):  # settings may come from another computer
        preferences.write(preferences.DEVICE, device)
        assert computer.chosen_device() == (device if device in expected else "auto")


def test_on_an_intel_mac_with_a_new_numpy_it_is_said_before_anything_is_asked(
    ready, worker, monkeypatch, tmp_path, system
):
    prepare_batch(ready, tmp_path)
    lack(monkeypatch, "numba")  # numpy is 2.4 here
    system("darwin", "x86_64")
    ready.shared.refresh()
    assert not ready.ui.predictButton.enabled
    assert "Macs with an Intel processor" in ready.ui.whyNotLabel.text
    assert not ready.ui.batchButton.enabled
    assert "Macs with an Intel processor" in ready.ui.batchButton.toolTip
    with pytest.raises(Exception, match="Macs with an Intel processor"):
        packages.ensure()
    assert slicerhost.dialogs.shown == []
    assert "mL" in ready.ui.tumorVolumeLabel.text  # the rest works


def test_an_intel_mac_with_a_numba_of_its_own_or_wheels_is_not_held_back(slicer_scene, monkeypatch, tmp_path, system):
    system("darwin", "x86_64")
    assert packages.why_impossible() == ""  # numba is there
    lack(monkeypatch, "numba")
    assert packages.why_impossible()
    with monkeypatch.context() as older:  # Slicer 5.10
        older.setattr(packages, "installed_version", lambda name: {"numpy": "2.0.2", "numba": None}.get(name, "99.0"))
        assert packages.why_impossible() == ""
    preferences.write(preferences.WHEELS_FOLDER, str(tmp_path))
    assert packages.why_impossible() == ""


def test_apple_silicon_is_not_held_back(slicer_scene, monkeypatch, system):
    lack(monkeypatch, "numba")
    system("darwin", "arm64")
    assert packages.why_impossible() == ""


def test_on_windows_torch_stays_below_the_versions_with_too_long_paths(slicer_scene, monkeypatch, system):
    asked = []
    lack(monkeypatch, "torch")
    torch_extension(monkeypatch, lambda options: (asked.append(options), slicerhost.packages.missing.clear()))
    monkeypatch.setattr(computer, "is_windows", lambda: True)
    with slicerhost.user_answers("Ok"):
        assert packages.ensure()
    assert asked[0]["torchVersionRequirement"] == ">=2.5,<2.13"
    monkeypatch.setattr(computer, "is_windows", lambda: False)
    assert packages.TORCH.requirement == "torch>=2.5"


# --- typing


def test_a_typed_path_is_read_once_it_is_whole(ready, tiny_model, monkeypatch):
    from PDL1PredictorGUI.setup import models

    read = []
    real = models.available_models
    monkeypatch.setattr(models, "available_models", lambda folder: (read.append(folder), real(folder))[1])
    path = str(tiny_model.parent)
    for end in range(1, len(path) + 1):
        ready.ui.modelsFolderEdit.currentPath = path[:end]
    assert read == []
    slicerhost.wait_until(lambda: read, 5)
    assert read == [tiny_model.parent]
    assert preferences.read(preferences.MODELS_FOLDER) == path


def test_a_path_that_was_typed_just_before_the_window_closed_is_kept(ready, tiny_model):
    ready.ui.modelsFolderEdit.currentPath = str(tiny_model.parent)
    ready.predict.cleanup()
    assert preferences.read(preferences.MODELS_FOLDER) == str(tiny_model.parent)
