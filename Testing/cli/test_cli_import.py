"""`pdl1 models import`: what it makes, and what it says of a folder that no model can be made of."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from import_layout import write_csv, write_layout
from marked import marked_pickle
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.cli.main import main
from PDL1PredictorLib.core.errors import EXIT_REFUSED
from PDL1PredictorLib.models.manifest import survey

NAMES = ("radscore_3D", "radscore_peritumoral", *(f"x{i + 1}" for i in range(10)))


def run(*arguments: object) -> int:
    return main(["models", "import", *map(str, arguments)])


def head(n: int, estimator: LogisticRegression | RandomForestClassifier) -> bytes:
    """A fitted classifier that keeps the names of its inputs."""
    rng = np.random.default_rng(0)
    names = NAMES[:n] if n != 10 else NAMES[2:]
    model = estimator.fit(rng.normal(size=(40, n)), rng.random(40) > 0.5)
    model.feature_names_in_ = np.array(names, dtype=object)
    return pickle.dumps(model)


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """Heads by endpoint and inputs, tables, networks that were not fetched: laid out as a published folder may be."""
    folder = tmp_path / "DeepRadScore"
    kinds = {"3D_peritumoral": 2, "deep": 10, "deep_3D_peritumoral": 12}
    for endpoint in ("EGFR", "PD1_L1"):
        for kind, n in kinds.items():
            place = folder / "DeepRadiomics" / "Models" / endpoint / kind
            place.mkdir(parents=True)
            estimator = RandomForestClassifier(3, random_state=0) if n == 10 else LogisticRegression()
            (place / f"{endpoint}_{kind}.pkl").write_bytes(head(n, estimator))
            table = folder / "Data" / "Test" / endpoint / kind
            table.mkdir(parents=True)
            write_csv(table / "test.csv", [(*NAMES, "label")])
        networks = folder / "DeepModels" / endpoint
        networks.mkdir(parents=True)
        (networks / f"DenseNet121-{endpoint}.pth").write_bytes(b"version https://git-lfs.github.com/spec/v1\n")
    (folder / "DeepRadiomics" / "Main.py").write_text("raise SystemExit('never run')\n", encoding="utf-8")
    return folder


def test_a_folder_of_parts_becomes_a_bundle_that_is_listed(tiny_model, tmp_path, capsys, monkeypatch):
    folder = write_layout(tiny_model, tmp_path / "teile – 部品")
    out = tmp_path / "models" / "imported"
    out.parent.mkdir()
    assert run(folder, "--out", out, "--progress", "json") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    (found,) = survey([out])
    assert found.problem == ""
    assert told["sha256"] == found.summary.sha256
    monkeypatch.setenv("PDL1_MODELS", str(out.parent))
    assert main(["models"]) == 0
    assert "imported 1.0.0: From elsewhere" in capsys.readouterr().out
    assert run(folder, "--out", out) == EXIT_REFUSED
    assert run(folder, "--out", out, "--overwrite") == 0


def test_a_released_folder_is_refused_with_what_it_lacks_and_the_ways_on(released, tmp_path, capsys):
    assert run(released, "--out", tmp_path / "bundle") == EXIT_REFUSED
    assert not (tmp_path / "bundle").exists()
    words = capsys.readouterr().err
    assert "No bundle can be made of" in words
    assert "PD1_L1_deep_3D_peritumoral.pkl: a pickle, refused" in words
    assert "12 inputs (radscore_3D, radscore_peritumoral, x1, ..., x10)" in words
    for lacking in (
        "import.json, the page",
        "classifiers as .onnx; 6 pickled ones are refused",
        "RadScore coefficients by region and feature",
        "mean and SD of every feature",
        "network files (.safetensors, or .pth of weights alone), where deep features are inputs; 2 are pointers",
    ):
        assert f"\n  - {lacking}" in words
    assert "pdl1 classifiers --table FILE --label COLUMN" in words
    assert "pip install 'scikit-learn==" in words
    assert "convert_sklearn" in words
    assert "Main.py: code; never run" in words
    assert "6 files such as Data/Test/EGFR/3D_peritumoral/test.csv: a table (CSV)" in words


def test_without_out_it_only_tells(released, capsys):
    assert run(released, "--progress", "json") == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    kinds = [one["kind"] for one in told["files"]]
    assert (kinds.count("pickle"), kinds.count("absent"), kinds.count("table")) == (6, 2, 6)
    assert not any(one["usable"] for one in told["files"])


def test_a_page_that_names_a_pickle_is_refused_with_the_way_to_convert_it(tiny_model, tmp_path, capsys):
    marker = tmp_path / "marker"
    folder = write_layout(tiny_model, tmp_path / "parts")
    (folder / "PDL1.onnx").write_bytes(marked_pickle(marker))
    assert run(folder, "--out", tmp_path / "bundle") == EXIT_REFUSED
    assert "do not open it anywhere" in capsys.readouterr().err
    (folder / "PDL1.onnx").write_bytes(head(12, LogisticRegression()))
    assert run(folder, "--out", tmp_path / "bundle") == EXIT_REFUSED
    assert "convert_sklearn" in capsys.readouterr().err
    assert not marker.exists()
    assert not (tmp_path / "bundle").exists()


@pytest.mark.parametrize(
    ("place", "words"), [("nowhere", "is no folder"), ("file", "is no folder"), ("empty", "no file")]
)
def test_a_folder_that_is_none_or_empty_is_refused(tmp_path, capsys, place, words):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / place, "--out", tmp_path / "bundle") == EXIT_REFUSED
    assert words in capsys.readouterr().err
