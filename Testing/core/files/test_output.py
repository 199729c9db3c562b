"""Output appears whole or not at all."""

import os
from pathlib import Path

import pytest

from PDL1PredictorLib.core.errors import CancelledError, OutputError
from PDL1PredictorLib.core.files.output import whole_file, whole_folder


def test_a_folder_appears_when_the_block_ends(tmp_path: Path):
    target = tmp_path / "aus gabe" / "Ergebnis ü"
    with whole_folder(target) as draft:
        (draft / "a.txt").write_text("a")
        assert not target.exists()
    assert [p.name for p in target.iterdir()] == ["a.txt"]
    assert [p.name for p in target.parent.iterdir()] == [target.name]


@pytest.mark.parametrize("error", [ValueError("x"), KeyboardInterrupt(), CancelledError("x")])
def test_nothing_stays_behind_when_the_block_fails(tmp_path: Path, error: BaseException):
    def fail() -> None:
        with whole_folder(tmp_path / "new" / "deep" / "out") as draft:
            (draft / "a.txt").write_text("a")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_an_existing_folder_is_refused_and_untouched(tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old.txt").write_text("old")
    with pytest.raises(OutputError, match="exists already.*--overwrite"), whole_folder(tmp_path / "out"):
        pass
    assert (tmp_path / "out" / "old.txt").read_text() == "old"


def test_an_existing_folder_is_replaced_only_by_a_complete_one(tmp_path: Path):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old.txt").write_text("old")

    def fail() -> None:
        with whole_folder(target, overwrite=True):
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    assert (target / "old.txt").exists()
    with whole_folder(target, overwrite=True) as draft:
        (draft / "new.txt").write_text("new")
    assert [p.name for p in target.iterdir()] == ["new.txt"]
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_an_empty_folder_is_filled(tmp_path: Path):
    with whole_folder(tmp_path) as draft:
        (draft / "a.txt").write_text("a")
    assert (tmp_path / "a.txt").exists()


def test_a_file_in_the_way_of_a_folder_is_refused(tmp_path: Path):
    (tmp_path / "out").write_text("x")
    with (
        pytest.raises(OutputError, match="is a file; a folder is written"),
        whole_folder(tmp_path / "out", overwrite=True),
    ):
        pass


def test_a_place_that_cannot_be_written_is_refused_in_words(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with (
        pytest.raises(OutputError, match="cannot be written.*Choose a folder you may write to"),
        whole_folder(tmp_path / "file" / "out"),
    ):
        pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_refused(tmp_path: Path):
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="cannot be written"), whole_folder(tmp_path / "out"):
        pass


def test_a_full_disk_is_told_as_such_and_leaves_nothing(tmp_path: Path):
    def fill() -> None:
        with whole_folder(tmp_path / "out") as draft:
            (draft / "a").write_text("a")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="No space left on device. Nothing was kept"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path):
    target = tmp_path / "t.csv"

    def fail() -> None:
        with whole_file(target) as draft:
            draft.write_text("half")
            raise ValueError("x")

    with pytest.raises(ValueError, match="x"):
        fail()
    assert list(tmp_path.iterdir()) == []
    with whole_file(target) as draft:
        draft.write_text("whole")
    assert target.read_text() == "whole"
    with pytest.raises(OutputError, match="exists already"), whole_file(target):
        pass
