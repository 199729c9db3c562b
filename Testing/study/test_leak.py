"""The leak test: its rule by hand, two-sided, for both designs and kinds of endpoints, and that it trips."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import stats
from toy_recipe import LEAD as LINE
from toy_recipe import ToyRecipe
from toy_yes_no import LEAD, SIZE, YesNoRecipe, yes_no_cohort

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.kinds import Binary
from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.statistics.within_folds import auc_within_folds
from PDL1PredictorLib.study import conduct, leak
from PDL1PredictorLib.study.leak import LeakTest, leak_test

EVEN = tuple(0.5 + 0.02 * np.tile([-1, 1], 10))


def judged(figures, chance=0.5):
    return LeakTest("AUC", chance, Design.NESTED, {"m": tuple(figures)})


def test_figures_around_chance_pass_and_say_so():
    found = judged(EVEN)
    assert found.suspects == ()
    assert found.to_dict()["passed"]
    assert "Nothing leaks" in found.text()


@pytest.mark.parametrize("shift", [-0.03, 0.03])
def test_a_mean_beside_chance_fails_on_either_side(shift: float):
    found = judged(np.array(EVEN) + shift)
    assert found.suspects == ("m",)
    assert not found.to_dict()["models"]["m"]["passed"]
    assert f"{'above' if shift > 0 else 'below'} it: m." in found.text()


@pytest.mark.parametrize("away", [-0.2, 0.2])
def test_a_single_figure_far_from_chance_fails(away: float):
    assert judged([*EVEN[:-1], 0.5 + away]).suspects == ("m",)


def test_the_tolerance_is_students_and_few_models_share_the_false_alarms():
    own = judged(EVEN).judged("m")
    error = np.std(EVEN, ddof=1) / np.sqrt(20)
    assert own.tolerance == pytest.approx(stats.t.ppf(0.995, 19) * error)
    two = LeakTest("AUC", 0.5, Design.SPLIT, {"m": EVEN, "n": EVEN})
    assert two.judged("m").tolerance == pytest.approx(stats.t.ppf(0.9975, 19) * error)


def test_figures_that_are_all_chance_pass_and_constant_ones_beside_it_fail():
    assert judged([0.5] * 5).suspects == ()
    assert judged([0.0] * 5, chance=0.0).suspects == ()
    assert judged([0.455] * 5).suspects == ("m",)


@pytest.mark.parametrize("constant", [0.0, 0.5])
@pytest.mark.parametrize("n", [4, 20])
def test_false_alarms_are_as_rare_as_stated(n: int, constant: float):
    """Also where a part of the models learned nothing, whose figure is chance itself."""
    rng = np.random.default_rng(0)
    figures = 0.5 + 0.05 * rng.normal(size=(1000, n)) * (rng.random((1000, n)) >= constant)
    alarms = [judged(row).suspects != () for row in figures]
    assert np.mean(alarms) < 0.035  # 1 % for the mean, 1 % for the farthest
    assert constant or np.mean(alarms) > 0.005


def test_a_figure_far_from_chance_fails_beside_models_that_learned_nothing():
    assert judged([*EVEN[:9], 0.7, *[0.5] * 10]).suspects == ("m",)
    assert judged([0.5, 0.5, 0.5, 0.7]).suspects == ()  # nothing to judge it by


def null_figures(seed: int, shuffles: int = 8, n: int = 60) -> list[float]:
    """Areas within three folds of ridge regression on shuffles of the labels of the same cases."""
    rng = np.random.default_rng(seed)
    x, labels = rng.normal(size=(n, 6)), np.arange(n) < n // 2
    shuffled = np.stack([rng.permutation(labels) for _ in range(shuffles)], axis=1)
    folds = np.zeros(n, int)
    parts = stratified_parts([str(i) for i in range(n)], shuffled.astype(float), [1 / 3] * 3, rng)
    for number, part in enumerate(parts):
        folds[part] = number
    scores = np.zeros((n, shuffles))
    for number in range(3):
        seen, test = folds != number, folds == number
        y = shuffled[seen] - shuffled[seen].mean(axis=0)
        scores[test] = x[test] @ np.linalg.solve(x[seen].T @ x[seen] + 3 * np.eye(6), x[seen].T @ y)
    return [auc_within_folds(shuffled[:, i].astype(int), scores[:, i], folds).value for i in range(shuffles)]


def test_shuffles_of_the_same_cases_tell_nothing_of_each_other():
    """So the error of their mean is SD / sqrt(n): the spread of the means of many cohorts shows no more."""
    figures = np.array([null_figures(seed) for seed in range(80)])
    expected = figures.var(axis=1, ddof=1).mean() / figures.shape[1]
    chi2 = 80 * ((figures.mean(axis=1) - 0.5) ** 2).mean() / expected
    assert stats.chi2.ppf(0.001, 80) < chi2 < stats.chi2.ppf(0.999, 80)


@pytest.mark.parametrize("shuffles", [1, 2])
def test_so_few_shuffles_cannot_be_judged(shuffles: int):
    cohort = yes_no_cohort(60, 0)
    with pytest.raises(InputError, match=f"needs 3 shuffles or more, got {shuffles}"):
        leak_test(cohort, cohort.names, "PDL1", YesNoRecipe(), repeats=shuffles, workers=1)


def of_design(design: Design, n: int = 70) -> LeakTest:
    """A seed that passes: nested, two of 0 to 5 fail by chance, and none of 3000 to 3059."""
    cohort = yes_no_cohort(n, 2, trait_area=0.8, volume_area=0.7)
    recipe = YesNoRecipe(design=design, n_folds=3, outer_repeats=1)
    return leak_test(cohort, cohort.names, "PDL1", recipe, repeats=8, workers=1)


@pytest.mark.parametrize("design", [design for design in Design if design.trains])
def test_both_designs_pass_on_shuffled_labels(design: Design):
    found = of_design(design)
    assert found.suspects == ()
    assert set(found.figures) == {LEAD, SIZE}


def test_answers_pooled_over_folds_fail_below_chance_and_within_folds_they_do_not(monkeypatch: pytest.MonkeyPatch):
    """Cases that are all alike: whatever is learned answers the share of positives of the training part."""
    cohort = yes_no_cohort(71, 2, share=0.35)
    cohort = cohort.with_blocks(features=np.tile(cohort.features[:1], (71, 1)))
    recipe = YesNoRecipe(design=Design.NESTED, n_folds=4, outer_repeats=1)
    assert leak_test(cohort, cohort.names, "PDL1", recipe, repeats=8, workers=1).figures[LEAD] == (0.5,) * 8
    pooled = lambda self, truths, score, folds: auc(truths, score[0]).value  # noqa: E731
    monkeypatch.setattr(Binary, "figure", pooled)
    found = leak_test(cohort, cohort.names, "PDL1", recipe, repeats=8, workers=1)
    assert found.mean(LEAD) < 0.47
    assert found.suspects == (LEAD,)
    assert "below it" in found.text()


def test_a_number_passes_under_nested_cross_validation():
    rng = np.random.default_rng(3)
    cohort = yes_no_cohort(80, 3)
    tps = Target("number", np.clip(50 + 20 * rng.normal(size=80), 0, 100), low=0.0, high=100.0)
    recipe = replace(ToyRecipe(n_repeats=1), design=Design.NESTED, n_folds=3, outer_repeats=1)
    found = leak_test(cohort.with_targets({"TPS": tps}), cohort.names, "TPS", recipe, repeats=6, workers=1)
    assert (found.measure, found.chance) == ("Spearman's rho", 0.0)
    assert found.suspects == ()
    assert len(found.figures[LINE]) == 6


@pytest.mark.parametrize(("shift", "status"), [(0.0, 0), (-0.1, 2)])
def test_the_command_writes_its_figures_and_ends_with_2_where_something_is_found(
    shift: float, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    found = judged(np.array(EVEN) + shift)
    monkeypatch.setattr(conduct, "prepare_cases", lambda *given: SimpleNamespace(names=()))
    monkeypatch.setattr(leak, "leak_test", lambda *given: found)
    out = tmp_path / "leak.json"
    command = ["leak-test", "--n", "40", "--endpoint", "PDL1", "--design", "nested", "--progress", "none"]
    assert main([*command, "--device", "cpu", "--out", str(out)]) == status
    assert json.loads(out.read_text(encoding="utf-8"))["passed"] is (status == 0)
    told = capsys.readouterr()
    assert "below it: m." in told.err if status else "Nothing leaks" in told.out
