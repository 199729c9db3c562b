"""`pdl1 survival` on a small table: what it says, what it refuses, and its report."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from followed import followed, write_followed

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import CohortError, InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.statistics.survival.cox import fit_cox
from PDL1PredictorLib.statistics.survival.hazard_ratios import hazard_ratios
from PDL1PredictorLib.study.survival.answers import Answers
from PDL1PredictorLib.study.survival.columns import read_survival_table
from PDL1PredictorLib.study.survival.conduct import analyze
from PDL1PredictorLib.study.survival.held_out import by_folds, judged, lasso_fit, parts, plain_fit
from PDL1PredictorLib.study.survival.page import to_html
from PDL1PredictorLib.study.survival.settings import SurvivalSettings

ALL = SurvivalSettings(
    time="days",
    event="died",
    score="score",
    covariates=("age", "stage", "log(age)"),
    by="regime",
    features=tuple(f"f{i}" for i in range(6)),
    first=80,
    folds=4,
    permutations=39,
)


def read(tmp_path: Path, table, missing=None):
    return read_survival_table(write_followed(tmp_path / "t.csv", table), "days", "died", missing or {})


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory):
    return analyze(read(tmp_path_factory.mktemp("t"), followed()), ALL, "pdl1 survival ...")


def test_the_document_says_what_the_statistics_say(document):
    table = followed()
    ratio = hazard_ratios(fit_cox(table["score"], table["days"], table["died"]))[0]
    assert document["score"]["ratio"]["value"] == pytest.approx(ratio.value)
    assert document["overall"]["n"] == 120
    assert document["overall"]["at"][0]["at_risk"] == (table["days"] >= 365).sum()
    assert document["horizons"] == [365, 730]  # fewer than 10 are followed for 1825 days
    assert any("1825" in note for note in document["notes"])
    assert document["score"]["cut"]["p_naive"] < document["score"]["cut"]["p_permutation"]
    assert [row["group"] for row in document["score"]["in_groups"]["rows"]] == ["combination", "mono"]
    assert document["score"]["added"]["all of them"]["gain"]["p"] < 0.01
    assert {term["name"] for term in document["models"]["alone"]["stage"]["terms"]} == {"stage: II", "stage: III"}


def test_every_model_is_judged_on_cases_that_it_has_not_seen(document):
    held = {(h["model"], h["design"]): h for h in document["held_out"]}
    assert len(held) == 8
    score = held["score: score", "4 folds"]
    assert score["c"]["low"] > 0.55
    assert score["at"][0]["brier"] < score["at"][0]["brier_without"]
    lasso = held["LASSO of the features", "4 folds"]
    assert {"name": "f0", "folds": 4} in lasso["kept"]


def test_labels_by_chance_are_told_no_better_than_chance_by_any_model():
    values = []
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x, time = rng.normal(size=(60, 25)), rng.exponential(size=60)
        event = rng.random(60) < 0.7
        for fit in (plain_fit, lasso_fit):
            columns = x[:, :3] if fit is plain_fit else x
            fold = parts(event, 3, rng)
            found = by_folds(columns, time, event, fold, (0.5,), fit, seed, SilentProgress())
            values.append(judged(found, time, event, (0.5,))["c"]["value"])
    assert abs(np.mean(values) - 0.5) < 0.05


class SilentProgress:
    def step(self, *_):
        pass


def test_every_long_step_is_told(tmp_path):
    told = []
    progress = Progress(lambda stage, fraction, message: told.append((fraction, message)))
    quick = dataclasses.replace(ALL, features=(), first=0, folds=2, permutations=9)
    analyze(read(tmp_path, followed()), quick, "pdl1 survival ...", progress)
    fractions, messages = zip(*told, strict=True)
    assert list(fractions) == sorted(fractions)
    wanted = ("the groups of regime", "the score score", "what score adds to age", "Cox models", "fold 1 of 2")
    assert [one for one in wanted if one not in messages] == []
    assert messages.count("fold 2 of 2") == 3  # score, covariates, both


def test_folds_share_the_events_evenly():
    event = np.arange(50) < 21
    fold = parts(event, 5, np.random.default_rng(1))
    assert [int(event[fold == i].sum()) for i in range(5)] == [5, 4, 4, 4, 4]
    assert np.bincount(fold).tolist() == [10] * 5


def test_the_page_shows_every_figure_and_the_research_use_line(document):
    page = to_html(document)
    assert page.count("Research use only") >= 2
    assert page.count("<svg") == 8
    for words in ("At risk", "Naive p", "Corrected p", "Uno's C", "in sample", "no proof that the score tells who"):
        assert words in page
    assert "p001" not in page + json.dumps(document)


def test_a_table_without_anything_else_gives_a_curve(tmp_path):
    table = followed(30)
    settings = SurvivalSettings(time="days", event="died", unit="years", horizons=(100.0,))
    found = analyze(read(tmp_path, table), settings)
    assert (found["score"], found["models"], found["groups"], found["held_out"]) == (None, None, None, [])
    assert "<svg" in to_html(found)


def test_what_cannot_be_estimated_is_said_in_words_and_the_rest_goes_on(tmp_path):
    table = followed(40)
    table["age"] = np.where(table["died"] == 1, 50, 50)
    table["regime"] = np.array(["mono"] * 40)
    table["stage"] = np.where(table["died"] == 1, "I", "II")
    table["days"] = np.where(table["died"] == 1, table["days"], 9000)
    settings = dataclasses.replace(ALL, covariates=("age", "stage"), features=(), first=0)
    found = analyze(read(tmp_path, table), settings)
    assert "Two groups" in found["groups"]["note"]
    assert "same value in every case" in found["models"]["alone"]["age"]["note"]
    assert "rises without end" in found["models"]["alone"]["stage"]["note"]
    assert "same value" in to_html(found)


def test_a_reversed_score_is_told_and_not_turned(tmp_path):
    table = followed(80)
    table["score"] = -table["score"]
    found = analyze(read(tmp_path, table), dataclasses.replace(ALL, covariates=(), features=(), first=0, folds=0))
    assert found["score"]["harrell"]["value"] < 0.5
    assert any("later events" in note for note in found["notes"])


def test_missing_values_are_left_out_and_counted(tmp_path):
    table = followed(60)
    table["age"][:5] = 99
    table["days"] = np.array(["", *map(str, table["days"][1:])])
    read_table = read(tmp_path, table, {"age": "99.0"})
    assert (read_table.n_unknown, read_table.time.size) == (1, 59)
    found = analyze(read_table, dataclasses.replace(ALL, covariates=("age",), features=(), first=0, folds=0))
    assert found["models"]["alone"]["age"]["n_left_out"] == 4


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("days", "-3", "row 3: days is '-3'; a number that is not negative"),
        ("days", "long", "row 3: days is 'long'"),
        ("died", "2", "row 3: died is '2'; write 1 .it came. or 0"),
        ("case", "p000", "case p000 stands in several rows"),
    ],
)
def test_wrong_cells_are_told_by_row(tmp_path, column, value, words):
    table = {name: values.astype(object) for name, values in followed(12).items()}
    table[column][1] = value
    with pytest.raises(CohortError, match=words):
        read(tmp_path, table)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"score": "scor"}, "did you mean score"),
        ({"score": "stage"}, "holds 'I+', which is no number"),
        ({"score": "log(f1)"}, "no logarithm"),
        ({"covariates": ("case",)}, "too many for a category"),
        ({"first": 119}, "both parts of the 120 rows need cases"),
        ({"unit": "hours"}, "--unit must be"),
        ({"horizons": (-1.0,)}, "--horizons must be above 0"),
        ({"folds": 1}, "--folds must be 0 or at least 2"),
        ({"permutations": 0}, "at least 1"),
        ({"smallest_share": 0.6}, "--smallest-share"),
    ],
)
def test_wrong_questions_are_refused(tmp_path, change, words):
    table = followed()
    table["died"][-1] = 0
    plain = {"features": (), "covariates": ("age",), "first": 0, "folds": 0, "by": ""}
    with pytest.raises(InputError, match=words):
        analyze(read(tmp_path, table), dataclasses.replace(ALL, **(plain | change)))


def test_a_table_without_an_event_is_refused(tmp_path):
    table = followed(20)
    table["died"][:] = 0
    with pytest.raises(InputError, match="None of the 20 cases had the event"):
        analyze(read(tmp_path, table), ALL)


def test_the_command_writes_a_report_and_its_numbers(tmp_path, capsys):
    table = write_followed(tmp_path / "t.csv", followed(70))
    words = ["survival", "--table", str(table), "--time", "days", "--event", "died", "--score", "score"]
    words += ["--features", "f0..f3,f5", "--folds", "3", "--permutations", "19", "--missing", "stage=I"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 0
    found = json.loads((tmp_path / "out" / "survival.json").read_text(encoding="utf-8"))
    assert found["settings"]["features"] == ["f0", "f1", "f2", "f3", "f5"]
    assert found["command"].startswith("pdl1 survival --table")
    assert "Held out, LASSO of the features, 3 folds: C" in capsys.readouterr().out
    assert (tmp_path / "out" / "survival.html").is_file()
    assert main([*words, "--out", str(tmp_path / "out")]) == 2  # it is there already


@pytest.mark.parametrize("wrong", [["--features", "f3..f0"], ["--horizons", "a"], ["--missing", "x"]])
def test_the_command_refuses_what_it_cannot_read(tmp_path, wrong):
    table = write_followed(tmp_path / "t.csv", followed(30))
    words = ["survival", "--table", str(table), "--time", "days", "--event", "died", "--out", str(tmp_path / "out")]
    assert main([*words, *wrong]) == 2


def write_answers(path: Path, cases, scores) -> Path:
    lines = ["case,folder,lesion,PDL1_HIGH_probability,PDL1_HIGH_withheld"]
    for row, (case, score) in enumerate(zip(cases, scores, strict=True)):
        held = row % 2 == 0
        lines.append(f"{case},{case},1,{'' if held else score},{score if held else ''}")
        lines.append(f"{case},{case},2,0.5,")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_answers_of_a_model_are_joined_by_case_those_withheld_too(tmp_path):
    table = followed(60)
    scores = (1 / (1 + np.exp(-table["score"]))).round(4)
    answers = write_answers(tmp_path / "a.csv", table["case"][:50], scores[:50])
    path = write_followed(tmp_path / "t.csv", table)
    joined = read_survival_table(path, "days", "died", {}, Answers(answers))
    np.testing.assert_array_equal(joined.numbers("PDL1_HIGH_score")[:50], scores[:50])
    assert np.isnan(joined.numbers("PDL1_HIGH_score")[50:]).all()
    words = [
        "survival",
        "--table",
        str(path),
        "--time",
        "days",
        "--event",
        "died",
        "--folds",
        "0",
        "--permutations",
        "9",
    ]
    words += ["--answers", str(answers), "--score", "PDL1_HIGH_score", "--by", "regime", "--out", str(tmp_path / "out")]
    assert main(words) == 0
    found = json.loads((tmp_path / "out" / "survival.json").read_text(encoding="utf-8"))
    assert (found["score"]["n"], found["score"]["n_left_out"]) == (50, 10)


def with_training(answers: Path, of: dict[str, str]) -> Path:
    """The answers with a column that says which cases the model has learned from."""
    head, *lines = answers.read_text(encoding="utf-8").splitlines()
    told = [f"{line},{of.get(line.split(',')[0], 'no')}" for line in lines]
    answers.write_text("\n".join([f"{head},training_case", *told]) + "\n", encoding="utf-8")
    return answers


def survival(path: Path, answers: Path, out: Path, *more: str) -> int:
    words = ["survival", "--table", str(path), "--time", "days", "--event", "died", "--folds", "0"]
    words += ["--permutations", "9", "--answers", str(answers), "--score", "PDL1_HIGH_score", "--out", str(out)]
    return main([*words, *more])


def test_cases_that_the_model_has_learned_from_are_refused_by_name(tmp_path, capsys):
    table = followed(60)
    path = write_followed(tmp_path / "t.csv", table)
    scores = (1 / (1 + np.exp(-table["score"]))).round(4)
    answers = write_answers(tmp_path / "a.csv", table["case"], scores)
    with_training(answers, {"p003": "yes", "p017": "yes", "p020": ""})
    assert survival(path, answers, tmp_path / "out") == 2
    told = capsys.readouterr().err
    assert "p003: the model has learned from this CT" in told
    assert "p017" in told
    assert "p020" not in told
    assert "--allow-training-cases" in told
    assert not (tmp_path / "out").exists()
    assert survival(path, answers, tmp_path / "out", "--allow-training-cases") == 0
    notes = json.loads((tmp_path / "out" / "survival.json").read_text(encoding="utf-8"))["notes"]
    assert notes[0].startswith("The model has learned from 2 of the 60 cases that it answers here")
    assert notes[1].startswith("Of 1 of the 60 cases that the model answers here it is not known")
    page = (tmp_path / "out" / "survival.html").read_text(encoding="utf-8")
    assert "has learned from 2 of the 60 cases" in page


def test_cases_that_the_model_has_not_seen_pass_without_a_word(tmp_path):
    table = followed(60)
    path = write_followed(tmp_path / "t.csv", table)
    answers = with_training(write_answers(tmp_path / "a.csv", table["case"], table["score"]), {})
    assert read_survival_table(path, "days", "died", {}, Answers(answers)).notes == ()
    older = write_answers(tmp_path / "b.csv", table["case"][:7], table["score"][:7])  # from before there was a column
    assert "Of 7 of the 7 cases" in read_survival_table(path, "days", "died", {}, Answers(older)).notes[0]


def test_a_training_case_that_is_left_out_anyway_stands_in_nobodys_way(tmp_path):
    table = followed(12)
    lines = write_followed(tmp_path / "t.csv", table).read_text(encoding="utf-8").splitlines()
    place = lines[0].split(",").index("days")
    cells = lines[1].split(",")
    case = cells[lines[0].split(",").index("case")]
    cells[place] = ""
    (tmp_path / "t.csv").write_text("\n".join([lines[0], ",".join(cells), *lines[2:]]) + "\n", encoding="utf-8")
    answers = with_training(write_answers(tmp_path / "a.csv", table["case"], table["score"]), {case: "yes"})
    assert read_survival_table(tmp_path / "t.csv", "days", "died", {}, Answers(answers)).notes == ()


def test_leave_to_keep_training_cases_is_about_answers(tmp_path, capsys):
    path = write_followed(tmp_path / "t.csv", followed(30))
    words = ["survival", "--table", str(path), "--time", "days", "--event", "died", "--out", str(tmp_path / "out")]
    assert main([*words, "--allow-training-cases"]) == 2
    assert "is about --answers" in capsys.readouterr().err


def test_answers_that_do_not_fit_the_table_are_refused(tmp_path):
    path = write_followed(tmp_path / "t.csv", {**followed(12), "lesion": np.ones(12)})
    answers = write_answers(tmp_path / "a.csv", ["p000"], [0.5])
    with pytest.raises(InputError, match="lesion stand in both tables"):
        read_survival_table(path, "days", "died", {}, Answers(answers))
    with pytest.raises(InputError, match="the column patient is missing"):
        read_survival_table(path, "days", "died", {}, Answers(answers, "patient"))


@pytest.mark.real_data
def test_lung1_is_told_as_r_tells_it(shared):
    """421 patients, 373 deaths: C in sample and from the first 300 to the rest, and the cuts (docs/results.md)."""
    path = shared / "data" / "tables" / "lung1_pyradiomics_selected_421.csv"
    diameter = "original_shape_Maximum2DDiameterSlice"
    table = read_survival_table(path, "Survival.time", "deadstatus.event", {"Overall.Stage": "Unknown"})
    covariates = ("age", "gender", "Overall.Stage", f"log({diameter})")
    shared_settings = {"time": "Survival.time", "event": "deadstatus.event", "score": diameter, "folds": 0}
    found = analyze(table, SurvivalSettings(**shared_settings, covariates=covariates, first=300, permutations=19))
    together = found["models"]["together"]
    assert (together["n"], together["events"]) == (420, 372)
    assert round(together["c"]["value"], 3) == 0.591
    rest = next(h for h in found["held_out"] if h["model"] == "covariates")
    assert (rest["n"], round(rest["c"]["value"], 3), round(rest["slope"]["value"], 2)) == (120, 0.554, 0.44)
    assert round(found["score"]["cut"]["value"], 1) == 85.6
    assert round(found["score"]["cut"]["max_rank"]["cut"], 1) == 44.4
    size = next(term for term in together["terms"] if term["name"] == f"log({diameter})")
    assert round(size["proportional"]["p"], 4) == 0.0004
