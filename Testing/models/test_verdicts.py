"""The verdict: every reason trips it, and nothing else does; calls follow from set, intervals and threshold."""

from dataclasses import replace

import pytest

from PDL1PredictorLib.core.answer_parts import NumberTest, SurvivalAt, TimeAnswer, TimeTest
from PDL1PredictorLib.core.results import BinaryAnswer, NumberAnswer, Unlike, UnlikePart
from PDL1PredictorLib.core.verdicts import NOT_JUDGED, Reason, Verdict, refused
from PDL1PredictorLib.models.schema.endpoints import BinaryRule, EndpointModel, Linear, NumberRule, TimeRule
from PDL1PredictorLib.models.schema.tests import BinaryTest
from PDL1PredictorLib.models.verdicts import WIDEST, Standing, verdict_of

GOOD = BinaryTest(0.75, 0.62, 0.85, 40, 60, "nested", 5, 0.004)
MODEL = EndpointModel(
    key="PDL1",
    parts=("volume",),
    coefficients={},
    selected=(),
    input_mean=(0.0,),
    input_sd=(1.0,),
    method="logistic regression",
    model="none.onnx",
    rule=BinaryRule(1.0, 0.0, (0.5, 0.5), 0.4, GOOD),
)
SCORE = NumberTest(96, 441.0, 576.0, 16.2, 0.23, 0.1, 0.35)
NUMBER = replace(
    MODEL, key="TPS", model=Linear((1.0,), 0.0), rule=NumberRule(1.0, 0.0, (0.0, 100.0), 30.0, SCORE), method="ridge"
)
LIKE = Standing("patients", False, Unlike(0.4, (UnlikePart("sanity", 0.4, "volume 1 SD above"),)))
FAR = Unlike(
    0.01, (UnlikePart("sanity", 0.01, "air inside the outline 9 SD above"), UnlikePart("deep", 0.3, "x")), True
)
POSITIVE = BinaryAnswer("PDL1", 0.7, (0.6, 0.8), 0.4, True, ("positive",), 0.9, ())
VALUE = NumberAnswer("TPS", 30.0, (5.0, 60.0), 0.9, ())


TIME = replace(
    MODEL,
    key="PFS",
    model=Linear((1.0,), 0.0),
    rule=TimeRule(1.0, (365.25,), (0.5,), (40,), TimeTest(90, 60, 0.66, 0.6, 0.72)),
)
CHANCE = TimeAnswer("PFS", (SurvivalAt(365.25, 0.6, 0.4, 0.8),), 0.1, ())


def test_a_time_is_answered_where_its_score_is_proven_and_its_chance_known():
    assert verdict_of(CHANCE, TIME, LIKE) == Verdict("answered", "value")
    chance = replace(TIME, rule=replace(TIME.rule, test=TimeTest(90, 60, 0.55, 0.5, 0.6)))
    (reason,) = verdict_of(CHANCE, chance, LIKE).reasons
    assert (reason.code, "Harrell's C 0.55 (95 % interval 0.50 to 0.60)" in reason.text) == ("no_skill", True)
    wide = replace(CHANCE, at=(SurvivalAt(365.25, 0.6, 0.1, 0.9),))
    (reason,) = verdict_of(wide, TIME, LIKE).reasons
    assert reason.code == "interval_too_wide"
    assert reason.text == "The chance is known to be 10 to 90 % only, too little to be of use."
    assert [r.code for r in verdict_of(CHANCE, replace(TIME, rule=replace(TIME.rule, test=None)), LIKE).reasons] == [
        "not_measured"
    ]


def with_test(test: BinaryTest | NumberTest | None, model: EndpointModel = MODEL) -> EndpointModel:
    return replace(model, rule=replace(model.rule, test=test))


def test_a_tested_model_answers_for_a_case_like_its_own():
    assert verdict_of(POSITIVE, MODEL, LIKE) == Verdict("answered", "positive")
    negative = replace(POSITIVE, probability=0.1, interval=(0.05, 0.2), positive=False, prediction_set=("negative",))
    assert verdict_of(negative, MODEL, LIKE) == Verdict("answered", "negative")
    assert verdict_of(VALUE, NUMBER, LIKE) == Verdict("answered", "value")


@pytest.mark.parametrize(
    ("answer", "model", "standing", "code", "words"),
    [
        (POSITIVE, MODEL, replace(LIKE, trained_on="synthetic"), "synthetic_model", "says nothing about a patient"),
        (POSITIVE, MODEL, replace(LIKE, unlike=FAR), "unlike_training", "air inside the outline 9 SD above."),
        (POSITIVE, with_test(replace(GOOD, low=0.5)), LIKE, "no_skill", "AUC 0.75 (95 % interval 0.50 to 0.85)"),
        (
            POSITIVE,
            with_test(replace(GOOD, auc=0.4, low=0.3, high=0.5)),
            LIKE,
            "no_skill",
            "0.5 is no better than chance",
        ),
        (POSITIVE, with_test(replace(GOOD, p=0.06)), LIKE, "no_skill", "shuffled answers do as well in 6 % of tries"),
        (POSITIVE, with_test(None), LIKE, "not_measured", "not measured on cases that it had not seen"),
        (replace(POSITIVE, interval=(0.2, 0.81)), MODEL, LIKE, "interval_too_wide", "to be 20 to 81 % only"),
        (replace(POSITIVE, uncertainty=(0.1, 0.9)), MODEL, LIKE, "interval_too_wide", "to be 10 to 90 % only"),
        (VALUE, NUMBER, replace(LIKE, trained_on="synthetic"), "synthetic_model", "synthetic patients"),
        (
            VALUE,
            with_test(replace(SCORE, r2_low=0.0), NUMBER),
            LIKE,
            "no_skill",
            "R2 0.23 (95 % interval 0.00 to 0.35)",
        ),
        (VALUE, with_test(None, NUMBER), LIKE, "not_measured", "not measured"),
        (replace(VALUE, interval=(0.0, 91.0)), NUMBER, LIKE, "interval_too_wide", "to be 0 to 91 only"),
    ],
)
def test_every_reason_takes_the_answer_back(answer, model, standing, code, words):
    found = verdict_of(answer, model, standing)
    assert (found.status, found.call, found.codes) == ("not_answered", "none", code)
    assert words in found.reasons[0].text


