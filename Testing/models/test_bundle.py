"""The bundle file format: what is sound is read, and whatever is wrong is refused with a sentence that says what."""

import hashlib
import io
import json
import os
import pickle
import shutil
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_bundle import FILES, MANIFEST

from PDL1PredictorLib.core.errors import BundleError, OutputError
from PDL1PredictorLib.models import bundle as bundle_page
from PDL1PredictorLib.models import bundle_files
from PDL1PredictorLib.models.bundle import read_bundle, write_bundle


def edit_manifest(folder, **changes):
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def list_file(folder, name, data, write=True):
    """Put a file in, listed as it should be, so that only the file itself can be what is refused."""
    if write:
        (folder / name).write_bytes(data)
    table = json.loads((folder / "model.json").read_text(encoding="utf-8"))["files"]
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
    edit_manifest(folder, files={**table, name: entry})


def test_what_was_written_is_read_back(folder):
    bundle = read_bundle(folder)
    assert bundle.name == "phantom"
    assert dict(bundle.files) == FILES
    assert bundle.manifest["endpoints"] == MANIFEST["endpoints"]
    assert bundle.manifest["schema_version"] == 4
    assert bundle.sha256 == hashlib.sha256((folder / "model.json").read_bytes()).hexdigest()


def test_writing_gives_the_bundle_that_reading_gives(tmp_path):
    written = write_bundle(tmp_path / "m", MANIFEST, FILES)
    assert written.sha256 == read_bundle(tmp_path / "m").sha256
    assert dict(written.files) == FILES


def test_a_file_is_had_by_its_path_and_a_missing_one_is_named(folder):
    bundle = read_bundle(folder)
    assert bundle.file("classifiers/PDL1.onnx") == FILES["classifiers/PDL1.onnx"]
    with pytest.raises(BundleError, match=r"phantom has no file 'classifiers/ALK.onnx'. Its files: MODEL_CARD.md"):
        bundle.file("classifiers/ALK.onnx")


def test_a_bundle_cannot_be_changed_after_it_was_checked(folder):
    bundle = read_bundle(folder)
    with pytest.raises(TypeError):
        bundle.files["MODEL_CARD.md"] = b""
    with pytest.raises(TypeError):
        bundle.manifest["name"] = "other"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_one_flipped_bit_in_any_listed_file_is_caught(folder, name, data):
    good = FILES[name]
    at, bit = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 7))
    bad = bytearray(good)
    bad[at] ^= 1 << bit
    (folder / name).write_bytes(bad)
    try:
        with pytest.raises(BundleError, match=f"{Path(name).name} has a changed byte"):
            read_bundle(folder)
    finally:
        (folder / name).write_bytes(good)


def test_nothing_there_is_refused(tmp_path):
    with pytest.raises(BundleError, match="There is no model bundle at"):
        read_bundle(tmp_path / "nowhere")


def test_a_folder_without_a_manifest_is_refused(tmp_path):
    with pytest.raises(BundleError, match=r"has no model.json, so it is no model bundle"):
        read_bundle(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "{'name': 1}", '{"a": NaN}', '{"a": -Infinity}', "[" * 100_000])
def test_a_manifest_that_is_not_json_is_refused(folder, text):
    (folder / "model.json").write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match=r"model.json is not valid JSON"):
        read_bundle(folder)


def test_a_manifest_that_is_not_text_is_refused(folder):
    (folder / "model.json").write_bytes(b"\xff\xfe{}")
    with pytest.raises(BundleError, match=r"model.json is not valid JSON"):
        read_bundle(folder)


@pytest.mark.parametrize("text", ["[]", "1", "null", '"model"'])
def test_a_manifest_that_is_no_object_is_refused(folder, text):
    (folder / "model.json").write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match=r"model.json must be a JSON object"):
        read_bundle(folder)


def test_a_huge_manifest_is_refused(folder, monkeypatch):
    monkeypatch.setattr(bundle_page, "MAX_MANIFEST_BYTES", (folder / "model.json").stat().st_size)
    read_bundle(folder)
    monkeypatch.setattr(bundle_page, "MAX_MANIFEST_BYTES", (folder / "model.json").stat().st_size - 1)
    with pytest.raises(BundleError, match=r"model.json is over"):
        read_bundle(folder)


