"""Answers that are numbers, models without network, clinical inputs, many inputs: sums one can do by hand."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from number_model import MEAN, RANGE, RING, number_alone, with_number
from time_model import with_time

from PDL1PredictorLib.core.answer_parts import Behind
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.clinical_columns import clinical_row
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import Unlike
from PDL1PredictorLib.models.answers import Question, answer_to
from PDL1PredictorLib.models.behind import features_behind
from PDL1PredictorLib.models.bundle import read_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.models.schema.endpoints import BinaryRule, EndpointModel
from PDL1PredictorLib.models.schema.tests import BinaryTest
from PDL1PredictorLib.models.verdicts import Standing
from PDL1PredictorLib.prediction import Options, predict_case

VOLUME_ML = math.exp(2.5)  # standardized: 1


@pytest.fixture(scope="module")
def numbers(tiny_model: Path):
    return load_predictor(number_alone(read_bundle(tiny_model)))


def given(predictor, clinical: Clinical, volume_ml: float = VOLUME_ML, **changed: float) -> Given:
    """All features at the training mean of 10 (SD 20), but for those named."""
    values = dict.fromkeys(predictor.features.feature_names(), 10.0) | changed
    return Given(values, None, volume_ml, clinical)


def test_a_number_is_the_calibrated_linear_sum_with_its_interval_and_exact_contributions(numbers):
    # z: Mean 2 -> RadScore tumor 1; ring 1 -> RadScore ring 2; Range -1; volume 1; 70 years 1; female (1 - 0.5) / 0.5
    case = given(numbers, Clinical(age_years=70, sex="female"), **{MEAN: 50.0, RING: 30.0, RANGE: -10.0})
    said = numbers.answer(case, "cpu")
    (answer,) = said.answers
    total = 20 + 3 * 1 + 1 * 2 - 2 * -1 + 4 * 1 + 0.5 * 1 - 1 * 1
    assert answer.value == pytest.approx(2 * total - 5)
    assert answer.interval == pytest.approx((2 * total - 35, 2 * total + 25))
    effects = {c.name: c.effect for c in answer.contributions}
    assert effects == pytest.approx(
        {"radscore_tumor": 6, "radscore_ring": 4, RANGE: 4, "log_volume": 8, "age_years": 1, "sex": -2}
    )
    assert answer.contributions[0].name == "log_volume"
    assert answer.value == pytest.approx(2 * 20 - 5 + sum(effects.values()))
    assert said.scores == {"TPS": {"radscore_tumor": 1.0, "radscore_ring": 2.0}}


def test_a_number_and_its_interval_keep_within_the_bounds(numbers):
    (low,) = numbers.answer(given(numbers, Clinical(40, "male"), **{MEAN: -1000.0}), "cpu").answers
    assert (low.value, low.interval) == (0.0, (0.0, 30.0))
    (high,) = numbers.answer(given(numbers, Clinical(40, "male"), **{MEAN: 2000.0}), "cpu").answers
    assert (high.value, high.interval) == (100.0, (70.0, 100.0))


def test_a_clinical_value_that_is_not_known_counts_as_the_mean_and_is_told(numbers):
    said = numbers.answer(given(numbers, Clinical(age_years=60)), "cpu")
    values = {c.name: c.value for c in said.answers[0].contributions}
    assert (values["age_years"], values["sex"]) == (0.0, 0.0)
    (warning,) = said.warnings
    assert (warning.code, warning.text) == (
        "clinical_missing",
        "Not known of the patient: sex. The training mean was used instead.",
    )


def test_a_model_without_network_and_reference_says_so(numbers):
    said = numbers.answer(given(numbers, Clinical(60, "male")), "cpu")
    assert (said.network, said.device, said.heat_maps) == ("none", "cpu", ())
    assert math.isnan(said.atypicality)


def test_clinical_values_become_numbers():
    known = Clinical(age_years=61, sex="female", smoking="former", family_history=True)
    assert clinical_row(known, ("family_history", "smoking", "sex", "age_years")) == (1.0, 1.0, 1.0, 61.0)
    assert all(math.isnan(value) for value in clinical_row(Clinical(), ("sex", "age_years")))


def test_a_network_that_is_given_no_slice_is_told(tiny_model: Path):
    predictor = load_predictor(tiny_model)
    with pytest.raises(InputError, match="needs the slice of the tumor"):
        predictor.answer(given(predictor, Clinical()), "cpu")


def test_a_case_is_predicted_by_a_model_without_a_network(phantom, numbers):
    result = predict_case(phantom.case, numbers, Options(device="cpu"))
    (lesion,) = result.lesions
    assert (result.provenance.network, lesion.heat_maps) == ("none", ())
    assert lesion.endpoints[0].kind == "number"
    (volume,) = [c.value for c in lesion.endpoints[0].contributions if c.name == "log_volume"]
    assert volume == pytest.approx((math.log(lesion.tumor.volume_ml) - 2) / 0.5)


def test_a_number_beside_a_yes_or_no_leaves_that_as_it_was(phantom, tiny_model: Path):
    bundle = read_bundle(tiny_model)
    both, usual = (
        predict_case(phantom.case, load_predictor(one), Options(device="cpu")).lesions[0]
        for one in (with_number(bundle), bundle)
    )
    assert both.endpoints[0] == usual.endpoints[0]
    assert both.endpoints[1].endpoint == "TPS"
    assert [heat.endpoint for heat in both.heat_maps] == ["PDL1"]  # the network has no part in the number


ONE = EndpointModel(
    key="PDL1",
    parts=("volume", "clinical"),
    coefficients={},
    selected=(),
    input_mean=(0.0, 0.0),
    input_sd=(1.0, 1.0),
    method="made up",
    model="none.onnx",
    rule=BinaryRule(2.0, 0.5, (0.5, 0.5), 0.6, BinaryTest(0.8, 0.7, 0.9, 40, 40, p=0.01)),
    title="Volume",
    role="baseline",
    base_rate=0.5,
)


def asked(**more) -> Question:
    """Log-odds of the classifier: the sum of both inputs, here 0.5; calibrated 1.5."""
    row = np.array([1.0, -0.5])
    return Question(ONE, ("log_volume", "sex"), row, lambda rows: rows.sum(axis=1), np.array([[2.0, 0.5]]), 0.9, **more)


def odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


def test_models_of_resampled_cohorts_give_the_uncertainty_of_the_patient():
    resampled = np.array([[1.0, 0.0, 0.1 * n] for n in range(-20, 21)])  # log-odds 1 - 2 to 1 + 2
    answer = answer_to(asked(resampled=resampled))
    low, high = answer.uncertainty
    assert (odds(low), odds(high)) == (pytest.approx(1 - 1.9), pytest.approx(1 + 1.9))  # the middle 95 % of 41
    assert answer.interval == pytest.approx((answer.probability, answer.probability))
    assert answer_to(asked()).uncertainty is None


def test_the_uncertainty_holds_the_answer_itself():
    answer = answer_to(asked(resampled=np.array([[0.0, 0.0, -3.0]])))
    assert answer.uncertainty[1] == answer.probability
    assert odds(answer.uncertainty[0]) == pytest.approx(-3)


def test_moved_contours_give_the_range_of_the_answer():
    answer = answer_to(asked(moved=np.array([[0.5, -0.5], [1.5, -0.5]])))
    assert (odds(answer.stability[0]), odds(answer.stability[1])) == (pytest.approx(0.5), pytest.approx(2.5))
    one_side = answer_to(asked(moved=np.array([[0.5, -0.5]])))
    assert one_side.stability[1] == one_side.probability
    assert answer_to(asked()).stability is None


def test_another_prevalence_shifts_all_log_odds_alike_and_leaves_the_call():
    here = answer_to(asked(moved=np.array([[0.5, -0.5]]), resampled=np.array([[1.0, 0.0, 0.0]])))
    there = answer_to(asked(moved=np.array([[0.5, -0.5]]), resampled=np.array([[1.0, 0.0, 0.0]]), prevalence=0.2))
    shift = odds(0.2) - odds(0.5)
    assert odds(there.probability) - odds(here.probability) == pytest.approx(shift)
    assert odds(there.threshold) - odds(here.threshold) == pytest.approx(shift)
    for ends in ("interval", "uncertainty", "stability"):
        for one, other in zip(getattr(here, ends), getattr(there, ends), strict=True):
            assert odds(other) - odds(one) == pytest.approx(shift)
    assert (there.positive, there.prediction_set) == (here.positive, here.prediction_set)
    assert (here.base_rate, there.base_rate) == (0.5, 0.2)


def test_the_prevalence_of_the_training_changes_nothing():
    assert answer_to(asked(prevalence=0.5)).probability == pytest.approx(answer_to(asked()).probability)


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, math.nan])
def test_a_prevalence_that_is_none_is_refused(share):
    with pytest.raises(InputError, match="must lie between 0 and 1"):
        answer_to(asked(prevalence=share))


def test_a_model_that_does_not_know_its_base_rate_cannot_be_shifted():
    with pytest.raises(InputError, match="does not say how frequent PD-L1 was"):
        answer_to(replace(asked(prevalence=0.2), model=replace(ONE, base_rate=None)))


def test_an_answer_carries_its_model_and_its_verdict():
    answer = answer_to(asked())
    assert (answer.model, answer.role) == ("Volume", "baseline")
    assert answer.verdict.call == "positive"
    synthetic = answer_to(asked(standing=Standing("synthetic", False, Unlike())))
    assert synthetic.verdict.codes == "synthetic_model"


def test_moved_contours_reach_the_answer_and_the_features_of_no_use_may_be_left_out(numbers):
    case = given(numbers, Clinical(60, "male"))
    bigger = Given(dict.fromkeys(numbers.used_features, 10.0), None, VOLUME_ML * math.e, Clinical(60, "male"))
    (answer,) = numbers.answer(replace(case, moved=(bigger,)), "cpu").answers
    assert answer.stability == pytest.approx((answer.value, answer.value + 2 * 4 * 2))  # log volume: 2 SDs more


def test_what_has_too_many_inputs_is_explained_by_parts():
    names = (*(f"deep_{n + 1}" for n in range(10)), "radscore_tumor", "radscore_ring", *"abcdefgh", "sex")
    weights = np.arange(len(names), dtype=float)
    model = EndpointModel(
        key="PDL1",
        parts=("deep", "radscore", "selected", "clinical"),
        coefficients={},
        selected=tuple("abcdefgh"),
        input_mean=(),
        input_sd=(),
        method="made up",
        model="none.onnx",
        rule=BinaryRule(2.0, 0.5, (1.0, 1.0), 0.5, None),
    )
    row = np.ones(len(names))
    answer = answer_to(Question(model, names, row, lambda rows: rows @ weights / 100, np.array([[2.0, 0.5]]), 0.9))
    effects = {c.name: c.effect for c in answer.contributions}
    parts = {"deep_features": weights[:10].sum(), "selected_features": weights[12:20].sum()}
    parts |= {"radscore_tumor": 10.0, "radscore_ring": 11.0, "sex": 20.0}
    assert effects == pytest.approx({name: 0.02 * weight for name, weight in parts.items()})
    values = {c.name: c.value for c in answer.contributions}
    assert math.isnan(values["deep_features"])
    assert values["sex"] == 1.0


@pytest.fixture(scope="module")
def times(tiny_model: Path):
    return load_predictor(with_time(read_bundle(tiny_model)))


def question(predictor, row, **changed) -> Question:
    model = predictor.manifest.endpoints[1]
    asked = Question(
        model=model,
        names=predictor.manifest.inputs(model),
        row=np.array(row),
        score=lambda rows: predictor.score(model, rows),
        calibrations=np.empty((0, 2)),
        coverage=0.9,
    )
    return replace(asked, **changed)


def test_a_time_is_the_baseline_raised_by_the_hazard_with_exact_contributions(times):
    answer = answer_to(question(times, [1.0, 2.0, -1.0, 0.5]))
    log_hazard = 1.5 * (0.3 * 1 + 0.1 * 2 + 0.2 * 1 + 0.4 * 0.5)
    assert answer.log_hazard == pytest.approx(log_hazard)
    assert [one.days for one in answer.at] == [182.625, 365.25, 730.5]
    wanted = [math.exp(-hazard * math.exp(log_hazard)) for hazard in (0.2, 0.5, 1.0)]
    assert [one.survival for one in answer.at] == pytest.approx(wanted)
    assert sum(c.effect for c in answer.contributions) == pytest.approx(log_hazard)
    assert {(one.low, one.high, one.moved) for one in answer.at} == {(0.0, 1.0, None)}  # nothing is known of them


def test_the_interval_of_a_time_is_that_of_the_resampled_models(times):
    table = np.tile(np.r_[1.5 * np.array([0.3, 0.1, -0.2, 0.4]), np.log([0.2, 0.5, 1.0])], (101, 1))
    table[:, 5] += np.linspace(-1, 1, 101)  # the baseline at a year is known to a factor of e
    answer = answer_to(question(times, [0.0, 0.0, 0.0, 0.0], resampled=table))
    half_year, year, _ = answer.at
    assert (half_year.low, half_year.high) == pytest.approx((half_year.survival, half_year.survival))
    ends = [math.exp(-0.5 * math.exp(shift)) for shift in (0.95, -0.95)]
    assert (year.low, year.high) == pytest.approx(ends, abs=1e-4)
    assert (answer.value, answer.interval) == (year.survival, (year.low, year.high))


def test_a_time_under_moved_contours_has_a_range_at_every_time(times):
    moved = np.array([[1.0, 0, 0, 0], [-1.0, 0, 0, 0]])
    answer = answer_to(question(times, [0.0, 0.0, 0.0, 0.0], moved=moved))
    wanted = tuple(math.exp(-0.5 * math.exp(shift)) for shift in (0.45, -0.45))
    assert answer.stability == pytest.approx(wanted)
    assert answer.at[0].moved[0] < answer.at[0].survival < answer.at[0].moved[1]


def test_a_case_is_answered_with_a_yes_or_no_and_a_time(phantom, times):
    (lesion,) = predict_case(phantom.case, times, Options(device="cpu")).lesions
    assert [answer.kind for answer in lesion.endpoints] == ["binary", "time"]


def test_the_features_behind_a_score_are_named_by_their_terms():
    model = replace(ONE, parts=("radscore",), coefficients={"tumor": {MEAN: 0.5, RANGE: -1.5}, "ring": {RING: 1.0}})
    found = features_behind(model, {MEAN: 2.0, RANGE: 2.0, RING: 0.0})
    assert found["radscore_tumor"] == (Behind(RANGE, -0.75), Behind(MEAN, 0.25))  # terms -3 and 1, of 4 together
    assert found["radscore_ring"] == ()  # its term is 0
    answer = answer_to(asked(behind={"log_volume": (Behind(MEAN, 1.0),)}))
    assert {one.name: one.behind for one in answer.contributions}["log_volume"] == (Behind(MEAN, 1.0),)
    assert all(one.behind == () for one in answer.contributions if one.name != "log_volume")


def test_of_many_features_the_five_largest_stand_behind_an_l2_score():
    names = [f"tumor_{n}" for n in range(8)]
    model = replace(ONE, parts=("l2",), l2=dict.fromkeys(names, 1.0))
    found = features_behind(model, {name: float(n) for n, name in enumerate(names)})["l2_score"]
    assert [part.name for part in found] == names[:2:-1]
    assert found[0].share == 7 / 28
