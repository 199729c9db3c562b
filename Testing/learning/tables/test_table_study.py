"""Classifiers on a table: what they find, what is written, and tables that cannot be used."""

import csv
import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import EXIT_REFUSED, CohortError, InputError
from PDL1PredictorLib.learning.tables import comparison as table_study
from PDL1PredictorLib.learning.tables.comparison import compare_classifiers
from PDL1PredictorLib.learning.tables.held_out import TABLE_CLASSIFIERS, HeldOut, TableSettings, units_of
from PDL1PredictorLib.learning.tables.input_table import read_input_table
from PDL1PredictorLib.learning.tables.report import command_line, to_svg, to_text
from PDL1PredictorLib.statistics.within_folds import auc_within_folds

QUICK = TableSettings(seed=3, n_folds=2, n_repeats=2, n_permutations=0)
N = 40


def columns():
    """Label, an input that tells it well, one that is noise."""
    rng = np.random.default_rng(5)
    label = np.arange(N) % 2
    return {
        "case": [f"c{n}" for n in range(N)],
        "y": label.tolist(),
        "good": (label + 0.4 * rng.normal(size=N)).tolist(),
        "noise": rng.normal(size=N).tolist(),
    }


def write(path, table):
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "Tabelle mit Ümlaut.csv"


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    return read_input_table(write(tmp_path_factory.mktemp("table") / "t.csv", columns()), "y")


@pytest.fixture(scope="module")
def found(table):
    return compare_classifiers(table, QUICK)


@pytest.fixture(scope="module")
def results(found):
    return found.results


def few(monkeypatch, *kinds):
    """Only these classifiers, wherever they are asked for."""
    monkeypatch.setattr(table_study, "TABLE_CLASSIFIERS", {kind: TABLE_CLASSIFIERS[kind] for kind in kinds})


def problems(path, table, *ignore, label="y"):
    with pytest.raises(CohortError) as caught:
        read_input_table(write(path, table), label, ignore)
    return caught.value.problems


def test_names_of_cases_are_no_inputs_and_rows_without_label_are_left_out(path):
    cells = columns()
    cells["y"][0], cells["good"][0] = "", ""
    table = read_input_table(write(path, cells), "y")
    assert (table.inputs, table.ignored, table.n_unknown) == (("good", "noise"), ("case",), 1)
    assert table.x.shape == (N - 1, 2)
    assert table.labels.tolist() == cells["y"][1:]
    assert table.x[:, 0].tolist() == cells["good"][1:]


def test_words_are_labels_too(path):
    cells = columns()
    cells["y"] = ["Positive" if y else "no" for y in cells["y"]]
    assert read_input_table(write(path, cells), "y").labels.tolist() == columns()["y"]


def test_a_column_that_is_to_be_ignored_is_no_input(path):
    table = read_input_table(write(path, columns()), "y", ["noise"])
    assert (table.inputs, table.ignored) == (("good",), ("case", "noise"))


def test_every_problem_is_named_at_once(path):
    cells = columns()
    cells["y"][2] = "postive"
    cells["good"][3], cells["good"][4], cells["noise"][5], cells["noise"][6] = "", "abc", "nan", "inf"
    cells["same"] = [7] * N
    cells["sex"] = ["f"] * N
    cells["counter"] = list(range(1, N + 1))
    cells["copy"] = [1 - y for y in columns()["y"]]
    cells["copy"][2] = 5
    found = problems(path, cells)
    assert found[0] == "row 4: y is 'postive'; write 1 or 0, or leave it empty where it is not known"
    assert "row 5: good is empty; a number is needed" in found
    assert "row 6: good is 'abc'; a number is needed" in found
    assert "row 7: noise is 'nan'; a number is needed" in found
    assert "row 8: noise is 'inf'; a number is needed" in found
    assert "the column same is 7 in all rows, so it says nothing; leave it out (--ignore same)" in found
    assert "the column sex holds no number; make numbers of it, or leave it out (--ignore sex)" in found
    assert "the column copy is y itself; leave it out (--ignore copy)" in found
    assert len(found) == 8  # the counter has a gap where the label is unknown


def test_a_column_that_counts_the_rows_is_seen(path):
    found = problems(path, {**columns(), "number": list(range(5, N + 5))})
    assert found == ("the column number counts the rows; leave it out (--ignore number)",)


