"""The words for an answer, and the summary for the terminal."""

from dataclasses import replace

import pytest

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.results import BinaryAnswer
from PDL1PredictorLib.report.kinds import verdict
from PDL1PredictorLib.report.text import WIDTH, summary
from PDL1PredictorLib.report.words import (
    atypical,
    feature_title,
    lead,
    lead_key,
    likeness,
    p_value,
    percent,
    percent_range,
)


def prediction(positive, prediction_set, endpoint="PDL1"):
    return BinaryAnswer(endpoint, 0.6, (0.5, 0.7), 0.48, positive, prediction_set, 0.9, ())


@pytest.mark.parametrize(
    ("positive", "prediction_set", "kind", "headline"),
    [
        (True, ("positive",), "positive", "predicted positive (TPS >= 1 %)"),
        (False, ("negative",), "negative", "predicted negative (TPS < 1 %)"),
        (True, ("negative", "positive"), "undecided", "undecided at 90 % coverage: neither answer can be ruled out"),
        (True, (), "unlike", "unlike both groups"),
        (True, ("negative",), "undecided", "undecided: threshold and coverage disagree"),
        (False, ("positive",), "undecided", "undecided: threshold and coverage disagree"),
    ],
)
def test_a_call_is_taken_back_where_the_prediction_set_does_not_bear_it_out(positive, prediction_set, kind, headline):
    answer = verdict(prediction(positive, prediction_set))
    assert (answer.kind, answer.headline) == (kind, headline)


def test_other_endpoints_use_their_own_words():
    assert verdict(prediction(True, ("positive",), "EGFR")).headline == "predicted mutant"
    assert verdict(prediction(False, ("negative",), "LVI")).short == "absent"
    assert "only wild type is left" in verdict(prediction(True, ("negative",), "EGFR")).detail


@pytest.mark.parametrize(
    ("share", "words"), [(0.0, "0 %"), (0.004, "< 1 %"), (0.62, "62 %"), (0.996, "> 99 %"), (1.0, "100 %")]
)
def test_rounding_never_makes_an_answer_certain(share, words):
    assert percent(share) == words


def test_a_range_names_its_unit_once():
    assert percent_range((0.48, 0.74)) == "48 to 74 %"
    assert percent_range((0.001, 0.999)) == "< 1 to > 99 %"


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("deep_3", "deep feature 3"),
        ("radscore_tumor", "RadScore, tumor"),
        ("radscore_ring", "RadScore, peritumoral ring"),
        ("tumor_wavelet-LLH_glcm_Contrast", "Contrast (GLCM, wavelet LLH), tumor"),
        ("ring_original_firstorder_RootMeanSquared", "Root Mean Squared (first order), peritumoral ring"),
        ("age_years", "age in years"),
        ("family_history", "family history"),
    ],
)
def test_inputs_have_names_for_people(name, title):
    assert feature_title(name) == title


def test_pdl1_stands_first_wherever_the_model_has_it(make_result):
    lesion = make_result().lesions[0]
    turned = replace(lesion, endpoints=lesion.endpoints[::-1])
    assert lead(turned).endpoint == "PDL1"
    assert lead(replace(lesion, endpoints=lesion.endpoints[1:])).endpoint == "LVI"
    assert lead(replace(lesion, endpoints=())) is None


def test_an_unlike_case_is_said_to_be_one(make_result):
    lesion = make_result().lesions[0]
    assert atypical(lesion) == ""
    assert "1.3 times the limit" in atypical(replace(lesion, atypicality=1.34))


def test_a_model_without_a_reference_says_that_likeness_is_not_known(with_number):
    lesion = with_number.lesions[0]
    assert atypical(lesion) == ""
    assert likeness(lesion.atypicality) == "not known for this model"
    assert likeness(0.584) == "0.58"
    assert "How like the training cases this tumor is: not known for this model." in summary(with_number)


def test_the_summary_has_a_table_for_each_kind_of_answer(with_number):
    lines = summary(with_number).splitlines()
    assert "Network: none, this model sees no picture" in lines
    heads = [line.split() for line in lines if "interval" in line]
    assert heads == [["value", "90", "%", "prediction", "interval"], ["probability", "95", "%", "interval", "answer"]]
    assert next(line for line in lines if line.startswith("  PD-L1 TPS")).split()[2:] == [
        "35",
        "%",
        "12",
        "to",
        "61",
        "%",
    ]


def test_the_summary_has_aligned_columns_warnings_and_the_research_line(make_result):
    text = summary(make_result(lesions=2))
    lines = text.splitlines()
    rows = [line for line in lines if line.startswith(("  PD-L1", "  EGFR", "  Lymphovascular"))]
    assert len(rows) == 6
    assert len({row.index("%") for row in rows}) == 1
    assert "predicted positive (TPS >= 1 %)" in rows[0]
    assert "  ! A third of the ring lies in the chest wall." in lines
    assert "Do not rely on the answers below." in text.replace("\n    ", " ")
    assert text.index("! The CT's slices") < text.index("Tumor 1 of 2")
    assert " ".join(text.split()).endswith(RESEARCH_USE_ONLY)
    assert f"What it is for: {make_result().model.intended_use}" in " ".join(text.split())
    assert max(len(line) for line in lines) <= WIDTH
    assert text.isascii()


def test_the_summary_does_not_pass_on_control_characters(make_result):
    text = summary(make_result(name="Müller\x1b[2J患者"))
    assert "\x1b" not in text
    assert "Müller?[2J患者" in text


@pytest.mark.parametrize(("keys", "first"), [(["EGFR", "PDL1"], "PDL1"), (["LVI", "EGFR"], "LVI"), ([], None)])
def test_pd_l1_stands_first_else_what_the_model_names_first(keys, first):
    assert lead_key(keys) == first


@pytest.mark.parametrize(
    ("p", "shown"), [(0.0004, "< 0.001"), (0.001, "0.001"), (0.04213, "0.042"), (None, "–"), (float("nan"), "–")]
)
def test_a_p_is_given_as_journals_print_it(p, shown):
    assert p_value(p) == shown
