"""The recipe `dlr`: what it learns, that it learns nothing of nothing, and every command on the way to an answer."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dlr_cases import made_up, small_recipe, write_cohort

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import BundleError, InputError
from PDL1PredictorLib.learning.parts.frozen import FrozenBackbone
from PDL1PredictorLib.learning.parts.part import Place
from PDL1PredictorLib.learning.parts.stacked import StackedAnswers
from PDL1PredictorLib.models.bundle import Bundle, read_bundle
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.recipes.dlr import CLINICAL, COMBINED, IMAGE, DlrRecipe
from PDL1PredictorLib.recipes.dlr_page import PAGE
from PDL1PredictorLib.recipes.page import Shared
from PDL1PredictorLib.study.discrimination import area_of
from PDL1PredictorLib.study.leak import leak_test
from PDL1PredictorLib.study.run import StudyRun, run_study
from PDL1PredictorLib.study.setup import Study

TRAIN = (
    "--random-weights",
    "--backbone",
    "resnet50_layer1",
    "--patch-pixels",
    "32",
    "--repeats",
    "1",
    "--device",
    "cpu",
    "--workers",
    "1",
)
CHOICE = ("--clinical", "age_years,ECOG=0..5")


@pytest.fixture(scope="module")
def run() -> StudyRun:
    cohort = made_up(240)
    return run_study(Study(cohort, cohort.names, small_recipe(), workers=1))


def test_image_and_clinical_values_are_found_and_both_tell_more(run: StudyRun):
    outcome = run.endpoints["PDL1"]
    areas = {title: area_of(outcome, title).value for title in outcome.models}
    assert areas[IMAGE] > 0.7
    assert areas[CLINICAL] > 0.6
    assert areas[COMBINED] > max(areas[IMAGE], areas[CLINICAL])
    assert areas["Tumor volume"] < 0.62
    assert outcome.roles == {CLINICAL: "part", IMAGE: "part", COMBINED: "lead", "Tumor volume": "baseline"}
    assert outcome.input_names == ("stacked_logit", "age_years", "sex")


def test_the_log_odds_that_the_combined_model_learns_from_are_of_cases_unseen(run: StudyRun):
    learned = run.kept.learned
    part = learned.parts["stacked"]
    assert isinstance(part, StackedAnswers)
    cohort = made_up(240)
    labels = cohort.targets["PDL1"].values[learned.rows]
    honest = learned.honest.of(("stacked",), "PDL1")[:, 0]
    seen = part.values(cohort, learned.rows)["PDL1"][:, 0]
    apart = [float(odds[labels == 1].mean() - odds[labels == 0].mean()) for odds in (seen, honest)]
    assert apart[0] > apart[1] > 0  # on its own training cases it is surer than it may be


def test_the_report_has_path_classifiers_and_nomogram(run: StudyRun):
    found = run.endpoints["PDL1"].within
    assert found.title == IMAGE
    assert len(found.mean_auc) == 7
    assert found.classifier in found.mean_auc
    part = run.kept.learned.parts["stacked"]
    kept = {name for name, w in zip(found.path.names, found.path.coefficients[found.path.best], strict=True) if w}
    assert set(part.backbone.names(part.fitted["PDL1"].columns.tolist())) == kept
    assert all(name.startswith(("pooled_mean_", "pooled_sd_")) for name in kept)
    assert [axis.name for axis in found.nomogram.axes] == ["stacked_logit", "age_years", "sex"]


def test_without_clinical_values_the_image_stands_alone():
    recipe = DlrRecipe(("PDL1",), drawn=True)
    assert [(plan.name.title, plan.name.role) for plan in recipe.models] == [
        (IMAGE, "lead"),
        ("Tumor volume", "baseline"),
    ]
    assert recipe.needs.clinical == ()
    assert "DLR stands alone" in recipe.method_text()


def test_weights_are_needed_unless_they_are_said_to_be_drawn(tmp_path):
    with pytest.raises(InputError, match="needs its weights: give --weights FILE"):
        DlrRecipe(("PDL1",)).require(Place())
    with pytest.raises(InputError, match="read .* or drawn .*, not both"):
        DlrRecipe(("PDL1",), drawn=True).require(Place(start=tmp_path))
    DlrRecipe(("PDL1",), drawn=True).require(Place())
    DlrRecipe(("PDL1",)).require(Place(start=tmp_path))
    assert "what it answers means nothing" in DlrRecipe(("PDL1",), drawn=True).method_text()
    assert "means nothing" not in DlrRecipe(("PDL1",)).method_text()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"backbone": "alexnet"}, "backbone must be one of"),
        ({"kinds": ()}, "Classifiers must be"),
        ({"pool": "ring"}, "pooled within one of picture, contour, got 'ring'"),
        ({"backbone": "vgg19"}, "maps of vgg19 cannot be pooled within the contour. Take --pool picture"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        DlrRecipe(("PDL1",), **settings)


def test_what_lies_far_from_the_contour_moves_what_is_pooled_over_the_slice_and_hardly_what_is_within_it():
    cohort = made_up(12)
    hu = cohort.blocks["slices"].copy()
    hu[:, :, :2] = 400  # bright rows at the border of the picture
    other = replace(cohort, blocks={**cohort.blocks, "slices": hu})
    moved = {}
    for pool in ("contour", "picture"):
        own, far = (FrozenBackbone(one, "resnet50_layer1", None, 1, "cpu", pool).pooled for one in (cohort, other))
        means = slice(0, 256)
        moved[pool] = float(np.abs(far[:, means] - own[:, means]).mean() / own[:, means].mean())
    assert moved["picture"] > 0.1
    assert moved["contour"] < 0.4 * moved["picture"]


def test_how_the_maps_are_pooled_follows_from_the_backbone_unless_it_is_said():
    options = {option.key: option.default for option in PAGE.options}
    shared = Shared(("PDL1",), 1, Design.SPLIT, 5)

    def pool(**changed: object) -> str:
        recipe = PAGE.build(shared, {**options, **changed})
        assert ("within the contour" in recipe.method_text()) == (recipe.pool == "contour")
        return recipe.pool

    assert (pool(), pool(backbone="resnet50_layer1"), pool(backbone="vgg19")) == ("contour", "contour", "picture")
    assert (pool(pool="picture"), pool(as_published=True)) == ("picture", "picture")
    assert pool(as_published=True, pool="contour") == "contour"
    with pytest.raises(InputError, match="vgg19 cannot be pooled within the contour"):
        pool(backbone="vgg19", pool="contour")


def test_as_published_selects_by_lasso_alone_and_takes_the_best():
    options = {option.key: option.default for option in PAGE.options}
    shared = Shared(("PDL1",), 1, Design.SPLIT, 5)
    assert (PAGE.build(shared, options).choice, PAGE.build(shared, options).ranked_first) == ("simplest", True)
    published = PAGE.build(shared, {**options, "as_published": True, "patch_pixels": 64})
    assert (published.choice, published.ranked_first, published.regions.patch_pixels) == ("best", False, 64)
    assert "as published, without a step before it" in published.method_text()
    shareable = PAGE.build(shared, {**options, "shareable": True})
    assert shareable.shareable
    assert "nearest neighbors" not in shareable.kinds


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files, and the lead model that one command made of them."""
    folder = tmp_path_factory.mktemp("dlr")
    table = write_cohort(folder, 64)
    command = ["train", "--recipe", "dlr", "--cohort", str(table), "--out", str(folder / "model"), "--ship", "lead"]
    assert main([*command, *TRAIN, *CHOICE, "--progress", "none"]) == 0
    return folder


