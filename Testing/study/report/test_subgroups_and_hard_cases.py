"""Subgroups, further divisions and hard cases in the study's document and page."""

from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.statistics.subgroups import auc_by_level
from PDL1PredictorLib.study.report.binary.subgroups import in_order, subgroup_numbers
from PDL1PredictorLib.study.report.document import study_document
from PDL1PredictorLib.study.report.hard_cases import MOST, hard_cases
from PDL1PredictorLib.study.report.page import beside, to_html


@pytest.fixture(scope="module")
def binary(folded_study):
    return next(found for found in folded_study.endpoints.values() if found.kind == "binary")


@pytest.fixture(scope="module")
def number(number_study):
    return next(iter(number_study.endpoints.values()))


def test_levels_stand_by_their_numbers_and_other_comes_last():
    levels = ("over 3 mm", "up to 1.5 mm", "over 1.5 to 3 mm", "")
    assert in_order(levels) == ["up to 1.5 mm", "over 1.5 to 3 mm", "over 3 mm"]
    assert in_order(("5 mm or more", "below 5 mm")) == ["below 5 mm", "5 mm or more"]
    assert in_order(("1000 mA or more", "below 1000 mA")) == ["below 1000 mA", "1000 mA or more"]
    assert in_order(("up to 12 mL", "over 12 mL")) == ["up to 12 mL", "over 12 mL"]
    assert in_order(("other", "B30f", "STANDARD")) == ["B30f", "STANDARD", "other"]


def test_the_numbers_are_those_of_the_lead_models_raw_scores(binary):
    found = {one["factor"]: one for one in subgroup_numbers(binary)}
    assert list(found) == ["Sex", "Volume of the tumor"]  # one level of the kernel has hardly a case
    score = binary.binary_models()[binary.lead].score
    patients = np.array(binary.patients)
    own = auc_by_level(binary.labels, score, binary.folds, binary.groups["Sex"], patients=patients, trained=True)
    assert found["Sex"]["p"] == own.p
    assert [level["auc"]["value"] for level in found["Sex"]["levels"]] == [one.auc.value for one in own.levels]
    counts = [level["positive"] + level["negative"] for level in found["Volume of the tumor"]["levels"]]
    assert sum(counts) == sum(1 for level in binary.groups["Volume of the tumor"] if level)


def test_an_endpoint_without_groups_has_no_subgroups(binary):
    assert subgroup_numbers(replace(binary, groups={})) == []


def test_the_hardest_cases_are_wrong_and_come_first(binary):
    found = hard_cases(binary, {})
    model = binary.binary_models()[binary.lead]
    assert 0 < len(found) <= MOST
    assert [one["loss"] for one in found] == sorted((one["loss"] for one in found), reverse=True)
    for one in found:
        row = binary.cases.index(one["case"])
        assert bool(model.positive[row]) != bool(binary.labels[row])
        right = one["answer"] if binary.labels[row] else 1 - one["answer"]
        assert one["loss"] == pytest.approx(-np.log(right))
    wrong = np.flatnonzero(model.positive != (binary.labels == 1))
    p = np.where(binary.labels[wrong] == 1, model.probability[wrong], 1 - model.probability[wrong])
    assert found[0]["case"] == binary.cases[wrong[np.argmin(p)]]


def test_a_case_without_a_call_is_not_hard(binary):
    model = binary.binary_models()[binary.lead]
    first = hard_cases(binary, {})[0]["case"]
    called = np.array([name != first for name in binary.cases])
    silent = replace(binary, models={**binary.models, binary.lead: replace(model, called=called)})
    assert first not in [one["case"] for one in hard_cases(silent, {})]


def test_a_certain_wrong_answer_has_a_finite_loss(binary):
    model = binary.binary_models()[binary.lead]
    sure = replace(model, probability=(1.0 - binary.labels), positive=binary.labels == 0)
    found = hard_cases(replace(binary, models={**binary.models, binary.lead: sure}), {})
    assert all(np.isfinite(one["loss"]) for one in found)


def test_numbers_outside_their_interval_are_hard(number):
    found = hard_cases(number, {})
    model = number.number_models()[number.lead]
    for one in found:
        row = number.cases.index(one["case"])
        assert not model.low[row] <= number.labels[row] <= model.high[row]
        assert one["truth"] == number.labels[row]


def test_warnings_stand_beside_the_case_and_the_page_shows_all(folded_study, binary):
    first = hard_cases(binary, {})[0]["case"]
    warned = replace(folded_study, case_warnings={first: (CaseWarning("ring_cut", "The ring is <cut>."),)})
    document = study_document(warned)
    shown = document["endpoints"][binary.key]
    assert shown["hard_cases"][0]["warnings"] == ["The ring is <cut>."]
    html = to_html(document, beside(warned))
    assert "Hard cases" in html
    assert "The ring is &lt;cut&gt;." in html
    assert "Subgroups" in html
    assert "p of interaction" in html
    assert "<b>30f" not in html


def test_hard_cases_point_to_their_picture_where_there_is_one(study):
    document = study_document(study)
    html = to_html(document, beside(study))
    names = {(one["endpoint"], one["case"]) for one in document["gallery"]}
    hard = {(key, one["case"]) for key, e in document["endpoints"].items() for one in e["hard_cases"]}
    assert names & hard
    for key, case in hard:
        assert (f'href="#picture-{key}-{case}"' in html) == ((key, case) in names)


def test_the_page_shows_the_further_divisions_beside_the_studys_own(study, folded_study):
    document = study_document(study)
    page = to_html(document, beside(study))
    split = [one["redivisions"] for one in document["endpoints"].values() if one["redivisions"]]
    assert split
    assert {len(one) for one in split} == {3}
    assert page.count("Two further divisions") == page.count("Drawn anew, 2") == len(split)
    assert page.count("No model was trained anew") == len(split)
    assert "Two further divisions" not in to_html(study_document(folded_study), beside(folded_study))