def test_the_same_case_twice_is_seen(path):
    cells = columns()
    cells["case"][7] = "c1"
    (found,) = problems(path, cells)
    assert found.startswith("case c1 stands in the rows 3, 9; folds are drawn by row")


def test_rows_with_the_same_inputs_are_told(path):
    cells = columns()
    for name in ("good", "noise"):
        cells[name][9] = cells[name][2]
    (warning,) = read_input_table(write(path, cells), "y").warnings
    assert warning.startswith("The rows 4, 11 have the same inputs")


@pytest.mark.parametrize(("value", "words"), [(1, "y is 1 in 40 rows and 0 in 0"), (0, "y is 1 in 0 rows and 0 in 40")])
def test_equal_labels_are_refused(path, value, words):
    found = problems(path, {**columns(), "y": [value] * N})
    assert found == (f"{words}; at least 10 of each are needed",)


def test_a_missing_column_is_named_with_the_nearest(path):
    found = problems(path, columns(), "nois", "other", label="yy")
    assert found == (
        "the column yy is missing; did you mean y?",
        "the column nois is missing; did you mean noise?",
        "the column other is missing; it has case, y, good, noise",
    )


def test_a_table_without_inputs_or_rows_is_refused(path):
    assert problems(path, columns(), "good", "noise") == ("it has no column of inputs",)
    assert problems(path, dict.fromkeys(columns(), ())) == ("it has no row",)


def test_a_torn_row_is_refused(path):
    write(path, columns())
    path.write_text(path.read_text(encoding="utf-8") + "c99,1\n", encoding="utf-8")
    with pytest.raises(CohortError, match="row 42: has 2 cells, the header 4"):
        read_input_table(path, "y")


def test_every_classifier_finds_the_input_that_tells_the_label(results):
    assert [r.kind for r in results] == list(TABLE_CLASSIFIERS)
    for r in results:
        assert r.fold_auc.shape == (2, 2)
        assert r.auc > 0.85
        assert r.interval[0] <= r.auc <= r.interval[1] <= 1
        assert r.p is None


def test_areas_come_from_pairs_within_a_fold(table):
    p = np.array([[0.1, 0.9, 0.2, 0.8, 0.3, 0.3, 0.6, 0.4], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]])
    fold = np.array([[0, 0, 0, 0, 1, 1, 1, 1], [0, 1, 1, 0, 0, 1, 1, 0]])
    labels = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    r = table_study._result("any", units_of(replace(table, labels=labels)), HeldOut(p, fold), None)
    # First repetition: 0.1, 0.2 against 0.9, 0.8; then 0.3, 0.6 against 0.3, 0.4. Second: 0.1, 0.5 against 0.4, 0.8;
    # then 0.3, 0.7 against 0.2, 0.6.
    assert r.fold_auc == pytest.approx(np.array([[1, 1.5 / 4], [3 / 4, 1 / 4]]))
    assert r.auc == pytest.approx(r.fold_auc.mean())  # as many pairs in every fold
    assert r.sd == pytest.approx(r.fold_auc.std(ddof=1))
    low, high = auc_within_folds(labels, p, fold).interval
    assert r.interval[0] < low < high < r.interval[1]  # with what shared training cases add


def test_no_classifier_minds_the_units_of_an_input(table, results):
    scaled = compare_classifiers(replace(table, x=table.x * [1000, 0.001] + [5, -3]), QUICK).results
    for there, back in zip(results, scaled, strict=True):
        assert back.fold_auc == pytest.approx(there.fold_auc, abs=0.03)


def test_labels_without_any_relation_are_not_found(table, monkeypatch):
    few(monkeypatch, "logistic regression")
    rng, labels = np.random.default_rng(0), np.arange(60) % 2
    once = TableSettings(n_folds=2, n_repeats=1, n_permutations=0)
    noise = [replace(table, x=rng.normal(size=(60, 4)), labels=labels) for _ in range(40)]
    assert np.mean([compare_classifiers(one, once).results[0].auc for one in noise]) == pytest.approx(0.5, abs=0.05)


def test_the_same_seed_finds_the_same_and_another_seed_draws_other_folds(table, results):
    again, other = (compare_classifiers(table, one).results for one in (QUICK, replace(QUICK, seed=4)))
    assert all((a.fold_auc == b.fold_auc).all() for a, b in zip(results, again, strict=True))
    assert any((a.fold_auc != b.fold_auc).any() for a, b in zip(results, other, strict=True))


