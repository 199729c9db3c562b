"""How a command ends: which exit status, which one line, and never a traceback."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from PDL1PredictorLib.cli.ending import ended
from PDL1PredictorLib.cli.speaker import Speaker
from PDL1PredictorLib.core.errors import BundleError, CancelledError, InputError
from PDL1PredictorLib.core.running.fault_log import MOST_LOGS, write_fault_log

ROOT = Path(__file__).resolve().parents[2]
posix = pytest.mark.skipif(os.name != "posix", reason="a shell of POSIX does it")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder for logs."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path / "state" / "pdl1predictor"


def raising(error: BaseException) -> Callable[[], None]:
    def work() -> None:
        raise error

    return work


def bad_alloc() -> None:
    try:
        raise RuntimeError("std::bad_alloc")
    except RuntimeError as error:
        raise InputError("ct.nii is damaged.") from error  # what a reader made of it


REFUSED = {
    "damaged": (raising(BundleError("It is damaged.")), "It is damaged."),
    "no right": (
        raising(PermissionError(13, "Permission denied", "/x/ct.nii")),
        "/x/ct.nii cannot be used: Permission",
    ),
    "no name": (
        raising(TimeoutError(110, "Connection timed out")),
        "A file or a connection cannot be used: Connection",
    ),
    "memory": (raising(MemoryError()), "There was not enough memory."),
    "numpy": (raising(RuntimeError("Unable to allocate 8 GiB for an array")), "There was not enough memory."),
    "threads": (raising(RuntimeError("can't start new thread")), "There was not enough memory."),
    "fork": (raising(OSError(12, "Cannot allocate memory")), "There was not enough memory."),
    "called damaged": (bad_alloc, "There was not enough memory."),
    "package": (raising(ImportError("no numba", name="numba")), "A package cannot be imported: no numba."),
    "extra": (raising(ImportError("no torch", name="torch")), "This command needs more packages than prediction (no t"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_user_can_cause_is_refused_in_one_line(name: str, state: Path, capsys):
    work, words = REFUSED[name]
    assert ended(work, Speaker("none"), "pdl1 models") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"pdl1: {words}")
    assert said.count("\n") == 1
    assert not state.exists()


FAULTS = {
    "key": KeyError("x"),
    "own import": ImportError("cannot import name 'x'", name="PDL1PredictorLib.prediction"),
    "zero": ZeroDivisionError("division by zero"),
    "word": RuntimeError("two\nlines"),
    "without a number": OSError("strange"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_ours_is_one_line_that_says_so_and_where_the_log_is(name: str, state: Path, capsys):
    assert ended(raising(FAULTS[name]), Speaker("none"), "pdl1 predict --ct 'my ct.nii'") == 70
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert f"This is a fault of PDL1Predictor, not yours: {type(FAULTS[name]).__name__}" in said
    (log,) = state.iterdir()
    assert f"The log is {log}." in said
    text = log.read_text()
    assert "pdl1 predict --ct 'my ct.nii'" in text
    assert "in work\n    raise error" in text
    assert "no image and no clinical value" in text
    if os.name == "posix":
        assert log.stat().st_mode & 0o777 == 0o600
        assert state.stat().st_mode & 0o777 == 0o700


def test_programs_are_told_of_a_fault_too(state: Path, capsys):
    assert ended(raising(KeyError("x")), Speaker("json"), "pdl1 models") == 70
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (last["type"], last["bug"], Path(last["log"]).parent) == ("error", True, state)
    assert last["message"].startswith("This is a fault of PDL1Predictor")
    assert ended(raising(InputError("no")), Speaker("json"), "pdl1 models") == 2
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == {"type": "error", "message": "no"}


def test_where_no_place_is_the_users_own_the_log_lies_in_the_temporary_folder(tmp_path: Path, monkeypatch):
    (tmp_path / "file").touch()
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    log = write_fault_log("it", "there", "pdl1", {"XDG_STATE_HOME": str(tmp_path / "file")})
    if sys.platform == "linux":
        assert log.parent == tmp_path / "tmp"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    none = write_fault_log("it", "there", "pdl1", {"XDG_STATE_HOME": str(tmp_path / "file")})
    assert none is None or sys.platform != "linux"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the folder is not chosen by this variable")
def test_old_logs_go(state: Path):
    for number in range(MOST_LOGS + 3):
        last = write_fault_log(str(number), "", "pdl1")
    assert len(list(state.iterdir())) == MOST_LOGS
    assert last.exists()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), CancelledError("x")])
def test_an_interrupt_is_no_fault(error: BaseException, state: Path, capsys):
    assert ended(raising(error), Speaker("none"), "pdl1 models") == 130
    assert capsys.readouterr().err == "pdl1: Cancelled. Nothing was written.\n"
    assert not state.exists()


def shell(line: str, **env: str) -> subprocess.CompletedProcess[str]:
    """A line of the shell in which `pdl1` is the command of this checkout; `$CODE` of pipes is that of `pdl1`."""
    command = f'pdl1() {{ "{sys.executable}" -m PDL1PredictorLib "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )


STREAMS = {  # the line, its exit status, what stderr holds
    "a reader that goes": ("pdl1 models | head -1", 0, ""),
    "a reader of help that goes": ("pdl1 --help | true", 0, ""),
    "a full disk": ("pdl1 models > /dev/full", 2, "could not be written to the standard output: No space left"),
    "no output": ("pdl1 models >&-", 0, ""),
    "no errors": ("pdl1 cohort check none.csv 2>&-", 2, ""),
    "a full disk for errors": ("pdl1 cohort check none.csv 2>/dev/full", 2, ""),
    "letters that the output lacks": (
        "PYTHONIOENCODING=ascii pdl1 cohort check nö€.csv --progress none",
        2,
        "n\\xf6",
    ),
    "a right use": ("pdl1 models", 0, ""),
}


@posix
@pytest.mark.parametrize("name", STREAMS)
def test_no_stream_can_make_a_traceback(name: str, tmp_path: Path):
    line, status, words = STREAMS[name]
    if "/dev/full" in line and not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    done = shell(f"cd '{tmp_path}' && {line}")
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == bool(words)
    assert [path.name for path in tmp_path.iterdir()] == []


@posix
def test_a_program_that_no_longer_reads_the_progress_ends_the_command(tmp_path: Path):
    done = shell(f"pdl1 phantom --n 2 --extent tumor --progress json --out '{tmp_path / 'out'}' | true")
    assert (done.returncode, done.stderr) == (141, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits it so")
def test_too_little_memory_is_told_as_such(tmp_path: Path):
    done = shell(f"ulimit -v 300000; pdl1 phantom --n 1 --progress none --out '{tmp_path / 'out'}'")
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith("pdl1: There was not enough memory.")
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_package_that_fails_to_load_within_a_limit_is_too_little_memory(monkeypatch, capsys):
    monkeypatch.setattr("PDL1PredictorLib.cli.ending.memory_limit", lambda: 2**31)
    work = raising(OSError("Could not find/load shared object file 'libllvmlite.so'"))
    assert ended(work, Speaker("none"), "pdl1 features") == 2
    assert capsys.readouterr().err.startswith("pdl1: There was not enough memory.")
    assert ended(raising(KeyError("x")), Speaker("none"), "pdl1 features") == 70
