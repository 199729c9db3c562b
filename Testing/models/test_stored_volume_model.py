"""A model of volumes and PET as a study wrote it, bundled: it reads, is small, and answers as it did then."""

import pytest

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.phantom.patient import make_patient
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.resources import find_model

FILE = find_model("responder3d-demo")
STUDIED = {0: 0.1542, 21: 0.7202}  # test patients and what the study's table says of them
OPTIONS = Options(device="cpu", stability=False)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return read_bundle(FILE)


def test_it_is_small_and_its_card_says_its_figure(bundle: Bundle):
    assert FILE.stat().st_size < 1_000_000
    card = bundle.file("MODEL_CARD.md").decode()
    test = bundle.manifest["endpoints"]["RESPONSE"]["test"]
    assert f"{test['auc']:.3f} ({test['low']:.3f} to {test['high']:.3f})" in card
    assert "trained on synthetic phantoms" in card


@pytest.mark.parametrize("index", STUDIED)
def test_it_answers_test_patients_as_the_study_did(bundle: Bundle, index: int):
    patient = make_patient(seed=1, index=index, extent="tumor", pet=True)
    answer = predict_case(patient.case, load_predictor(bundle), OPTIONS).lesions[0].endpoints[0]
    assert answer.endpoint == "RESPONSE"
    assert answer.probability == pytest.approx(STUDIED[index], abs=2e-3)


def test_without_the_pet_it_asks_for_one(bundle: Bundle):
    with pytest.raises(InputError, match="PET"):
        predict_case(make_patient(seed=1, index=0, extent="tumor").case, load_predictor(bundle), OPTIONS)
