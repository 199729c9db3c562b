"""Several rows of one patient, labels from a second table, and how often chance does as well."""

from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import CohortError, InputError
from PDL1PredictorLib.learning.tables import comparison
from PDL1PredictorLib.learning.tables.chance import by_chance
from PDL1PredictorLib.learning.tables.comparison import compare_classifiers
from PDL1PredictorLib.learning.tables.held_out import PENALIZED, TABLE_CLASSIFIERS, TableSettings, held_out, units_of
from PDL1PredictorLib.learning.tables.input_table import InputTable, read_input_table
from PDL1PredictorLib.learning.tables.label_source import LabelSource
from PDL1PredictorLib.learning.tables.penalized import INVERSE_STRENGTHS, PenalizedLogistic

LINEAR = "logistic regression"
ONCE = TableSettings(seed=2, n_folds=4, n_repeats=1, n_permutations=0)


@pytest.fixture
def only_linear(monkeypatch):
    monkeypatch.setattr(comparison, "TABLE_CLASSIFIERS", {LINEAR: TABLE_CLASSIFIERS[LINEAR]})


def table_of(x: np.ndarray, labels: np.ndarray, patients: np.ndarray | None = None) -> InputTable:
    names = None if patients is None else tuple(f"p{one:02}" for one in patients)
    inputs = tuple(f"i{n}" for n in range(x.shape[1]))
    return InputTable("t.csv", "0" * 64, "y", inputs, x, labels, 0, (), (), names)


def fingerprints(rng: np.random.Generator, n_patients: int, rows: int, signal: float = 0.0) -> InputTable:
    """Every patient has inputs of its own, nearly the same in all its rows."""
    patients = np.repeat(np.arange(n_patients), rows)
    labels = rng.permutation(np.arange(n_patients) % 2)
    own = rng.normal(size=(n_patients, 8))
    own[:, 0] += signal * labels
    return table_of(own[patients] + 0.05 * rng.normal(size=(patients.size, 8)), labels[patients], patients)


def test_a_patient_is_held_out_whole():
    table = fingerprints(np.random.default_rng(1), 24, 3)
    units = replace(units_of(table), owner=np.arange(72), labels=table.labels, patient=np.repeat(np.arange(24), 3))
    folds = held_out(table.x, units, ONCE, (LINEAR,)).folds
    assert all(len(np.unique(folds[0, 3 * one : 3 * one + 3])) == 1 for one in range(24))


def test_rows_of_one_label_are_answered_as_one_patient_others_as_rows():
    table = fingerprints(np.random.default_rng(1), 24, 2)
    assert units_of(table).words == "patients"
    assert units_of(table).labels.tolist() == table.labels[::2].tolist()
    assert units_of(table).of_rows(np.arange(48.0)).tolist() == [0.5 + 2 * one for one in range(24)]
    mixed = replace(table, labels=np.tile([0, 1], 24))
    assert units_of(mixed).words == "rows"
    assert len(np.unique(units_of(mixed).patient)) == 24


def test_without_the_patients_fingerprints_look_like_signal(only_linear):
    """The twin: rows of one patient on both sides of a fold are recognized."""
    rng = np.random.default_rng(4)
    tables = [fingerprints(rng, 16, 4) for _ in range(12)]
    kept = [compare_classifiers(table, ONCE).results[0].auc for table in tables]
    torn = [compare_classifiers(replace(table, patients=None), ONCE).results[0].auc for table in tables]
    assert np.mean(kept) == pytest.approx(0.5, abs=0.1)
    assert np.mean(torn) > 0.8


def test_chance_finds_what_is_there_and_pays_for_choosing():
    table = fingerprints(np.random.default_rng(3), 40, 1, signal=1.6)
    kinds, settings = (LINEAR, "naive Bayes"), replace(ONCE, n_permutations=19)
    found = by_chance(table.x, units_of(table), settings, kinds)
    assert found is not None
    assert found.p[LINEAR] == pytest.approx(1 / 20)
    assert found.best >= min(found.p.values())
    assert by_chance(table.x, units_of(table), ONCE, kinds) is None


def test_p_is_uniform_where_there_is_nothing():
    rng, settings = np.random.default_rng(8), TableSettings(n_folds=2, n_repeats=1, n_permutations=9)
    tables = [table_of(rng.normal(size=(24, 3)), np.arange(24) % 2) for _ in range(60)]
    found = [by_chance(table.x, units_of(table), settings, (LINEAR,)) for table in tables]
    p = np.array([one.p[LINEAR] for one in found if one is not None])
    assert p.mean() == pytest.approx(0.55, abs=0.1)  # of 0.1, 0.2 ... 1
    assert 1 <= (p <= 0.1).sum() <= 14  # 6 expected


