"""`--slabs`: the recurrent rivals read axial slabs of the tumor; everything else stays as it is."""

import csv
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from toy_cohort import write_case

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.progress import SILENT
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.deep.cost import Cost
from PDL1PredictorLib.learning.export import export_bundle
from PDL1PredictorLib.learning.parts.network_slabs import SlabInputs, skipped_slabs
from PDL1PredictorLib.learning.parts.network_table import TableNetworkLearner
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.radiomics.settings import FeatureSettings
from PDL1PredictorLib.radiomics.slabs import SLAB_FEATURES
from PDL1PredictorLib.recipes.complextransformer import LEAD, RIVALS, ComplexTransformerRecipe
from PDL1PredictorLib.recipes.complextransformer_page import PAGE
from PDL1PredictorLib.recipes.page import Shared
from PDL1PredictorLib.study.card import Words, about_study
from PDL1PredictorLib.study.conduct import Cases, Plan, _outcome
from PDL1PredictorLib.study.leak import leak_test
from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.report.document import study_document
from PDL1PredictorLib.study.report.page import beside, to_html
from PDL1PredictorLib.study.run import StudyRun, run_study
from PDL1PredictorLib.study.setup import Study

FEW = FeatureSettings(name="few", classes=("shape", "firstorder"), wavelet=None)
OVER_SLABS = ("RNN over slabs", "LSTM over slabs", "GRU over slabs")
N_SLABS = 4
LACKING = (3, 11)  # cases without their lowest slab; of the next no slab was measured
EMPTY = 20


def tiny(slabs: int = N_SLABS, **changes) -> ComplexTransformerRecipe:
    """Networks that learn in a second."""
    usual = ComplexTransformerRecipe()
    shorter = {"epochs": 2, "patience": 2, "learning_rate": 5e-3, "width": 8, "heads": 2, "layers": 1,
               "feedforward": 16}  # fmt: skip
    longer = {**shorter, "epochs": 40, "patience": 10, "dropout": 0.1}
    recurrent = ("rnn", "lstm", "gru")
    rivals = {
        part: replace(how, **(longer if part in recurrent and slabs else shorter)) for part, how in usual.rivals.items()
    }
    own = {"features": FEW, "lead": replace(usual.lead, **shorter), "rivals": rivals, "n_repeats": 1, "slabs": slabs}
    return replace(usual, **{**own, **changes})


def made_up(n: int = 140, seed: int = 0) -> PreparedCohort:
    """Cases whose TPS follows whether the intensity rises from the lowest slab to the highest, and no feature."""
    rng = np.random.default_rng(seed)
    names = FEW.feature_names()
    features = rng.normal(100, 10, size=(n, len(names)))
    features[:, names.index("tumor_original_shape_VoxelVolume")] = np.exp(rng.normal(9, 0.5, n))
    rise = rng.uniform(-1, 1, n)
    slabs = rng.normal(0, 10, size=(n, N_SLABS, len(SLAB_FEATURES)))
    slabs[:, :, SLAB_FEATURES.index("firstorder_Mean")] += 200 * rise[:, None] * np.linspace(-1, 1, N_SLABS)
    measured = np.ones((n, N_SLABS), bool)
    measured[list(LACKING), 0] = False
    measured[EMPTY] = False
    slabs[~measured] = np.nan
    target = Target("number", np.clip(50 + 45 * rise + rng.normal(0, 4, n), 0, 100), low=0.0, high=100.0, cuts=(50.0,))
    blocks = {"features": features, "slabs": slabs, "slabs_measured": measured}
    return PreparedCohort(tuple(f"case_{i:04}" for i in range(n)), {"TPS": target}, blocks, names)


def training_on(cohort: PreparedCohort) -> TrainingSet:
    return TrainingSet(cohort, np.array(cohort.names), np.arange(len(cohort)), ("TPS",), 1)


@pytest.fixture(scope="module")
def study() -> Study:
    cohort = made_up()
    return Study(cohort, cohort.names, tiny(), workers=1, ship="lead")


@pytest.fixture(scope="module")
def run(study: Study) -> StudyRun:
    return run_study(study)


@pytest.fixture(scope="module")
def outcome(study: Study, run: StudyRun) -> StudyOutcome:
    plan = Plan(study.recipe, Path("model"), Path("report"), Path("cache"), "pdl1 train", ship="lead")
    return _outcome(plan, Cases([], {}, lambda used: []), study, run, Cost(1.0))


