"""What comes to stand at a target while it is being made is left alone; what killed runs left is put right."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from PDL1PredictorLib.core.errors import InputError, OutputError
from PDL1PredictorLib.core.files import drafts, moves
from PDL1PredictorLib.core.files.output import refuse_existing, whole_file, whole_folder


def a_folder_with_a_file(target: Path) -> None:
    target.mkdir()
    (target / "theirs.txt").write_text("theirs")


def a_plain_file(target: Path) -> None:
    target.write_text("theirs")


def another_result(target: Path) -> None:
    with whole_folder(target) as draft:
        (draft / "theirs.txt").write_text("theirs")


def a_link(target: Path) -> None:
    elsewhere = target.with_name("elsewhere")
    a_folder_with_a_file(elsewhere)
    target.symlink_to(elsewhere)


COMING = [a_folder_with_a_file, a_plain_file, another_result, a_link]


def make_folder(target: Path, meanwhile: Callable[[Path], None], overwrite: bool = False) -> None:
    with whole_folder(target, overwrite) as draft:
        (draft / "mine.txt").write_text("mine")
        meanwhile(target)


def make_file(target: Path, meanwhile: Callable[[Path], None], overwrite: bool = False) -> None:
    with whole_file(target, overwrite) as draft:
        draft.write_text("mine")
        meanwhile(target)


def hidden(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def content(path: Path) -> str:
    return (path / "theirs.txt" if path.is_dir() else path).read_text()


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("coming", COMING)
def test_what_comes_in_the_way_of_a_folder_stays_and_the_result_lies_beside_it(tmp_path: Path, coming, overwrite: bool):
    target = tmp_path / "out"
    with pytest.raises(OutputError, match=r"was made or changed by something else.*The result lies in .*out-2 instead"):
        make_folder(target, coming, overwrite)
    assert content(target) == "theirs"
    assert (tmp_path / "out-2" / "mine.txt").read_text() == "mine"
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("coming", COMING)
def test_what_comes_in_the_way_of_a_file_stays_too(tmp_path: Path, coming, overwrite: bool, links: bool, monkeypatch):
    def no_links(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:  # as on exFAT
        monkeypatch.setattr(os, "link", no_links)
    target = tmp_path / "t.csv"
    with pytest.raises(OutputError, match=r"The result lies in .*t-2\.csv instead"):
        make_file(target, coming, overwrite)
    assert content(target) == "theirs"
    assert (tmp_path / "t-2.csv").read_text() == "mine"
    assert hidden(tmp_path) == []


def nothing(_: Path) -> None:
    pass


@pytest.mark.parametrize("links", [True, False])
def test_where_nothing_comes_the_name_is_taken(tmp_path: Path, links: bool, monkeypatch):
    if not links:
        monkeypatch.setattr(
            os, "link", lambda *_, **__: (_ for _ in ()).throw(OSError(95, "not supported")), raising=False
        )
    make_folder(tmp_path / "out", nothing)
    make_file(tmp_path / "t.csv", nothing)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "t.csv"]
    assert (tmp_path / "t.csv").read_text() == "mine"


def in_place_of_the_old(target: Path) -> None:
    """The number of the old one must not be taken for the old one."""
    (target / "old.txt").unlink()
    target.rmdir()
    a_folder_with_a_file(target)


def one_file_more(target: Path) -> None:
    (target / "theirs.txt").write_text("theirs")


@pytest.mark.parametrize("coming", [in_place_of_the_old, one_file_more])
def test_only_the_folder_that_was_there_may_be_replaced(tmp_path: Path, coming):
    target = tmp_path / "out"
    target.mkdir()
    (target / "old.txt").write_text("old")
    with pytest.raises(OutputError, match="The result lies in"):
        make_folder(target, coming, overwrite=True)
    assert content(target) == "theirs"
    assert (tmp_path / "out-2" / "mine.txt").exists()
    make_folder(target, nothing, overwrite=True)
    assert [path.name for path in target.iterdir()] == ["mine.txt"]
    assert hidden(tmp_path) == []


def test_only_the_file_that_was_there_may_be_replaced(tmp_path: Path):
    target = tmp_path / "t.csv"
    target.write_text("old")

    def again(path: Path) -> None:
        path.unlink()
        path.write_text("theirs")

    with pytest.raises(OutputError, match="The result lies in"):
        make_file(target, again, overwrite=True)
    assert target.read_text() == "theirs"
    make_file(target, nothing, overwrite=True)
    assert target.read_text() == "mine"


def test_a_file_put_into_an_empty_folder_meanwhile_stays(tmp_path: Path):
    target = tmp_path / "out"
    target.mkdir()
    with pytest.raises(OutputError, match="The result lies in"):
        make_folder(target, one_file_more)
    assert content(target) == "theirs"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no such thing")
def test_a_pipe_or_a_device_is_never_replaced(tmp_path: Path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="exists already"), whole_file(tmp_path / "pipe", overwrite=True):
        pass


def test_a_link_is_followed_to_what_it_names(tmp_path: Path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "result")
    make_folder(tmp_path / "out", nothing)
    assert (tmp_path / "disk" / "result" / "mine.txt").exists()
    assert (tmp_path / "out").is_symlink()


def test_names_as_long_as_the_system_allows_can_be_written(tmp_path: Path):
    name = "n" * 251 + ".csv"
    make_file(tmp_path / name, nothing)
    assert (tmp_path / name).read_text() == "mine"


@pytest.mark.parametrize("make", [make_folder, make_file])
def test_a_file_that_cannot_be_read_is_not_blamed_on_the_output(tmp_path: Path, make):
    def read(_: Path) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / "ct.nii"))

    with pytest.raises(InputError, match=r"ct\.nii cannot be used: Permission denied") as found:
        make(tmp_path / "out", read)
    assert "could not be written" not in str(found.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("own_error", [False, True])
def test_a_file_of_the_draft_that_cannot_be_written_is(tmp_path: Path, own_error: bool):
    def write() -> None:
        with whole_folder(tmp_path / "out") as draft:
            if own_error:  # as SimpleITK's
                raise RuntimeError(f"ITK ERROR\nCould not open {draft / 'a.nrrd'} for writing.")
            raise PermissionError(13, "Permission denied", str(draft / "a.nrrd"))

    with pytest.raises(OutputError, match="out could not be written: .*Nothing was kept"):
        write()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [BrokenPipeError(32, "Broken pipe"), RuntimeError("something else")])
def test_what_has_nothing_to_do_with_files_is_for_others_to_judge(tmp_path: Path, error: Exception):
    def fail(_: Path) -> None:
        raise error

    with pytest.raises(type(error)) as found:
        make_folder(tmp_path / "out", fail)
    assert found.value is error


KILLED = """
import os, signal, sys
from pathlib import Path
from PDL1PredictorLib.core.files import output
from PDL1PredictorLib.core.files.output import whole_folder