def test_the_bundle_holds_the_model_within_and_says_that_its_weights_were_drawn(trained: Path):
    manifest = json.loads((trained / "model" / "model.json").read_text(encoding="utf-8"))
    found = manifest["endpoints"]["PDL1"]
    assert found["parts"] == ["stacked", "clinical"]
    assert found["stacked"]["title"] == IMAGE
    assert found["stacked"]["model"]["file"] == "classifiers/PDL1.stacked.onnx"
    assert len(found["stacked"]["columns"]) == manifest["network"]["n_deep"]
    assert (manifest["network"]["pool"], manifest["network"]["head"]) == ("contour", "none")
    assert (manifest["needs"]["clinical"], manifest["imputer"]["names"]) == (["age_years", "ECOG"],) * 2
    card = (trained / "model" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "drawn at random" in card
    page = (trained / "model.study" / "report.html").read_text(encoding="utf-8")
    assert "Nomogram of DLR + clinical" in page
    assert "drawn at random" in page


def test_a_prediction_answers_as_the_study_did(trained: Path, tmp_path: Path):
    with (trained / "model.study" / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = {row["case"]: row for row in csv.DictReader(file) if row["model"] == COMBINED}
    with (trained / "c.csv").open(encoding="utf-8", newline="") as file:
        people = {row["case"]: row for row in csv.DictReader(file)}
    name = next(name for name in rows if people[name]["ECOG"])
    images = ["--ct", str(trained / f"{name}_ct.nii.gz"), "--tumor", str(trained / f"{name}_mask.nii.gz")]
    known = f"age_years={people[name]['age_years']},ECOG={people[name]['ECOG']}"
    command = ["predict", *images, "--model", str(trained / "model"), "--device", "cpu", "--out"]
    assert main([*command, str(tmp_path / "known"), "--clinical", known]) == 0
    lesion = json.loads((tmp_path / "known" / "result.json").read_text(encoding="utf-8"))["lesions"][0]
    (answer,) = lesion["endpoints"]
    assert answer["probability"] == pytest.approx(float(rows[name]["probability"]), abs=1e-4)
    assert not any(warning["code"] == "no_heat_maps" for warning in lesion["warnings"])
    assert main([*command, str(tmp_path / "torch"), "--clinical", known, "--runtime", "torch"]) == 0
    by_torch = json.loads((tmp_path / "torch" / "result.json").read_text(encoding="utf-8"))["lesions"][0]
    assert answer["probability"] == pytest.approx(by_torch["endpoints"][0]["probability"], abs=1e-4)
    assert {one["name"] for one in answer["contributions"]} == {"stacked_logit", "age_years", "ECOG"}
    assert main([*command, str(tmp_path / "unknown")]) == 0
    lesion = json.loads((tmp_path / "unknown" / "result.json").read_text(encoding="utf-8"))["lesions"][0]
    assert any(warning["code"] == "clinical_imputed" for warning in lesion["warnings"])
    assert "log-odds of the model of the image" in (tmp_path / "known" / "report.html").read_text(encoding="utf-8")


def test_an_evaluation_on_new_cases(trained: Path, tmp_path: Path):
    table = write_cohort(tmp_path, 12, seed=9, prefix="n")
    command = ["evaluate", "--model", str(trained / "model"), "--cohort", str(table), "--no-stability"]
    assert main([*command, "--device", "cpu", "--out", str(tmp_path / "evaluated")]) == 0
    document = json.loads((tmp_path / "evaluated" / "evaluation.json").read_text(encoding="utf-8"))
    assert document["endpoints"]["PDL1"]["cases"] == 12


def test_shuffled_labels_are_not_found():
    cohort = made_up(80)
    recipe = small_recipe(kinds=("logistic regression",))
    found = leak_test(cohort, cohort.names, "PDL1", recipe, repeats=3, workers=1)
    assert found.measure == "AUC"
    for title in (IMAGE, CLINICAL, COMBINED):
        assert abs(found.mean(title) - 0.5) < 0.25


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"columns": []}, "stacked.columns must list 1 to"),
        ({"columns": [0, 0]}, "columns, each once"),
        ({"columns": "all"}, "stacked.columns must list"),
        ({"input_sd": [0.0]}, "means and positive SDs"),
        ({"columns": [4000], "input_mean": [0.0], "input_sd": [1.0]}, "stacked names others"),
        ({"model": {"kind": "x", "file": 3}}, "stacked.model.file must be a text"),
        ({"calibration": {"slope": 1e9, "intercept": 0.0}}, "stacked.calibration.slope"),
        ({"columns": [0], "input_mean": [0.0], "input_sd": [1.0]}, "inputs|other"),
    ],
)
def test_a_model_within_that_cannot_be_is_refused(trained: Path, change, words):
    bundle = read_bundle(trained / "model")
    manifest = json.loads(json.dumps(dict(bundle.manifest)))
    manifest["endpoints"]["PDL1"]["stacked"] |= change
    with pytest.raises(BundleError, match=words):
        read_manifest(Bundle(bundle.name, bundle.sha256, manifest, bundle.files))


def test_what_is_pooled_within_the_contour_has_no_head_that_maps_follow_from(trained: Path):
    bundle = read_bundle(trained / "model")
    manifest = json.loads(json.dumps(dict(bundle.manifest)))
    read_manifest(Bundle(bundle.name, bundle.sha256, manifest, bundle.files))
    manifest["network"]["head"] = "linear"
    with pytest.raises(BundleError, match="is linear, but what is pooled within the contour is no mean"):
        read_manifest(Bundle(bundle.name, bundle.sha256, manifest, bundle.files))
