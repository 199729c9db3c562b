"""The recipe of slices, features and clinical values in one layer: trained, shipped, read, and leaking nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from small_model import tiny_card
from torch import nn

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.settings import FrameSettings, RegionSettings
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.imaging.patch import Patch
from PDL1PredictorLib.learning.deep.joint.settings import JointStage, JointTraining, best_epoch, shortened
from PDL1PredictorLib.learning.export import About, export_bundle
from PDL1PredictorLib.learning.parts.network import NetworkAnswers
from PDL1PredictorLib.learning.parts.network_joint import JointTable
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.predictor import Given
from PDL1PredictorLib.models.stack import Stack
from PDL1PredictorLib.networks.backbones import TABLE, Backbone
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.recipes.page import Shared
from PDL1PredictorLib.recipes.pdl1es import CLINICAL, DEEP, LEAD, RADIOMICS, Pdl1esRecipe, published
from PDL1PredictorLib.recipes.pdl1es_page import PAGE
from PDL1PredictorLib.study.leak import leak_test
from PDL1PredictorLib.study.run import StudyRun, run_study
from PDL1PredictorLib.study.setup import Study

FEW = FeatureSettings(name="few", classes=("shape", "firstorder"), wavelet=None)
TELLING, PIXELS = "tumor_original_firstorder_Entropy", 40
SMOKING = ("never", "former", "current")
HOW = JointTraining(stages=(JointStage(8, 5e-3), JointStage(2, 5e-4)), batch=12, dropout=0.0, noise=0.0)


def tiny(**changes) -> Pdl1esRecipe:
    """A network that learns in seconds."""
    return Pdl1esRecipe(
        features=FEW,
        regions=RegionSettings(patch_pixels=PIXELS),
        frame=FrameSettings(pixels=32, margin_pixels=3),
        network=HOW,
        clinical=("age_years", "smoking"),
        n_inner_folds=2,
        n_repeats=1,
        n_bootstrap=20,
        **changes,
    )


def made_up(n: int = 72, seed: int = 0) -> PreparedCohort:
    """High PD-L1 follows from the tumor's brightness, one feature, and smoking, of which a tenth is not known."""
    rng = np.random.default_rng(seed)
    bright, feature, smoking = rng.normal(size=n), rng.normal(size=n), rng.integers(0, 3, n).astype(float)
    high = (bright + feature + (smoking - 1) + rng.normal(0, 0.5, n) > 0).astype(float)
    j, i = np.mgrid[:PIXELS, :PIXELS] - (PIXELS - 1) / 2
    hu = rng.normal(-800, 20, (n, 5, PIXELS, PIXELS))
    tumor = np.zeros(hu.shape, bool)
    for row, radius in enumerate(rng.uniform(5, 9, n)):
        tumor[row] = (j / radius) ** 2 + (i / radius / 1.3) ** 2 < 1
        hu[row][tumor[row]] = rng.normal(20 + 40 * bright[row], 10, int(tumor[row].sum()))
    names = FEW.feature_names()
    features = rng.normal(100, 10, (n, len(names)))
    features[:, names.index(TELLING)] = 100 + 10 * feature
    features[:, names.index("tumor_original_shape_VoxelVolume")] = np.exp(rng.normal(9, 0.5, n))
    smoking[rng.random(n) < 0.1] = np.nan
    clinical = np.column_stack([rng.normal(65, 8, n), smoking])
    blocks = {"features": features, "slices": hu.astype(np.int16), "slices_tumor": tumor, "clinical": clinical}
    cases = tuple(f"c{k:02}" for k in range(n))
    people = {case: Clinical(kernel=("B30f", "B60f", None)[k % 3]) for k, case in enumerate(cases)}
    return PreparedCohort(cases, {"PDL1_HIGH": Target("binary", high)}, blocks, names, people=people)


