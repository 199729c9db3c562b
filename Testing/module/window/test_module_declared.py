"""Section 1 with a model that asks for clinical values: its fields, what is told, and what the prediction is given."""

import csv

import pytest
from clinical_model import write_clinical_model
from PDL1PredictorGUI.background.batch_cases import SceneCase
from PDL1PredictorGUI.background.batch_table import COHORT, write_cohort
from PDL1PredictorGUI.scene.fingerprint import changes, fingerprint
from PDL1PredictorGUI.scene.parameters import declared_values
from slicerhost.user import choose


@pytest.fixture
def asking(ready, tiny_model, tmp_path):
    """The window with a case and the model."""
    ready.shared.parameters.model = str(write_clinical_model(tiny_model, tmp_path / "asking"))
    ready.refresh()
    return ready


def fields(window):
    layout = window.ui.declaredPanel.layout()
    found = {}
    for row in range(layout.rowCount()):
        label, field = (layout.itemAt(row, role).widget() for role in (layout.LabelRole, layout.FieldRole))
        found[label.text] = field
    return found


def test_a_model_that_asks_for_nothing_shows_nothing(ready):
    assert fields(ready) == {}
    assert not ready.ui.declaredPanel.visible
    assert not ready.ui.clinicalNeedsLabel.visible
    assert ready.shared.request().clinical is None


def test_declared_values_have_a_field_each_and_what_is_not_known_is_told(asking):
    found = fields(asking)
    assert list(found) == ["ECOG:", "stage:"]
    assert asking.ui.declaredPanel.visible
    assert [found["stage:"].itemText(row) for row in range(4)] == ["unknown", "I", "II", "III"]
    assert "number from 0 to 5" in found["ECOG:"].toolTip
    told = asking.ui.clinicalNeedsLabel.text
    assert told.startswith("The chosen model asks for: age years, ECOG, stage. Not known: age years, ECOG, stage.")


def test_what_is_typed_goes_into_the_prediction_though_not_into_the_report(asking):
    parameters = asking.shared.parameters
    parameters.age, parameters.kernel = 61, "B30f"
    _type(fields(asking)["ECOG:"], "2")
    choose(fields(asking)["stage:"], "III")
    assert declared_values(parameters) == {"ECOG": 2.0, "stage": "III"}
    request = asking.shared.request()
    assert request.clinical == {"age_years": 61.0, "ECOG": 2.0, "stage": "III"}
    assert (request.with_patient, request.clinical_inputs) == (False, ("age_years", "ECOG", "stage"))
    parameters.clinical_in_report = True
    assert asking.shared.request().clinical["kernel"] == "B30f"
    assert asking.shared.request().with_patient
    assert "Not known" not in asking.ui.clinicalNeedsLabel.text


def test_a_number_that_is_none_stops_the_prediction_until_it_is_mended(asking):
    _type(fields(asking)["ECOG:"], "2 points")
    assert "ECOG must be a number from 0 to 5" in asking.ui.clinicalNeedsLabel.text
    assert "ECOG must be a number" in asking.ui.predictButton.toolTip
    assert fields(asking)["ECOG:"].text == "2 points"
    assert asking.shared.request().clinical is None
    _type(fields(asking)["ECOG:"], "2")
    assert asking.shared.why_no_clinical == ""
    assert "ECOG must be" not in asking.ui.clinicalNeedsLabel.text


def test_a_result_is_out_of_date_when_a_value_that_was_asked_for_changes(asking):
    before = fingerprint(asking.shared.request())
    asking.shared.parameters.kernel = "B70f"
    assert changes(before, fingerprint(asking.shared.request())) == []
    asking.shared.parameters.age = 70
    assert changes(before, fingerprint(asking.shared.request())) == [
        "clinical values that the model asks for have changed"
    ]


def test_another_model_takes_its_fields_away_and_the_values_stay(asking):
    _type(fields(asking)["ECOG:"], "2")
    asking.shared.parameters.model = ""
    asking.refresh()
    assert fields(asking) == {}
    assert asking.shared.clinical == ()
    assert declared_values(asking.shared.parameters) == {"ECOG": 2.0}


def test_a_batch_of_the_scene_takes_the_values_along(asking, tmp_path):
    parameters = asking.shared.parameters
    _type(fields(asking)["ECOG:"], "2")
    parameters.age = 61
    case = SceneCase("a", parameters.volume, parameters.segmentation, parameters.segment_id)
    known = {parameters.volume.GetID(): asking.batch._known_of(parameters.volume)}
    (tmp_path / "batch").mkdir()
    assert write_cohort({"a": case}, None, tmp_path / "batch", known) == {}
    with (tmp_path / "batch" / COHORT).open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["ECOG"], row["age_years"]) == ("2.0", "61.0")


def _type(field, text):
    field.text = text
    field.editingFinished.emit()
