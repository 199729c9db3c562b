"""The demo recipe end to end on a few patients: what it leaves out, what it keeps apart, and that it repeats itself."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from PDL1PredictorLib.cohort.prepare import prepare
from PDL1PredictorLib.cohort.sources import PhantomSource
from PDL1PredictorLib.core.errors import CancelledError, InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.crossfit import RadScores
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.reference import reference_of
from PDL1PredictorLib.models.answers import calibrated_log_odds
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.prediction import Options, predict_case
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.recipes.demo import DemoRecipe, train_demo
from PDL1PredictorLib.recipes.demo_card import export_demo

RECIPE = DemoRecipe(
    seed=2,
    n_train=60,
    n_test=20,
    endpoints=("EGFR", "ALK"),
    features=FeatureSettings(name="first-order", classes=("firstorder",), wavelet=None),
    deep=DeepTraining(stages=(Stage(1, 64, 1e-3), Stage(1, 160, 1e-4)), batch=15),
    n_repeats=1,
    n_bootstrap=20,
)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def trained(cache: Path):
    return train_demo(RECIPE, cache, workers=2)


def test_every_case_is_used_in_one_part_only(trained):
    assert (trained.n_fit, trained.n_validation, trained.n_test) == (45, 15, 20)


def test_an_endpoint_with_too_few_positives_is_left_out_with_the_reason(trained):
    assert list(trained.endpoints) == ["EGFR"]
    assert "5 of each are needed" in trained.left_out["ALK"]


def test_the_bundle_predicts_and_its_card_says_what_was_measured(trained, tmp_path: Path, phantom):
    bundle = export_demo(trained, tmp_path / "model")
    predictor = load_predictor(tmp_path / "model")
    answer = predict_case(phantom.case, predictor, Options(device="cpu")).lesions[0].endpoints[0]
    assert answer.endpoint == "EGFR"
    assert 0 < answer.probability < 1
    card = bundle.file("MODEL_CARD.md").decode()
    measured = trained.endpoints["EGFR"].test_auc
    assert f"{measured.value:.3f} | {measured.interval[0]:.3f} to {measured.interval[1]:.3f}" in card
    assert "Research use only" in card
    assert "Without a model: ALK" in card
    assert bundle.manifest["recipe"]["seed"] == 2
    weights = predictor.network.module("cpu").classifier.weight
    assert weights.shape == (1, 10)  # the output of the endpoint that was left out is gone


def test_cases_without_any_signal_are_refused(trained):
    nothing = RadScores(trained.standardizer, {"EGFR": {"tumor": {}, "ring": {}}}, trained.feature_names)
    with pytest.raises(InputError, match="No radiomic feature told the classes"):
        reference_of(nothing, np.zeros((60, 38)), [(np.arange(45), np.arange(45, 60))])


def test_training_again_from_the_cache_gives_the_same_files(trained, cache: Path, tmp_path: Path):
    stamps = {file: file.stat().st_mtime_ns for file in cache.rglob("*")}
    again = train_demo(RECIPE, cache, workers=2)
    assert {file: file.stat().st_mtime_ns for file in cache.rglob("*")} == stamps
    first, second = export_demo(trained, tmp_path / "a" / "m"), export_demo(again, tmp_path / "b" / "m")
    differ = {name for name in first.files if first.files[name] != second.files[name]}
    # the export of nearest neighbors multiplies matrices, and BLAS for processors before AVX adds in an order that
    # depends on where in memory they lie: the last bit of float32, 6e-8, in what is squared and summed over 12 inputs
    assert differ <= {"classifiers/EGFR.onnx"}
    answers = []
    for bundle in (first, second):
        predictor = load_predictor(bundle)
        (model,) = predictor.manifest.endpoints
        found = trained.endpoints["EGFR"].model
        raw = predictor.score(model, (found.inputs - found.mean) / found.sd)
        answers.append(calibrated_log_odds(model.rule, raw))
    assert np.abs(answers[0] - answers[1]).max() < 1e-4
    before, after = ({**b.manifest, "created_utc": "", "files": ""} for b in (first, second))
    assert before == after
    assert set(first.manifest["files"]) == set(second.manifest["files"])


def test_prepared_cases_hold_features_of_both_regions_and_the_deep_slice_first(cache: Path):
    cohort = prepare(
        [PhantomSource(2, 0), PhantomSource(2, 1)], ("PDL1",), RECIPE.regions, RECIPE.features, cache, workers=1
    )
    assert cohort.patches_hu.shape == (2, 5, 160, 160)
    areas = cohort.patches_tumor.sum(axis=(2, 3))
    assert (areas[:, 0] >= areas.max(axis=1)).all()
    assert cohort.features.shape == (2, len(RECIPE.features.feature_names()))
    assert np.isfinite(cohort.features).all()


def test_the_same_case_twice_is_refused(cache: Path):
    with pytest.raises(InputError, match="Two cases of the cohort are the same"):
        prepare([PhantomSource(2, 0)] * 2, ("PDL1",), RECIPE.regions, RECIPE.features, cache)


def test_preparing_can_be_cancelled_and_goes_on_from_there(tmp_path: Path):
    sources = [PhantomSource(2, i) for i in range(3)]

    def ready() -> int:
        return len(list((tmp_path / "features").glob("phantom*")))

    progress = Progress(cancelled=lambda: ready() >= 1)
    with pytest.raises(CancelledError):
        prepare(sources, ("PDL1",), RECIPE.regions, RECIPE.features, tmp_path, workers=1, progress=progress)
    assert 1 <= ready() < 3
    cohort = prepare(sources, ("PDL1",), RECIPE.regions, RECIPE.features, tmp_path, workers=1)
    assert len(cohort) == 3
    assert ready() == 3
    assert not list(tmp_path.rglob(".*.part"))


@pytest.mark.parametrize(("name", "value"), [("n_train", 39), ("n_test", 19), ("n_train", 10**6)])
def test_impossible_sizes_are_refused(name: str, value: int):
    with pytest.raises(InputError, match=f"got {value}"):
        replace(RECIPE, **{name: value})