@pytest.mark.parametrize(
    ("answer", "model", "standing"),
    [
        (POSITIVE, MODEL, Standing("synthetic", True, Unlike())),  # a synthetic patient by a synthetic model
        (POSITIVE, MODEL, replace(LIKE, unlike=Unlike())),  # nothing is known of the training cohort
        (POSITIVE, with_test(replace(GOOD, low=0.501)), LIKE),
        (POSITIVE, with_test(replace(GOOD, p=0.05)), LIKE),
        (POSITIVE, with_test(replace(GOOD, p=None)), LIKE),
        (replace(POSITIVE, interval=(0.05, 0.95), uncertainty=(0.41, 0.8)), replace(MODEL), LIKE),
        (replace(VALUE, interval=(0.0, 90.0)), NUMBER, LIKE),
    ],
)
def test_what_is_just_good_enough_is_answered(answer, model, standing):
    assert verdict_of(answer, model, standing).answered


def test_all_reasons_are_told_the_weightiest_first():
    standing = Standing("synthetic", False, FAR)
    found = verdict_of(replace(POSITIVE, interval=(0.1, 0.9)), with_test(replace(GOOD, low=0.4)), standing)
    assert found.codes == "synthetic_model unlike_training no_skill interval_too_wide"


@pytest.mark.parametrize(
    ("change", "call"),
    [
        ({"prediction_set": ("negative", "positive")}, "undecided"),
        ({"prediction_set": ("negative",)}, "undecided"),
        ({"prediction_set": ()}, "undecided"),
        ({"interval": (0.39, 0.8)}, "borderline"),
        ({"uncertainty": (0.3, 0.85)}, "borderline"),
        ({"stability": (0.35, 0.72)}, "borderline"),
        ({"interval": (0.4, 0.8)}, "positive"),  # the threshold itself is positive
        ({"interval": (0.39, 0.8), "prediction_set": ("negative", "positive")}, "undecided"),
        ({"uncertainty": (0.5, 0.85), "stability": (0.65, 0.75)}, "positive"),
    ],
)
def test_a_call_is_taken_back_where_set_or_intervals_do_not_bear_it_out(change, call):
    found = verdict_of(replace(POSITIVE, **change), MODEL, LIKE)
    assert (found.status, found.call) == ("answered", call)


def test_unlike_both_groups_is_told_apart_from_unlike_the_training_cohort():
    outside = verdict_of(replace(POSITIVE, prediction_set=()), MODEL, LIKE)
    assert (outside.call, outside.codes) == ("undecided", "outside_set")
    assert verdict_of(replace(POSITIVE, prediction_set=()), MODEL, replace(LIKE, unlike=FAR)).codes == "unlike_training"


def test_a_negative_answer_whose_interval_ends_at_the_threshold_is_borderline():
    negative = replace(POSITIVE, probability=0.3, interval=(0.2, 0.4), positive=False, prediction_set=("negative",))
    assert verdict_of(negative, MODEL, LIKE).call == "borderline"
    assert verdict_of(replace(negative, interval=(0.2, 0.399)), MODEL, LIKE).call == "negative"


def test_the_widest_interval_that_is_of_use_is_stated():
    edge = replace(POSITIVE, interval=(0.4, 0.4 + WIDEST), uncertainty=None)
    assert verdict_of(edge, MODEL, LIKE).answered


@pytest.mark.parametrize(
    ("status", "call", "reasons", "words"),
    [
        ("perhaps", "positive", (), "is no verdict"),
        ("answered", "maybe", (), "is no verdict"),
        ("answered", "none", (), "cannot have the call"),
        ("not_answered", "positive", (Reason("no_skill", "x"),), "cannot have the call"),
        ("not_answered", "none", (), "needs a reason"),
    ],
)
def test_a_verdict_that_contradicts_itself_cannot_be(status, call, reasons, words):
    with pytest.raises(ValueError, match=words):
        Verdict(status, call, reasons)


def test_a_reason_has_a_known_code():
    with pytest.raises(ValueError, match="'mood' is no reason; known are synthetic_model"):
        Reason("mood", "x")


def test_an_answer_that_nobody_judged_is_none():
    assert POSITIVE.verdict == NOT_JUDGED
    assert not NOT_JUDGED.answered
    assert refused([Reason("no_skill", "x")]).to_dict() == {
        "status": "not_answered",
        "call": "none",
        "reasons": [{"code": "no_skill", "text": "x"}],
    }


def test_a_simpler_model_that_was_as_good_is_named_beside_the_answer_and_not_beside_a_refusal():
    asked = replace(MODEL, title="Deep", simpler="Tumor volume")
    found = verdict_of(POSITIVE, asked, LIKE)
    assert (found.call, found.codes) == ("positive", "simpler_as_good")
    assert found.reasons[0].text.startswith(
        "Tumor volume, a simpler model, was as good on held-out cases; Deep answers"
    )
    assert verdict_of(POSITIVE, asked, replace(LIKE, unlike=FAR)).codes == "unlike_training"
    assert verdict_of(POSITIVE, MODEL, LIKE).codes == ""
