"""Each file of a folder is named with what it is; nothing is loaded, unpacked or followed."""

import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from import_layout import write_csv, write_layout
from marked import Marked, marked_pickle
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.importing import archives, files, network
from PDL1PredictorLib.learning.importing.archives import check_torch_archive
from PDL1PredictorLib.learning.importing.looks import FileLook, look_at
from PDL1PredictorLib.learning.importing.network import _by_torch

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 30000000\n"
WEIGHTS = {"features.conv0.weight": torch.zeros(2, 3), "features.norm0.num_batches_tracked": torch.tensor(7)}


def looked(folder: Path) -> dict[str, FileLook]:
    return {look.name: look for look in look_at(folder)}


def look_of(folder: Path, name: str, data: bytes) -> FileLook:
    (folder / name).write_bytes(data)
    return looked(folder)[name]


def saved(content: object) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream)
    return stream.getvalue()


def zipped(records: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", packing) as archive:
        for name, data in records.items():
            archive.writestr(name, data)
    return stream.getvalue()


def unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_parts_of_a_model_are_told_as_usable(tiny_model, tmp_path):
    found = looked(write_layout(tiny_model, tmp_path / "部品"))
    kinds = {name: look.kind for name, look in found.items() if look.usable}
    assert kinds == {
        "import.json": "page",
        "PDL1.onnx": "classifier",
        "EGFR.onnx": "classifier",
        "net.safetensors": "network",
        "scores.csv": "coefficients",
        "scales.csv": "scales",
        "inputs.csv": "inputs",
    }
    assert found["PDL1.onnx"].words == "a classifier of 12 inputs (ONNX)"


@pytest.mark.parametrize(
    ("name", "data", "kind", "words"),
    [
        ("a.csv", b"x1,x2,label\n", "table", "a table (CSV)"),
        ("b.csv", b"\xef\xbb\xbfregion;feature;mean;sd\n", "scales", "a table of scales"),
        ("a.parquet", b"PAR1....", "table", "Parquet"),
        ("a.xlsx", zipped({"xl/workbook.xml": b"<x/>"}), "table", "Excel"),
        ("a.zip", zipped({"a.txt": b"x"}), "other", "not unpacked"),
        ("broken.zip", b"PK\x03\x04 and no more", "other", "damaged"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "other", "HDF5"),
        ("a.npy", b"\x93NUMPY\x01", "other", "numpy"),
        ("a.gz", b"\x1f\x8b\x08", "other", "gzip"),
        ("a.py", b"import os\n", "other", "code; never run"),
        ("a.json", b"{}", "other", "JSON"),
        ("a.onnx", b"\x08\x07 no", "other", "does not take"),
        ("a.safetensors", b"\x00" * 20, "other", "damaged .safetensors"),
        ("a.pth", POINTER, "absent", "pointer of Git LFS"),
        ("a.pkl", POINTER, "absent", "pointer of Git LFS"),
        ("b.pth", b"\x00\x01", "other", "not in today's format of torch"),
        ("a.docx.tmp", b"?", "other", "of no use"),
        ("empty.pkl", b"", "other", "empty"),
        ("a.pkl", b"no pickle at all", "pickle", "what it holds is not known"),
        ("without suffix", pickle.dumps(1), "pickle", "refused"),
    ],
)
def test_a_file_is_told_by_its_first_bytes(tmp_path, name, data, kind, words):
    look = look_of(tmp_path, name, data)
    assert look.kind == kind
    assert words in look.words
    assert look.usable == (kind == "scales")


def test_a_pickle_is_refused_told_and_never_loaded(tmp_path):
    marker = tmp_path / "marker"
    for name in ("a.pkl", "b.joblib", "c.sav", "no suffix"):
        (tmp_path / name).write_bytes(marked_pickle(marker))
    found = looked(tmp_path)
    assert not marker.exists()
    assert all("do not open it" in found[name].words and not found[name].usable for name in found)
    x = np.random.default_rng(0).normal(size=(20, 3))
    model = LogisticRegression().fit(x, x[:, 0] > 0)
    assert "LogisticRegression of scikit-learn" in look_of(tmp_path, "d.pkl", pickle.dumps(model)).words
    assert not marker.exists()


def test_a_large_pickle_is_not_looked_into(tmp_path, monkeypatch):
    monkeypatch.setattr("PDL1PredictorLib.learning.importing.looks.MAX_PICKLE_BYTES", 100)
    assert "not looked into" in look_of(tmp_path, "a.pkl", pickle.dumps(list(range(1000)))).words


def test_links_hidden_files_and_too_many_files_are_passed_over_or_refused(tmp_path, monkeypatch):
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "a.pkl").write_bytes(b"x")
    (tmp_path / "a.txt").write_bytes(b"x")
    (tmp_path / "link.csv").symlink_to("/etc/passwd")
    assert list(looked(tmp_path)) == ["a.txt"]
    monkeypatch.setattr(files, "MAX_FILES", 3)
    with pytest.raises(InputError, match="over 3 files"):
        look_at(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        look_at(tmp_path / "a.txt")


def test_a_name_that_could_rule_a_terminal_is_shown_plainly(tmp_path):
    look = look_of(tmp_path, "a\x1b[2Jb.csv", b"a,b\n")
    assert "\x1b" not in look.line


@pytest.mark.skipif(os.name == "nt", reason="such names there are not")
def test_a_name_that_is_no_text_is_shown(tmp_path):
    (tmp_path / os.fsdecode(b"\xff.csv")).write_bytes(b"a,b\n")
    assert look_at(tmp_path)[0].line.startswith("\\xff.csv: a table")


def test_weights_of_torch_are_usable(tmp_path):
    look = look_of(tmp_path, "a.pth", saved(WEIGHTS))
    assert (look.kind, look.usable) == ("network", True)
    assert list(_by_torch(tmp_path / "a.pth")) == ["features.conv0.weight"]


def test_an_object_in_a_file_of_torch_is_refused_and_never_loaded(tmp_path):
    marker = tmp_path / "marker"
    path = tmp_path / "a.pth"
    path.write_bytes(saved({"x": Marked(marker)}))
    assert ".system" in looked(tmp_path)["a.pth"].words
    with pytest.raises(InputError, match="more than weights"):
        _by_torch(path)
    assert not marker.exists()
    torch.load(path, weights_only=False)  # the twin: it is a live one
    assert marker.exists()


def test_a_whole_network_is_refused(tmp_path):
    path = tmp_path / "a.pth"
    path.write_bytes(saved(torch.nn.Sequential(torch.nn.Linear(2, 2))))
    with pytest.raises(InputError, match="not read as weights only"):
        _by_torch(path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ([1, 2], "no arrays by name"),
        ({"a": 1.0}, "'a' is no plain array"),
        ({"a": torch.tensor([1, 2])}, "'a' is no plain array"),
        ({"a": torch.zeros(2, 2).to_sparse()}, "'a' is no plain array"),
        ({"a": torch.zeros(1).expand(2**29)}, "larger than what it holds"),
    ],
)
def test_a_file_of_torch_with_other_things_is_refused(tmp_path, content, words):
    path = tmp_path / "a.pth"
    path.write_bytes(saved(content))
    with pytest.raises(InputError, match=words):
        _by_torch(path)


