"""The command `pdl1 cohort`: what it says and writes, what it refuses, with which exit status."""

import csv
import json
from pathlib import Path

import pytest
import SimpleITK as sitk
from pyarrow import parquet

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import EXIT_REFUSED


@pytest.fixture
def table(tmp_path, phantom) -> Path:
    folder = tmp_path / "Fälle 1"
    folder.mkdir()
    sitk.WriteImage(phantom.case.tumor, str(folder / "a_mask.nrrd"))
    sitk.WriteImage(phantom.case.tumor, str(folder / "b_mask.nrrd"))
    sitk.WriteImage(phantom.case.ct, str(folder / "a_image.nrrd"))
    sitk.WriteImage(phantom.case.ct + 1, str(folder / "b_image.nrrd"))
    path = folder / "cases.csv"
    rows = [
        "case,image,mask,age_years,PDL1,EGRF",
        "a,a_image.nrrd,a_mask.nrrd,60,1,",
        "b,b_image.nrrd,b_mask.nrrd,70,0,",
    ]
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def test_check_counts_the_labels_and_warns_of_columns(table, capsys):
    assert main(["cohort", "check", str(table)]) == 0
    said = capsys.readouterr().out
    assert said.splitlines()[:3] == [
        "2 tumors of 2 patients.",
        "endpoint  positive  negative  not known",
        "PDL1      1         1         0",
    ]
    assert "Did you mean EGFR?" in said


def test_check_opens_the_images_unless_it_shall_be_quick(table, capsys):
    (table.parent / "b_image.nrrd").write_bytes(b"no picture")
    assert main(["cohort", "check", str(table), "--quick"]) == 0
    assert main(["cohort", "check", str(table)]) == EXIT_REFUSED
    assert "1 problem; nothing was started. Correct the table:\n  row 3 (b): b_image.nrrd" in capsys.readouterr().err


def add_a_part(mask: Path) -> None:
    image = sitk.ReadImage(str(mask))
    values = sitk.GetArrayFromImage(image)
    values[:5, :5, :5] = 1
    changed = sitk.GetImageFromArray(values)
    changed.CopyInformation(image)
    sitk.WriteImage(changed, str(mask))


def test_check_tells_what_must_be_known_of_single_cases_on_screen_and_as_a_table(table, tmp_path, capsys):
    out = tmp_path / "warnings.csv"
    command = ["cohort", "check", str(table), "--workers", "1", "--out", str(out)]
    assert main(command) == 0
    assert "Warning (" not in capsys.readouterr().out
    with out.open(encoding="utf-8") as file:
        assert list(csv.DictReader(file)) == []
    add_a_part(table.parent / "b_mask.nrrd")
    assert main(command) == EXIT_REFUSED  # the table is not replaced
    assert main([*command, "--overwrite"]) == 0
    assert "Warning (parts_left_out), b: The mask has 2 separate parts." in capsys.readouterr().out
    with out.open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["case"], row["code"]) == ("b", "parts_left_out")


def test_features_of_a_cohort_tell_them_too(table, tmp_path, capsys, monkeypatch):
    from PDL1PredictorLib.radiomics import settings

    tiny = settings.FeatureSettings(name="tiny", classes=("firstorder",), wavelet=None)
    monkeypatch.setattr(settings, "preset", lambda name: tiny)
    add_a_part(table.parent / "b_mask.nrrd")
    out = tmp_path / "features.csv"
    assert main(["cohort", "features", str(table), "--out", str(out), "--workers", "1"]) == 0
    assert "Warning (parts_left_out), b: The mask has 2 separate parts." in capsys.readouterr().out
    with out.open(encoding="utf-8") as file:
        assert [row["warnings"] for row in csv.DictReader(file)] == ["", "parts_left_out"]


def test_describe_prints_table_1_and_writes_it(table, tmp_path, capsys):
    out = tmp_path / "table1.csv"
    assert main(["cohort", "describe", str(table), "--by", "PDL1", "--out", str(out)]) == 0
    assert (
        "Age (years)         65 (62.5 to 67.5)  60 (60 to 60)  70 (70 to 70)  1.000  Mann-Whitney"
        in capsys.readouterr().out
    )
    with out.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["variable"] for row in rows] == ["Tumors", "Patients", "Age (years)"]
    assert main(["cohort", "describe", str(table)]) == 0
    assert "Mann-Whitney" not in capsys.readouterr().out


