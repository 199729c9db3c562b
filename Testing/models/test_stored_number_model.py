"""A model of a number as a study wrote it, bundled: it reads, is small, and answers as it did then."""

import pytest

from PDL1PredictorLib.core.results import NumberAnswer
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.phantom.patient import make_patient
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.resources import find_model

FILE = find_model("complextransformer-demo")
STUDIED = {6: (17.949, 0.0, 78.494), 13: (56.083, 0.0, 100.0)}  # test patients, and the study's answer and interval, %
OPTIONS = Options(device="cpu", stability=False)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    return read_bundle(FILE)


def answer_of(bundle: Bundle, index: int) -> NumberAnswer:
    case = make_patient(seed=1, index=index, extent="tumor").case
    answer = predict_case(case, load_predictor(bundle), OPTIONS).lesions[0].endpoints[0]
    assert isinstance(answer, NumberAnswer)
    return answer


def test_it_is_small_and_its_card_says_its_figure(bundle: Bundle):
    assert FILE.stat().st_size < 300_000
    card = bundle.file("MODEL_CARD.md").decode()
    test = bundle.manifest["endpoints"]["TPS"]["test"]
    assert f"{test['r2']:.3f} ({test['r2_low']:.3f} to {test['r2_high']:.3f})" in card
    assert "trained on synthetic phantoms" in card
    assert "Ridge is simpler and was as good" in card


@pytest.mark.parametrize("index", STUDIED)
def test_it_answers_test_patients_as_the_study_did(bundle: Bundle, index: int):
    answer = answer_of(bundle, index)
    assert answer.endpoint == "TPS"
    assert (answer.value, *answer.interval) == pytest.approx(STUDIED[index], abs=0.05)


def test_two_patients_have_two_answers(bundle: Bundle):
    values = [answer_of(bundle, index).value for index in STUDIED]
    assert abs(values[0] - values[1]) > 10
