"""Many cases: a folder and a row each; what is done is not done again, and one bad case does not end the others."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from PDL1PredictorLib.batch import run
from PDL1PredictorLib.batch.run import predict_cases
from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import CancelledError, InputError, OutputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.imaging.file_hashes import image_sha256
from PDL1PredictorLib.imaging.read import read_ct
from PDL1PredictorLib.models.bundle import read_bundle, write_bundle
from PDL1PredictorLib.models.schema.origin import case_hashes
from PDL1PredictorLib.prediction import predict_files


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def without_times(folder: Path) -> dict[str, bytes]:
    """The files of a case but for when, and how fast, it was made."""
    found = {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix in (".csv", ".nrrd")}
    result = json.loads((folder / "result.json").read_text(encoding="utf-8"))
    for name in ("created_utc", "seconds"):
        del result["provenance"][name]
    return {**found, "result.json": json.dumps(result).encode()}


@pytest.fixture
def predicted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the cases that are predicted from now on."""
    found: list[str] = []
    predict_into = run.predict_into

    def spy(draft, files, *more):
        found.append(files.name)
        return predict_into(draft, files, *more)

    monkeypatch.setattr(run, "predict_into", spy)
    return found


def test_every_case_has_its_row_and_the_folder_of_a_single_prediction(cases, request_for, tmp_path):
    found = predict_cases(cases, request_for)
    assert [case.name for case in found.cases] == ["a", "b", "c"]
    assert found.failed == {}
    rows = table(request_for.out / "predictions.csv")
    assert [(row["case"], row["folder"], row["lesion"]) for row in rows] == [(n, n, "1") for n in "abc"]
    predict_files(cases[1], request_for.model, tmp_path / "alone", request_for.options)
    assert without_times(request_for.out / "b") == without_times(tmp_path / "alone")
    result = json.loads((request_for.out / "b" / "result.json").read_text(encoding="utf-8"))
    told = {one["endpoint"]: one["probability"] for one in result["lesions"][0]["endpoints"]}
    assert rows[1]["EGFR_verdict"] == "not_answered"  # a synthetic model, and a case that does not say it is
    assert rows[1]["EGFR_probability"] == ""
    assert float(rows[1]["EGFR_withheld"]) == told["EGFR"]


def test_the_table_says_which_cases_the_model_has_learned_from(cases, request_for, tmp_path):
    bundle = read_bundle(request_for.model)
    learned = image_sha256(read_ct(cases[1].ct).image)
    manifest = {**bundle.manifest, "training_cases": case_hashes([learned])}
    manifest.pop("files", None)
    knows = write_bundle(tmp_path / "knows", manifest, dict(bundle.files))
    assert knows.manifest["training_cases"] == [learned[:16]]
    predict_cases(cases[:2], replace(request_for, model=tmp_path / "knows"))
    rows = table(request_for.out / "predictions.csv")
    assert [row["training_case"] for row in rows] == ["no", "yes"]
    assert ["training_case" in row["warnings"].split() for row in rows] == [False, True]
    result = json.loads((request_for.out / "b" / "result.json").read_text(encoding="utf-8"))
    assert result["training_case"] is True


def test_a_model_that_does_not_say_from_which_cases_it_learned_leaves_the_cell_empty(cases, request_for, tmp_path):
    bundle = read_bundle(request_for.model)
    manifest = {name: value for name, value in bundle.manifest.items() if name != "training_cases"}
    manifest.pop("files", None)
    write_bundle(tmp_path / "older", manifest, dict(bundle.files))
    predict_cases(cases[:1], replace(request_for, model=tmp_path / "older"))
    assert [row["training_case"] for row in table(request_for.out / "predictions.csv")] == [""]


def test_the_model_is_loaded_once(cases, request_for, monkeypatch):
    loaded = []
    load = run.load_predictor
    monkeypatch.setattr(run, "load_predictor", lambda model: loaded.append(model) or load(model))
    predict_cases(cases, request_for)
    assert loaded == [request_for.model]


def test_a_second_run_predicts_nothing_and_a_changed_file_or_result_is_predicted_again(cases, request_for, predicted):
    predict_cases(cases, request_for)
    assert predicted == ["a", "b", "c"]
    assert predict_cases(cases, request_for).reused == 3
    assert predicted == ["a", "b", "c"]
    cases[0].ct.write_bytes(cases[2].ct.read_bytes())  # the same name, another content
    (request_for.out / "b" / "features.csv").write_text("damaged", encoding="utf-8")
    assert predict_cases(cases, request_for).reused == 1
    assert predicted[3:] == ["a", "b"]


def test_what_is_known_of_the_patient_belongs_to_the_content(cases, request_for, predicted):
    predict_cases(cases[:1], request_for)
    predict_cases([replace(cases[0], clinical=Clinical(age_years=61.0))], request_for)
    assert predicted == ["a", "a"]


def test_a_case_under_another_name_with_the_same_content_is_not_taken_for_done_in_its_folder(cases, request_for):
    predict_cases(cases[:1], request_for)
    found = predict_cases([replace(cases[0], name="other")], request_for)
    assert found.reused == 0
    assert [row["case"] for row in table(request_for.out / "predictions.csv")] == ["other"]


