"""Outer folds repeated: other divisions, answers in one order, progress and cancelling; models that learn nothing."""

from dataclasses import replace

import numpy as np
import pytest
from toy_yes_no import LEAD, SIZE, YesNoRecipe, yes_no_cohort

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import CancelledError, InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.study.discrimination import area_of
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.run import StudyRun, run_study
from PDL1PredictorLib.study.setup import Study

RECIPE = YesNoRecipe(design=Design.NESTED, n_folds=3, outer_repeats=2)


def study(recipe: YesNoRecipe = RECIPE, **signal: float) -> Study:
    cohort = yes_no_cohort(90, 0, **signal)
    return Study(cohort, cohort.names, recipe, workers=1, groups={"side": ["left", ""] * 45})


@pytest.fixture(scope="module")
def twice() -> StudyRun:
    return run_study(study(trait_area=0.8, volume_area=0.65))


@pytest.fixture(scope="module")
def outcome(twice: StudyRun) -> EndpointOutcome:
    return twice.endpoints["PDL1"]


def test_every_repetition_divides_the_cases_anew_and_tests_each_once(outcome: EndpointOutcome):
    assert outcome.folds.shape == outcome.models[LEAD].score.shape == (2, 90)
    for row in outcome.folds:
        assert sorted(np.bincount(row)) == [30, 30, 30]
    together = [fold[:, None] == fold for fold in outcome.folds]
    assert (together[0] != together[1]).any()


def test_the_first_repetition_is_that_of_a_study_without_others(outcome: EndpointOutcome):
    once = run_study(study(replace(RECIPE, outer_repeats=1), trait_area=0.8, volume_area=0.65)).endpoints["PDL1"]
    np.testing.assert_array_equal(once.models[LEAD].score[0], outcome.models[LEAD].score[0])
    np.testing.assert_array_equal(once.models[LEAD].probability, outcome.models[LEAD].probability)
    assert once.cases == outcome.cases


def test_scores_folds_patients_and_groups_stand_beside_their_cases(outcome: EndpointOutcome, twice: StudyRun):
    assert outcome.patients == outcome.cases
    assert all(
        (name == "left") == (int(case[-4:]) % 2 == 0)
        for case, name in zip(outcome.cases, outcome.groups["side"], strict=True)
    )
    for number, fold in enumerate(twice.folds):
        mine = np.flatnonzero(outcome.folds[0] == number)
        assert {outcome.cases[row] for row in mine} == {f"case_{row:04}" for row in fold.test}


def test_the_volume_ranks_as_it_is_whatever_its_logistic_says(outcome: EndpointOutcome):
    size = outcome.models[SIZE]
    np.testing.assert_array_equal(size.score[0], size.score[1])
    assert size.fixed_score
    assert not outcome.models[LEAD].fixed_score


def test_of_further_repetitions_only_scores_are_kept(twice: StudyRun):
    assert len(twice.folds) == 3


def test_progress_tells_every_training_and_ends_at_one():
    told: list[tuple[float, str]] = []
    run_study(study(), Progress(lambda stage, fraction, text: told.append((fraction, text))))
    folds = [text for _, text in told if text.endswith("of 6")]
    assert folds == [f"fold {number + 1} of 6" for number in range(6)]
    fractions = [fraction for fraction, _ in told]
    assert fractions == sorted(fractions)


def test_a_study_is_cancelled_in_its_second_repetition():
    seen: list[str] = []
    progress = Progress(lambda stage, fraction, text: seen.append(text), lambda: "fold 4 of 6" in seen)
    with pytest.raises(CancelledError):
        run_study(study(), progress)
    assert "fold 5 of 6" not in seen


def test_a_volume_that_is_smaller_in_positives_is_ranked_but_calls_nothing():
    outcome = run_study(study(replace(RECIPE, outer_repeats=1), volume_area=0.1)).endpoints["PDL1"]
    assert area_of(outcome, SIZE).value < 0.2
    assert not outcome.models[SIZE].called.any()
    assert not outcome.models[SIZE].positive.any()


@pytest.mark.parametrize("repeats", [0, 101])
def test_impossible_repetitions_are_refused(repeats: int):
    with pytest.raises(InputError, match="outer_repeats must lie between 1 and 100"):
        replace(RECIPE, outer_repeats=repeats)