def test_a_packed_or_lying_archive_is_refused_before_torch_sees_it(tmp_path, monkeypatch):
    path, records = tmp_path / "a.pth", unzipped(saved(WEIGHTS))
    path.write_bytes(zipped({**records, "archive/data/9": b"\0" * 2**22}, zipfile.ZIP_DEFLATED))
    with pytest.raises(InputError, match="zip bomb"):
        check_torch_archive(path)
    cut = {name: data[:4] if name.endswith("data/0") else data for name, data in records.items()}
    path.write_bytes(zipped(cut))
    with pytest.raises(InputError):
        _by_torch(path)
    path.write_bytes(saved(WEIGHTS))
    monkeypatch.setattr(archives, "MAX_RECORDS", 2)
    with pytest.raises(InputError, match="over 2 arrays"):
        check_torch_archive(path)
    assert "not read" in looked(tmp_path)["a.pth"].words


def test_arrays_that_claim_more_than_the_archive_holds_are_refused(tmp_path, monkeypatch):
    """Earlier versions of torch believe such a claim and read beyond the end; ours is told before a number is read."""
    path = tmp_path / "a.pth"
    path.write_bytes(saved(WEIGHTS))
    smaller = {name: size - 4 for name, size in check_torch_archive(path).items()}
    monkeypatch.setattr(network, "check_torch_archive", lambda path: smaller)
    with pytest.raises(InputError, match="larger than what it holds"):
        _by_torch(path)


def test_the_old_format_of_torch_is_refused(tmp_path):
    stream = io.BytesIO()
    torch.save(WEIGHTS, stream, _use_new_zipfile_serialization=False)
    (tmp_path / "a.pth").write_bytes(stream.getvalue())
    with pytest.raises(InputError, match="not in today's format"):
        _by_torch(tmp_path / "a.pth")


def test_a_table_of_many_columns_is_told(tmp_path):
    write_csv(tmp_path / "wide.csv", [[f"x{i}" for i in range(5000)]])
    assert looked(tmp_path)["wide.csv"].kind == "table"
