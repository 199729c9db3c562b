"""A further recipe is a page of data: a number from features alone is trained, written, read, and shown everywhere."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_cohort import train_toy
from toy_recipe import FEW, LEAD, MEAN, PAGE, SIZE, ToyRecipe

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import NumberAnswer
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.imaging.case_files import Files, read_one_tumor
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.recipes.table import RECIPES
from PDL1PredictorLib.study.leak import leak_test
from PDL1PredictorLib.study.run import StudyRun, run_study
from PDL1PredictorLib.study.setup import Study

NOISE_SD = 6.0  # of the TPS about its line, in %
BRIGHTNESS, RING = "tumor_original_firstorder_Mean", "ring_original_firstorder_Mean"


def made_up(n: int, seed: int = 0, signal: float = 1.0, noise: float = NOISE_SD) -> PreparedCohort:
    """Cases whose TPS is a line of two features, 50 + 8 and 5 SDs of them, with noise; it stays within 0 to 100."""
    rng = np.random.default_rng(seed)
    names = FEW.feature_names()
    features = rng.normal(100, 10, size=(n, len(names)))
    z = (features - 100) / 10
    tps = 50 + signal * (8 * z[:, names.index(BRIGHTNESS)] + 5 * z[:, names.index(RING)]) + rng.normal(0, noise, n)
    features[:, names.index("tumor_original_shape_VoxelVolume")] = np.exp(rng.normal(9, 0.5, n))
    target = Target("number", np.clip(tps, 0, 100), low=0.0, high=100.0)
    return PreparedCohort(tuple(f"case_{i:04}" for i in range(n)), {"TPS": target}, {"features": features}, names)


def run(cohort: PreparedCohort, recipe: ToyRecipe) -> StudyRun:
    return run_study(Study(cohort, cohort.names, recipe, workers=1))


@pytest.fixture(scope="module")
def known_line() -> StudyRun:
    return run(made_up(400), ToyRecipe())


def r2(truths: np.ndarray, values: np.ndarray) -> float:
    return float(1 - ((truths - values) ** 2).sum() / ((truths - truths.mean()) ** 2).sum())


def test_a_known_line_is_found(known_line: StudyRun):
    outcome = known_line.endpoints["TPS"]
    truth = 1 - NOISE_SD**2 / (8**2 + 5**2 + NOISE_SD**2)  # 0.71: what no model can exceed on average
    assert r2(outcome.labels, outcome.models[LEAD].value) == pytest.approx(truth, abs=0.1)
    assert r2(outcome.labels, outcome.models[SIZE].value) < 0.05
    assert r2(outcome.labels, outcome.models[MEAN].value) == pytest.approx(0, abs=0.05)
    assert {BRIGHTNESS, RING} <= set(outcome.input_names)
    assert outcome.coefficients["tumor"][BRIGHTNESS] == pytest.approx(8, abs=1.5)
    assert outcome.coefficients["ring"][RING] == pytest.approx(5, abs=1.5)
    assert outcome.roles == {LEAD: "lead", SIZE: "part", MEAN: "baseline"}
    assert (outcome.kind, outcome.counts) == ("number", {"training": (280,), "test": (120,)})


def test_intervals_hold_the_truth_as_often_as_they_say():
    covered = []
    for seed in range(8):
        outcome = run(made_up(240, seed + 10), ToyRecipe(seed=seed)).endpoints["TPS"]
        model = outcome.models[LEAD]
        covered.append(((model.low <= outcome.labels) & (outcome.labels <= model.high)).mean())
    assert np.mean(covered) == pytest.approx(0.8, abs=0.06)


def test_without_signal_the_answer_is_the_mean_and_intervals_still_hold():
    covered = []
    for seed in range(6):
        outcome = run(made_up(150, seed, signal=0.0, noise=12.0), ToyRecipe(seed=seed)).endpoints["TPS"]
        model = outcome.models[LEAD]
        assert r2(outcome.labels, model.value) < 0.15
        covered.append(((model.low <= outcome.labels) & (outcome.labels <= model.high)).mean())
    assert np.mean(covered) == pytest.approx(0.8, abs=0.08)


def test_contributions_add_up_to_the_answer(known_line: StudyRun):
    outcome, model = known_line.endpoints["TPS"], known_line.kept.models["TPS"][LEAD]
    mean_case = model.slope * model.linear.intercept + model.intercept
    inside = (outcome.models[LEAD].value > 0) & (outcome.models[LEAD].value < 100)
    found = outcome.contributions.sum(axis=1) + mean_case
    np.testing.assert_allclose(found[inside], outcome.models[LEAD].value[inside], atol=1e-9)


def test_folds_that_selected_other_features_are_shown_side_by_side():
    found = run(made_up(120, noise=10.0), ToyRecipe(design=Design.NESTED, n_folds=3))
    outcome = found.endpoints["TPS"]
    assert len(outcome.cases) == 120
    assert outcome.inputs.shape == outcome.contributions.shape == (120, len(outcome.input_names))
    own = found.kept.input_names(ToyRecipe().models[0], "TPS")
    assert outcome.input_names[: len(own)] == own
    assert outcome.selected_in["tumor"][BRIGHTNESS] == 1.0
    assert any(share < 1 for shares in outcome.selected_in.values() for share in shares.values())


def test_a_study_without_pictures_has_no_network_and_no_gallery(known_line: StudyRun):
    assert known_line.trained.network is None
    assert known_line.trained.reference is not None
    assert set(known_line.trained.used_features) == set(known_line.trained.reference.features)


def test_shuffled_numbers_are_not_found():
    cohort = made_up(150)
    found = leak_test(cohort, cohort.names, "TPS", ToyRecipe(n_repeats=1), repeats=6, workers=1)
    assert (found.measure, found.chance) == ("Spearman's rho", 0.0)
    assert abs(found.mean(LEAD)) < 0.2
    assert set(found.figures[MEAN]) == {0.0}


def test_a_number_that_is_known_of_too_few_cases_is_refused_with_the_reason():
    cohort = made_up(60)
    values = cohort.targets["TPS"].values.copy()
    values[25:] = np.nan
    with pytest.raises(InputError, match="known values in training; 20 are needed"):
        run(cohort.with_targets({"TPS": replace(cohort.targets["TPS"], values=values)}), ToyRecipe())


def test_a_yes_or_no_endpoint_is_refused_by_a_recipe_for_numbers():
    cohort = made_up(60).with_targets({"EGFR": Target("binary", np.tile([0.0, 1.0], 30))})
    with pytest.raises(InputError, match="EGFR is an endpoint of the kind binary, which the model Feature line"):
        run(cohort, ToyRecipe(("EGFR",)))


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a cohort, and beside it the model that one command made of it."""
    return train_toy(tmp_path_factory.mktemp("toy"))


