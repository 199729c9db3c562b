"""`pdl1 compare`: folders in, words, JSON and a page out."""

import json
from dataclasses import replace
from datetime import date

import pytest

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.report.json_result import to_json


@pytest.fixture
def folders(study, tmp_path):
    """Two result folders with one tumor each; a space and letters in their names."""

    def put(name, result):
        folder = tmp_path / name
        folder.mkdir()
        lesions = tuple(replace(lesion, atypicality=0.5) for lesion in result.lesions)
        content = to_json(replace(result, lesions=lesions), with_patient=True)
        (folder / "result.json").write_text(json.dumps(content), encoding="utf-8")
        return folder

    then = {"volume_ml": 2.0, "range_ml": (1.6, 2.5), "day": date(2026, 4, 11), "ct": "b"}
    return {
        "first": put("früher 1", study()),
        "then": put("später 2", study(**then)),
        "two": put("two", study(**then, lesions=2)),
    }


def run(capsys, *arguments):
    code = main(["compare", *map(str, arguments), "--progress", "none"])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_two_folders_are_compared_in_words_and_on_a_page(folders, tmp_path, capsys):
    out = tmp_path / "Vergleich.html"
    code, said, _ = run(capsys, folders["first"], folders["then"], "--out", out)
    assert code == 0
    assert "the volume doubles in 100 days" in said
    page = out.read_text(encoding="utf-8")
    assert "2026-01-01" in page
    assert "doubles in 100 days" in page
    assert "Research use only" in page
    assert "<script" not in page


def test_the_comparison_as_json(folders, capsys):
    code, said, _ = run(capsys, folders["first"], folders["then"], "--json")
    content = json.loads(said)
    assert code == 0
    assert content["tumors"][0]["doubling_days"] == pytest.approx(100)
    assert content["tumors"][0]["earlier"]["date"] == "2026-01-01"
    assert [one["noise"] for one in content["tumors"][0]["endpoints"]][:2] == ["within", "not_known"]
    assert "0.4321" not in said  # the number that is no answer


def test_several_tumors_need_to_be_paired(folders, capsys):
    code, _, told = run(capsys, folders["first"], folders["two"])
    assert code != 0
    assert "--pair 1=1" in told
    code, said, _ = run(capsys, folders["first"], folders["two"], "--pair", "1=2", "--json")
    assert (code, json.loads(said)["tumors"][0]["later"]["tumor"]) == (0, 2)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--pair", "x"], "--pair must name two tumors"),
        (["--pair", "1=7"], "There is no tumor 7"),
        (["--dates", "2026-01-01", "soon"], "got 'soon'"),
        (["--dates", "2026-01-02", "2026-04-11"], "is of 2026-01-01, and --dates says 2026-01-02"),
        (["--dates", "2026-01-01", "2026-04-11", "--days", "100"], "give one of them"),
    ],
)
def test_what_cannot_be_is_refused(folders, capsys, options, words):
    code, _, told = run(capsys, folders["first"], folders["then"], *options)
    assert code != 0
    assert words in told


def test_a_folder_without_a_result_is_refused(folders, tmp_path, capsys):
    code, _, told = run(capsys, folders["first"], tmp_path)
    assert code != 0
    assert "is no result" in told
