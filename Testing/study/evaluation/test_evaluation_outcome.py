"""Answers of finished models as an outcome: who takes part, what is withheld, how models compare."""

from dataclasses import replace

import numpy as np
import pytest
from known_site import cohort_of, site

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.study.discrimination import area_of, comparison_of
from PDL1PredictorLib.study.evaluation.answered import answered_numbers
from PDL1PredictorLib.study.evaluation.answers import RECALIBRATED, VOLUME, titles_of
from PDL1PredictorLib.study.evaluation.comparison import brier_numbers
from PDL1PredictorLib.study.evaluation.outcome import evaluated_endpoints
from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.report.document import study_document
from PDL1PredictorLib.study.report.estimates import estimates


def one(labels, *models, patients=None):
    found, _ = evaluated_endpoints(cohort_of(labels, patients), models)
    return found["PDL1"]


def test_cases_without_a_label_or_an_answer_take_no_part(model_of):
    model = model_of([0.2, 0.9, 0.4, 0.6])
    del model.cases["c3"]
    found = one([1, None, 0, 1], model)
    assert found.outcome.cases == ("c0", "c2")
    assert found.outcome.counts == {"evaluated": (1, 1)}


def test_the_area_is_that_of_the_probabilities_and_the_volume_stands_beside_it(model_of):
    labels, p = site(200, 1.0, 0.0, 1)
    found = one(list(labels), model_of(p))
    pairs = (p[labels == 1][:, None] > p[labels == 0]).mean()
    assert area_of(found.outcome, "Model").value == pytest.approx(pairs)
    assert area_of(found.outcome, VOLUME).value == pytest.approx(0.5, abs=0.1)
    assert not found.outcome.models[VOLUME].called.any()


def test_answers_that_are_withheld_are_counted_and_measured_apart(model_of):
    labels = np.array([1, 1, 0, 0, 1, 0])
    found = one(list(labels), model_of([0.9, 0.8, 0.1, 0.2, 0.1, 0.9], withheld=np.array([0, 0, 0, 0, 1, 1])))
    said = answered_numbers(found, "Model")
    assert (said["answered"]["cases"], said["answered"]["of"], said["unlike"]["cases"]) == (4, 6, 2)
    assert said["groups"]["answered"]["right"]["value"] == 1.0
    assert said["groups"]["withheld"]["right"]["value"] == 0.0
    assert said["groups"]["answered"]["auc"]["value"] == 1.0
    assert said["reasons"] == [{"code": "unlike_training", "words": "unlike the training cohort", "cases": 2}]


def test_a_better_model_is_found_better_by_pairs(model_of):
    labels, good = site(300, 1.0, 0.0, 2)
    rng = np.random.default_rng(3)
    poor = 1 / (1 + np.exp(-(np.log(good / (1 - good)) + rng.normal(0, 2.0, size=300))))
    found = one(list(labels), model_of(good, "Good"), model_of(poor, "Poor"))
    (row,) = brier_numbers(found.outcome)
    assert (row["model"], row["against"]) == ("Poor", "Good")
    assert row["low"] > 0
    assert row["p"] < 0.01
    test = comparison_of(found.outcome, "Poor", "Good")
    assert test.interval[1] < 0


def test_the_second_model_need_not_answer_all_that_the_first_does(model_of):
    labels, p = site(50, 1.0, 0.0, 4)
    first, second = model_of(p, "First", endpoints=("PDL1", "EGFR")), model_of(p, "Second", endpoints=("EGFR",))
    found, left_out = evaluated_endpoints(cohort_of(list(labels)), [first, second])
    assert list(found) == ["PDL1"]
    assert list(found["PDL1"].answers) == ["First"]
    assert "no such column" in left_out["EGFR"]
    found, left_out = evaluated_endpoints(cohort_of(list(labels)), [first])
    assert list(found) == ["PDL1"]


def test_a_cohort_without_labels_cannot_be_evaluated(model_of):
    with pytest.raises(InputError, match="Fill in the labels"):
        evaluated_endpoints(cohort_of([None, None]), [model_of([0.1, 0.2])])


def test_models_of_one_name_are_told_apart_and_none_is_taken_for_what_stands_beside_them(manifest):
    def named(name):
        return replace(manifest, summary=replace(manifest.summary, name=name))

    names = ["one", "two", "one", RECALIBRATED]
    assert titles_of([named(name) for name in names]) == ["one (1)", "two", "one (3)", "Recalibrated (4)"]


@pytest.mark.parametrize("design", list(Design))
def test_every_design_has_words_for_all_that_is_estimated(design, model_of):
    found = one([1, 0, 1, 0], model_of([0.9, 0.2, 0.7, 0.4]))
    outcome = StudyOutcome(
        title="t",
        recipe="",
        method="",
        roles=found.outcome.roles,
        command="",
        design=design,
        settings={},
        provenance={},
        table_1=[],
        flow=[],
        failed={},
        endpoints={"PDL1": found.outcome},
        left_out={},
        coverage=0.9,
    )
    assert all(row["of"] for row in estimates(outcome))
    assert study_document(outcome)["design"] == design.words