def test_a_newer_bundle_asks_for_an_update_even_if_all_else_is_strange(folder):
    (folder / "model.json").write_text('{"schema_version": 5}', encoding="utf-8")
    (folder / "weights.new").write_bytes(b"a kind of file that is not known yet")
    with pytest.raises(BundleError, match=r"schema version 5; this library reads up to 4. Update PDL1Predictor."):
        read_bundle(folder)


@pytest.mark.parametrize("version", [0, -1, None, "1", 1.0, True])
def test_an_older_or_absent_version_is_refused(folder, version):
    edit_manifest(folder, schema_version=version)
    with pytest.raises(BundleError, match=r"has schema version .*; this library reads 1"):
        read_bundle(folder)


@pytest.mark.parametrize("name", [None, "", "  ", 7, "a\nb", "x" * 201])
def test_a_bundle_needs_a_name(folder, name):
    edit_manifest(folder, name=name)
    with pytest.raises(BundleError, match="must have a name of 1 to 200 letters"):
        read_bundle(folder)


@pytest.mark.parametrize(
    "table",
    [
        None,
        ["MODEL_CARD.md"],
        {"MODEL_CARD.md": "abc"},
        {"MODEL_CARD.md": {"sha256": "0" * 64}},
        {"MODEL_CARD.md": {"sha256": "0" * 63, "bytes": 1}},
        {"MODEL_CARD.md": {"sha256": "0" * 64, "bytes": "1"}},
        {"MODEL_CARD.md": {"sha256": "0" * 64, "bytes": True}},
        {"MODEL_CARD.md": {"sha256": "0" * 64, "bytes": 1, "run": "x"}},
    ],
)
def test_the_list_of_files_must_have_its_form(folder, table):
    edit_manifest(folder, files=table)
    with pytest.raises(BundleError, match="must list `files`, each with its sha256 and bytes"):
        read_bundle(folder)


def test_a_missing_file_is_refused(folder):
    (folder / "MODEL_CARD.md").unlink()
    with pytest.raises(BundleError, match=r"lacks MODEL_CARD.md, which model.json lists"):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["notes.txt", "classifiers/EGFR.onnx"])
def test_a_file_that_is_not_listed_is_refused(folder, name):
    (folder / name).write_bytes(b"\x08x")
    with pytest.raises(BundleError, match=f"holds {name}, which model.json does not list"):
        read_bundle(folder)


@pytest.mark.parametrize("data", [b"short", FILES["MODEL_CARD.md"] + b"\n"])
def test_another_size_is_refused(folder, data):
    (folder / "MODEL_CARD.md").write_bytes(data)
    with pytest.raises(BundleError, match=rf"MODEL_CARD.md has {len(data)} bytes, model.json says"):
        read_bundle(folder)


def test_a_link_is_refused_even_to_a_file_of_the_right_content(folder, tmp_path):
    target = tmp_path / "elsewhere.md"
    shutil.move(folder / "MODEL_CARD.md", target)
    try:
        (folder / "MODEL_CARD.md").symlink_to(target)
    except OSError:
        pytest.skip("this account may not make links")
    with pytest.raises(BundleError, match=r"MODEL_CARD.md is a link or a device"):
        read_bundle(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="needs a named pipe")
def test_a_pipe_is_refused_and_does_not_hang(folder):
    os.mkfifo(folder / "pipe.txt")
    with pytest.raises(BundleError, match=r"pipe.txt is a link or a device"):
        read_bundle(folder)


@pytest.mark.parametrize(
    "name",
    ["../x.txt", "/x.txt", "C:/x.txt", "a\\x.txt", "a/../../x.txt", "a//x.txt", ".hidden.txt", "а.txt", "", "x.txt\n"],
)
def test_an_unsafe_name_in_the_manifest_is_refused(folder, name):
    list_file(folder, name, b"x", write=False)
    with pytest.raises(BundleError, match="holds or lists an unsafe name"):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["x.pkl", "x.PKL", "x.pt", "x.pth", "x.bin", "x.joblib", "x.npy", "x.npz", "x.pickle"])
def test_a_pickle_by_its_suffix_is_refused(folder, name):
    list_file(folder, name, b"harmless")
    with pytest.raises(BundleError, match=f"holds {name}; such a file can run code when it is read"):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["x.py", "x.so", "x", "x.onnx.data"])
