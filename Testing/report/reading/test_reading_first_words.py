"""What stands before the answers: in the window, the report and the plain lines alike."""

from dataclasses import replace

import pytest

from PDL1PredictorLib.core.verdicts import Reason, Verdict, refused
from PDL1PredictorLib.report.html import to_html
from PDL1PredictorLib.report.json_result import to_json
from PDL1PredictorLib.report.reading.first_words import first_words, unproven_words

NO_SKILL = refused([Reason("no_skill", "AUC 0.52.")])
POSITIVE = Verdict("answered", "positive")


@pytest.fixture
def said(make_result):
    """A function: the first words of a result whose model or tumor was changed."""

    def first(verdict=None, trained_on="patients", **lesion):
        result = make_result()
        one = replace(result.lesions[0], **lesion)
        if verdict is not None:
            one = replace(one, endpoints=tuple(replace(answer, verdict=verdict) for answer in one.endpoints))
        result = replace(result, lesions=(one,), model=replace(result.model, trained_on=trained_on))
        content = to_json(result, False)
        return first_words(content, content["lesions"][0])

    return first


def test_a_model_with_nothing_to_warn_of_says_what_it_is_for(said, make_result):
    words = said(POSITIVE)
    assert words.purpose == f"What this model is for: {make_result().model.intended_use}"
    assert (words.synthetic, words.unlike, words.unproven) == ("", "", "")


def test_a_synthetic_model_says_so_and_that_a_real_ct_is_not_answered(said):
    assert said(POSITIVE, "synthetic").synthetic.startswith("A model of synthetic patients")
    assert "not known to be of a synthetic" not in said(POSITIVE, "synthetic").synthetic
    refusal = refused([Reason("synthetic_model", "Synthetic.")])
    assert said(refusal, "synthetic").synthetic.endswith("nothing is answered.")
    assert said(refusal).synthetic == ""  # the words are the model's, not the reason's


def test_a_tumor_unlike_the_cohort_says_so(said):
    assert said(POSITIVE, atypicality=1.34).unlike.startswith("This tumor is unlike")
    assert said(POSITIVE, atypicality=float("nan")).unlike == ""  # not known


def test_findings_without_proven_skill_are_named(make_result):
    answers = make_result().lesions[0].endpoints[:8]
    mixed = [replace(one, verdict=POSITIVE if n == 1 else NO_SKILL) for n, one in enumerate(answers)]
    assert (
        unproven_words(mixed)
        == "No proven skill, so no answer: PD-L1, Pleural invasion, T4 stage, EGFR, KRAS, ALK and 1 more."
    )
    assert unproven_words(mixed[:3]) == "No proven skill, so no answer: PD-L1, Pleural invasion."
    assert unproven_words([mixed[0]]).startswith("No proven skill: on its test cases")
    assert unproven_words([mixed[1]]) == ""


def test_the_report_says_the_same_before_its_answers(make_result):
    result = make_result()
    lesion = result.lesions[0]
    all_refused = tuple(replace(answer, verdict=NO_SKILL) for answer in lesion.endpoints)
    page = to_html(replace(result, lesions=(replace(lesion, endpoints=all_refused),)), False)
    assert page.index(unproven_words(all_refused)) < page.index('class="card answer"')
    assert "No proven skill:" not in to_html(result, False)


def test_a_result_of_the_first_version_has_first_words(make_result):
    content = to_json(make_result(), False)
    content["model"] = {"title": "Old", "version": "1"}
    lesion = {**content["lesions"][0], "unlike": None}
    assert first_words(content, lesion).purpose == ""
