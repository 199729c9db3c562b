"""A scripted module lives: it is loaded, set up, entered, used, left, reloaded, unloaded; its process runs."""

from pathlib import Path

import numpy as np
import pytest

import slicerhost

TOY = Path(__file__).parent / "toy" / "HostToy.py"


@pytest.fixture
def toy(loaded):
    return loaded(TOY)


def test_a_loaded_module_is_known_under_slicers_names(toy):
    import slicer

    assert slicer.modules.hosttoy.path == str(TOY)
    assert slicer.modules.HostToyWidget is toy
    assert slicer.util.getModuleWidget("HostToy") is toy
    assert slicer.util.getModuleLogic("HostToy") is toy.logic
    assert slicer.modules.HostToyInstance.parent.title == "Host toy"


def test_the_self_test_runs(toy):
    import slicer

    slicer.selfTests["HostToy"]()


def test_a_click_makes_the_map(toy):
    import slicer

    assert not toy.ui.applyButton.enabled
    assert toy.ui.applyButton.toolTip == "Choose a volume"
    volume = slicer.util.addVolumeFromArray(np.zeros((4, 5, 6), np.int16), name="CT")
    toy.ui.volumeSelector.setCurrentNode(volume)
    assert toy.ui.applyButton.enabled
    toy.ui.applyButton.click()
    assert toy.ui.statusLabel.text == "Done"
    assert toy.parameters.map.GetName() == "map"


def test_the_background_process_reports_through_its_signals(toy):
    toy.onRun(code=3)
    slicerhost.wait_until(lambda: ("finished", 3, True) in toy.events)
    assert toy.events == ["running", ("finished", 3, True)]
    assert toy.ui.logEdit.toPlainText().split() == ["0", "1", "2", "é"]


def test_a_module_is_entered_and_left(toy, slicer_app):
    slicer_app.moduleManager().select("HostToy")
    assert toy.ui.segmentEditor._shortcuts_installed
    slicer_app.moduleManager().select("")
    assert not toy.ui.segmentEditor._shortcuts_installed
    assert toy.events == ["enter", "exit"]


def test_closing_the_scene_reaches_the_module_and_resets_its_parameters(toy, slicer_scene):
    toy.ui.opacitySlider.value = 0.25
    assert toy.parameters.opacity == 0.25
    slicer_scene.Clear(0)
    assert toy.events == ["start close", "end close"]
    assert toy.ui.opacitySlider.value == 0.5


def test_a_reload_cleans_up_and_sets_up_again(toy):
    import slicer

    slicer.util.reloadScriptedModule("HostToy")
    new = slicer.modules.HostToyWidget
    assert new is not toy
    assert toy.events == ["cleanup"]
    assert new.ui.applyButton.text == "Apply"


def test_unloading_cleans_up_and_takes_the_names_away(toy, slicer_app):
    import slicer

    slicer_app.moduleManager().unload("HostToy")
    assert toy.events == ["cleanup"]
    assert not hasattr(slicer.modules, "hosttoy")
    assert "HostToy" not in slicer.selfTests
