"""Further divisions of a study: drawn anew, by patient, every case answered by models that have not seen it."""

from dataclasses import replace

import numpy as np
import pytest
from toy_yes_no import LEAD, SIZE, VOLUME, YesNoRecipe, yes_no_cohort

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.statistics.scores import limited_log_odds
from PDL1PredictorLib.study.held_out.redivisions import N_FURTHER, redivisions_of
from PDL1PredictorLib.study.outcome import OF_TEST, Redivision
from PDL1PredictorLib.study.report.binary.redivisions import redivision_numbers
from PDL1PredictorLib.study.report.kinds import kind_report
from PDL1PredictorLib.study.run import StudyRun, run_study
from PDL1PredictorLib.study.setup import Study

N = 160


def study_of(seed: int = 0, trait_area: float = 0.75, **changes) -> Study:
    """Two tumors of every patient."""
    cohort = yes_no_cohort(N, seed, trait_area=trait_area, volume_area=0.7)
    return Study(cohort, [f"p{i // 2:03}" for i in range(N)], YesNoRecipe(seed=seed, **changes), workers=1)


@pytest.fixture(scope="module")
def study() -> Study:
    return study_of()


@pytest.fixture(scope="module")
def run(study: Study) -> StudyRun:
    return run_study(study)


def rows_of(study: Study, found: Redivision) -> np.ndarray:
    """Of a drawn set in the cohort, told by the volumes, which are all different."""
    column = study.cohort.feature_names.index(VOLUME)
    volumes = np.log(study.cohort.features[:, column] / 1000)
    rows = [int(np.argmin(np.abs(volumes - score))) for score in found.scores[SIZE]]
    np.testing.assert_allclose(volumes[rows], found.scores[SIZE], atol=1e-9)
    return np.array(rows)


def test_two_sets_of_the_same_size_are_drawn_by_patient_from_all_cases(study: Study, run: StudyRun):
    outcome = run.endpoints["PDL1"]
    assert len(outcome.redivisions) == N_FURTHER
    fold, drawn = run.folds[0], [rows_of(study, found) for found in outcome.redivisions]
    assert not np.array_equal(*drawn)
    for found, rows in zip(outcome.redivisions, drawn, strict=True):
        assert abs(len(rows) - len(fold.test)) <= 8  # whole patients
        assert found.labels.mean() == pytest.approx(outcome.labels.mean(), abs=0.1)
        inside = {study.patients[row] for row in rows}
        assert not inside & {study.patients[row] for row in np.setdiff1d(np.arange(N), rows)}
        assert found.patients == tuple(study.patients[row] for row in rows)
        assert 0 < found.n_own == np.isin(rows, fold.test).sum() < len(rows)
        np.testing.assert_array_equal(found.labels, study.cohort.labels[rows, 0])


def test_every_case_is_answered_by_models_that_have_not_seen_it(study: Study, run: StudyRun):
    outcome, fold = run.endpoints["PDL1"], run.folds[0]
    fitted = fold.models["PDL1"][LEAD]
    own = dict(zip(outcome.cases, outcome.models[LEAD].score[0], strict=True))
    held_out = dict(zip(fold.learned.rows.tolist(), limited_log_odds(fitted.chosen.out_of_fold), strict=True))
    inputs = fold.learned.honest.of(("selected", "volume"), "PDL1")
    in_sample = dict(zip(fold.learned.rows.tolist(), fitted.score(inputs), strict=True))
    for found in outcome.redivisions:
        for row, number, score in zip(rows_of(study, found), found.models_of, found.scores[LEAD], strict=True):
            if number == OF_TEST:
                assert score == own[study.cohort.names[row]]
                continue
            assert row in fold.learned.held_out[number - 1][1]
            assert score == held_out[row]
            assert score != in_sample[row]


def test_nothing_is_trained_for_them(study: Study, run: StudyRun, monkeypatch: pytest.MonkeyPatch):
    for name in ("learn", "run_fold"):
        monkeypatch.setattr(f"PDL1PredictorLib.study.folds.{name}", lambda *_, **__: pytest.fail("trained"))
    again = redivisions_of(study, "PDL1", run.folds[0])
    for one, two in zip(run.endpoints["PDL1"].redivisions, again, strict=True):
        np.testing.assert_array_equal(one.scores[LEAD], two.scores[LEAD])  # and the same cases are drawn


def test_without_a_signal_the_drawn_sets_find_none():
    """Six sets, mean near 0.5, where scores of the final model on its own cases lie far above."""
    areas, leaking = [], []
    for seed in range(3):
        study = study_of(seed, trait_area=0.5)
        run = run_study(study)
        fold = run.folds[0]
        fitted = fold.models["PDL1"][LEAD]
        honest = fold.learned.honest.of(("selected", "volume"), "PDL1")
        leaking.append(auc(study.cohort.labels[fold.learned.rows, 0], fitted.score(honest)).value)
        numbers = redivision_numbers(run.endpoints["PDL1"], {})
        areas += [one["auc"][LEAD]["value"] for one in numbers[1:]]
    assert np.mean(areas) == pytest.approx(0.5, abs=0.12)
    assert np.mean(leaking) > np.mean(areas) + 0.1


def test_folds_and_numbers_have_no_further_divisions():
    nested = study_of(design=Design.NESTED, n_folds=3)
    assert redivisions_of(nested, "PDL1", None) == ()
    cohort = nested.cohort
    as_number = cohort.with_targets({"PDL1": replace(cohort.targets["PDL1"], kind="number")})
    assert redivisions_of(replace(study_of(), cohort=cohort), "PDL1", run_study(study_of()).folds[0])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("PDL1PredictorLib.study.setup.check_kinds", lambda *_: None)
        assert redivisions_of(replace(study_of(), cohort=as_number), "PDL1", None) == ()


def by_hand(scores, models_of, labels) -> Redivision:
    n = len(labels)
    return Redivision(
        np.array(labels), tuple(f"p{i}" for i in range(n)), np.array(models_of), {SIZE: np.array(scores, dtype=float)}
    )


def test_cases_of_other_models_are_not_compared(run: StudyRun):
    outcome = run.endpoints["PDL1"]
    labels, models_of = [1, 0, 0, 1, 0, 1], [0, 0, 0, 1, 1, 1]
    found = by_hand([3, 1, 4, 13, 12, 11], models_of, labels)  # pairs: 3 > 1, 3 < 4; 13 > 12, 11 < 12
    own, one = redivision_numbers(replace(outcome, redivisions=(found,)), {})
    assert one["auc"][SIZE]["value"] == 0.5
    assert (one["positive"], one["negative"], one["own_test_cases"]) == (3, 3, 3)
    assert own["own_test_cases"] == own["positive"] + own["negative"] == len(outcome.labels)
    alone = by_hand([1, 2], [0, 1], [1, 0])  # no pair
    assert redivision_numbers(replace(outcome, redivisions=(alone,)), {})[1]["auc"][SIZE] is None
    assert redivision_numbers(replace(outcome, redivisions=()), {}) == []


def test_the_first_column_is_the_studys_result(run: StudyRun):
    numbers = kind_report("binary").numbers(run.endpoints["PDL1"], 0.8)
    assert numbers["redivisions"][0]["auc"] == {title: model["auc"] for title, model in numbers["models"].items()}
    assert len(numbers["redivisions"]) == 1 + N_FURTHER
    assert set(numbers["redivisions"][1]["auc"]) == {LEAD, SIZE}
