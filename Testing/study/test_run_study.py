"""A study from prepared cases to its outcome and its bundle: what is learned where, and that nothing leaks."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from prepared import binary_targets, prepared
from titles import DEEP, FUSED, MODELS, RADIOMICS, VOLUME

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.crossfit import learn
from PDL1PredictorLib.learning.deep.heads import HeadTraining
from PDL1PredictorLib.learning.deep.learners import DeepModel
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.deep.weights import save_backbone
from PDL1PredictorLib.learning.export import About, export_bundle
from PDL1PredictorLib.learning.parts import deep as deep_page
from PDL1PredictorLib.learning.parts import radscore as radscore_page
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.network.weights import read_weights
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.recipes.deepradscore import SHAREABLE, DeepRadScoreRecipe, study_training
from PDL1PredictorLib.statistics.discrimination import auc
from PDL1PredictorLib.statistics.scores import calibrated_log_odds
from PDL1PredictorLib.study import run as run_page
from PDL1PredictorLib.study.choosing import Choice
from PDL1PredictorLib.study.examples import examples
from PDL1PredictorLib.study.leak import leak_test, shuffled
from PDL1PredictorLib.study.run import run_study, usable_endpoints
from PDL1PredictorLib.study.setup import Study

FEATURES = FeatureSettings(name="few", classes=("shape", "firstorder"), wavelet=None)
REGIONS = RegionSettings(patch_pixels=32)


def made_up(n: int = 150, endpoints: tuple[str, ...] = ("PDL1", "EGFR"), signal: float = 2.5, seed: int = 0):
    """n cases; every endpoint depends on the same three traits: tumor feature, ring feature, brightness."""
    rng = np.random.default_rng(seed)
    names = FEATURES.feature_names()
    traits = rng.normal(size=(n, 3))
    features = rng.normal(size=(n, len(names)))
    features[:, names.index("tumor_original_firstorder_Mean")] = traits[:, 0]
    features[:, names.index("ring_original_firstorder_Mean")] = traits[:, 1]
    features[:, names.index("tumor_original_shape_VoxelVolume")] = np.exp(rng.normal(9, 0.5, n))
    odds = signal * traits.sum(axis=1)[:, None] + np.zeros(len(endpoints))
    labels = (rng.random((n, len(endpoints))) < 1 / (1 + np.exp(-odds))).astype(float)
    hu = rng.normal(-300, 60, (n, 2, 32, 32)) + 200 * traits[:, 2, None, None, None]
    tumor = np.zeros((n, 2, 32, 32), bool)
    tumor[:, :, 8:24, 8:24] = True
    cases = tuple(f"case_{i:03}" for i in range(n))
    return prepared(cases, endpoints, names, features, hu.astype(np.int16), tumor, labels)


def with_labels(cohort: PreparedCohort, labels: np.ndarray) -> PreparedCohort:
    return cohort.with_targets(binary_targets(cohort.endpoints, labels))


RECIPE = DeepRadScoreRecipe(
    endpoints=("PDL1", "EGFR"),
    network="frozen",
    n_folds=3,
    regions=REGIONS,
    features=FEATURES,
    head=HeadTraining(epochs=30),
    n_repeats=1,
    n_bootstrap=20,
    kinds=("logistic regression", "naive Bayes"),
)


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a backbone that has seen nothing."""
    file = tmp_path_factory.mktemp("start") / "densenet.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_backbone(DeepCT(1), file)
    return file


@pytest.fixture(scope="module")
def cohort() -> PreparedCohort:
    return made_up()


@pytest.fixture(scope="module")
def split_study(cohort, start):
    study = Study(cohort, cohort.names, RECIPE, start=start, workers=1)
    return study, run_study(study)


@pytest.fixture(scope="module")
def fused_study(split_study):
    """The same, but the lead model is shipped, which reads the network."""
    study, _ = split_study
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_page, "choose_model", lambda outcome, *_: Choice(outcome.lead, "lead", "Asked."))
        return study, run_study(study)


@pytest.fixture(scope="module")
def nested_study(cohort, start):
    study = Study(cohort, cohort.names, replace(RECIPE, design=Design.NESTED, outer_repeats=2), start=start, workers=1)
    return study, run_study(study)