def r2(outcome, title: str) -> float:
    truths, values = outcome.labels, outcome.models[title].value
    return float(1 - ((truths - values) ** 2).sum() / ((truths - truths.mean()) ** 2).sum())


def test_what_the_order_of_slabs_tells_is_found_by_those_who_read_them_alone(run: StudyRun):
    found = run.endpoints["TPS"]
    assert list(found.models) == [
        "ANN", "CNN", *OVER_SLABS, "Transformer", LEAD, "Ridge", "Volume line", "Mean", "Median"
    ]  # fmt: skip
    assert min(r2(found, title) for title in OVER_SLABS) > 0.6
    assert max(r2(found, title) for title in found.models if title not in OVER_SLABS) < 0.2


def test_slabs_in_another_order_give_another_answer(study: Study, run: StudyRun):
    model = run.kept.learned.parts["gru"].model
    cohort, rows = study.cohort, np.arange(40, 60)
    turned = cohort.with_blocks(slabs=cohort.block("slabs")[:, ::-1])
    z, other = (model.trained.answers(model.table.of(one, rows))[:, 0] for one in (cohort, turned))
    assert np.corrcoef(z, other)[0, 1] < -0.5


def test_the_report_says_who_reads_slabs_and_which_were_skipped(outcome: StudyOutcome):
    document = study_document(outcome)
    assert set(document["endpoints"]["TPS"]["network"]["epochs"]) > set(OVER_SLABS)
    assert document["settings"]["slabs"] == N_SLABS
    assert "into 4 slabs of equal height" in document["method"]
    first, second = document["notes"][:2]
    assert first.startswith("6 of 560 slabs hold fewer than 16 voxels")
    assert "in 3 of 140 cases" in first
    assert second.startswith("No slab could be measured of case_0020: ")
    html = to_html(document, beside(outcome))
    assert all(words in html for words in (*OVER_SLABS, first, second, "Errors by epoch"))
    assert html.count("GRU over slabs") > 3  # tables and figures


def test_a_bundle_knows_nothing_of_slabs(outcome: StudyOutcome, run: StudyRun, tmp_path: Path):
    about = about_study(Words(), outcome, "", {"TPS": 1.0})
    export_bundle(run.trained, about, tmp_path / "model")
    manifest = json.loads((tmp_path / "model" / "model.json").read_text(encoding="utf-8"))
    assert "slabs" not in manifest["needs"]
    assert load_predictor(tmp_path / "model").manifest.needs == Needs(features=True)
    with pytest.raises(InputError, match="cannot be written into a bundle"):
        run.kept.learned.parts["rnn"].model.end_to_end((0,), np.arange(2))


def test_without_slabs_nothing_is_said_of_them():
    recipe = tiny(slabs=0)
    assert recipe.needs == Needs(features=True)
    assert [plan.name.title for plan in recipe.models[:6]] == list(RIVALS.values())
    assert "slabs" not in recipe.to_dict()
    assert "slab" not in recipe.method_text()
    assert "read an order into it that it does not have" in recipe.method_text()
    bare = made_up()
    bare = replace(bare, blocks={"features": bare.features})
    assert skipped_slabs(bare) == ()
    fit, watch = np.arange(100), np.arange(100, 120)
    learner = recipe.learners(bare, None)["rnn"]  # type: ignore[arg-type]  # no place is asked for
    assert learner.learn(training_on(bare), fit, watch, SILENT).model.columns[0].startswith(("tumor_", "ring_"))


def test_held_out_slabs_do_not_change_what_a_network_is_given():
    cohort, fit = made_up(), np.arange(90)
    slabs = cohort.block("slabs").copy()
    slabs[90:] *= 3
    twin = cohort.with_blocks(slabs=slabs)
    one, two = (SlabInputs().of(training_on(each), fit).standardizer for each in (cohort, twin))
    np.testing.assert_array_equal(one.mean, two.mean)
    np.testing.assert_array_equal(one.sd, two.sd)
    changed = SlabInputs().of(training_on(twin), np.arange(140)).standardizer  # and they do where they teach
    assert not np.array_equal(changed.sd, one.sd)


