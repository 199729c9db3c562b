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
from PDL1PredictorLib.models.schema.reference import SCORES
from PDL1PredictorLib.phantom.patient import make_patient
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.resources import find_model

WORDS = Path(__file__).parents[1] / "docs" / "studies" / "real_tumors.json"
N_TUMORS = 99
ASKED = {"PDL1_RNA", "CD8", "EGFR", "KRAS", "LVI", "PI", "SQUAMOUS", "PT2"}


@pytest.fixture(scope="module")
def folder() -> Path:
    return find_model("nsclc-radiogenomics")


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Bundle:
    return read_bundle(folder)


def test_it_is_small_and_answers_or_leaves_out_eight_endpoints(folder: Path, bundle: Bundle):
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 10_000_000
    assert {*bundle.manifest["endpoint_order"], *bundle.manifest["left_out"]} == ASKED


def test_its_card_names_sources_figures_and_what_it_must_not_do(bundle: Bundle):
    card = bundle.file("MODEL_CARD.md").decode()
    words = json.loads(WORDS.read_text(encoding="utf-8"))
    for sentence in ("Research use only", "It must not guide care", *words["attribution"], *words["limitations"]):
        assert sentence in card
    for model in bundle.manifest["endpoints"].values():
        test = model["test"]
        assert f"{test['auc']:.3f} ({test['low']:.3f} to {test['high']:.3f})" in card


def test_no_classifier_holds_a_row_of_a_patient(bundle: Bundle):
    assert len(bundle.manifest["training_cases"]) == N_TUMORS
    for model in bundle.manifest["endpoints"].values():
        assert model["model"]["kind"] not in HOLDS_ROWS
        graph = onnx.load_from_string(bundle.file(model["model"]["file"])).graph
        assert all(N_TUMORS not in tensor.dims for tensor in graph.initializer)


def test_no_array_has_a_row_a_tumor_but_for_how_far_each_lies_from_the_others(bundle: Bundle):
    files = (bundle.manifest["network"]["file"], bundle.manifest["tables"])
    arrays = {name: found for file in files for name, found in safetensors.numpy.load(bundle.file(file)).items()}
    reference = bundle.manifest["reference"]
    rows = {name: found.shape for name, found in arrays.items() if N_TUMORS in found.shape}
    assert rows == {"reference/held_out": (N_TUMORS, len(reference["limits"]))}
    limits = [reference["limits"][name] for name in SCORES if name in reference["limits"]]
    farthest = (arrays["reference/held_out"] / np.array(limits)).max(axis=1)
    assert (np.diff(farthest) >= 0).all()  # sorted: no row is a tumor's by its place


def test_volume_answers_what_it_can_and_no_call_is_made_on_pd_l1_of_a_new_patient(bundle: Bundle):
    predictor = load_predictor(bundle)
    patient = make_patient(seed=77, index=3, extent="tumor")
    result = predict_case(patient.case, predictor, Options(device="cpu"))
    answers = {answer.endpoint: answer for answer in result.lesions[0].endpoints}
    assert list(answers) == bundle.manifest["endpoint_order"]
    assert {key for key, answer in answers.items() if answer.model == "Tumor volume"} >= {"LVI", "PI", "PT2"}
    proven = {key for key, model in bundle.manifest["endpoints"].items() if model["test"]["low"] > 0.5}
    no_skill = {key for key, answer in answers.items() if "no_skill" in {r.code for r in answer.verdict.reasons}}
    assert proven == set(answers) - no_skill == {"LVI", "PI", "PT2"}


def test_what_it_was_trained_on_decides_what_its_network_sees(bundle: Bundle):
    regions = load_predictor(bundle).manifest.regions
    assert (regions.patch_pixels, regions.patch_margin_mm) == (96, 10.0)