def test_the_parts_hold_every_case_once_and_all_models_are_measured(split_study):
    study, run = split_study
    (fold,) = run.folds
    assert sorted([*fold.learned.rows, *fold.test]) == list(range(len(study.cohort)))
    outcome = run.endpoints["PDL1"]
    assert tuple(outcome.models) == MODELS
    assert outcome.inputs.shape == (len(fold.test), 5)  # 105 cases carry no more
    assert outcome.counts["test"] == (int(outcome.labels.sum()), int((1 - outcome.labels).sum()))
    assert {len(model.probability) for model in outcome.models.values()} == {len(fold.test)}


def test_signal_is_found_and_is_more_than_the_volume_tells(split_study):
    outcome = split_study[1].endpoints["PDL1"]
    areas = {name: auc(outcome.labels, model.probability).value for name, model in outcome.models.items()}
    assert areas[RADIOMICS] > 0.75
    assert areas[FUSED] > 0.75
    assert areas[VOLUME] < 0.7
    assert "tumor_original_firstorder_Mean" in outcome.coefficients["tumor"]
    assert "ring_original_firstorder_Mean" in outcome.coefficients["ring"]


def test_shapley_shares_and_the_baseline_add_up_to_the_answer(split_study):
    _, run = split_study
    outcome, model = run.endpoints["PDL1"], run.kept.models["PDL1"][FUSED]
    baseline = model.log_odds(np.zeros((1, 5)))
    p = outcome.models[FUSED].probability
    np.testing.assert_allclose(outcome.contributions.sum(axis=1) + baseline, np.log(p / (1 - p)), atol=1e-6)


def test_under_nested_cross_validation_every_case_is_a_test_case_once(nested_study):
    study, run = nested_study
    assert sorted(np.concatenate([fold.test for fold in run.folds])) == list(range(len(study.cohort)))
    for fold in run.folds:
        assert not set(fold.learned.rows) & set(fold.test)
    outcome = run.endpoints["EGFR"]
    assert sorted(outcome.cases) == list(study.cohort.names)
    assert outcome.counts == {"all": (int(outcome.labels.sum()), int((1 - outcome.labels).sum()))}
    shares = outcome.selected_in["tumor"]
    assert set(np.round(np.array(list(shares.values())) * 3)) <= {1, 2, 3}


def test_the_model_that_is_kept_was_trained_on_all_cases(nested_study):
    _, run = nested_study
    assert sorted(run.kept.learned.parts["deep"].model.known) == list(range(150))
    assert run.trained.n_test == 0


def test_classifiers_that_hold_no_row_are_five_and_neither_of_the_two_that_do():
    assert len(SHAREABLE) == 5
    assert not {"nearest neighbors", "support vector machine"} & set(SHAREABLE)


def test_the_bundle_gives_the_answers_of_the_study(fused_study, tmp_path: Path):
    study, run = fused_study
    about = About("Made up", "Tests.", "Made up.", ("None.",), card=lambda manifest: "# card")
    export_bundle(run.trained, about, tmp_path / "model")
    predictor = load_predictor(tmp_path / "model")
    model = predictor.manifest.endpoints[0]
    outcome = run.endpoints["PDL1"]
    assert (model.title, run.choices["PDL1"].title) == (FUSED, FUSED)
    given = 1 / (
        1 + np.exp(-calibrated_log_odds(model.rule.slope, model.rule.intercept, predictor.score(model, outcome.inputs)))
    )
    np.testing.assert_allclose(given, outcome.models[FUSED].probability, atol=1e-4)
    row = study.cohort.names.index(outcome.cases[0])
    features = dict(zip(study.cohort.feature_names, study.cohort.features[row], strict=True))
    deep = run.kept.learned.parts["deep"].model.features(np.array([row]))[0]
    volume = float(study.cohort.volumes_ml[row])
    np.testing.assert_allclose(
        predictor.standardized(model, predictor.inputs(Given(features, None, volume), deep)),
        outcome.inputs[0],
        atol=1e-9,
    )


def test_the_network_in_the_bundle_gives_the_deep_features_that_the_classifiers_saw(fused_study):
    from PDL1PredictorLib.learning.deep.inference import deep_features

    study, run = fused_study
    rows = run.folds[0].test[:4]
    whole, _ = deep_features(run.trained.network.network, study.cohort.take(rows))
    np.testing.assert_allclose(whole, run.kept.learned.parts["deep"].model.features(rows), atol=1e-4)


