"""What is written of models of a number: JSON, Markdown, page, and a table from which every figure follows."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.learning.tables.held_out import TableSettings
from PDL1PredictorLib.learning.tables.input_table import InputTable
from PDL1PredictorLib.learning.tables.numbers import comparison
from PDL1PredictorLib.learning.tables.numbers.comparison import Networks, compare_numbers
from PDL1PredictorLib.learning.tables.numbers.models import RIDGE, number_models
from PDL1PredictorLib.learning.tables.numbers.number_table import Span
from PDL1PredictorLib.study.numbers.document import document_of, ranked, unit_digits
from PDL1PredictorLib.study.numbers.figures import first_repetition, roles_of
from PDL1PredictorLib.study.numbers.text import to_text
from PDL1PredictorLib.study.numbers.write import write_numbers

SETTINGS = TableSettings(seed=2, n_folds=4, n_repeats=2, n_permutations=0)
PERCENT = Span(0, 100)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    patients = np.repeat(np.arange(40), 2)
    x = rng.normal(size=(80, 3))
    labels = np.clip(50 + 20 * x[::2, 0] + 5 * rng.normal(size=40), 0, 100)[patients]
    names = tuple("=evil" if one == 7 else f"p{one:02}" for one in patients)
    return InputTable("t.csv", "0" * 64, "TPS <b>", ("a", "b", "c"), x, labels, 3, ("who", "b c"), (), names)


@pytest.fixture(scope="module")
def found(table):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(comparison, "number_models", lambda span: {RIDGE: number_models(span)[RIDGE]})
        networks = Networks({"net": number_models(PERCENT)["LASSO"]}, 1)
        return compare_numbers(table, SETTINGS, PERCENT, (1, 50), networks)


@pytest.fixture(scope="module")
def folder(table, found, tmp_path_factory):
    out = tmp_path_factory.mktemp("numbers")
    write_numbers(document_of(table, SETTINGS, PERCENT, found, "pdl1 numbers"), table, found, out)
    return out


@pytest.fixture(scope="module")
def document(folder):
    return json.loads((folder / "numbers.json").read_text(encoding="utf-8"))


def rows_of(folder):
    with (folder / "answers.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_every_figure_follows_from_the_answers(folder, document):
    rows = rows_of(folder)
    assert list(rows[0]) == ["patient", "repetition", "fold", "observed", "mean", "median", "ridge", "net"]
    assert len(rows) == 80
    r2, mae = [], []
    for repetition in "12":
        here = [row for row in rows if row["repetition"] == repetition]
        y, mean, ridge = (np.array([float(row[name]) for row in here]) for name in ("observed", "mean", "ridge"))
        fold = np.array([row["fold"] for row in here])
        for number in set(fold):
            assert mean[fold == number] == pytest.approx(y[fold != number].mean())
        r2.append(1 - ((y - ridge) ** 2).sum() / ((y - mean) ** 2).sum())
        mae.append(np.abs(y - ridge).mean())
    assert document["models"]["ridge"]["r2"]["value"] == pytest.approx(np.mean(r2))
    assert document["models"]["ridge"]["mae"]["value"] == pytest.approx(np.mean(mae))


def test_a_model_that_was_not_fitted_has_an_empty_field_and_is_told(folder, document):
    assert {row["net"] == "" for row in rows_of(folder) if row["repetition"] == "1"} == {False}
    assert {row["net"] for row in rows_of(folder) if row["repetition"] == "2"} == {""}
    assert "- net: 1 of 2 repetitions." in to_text(document)


def test_names_that_a_spreadsheet_would_run_are_made_safe(folder):
    names = {row["patient"] for row in rows_of(folder)}
    assert "=evil" not in names
    assert any("=evil" in name for name in names)


def test_json_and_text_hold_no_row_but_the_ends(table, folder):
    written = "".join((folder / name).read_text(encoding="utf-8") for name in ("numbers.json", "numbers.md"))
    assert not any(
        repr(float(value)) in written for value in set(table.labels) - {table.labels.min(), table.labels.max()}
    )
    assert "evil" not in written


def test_the_same_arguments_write_the_same_bytes(table, found, folder, tmp_path):
    write_numbers(document_of(table, SETTINGS, PERCENT, found, "pdl1 numbers"), table, found, tmp_path)
    for file in folder.iterdir():
        assert (tmp_path / file.name).read_bytes() == file.read_bytes()


def test_the_text_ranks_by_r2_and_says_what_was_left_out(document):
    text = to_text(document)
    lines = [line.split("|") for line in text.splitlines() if line.startswith("| ")][1:]
    assert [line[1].strip() for line in lines] == [title for title, _ in ranked(document)]
    values = [float(line[2].split("(")[0]) for line in lines]
    assert values == sorted(values, reverse=True)
    assert "80 rows of 40 patients, 3 inputs" in text
    assert "3 rows without a label were left out" in text
    assert "Not used as inputs: who, b c." in text
    assert "AUC at 1 | AUC at 50" in text


def test_errors_have_three_digits_that_count_of_the_unit(document):
    for sd, digits in ((36.2, 1), (1.21, 2), (250.0, 0), (0.03, 4)):
        assert unit_digits({"observed": {"sd": sd}}) == digits
    small = {**document, "observed": {**document["observed"], "sd": 1.2}}
    mae = document["models"]["ridge"]["mae"]["value"]
    assert f"| {mae:.2f} (" in to_text(small)
    assert f"| {mae:.2f} (" not in to_text(document)


def test_the_page_is_whole_and_escapes_what_comes_from_outside(folder):
    page = (folder / "numbers.html").read_text(encoding="utf-8")
    assert page.count("<svg") == 3
    assert "TPS &lt;b&gt;" in page
    assert "TPS <b>" not in page
    assert "<script" not in page
    assert "{{" not in page


def test_the_picture_shows_one_repetition(document, found):
    numbers = first_repetition(document, found)
    ridge = next(one for one in found.results if one.kind == RIDGE)
    assert numbers["models"][RIDGE]["predicted"]["value"] == ridge.answers.predicted[0].tolist()
    assert numbers["models"]["mean"]["calibration"]["slope"] is None
    roles = roles_of(found)
    assert (roles["mean"], roles["median"], roles[found.best.kind]) == ("baseline", "baseline", "lead")
    assert sorted(roles.values()) == ["baseline", "baseline", "lead", "part"]


def test_networks_that_are_left_out_are_told(table, found):
    without = replace(found, left_out="No network was fitted. The package torch cannot be imported.")
    assert without.left_out in document_of(table, SETTINGS, PERCENT, without, "")["notes"]


def test_a_figure_without_a_value_is_a_dash(document):
    mean = next(line for line in to_text(document).splitlines() if line.startswith("| mean"))
    assert mean.endswith("| – | – | – | – |")
