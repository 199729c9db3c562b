"""What is wrong with packages is told in words, and one button puts it right; pip is a stand-in."""

import importlib.util

import pytest
import slicerhost
from PDL1PredictorGUI.background.outcome import Said, outcome_of
from PDL1PredictorGUI.setup import packages, repair
from slicerhost.user import click

from PDL1PredictorLib.core.errors import MissingPackageError


@pytest.fixture
def broken(monkeypatch):
    """A function that makes imports fail until pip installs anew; gives what it said to do so."""

    def spoil(**errors):
        def ask(names):
            done = [name for call in slicerhost.packages.installed for name in call if "--force-reinstall" in call]
            fixed = {name.partition(">")[0] for name in done}
            return {name: error for name, error in errors.items() if name in names and name not in fixed}

        monkeypatch.setattr(repair, "_ask", ask)

    return spoil


@pytest.fixture
def panel(window):
    window.ui.predictSection.collapsed = False
    return window.predict.packages


def test_where_all_is_well_nothing_is_said(slicer_scene):
    assert repair.seen_at_once() == []
    assert repair.tried() == []  # by a process that imports them


def test_a_package_that_cannot_be_imported_is_found_by_a_process_of_its_own(slicer_scene):
    assert list(repair._errors(["json", "no_such_package_anywhere"])) == ["no_such_package_anywhere"]


def test_a_process_that_dies_is_blamed_on_the_package_that_kills_it(slicer_scene, monkeypatch):
    code = "import os, sys\nif 'bad' in sys.argv: os._exit(9)\nprint('{}')"
    monkeypatch.setattr(repair, "TRY_IMPORTS", code)
    assert list(repair._errors(["good", "bad"])) == ["bad"]


def test_what_is_missing_old_or_gone_has_its_words(slicer_scene, without, monkeypatch):
    without("numba")
    real = packages.installed_version
    monkeypatch.setattr(packages, "installed_version", lambda name: "0.3" if name == "Jinja2" else real(name))
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "pywt" else find(name))
    said = repair.in_words(repair.seen_at_once())
    assert "not installed: numba" in said
    assert "Jinja2 is there in version 0.3, which cannot be used (>=3.1 is needed)" in said
    assert "PyWavelets is listed as installed, but its files are gone" in said


def test_a_broken_package_is_installed_anew_alone_after_asking(slicer_scene, broken):
    broken(numba="ImportError: libomp is missing")
    faults = repair.tried()
    assert repair.in_words(faults) == "numba is installed and does not work (ImportError: libomp is missing)"
    with slicerhost.user_answers("Ok") as dialogs:
        import slicer

        slicer.app.set_testing(False)
        assert repair.repair(faults)
    assert "libomp is missing" in dialogs.shown[0].text
    assert "195 MB" in dialogs.shown[0].text
    (call,) = slicerhost.packages.installed
    assert call[-1] == "numba>=0.61"
    assert {"--force-reinstall", "--no-deps", "--only-binary=:all:"} <= set(call)


def test_no_means_no(slicer_scene, broken):
    broken(numba="ImportError: x")
    with slicerhost.user_answers("Cancel"):
        assert not repair.repair(repair.tried())
    assert slicerhost.packages.installed == []


def test_slicers_own_packages_are_not_touched(slicer_scene, broken):
    broken(numpy="ImportError: x")
    with pytest.raises(MissingPackageError, match="own package numpy does not work. Install 3D Slicer again"):
        repair.repair(repair.tried())
    assert slicerhost.packages.installed == []


def test_a_failed_installation_says_what_to_do(slicer_scene, broken):
    import slicer

    broken(numba="ImportError: x")
    faults = repair.tried()
    slicer.app.set_testing(False)
    slicerhost.packages.failure = RuntimeError("no network")
    with pytest.raises(MissingPackageError, match="could not be installed: numba>=0.61. Check the internet"):
        repair.repair(faults, confirm=False)


# --- the panel


def test_the_panel_is_hidden_where_nothing_is_wrong(panel):
    assert not panel.ui.packagesLabel.visible
    assert not panel.ui.repairButton.visible


def test_packages_that_cannot_even_be_listed_do_not_close_the_window(panel, monkeypatch):
    def fail():
        raise ValueError("a damaged list")

    monkeypatch.setattr(packages, "missing", fail)
    panel.look()
    assert not panel.ui.packagesLabel.visible


def test_what_is_missing_is_said_and_the_button_installs_it(shown, panel, without):
    import slicer

    without("numba", "Jinja2")
    panel.look()
    assert "not installed: numba, Jinja2" in panel.ui.packagesLabel.text
    slicer.app.set_testing(False)
    with slicerhost.user_answers("Ok"):
        click(panel.ui.repairButton)
    assert slicerhost.packages.installed == [["--only-binary=:all:", "numba>=0.61", "Jinja2>=3.1"]]
    assert "All packages work" in panel.ui.packagesLabel.text
    assert not panel.ui.repairButton.visible


def test_a_run_that_a_package_ended_offers_the_repair(shown, panel, broken):
    import slicer

    outcome = outcome_of(2, False, Said("x", cause="missing_package", package="numba"), [])
    assert outcome.package == "numba"
    shown.predict.state = shown.predict.state.RUNNING
    shown.predict.on_end(outcome, None)
    assert "numba is missing or does not work" in panel.ui.packagesLabel.text
    assert panel.ui.repairButton.visible
    broken(numba="ImportError: libomp is missing")
    slicer.app.set_testing(False)
    with slicerhost.user_answers("Ok"):
        click(panel.ui.repairButton)
    assert "All packages work" in panel.ui.packagesLabel.text


def test_what_cannot_be_repaired_stays_with_its_reason(shown, panel, broken):
    broken(numpy="ImportError: x")
    panel.blame("numpy")
    click(panel.ui.repairButton)
    assert "Install 3D Slicer again" in panel.ui.packagesLabel.text
    assert panel.ui.repairButton.visible
