"""Clinical values of a bundle that were not known: estimated, told, and nothing taken for something else."""

from typing import Any

import numpy as np
import pytest
from clinical_model import ECOG, STAGE, bundle_with
from number_model import MEAN, RANGE, RING

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import BundleError, InputError
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.models.predictor import Given


@pytest.fixture(scope="module")
def predictor(tiny_model):
    return load_predictor(bundle_with(read_bundle(tiny_model)))


def ask(predictor, **clinical: Any):
    values = dict.fromkeys(predictor.features.feature_names(), 10.0) | {MEAN: 50.0, RING: 30.0, RANGE: -10.0}
    names = [column.name for column in predictor.needs.declared]
    said = predictor.answer(Given(values, None, np.exp(2.5), Clinical.from_dict(clinical, names)), "cpu")
    effects = {one.name: one.effect for one in said.answers[0].contributions}
    return effects, {warning.code: warning.text for warning in said.warnings}


def test_an_unknown_value_is_that_of_the_most_similar_patients_and_told(predictor):
    # 65 years: z 0.5; stage III: z 3. Donors that know ECOG: z (0, 1, -), (1, 2, 0), (2, 0, 3)
    distances = np.sqrt(3 / 2 * np.array([0.5**2 + 3**2, 1.5**2])), np.sqrt(3 * 0.5**2)
    weights = 1 / np.array([distances[1], distances[0][0], distances[0][1]])
    estimate = np.average([1, 2, 0], weights=weights)
    effects, warnings = ask(predictor, age_years=65, stage="III")
    assert effects["ECOG"] == pytest.approx(-2 * ((1 + 0.5 * estimate) - 0.5) / 0.5)
    told = warnings["clinical_imputed"]
    assert told.startswith("Not known of the patient, and estimated from the 3 most similar patients of the training")
    assert f"ECOG {1 + 0.5 * estimate:.3g}" in told
    assert "clinical_missing" not in warnings


def test_known_values_are_taken_as_they_are_and_nothing_is_told(predictor):
    effects, warnings = ask(predictor, age_years=70, ECOG=1, stage="ii")
    assert (effects["ECOG"], effects["stage"]) == (pytest.approx(-2), pytest.approx(4))
    assert not {"clinical_imputed", "clinical_unusual"} & set(warnings)


def test_where_nothing_is_known_the_mean_stands_in_and_is_called_so(predictor):
    _, warnings = ask(predictor)
    assert "estimated from the training mean, as nothing else" in warnings["clinical_imputed"]
    assert "stage 0.5 (I 0, II 1, III 2)" in warnings["clinical_imputed"]


def test_a_number_far_from_the_cohorts_is_told(predictor):
    _, warnings = ask(predictor, age_years=16, ECOG=1, stage="II")
    assert warnings["clinical_unusual"].startswith("Age years is 16, 4 standard deviations from the mean")
    _, usual = ask(predictor, age_years=25, ECOG=1, stage="II")
    assert "clinical_unusual" not in usual


@pytest.mark.parametrize(
    ("clinical", "words"),
    [
        ({"ECOG": 9}, "ECOG must be a number from 0 to 5"),
        ({"stage": "IV"}, "stage must be one of I, II, III"),
        ({"other": {"ECGO": 1}}, "does not know the clinical value 'ECGO'"),
    ],
)
def test_wrong_values_are_refused_and_not_estimated(predictor, clinical, words):
    with pytest.raises(InputError, match=words):
        ask(predictor, **clinical)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"names": ["age_years", "stage", "ECOG"]}, "imputer.names must be those of needs.clinical"),
        ({"k": 0}, "imputer.k must be a whole number from 1 to"),
        ({"donors": "averages"}, "imputer.donors must be one of rows, centroids"),
        ({"n": 5}, r"need imputer/donors of shape \(5, 3\)"),
        ({"mean": [60.0]}, "imputer needs 3 means"),
        ({"sd": [10.0, 0.0, 0.5]}, "imputer needs 3 means and positive SDs"),
        ({"sd": "wide"}, "imputer.sd must be a list of numbers"),
    ],
)
def test_an_imputer_that_cannot_be_is_refused(tiny_model, changed, words):
    with pytest.raises(BundleError, match=words):
        read_manifest(bundle_with(read_bundle(tiny_model), **changed))


@pytest.mark.parametrize(
    ("declared", "words"),
    [
        (3, "needs.declared must be a list"),
        ([ECOG], "Clinical inputs are some of"),
        ([ECOG, {**STAGE, "words": ["I"]}], "needs 2 to 32 words"),
        ([ECOG, {**STAGE, "words": "I"}], "needs texts as name and words"),
        ([ECOG, {"name": "stage"}], "needs name, words, low and high"),
        ([{**ECOG, "low": "0"}, STAGE], "low"),
    ],
)
def test_a_declared_column_that_cannot_be_is_refused(tiny_model, declared, words):
    bundle = bundle_with(read_bundle(tiny_model))
    manifest = {**bundle.manifest, "needs": {**bundle.manifest["needs"], "declared": declared}}
    with pytest.raises(BundleError, match=words):
        read_manifest(Bundle(bundle.name, bundle.sha256, manifest, bundle.files))
