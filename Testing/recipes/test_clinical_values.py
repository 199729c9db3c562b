"""Clinical values from a cohort's table to an answer: declared columns, estimates, and a bundle that can be shared."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from toy_cohort import N, train_toy, write_case
from toy_recipe import PAGE

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.models.bundle import read_bundle
from PDL1PredictorLib.models.tensors import read_tensors
from PDL1PredictorLib.recipes.table import RECIPES

STAGES = ("I", "II", "III")
CHOICE = "age_years,ECOG=0..5,stage=I/II/III"


def people() -> dict[str, list[str]]:
    """Ages that no two share, an ECOG that ages with them, a stage; some of each are not known."""
    rng = np.random.default_rng(5)
    age = np.round(rng.uniform(40, 85, N), 3)
    ecog = np.clip(np.round((age - 40) / 15 + rng.normal(0, 0.5, N)), 0, 5).astype(int)
    columns = {
        "age_years": [str(value) for value in age],
        "ECOG": [str(value) for value in ecog],
        "stage": list(rng.choice(STAGES, N)),
    }
    for cells in columns.values():
        for row in rng.choice(N, 6, replace=False):
            cells[row] = ""
    return columns


@pytest.fixture(scope="module")
def shareable(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the cohort and the model that one command made of it, to be given away."""
    folder = tmp_path_factory.mktemp("shareable")
    return train_toy(folder, "--clinical", CHOICE, "--shareable", people=people())


def manifest_of(folder: Path) -> dict:
    return json.loads((folder / "model" / "model.json").read_text(encoding="utf-8"))


def test_the_manifest_keeps_the_coding(shareable: Path):
    manifest = manifest_of(shareable)
    assert manifest["needs"]["clinical"] == ["age_years", "ECOG", "stage"]
    assert manifest["needs"]["declared"] == [
        {"name": "ECOG", "words": [], "low": 0.0, "high": 5.0},
        {"name": "stage", "words": list(STAGES), "low": None, "high": None},
    ]
    assert (manifest["imputer"]["k"], manifest["imputer"]["donors"]) == (3, "centroids")


def test_no_patients_row_is_in_a_shareable_bundle_and_the_card_says_what_is(shareable: Path):
    manifest = manifest_of(shareable)
    mean, sd = (np.array(manifest["imputer"][name]) for name in ("mean", "sd"))
    rows = np.column_stack(
        [
            [float(cell) if cell else np.nan for cell in people()["age_years"]],
            [float(cell) if cell else np.nan for cell in people()["ECOG"]],
            [float(STAGES.index(cell)) if cell else np.nan for cell in people()["stage"]],
        ]
    )
    ages = rows[:, 0]
    bundle = read_bundle(shareable / "model")
    for name, table in read_tensors(bundle.file(manifest["tables"])).items():
        for scale, shift in ((1.0, 0.0), (sd[0], mean[0])):  # as they are, and standardized
            found = np.abs(np.asarray(table, float).ravel()[:, None] * scale + shift - ages)
            assert not (found < 1e-3).any(), f"the age of a patient stands in {name}"
    assert manifest["imputer"]["n"] <= N // 5
    card = bundle.file("MODEL_CARD.md").decode()
    assert f"{manifest['imputer']['n']} means of at least 5 patients each" in card
    assert "no patient's row" in card
    assert "but for" not in card.split("## Licence")[1]


def test_a_case_of_the_command_line_is_answered_with_what_is_given_and_the_rest_estimated(shareable: Path, tmp_path):
    images = ["--ct", str(shareable / "c00_ct.nii.gz"), "--tumor", str(shareable / "c00_mask.nii.gz")]

    def answered(name: str, *options: str) -> tuple[float, dict[str, str]]:
        out = tmp_path / name
        model = ["--model", str(shareable / "model"), "--device", "cpu", "--no-stability", "--out", str(out)]
        assert main(["predict", *images, *model, *options]) == 0
        lesion = json.loads((out / "result.json").read_text(encoding="utf-8"))["lesions"][0]
        page = (out / "report.html").read_text(encoding="utf-8")
        assert ("estimated from" in page) == any(w["code"] == "clinical_imputed" for w in lesion["warnings"])
        return lesion["endpoints"][0]["value"], {w["code"]: w["text"] for w in lesion["warnings"]}

    _, told = answered("all", "--clinical", "age_years=70,ECOG=2,stage=ii")
    assert "clinical_imputed" not in told
    _, told = answered("some", "--clinical", "age_years=70,stage=II")
    assert "ECOG" in told["clinical_imputed"]
    assert "groups of patients" in told["clinical_imputed"]
    file = tmp_path / "clinical.json"
    file.write_text('{"age_years": 70, "ECOG": 2, "stage": "II"}', encoding="utf-8")
    assert answered("file", "--clinical", str(file))[0] == answered("again", "--clinical", str(file))[0]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("age_years=70,ECGO=2", "Unknown clinical values: ECGO"),
        ("ECOG=7", "ECOG must be a number from 0 to 5"),
        ("ECOG=two", "ECOG must be a number from 0 to 5"),
        ("stage=IV", "stage must be one of I, II, III"),
        ("age_years=700", "age_years must be a number from 0 to 120"),
        ("age_years=63 y", "age_years must be a number, in years and without the unit"),
        ("smoking=often", "smoking must be one of never, former, current"),
        ("ECOG=1,ECOG=2", "gives ECOG twice"),
        ("ECOG=", "is written NAME=VALUE"),
        ("=1", "is written NAME=VALUE"),
        ("nowhere.json", "cannot be read"),
    ],
)
def test_wrong_words_units_and_ranges_are_refused(shareable: Path, tmp_path, capsys, given, words):
    images = ["--ct", str(shareable / "c00_ct.nii.gz"), "--tumor", str(shareable / "c00_mask.nii.gz")]
    model = ["--model", str(shareable / "model"), "--out", str(tmp_path / "out")]
    assert main(["predict", *images, *model, "--clinical", given]) == 2
    assert words in capsys.readouterr().err


