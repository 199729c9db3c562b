"""The bundled model of real tumors: whole, small, without a patient's row, and its card says how weak it is."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import safetensors.numpy

from PDL1PredictorLib.learning.classifiers import HOLDS_ROWS
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.manifest import REGIONS
from PDL1PredictorLib.phantom.patient import make_patient
from PDL1PredictorLib.predict import Options, predict_case
from PDL1PredictorLib.resources import find_model

WORDS = Path(__file__).parents[1] / "docs" / "studies" / "nsclc_radiogenomics.json"
N_TUMORS = 99


@pytest.fixture(scope="module")
def folder() -> Path:
    return find_model("nsclc-radiogenomics")


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Bundle:
    return read_bundle(folder)


def test_it_is_small_and_answers_four_endpoints(folder: Path, bundle: Bundle):
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 30_000_000
    assert bundle.manifest["endpoint_order"] == ["EGFR", "KRAS", "LVI", "PI"]


def test_its_card_names_sources_figures_and_what_it_must_not_do(bundle: Bundle):
    card = bundle.file("MODEL_CARD.md").decode()
    words = json.loads(WORDS.read_text(encoding="utf-8"))
    for sentence in ("Research use only", "It must not guide care", *words["attribution"], *words["limitations"]):
        assert sentence in card
    for model in bundle.manifest["endpoints"].values():
        auc = model["test_auc"]
        assert f"{auc['value']:.3f} ({auc['low']:.3f} to {auc['high']:.3f})" in card


def test_no_classifier_holds_a_row_of_a_patient(bundle: Bundle):
    for model in bundle.manifest["endpoints"].values():
        assert model["classifier"]["kind"] not in HOLDS_ROWS
        graph = onnx.load_from_string(bundle.file(model["classifier"]["file"])).graph
        assert all(N_TUMORS not in tensor.dims for tensor in graph.initializer)


def test_no_array_has_a_row_a_tumor(bundle: Bundle):
    for name in ("network", "tables"):
        file = bundle.manifest[name]["file"] if name == "network" else bundle.manifest[name]
        arrays = safetensors.numpy.load(bundle.file(file))
        assert all(N_TUMORS not in values.shape for values in arrays.values())
        assert {values.dtype for values in arrays.values()} <= {np.dtype(t) for t in (np.float16, np.float64, np.int64)}


def test_it_answers_and_finds_a_synthetic_patient_strange_or_not(bundle: Bundle):
    predictor = load_predictor(bundle)
    patient = make_patient(seed=77, index=3, extent="tumor")
    result = predict_case(patient.case, predictor, Options(device="cpu"))
    answers = result.lesions[0].endpoints
    assert [answer.endpoint for answer in answers] == ["EGFR", "KRAS", "LVI", "PI"]
    for answer in answers:
        assert 0 < answer.probability < 1
        assert answer.interval[0] <= answer.probability <= answer.interval[1]
    used = {name for model in predictor.manifest.endpoints for region in REGIONS for name in model.coefficients[region]}
    assert used <= set(result.lesions[0].features)


def test_what_it_was_trained_on_decides_what_its_network_sees(bundle: Bundle):
    regions = load_predictor(bundle).manifest.regions
    assert (regions.patch_pixels, regions.patch_margin_mm) == (96, 10.0)
