"""A bundle as a .zip: the same as its folder, refused where it is damaged or harmful, and how both are found."""

import os
import shutil
import stat
import struct
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sample_bundle import FILES, MANIFEST

from PDL1PredictorLib.core.errors import BundleError, OutputError
from PDL1PredictorLib.models import bundle as bundle_page
from PDL1PredictorLib.models import bundle_files
from PDL1PredictorLib.models.bundle import find_bundles, pack, read_bundle, write_bundle


def zipped(folder, path, top="", extra=(), **options):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, **options) as archive:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            archive.write(file, top + file.relative_to(folder).as_posix())
        for name, data in extra:
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("top", ["", "a módel – 肺/"])
def test_a_zip_is_read_flat_or_in_one_folder(folder, tmp_path, top):
    bundle = read_bundle(zipped(folder, tmp_path / "müdel.zip", top))
    assert dict(bundle.files) == FILES
    assert bundle.sha256 == read_bundle(folder).sha256


def test_reading_a_zip_leaves_no_file_behind(folder, tmp_path):
    path = pack(folder, tmp_path / "alone" / "m.zip")
    read_bundle(path)
    assert list(path.parent.iterdir()) == [path]


def test_equal_bundles_have_equal_bytes_whatever_the_order_and_the_time(tmp_path):
    write_bundle(tmp_path / "a", MANIFEST, FILES)
    turned = dict(reversed(MANIFEST.items()))
    write_bundle(tmp_path / "b", turned, dict(reversed(FILES.items())))
    for path in (tmp_path / "b").rglob("*"):
        os.utime(path, (1e9, 1e9))
    assert (tmp_path / "a" / "model.json").read_bytes() == (tmp_path / "b" / "model.json").read_bytes()
    a, b = pack(tmp_path / "a", tmp_path / "a.zip"), pack(tmp_path / "b", tmp_path / "b.zip")
    assert a.read_bytes() == b.read_bytes()
    with zipfile.ZipFile(a) as archive:
        assert archive.namelist() == sorted([*FILES, "model.json"])
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert dict(read_bundle(a).files) == FILES


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_damaged_zip_is_refused_with_a_bundle_error_or_read_as_it_was(folder, data):
    path = folder.with_suffix(".zip")
    good = pack(folder, path, overwrite=True).read_bytes()
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(1, 3))):
        bad[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(bad[: data.draw(st.sampled_from([len(bad), len(bad) // 2, len(bad) - 5]))])
    try:
        bundle = read_bundle(path)
    except BundleError:
        return
    assert dict(bundle.files) == FILES  # a byte of a date, say


def test_a_zip_without_a_manifest_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.zip", "w") as archive:
        archive.writestr("a/model.json", "{}")
        archive.writestr("b/x.txt", "two top folders")
    with pytest.raises(BundleError, match=r"has no model.json, so it is no model bundle"):
        read_bundle(tmp_path / "m.zip")


@pytest.mark.parametrize("limit", ["MAX_FILES", "MAX_TOTAL_BYTES"])
def test_a_zip_has_the_same_limits(folder, tmp_path, monkeypatch, limit):
    path = pack(folder, tmp_path / "m.zip")
    monkeypatch.setattr(bundle_files, limit, 6)
    with pytest.raises(BundleError, match="no bundle does"):
        read_bundle(path)


@pytest.mark.parametrize(
    "name", ["../x.txt", "/x.txt", "C:/x.txt", "a\\..\\x.txt", "a/../../x.txt", "./x.txt", "a//x.txt"]
)
def test_an_unsafe_name_in_a_zip_is_refused(folder, tmp_path, name):
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    with pytest.raises(BundleError, match="holds an unsafe name"):
        read_bundle(zipped(folder, tmp_path / "m.zip", extra=[(info, b"x")]))


def test_a_link_in_a_zip_is_refused(folder, tmp_path):
    info = zipfile.ZipInfo("x.txt")
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(BundleError, match=r"holds a link, 'x.txt'"):
        read_bundle(zipped(folder, tmp_path / "m.zip", extra=[(info, b"/etc/hostname")]))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_in_a_zip_is_refused(folder, tmp_path):
    extra = [("MODEL_CARD.md", b"another card")]
    with pytest.raises(BundleError, match=r"holds 'MODEL_CARD.md' twice"):
        read_bundle(zipped(folder, tmp_path / "m.zip", extra=extra))


def test_a_zip_bomb_is_refused_without_being_unpacked(folder, tmp_path, monkeypatch):
    path = zipped(folder, tmp_path / "m.zip", extra=[("x.txt", b"\0" * 2**22)])
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("was unpacked"))
    with pytest.raises(BundleError, match=r"would unpack 'x.txt' to over 200 times its size, as a zip bomb does"):
        read_bundle(path)


def test_a_zip_that_states_a_false_size_is_refused(folder, tmp_path):
    path = zipped(folder, tmp_path / "m.zip", extra=[("x.txt", b"\0" * 2**22)])
    raw = path.read_bytes()
    assert raw.count(struct.pack("<L", 2**22)) == 2
    path.write_bytes(raw.replace(struct.pack("<L", 2**22), struct.pack("<L", 10)))
    with pytest.raises(BundleError, match=r"is no .zip, or is damaged or cut short"):
        read_bundle(path)


@pytest.mark.parametrize("part", [0.0, 0.5, 0.99])
def test_a_zip_cut_short_is_refused(folder, tmp_path, part):
    path = pack(folder, tmp_path / "m.zip")
    raw = path.read_bytes()
    path.write_bytes(raw[: int(part * len(raw))])
    with pytest.raises(BundleError, match=r"is no .zip, or is damaged or cut short"):
        read_bundle(path)


def test_an_encrypted_zip_is_refused(folder, tmp_path):
    path = zipped(folder, tmp_path / "m.zip")
    raw = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        raw[raw.index(mark) + offset] |= 1
    path.write_bytes(raw)
    with pytest.raises(BundleError, match="is encrypted; a bundle is not"):
        read_bundle(path)


def test_an_unusual_compression_is_refused(folder, tmp_path):
    with zipfile.ZipFile(tmp_path / "m.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.write(folder / "model.json", "model.json")
    with pytest.raises(BundleError, match=r"packs 'model.json' in an unusual way"):
        read_bundle(tmp_path / "m.zip")


def test_a_zip_is_replaced_only_when_asked(folder, tmp_path):
    path = pack(folder, tmp_path / "m.zip")
    with pytest.raises(OutputError, match="exists already"):
        pack(folder, path)
    assert pack(folder, path, overwrite=True) == path


def test_a_zip_that_appears_while_another_is_packed_is_left_alone(folder, tmp_path, monkeypatch):
    path, entry = tmp_path / "m.zip", bundle_page._entry

    def entry_meanwhile(name: str) -> zipfile.ZipInfo:
        path.write_text("theirs")
        return entry(name)

    monkeypatch.setattr(bundle_page, "_entry", entry_meanwhile)
    with pytest.raises(OutputError, match=r"was made or changed by something else.*m-2\.zip"):
        pack(folder, path)
    assert path.read_text() == "theirs"
    assert read_bundle(tmp_path / "m-2.zip").sha256 == read_bundle(folder).sha256


def test_a_damaged_folder_is_not_packed(folder, tmp_path):
    (folder / "MODEL_CARD.md").write_bytes(b"changed")
    with pytest.raises(BundleError, match=r"MODEL_CARD.md has 7 bytes"):
        pack(folder, tmp_path / "m.zip")
    assert not (tmp_path / "m.zip").exists()


def test_bundles_are_found_in_and_as_the_folders_given(folder, tmp_path):
    flat = pack(folder, tmp_path / "flat.zip")
    topped = zipped(folder, tmp_path / "topped.ZIP", top="m/")
    (tmp_path / "broken.zip").write_bytes(b"not a zip")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as archive:
        archive.writestr("notes.txt", "no model")
    (tmp_path / "empty").mkdir()
    shutil.copytree(folder, tmp_path / ".m.part")  # a draft that was left behind
    assert find_bundles([tmp_path / "nowhere", tmp_path]) == sorted([folder, flat, topped])
    assert find_bundles([folder, tmp_path])[0] == folder
    assert len(find_bundles([folder, tmp_path, tmp_path])) == 3


def test_a_zip_of_very_many_files_is_refused_before_its_list_is_read(folder, tmp_path, monkeypatch):
    path = zipped(folder, tmp_path / "m.zip")
    read_bundle(path)
    monkeypatch.setattr(bundle_files, "MAX_DIRECTORY_BYTES", 100)
    monkeypatch.setattr(zipfile, "ZipFile", lambda *_: pytest.fail("was read"))
    with pytest.raises(BundleError, match="lists more files than the 256 of a bundle"):
        read_bundle(path)
    assert find_bundles([tmp_path / "m.zip"]) == [path]


def test_very_many_empty_folders_are_no_bundle(folder, monkeypatch):
    for number in range(5):
        (folder / f"empty{number}").mkdir()
    read_bundle(folder)
    monkeypatch.setattr(bundle_files, "MAX_FILES", len(FILES) + 1)
    read_bundle(folder)
    for number in range(5, 9):
        (folder / f"empty{number}").mkdir()
    with pytest.raises(BundleError, match="holds more than 7 files"):
        read_bundle(folder)