def test_a_batch_takes_declared_columns_and_says_what_the_table_lacks(shareable: Path, tmp_path, capsys):
    def batch(name: str, head: str, cells: str) -> tuple[int, str]:
        table = shareable / f"{name}.csv"
        lines = [f"case,image,mask{head}", *(f"c{i:02},c{i:02}_ct.nii.gz,c{i:02}_mask.nii.gz{cells}" for i in (0, 1))]
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")
        command = ["predict", "--cohort", str(table), "--model", str(shareable / "model"), "--device", "cpu"]
        status = main([*command, "--no-stability", "--out", str(tmp_path / name)])
        told = capsys.readouterr()
        return status, told.out + told.err

    status, told = batch("full", ",age_years,ECOG,stage", ",70,2,II")
    assert (status, "The model asks for" in told) == (0, False)
    with (tmp_path / "full" / "predictions.csv").open(encoding="utf-8") as file:
        assert not any("clinical_imputed" in row["warnings"] for row in csv.DictReader(file))
    status, told = batch("bare", "", "")
    assert status == 0
    assert "The model asks for age_years, ECOG, stage, of which the table says nothing" in told
    with (tmp_path / "bare" / "predictions.csv").open(encoding="utf-8") as file:
        assert all("clinical_imputed" in row["warnings"] for row in csv.DictReader(file))
    status, told = batch("wrong", ",ECOG", ",9")
    assert status == 2
    assert "row 2 (c00): ECOG must be a number from 0 to 5" in told


def test_an_evaluation_takes_declared_columns(shareable: Path, tmp_path):
    rng = np.random.default_rng(11)
    head, lines = "case,image,mask,TPS,age_years,ECOG,stage", []
    for i in range(12):
        tps = rng.uniform(5, 95)
        write_case(tmp_path, f"n{i:02}", tps, rng)
        lines.append(f"n{i:02},n{i:02}_ct.nii.gz,n{i:02}_mask.nii.gz,{tps:.1f},{50 + i},{i % 5},{STAGES[i % 3]}")
    lines[0] = lines[0].rsplit(",", 2)[0] + ",,"
    (tmp_path / "new.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    command = ["evaluate", "--model", str(shareable / "model"), "--cohort", str(tmp_path / "new.csv")]
    assert main([*command, "--no-stability", "--device", "cpu", "--out", str(tmp_path / "evaluated")]) == 0
    estimated = [
        folder.name
        for folder in sorted((tmp_path / "evaluated.cache").glob("predictions-*/n*"))
        if "clinical_imputed" in (folder / "result.json").read_text(encoding="utf-8")
    ]
    assert estimated == ["n00"]
    page = (tmp_path / "evaluated" / "report.html").read_text(encoding="utf-8")
    assert "of which the table says nothing" not in page
    assert "stage" in page


def test_a_bundle_that_is_not_for_sharing_says_that_it_holds_rows(tmp_path):
    folder = train_toy(tmp_path, "--clinical", "age_years,ECOG", people=people())
    assert manifest_of(folder)["imputer"]["donors"] == "rows"
    card = (folder / "model" / "MODEL_CARD.md").read_text(encoding="utf-8").split("## Licence")[1]
    assert "but for the clinical values of the training cases" in card


@pytest.mark.parametrize(
    ("choice", "words"),
    [
        ("shoe_size", "the column shoe_size is missing"),
        ("stage", 'say their order, for example --clinical "stage=I/II/III"'),
        ("stage=I/II", "stage must be one of I, II, got 'III'"),
        ("ECOG=0..1", "ECOG must be a number from 0 to 1"),
        ("ECOG=1..0", "bounds of ECOG must rise"),
        ("ECOG=", "says nothing of ECOG"),
        ("TPS", "TPS has a meaning of its own"),
        ("kernel", "kernel has a meaning of its own"),
        ("age_years,age_years", "named twice"),
        ("sex", "sex is known for 0 of 80 cases"),
        ("", "cannot be the name of a clinical value"),
    ],
)
def test_columns_that_cannot_be_learned_from_are_refused_before_anything_is_measured(
    shareable: Path, tmp_path, monkeypatch, capsys, choice, words
):
    monkeypatch.setitem(RECIPES, "toy", lambda: PAGE)
    command = ["train", "--recipe", "toy", "--cohort", str(shareable / "cases.csv"), "--out", str(tmp_path / "m")]
    assert main([*command, "--clinical", choice]) == 2
    assert words in capsys.readouterr().err
