"""What the scene keeps: every choice, through saving and opening; nothing about the computer."""

import inspect
from pathlib import Path

import pytest
import slicer
from PDL1PredictorGUI.scene.parameters import (
    FamilyHistory,
    PDL1PredictorParameters,
    Sex,
    Smoking,
    asked_values,
    clinical_values,
    declared_values,
    fill_clinical,
    region_settings,
    set_declared,
)
from PDL1PredictorGUI.setup import preferences

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.clinical_columns import ClinicalColumn


@pytest.fixture
def parameters(slicer_scene):
    return PDL1PredictorParameters(slicer_scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode", "PDL1Predictor"))


def test_nothing_is_known_of_a_new_patient(parameters):
    assert clinical_values(parameters) == {}
    assert region_settings(parameters).to_dict()["ring_mm"] == 3.0


def test_clinical_values_go_in_and_out_by_the_librarys_names(parameters):
    values = {
        "age_years": 63.0,
        "sex": "female",
        "smoking": "former",
        "family_history": False,
        "slice_thickness_mm": 1.25,
        "kernel": "B30f",
        "manufacturer": "Maker",
    }
    fill_clinical(parameters, values)
    assert clinical_values(parameters) == values
    Clinical(**clinical_values(parameters))  # the library takes them


def test_what_a_new_ct_does_not_tell_becomes_unknown(parameters):
    fill_clinical(parameters, {"age_years": 63.0, "smoking": "current", "family_history": True})
    fill_clinical(parameters, {"sex": "male"})
    assert clinical_values(parameters) == {"sex": "male"}
    assert (parameters.smoking, parameters.family_history) == (Smoking.UNKNOWN, FamilyHistory.UNKNOWN)


@pytest.mark.parametrize("values", [Sex, Smoking, FamilyHistory])
def test_every_choice_has_a_word_of_its_own(values):
    words = [value.label() for value in values]
    assert len(set(words)) == len(words)


def test_every_parameter_survives_a_saved_scene(window_with_case, tmp_path: Path):
    changed = {
        "age": 71,
        "sex": Sex.MALE,
        "smoking": Smoking.NEVER,
        "family_history": FamilyHistory.YES,
        "slice_thickness_mm": 1.5,
        "kernel": "Bl57f",
        "manufacturer": "Größe & Söhne",
        "clinical_in_report": True,
        "ring_mm": 4.5,
        "exclude_air": True,
        "exclude_bone": True,
        "show_ring": True,
        "model": "/a folder/mödel.zip",
        "endpoint": "EGFR",
        "heat_map_opacity": 0.75,
        "heat_map_threshold": 0.4,
    }
    parameters = window_with_case.shared.parameters
    for name, value in changed.items():
        setattr(parameters, name, value)
    segment_id = parameters.segment_id
    file = tmp_path / "scène.mrb"
    assert slicer.util.saveScene(str(file))
    slicer.mrmlScene.Clear(0)
    assert window_with_case.shared.parameters.kernel == ""
    slicer.util.loadScene(str(file))
    again = window_with_case.shared.parameters
    assert {name: getattr(again, name) for name in changed} == changed
    assert (again.volume.GetName(), again.segmentation.GetName()) == ("CT", "Segmentation")
    assert again.clinical_volume is again.volume
    assert again.segment_id == segment_id


def test_the_window_shows_what_a_saved_scene_says(window_with_case, tmp_path: Path):
    window_with_case.shared.parameters.age = 44
    file = tmp_path / "scene.mrb"
    slicer.util.saveScene(str(file))
    slicer.mrmlScene.Clear(0)
    assert window_with_case.ui.ageSpinBox.value == -1
    slicer.util.loadScene(str(file))
    assert window_with_case.ui.ageSpinBox.value == 44
    assert window_with_case.ui.volumeSelector.currentNode().GetName() == "CT"


def test_the_expected_time_is_the_median_of_earlier_runs(slicer_scene):
    assert preferences.expected_seconds("a/model", "cpu") is None
    for seconds in (100.0, 10.0, 12.0):
        preferences.add_duration("a/model", "cpu", seconds)
    assert preferences.expected_seconds("a/model", "cpu") == 12.0
    assert preferences.expected_seconds("a/model", "cuda") is None


def test_old_times_are_forgotten(slicer_scene):
    for seconds in [1000.0] * 9 + [1.0] * 9:
        preferences.add_duration("m", "cpu", seconds)
    assert preferences.expected_seconds("m", "cpu") == 1.0


def test_times_that_were_edited_by_hand_are_as_good_as_none(slicer_scene):
    preferences.add_duration("m", "cpu", 3.0)
    preferences.write("PDL1Predictor/Seconds/m|cpu", "soon")
    assert preferences.expected_seconds("m", "cpu") is None


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (754, "12 min 34 s")])
def test_a_time_is_told_in_minutes_and_seconds(seconds, text):
    assert preferences.clock(seconds) == text


def test_annotations_are_only_those_that_slicer_takes_beside_a_default():
    source = Path(str(inspect.getsourcefile(PDL1PredictorParameters))).read_text(encoding="utf-8")
    written = [name for name in ("Decimals", "SingleStep", "Minimum", "Maximum") if f"{name}(" in source]
    assert written == []  # Slicer would log "Unused annotations"


def test_decimals_and_steps_are_the_widgets_own(window):
    ui = window.ui
    for widget, decimals, step in ((ui.ringSlider, 1, 0.5), (ui.opacitySlider, 2, 0.05), (ui.thresholdSlider, 2, 0.05)):
        assert (widget.decimals, widget.singleStep) == (decimals, pytest.approx(step))


def test_declared_values_are_kept_by_name_and_go_with_the_patient(parameters):
    set_declared(parameters, "ECOG", 1.0)
    set_declared(parameters, "stage", "II")
    assert declared_values(parameters) == {"ECOG": 1.0, "stage": "II"}
    set_declared(parameters, "ECOG", None)
    asked = (ClinicalColumn("age_years"), ClinicalColumn("ECOG"), ClinicalColumn("stage", ("I", "II")))
    parameters.age = 61
    assert asked_values(parameters, asked) == {"age_years": 61.0, "stage": "II"}
    fill_clinical(parameters, {})
    assert declared_values(parameters) == {}


@pytest.mark.parametrize("text", ["[1]", "{", '{"ECOG": [1]}', "3"])
def test_declared_values_that_cannot_be_read_are_not_known(parameters, text):
    parameters.declared_values = text
    assert declared_values(parameters) == {}