def small_backbone() -> nn.Sequential:
    """Two convolutions in place of a hundred and twenty."""
    layers = (nn.Conv2d(3, 12, 5, 2, 2), nn.BatchNorm2d(12), nn.ReLU(), nn.Conv2d(12, 24, 3, 2, 1), nn.BatchNorm2d(24))
    return nn.Sequential(*layers)


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """A backbone that learns in a second stands for the usual one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(TABLE, "densenet121", Backbone(small_backbone, 24, 32, "features.", "made up"))
        yield


@pytest.fixture(scope="module")
def cohort() -> PreparedCohort:
    return made_up()


@pytest.fixture(scope="module")
def run(cohort: PreparedCohort) -> StudyRun:
    return run_study(Study(cohort, cohort.names, tiny(), workers=1, ship="lead"))


@pytest.fixture(scope="module")
def predictor(run: StudyRun, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    folder = tmp_path_factory.mktemp("pdl1es") / "model"
    about = About("Joint", "tests", "made up", ("tests only",), tiny_card, bayes_auc={"PDL1_HIGH": 0.95})
    export_bundle(run.trained, about, folder)
    return load_predictor(folder)


def auc(run: StudyRun, title: str) -> float:
    outcome = run.endpoints["PDL1_HIGH"]
    positive = outcome.labels == 1
    values = outcome.models[title].probability
    return float((values[positive][:, None] > values[~positive]).mean())


def given_of(cohort: PreparedCohort, row: int, **known) -> Given:
    def patch(index: int) -> Patch:
        hu, tumor = cohort.patches_hu[row, index], cohort.patches_tumor[row, index]
        images = [sitk.GetImageFromArray(array[None]) for array in (hu.astype(np.float32), tumor.astype(np.uint8))]
        return Patch(images[0], images[1], 1.0, 0.0)

    features = dict(zip(cohort.feature_names, cohort.features[row], strict=True))
    age, smoking = cohort.clinical[row]
    known = {"age_years": float(age), "smoking": None if np.isnan(smoking) else SMOKING[int(smoking)]} | known
    patches = [patch(index) for index in range(5)]
    volume = features["tumor_original_shape_VoxelVolume"] / 1000
    return Given(features, patches[0], volume, Clinical(**known), neighbors=tuple(patches[1:]), synthetic=True)


def test_every_model_answers_and_the_joint_one_uses_all_three(run: StudyRun):
    outcome = run.endpoints["PDL1_HIGH"]
    assert list(outcome.models) == [LEAD, DEEP, RADIOMICS, CLINICAL, "Tumor volume"]
    assert auc(run, LEAD) > 0.75
    names = run.kept.learned.parts["network"].model.columns
    assert TELLING in names
    assert names[-2:] == ("age_years", "smoking")
    assert run.kept.learned.parts["network_deep"].model.columns == ()


def test_the_bundle_answers_as_the_study_did_without_torch(
    cohort: PreparedCohort, run: StudyRun, predictor: Stack, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(torch.nn.Module, "__call__", lambda *_, **__: pytest.fail("torch was asked"))
    outcome = run.endpoints["PDL1_HIGH"]
    for place in range(4):
        row = cohort.names.index(outcome.cases[place])
        answered = predictor.answer(given_of(cohort, row), "cpu")
        assert answered.answers[0].probability == pytest.approx(outcome.models[LEAD].probability[place], abs=2e-3)
        missing = np.isnan(cohort.clinical[row]).any()
        assert ("clinical_imputed" in {warning.code for warning in answered.warnings}) == missing


def test_the_manifest_says_what_the_network_is_given(predictor: Stack, run: StudyRun):
    entry = predictor.manifest.network
    assert (entry.backbone, entry.bits, entry.head, entry.slices, entry.outputs) == ("joint", 8, "linear", 5, "answers")
    assert entry.inputs.frame == FrameSettings(pixels=32, margin_pixels=3)
    assert entry.inputs.table == run.kept.learned.parts["network"].model.columns
    assert predictor.needs.clinical == ("age_years", "smoking")
    assert predictor.manifest.imputer is not None
    kernels, rows = predictor.manifest.training_kernels, run.kept.learned.rows
    assert kernels.names == ("B30f", "B60f")
    assert (kernels.known, kernels.of) == (sum(row % 3 < 2 for row in rows), len(rows))


def test_smoking_and_the_feature_move_the_answer(cohort: PreparedCohort, predictor: Stack):
    def answer(**known) -> float:
        return predictor.answer(given_of(cohort, 3, **known), "cpu").answers[0].probability

    assert answer(smoking="current") > answer(smoking="never")
    given = given_of(cohort, 3)
    high, low = (
        predictor.answer(replace(given, features={**given.features, TELLING: value}), "cpu").answers[0].probability
        for value in (120.0, 80.0)
    )
    assert high > low


def test_the_textures_of_the_tumor_that_count_most_are_mapped(run: StudyRun, predictor: Stack):
    assert predictor.voxel_maps == ()  # its features are shape and first order
    part = run.kept.learned.parts["network"]
    head = part.model.trained.network.head().table[0]
    assert part.model.column_weights(0)["smoking"] == pytest.approx(head[part.model.columns.index("smoking")])
    first, second = "tumor_original_glcm_Contrast", "tumor_wavelet-LLL_glrlm_RunEntropy"
    weights = {first: -0.3, "ring_original_glcm_Contrast": 9.0, TELLING: 5.0, second: 0.3, "age_years": 7.0}
    weights |= {"tumor_original_ngtdm_Busyness": 0.1, "tumor_original_gldm_DependenceEntropy": 0.0}
    network = SimpleNamespace(columns=tuple(weights), column_weights=lambda output: weights if output == 1 else {})
    answers = NetworkAnswers(network, ("EGFR", "PDL1_HIGH"))
    assert answers.mapped("PDL1_HIGH") == (first, second)
    del weights[first]
    network.columns = tuple(weights)
    assert answers.mapped("PDL1_HIGH") == (second, "tumor_original_ngtdm_Busyness")
    assert NetworkAnswers(SimpleNamespace(columns=()), ("PDL1_HIGH",)).mapped("PDL1_HIGH") == ()


def test_the_heat_map_lies_in_the_rectangle_about_the_tumor(cohort: PreparedCohort, predictor: Stack):
    found = [predictor.answer(given_of(cohort, row), "cpu").heat_maps[0] for row in range(8)]
    warm = [sitk.GetArrayFromImage(heat.image)[0] for heat in found]
    assert any(heat.max() == pytest.approx(1, abs=0.3) for heat in warm)
    for row, heat in enumerate(warm):
        rows, columns = np.nonzero(cohort.patches_tumor[row, 0])
        outside = heat.copy()
        outside[rows.min() - 3 : rows.max() + 4, columns.min() - 3 : columns.max() + 4] = 0
        assert not outside.any()
        seen = sitk.GetArrayFromImage(found[row].seen)[0]
        assert seen.sum() == (np.ptp(rows) + 7) * (np.ptp(columns) + 7)  # 3 pixels beyond the tumor on every side
        assert not heat[seen == 0].any()


def test_held_out_cases_do_not_change_what_a_network_is_given(cohort: PreparedCohort):
    fit = np.arange(50)
    flipped = cohort.targets["PDL1_HIGH"].values.copy()
    flipped[50:] = 1 - flipped[50:]
    other = cohort.with_targets({"PDL1_HIGH": Target("binary", flipped)})
    other = other.with_blocks(
        features=np.where(np.arange(72)[:, None] < 50, cohort.features, 3 * cohort.features),
        clinical=np.where(np.arange(72)[:, None] < 50, cohort.clinical, 0),
    )
    table = JointTable(clinical=("age_years", "smoking"))
    one, two = (
        table.learn(TrainingSet(c, np.array(c.names), np.arange(72), ("PDL1_HIGH",), 1), fit) for c in (cohort, other)
    )
    assert one.names == two.names
    np.testing.assert_array_equal(one.mean, two.mean)
    np.testing.assert_array_equal(one.of(cohort)[:50], two.of(other)[:50])
    all_rows = TrainingSet(other, np.array(other.names), np.arange(72), ("PDL1_HIGH",), 1)
    changed = table.learn(all_rows, np.arange(72))  # and they do where they teach
    assert not np.array_equal(changed.mean[-2:], one.mean[-2:])


def test_shuffled_labels_are_not_learned(cohort: PreparedCohort):
    recipe = replace(tiny(), network=replace(HOW, stages=(JointStage(1, 1e-3),)))
    found = leak_test(cohort, cohort.names, "PDL1_HIGH", recipe, repeats=6, workers=1)
    assert set(found.figures) == {LEAD, DEEP, RADIOMICS, CLINICAL, "Tumor volume"}
    assert found.suspects == ()


def test_without_clinical_values_there_is_no_clinical_model(cohort: PreparedCohort):
    recipe = replace(tiny(), clinical=())
    assert CLINICAL not in [plan.name.title for plan in recipe.models]
    assert "the cohort has none" in recipe.method_text()
    training = TrainingSet(cohort, np.array(cohort.names), np.arange(72), ("PDL1_HIGH",), 1)
    found = JointTable().learn(training, np.arange(72))
    assert found.imputer is None
    assert found.of(cohort).shape == (72, len(found.names))


def test_as_published_every_significant_feature_and_every_slice_enters(cohort: PreparedCohort):
    recipe = published(tiny())
    assert [(stage.epochs, stage.learning_rate) for stage in recipe.network.stages] == [
        (20, 1e-4),
        (20, 1e-5),
        (20, 1e-6),
    ]
    assert recipe.network.all_slices
    training = TrainingSet(cohort, np.array(cohort.names), np.arange(72), ("PDL1_HIGH",), 1)
    twin = cohort.features.copy()
    twin[:, cohort.feature_names.index("tumor_original_firstorder_Energy")] = twin[
        :, cohort.feature_names.index(TELLING)
    ]
    double = TrainingSet(cohort.with_blocks(features=twin), training.patients, training.rows, ("PDL1_HIGH",), 1)
    rows = np.arange(72)
    assert len(JointTable(pruned=False).learn(double, rows).names) == 1 + len(JointTable().learn(double, rows).names)


def test_stages_are_shortened_to_what_was_best():
    how = JointTraining(stages=(JointStage(4, 1e-3), JointStage(3, 1e-4)))
    assert [stage.epochs for stage in shortened(how, 6).stages] == [4, 2]
    assert [stage.epochs for stage in shortened(how, 3).stages] == [3]
    assert [stage.epochs for stage in shortened(how, 0).stages] == [1]
    assert best_epoch([{"validation": 0.7}, {"validation": 0.5}, {"validation": 0.6}]) == 2
    assert best_epoch([{"train": 0.7}, {"train": 0.5}]) == 2


def test_the_time_is_told_before_the_first_training(cohort: PreparedCohort):
    said: list[str] = []
    recipe = replace(tiny(), network=replace(HOW, stages=(JointStage(1, 1e-3),)))
    small = cohort.take(np.arange(40))
    run_study(
        Study(small, small.names, recipe, workers=1), Progress(report=lambda stage, share, words: said.append(words))
    )
    assert any(words.startswith("an epoch takes about") and "trainings of 1 epochs" in words for words in said)


def options(**own) -> dict:
    return {option.key: own.get(option.key, option.default) for option in PAGE.options}


def test_the_options_reach_the_recipe():
    shared = Shared(("PDL1_HIGH",), 3, Design.NESTED, 4, 2, ("age_years",))
    build = lambda **own: PAGE.build(shared, options(**own))  # noqa: E731
    recipe = build()
    assert (recipe.seed, recipe.n_folds, recipe.outer_repeats, recipe.clinical) == (3, 4, 2, ("age_years",))
    assert (recipe.features.name, recipe.frame.pixels, recipe.frame.keep_aspect) == ("pdl1es", 112, False)
    assert build(keep_aspect=True, frame_pixels=64).frame == FrameSettings(64, 5, True)
    assert [stage.epochs for stage in build(epochs=[2, 1]).network.stages] == [2, 1]
    assert build(backbone="resnet50").network.backbone == "resnet50"
    assert not build(as_published=True).pruned
    for wrong, words in (
        ({"epochs": [1]}, "2 stages"),
        ({"epochs": [1, 1], "as_published": True}, "leave --epochs, --backbone and --cpu-bfloat16 out"),
        ({"frame_pixels": 20}, "at least 32 pixels"),
        ({"backbone": "alexnet"}, "must be one of"),
    ):
        with pytest.raises(InputError, match=words):
            build(**wrong)
    json.dumps(recipe.to_dict())
    for words in ("PD-L1ES", "AdamW", "stretched as in the paper", "age_years", "put back"):
        assert words in recipe.method_text()


def test_settings_that_cannot_be_are_refused():
    for wrong in ({"stages": ()}, {"batch": 1}, {"stages": (JointStage(1, 0.0),)}, {"backbone": "x"}, {"dropout": 1.0}):
        with pytest.raises(InputError):
            JointTraining(**wrong)


def test_a_frame_that_cannot_be_is_refused(tmp_path: Path):
    for wrong in ({"pixels": 8}, {"margin_pixels": -1}):
        with pytest.raises(InputError):
            FrameSettings(**wrong)
    assert FrameSettings.from_dict(FrameSettings().to_dict()) == FrameSettings()
    for wrong in ({"pixels": 32}, {**FrameSettings().to_dict(), "pixels": 32.5}):
        with pytest.raises(InputError):
            FrameSettings.from_dict(wrong)