def test_another_suffix_is_refused(folder, name):
    list_file(folder, name, b"harmless")
    with pytest.raises(BundleError, match=r"only .safetensors, .onnx, .md, .json, .csv, .png, .txt may be listed"):
        read_bundle(folder)


def test_the_manifest_does_not_list_itself(folder):
    list_file(folder, "model.json", b"x", write=False)
    with pytest.raises(BundleError, match=r"holds or lists model.json; only"):
        read_bundle(folder)


def torch_archive():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps({"weight": [1.0]}))
    return stream.getvalue()


@pytest.mark.parametrize("name", ["x.safetensors", "x.onnx", "x.png", "x.md", "x.csv", "x.txt"])
@pytest.mark.parametrize(
    ("data", "kind"),
    [
        *((pickle.dumps({"weight": [1.0]}, protocol=p), "a pickle, which can run code") for p in (2, 3, 4, 5)),
        (torch_archive(), "a zip, as torch archives are, which can run code"),
        (b"\xff\x00\xff", "something else"),
    ],
)
def test_a_pickle_under_another_name_is_refused(folder, name, data, kind):
    list_file(folder, name, data)
    with pytest.raises(BundleError, match=f"{name} is not what its name says but {kind}"):
        read_bundle(folder)


def test_safetensors_whose_header_length_reads_like_a_pickle_are_sound(folder):
    header = b'{"__metadata__":{"a":"b"}}'.ljust(0x0280)
    data = struct.pack("<Q", len(header)) + header
    assert data[:2] == pickle.dumps(0, protocol=2)[:2]
    list_file(folder, "x.safetensors", data)
    assert read_bundle(folder).file("x.safetensors") == data


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 3) + b"{}",
        struct.pack("<Q", 2**60) + b"{}",
        struct.pack("<Q", 2) + b"{]",
        struct.pack("<Q", 5) + b'{"a":',
    ],
)
def test_safetensors_without_their_header_are_refused(folder, data):
    list_file(folder, "x.safetensors", data)
    with pytest.raises(BundleError, match=r"x.safetensors is not what its name says but something else"):
        read_bundle(folder)


def test_a_json_file_must_be_json(folder):
    list_file(folder, "x.json", b"{")
    with pytest.raises(BundleError, match=r"x.json is not valid JSON"):
        read_bundle(folder)


def test_too_many_or_too_large_files_are_refused_before_they_are_read(folder, monkeypatch):
    monkeypatch.setattr(bundle_files, "_read_at_most", lambda *_: pytest.fail("was read"))
    monkeypatch.setattr(bundle_files, "MAX_FILES", len(FILES))  # and the manifest is one more
    with pytest.raises(BundleError, match="holds more than 6 files"):
        read_bundle(folder)
    monkeypatch.setattr(bundle_files, "MAX_FILES", len(FILES) + 1)
    monkeypatch.setattr(bundle_files, "MAX_TOTAL_BYTES", 100)
    with pytest.raises(BundleError, match="GiB; no bundle does"):
        read_bundle(folder)


def test_two_names_that_differ_in_case_only_are_refused(tmp_path):
    files = {"a.txt": b"x", "A.txt": b"y"}
    with pytest.raises(BundleError, match=r"holds 'A.txt' twice \(capitals do not count\)"):
        write_bundle(tmp_path / "m", MANIFEST, files)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, np.float32(1)])
def test_a_manifest_that_json_cannot_hold_is_not_written(tmp_path, value):
    with pytest.raises(BundleError, match="holds a value that JSON cannot hold"):
        write_bundle(tmp_path / "m", {**MANIFEST, "slope": value}, FILES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["../out.txt", "x.pkl", "model.json"])
def test_a_file_that_may_not_be_in_a_bundle_is_not_written(tmp_path, name):
    with pytest.raises(BundleError, match=r"unsafe name|can run code|may be listed"):
        write_bundle(tmp_path / "m", MANIFEST, {name: b"x"})
    assert list(tmp_path.iterdir()) == []


def test_a_bundle_is_replaced_only_when_asked(folder):
    with pytest.raises(OutputError, match="exists already"):
        write_bundle(folder, {"name": "second"}, FILES)
    assert read_bundle(folder).name == "phantom"
    write_bundle(folder, {"name": "second"}, FILES, overwrite=True)
    assert read_bundle(folder).name == "second"
