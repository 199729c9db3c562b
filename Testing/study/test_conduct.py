"""A study by one command: from a table of files to the bundle and the report, and what stands in its way."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import torch

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.cohort.table import read_cohort
from PDL1PredictorLib.core.errors import CohortError, InputError
from PDL1PredictorLib.learning.deep.weights import save_backbone
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.study import conduct
from PDL1PredictorLib.study.conduct import cases_of_table, synthetic_cases

N = 48
BROKEN = "case_07"


def write_tumor(folder: Path, name: str, bright: bool, rng: np.random.Generator) -> None:
    """A ball of 5 mm in lung, its soft tissue brighter where the label is positive."""
    at = np.stack(np.meshgrid(*(np.arange(22) - 10.5 for _ in range(3)), indexing="ij"), axis=-1)
    ball = np.linalg.norm(at, axis=-1) < rng.uniform(4.5, 6)
    hu = rng.normal(-800, 40, ball.shape)
    hu[ball] = rng.normal(60 if bright else 20, 25, int(ball.sum()))
    for what, values in (("ct", hu.astype(np.int16)), ("mask", ball.astype(np.uint8))):
        sitk.WriteImage(sitk.GetImageFromArray(values), str(folder / f"{name}_{what}.nii.gz"))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("Köhörte 1")
    rng = np.random.default_rng(0)
    rows = []
    for i in range(N):
        positive = int(rng.random() < 0.5)
        write_tumor(folder, f"case_{i:02}", bool(positive) if rng.random() < 0.9 else not positive, rng)
        files = f"case_{i:02}_ct.nii.gz", f"case_{i:02}_mask.nii.gz"
        rows.append([f"case_{i:02}", *files, positive, int(i < 5), 100 + i**2, ("B30f", "")[i % 2]])
    mask = sitk.ReadImage(str(folder / f"{BROKEN}_mask.nii.gz"))
    mask.SetOrigin((0.5, 0.0, 0.0))
    sitk.WriteImage(mask, str(folder / f"{BROKEN}_mask.nii.gz"))
    with (folder / "cases.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["case", "image", "mask", "EGFR", "ALK", "tube_current_ma", "kernel"], *rows])
    return folder / "cases.csv"


@pytest.fixture(scope="module")
def trained(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("out")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        save_backbone(DeepCT(1), out / "start.safetensors")
    assert main(command(cohort, out)) == 0
    return out


def command(cohort: Path, out: Path) -> list[str]:
    study = [
        "--network",
        "frozen",
        "--weights",
        str(out / "start.safetensors"),
        "--patch-pixels",
        "32",
        "--preset",
        "karim",
    ]
    quick = ["--repeats", "1", "--folds", "3", "--shareable", "--workers", "1", "--progress", "none", "--device", "cpu"]
    paths = ["--cohort", str(cohort), "--out", str(out / "model")]
    return ["train", "--recipe", "deepradscore", *study, *quick, *paths]


def test_one_command_makes_a_model_that_predicts(trained: Path):
    predictor = load_predictor(trained / "model")
    assert [model.key for model in predictor.manifest.endpoints] == ["EGFR"]
    assert predictor.manifest.regions.patch_pixels == 32
    (auc,) = predictor.manifest.summary.auc.values()
    assert auc[0] > 0.7


def test_the_report_tells_the_flow_of_cases_and_why_one_was_not_used(trained: Path):
    document = json.loads((trained / "model.study" / "study.json").read_text(encoding="utf-8"))
    flow = {step["step"]: step["cases"] for step in document["cohort"]["flow"]}
    assert (flow["tumors in the cohort"], flow["could not be used"], flow["prepared"]) == (N, 1, N - 1)
    assert flow["training"] + flow["test"] == N - 1
    assert "grid" in document["cohort"]["failed"][BROKEN]
    assert document["left_out"]["ALK"].endswith("10 of each are needed")
    assert BROKEN not in (trained / "model.study" / "predictions.csv").read_text()
    assert isinstance(document["gallery"], list)  # none where the lead model makes no call, as on so few cases


def test_scans_are_divided_by_what_the_table_says_of_them(trained: Path):
    document = json.loads((trained / "model.study" / "study.json").read_text(encoding="utf-8"))
    with (trained / "model.study" / "predictions.csv").open(encoding="utf-8") as file:
        tested = {row["case"] for row in csv.DictReader(file)}
    training = [i for i in range(N) if f"case_{i:02}" not in {*tested, BROKEN}]
    middle = float(np.median([100 + i**2 for i in training]))
    found = {one["factor"]: one for one in document["endpoints"]["EGFR"]["subgroups"]}
    levels = [level["level"] for level in found.get("Tube current", {"levels": []})["levels"]]
    assert levels in ([], [f"below {middle:.4g} mA", f"{middle:.4g} mA or more"])  # none with too few cases in a level
    hard = document["endpoints"]["EGFR"]["hard_cases"]
    assert {case["groups"]["Tube current"] for case in hard} <= {f"below {middle:.4g} mA", f"{middle:.4g} mA or more"}
    assert hard
    kernels = load_predictor(trained / "model").manifest.training_kernels
    assert (kernels.names, kernels.known, kernels.of) == (("B30f",), sum(i % 2 == 0 for i in training), len(training))
    assert any(row["variable"] == "Tube current (mA)" for row in document["cohort"]["table_1"])


def test_card_and_report_give_the_same_figures(trained: Path):
    document = json.loads((trained / "model.study" / "study.json").read_text(encoding="utf-8"))
    value = document["endpoints"]["EGFR"]["models"]["Deep-RadScore"]["auc"]["value"]
    assert f"{value:.3f} (" in (trained / "model" / "MODEL_CARD.md").read_text()


@pytest.mark.parametrize(("given", "choice"), [([], "simplest"), (["--choose", "best"], "best")])
def test_the_command_says_how_classifiers_are_chosen_in_every_fold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: list[str], choice: str
):
    recipes = []

    def refuse(plan: conduct.Plan, *_: object) -> None:
        recipes.append(plan.recipe)
        raise InputError("Not today.")

    monkeypatch.setattr(conduct, "conduct", refuse)
    out = str(tmp_path / "model")
    assert main(["train", "--recipe", "deepradscore", "--n", "40", "--device", "cpu", "--out", out, *given]) == 2
    assert {recipes[0].fitting(kept).choice for kept in (True, False)} == {choice}


def test_what_exists_is_refused_before_the_long_work(cohort: Path, trained: Path, capsys: pytest.CaptureFixture[str]):
    before = {file: file.stat().st_mtime_ns for file in trained.rglob("*")}
    assert main(command(cohort, trained)) == 2
    assert "exists already" in capsys.readouterr().err
    assert {file: file.stat().st_mtime_ns for file in trained.rglob("*")} == before


def test_a_second_training_in_the_same_folder_is_refused(
    cohort: Path, trained: Path, capsys: pytest.CaptureFixture[str]
):
    from PDL1PredictorLib.cohort.locking import only_run_in

    with only_run_in(trained / "model.cache"):
        assert main([*command(cohort, trained), "--overwrite"]) == 2
    assert "model.cache" in capsys.readouterr().err
    assert (trained / "model" / "model.json").exists()


def test_splits_of_the_table_are_kept(cohort: Path, tmp_path: Path):
    rows = list(csv.reader(cohort.read_text(encoding="utf-8").splitlines()))
    lines = [[*rows[0], "split"]]
    for i, row in enumerate(rows[1:]):
        files = [str(cohort.parent / name) for name in row[1:3]]
        lines.append([row[0], *files, *row[3:], "test" if i % 3 == 0 else "train"])
    with (tmp_path / "full.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
    splits = cases_of_table(read_cohort(tmp_path / "full.csv")).splits
    assert [name for name, split in splits.items() if split == "test"] == [row[0] for row in rows[1::3]]
    one = read_cohort(tmp_path / "full.csv")
    only_train = replace(one, cases=tuple(replace(case, split="train") for case in one.cases))
    with pytest.raises(CohortError, match="only one of train and test"):
        cases_of_table(only_train)


def test_synthetic_patients_come_with_the_auc_that_no_model_can_exceed():
    cases = synthetic_cases(40, 1, ("PDL1",))
    assert len(cases.sources) == 40
    assert 0.85 < cases.bayes_auc["PDL1"] < 0.95


def test_the_leak_test_is_a_command_too(
    cohort: Path, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    arguments = command(cohort, trained)
    arguments = ["leak-test", *arguments[3:-2], "--endpoint", "EGFR", "--shuffles", "4"]
    out = tmp_path / "leak.json"
    assert main([*arguments, "--cache", str(trained / "model.cache"), "--out", str(out)]) == 0
    found = json.loads(out.read_text())
    lead = found["models"]["Deep-RadScore"]
    assert (found["measure"], len(lead["figures"])) == ("AUC", 4)
    assert f"mean {lead['mean']:.3f}" in capsys.readouterr().out
