"""A pickle is told by its opcodes: what it holds, and what it would run; it is never loaded."""

import pickle
import subprocess
import sys

import joblib
import numpy as np
import pytest
import sklearn
from marked import Marked, marked_pickle
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC

from PDL1PredictorLib.learning.importing import pickles
from PDL1PredictorLib.learning.importing.conversion import SCRIPT, how_to_convert
from PDL1PredictorLib.learning.importing.pickles import PickleLook, is_pickle, look_into
from PDL1PredictorLib.models.onnx.graph import check_classifier
from PDL1PredictorLib.models.onnx.session import Classifier

NAMES = ("radscore_3D", "radscore_peritumoral", *(f"x{i + 1}" for i in range(10)))
_RNG = np.random.default_rng(0)
X, Y = _RNG.normal(size=(40, 12)), _RNG.random(40) > 0.5


def without_names(estimator):
    return estimator.fit(X, Y)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    ("estimator", "holds"),
    [
        (LogisticRegression(), "sklearn.linear_model._logistic.LogisticRegression"),
        (GaussianNB(), "sklearn.naive_bayes.GaussianNB"),
        (RandomForestClassifier(3, random_state=0), "sklearn.ensemble._forest.RandomForestClassifier"),
        (SVC(), "sklearn.svm._classes.SVC"),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, str) else "",
)
def test_class_version_and_number_of_inputs_are_told(estimator, holds, protocol):
    look = look_into(pickle.dumps(without_names(estimator), protocol))
    assert look == PickleLook(holds, sklearn.__version__, (), 12, (), True)
    assert look.is_classifier
    assert f"of scikit-learn {sklearn.__version__}, 12 inputs" in look.words


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("estimator", [LogisticRegression(), RandomForestClassifier(3, random_state=0)], ids=str)
def test_names_of_inputs_are_told(estimator, protocol):
    model = without_names(estimator)
    model.feature_names_in_ = np.array(NAMES, dtype=object)
    look = look_into(pickle.dumps(model, protocol))
    assert (look.inputs, look.n_inputs, look.strange) == (NAMES, 12, ())
    assert "12 inputs (radscore_3D, radscore_peritumoral, x1, ..., x10)" in look.words


def test_a_joblib_file_is_told_as_far_as_its_arrays(tmp_path):
    joblib.dump(without_names(LogisticRegression()), tmp_path / "x.joblib")
    look = look_into((tmp_path / "x.joblib").read_bytes())
    assert look.holds.endswith("LogisticRegression")
    assert (look.n_inputs, look.strange) == (12, ())


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_would_run_a_program_is_named_and_does_not_run(tmp_path, protocol):
    marker = tmp_path / "marker"
    data = marked_pickle(marker, protocol)
    look = look_into(data)
    assert not marker.exists()
    assert any(name.endswith(".system") for name in look.strange)
    assert not look.is_classifier
    assert "do not open it" in look.words
    pickle.loads(data)  # the twin: it is a live one
    assert marker.exists()


def test_an_attack_inside_a_classifier_is_seen(tmp_path):
    model = without_names(GaussianNB())
    model.extra = Marked(tmp_path / "marker")
    look = look_into(pickle.dumps(model))
    assert look.holds.endswith("GaussianNB")
    assert not look.is_classifier
    assert how_to_convert({"x.pkl": look}) == ""


DECOY = b"\x80\x04\x8c\x02os\x8c\x06system\x8c\x07sklearn\x8c\x05clone00\x93."
FORGED = {
    "pops": DECOY,
    "memo": b"\x80\x04]q\x00\x8c\x01ah\x00\x93.",
    "extension": b"\x80\x02\x82\x01.",
    "protocol 0": b"cos\nsystem\n(S'echo'\ntR.",
    "instance": b"(S'echo'\nios\nsystem\n.",
    "persistent": b"Psomething\n.",
}


@pytest.mark.parametrize("data", FORGED.values(), ids=FORGED.keys())
def test_a_name_that_is_hidden_counts_as_strange(data):
    assert look_into(data).strange


DAMAGED = {
    "nothing": b"",
    "noise": bytes(range(256)),
    "cut": pickle.dumps(X)[:-40],
    "too long": b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fx",
    "long number": b"I" + b"9" * 10_000 + b"\n.",
    "negative": b"\x80\x02\x8b\xff\xff\xff\xff.",
    "put beyond": b"p99999999999999999999\n.",
    "no text": b"\x80\x02X\x02\x00\x00\x00\xff\xff.",
}


@pytest.mark.parametrize("data", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_one_is_told_as_far_as_it_goes(data):
    look = look_into(data)
    assert not look.is_classifier


def test_a_long_one_is_left_after_a_number_of_steps(monkeypatch):
    monkeypatch.setattr(pickles, "MAX_STEPS", 10)
    look = look_into(pickle.dumps(list(range(1000)), 0))
    assert not look.whole


def test_first_bytes_tell_protocols_with_a_mark():
    assert all(is_pickle(pickle.dumps(X, protocol)) for protocol in range(2, 6))
    assert not is_pickle(b"\x80\x09")
    assert not is_pickle(b"PK\x03\x04")


def test_the_script_converts_what_it_was_told_for(tmp_path):
    """The words that a user would follow, followed here: another process, a pickle of our own."""
    model = without_names(LogisticRegression())
    (tmp_path / "ä b.pkl").write_bytes(pickle.dumps(model))
    (tmp_path / "convert.py").write_text(SCRIPT, encoding="utf-8")
    command = [sys.executable, "-X", "utf8", "convert.py", "ä b.pkl"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True, encoding="utf-8")
    assert "classes [False, True]" in done.stdout.replace("np.False_", "False").replace("np.True_", "True")
    data = (tmp_path / "ä b.onnx").read_bytes()
    check_classifier(data, 12)
    np.testing.assert_allclose(Classifier(data).probabilities(X), model.predict_proba(X)[:, 1], atol=1e-6)


def test_a_version_out_of_a_file_cannot_add_to_the_line_that_is_typed():
    look = PickleLook("sklearn.svm._classes.SVC", "1.0'; rm -rf ~ #", (), 12, (), True)
    words = how_to_convert({"x.pkl": look})
    assert "rm -rf" not in words
    assert "'scikit-learn'" in words
