"""`pdl1 predict --cohort`: a table in, a folder and a row a case out; the exit status tells of failures."""

import json
from pathlib import Path

import pytest
import SimpleITK as sitk

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import EXIT_REFUSED, EXIT_SOME_FAILED


@pytest.fixture
def cohort(tmp_path: Path, phantom) -> Path:
    sitk.WriteImage(phantom.case.ct, tmp_path / "ct.nrrd")
    sitk.WriteImage(phantom.case.tumor, tmp_path / "tumor.nrrd")
    table = tmp_path / "cases.csv"
    table.write_text(
        "case,image,mask,PDL1\none,ct.nrrd,tumor.nrrd,\ntwo,gone.nrrd,gone_tumor.nrrd,1\n", encoding="utf-8"
    )
    return table


def predict(cohort: Path, model: Path, *more: str) -> int:
    out = cohort.parent / "out"
    fixed = ["--model", str(model), "--out", str(out), "--device", "cpu"]
    return main(["predict", "--cohort", str(cohort), *fixed, *more])


def test_failures_are_told_and_the_status_is_3(cohort, tiny_model, capsys):
    assert predict(cohort, tiny_model, "--progress", "none") == EXIT_SOME_FAILED
    told = capsys.readouterr().out
    assert "1 of 2 cases have an answer" in told
    assert "Failed, two: " in told
    assert (cohort.parent / "out" / "one" / "report.html").is_file()
    assert "gone.nrrd" in (cohort.parent / "out" / "failures.csv").read_text(encoding="utf-8")


def test_the_status_is_0_where_every_case_has_an_answer(cohort, tiny_model):
    rows = cohort.read_text(encoding="utf-8").splitlines()
    cohort.write_text("\n".join(rows[:2]), encoding="utf-8")
    assert predict(cohort, tiny_model, "--progress", "none") == 0
    assert predict(cohort, tiny_model, "--progress", "none") == 0  # the folder of the same request


def test_programs_hear_of_every_case(cohort, tiny_model, capsys):
    predict(cohort, tiny_model, "--progress", "json")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    cases = [line for line in lines if line["type"] == "case"]
    assert [(line["case"], line["folder"] is None, line["number"], line["total"]) for line in cases] == [
        ("one", False, 1, 2),
        ("two", True, 2, 2),
    ]
    assert lines[-1]["type"] == "result"
    assert set(lines[-1]["failed"]) == {"two"}


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--cohort", "cases.csv", "--ct", "ct.nrrd"], "leave out --ct"),
        (["--tumor", "tumor.nrrd"], "Give one case"),
        ([], "Give one case"),
    ],
)
def test_one_case_or_a_table_and_not_both(arguments, told, tiny_model, tmp_path, capsys):
    out = tmp_path / "out"
    fixed = ["--out", str(out), "--model", str(tiny_model), "--progress", "none"]
    assert main(["predict", *arguments, *fixed]) == EXIT_REFUSED
    assert told in capsys.readouterr().err
    assert not out.exists()