def test_a_bad_case_is_listed_with_its_reason_and_tried_again(cases, request_for):
    good = cases[1].ct.read_bytes()
    cases[1].ct.write_bytes(b"no picture")
    missing = replace(cases[2], tumor=cases[2].tumor.with_name("nowhere.nrrd"))
    found = predict_cases([cases[0], cases[1], missing], request_for)
    assert set(found.failed) == {"b", "c"}
    assert [row["case"] for row in table(request_for.out / "predictions.csv")] == ["a"]
    failures = table(request_for.out / "failures.csv")
    assert [row["case"] for row in failures] == ["b", "c"]
    assert "nowhere.nrrd" in failures[1]["reason"]
    assert not (request_for.out / "b").exists()
    cases[1].ct.write_bytes(good)
    again = predict_cases(cases, request_for)
    assert (again.failed, again.reused) == ({}, 1)
    assert table(request_for.out / "failures.csv") == []


def test_an_error_nobody_thought_of_is_the_failure_of_one_case(cases, request_for, monkeypatch):
    predict_into = run.predict_into

    def breaks(draft, files, *more):
        if files.name == "b":
            raise ZeroDivisionError("by zero")
        return predict_into(draft, files, *more)

    monkeypatch.setattr(run, "predict_into", breaks)
    assert predict_cases(cases, request_for).failed == {"b": "Unexpected ZeroDivisionError: by zero"}


def test_cancel_keeps_what_is_done_and_leaves_nothing_half_written(cases, request_for):
    ended: list[str] = []
    progress = Progress(cancelled=lambda: len(ended) == 1)
    with pytest.raises(CancelledError):
        predict_cases(cases, request_for, progress, lambda case, number, total: ended.append(case.name))
    assert ended == ["a"]
    names = {path.name for path in request_for.out.iterdir()}
    assert names == {"a", "batch.json", "predictions.csv", "failures.csv"}
    assert predict_cases(cases, request_for).reused == 1


def test_several_processes_give_the_same_answers(cases, request_for, tmp_path):
    predict_cases(cases, request_for)
    other = replace(request_for, out=tmp_path / "other", workers=2)
    told: list[tuple[int, int]] = []
    found = predict_cases(cases, other, on_case=lambda case, number, total: told.append((number, total)))
    assert [case.name for case in found.cases] == ["a", "b", "c"]
    assert told == [(1, 3), (2, 3), (3, 3)]
    for name in ("predictions.csv", "failures.csv"):
        assert (other.out / name).read_bytes() == (request_for.out / name).read_bytes()


def test_another_model_or_other_options_do_not_replace_what_is_there_unless_allowed(cases, request_for):
    predict_cases(cases[:1], request_for)
    before = (request_for.out / "a" / "result.json").read_bytes()
    other = replace(request_for, options=replace(request_for.options, lesion="1"))
    with pytest.raises(OutputError, match=r"other options \(options\)"):
        predict_cases(cases[:1], other)
    assert (request_for.out / "a" / "result.json").read_bytes() == before
    assert predict_cases(cases[:1], replace(other, overwrite=True)).reused == 0


def test_where_it_is_computed_is_no_other_request(cases, request_for):
    predict_cases(cases[:1], request_for)
    assert predict_cases(cases[:1], replace(request_for, options=replace(request_for.options, device="auto"))).reused


def test_a_folder_that_holds_something_else_is_refused(cases, request_for):
    (request_for.out / "a").mkdir(parents=True)
    (request_for.out / "a" / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="something else than a batch"):
        predict_cases(cases, request_for)
    (request_for.out / "a" / "thesis.txt").rename(request_for.out.parent / "thesis.txt")
    (request_for.out / "a").rmdir()
    predict_cases(cases[1:], request_for)
    (request_for.out / "a").mkdir()
    (request_for.out / "a" / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(OutputError, match="no result of a batch"):
        predict_cases(cases, request_for)
    assert (request_for.out / "a" / "thesis.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(("which", "told"), [([], "no case"), (["a", "a"], "the name 'a'")])
def test_no_case_or_one_name_twice_is_refused(cases, request_for, which, told):
    with pytest.raises(InputError, match=told):
        predict_cases([replace(cases[0], name=name) for name in which], request_for)
    assert not request_for.out.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_run_that_is_killed_is_taken_up_by_the_same_command(cases, request_for):
    rows = [f"{case.name},{case.ct},{case.tumor}" for case in cases]
    cohort = request_for.out.parent / "cases.csv"
    cohort.write_text("\n".join(["case,image,mask", *rows]), encoding="utf-8")
    command = [sys.executable, "-m", "PDL1PredictorLib", "predict", "--cohort", str(cohort), "--progress", "none"]
    command += ["--model", str(request_for.model), "--out", str(request_for.out), "--device", "cpu"]
    with subprocess.Popen(command, start_new_session=True, stdout=subprocess.DEVNULL) as process:
        while process.poll() is None and not list(request_for.out.glob(".b.*.part/*/b")):  # b is under way
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
    assert (request_for.out / "a" / "case.json").exists()
    assert not (request_for.out / "b").exists()
    found = predict_cases(cases, request_for)
    assert found.failed == {}
    assert found.reused >= 1
    assert not [path for path in request_for.out.iterdir() if path.name.startswith(".")]