def test_the_files_of_a_network_that_was_trained_whole_give_what_the_study_measured(cohort, tmp_path: Path):
    from PDL1PredictorLib.learning.deep.inference import deep_features

    study = whole_network_study(cohort)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_page, "choose_model", lambda outcome, *_: Choice(outcome.lead, "lead", "Asked."))
        run = run_study(study)
    about = About("Made up", "Tests.", "Made up.", ("None.",), card=lambda manifest: "# card")
    bundle = export_bundle(run.trained, about, tmp_path / "model")
    weights = read_weights(bundle.file(bundle.manifest["network"]["file"]))
    network = DeepCT(1, study.recipe.deep.n_deep, backbone=study.recipe.deep.backbone)
    network.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()}, strict=False)
    rows = run.folds[0].test
    found, logits = deep_features(network.eval(), study.cohort.take(rows))
    parts = run.kept.learned.parts
    np.testing.assert_allclose(found, parts["deep"].model.features(rows), atol=1e-4)
    np.testing.assert_allclose(logits, parts["deep"].model.logits(rows), atol=1e-3)
    assert np.ptp(found, axis=0).min() > 0.01  # a network of mixed-up weights answers all cases alike


def test_right_and_wrong_calls_are_shown_with_their_heat_maps(split_study):
    study, run = split_study
    shown = examples(study, run, each=1)
    kinds = [(case.label, case.positive) for case in shown if case.endpoint == "PDL1"]
    assert len(kinds) == len(set(kinds)) >= 2
    for case in shown:
        assert case.heat.shape == case.hu.shape == (32, 32)
        assert 0 <= case.heat.min() <= case.heat.max() <= 1


def test_a_study_run_twice_gives_the_same_numbers(split_study, cohort, start):
    again = run_study(Study(cohort, cohort.names, RECIPE, start=start, workers=1))
    for name in MODELS:
        one, two = (run.endpoints["EGFR"].models[name].probability for run in (split_study[1], again))
        np.testing.assert_array_equal(one, two)


def whole_network_study(cohort: PreparedCohort, checkpoints: Path | None = None) -> Study:
    deep = DeepTraining(stages=(Stage(1, 32, 1e-3),), batch=8)
    recipe = replace(RECIPE, endpoints=("PDL1",), network="trained", deep=deep, validation_share=0.3)
    one = cohort.with_targets({"PDL1": cohort.targets["PDL1"]})
    return Study(one, one.names, recipe, checkpoints=checkpoints, workers=1)


def test_a_network_that_is_trained_whole_is_trained_once_for_every_part_and_on_all_in_the_end(cohort):
    run = run_study(whole_network_study(cohort))
    (fold,) = run.folds
    assert sorted([*fold.learned.rows, *fold.test]) == list(range(150))
    assert [len(held_out) for _, held_out in fold.learned.held_out] == [35, 35, 35]
    assert sorted(fold.learned.parts["deep"].model.known) == sorted(fold.learned.rows)
    assert (run.trained.n_fit, run.trained.n_test) == (105, 45)
    history = deep_page.network_of(fold.learned.parts).history  # of the first fold
    assert [sorted(epoch) for epoch in history] == [["train", "validation"]]


def test_a_study_that_was_killed_trains_no_finished_network_again(cohort, tmp_path: Path):
    study = whole_network_study(cohort, tmp_path / "training")

    finished: list[str] = []

    def kill(stage: str, fraction: float, text: str) -> None:
        if "epoch" in text and len(finished) == 2:  # in the third of three networks with a part to watch
            raise KeyboardInterrupt
        finished.extend([text] if "validation" in text else [])

    with pytest.raises(KeyboardInterrupt):
        run_study(study, Progress(kill))
    assert len(list((tmp_path / "training").iterdir())) == 2
    told: list[str] = []
    resumed = run_study(study, Progress(lambda stage, fraction, text: told.append(text)))
    assert len([text for text in told if "validation" in text]) == 1
    assert not list((tmp_path / "training").iterdir())
    whole = run_study(whole_network_study(cohort))
    for name in MODELS:
        one, two = (run.endpoints["PDL1"].models[name].probability for run in (resumed, whole))
        np.testing.assert_array_equal(one, two)


