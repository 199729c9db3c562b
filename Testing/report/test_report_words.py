"""The words for an answer, and the summary for the terminal."""

from dataclasses import replace

import pytest

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.results import BinaryAnswer, Unlike, UnlikePart
from PDL1PredictorLib.core.verdicts import Reason, Verdict, refused
from PDL1PredictorLib.report.kinds import verdict
from PDL1PredictorLib.report.notebook import brief
from PDL1PredictorLib.report.text import WIDTH, summary
from PDL1PredictorLib.report.words import (
    atypical,
    feature_title,
    heat_sentence,
    lead,
    lead_key,
    likeness,
    p_value,
    percent,
    percent_range,
    synthetic,
)


def prediction(call, prediction_set, endpoint="PDL1", positive=True, **known):
    given = refused([Reason("no_skill", "AUC 0.5.")]) if call == "none" else Verdict("answered", call)
    return BinaryAnswer(endpoint, 0.6, (0.5, 0.7), 0.48, positive, prediction_set, 0.9, (), verdict=given, **known)


@pytest.mark.parametrize(
    ("call", "prediction_set", "short", "headline"),
    [
        ("positive", ("positive",), "positive", "predicted positive (TPS >= 1 %)"),
        ("undecided", ("negative", "positive"), "undecided", "undecided at 90 % coverage: neither answer can be ruled"),
        ("undecided", (), "unlike both", "undecided: unlike both groups"),
        ("undecided", ("negative",), "undecided", "undecided: threshold and coverage disagree"),
        ("borderline", ("positive",), "borderline", "borderline: the calibration interval reaches across"),
        ("none", ("positive",), "not answered", "not answered: no proven skill"),
    ],
)
def test_every_verdict_has_words(call, prediction_set, short, headline):
    answer = verdict(prediction(call, prediction_set))
    assert (answer.kind, answer.short) == (call, short)
    assert answer.headline.startswith(headline)


def test_the_page_words_the_verdict_and_never_decides():
    whatever = prediction("positive", ("negative", "positive"), positive=True)
    assert verdict(whatever).kind == "positive"


def test_a_borderline_answer_says_which_of_its_ranges_reaches_across():
    patient = prediction("borderline", ("positive",), uncertainty=(0.4, 0.7), stability=(0.55, 0.65))
    assert verdict(patient).headline == "borderline: the interval of the patient reaches across the threshold"
    moved = prediction("borderline", ("positive",), uncertainty=(0.5, 0.7), stability=(0.47, 0.65))
    assert "under contours moved by 1 mm reaches across" in verdict(moved).headline


def test_other_endpoints_use_their_own_words():
    assert verdict(prediction("positive", ("positive",), "EGFR")).headline == "predicted mutant"
    assert verdict(prediction("negative", ("negative",), "LVI", positive=False)).short == "absent"
    assert verdict(prediction("positive", ("positive",), "ALK")).short == "rearranged"
    assert "only wild type is left" in verdict(prediction("undecided", ("negative",), "EGFR")).detail


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
    assert atypical(replace(lesion, atypicality=1.34)).startswith("This tumor is unlike those that the model learned")
    parts = (UnlikePart("sanity", 0.008, "air inside the outline 7 SD above"), UnlikePart("deep", 0.3, "the picture"))
    said = atypical(replace(lesion, unlike=Unlike(0.008, parts, True)))
    assert "learned from: air inside the outline 7 SD above." in said
    assert "At most 0.8 % of cases" in said


def test_the_share_of_the_heat_is_said_and_whether_it_looks_outside(make_result):
    (heat_map, *_) = make_result().lesions[0].heat_maps
    inside = "31 % of the heat lies inside tumor and ring, which fill 12 % of what the network saw."
    assert heat_sentence(heat_map) == inside
    assert heat_sentence(replace(heat_map, heat_share=0.05)).endswith(
        "12 % of what the network saw: the network looks outside the tumor."
    )
    assert heat_sentence(replace(heat_map, heat_share=None)) == ""


def test_a_synthetic_model_says_so_in_the_first_line(make_result):
    result = make_result()
    assert synthetic(result.model) == ""
    made_up = replace(result, model=replace(result.model, trained_on="synthetic"))
    assert summary(made_up).startswith("A model of synthetic patients: it learned from computed pictures")
    assert brief(made_up).startswith("A model of synthetic patients")


def test_a_model_without_a_reference_says_that_likeness_is_not_known(with_number):
    lesion = with_number.lesions[0]
    assert atypical(lesion) == ""
    assert likeness(lesion.atypicality) == "not known for this model"
    assert likeness(0.584) == "0.58"
    assert "How like the training cases this tumor is: not known for this model." in summary(with_number)


def test_the_summary_has_a_table_for_each_kind_of_answer(with_number):
    lines = summary(with_number).splitlines()
    assert "Network: none, this model sees no picture" in lines
    heads = [line.split() for line in lines if line.split()[:1] in (["value"], ["probability"])]
    assert heads == [["value", "90", "%", "PI"], ["probability", "95", "%", "calibration", "answer"]]
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
    first = [row for row in rows if not row.endswith("not answered: unlike the training cohort")]
    assert (len(first), len(rows)) == (4, 7)  # three answers of the first tumor, with what stands beside the first
    assert len({row.index("%") for row in first[:3]}) == 1
    assert "predicted positive (TPS >= 1 %)" in rows[0]
    assert first[3].startswith("  PD-L1: threshold 48 %, base rate 33 %, sensitivity 78 % (64 to 88 %)")
    assert not any("%" in row for row in rows if row not in first)  # no number of what is not answered
    assert "  ! A third of the ring lies in the chest wall." in lines
    assert "No answer is given for it." in text.replace("\n    ", " ")
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
