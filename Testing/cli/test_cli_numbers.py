"""The command `pdl1 numbers`: patients, labels from a second table, cuts, networks, refusals."""

import json

import numpy as np
import pytest

from PDL1PredictorLib.cli import tables
from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import EXIT_REFUSED, MissingPackageError

QUICK = ["--folds", "2", "--repeats", "1", "--permutations", "1", "--workers", "1", "--progress", "none"]


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(60, 2))
    rows = [f"p{n // 2},{a:.4f},{b:.4f}" for n, (a, b) in enumerate(inputs)]
    (tmp_path / "lesions.csv").write_text("\n".join(["who,a,b", *rows]) + "\n", encoding="utf-8")
    tps = np.clip(50 + 30 * inputs[::2, 0], 0, 100)
    people = [f"p{n},{value:.2f}" for n, value in enumerate(tps)]
    (tmp_path / "patients.csv").write_text("\n".join(["who,tps", *people]) + "\n", encoding="utf-8")
    return tmp_path


def call(files, *more, out="o"):
    named = ["--table", str(files / "lesions.csv"), "--labels", str(files / "patients.csv"), "--label", "tps"]
    return ["numbers", *named, "--patient", "who", *QUICK, "--out", str(files / out), *more]


def document(files):
    return json.loads((files / "o" / "numbers.json").read_text(encoding="utf-8"))


def test_it_answers_by_patient_and_writes_four_files(files, capsys):
    assert main(call(files, "--low", "0", "--high", "100")) == 0
    told = capsys.readouterr().out
    assert "| model | R² | MAE |" in told
    assert "AUC at 1 | AUC at 50" in told
    names = ["answers.csv", "numbers.html", "numbers.json", "numbers.md"]
    assert sorted(file.name for file in (files / "o").iterdir()) == names
    found = document(files)
    assert (found["table"]["unit"], found["table"]["n_units"]) == ("patients", 30)
    assert set(found["models"]) == {"mean", "median", "ridge", "LASSO", "LASSO, one standard error", "random forest"}
    assert found["models"]["ridge"]["p"] in (0.5, 1.0)
    assert found["command"].startswith("pdl1 numbers --table")


@pytest.mark.parametrize(("more", "cuts"), [((), []), (("--cuts", "40, 60"), [40, 60])])
def test_cuts_are_those_of_a_percentage_or_the_ones_asked_for(files, more, cuts):
    assert main(call(files, *more)) == 0
    assert [cut["cut"] for cut in document(files)["models"]["ridge"]["cuts"]] == cuts


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--cuts", "1;50"), "--cuts must be numbers"),
        (("--low", "5", "--high", "5"), "the lower one first"),
        (("--networks", "-1"), "--networks is a number of repetitions"),
        (("--low", "60"), "write a number of at least 60"),
        (("--folds", "1"), "At least 2 folds"),
        (("--folds", "16"), "16 folds need at least 32 patients, there are 30"),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing_behind(files, capsys, more, words):
    assert main(call(files, *more)) == EXIT_REFUSED
    assert words in capsys.readouterr().err
    assert not (files / "o").exists()


def test_without_torch_networks_are_left_out_and_told(files, capsys, monkeypatch):
    there = tables.require_module

    def absent(name, remedy):
        if name == "torch":
            raise MissingPackageError(f"The package torch cannot be imported. {remedy}")
        return there(name, remedy)

    monkeypatch.setattr(tables, "require_module", absent)
    assert main(call(files, "--networks", "1")) == 0
    assert "No network was fitted. The package torch cannot be imported." in capsys.readouterr().out
    found = document(files)
    assert "ANN" not in found["models"]
    assert any(note.startswith("No network was fitted.") for note in found["notes"])


def test_networks_are_those_of_the_recipe(files):
    made = tables._networks(2, None)
    assert (set(made.makes), made.repeats) == ({"ANN", "Complex Transformer"}, 2)
    assert {make.most for make in made.makes.values()} == {32}
    assert not tables._networks(0, None).makes