def kill(*_):
    os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[2] == "between":
    output.move_new = kill
with whole_folder(Path(sys.argv[1]), overwrite=True) as draft:
    (draft / "half.txt").write_text("half")
    if sys.argv[2] == "within":
        kill()
"""


def killed(target: Path, when: str) -> str:
    """Name of what a run leaves that is killed within its work, or between the two moves that replace a folder."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(target), when], check=False)
    assert done.returncode != 0
    (left,) = hidden(target.parent)
    return left


posix = pytest.mark.skipif(os.name != "posix", reason="a process of Windows cannot kill itself with a signal")


@posix
def test_the_next_run_sweeps_what_a_killed_one_left(tmp_path: Path):
    killed(tmp_path / "new" / "out", "within")
    make_file(tmp_path / "new" / "t.csv", nothing)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["t.csv"]


@posix
@pytest.mark.parametrize("next_run", [refuse_existing, lambda target: make_folder(target, nothing)])
def test_an_earlier_result_that_was_just_being_replaced_takes_its_name_again(tmp_path: Path, next_run):
    target = tmp_path / "out"
    a_folder_with_a_file(target)
    killed(target, "between")
    assert not target.exists()
    with pytest.raises(OutputError, match="exists already"):
        next_run(target)
    assert content(target) == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@posix
def test_an_earlier_result_whose_name_was_taken_meanwhile_lies_beside_it(tmp_path: Path):
    target = tmp_path / "out"
    a_folder_with_a_file(target)
    killed(target, "between")
    target.mkdir()
    (target / "new.txt").write_text("new")
    drafts.sweep(tmp_path)
    assert (target / "new.txt").exists()
    assert content(tmp_path / "out-2") == "theirs"
    assert hidden(tmp_path) == []


def test_what_a_live_run_makes_is_not_touched(tmp_path: Path):
    with whole_folder(tmp_path / "first") as draft:
        drafts._live.clear()  # as another process would see it
        make_folder(tmp_path / "second", nothing)
        assert draft.is_dir()


def test_what_only_looks_like_a_draft_is_not_touched(tmp_path: Path):
    (tmp_path / ".mine.abcdefgh.part").mkdir()
    (tmp_path / ".mine.abcdefgh.part" / "mark").write_text('{"program": "another"}')
    (tmp_path / ".other.part").write_text("mine")
    make_file(tmp_path / "t.csv", nothing)
    assert sorted(hidden(tmp_path)) == [".mine.abcdefgh.part", ".other.part"]


@posix
def test_a_draft_of_another_computer_is_left_alone_for_a_week(tmp_path: Path):
    left = tmp_path / killed(tmp_path / "out", "within")
    mark = left / "mark"
    mark.write_text(json.dumps({**json.loads(mark.read_text()), "host": "elsewhere"}))
    drafts.sweep(tmp_path)
    assert left.exists()
    eight_days_ago = time.time() - 8 * 24 * 3600
    os.utime(mark, (eight_days_ago, eight_days_ago))
    drafts.sweep(tmp_path)
    assert not left.exists()


@posix
def test_where_the_file_system_knows_no_locks_the_owners_number_tells(tmp_path: Path, monkeypatch):
    left = tmp_path / killed(tmp_path / "out", "within")
    mark = left / "mark"
    facts = json.loads(mark.read_text())

    def no_locks(_: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(drafts, "_lock", no_locks)
    mark.write_text(json.dumps({**facts, "locked": False, "pid": os.getpid()}))
    drafts.sweep(tmp_path)
    assert left.exists()
    mark.write_text(json.dumps({**facts, "locked": False}))
    drafts.sweep(tmp_path)
    assert not left.exists()


def test_a_move_to_a_free_name_finds_one(tmp_path: Path):
    for name in ("a.csv", "a-2.csv", "b.csv"):
        (tmp_path / name).write_text(name)
    assert moves.move_beside(tmp_path / "b.csv", tmp_path / "a.csv") == tmp_path / "a-3.csv"
    assert (tmp_path / "a-2.csv").read_text() == "a-2.csv"
