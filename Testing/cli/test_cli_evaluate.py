"""`pdl1 evaluate`, from files to report and recalibrated bundle; what it refuses."""

import csv
import json
import shutil
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import EXIT_REFUSED, EXIT_SOME_FAILED
from PDL1PredictorLib.imaging.file_hashes import image_sha256
from PDL1PredictorLib.imaging.read import read_ct
from PDL1PredictorLib.models.bundle import read_bundle, write_bundle
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.models.schema.origin import case_hashes
from PDL1PredictorLib.study.evaluation.document import evaluation_schema

N = 20  # ten of each answer: enough for an intercept


@pytest.fixture(scope="module")
def cohort(phantom, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One patient whose CT is brighter and brighter; the brighter half is positive for PDL1. One file is missing."""
    folder = tmp_path_factory.mktemp("cohort")
    rows = ["case,image,mask,sex,PDL1,EGFR"]
    for row in range(N):
        sitk.WriteImage(phantom.case.ct + 3 * row, folder / f"ct{row}.nrrd")
        sitk.WriteImage(phantom.case.tumor, folder / f"tumor{row}.nrrd")
        rows.append(f"c{row},ct{row}.nrrd,tumor{row}.nrrd,{'male' if row % 2 else 'female'},{int(row >= N // 2)},")
    rows.append("gone,gone.nrrd,gone_tumor.nrrd,,1,")
    (folder / "cases.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder / "cases.csv"


@pytest.fixture(scope="module")
def model(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with weaker RadScores, so that a brighter CT moves its answers and does not exhaust them."""
    bundle = read_bundle(tiny_model)
    manifest = json.loads(json.dumps({**bundle.manifest}))
    del manifest["files"]
    manifest["endpoints"]["PDL1"]["input_sd"][-2:] = [50.0, 50.0]
    folder = tmp_path_factory.mktemp("models") / "soft"
    write_bundle(folder, manifest, bundle.files)
    return folder


@pytest.fixture(scope="module")
def cache(cohort: Path) -> Path:
    return cohort.parent / "cache"


def evaluate(cohort: Path, cache: Path, out: Path, *more: str | Path) -> int:
    fixed = ["--cohort", cohort, "--cache", cache, "--out", out, "--device", "cpu", "--no-stability"]
    return main(["evaluate", *map(str, (*fixed, *more)), "--progress", "none"])


@pytest.fixture(scope="module")
def evaluated(cohort: Path, cache: Path, model: Path) -> Path:
    """The report of one model, with a recalibrated bundle beside it."""
    out = cohort.parent / "report"
    more = ("--model", model, "--recalibrate", cohort.parent / "site")
    assert evaluate(cohort, cache, out, *more) == EXIT_SOME_FAILED
    return out


def test_the_recalibrated_bundle_predicts_as_many_positives_as_there_are(evaluated, cohort, cache, tmp_path):
    found = document(evaluated)["recalibration"]
    assert found["endpoints"]["PDL1"]["way"] == "intercept"
    site = read_manifest(read_bundle(cohort.parent / "site"))
    assert found["bundle"] == {"name": "site", "sha256": site.summary.sha256}
    rule = site.endpoints[0].rule
    assert (rule.test.design, rule.test.n_positive, rule.test.n_negative) == ("evaluation", N // 2, N // 2)
    with (evaluated / "predictions.csv").open(encoding="utf-8", newline="") as file:
        p = np.array([float(row["probability"]) for row in csv.DictReader(file)])
    shifted = 1 / (1 + (1 - p) / p * np.exp(-found["endpoints"]["PDL1"]["intercept"]))
    assert shifted.mean() == pytest.approx(0.5, abs=1e-6)


def document(out: Path) -> dict:
    return json.loads((out / "evaluation.json").read_text(encoding="utf-8"))


def test_the_document_keeps_to_its_schema(evaluated):
    jsonschema.Draft202012Validator.check_schema(evaluation_schema())
    jsonschema.validate(document(evaluated), evaluation_schema())


def test_a_document_that_lacks_something_is_told(evaluated):
    lacking = document(evaluated)
    for numbers in lacking["answered"]["PDL1"].values():
        del numbers["unlike"]
    with pytest.raises(jsonschema.ValidationError, match="unlike"):
        jsonschema.validate(lacking, evaluation_schema())


def test_every_answer_is_a_row_and_the_missing_case_is_told(evaluated):
    with (evaluated / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == [f"c{row}" for row in range(N)]
    assert {row["endpoint"] for row in rows} == {"PDL1"}
    assert {row["verdict"] for row in rows} <= {"answered", "not_answered"}
    assert "gone.nrrd" in document(evaluated)["cohort"]["failed"]["gone"]
    page = (evaluated / "report.html").read_text(encoding="utf-8")
    assert "Answers given and withheld" in page
    assert "does not say which cases it learned from" in page
    assert "Not evaluated: EGFR" in page


def test_the_area_is_the_share_of_pairs_in_order(evaluated):
    with (evaluated / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    yes, no = ([float(row["probability"]) for row in rows if row["label"] == label] for label in "10")
    pairs = sum((a > b) + (a == b) / 2 for a in yes for b in no) / len(yes) / len(no)
    (title,) = document(evaluated)["answered"]["PDL1"]
    assert document(evaluated)["endpoints"]["PDL1"]["models"][title]["auc"]["value"] == pytest.approx(pairs)


def test_two_bundles_are_compared_and_cases_of_a_recalibration_are_refused(
    evaluated, cohort, cache, model, tmp_path, capsys
):
    site = cohort.parent / "site"
    assert evaluate(cohort, cache, tmp_path / "out", "--model", site) == EXIT_REFUSED
    told = capsys.readouterr().err
    assert f"{N} problems" in told
    assert "c7: " in told
    shutil.copytree(model, tmp_path / "copy")
    assert evaluate(cohort, cache, tmp_path / "two", "--model", model, "--model", tmp_path / "copy") == EXIT_SOME_FAILED
    rows = document(tmp_path / "two")["brier_differences"]["PDL1"]
    assert [(row["difference"], row["p"]) for row in rows] == [(0.0, 1.0)]


def test_cases_of_the_training_are_refused_by_their_voxels(cohort, cache, model, tmp_path, capsys):
    known = image_sha256(read_ct(cohort.parent / "ct3.nrrd").image)
    bundle = read_bundle(model)
    manifest = {**bundle.manifest, "training_cases": case_hashes([known])}
    del manifest["files"]
    write_bundle(tmp_path / "knows", manifest, bundle.files)
    assert read_manifest(read_bundle(tmp_path / "knows")).training_cases == {known[:16]}
    renamed = tmp_path / "renamed"
    renamed.mkdir()
    image = sitk.ReadImage(str(cohort.parent / "ct3.nrrd"))
    sitk.WriteImage(image, str(renamed / "another_name.nii.gz"))
    shutil.copy(cohort.parent / "tumor3.nrrd", renamed / "tumor.nrrd")
    table = renamed / "cases.csv"
    table.write_text("case,image,mask,PDL1\nnew,another_name.nii.gz,tumor.nrrd,1\n", encoding="utf-8")
    assert evaluate(table, cache, tmp_path / "out", "--model", tmp_path / "knows") == EXIT_REFUSED
    assert "new: " in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--recalibrate", "b", "--prevalence", "PDL1=0.2"), "learns the prevalence"),
        (("--endpoints", "EGFR"), "Nothing can be evaluated"),
    ],
)
def test_what_cannot_be_is_refused(more, told, evaluated, cohort, cache, model, tmp_path, capsys):
    assert evaluate(cohort, cache, tmp_path / "out", "--model", model, *more) == EXIT_REFUSED
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
