"""The JSON file against its schema, and free of the patient."""

import copy
import json
import math
from dataclasses import replace
from datetime import date

import jsonschema
import numpy as np
import pytest

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.case import Study, patient_key
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.report.heat_files import heat_map_name
from PDL1PredictorLib.report.json_result import finite, schema, to_json


@pytest.fixture(scope="module")
def validator():
    content = schema()
    jsonschema.Draft202012Validator.check_schema(content)
    return jsonschema.Draft202012Validator(content)


@pytest.fixture(scope="module")
def content(make_result):
    return to_json(make_result(lesions=2), with_patient=True)


@pytest.mark.parametrize("with_patient", [False, True])
@pytest.mark.parametrize("lesions", [1, 2])
def test_a_result_fits_its_schema(make_result, validator, lesions, with_patient):
    text = json.dumps(to_json(make_result(lesions=lesions), with_patient), allow_nan=False)
    validator.validate(json.loads(text))


def test_a_number_beside_a_yes_or_no_fits_the_schema(with_number, validator):
    content = to_json(with_number, with_patient=False)
    validator.validate(content)
    first = content["lesions"][0]["endpoints"][0]
    assert (first["kind"], first["value"], first["unit"], first["interval"]) == ("number", 34.6, "%", [11.8, 61.2])
    assert first["contributions"][1] == {"name": "selected_features", "value": None, "effect": -3.5}
    assert content["lesions"][0]["atypicality"] is None
    assert content["model"]["number_tests"]["TPS"]["n"] == 96
    for name, value in (("kind", "binary"), ("verdict", "positive"), ("threshold", 0.5)):
        broken = copy.deepcopy(content)
        broken["lesions"][0]["endpoints"][0][name] = value
        with pytest.raises(jsonschema.ValidationError):
            validator.validate(broken)


def break_extra(content):
    content["patient_name"] = "X"


def break_extra_deep(content):
    content["lesions"][0]["tumor"]["area"] = 1


def break_missing(content):
    del content["research_use_only"]


def break_probability(content):
    content["lesions"][0]["endpoints"][0]["probability"] = 1.2


def break_version(content):
    content["schema_version"] = "2.0"


def break_set(content):
    content["lesions"][1]["endpoints"][0]["prediction_set"] = ["maybe"]


def break_hash(content):
    content["model"]["sha256"] = "abc"


def break_verdict(content):
    content["lesions"][0]["endpoints"][0]["verdict"] = {"status": "not_answered", "call": "positive", "reasons": []}


def break_reason(content):
    content["lesions"][1]["endpoints"][0]["verdict"]["reasons"][0]["code"] = "mood"


def break_heat_map(content):
    content["lesions"][0]["endpoints"][0]["heat_map"] = "../gradcam.nrrd"


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (break_extra, "Additional properties"),
        (break_extra_deep, "Additional properties"),
        (break_missing, "required property"),
        (break_probability, "not valid under any"),
        (break_version, "was expected"),
        (break_set, "not valid under any"),
        (break_hash, "does not match"),
        (break_verdict, "not valid under any"),
        (break_reason, "not valid under any"),
        (break_heat_map, "not valid under any"),
    ],
)
def test_a_damaged_result_does_not_fit(content, validator, damage, message):
    broken = copy.deepcopy(content)
    damage(broken)
    with pytest.raises(jsonschema.ValidationError, match=message):
        validator.validate(broken)


def test_without_the_patient_neither_name_nor_clinical_values_are_left(make_result):
    text = json.dumps(to_json(make_result(name="Erika Mustermann"), with_patient=False))
    assert "Erika" not in text
    assert "B30f" not in text
    assert json.loads(text)["case"] == "case"
    assert json.loads(text)["clinical"] is None


def test_with_the_patient_both_are_there(make_result):
    content = to_json(make_result(name="Erika Mustermann"), with_patient=True)
    assert content["case"] == "Erika Mustermann"
    assert content["clinical"]["age_years"] == 67


def test_words_and_the_research_line_stand_in_the_file(content):
    first = content["lesions"][0]["endpoints"][0]
    assert content["research_use_only"] == RESEARCH_USE_ONLY
    assert first["definition"] == "tumor proportion score (TPS) of 1 % or more"
    assert first["verdict"] == {"status": "answered", "call": "positive", "reasons": []}
    assert first["heat"] == {"share": 0.31, "area_share": 0.12, "outside": False}
    second = content["lesions"][1]["endpoints"][0]["verdict"]
    assert (second["status"], second["call"]) == ("not_answered", "none")
    assert [reason["code"] for reason in second["reasons"]] == ["unlike_training"]
    assert content["lesions"][1]["unlike"]["flagged"] is True
    assert first["heat_map"] == "gradcam.nrrd"
    assert content["lesions"][1]["endpoints"][4]["heat_map"] == "gradcam_lesion2_EGFR.nrrd"
    assert content["lesions"][0]["endpoints"][1]["heat_map"] is None


def test_features_are_sorted_and_a_missing_one_is_null(content):
    features = content["lesions"][0]["features"]
    assert list(features) == sorted(features)
    assert features["ring_original_glcm_MCC"] is None
    assert features["tumor_wavelet-LLH_glcm_Contrast"] == 0.1 + 0.2


def test_values_that_are_not_finite_become_null_everywhere():
    assert finite({"a": (math.nan, np.float32(0.5)), 1: math.inf, "n": np.int64(3), "b": np.bool_(True) is None}) == {
        "a": [None, 0.5],
        "1": None,
        "n": 3,
        "b": False,
    }


@pytest.mark.parametrize(
    ("index", "key", "name"),
    [
        (1, "PDL1", "gradcam.nrrd"),
        (1, "EGFR", "gradcam_EGFR.nrrd"),
        (2, "PDL1", "gradcam_lesion2.nrrd"),
        (3, "EGFR", "gradcam_lesion3_EGFR.nrrd"),
    ],
)
def test_heat_maps_are_named_by_lesion_and_endpoint(make_result, index, key, name):
    assert heat_map_name(replace(make_result().lesions[0], index=index), key) == name


def test_a_heat_map_of_an_unknown_endpoint_is_refused(make_result):
    with pytest.raises(InputError, match="not known"):
        heat_map_name(make_result().lesions[0], "../x")


def test_day_and_patient_stand_there_only_where_the_patient_may_be_named(make_result):
    study = Study(date(2026, 1, 31), patient_key("77"))
    result = replace(make_result(), study=study)
    assert to_json(result, with_patient=False)["study"] is None
    assert to_json(result, with_patient=True)["study"] == {"date": "2026-01-31", "patient": patient_key("77")}
    jsonschema.validate(to_json(result, with_patient=True), schema())