def _network(known: np.ndarray, features: Callable[[np.ndarray], np.ndarray]) -> DeepModel:
    return DeepModel(known, features, features, lambda: DeepCT(1), ())


class Telltale:
    """A learner whose deep features tell whether the case was among those it learned from."""

    def __init__(self, cheats: bool = False) -> None:
        self._cheats = cheats

    def learn(self, fit: np.ndarray, validation: np.ndarray, progress: Progress = SILENT) -> DeepModel:
        known = np.concatenate([fit, validation]) if self._cheats else fit
        return _network(known, lambda rows: np.isin(rows, known)[:, None] * np.ones(10))

    def kept(self, train: np.ndarray, models: Sequence[DeepModel], progress: Progress = SILENT) -> DeepModel:
        return models[0]

    def forget(self) -> None:
        pass


@pytest.mark.parametrize("cheats", [False, True])
def test_classifiers_see_deep_features_of_networks_that_had_not_seen_the_case(
    cohort, cheats: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(deep_page, "turned", lambda model, target: model)
    training = TrainingSet(cohort, np.array(cohort.names), np.arange(90), ("PDL1",), seed=1)
    learned = learn(training, {"deep": deep_page.DeepFeatureLearner(Telltale(cheats), 10)}, n_folds=3)
    assert sorted(learned.rows) == list(range(90))
    np.testing.assert_array_equal(learned.honest.of(("deep",), "PDL1"), np.full((90, 10), float(cheats)))


def test_deep_features_of_another_network_are_turned_onto_those_that_are_kept():
    rng = np.random.default_rng(0)
    kept = rng.normal(size=(40, 3))
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    other = (kept - 2.0) @ rotation + 5.0
    other[:10] += 100.0  # cases that only one of both was fitted on do not count
    models = [
        _network(known, lambda rows, values=values: values[rows])
        for known, values in ((np.arange(35), kept), (np.arange(10, 40), other))
    ]
    found = deep_page.turned(models[1], models[0])
    np.testing.assert_allclose(found.features(np.arange(10, 40)), kept[10:], atol=1e-9)
    assert deep_page.turned(models[0], models[0]) is models[0]


def test_test_cases_that_the_table_names_are_the_test_cases(cohort, start):
    test = np.arange(110, 150)
    run = run_study(Study(cohort, cohort.names, RECIPE, start=start, test=test, workers=1))
    assert run.folds[0].test.tolist() == test.tolist()


def test_changing_the_labels_of_test_cases_changes_nothing_that_was_learned(split_study, cohort, start):
    _, run = split_study
    test = run.folds[0].test
    labels = cohort.labels.copy()
    labels[test] = 1 - labels[test]
    features = cohort.features.copy()
    features[test] *= 3
    other = with_labels(cohort, labels).with_blocks(features=features)
    again = run_study(Study(other, other.names, RECIPE, start=start, test=test, workers=1))
    fixed = run_study(Study(cohort, cohort.names, RECIPE, start=start, test=test, workers=1))
    assert again.endpoints["PDL1"].coefficients == fixed.endpoints["PDL1"].coefficients
    for name in MODELS:
        one, two = (r.kept.models["PDL1"][name] for r in (again, fixed))
        assert one.thresholds == two.thresholds
        np.testing.assert_array_equal(one.inputs, two.inputs)


NOISE = made_up(n=110, signal=0.0, seed=5)


@pytest.fixture(scope="module")
def honest_noise(start: Path):
    return noise_test(start)


def noise_test(start: Path):
    return leak_test(NOISE, NOISE.names, "PDL1", RECIPE, repeats=6, start=start, workers=1)


def test_nothing_is_found_in_shuffled_labels(honest_noise):
    found = honest_noise
    assert (found.measure, found.chance) == ("AUC", 0.5)
    assert len(found.figures[FUSED]) == 6
    for model in (RADIOMICS, DEEP, FUSED):
        assert found.mean(model) == pytest.approx(0.5, abs=0.1)


def test_a_selection_that_sees_the_test_cases_is_caught(honest_noise, start, monkeypatch: pytest.MonkeyPatch):
    honest = radscore_page.fit_radscores

    def leaking(cohort, rows, endpoints, seed, *progress):
        return honest(cohort, np.arange(len(cohort)), endpoints, seed, *progress)

    monkeypatch.setattr(radscore_page, "fit_radscores", leaking)
    leaking_noise = noise_test(start)
    assert leaking_noise.mean(RADIOMICS) > max(honest_noise.mean(RADIOMICS), 0.5) + 0.05


def test_shuffles_keep_the_share_of_positives_and_leave_out_unknown_cases():
    labels = NOISE.labels.copy()
    labels[:7, 0] = np.nan
    noise = shuffled(with_labels(NOISE, labels), "PDL1", 3, seed=1)
    assert len(noise) == 103
    assert set(noise.labels.sum(axis=0)) == {labels[7:, 0].sum()}
    assert not (noise.labels[:, 0] == noise.labels[:, 1]).all()


def test_a_radscore_that_is_worse_than_chance_on_held_out_cases_is_dropped():
    cohort = made_up(n=20, endpoints=("PDL1",))
    labels = cohort.labels[:, 0]
    values = np.column_stack([labels, -labels])  # of the tumor right, of the ring the wrong way round
    scores = radscore_page.RadScores(None, {"PDL1": {"tumor": {"a": 1.0}, "ring": {"b": 1.0}}}, ("a", "b"))
    kept, changed = radscore_page.without_failed(cohort, np.arange(20), scores, {"PDL1": values}, np.arange(20) % 2)
    assert kept.weights == {"PDL1": {"tumor": {"a": 1.0}, "ring": {}}}
    np.testing.assert_array_equal(changed["PDL1"], np.column_stack([labels, 0 * labels]))


def test_an_endpoint_with_nine_positive_cases_in_training_is_left_out_with_the_reason(cohort):
    labels = np.zeros((150, 2))
    labels[:10, 0], labels[:9, 1] = 1, 1
    usable, left_out = usable_endpoints(with_labels(cohort, labels), [np.arange(150)])
    assert usable == ("PDL1",)
    assert left_out["EGFR"].startswith("9 positive and 141 negative cases in training; 10 of each")


def test_labels_that_are_all_equal_are_refused_with_the_reason(cohort, start):
    study = Study(with_labels(cohort, np.ones((150, 2))), cohort.names, RECIPE, start=start)
    with pytest.raises(InputError, match="No endpoint can be learned. PDL1: .* 0 negative"):
        run_study(study)


def test_a_constant_feature_is_never_selected(cohort, start):
    features = cohort.features.copy()
    features[:, cohort.feature_names.index("tumor_original_firstorder_Mean")] = 4.0
    run = run_study(Study(cohort.with_blocks(features=features), cohort.names, RECIPE, start=start, workers=1))
    assert "tumor_original_firstorder_Mean" not in run.endpoints["PDL1"].coefficients["tumor"]


@pytest.mark.parametrize(("patch", "crops"), [(112, [96, 112]), (160, [144, 160]), (20, [10, 20])])
def test_the_network_is_trained_on_crops_with_room_to_shift_and_then_on_whole_patches(patch: int, crops: list[int]):
    assert [stage.pixels for stage in study_training(patch).stages] == crops
    assert DeepRadScoreRecipe(("PDL1",)).deep == study_training(DeepRadScoreRecipe(("PDL1",)).regions.patch_pixels)


def test_a_frozen_network_needs_its_weights(cohort):
    with pytest.raises(InputError, match="needs weights to start from"):
        Study(cohort, cohort.names, RECIPE)


def test_cases_prepared_for_other_endpoints_are_refused(cohort, start):
    with pytest.raises(InputError, match="prepared for the endpoints PDL1, EGFR, the recipe is for KRAS"):
        Study(cohort, cohort.names, replace(RECIPE, endpoints=("KRAS",)), start=start)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("test_share", 0.9, "test_share must lie between"),
        ("validation_share", float("nan"), "validation_share must lie between"),
        ("n_folds", 1, "n_folds must lie between"),
        ("kinds", ("oracle",), "Classifiers must be some of"),
        ("choice", "luckiest", "choice must be one of simplest, best; got 'luckiest'"),
        ("endpoints", (), "Endpoints must be named"),
        ("endpoints", ("PDL1", "PDL1"), "each once"),
    ],
)
def test_impossible_settings_are_refused(name: str, value: object, words: str):
    with pytest.raises(InputError, match=words):
        replace(RECIPE, **{name: value})
