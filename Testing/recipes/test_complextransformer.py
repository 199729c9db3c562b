"""The recipe for numbers by networks over features: trained, told, shipped, read, and asked about its features."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from toy_recipe import ToyRecipe

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.case import Case, Clinical
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.deep.cost import Cost
from PDL1PredictorLib.learning.export import export_bundle
from PDL1PredictorLib.learning.parts.network_grid import GridLearner
from PDL1PredictorLib.learning.parts.network_table import TableInputs, TableNetworkLearner
from PDL1PredictorLib.learning.parts.part import Place
from PDL1PredictorLib.learning.stability import Stability
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.models.stack import Stack
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.recipes.complextransformer import LEAD, LEAD_PART, RIVALS, ComplexTransformerRecipe
from PDL1PredictorLib.recipes.complextransformer_page import PAGE
from PDL1PredictorLib.recipes.page import Shared
from PDL1PredictorLib.study import conduct
from PDL1PredictorLib.study.card import Words, about_study
from PDL1PredictorLib.study.conduct import Cases, Plan, _outcome
from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.overlays import overlays
from PDL1PredictorLib.study.report.document import study_document
from PDL1PredictorLib.study.report.page import beside, to_html
from PDL1PredictorLib.study.run import StudyRun, run_study
from PDL1PredictorLib.study.setup import Study

FEW = FeatureSettings(name="few", classes=("shape", "firstorder"), wavelet=None)
MEAN, RING = "tumor_original_firstorder_Mean", "ring_original_firstorder_Mean"


def tiny(endpoints: tuple[str, ...] = ("TPS",), **changes) -> ComplexTransformerRecipe:
    """Networks that learn in a second."""
    usual = ComplexTransformerRecipe(endpoints)
    shorter = {"epochs": 12, "patience": 6, "learning_rate": 5e-3, "width": 8, "heads": 2, "layers": 1,
               "feedforward": 16}  # fmt: skip
    return replace(
        usual,
        features=FEW,
        lead=replace(usual.lead, **shorter),
        rivals={part: replace(how, **{**shorter, "epochs": 4}) for part, how in usual.rivals.items()},
        n_repeats=1,
        **changes,
    )


def made_up(n: int = 160, seed: int = 0, signal: float = 1.0) -> PreparedCohort:
    """Cases whose TPS follows two features, kept within 0 to 100; one in ten is not known."""
    rng = np.random.default_rng(seed)
    names = FEW.feature_names()
    features = rng.normal(100, 10, size=(n, len(names)))
    z = (features - 100) / 10
    tps = 50 + signal * (18 * z[:, names.index(MEAN)] + 10 * z[:, names.index(RING)]) + rng.normal(0, 8, n)
    features[:, names.index("tumor_original_shape_VoxelVolume")] = np.exp(rng.normal(9, 0.5, n))
    values = np.where(rng.random(n) < 0.1, np.nan, np.clip(tps, 0, 100))
    target = Target("number", values, low=0.0, high=100.0, cuts=(1.0, 50.0))
    return PreparedCohort(tuple(f"case_{i:04}" for i in range(n)), {"TPS": target}, {"features": features}, names)


def outcome_of(study: Study, run: StudyRun) -> StudyOutcome:
    plan = Plan(study.recipe, Path("model"), Path("report"), Path("cache"), "pdl1 train", ship="lead")
    cases = Cases([], {}, lambda used: [])
    return _outcome(plan, cases, study, run, Cost(1.0))


@pytest.fixture(scope="module")
def study() -> Study:
    cohort = made_up()
    return Study(cohort, cohort.names, tiny(), workers=1, ship="lead")


@pytest.fixture(scope="module")
def run(study: Study) -> StudyRun:
    return run_study(study)


@pytest.fixture(scope="module")
def predictor(study: Study, run: StudyRun, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    about = about_study(Words(), outcome_of(study, run), "", {"TPS": 1.0})
    folder = tmp_path_factory.mktemp("numbers") / "model"
    export_bundle(run.trained, about, folder)
    return load_predictor(folder)


def r2(outcome, title: str) -> float:
    truths, values = outcome.labels, outcome.models[title].value
    return float(1 - ((truths - values) ** 2).sum() / ((truths - truths.mean()) ** 2).sum())


def test_what_follows_two_features_is_found(run: StudyRun):
    outcome = run.endpoints["TPS"]
    assert r2(outcome, LEAD) > 0.5
    assert r2(outcome, "Ridge") > 0.6
    assert r2(outcome, "Mean") == pytest.approx(0, abs=0.05)
    assert list(outcome.models) == [*RIVALS.values(), LEAD, "Ridge", "Volume line", "Mean", "Median"]
    median = np.unique(outcome.models["Median"].value)
    known = run.folds[0].learned.rows
    values = made_up().targets["TPS"].values[known]
    assert median == pytest.approx([np.nanmedian(values)])


def test_intervals_hold_what_they_say_where_there_is_no_signal():
    covered = []
    for seed in range(3):
        cohort = made_up(120, seed, signal=0.0)
        outcome = run_study(Study(cohort, cohort.names, tiny(seed=seed), workers=1)).endpoints["TPS"]
        model = outcome.models[LEAD]
        assert r2(outcome, LEAD) < 0.15
        covered.append(((model.low <= outcome.labels) & (outcome.labels <= model.high)).mean())
    assert np.mean(covered) == pytest.approx(0.9, abs=0.1)


def test_shares_add_up_to_the_answer_and_name_the_features(run: StudyRun):
    outcome, model = run.endpoints["TPS"], run.kept.models["TPS"][LEAD]
    network = run.kept.learned.parts[LEAD_PART].model
    at_mean = network.trained.answers(np.zeros((1, len(network.columns))))
    start = model.slope * model.score(at_mean)[0] + model.intercept
    inside = (outcome.models[LEAD].value > 1) & (outcome.models[LEAD].value < 99)
    found = outcome.contributions.sum(axis=1) + start
    np.testing.assert_allclose(found[inside], outcome.models[LEAD].value[inside], atol=1.0)
    assert outcome.input_names == network.columns
    strongest = outcome.input_names[int(np.abs(outcome.contributions).mean(axis=0).argmax())]
    assert strongest == MEAN


def test_the_report_shows_epochs_attention_and_cuts(study: Study, run: StudyRun):
    outcome = outcome_of(study, run)
    document = study_document(outcome)
    number = document["endpoints"]["TPS"]
    assert set(number["network"]["epochs"]) == {LEAD, *RIVALS.values()}
    assert len(number["network"]["epochs"]["ANN"]["mse"]) <= 4
    assert set(number["network"]["inputs"]) == set(outcome.endpoints["TPS"].input_names)
    assert -1 <= number["network"]["agreement"]["of_means"] <= 1
    assert number["network"]["explained"][-1] <= 1 + 1e-9
    (one, fifty) = number["models"][LEAD]["cuts"]
    assert (one["cut"], fifty["cut"]) == (1.0, 50.0)
    assert fifty["auc"]["value"] > 0.8
    assert number["models"]["Mean"]["cuts"][1]["auc"] is None
    html = to_html(document, beside(outcome))
    assert all(
        words in html for words in ("Errors by epoch", "Attention by share", "AUC at 50", "Principal components")
    )


def test_the_bundle_answers_as_the_study_did_without_torch(
    study: Study, run: StudyRun, predictor: Stack, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(torch.nn.Module, "__call__", lambda *_, **__: pytest.fail("torch was asked"))
    outcome = run.endpoints["TPS"]
    model = outcome.models[LEAD]
    for row in (0, 5):
        (answer,) = predictor.answer(given_of(study.cohort, outcome.cases[row]), "cpu").answers
        assert answer.value == pytest.approx(model.value[row], abs=0.05)
        assert answer.interval == pytest.approx((model.low[row], model.high[row]), abs=0.05)
        told = {one.name: one.effect for one in answer.contributions}
        assert set(told) == set(outcome.input_names)
        wanted = dict(zip(outcome.input_names, outcome.contributions[row], strict=True))
        assert max(abs(told[name] - wanted[name]) for name in told) < 0.5
        assert sum(dict(answer.attention).values()) < 1
        assert len(answer.attention) == len(told)
        asked = dict(zip(outcome.input_names, outcome.insight.attention[row], strict=True))
        assert dict(answer.attention) == pytest.approx(asked, abs=1e-4)


def test_a_line_stands_beside_the_network(run: StudyRun):
    network = run.kept.learned.parts[LEAD_PART].model.trained.network
    assert network.line.weight.abs().max() > 0.1
    assert "Beside it stands a line" in tiny().method_text()


def given_of(cohort: PreparedCohort, name: str) -> Given:
    features = dict(zip(cohort.feature_names, cohort.features[cohort.names.index(name)], strict=True))
    volume = features["tumor_original_shape_VoxelVolume"] / 1000
    return Given(features, None, volume, Clinical(), synthetic=True)


def test_chances_at_the_cuts_rise_with_the_answer(study: Study, run: StudyRun, predictor: Stack):
    outcome = run.endpoints["TPS"]
    order = np.argsort(outcome.models[LEAD].value)
    low, high = (
        predictor.answer(given_of(study.cohort, outcome.cases[row]), "cpu").answers[0] for row in order[[0, -1]]
    )
    assert [one.cut for one in low.chances] == [1.0, 50.0]
    assert low.chances[0].probability > low.chances[1].probability
    assert high.chances[1].probability > low.chances[1].probability + 0.3


def test_the_bundle_is_small_and_names_the_simpler_model(predictor: Stack, run: StudyRun):
    manifest = predictor.manifest
    (endpoint,) = manifest.endpoints
    assert (endpoint.title, endpoint.parts, endpoint.simpler) == (LEAD, ("network",), "Ridge")
    assert run.choices["TPS"].reason.startswith("It was asked for. Ridge is simpler")
    assert manifest.network.inputs.table == run.kept.learned.parts[LEAD_PART].model.columns
    assert manifest.needs.picture == "none"
    assert manifest.needs.features


def test_the_verdict_says_that_a_simpler_model_is_as_good(study: Study, run: StudyRun, predictor: Stack):
    case = run.endpoints["TPS"].cases[0]
    (answer,) = predictor.answer(given_of(study.cohort, case), "cpu").answers
    if answer.verdict.answered:
        assert answer.verdict.codes == "simpler_as_good"
    else:
        assert "simpler_as_good" not in answer.verdict.codes


def test_by_default_the_simpler_model_is_shipped_without_a_network(study: Study):
    chosen = run_study(replace(study, ship="chosen"))
    assert chosen.choices["TPS"].title == "Ridge"
    assert chosen.trained.network is None


def test_held_out_values_do_not_change_what_a_network_is_given():
    cohort = made_up(80)
    inputs, fit = TableInputs(6), np.arange(60)
    training = TrainingSet(cohort, np.array(cohort.names), np.arange(80), ("TPS",), 1)
    values = cohort.targets["TPS"].values.copy()
    values[60:] = 100 - values[60:]
    features = cohort.features.copy()
    features[60:] *= 3
    other = cohort.with_targets({"TPS": replace(cohort.targets["TPS"], values=values)}).with_blocks(features=features)
    twin = TrainingSet(other, np.array(other.names), np.arange(80), ("TPS",), 1)
    one, two = inputs.of(training, fit), TableInputs(6).of(twin, fit)
    assert one.names == two.names
    assert MEAN in one.names
    assert len(one.names) <= 6
    np.testing.assert_array_equal(one.mean, two.mean)
    changed = TableInputs(6).of(twin, np.arange(80))  # and they do where they teach
    assert not np.array_equal(changed.mean, one.mean)


def test_as_published_a_network_is_given_every_feature_of_the_tumor():
    recipe = PAGE.build(Shared(("TPS",), 1, Design.SPLIT, 5), options(as_published=True))
    assert (recipe.lead.layers, recipe.lead.feedforward, recipe.lead.heads, recipe.lead.dropout) == (6, 1024, 4, 0.4)
    assert not recipe.lead.bounded
    assert not recipe.lead.line
    assert recipe.lead.loss == "squares"
    assert "stands a line" not in recipe.method_text()
    assert recipe.rivals["gru"].epochs == 500
    cohort = made_up(40)
    training = TrainingSet(cohort, np.array(cohort.names), np.arange(40), ("TPS",), 1)
    found = TableInputs(recipe.most_features).of(training, np.arange(40))
    assert found.names == tuple(name for name in cohort.feature_names if name.startswith("tumor_"))
    assert "all features of the tumor" in recipe.method_text()


def options(**own) -> dict:
    return {option.key: own.get(option.key, option.default) for option in PAGE.options}


def test_the_options_reach_the_recipe():
    build = lambda **own: PAGE.build(Shared(("TPS",), 3, Design.NESTED, 4, 2), options(**own))  # noqa: E731
    assert (build().seed, build().n_folds, build().outer_repeats, build().most_features) == (3, 4, 2, 32)
    assert build(tokens=7).most_features == 7
    assert build(most_epochs=9).lead.epochs == build(most_epochs=9).rivals["ann"].epochs == 9
    assert isinstance(build(grid=True).learners(made_up(40), Place())[LEAD_PART]._learner, GridLearner)
    assert isinstance(build().learners(made_up(40), Place())[LEAD_PART]._learner, TableNetworkLearner)
    with pytest.raises(InputError, match="leave --tokens out"):
        build(tokens=7, as_published=True)
    json.dumps(build().to_dict())


def test_a_grid_finds_its_settings_within_the_cases_that_teach():
    cohort = made_up(60)
    training = TrainingSet(cohort, np.array(cohort.names), np.arange(60), ("TPS",), 1)
    how = replace(tiny().lead, epochs=2, patience=1)
    learner = GridLearner(how, TableInputs(4), 1)
    model = learner.learn(training, np.arange(45), np.arange(45, 60), SILENT)
    assert len(model.losses) == len(model.epochs) == 12
    flipped = cohort.targets["TPS"].values.copy()
    flipped[45:] = 100 - flipped[45:]
    other = TrainingSet(
        cohort.with_targets({"TPS": replace(cohort.targets["TPS"], values=flipped)}), training.patients,
        training.rows, ("TPS",), 1,
    )  # fmt: skip
    again = GridLearner(how, TableInputs(4), 1).learn(other, np.arange(45), np.arange(45, 60), SILENT)
    assert again.losses == model.losses
    kept = learner.kept(training, [model, model], SILENT)
    assert kept.answers(np.arange(3)).shape == (3, 1)


def test_shares_of_folds_with_other_features_stand_side_by_side():
    cohort = made_up(90)
    found = run_study(Study(cohort, cohort.names, tiny(design=Design.NESTED, n_folds=2, outer_repeats=1), workers=1))
    outcome = found.endpoints["TPS"]
    shape = (len(outcome.cases), len(outcome.input_names))
    assert outcome.inputs.shape == outcome.contributions.shape == outcome.insight.attention.shape == shape


@dataclass(frozen=True)
class Ball:
    """A ball in lung, whatever its name."""

    name: str

    def load(self) -> SimpleNamespace:
        at = np.stack(np.meshgrid(*(np.arange(24) - 11.5 for _ in range(3)), indexing="ij"), axis=-1)
        ball = np.linalg.norm(at, axis=-1) < 6
        ct, mask = np.where(ball, 30, -800).astype(np.int16), ball.astype(np.uint8)
        return SimpleNamespace(case=Case(sitk.GetImageFromArray(ct), sitk.GetImageFromArray(mask)))


def test_nearest_and_farthest_answers_are_drawn_in_three_planes(study: Study, run: StudyRun):
    found = overlays([Ball(name) for name in study.cohort.names], run.endpoints, study.recipe.regions)
    outcome = run.endpoints["TPS"]
    apart = np.abs(outcome.models[LEAD].value - outcome.labels)
    errors = dict(zip(outcome.cases, apart.tolist(), strict=True))
    assert {one.case for one in found} >= {min(errors, key=errors.get), max(errors, key=errors.get)}
    assert [picture.title for picture in found[0].pictures] == ["Axial", "Axial", "Coronal", "Sagittal"]
    assert all(picture.tumor_path for one in found for picture in one.pictures)
    told = replace(outcome_of(study, run), overlays=found)
    document = study_document(told)
    assert [row["case"] for row in document["overlays"]] == [one.case for one in found]
    html = to_html(document, beside(told))
    assert all(f"planes-TPS-{one.case}" in html for one in found)
    assert html.count('class="planes"') == len(found) == 4
    assert overlays([], {"TPS": replace(outcome, insight=None)}, study.recipe.regions) == ()


def test_features_are_not_filtered_by_stability(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(conduct, "prepare", lambda *arguments: asked.append(arguments[-1]) or made_up(40))
    learned = SimpleNamespace(stability=Stability(12, np.ones(3, bool), {"noise": np.ones(3)}))
    run = SimpleNamespace(kept=SimpleNamespace(learned=learned))
    recipe = PAGE.build(Shared(("TPS",), 1, Design.SPLIT, 5), options())
    for one in (recipe, ToyRecipe()):
        conduct.prepare_cases(SimpleNamespace(sources=[], strata=None), one, tmp_path, 1, None, SILENT)
    assert asked == [0, 40]
    assert conduct._stability(recipe, run) == ()
    assert "no candidates" in conduct._stability(ToyRecipe(), run)[0]
    assert "not filtered by stability" in recipe.method_text()