def test_the_penalty_is_weak_for_strong_inputs_and_strong_for_noise():
    rng = np.random.default_rng(6)
    labels = np.arange(240) % 2
    noise = rng.normal(size=(240, 30))
    told = PenalizedLogistic().fit(noise + 0.3 * labels[:, None], labels)
    assert told.strength_ >= INVERSE_STRENGTHS[-2]
    assert PenalizedLogistic().fit(noise, labels).strength_ <= 1e-2
    assert (told.decision_function(noise[:2] + 2) > 0).all()


def test_the_penalized_model_keeps_patients_together():
    table = fingerprints(np.random.default_rng(9), 20, 6)
    patient = np.repeat(np.arange(20), 6)
    kept = PenalizedLogistic().fit(table.x, table.labels, patient).strength_
    assert kept <= PenalizedLogistic().fit(table.x, table.labels).strength_
    assert PENALIZED in TABLE_CLASSIFIERS


@pytest.fixture
def files(tmp_path):
    rng = np.random.default_rng(0)
    rows = [f"p{n // 2},{rng.normal():.4f},{rng.normal():.4f}" for n in range(60)]
    (tmp_path / "lesions.csv").write_text("\n".join(["who,a,b", *rows]) + "\n", encoding="utf-8")
    people = [f"p{n},{(n % 3) * 40 if n else ''}" for n in range(30)]
    (tmp_path / "patients.csv").write_text("\n".join(["who,tps", *people]) + "\n", encoding="utf-8")
    return tmp_path


def test_a_label_is_joined_from_the_patients_table_and_cut(files):
    source = LabelSource("who", files / "patients.csv", at_least=40)
    table = read_input_table(files / "lesions.csv", "tps", (), source)
    assert (table.inputs, table.ignored, table.n_unknown) == (("a", "b"), ("who",), 2)
    assert table.labels[:6].tolist() == [1, 1, 1, 1, 0, 0]
    assert table.question == "tps >= 40"
    assert table.patients is not None
    assert table.patients[:3] == ("p1", "p1", "p2")


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("who", "pd-l1"), "patients.csv: the column pd-l1 is missing"),
        (("a", "tps"), "patients.csv: the column a is missing"),
        (("who", "a"), "the column a is missing; it has who, tps"),
    ],
)
def test_tables_that_do_not_join_are_refused(files, names, words):
    with pytest.raises(InputError, match=words):
        read_input_table(files / "lesions.csv", names[1], (), LabelSource(names[0], files / "patients.csv"))


def test_a_second_table_needs_the_patient_and_each_patient_once(files):
    with pytest.raises(InputError, match="joined by the patient"):
        LabelSource(file=files / "patients.csv")
    people = files / "patients.csv"
    people.write_text(people.read_text(encoding="utf-8") + "p3,7\n", encoding="utf-8")
    with pytest.raises(InputError, match="two rows of one patient"):
        read_input_table(files / "lesions.csv", "tps", (), LabelSource("who", people, 1))


def test_what_is_no_number_cannot_be_cut(files):
    people = files / "patients.csv"
    people.write_text(people.read_text(encoding="utf-8").replace("p4,40", "p4,many"), encoding="utf-8")
    with pytest.raises(CohortError, match="tps is 'many'"):
        read_input_table(files / "lesions.csv", "tps", (), LabelSource("who", people, 40))


def test_the_command_answers_by_patient_and_can_be_made_again(files, capsys):
    call = ["classifiers", "--table", str(files / "lesions.csv"), "--labels", str(files / "patients.csv")]
    call += ["--label", "tps", "--at-least", "40", "--patient", "who", "--folds", "2", "--repeats", "1"]
    call += ["--permutations", "1", "--workers", "1", "--progress", "none", "--out", str(files / "o")]
    assert main(call) == 0
    text = (files / "o" / "classifiers.md").read_text(encoding="utf-8")
    assert "# tps >= 40 from lesions.csv" in text
    assert "58 rows of 29 patients, 20 positive and 9 negative patients" in text
    assert "--permutations 1 --labels patients.csv --at-least 40 --patient who" in text
    capsys.readouterr()