def test_features_of_all_cases_are_one_table_and_failed_cases_are_told(table, tmp_path, capsys, monkeypatch):
    from PDL1PredictorLib.radiomics import settings

    tiny = settings.FeatureSettings(name="tiny", classes=("firstorder",), wavelet=None)
    monkeypatch.setattr(settings, "preset", lambda name: tiny)
    empty = sitk.ReadImage(str(table.parent / "b_mask.nrrd")) * 0
    sitk.WriteImage(empty, str(table.parent / "b_mask.nrrd"))
    out = tmp_path / "features.parquet"
    command = ["cohort", "features", str(table), "--out", str(out), "--workers", "1", "--progress", "json"]
    assert main(command) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["n"] == 1
    assert list(result["failed"]) == ["b"]
    assert parquet.read_table(out)["case"].to_pylist() == ["a"]
    assert main(command) == EXIT_REFUSED
    assert "exists already" in capsys.readouterr().out
    as_csv = tmp_path / "features.csv"
    cache = ["--cache", f"{out}.cache"]
    assert main(["cohort", "features", str(table), "--out", str(as_csv), "--workers", "1", *cache]) == 0
    with as_csv.open(encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert (row["case"], row["PDL1"]) == ("a", "1")
    assert (
        float(row["ring_original_firstorder_Mean"])
        == parquet.read_table(out)["ring_original_firstorder_Mean"][0].as_py()
    )


def test_a_table_of_features_must_say_its_kind(table, tmp_path, capsys):
    assert main(["cohort", "features", str(table), "--out", str(tmp_path / "features.xlsx")]) == EXIT_REFUSED
    assert "must end in .parquet or .csv" in capsys.readouterr().err


def test_a_folder_is_imported_as_a_cohort(table, tmp_path, capsys):
    out = tmp_path / "cohort.csv"
    assert main(["cohort", "import", "folder", str(table.parent), "--labels", str(table), "--out", str(out)]) == 0
    assert "2 tumors of 2 patients." in capsys.readouterr().out
    assert main(["cohort", "check", str(out)]) == 0


def test_an_import_of_nothing_is_refused(tmp_path, capsys):
    assert main(["cohort", "import", "tcia", str(tmp_path), "--out", str(tmp_path / "c.csv")]) == EXIT_REFUSED
    assert "no CT with a DICOM segmentation" in capsys.readouterr().err
    assert not (tmp_path / "c.csv").exists()


def checked(table, capsys, *more):
    assert main(["cohort", "check", str(table), "--workers", "1", "--progress", "json", *map(str, more)]) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_check_for_a_model_says_what_is_answered_how_long_it_takes_and_what_is_rough(table, tiny_model, capsys):
    found = checked(table, capsys, "--model", tiny_model)
    outlook = found["outlook"]
    assert found["patients"] == 2
    assert found["labels"][0]["text"] == "1 positive, 1 negative"
    rows = {row["endpoint"]: row for row in outlook["endpoints"]}
    assert rows["PDL1"]["usable"]
    assert rows["EGFR"]["text"] == "the table has no such column"
    assert outlook["refusals"] == []
    assert outlook["seconds"] > 30
    assert outlook["memory_mb"] > 100
    assert outlook["text"].startswith("about 1 min")
    assert "PDL1: fewer than 10 cases of the rarer answer (1), so that every figure is rough." in outlook["notes"]


def test_check_for_a_model_refuses_what_it_has_learned_from(table, tiny_model, tmp_path, capsys):
    from PDL1PredictorLib.imaging.file_hashes import image_sha256
    from PDL1PredictorLib.imaging.read import read_ct
    from PDL1PredictorLib.models.bundle import read_bundle, write_bundle
    from PDL1PredictorLib.models.schema.origin import case_hashes

    bundle = read_bundle(tiny_model)
    manifest = {name: value for name, value in bundle.manifest.items() if name != "files"}
    image = read_ct(table.parent / "a_image.nrrd").image
    manifest["training_cases"] = sorted(case_hashes([image_sha256(image)]))
    write_bundle(tmp_path / "knows", manifest, bundle.files)
    outlook = checked(table, capsys, "--model", tmp_path / "knows")["outlook"]
    (why,) = outlook["refusals"]
    assert "a: " in why
    assert "has learned from this CT" in why
    assert outlook["seconds"] is None
    assert checked(table, capsys, "--model", tmp_path / "knows", "--quick")["outlook"]["refusals"] == []


def test_check_for_a_model_that_answers_nothing_of_the_table_is_told(table, tiny_model, capsys):
    rows = [line.replace("PDL1", "KRAS") for line in table.read_text(encoding="utf-8").splitlines()]
    table.write_text("\n".join(rows), encoding="utf-8")
    (why,) = checked(table, capsys, "--model", tiny_model)["outlook"]["refusals"]
    assert "No case has a label of what the model answers" in why
    assert main(["cohort", "check", str(table), "--model", str(tiny_model)]) == 0
    assert "It would be refused: No case has a label" in capsys.readouterr().out


def test_check_for_a_recipe_says_what_it_would_learn(table, capsys):
    outlook = checked(table, capsys, "--recipe", "deepradscore", "--quick")["outlook"]
    assert [plan["design"] for plan in outlook["plans"]] == ["split", "nested", "nested"]
    assert not outlook["endpoints"][0]["usable"]
    assert "at least 5 patients" in outlook["refusals"][1]
    assert checked(table, capsys, "--quick")["outlook"] is None


def test_check_takes_a_model_or_a_recipe(table, tiny_model, capsys):
    both = ["--model", str(tiny_model), "--recipe", "deepradscore"]
    assert main(["cohort", "check", str(table), *both]) == EXIT_REFUSED
    assert "for one of them at a time" in capsys.readouterr().err
