"""The bundled model as it is shipped: whole, small, honest, and able to answer."""

from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.phantom.patient import make_patient
from PDL1PredictorLib.phantom.truth import PHANTOM_ENDPOINTS
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.resources import SYNTHETIC_MODEL, find_model

MOST_BYTES = 30_000_000


@pytest.fixture(scope="module")
def folder() -> Path:
    return find_model(SYNTHETIC_MODEL)


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Bundle:
    return read_bundle(folder)


def test_it_is_small_and_its_weights_are_16_bit(folder: Path, bundle: Bundle):
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < MOST_BYTES
    weights = safetensors.numpy.load(bundle.file(bundle.manifest["network"]["file"]))
    assert {value.dtype for value in weights.values()} == {np.dtype(np.float16), np.dtype(np.int64)}


def test_it_answers_all_ten_endpoints(bundle: Bundle):
    assert tuple(bundle.manifest["endpoint_order"]) == PHANTOM_ENDPOINTS
    assert bundle.manifest["left_out"] == {}


def test_its_card_says_what_it_is_and_every_figure_of_the_manifest(bundle: Bundle):
    card = bundle.file("MODEL_CARD.md").decode()
    assert "Research use only" in card
    assert "trained on synthetic phantoms: what it says about a real patient means nothing" in card
    recipe = bundle.manifest["recipe"]
    assert f"--seed {recipe['seed']} --n {recipe['n_train']} --n-test {recipe['n_test']}" in card
    for model in bundle.manifest["endpoints"].values():
        auc = model["test_auc"]
        assert f"{auc['value']:.3f} | {auc['low']:.3f} to {auc['high']:.3f}" in card
        assert auc["value"] < model["bayes_auc"] + 0.1  # more would be a leak


def test_it_is_at_home_with_a_new_synthetic_patient_and_not_with_a_strange_one(bundle: Bundle):
    predictor = load_predictor(bundle)
    patient = make_patient(seed=77, index=3, extent="tumor")
    answer = predict_case(patient.case, predictor, Options(device="cpu")).lesions[0]
    assert answer.atypicality < 1
    assert [e.endpoint for e in answer.endpoints] == list(PHANTOM_ENDPOINTS)
    strange = {name: value * 30 for name, value in answer.features.items()}
    assert predictor.inputs(Given(strange, None, 10.0), np.zeros(10)).atypicality > 1