def test_slabs_are_standardized_over_slabs_and_cases_and_gaps_stay_gaps():
    cohort, fit = made_up(), np.arange(90)
    slabs = cohort.block("slabs").copy()
    slabs[5, 2, 4] = np.nan  # one value that is not defined in a slab that is there
    slabs[:, :, 7] = 3.0  # a feature that tells nothing
    cohort = cohort.with_blocks(slabs=np.where(cohort.block("slabs_measured")[:, :, None], slabs, np.nan))
    given = SlabInputs().of(training_on(cohort), fit)
    z = given.of(cohort, np.arange(140))
    np.testing.assert_allclose(np.nanmean(z[:90], axis=(0, 1)), 0, atol=1e-9)
    assert np.isnan(z[LACKING[0], 0]).all()
    assert np.isnan(z[EMPTY]).all()
    assert z[5, 2, 4] == 0
    assert (z[50, :, 7] == 0).all()
    assert given.names[:2] == ("slab_1_slab_MeanArea", "slab_1_firstorder_Mean")
    assert len(given.names) == N_SLABS * len(SLAB_FEATURES)


def test_cases_that_cannot_teach_anything_of_slabs_are_refused():
    cohort = made_up(60)
    nothing = cohort.with_blocks(slabs_measured=np.zeros((60, N_SLABS), bool))
    with pytest.raises(InputError, match="No slab of the 40 cases that teach holds 16 voxels"):
        SlabInputs().of(training_on(nothing), np.arange(40))
    bare = replace(cohort, blocks={"features": cohort.features})
    learner = TableNetworkLearner(tiny().rivals["gru"], SlabInputs(), 1)
    with pytest.raises(InputError, match="prepared without slabs"):
        learner.learn(training_on(bare), np.arange(40), np.arange(40, 60), SILENT)


def test_every_case_is_tested_by_outer_folds():
    cohort = made_up(90)
    recipe = tiny(design=Design.NESTED, n_folds=2, outer_repeats=1)
    found = run_study(Study(cohort, cohort.names, recipe, workers=1)).endpoints["TPS"]
    assert len(found.cases) == 90
    assert r2(found, "GRU over slabs") > 0.4


def test_shuffled_values_are_not_found_in_slabs():
    cohort = made_up(120)
    found = leak_test(cohort, cohort.names, "TPS", tiny(), repeats=5, workers=1)
    assert set(OVER_SLABS) <= set(found.figures)
    assert not set(OVER_SLABS) & set(found.suspects)


def build(**own) -> ComplexTransformerRecipe:
    options = {option.key: own.get(option.key, option.default) for option in PAGE.options}
    return PAGE.build(Shared(("TPS",), 3, Design.SPLIT, 5), options)


def test_the_option_reaches_the_recipe():
    assert build().slabs == 0
    recipe = build(slabs=8, as_published=True)
    assert recipe.needs.slabs == recipe.to_dict()["slabs"] == 8
    assert [plan.name.title for plan in recipe.models if plan.name.title in OVER_SLABS] == list(OVER_SLABS)
    assert all(plan.rival for plan in recipe.models if plan.name.title in OVER_SLABS)
    assert "into 8 slabs" in recipe.method_text()


@pytest.mark.parametrize("n_slabs", [1, 17, -3])
def test_a_wrong_number_of_slabs_is_told(n_slabs: int):
    with pytest.raises(InputError, match=rf"cut into 2 to 16 axial slabs, or 0: into none; got {n_slabs}\."):
        build(slabs=n_slabs)


def test_the_command_trains_over_slabs_of_files(tmp_path: Path):
    rng, rows = np.random.default_rng(3), []
    for i in range(40):
        tps = rng.uniform(5, 95)
        write_case(tmp_path, f"c{i:02}", tps + rng.normal(0, 5), rng)
        rows.append([f"c{i:02}", f"c{i:02}_ct.nii.gz", f"c{i:02}_mask.nii.gz", f"{tps:.1f}"])
    with (tmp_path / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["case", "image", "mask", "TPS"], *rows])
    command = ["train", "--recipe", "complextransformer", "--cohort", "cases.csv", "--slabs", "6", "--out", "model",
               "--most-epochs", "2", "--workers", "1", "--device", "cpu", "--progress", "none"]  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", "PDL1PredictorLib", *command], cwd=tmp_path, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    document = json.loads((tmp_path / "model.study" / "study.json").read_text(encoding="utf-8"))
    assert set(document["endpoints"]["TPS"]["models"]) > set(OVER_SLABS)
    assert document["settings"]["slabs"] == 6
    assert "slabs" not in json.loads((tmp_path / "model" / "model.json").read_text(encoding="utf-8"))["needs"]
    wrong = [sys.executable, "-m", "PDL1PredictorLib", *command[:6], "99", *command[7:]]
    refused = subprocess.run(wrong, cwd=tmp_path, capture_output=True, text=True)
    assert refused.returncode != 0
    assert "cut into 2 to 16 axial slabs" in refused.stderr
