"""A result in a notebook: every answer with its verdict, every warning told, nothing obeyed."""

from dataclasses import replace

import pytest
from markupsafe import escape

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.answer_parts import Contribution
from PDL1PredictorLib.core.results import CaseResult, CaseWarning, NumberAnswer
from PDL1PredictorLib.core.verdicts import Verdict
from PDL1PredictorLib.report.answer_rows import AnswerRow, answer_rows
from PDL1PredictorLib.report.kinds import verdict
from PDL1PredictorLib.report.notebook import brief, to_notebook

NUMBER = NumberAnswer(
    "TPS", 12.4, (0.0, 48.7), 0.9, (Contribution("deep_1", 0.5, 2.0),), verdict=Verdict("answered", "value")
)


@pytest.fixture
def result(make_result) -> CaseResult:
    return make_result(lesions=2)


def test_a_line_a_tumor_with_the_lead_answer_and_its_verdict(result):
    assert brief(result).splitlines() == [
        "case 7, tumor 1 of 2: PD-L1 62 % (48 to 74 %), predicted positive (TPS >= 1 %); 2 warnings",
        "case 7, tumor 2 of 2: PD-L1 not answered: unlike the training cohort; 1 warning",
        "Research use only.",
    ]


def test_a_line_of_one_tumor_without_warnings_or_answers(make_result):
    result = make_result()
    bare = replace(result, warnings=(), lesions=(replace(result.lesions[0], warnings=()),))
    assert brief(bare).splitlines()[0] == "case 7: PD-L1 62 % (48 to 74 %), predicted positive (TPS >= 1 %)"
    silent = replace(bare, lesions=(replace(bare.lesions[0], endpoints=()),))
    assert brief(silent).splitlines()[0] == "case 7: no answer"
    assert "no answer" in to_notebook(silent)


def test_a_row_an_answer_and_the_same_columns_in_each(result):
    rows = answer_rows(result)
    assert [(row["lesion"], row["endpoint"]) for row in rows] == [
        (lesion.index, answer.endpoint) for lesion in result.lesions for answer in lesion.endpoints
    ]
    assert {tuple(row) for row in rows} == {tuple(AnswerRow.__annotations__)}
    assert rows[0] == {
        "case": "case 7",
        "lesion": 1,
        "endpoint": "PDL1",
        "title": "PD-L1",
        "kind": "binary",
        "probability": 0.62,
        "value": None,
        "survival": None,
        "unit": "",
        "low": 0.52,
        "high": 0.73,
        "threshold": 0.48,
        "verdict": "answered",
        "call": "positive",
        "reasons": "",
        "verdict_text": "predicted positive (TPS >= 1 %)",
        "stability": pytest.approx(0.05),
        "withheld": None,
        "base_rate": 0.33,
        "model": "Deep-RadScore",
        "atypicality": 0.58,
        "warnings": "thick_slices ring_cut",
    }


def test_a_row_of_what_is_not_answered_has_its_number_apart(result):
    row = next(row for row in answer_rows(result) if row["lesion"] == 2)
    assert (row["verdict"], row["call"], row["reasons"]) == ("not_answered", "none", "unlike_training")
    assert (row["probability"], row["low"], row["high"]) == (None, None, None)
    assert row["withheld"] == pytest.approx(0.69)


def test_a_number_has_a_row_too(make_result):
    result = make_result()
    lesion = replace(result.lesions[0], endpoints=(NUMBER,))
    result = replace(result, lesions=(lesion,))
    (row,) = answer_rows(result)
    assert (row["kind"], row["probability"], row["value"], row["unit"]) == ("number", None, 12.4, "%")
    assert (row["low"], row["high"], row["threshold"], row["verdict"]) == (0.0, 48.7, None, "answered")
    assert brief(result).startswith("case 7: PD-L1 TPS 12 % (0 to 49 %), 90 % prediction interval")
    assert "90\u00a0% prediction interval" in to_notebook(result)


def test_where_nothing_is_known_of_the_training_cases_it_is_said(make_result):
    result = make_result()
    unknown = replace(result, lesions=(replace(result.lesions[0], atypicality=float("nan")),))
    assert "not known for this model" in to_notebook(unknown)
    assert "not known for this model" not in to_notebook(result)


def test_the_table_has_every_answer_with_its_verdict_and_every_warning(result):
    page = to_notebook(result)
    assert RESEARCH_USE_ONLY in page
    assert result.model.intended_use in page
    for lesion in result.lesions:
        for answer in lesion.endpoints:
            assert verdict(answer).headline.split(":")[0].replace(">=", "≥").replace(" %", "\u00a0%") in page
        for warning in (*result.warnings, *lesion.warnings):
            assert escape(warning.text.replace(" mm", "\u00a0mm")) in page
    assert page.count("is unlike those that the model learned from") == 1  # the second tumor
    assert page.index("is unlike those") < page.rindex("<table")


def test_names_and_warnings_are_escaped_and_nothing_is_obeyed(make_result):
    nasty = "<script>alert(1)</script>\u202e"
    result = replace(make_result(), case=nasty, warnings=(CaseWarning("x", nasty),))
    page = to_notebook(result)
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;?") == 2
    assert "<script" not in page
    assert "\u202e" not in page + brief(result)