def test_more_folds_than_cases_are_refused(table):
    with pytest.raises(InputError, match="25 folds need as many cases of each label, the rarer one has 20"):
        compare_classifiers(table, replace(QUICK, n_folds=25))


@pytest.mark.parametrize("wrong", [{"n_folds": 1}, {"n_repeats": 0}, {"seed": -1}, {"n_permutations": -1}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(InputError, match="At least 2 folds, 1 repetition, no permutation and a seed from 0"):
        TableSettings(**wrong)


def test_the_text_ranks_the_classifiers_and_says_what_was_left_out(table, found):
    text = to_text(replace(table, n_unknown=3), QUICK, found)
    areas = [float(line.split("|")[2]) for line in text.splitlines() if line.startswith("| ") and "AUC" not in line]
    assert areas == sorted(areas, reverse=True)
    assert len(areas) == 8
    assert "3 rows without a label were left out" in text
    assert "Not used as inputs: case." in text
    assert "Research use only" in text


def test_the_picture_is_a_drawing_with_every_classifier(found):
    first, *others = found.results
    drawing = ET.fromstring(to_svg(replace(found, results=(replace(first, kind="a < b"), *others))))
    words = [element.text for element in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a < b", *list(TABLE_CLASSIFIERS)[1:]} <= set(words)


def test_names_with_spaces_are_quoted_in_the_command(table):
    shown = command_line(replace(table, file_name="my table.csv", ignored=("case", "a b")), QUICK)
    assert shown == (
        'pdl1 classifiers --table "my table.csv" --label y --seed 3 --folds 2 --repeats 2 --permutations 0 '
        '--ignore case --ignore "a b"'
    )


def test_the_command_writes_figures_but_no_row(path, tmp_path, capsys):
    write(path, columns())
    call = ["classifiers", "--table", str(path), "--label", "y", "--folds", "2", "--repeats", "1", "--progress", "none"]
    call += ["--permutations", "1", "--workers", "1"]
    for name in ("öne", "two"):
        assert main([*call, "--out", str(tmp_path / name)]) == 0
    assert "| classifier | AUC within folds |" in capsys.readouterr().out
    first, second = tmp_path / "öne", tmp_path / "two"
    names = ["classifiers.json", "classifiers.md", "classifiers.svg"]
    assert sorted(file.name for file in first.iterdir()) == names
    assert all((first / name).read_bytes() == (second / name).read_bytes() for name in names)
    content = json.loads((first / "classifiers.json").read_text(encoding="utf-8"))
    assert content["table"]["file"] == path.name
    assert (content["table"]["n_positive"], content["table"]["n_negative"]) == (20, 20)
    assert len(content["classifiers"]) == 8
    written = "".join((first / name).read_text(encoding="utf-8") for name in names)
    assert not any(str(value) in written for value in columns()["good"])


def test_a_refused_table_leaves_nothing_behind(path, tmp_path, capsys):
    write(path, {**columns(), "y": [1] * N})
    assert main(["classifiers", "--table", str(path), "--label", "y", "--out", str(tmp_path / "o")]) == EXIT_REFUSED
    assert "at least 10 of each are needed" in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_an_existing_folder_is_not_replaced(path, tmp_path, capsys):
    write(path, columns())
    (tmp_path / "o").mkdir()
    (tmp_path / "o" / "mine.txt").write_text("kept", encoding="utf-8")
    assert main(["classifiers", "--table", str(path), "--label", "y", "--out", str(tmp_path / "o")]) == EXIT_REFUSED
    assert "exists already" in capsys.readouterr().err
    assert (tmp_path / "o" / "mine.txt").read_text(encoding="utf-8") == "kept"


@pytest.mark.real_data
@pytest.mark.parametrize(("name", "n"), [("PD1_L1", (21, 33)), ("LVI", (48, 105))])
def test_the_released_tables_are_read_without_their_row_numbers(shared, name, n):
    table = read_input_table(shared / "data" / "deepradscore_tables" / f"{name}_fused.csv", "disease")
    assert table.ignored == ("row",)
    assert table.inputs == ("radscore_3D", "radscore_peritumoral", *(f"x{k}" for k in range(1, 11)))
    assert (int(table.labels.sum()), int((1 - table.labels).sum())) == n
    assert table.warnings == ()
