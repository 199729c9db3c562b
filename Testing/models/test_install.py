"""Bundles of the user's own: taken in after every check, whole or not at all, and taken out."""

import shutil
import zipfile

import pytest

from PDL1PredictorLib.core.errors import BundleError, InputError, OutputError
from PDL1PredictorLib.models import install
from PDL1PredictorLib.models.bundle import pack, read_bundle, write_bundle
from PDL1PredictorLib.models.install import bytes_of, checked_bundle, install_bundle, installed_path, remove_bundle


@pytest.fixture
def own(tmp_path):
    return tmp_path / "Meine Modelle ä"


def test_a_folder_and_a_zip_become_the_same_zip(tiny_model, own, tmp_path):
    first = install_bundle(tiny_model, own)
    assert first == own / f"{read_bundle(tiny_model).name}.zip"
    packed = pack(tiny_model, tmp_path / "other name.zip")
    assert install_bundle(packed, tmp_path / "second").read_bytes() == first.read_bytes()
    assert install_bundle(tiny_model / "model.json", tmp_path / "third").read_bytes() == first.read_bytes()
    assert read_bundle(first).sha256 == read_bundle(tiny_model).sha256
    assert bytes_of(first) == first.stat().st_size
    assert bytes_of(tiny_model) == sum(file.stat().st_size for file in tiny_model.rglob("*") if file.is_file())


def test_one_of_the_same_name_is_replaced_only_where_that_was_asked_for(tiny_model, own):
    first = install_bundle(tiny_model, own)
    with pytest.raises(OutputError, match="exists"):
        install_bundle(tiny_model, own)
    assert install_bundle(tiny_model, own, overwrite=True) == first


def test_a_damaged_bundle_and_what_is_none_leave_nothing(tiny_model, own, tmp_path):
    damaged = shutil.copytree(tiny_model, tmp_path / "damaged")
    weights = damaged / "network.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"?")
    with pytest.raises(BundleError, match=r"network\.safetensors"):
        install_bundle(damaged, own)
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../outside.txt", "x")
    with pytest.raises(BundleError, match="unsafe name"):
        install_bundle(tmp_path / "evil.zip", own)
    with pytest.raises(BundleError, match=r"no model\.json|no model bundle"):
        install_bundle(tmp_path, own)
    assert not own.exists()
    assert not (tmp_path / "outside.txt").exists()


def test_a_manifest_that_cannot_be_used_is_refused_too(tiny_model, own, tmp_path):
    bundle = read_bundle(tiny_model)
    manifest = {name: value for name, value in bundle.manifest.items() if name != "files"}
    write_bundle(tmp_path / "odd", {**manifest, "family": "oracle"}, bundle.files)
    with pytest.raises(BundleError, match="family"):
        checked_bundle(tmp_path / "odd")
    with pytest.raises(BundleError, match="family"):
        install_bundle(tmp_path / "odd", own)


def test_a_zip_that_changes_meanwhile_is_not_taken(tiny_model, own, tmp_path, monkeypatch):
    packed = pack(tiny_model, tmp_path / "a.zip")
    bundle = read_bundle(tiny_model)
    manifest = {name: value for name, value in bundle.manifest.items() if name != "files"}
    write_bundle(tmp_path / "b", {**manifest, "version": "9"}, bundle.files)
    other = pack(tmp_path / "b", tmp_path / "b.zip")
    real = shutil.copyfile
    monkeypatch.setattr(install.shutil, "copyfile", lambda _source, target: real(other, target))
    with pytest.raises(BundleError, match="was changed while it was read"):
        install_bundle(packed, own)
    assert list(own.iterdir()) == []


def test_a_name_that_no_file_can_have_is_written_with_other_letters(tiny_model, own):
    bundle = read_bundle(tiny_model)
    object.__setattr__(bundle, "name", 'a/b:"c" .')
    assert installed_path(bundle, own).name == "a_b__c_.zip"


def test_a_bundle_of_ones_own_is_removed_and_no_other(tiny_model, own, tmp_path):
    packed = install_bundle(tiny_model, own)
    folder = shutil.copytree(tiny_model, own / "as folder")
    (own / "letter.txt").write_text("keep", encoding="utf-8")
    elsewhere = shutil.copytree(tiny_model, tmp_path / "bundled")
    for other in (elsewhere, own / "letter.txt", own / "none", own):
        with pytest.raises(InputError, match="is no model of the folder"):
            remove_bundle(other, own)
    remove_bundle(packed, own)
    remove_bundle(folder, own)
    assert [path.name for path in own.iterdir()] == ["letter.txt"]
    assert elsewhere.is_dir()


def test_what_cannot_be_removed_is_told(tiny_model, own, monkeypatch):
    packed = install_bundle(tiny_model, own)

    def denied(_path, _target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(install.Path, "rename", denied)
    with pytest.raises(OutputError, match="cannot be removed: Permission denied"):
        remove_bundle(packed, own)