def test_the_model_says_what_it_needs_and_how_good_it_is(trained: Path):
    manifest = json.loads((trained / "model" / "model.json").read_text(encoding="utf-8"))
    assert (manifest["schema_version"], manifest["network"], manifest["recipe"]["name"]) == (4, None, "toy")
    assert manifest["needs"] == {"features": True, "picture": "none", "clinical": [], "pet": "no"}
    assert manifest["endpoint_order"] == ["TPS"]  # the yes/no column is not the recipe's
    found = manifest["endpoints"]["TPS"]
    assert (found["kind"], found["unit"], found["clip"]) == ("number", "%", [0.0, 100.0])
    assert any(name.startswith("tumor_original_firstorder") for name in found["selected"])  # which of them is stable
    assert found["test"]["r2"] > 0.8
    assert 4 < found["half_width"] < 25
    assert (trained / "model" / "MODEL_CARD.md").read_text(encoding="utf-8").startswith("# Feature line")


def test_the_model_answers_as_the_study_did(trained: Path):
    predictor = load_predictor(trained / "model")
    with (trained / "model.study" / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["model"] == LEAD]
    assert len(rows) == 24
    for row in rows[:2]:
        name = row["case"]
        case = read_one_tumor(Files(trained / f"{name}_ct.nii.gz", trained / f"{name}_mask.nii.gz", name=name)).case
        (answer,) = predict_case(case, predictor, Options(device="cpu")).lesions[0].endpoints
        assert isinstance(answer, NumberAnswer)
        told = [float(row[column]) for column in ("value", "low", "high")]
        np.testing.assert_allclose([answer.value, *answer.interval], told, atol=1e-6)


def test_the_report_of_the_study_shows_the_number(trained: Path):
    html = (trained / "model.study" / "report.html").read_text(encoding="utf-8")
    assert LEAD in html
    assert "PD-L1 TPS" in html
    document = json.loads((trained / "model.study" / "study.json").read_text(encoding="utf-8"))
    assert set(document["endpoints"]["TPS"]["models"]) == {LEAD, SIZE, MEAN}


def test_a_prediction_by_command_writes_the_number(trained: Path, tmp_path: Path):
    images = ["--ct", str(trained / "c00_ct.nii.gz"), "--tumor", str(trained / "c00_mask.nii.gz")]
    out = tmp_path / "result"
    assert main(["predict", *images, "--model", str(trained / "model"), "--device", "cpu", "--out", str(out)]) == 0
    (answer,) = json.loads((out / "result.json").read_text(encoding="utf-8"))["lesions"][0]["endpoints"]
    assert (answer["kind"], answer["endpoint"]) == ("number", "TPS")
    assert "%" in (out / "report.html").read_text(encoding="utf-8")


def test_an_option_of_another_recipe_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setitem(RECIPES, "toy", lambda: PAGE)
    out = ["--out", str(tmp_path / "m")]
    assert main(["train", "--recipe", "toy", "--cpu-bfloat16", *out]) == 2
    told = capsys.readouterr().err
    owners = "deepradscore, responder3d, pdl1es"
    assert f"--cpu-bfloat16 belongs to the recipes {owners}; the recipe toy does not know it" in told
    assert "Its own options: --tries" in told
    assert main(["leak-test", "--recipe", "deepradscore", "--tries", "3", *out]) == 2
    assert "--tries belongs to the recipe toy" in capsys.readouterr().err
    assert main(["train", "--recipe", "oracle", *out]) == 2
    assert f"'oracle' is not known. Known recipes: {', '.join(RECIPES)}" in capsys.readouterr().err
