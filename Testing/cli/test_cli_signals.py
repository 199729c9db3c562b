"""Ctrl-C, SIGTERM and a closed terminal end every command at any moment, in words, and nothing half made stays.

What a signal must break here would go on for ever, so that no test depends on how fast the machine is.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

if os.name != "posix":  # not a mark: the tables below name signals that are not there
    pytest.skip("Windows has no signals from outside", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
NOTHING = "pdl1: Cancelled. Nothing was written."
LONG_S = 100


class Started:
    """A program in a session of its own, as a terminal would start it.

    Args:
        arguments: Of the interpreter.
        folder: Where it works.
        path: Folder of modules that come before all others.
        ignored: Signal that it is deaf to from the start, as under nohup.
    """

    def __init__(self, arguments: Sequence[str], folder: Path, path: Path = ROOT, ignored: int | None = None) -> None:
        def before() -> None:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):  # background jobs are deaf to some of them
                signal.signal(number, signal.SIG_DFL)
            if ignored is not None:
                signal.signal(ignored, signal.SIG_IGN)

        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=folder,
            env={
                **os.environ,
                "PYTHONPATH": f"{path}{os.pathsep}{ROOT}",
                "XDG_STATE_HOME": str(folder.parent / "state"),
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=before,
            start_new_session=True,
        )

    def until(self, words: str) -> "Started":
        """Wait until it has said this."""
        for line in self.process.stdout:
            if words in line:
                return self
        raise AssertionError(f"it ended without a word of {words}: {self.process.stderr.read()}")

    def send(self, number: int, group: bool = False) -> "Started":
        """A terminal sends a signal to the whole group, `kill` to one process."""
        (os.killpg if group else os.kill)(self.process.pid, number)
        return self

    def end(self) -> tuple[int, list[str]]:
        """Its exit status and what it said of its end; one that does not end is a failure."""
        try:
            _, errors = self.process.communicate(timeout=LONG_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            raise
        return self.process.returncode, errors.splitlines()


def pdl1(*arguments: str) -> list[str]:
    return ["-m", "PDL1PredictorLib", *arguments, "--progress", "json"]


PHANTOM = pdl1("phantom", "--n", "500", "--extent", "tumor", "--out", "new/out")
ENDS = [(signal.SIGINT, True), (signal.SIGTERM, False), (signal.SIGHUP, True)]


@pytest.mark.parametrize(("number", "group"), ENDS)
def test_a_command_with_several_processes_ends_and_leaves_nothing(tmp_path: Path, number: int, group: bool):
    running = Started(PHANTOM, tmp_path).until("1 of 500")
    assert running.send(number, group).end() == (130, [NOTHING])
    assert list(tmp_path.iterdir()) == []


def test_what_outlives_a_cancelled_command_is_named(tmp_path: Path):
    arguments = pdl1("train", "--recipe", "deepradscore", "--n", "500", "--out", "model", "--device", "cpu")
    status, said = Started(arguments, tmp_path).until("of 500 cases").send(signal.SIGINT, True).end()
    cache = tmp_path / "model.cache"
    assert status == 130
    assert said == [
        f"pdl1: Cancelled. No result was written; what is ready stays in {cache}, and the same command goes on from "
        "there."
    ]
    assert [path.name for path in tmp_path.iterdir()] == [cache.name]
    assert list(cache.rglob("*.part")) == []


def test_ctrl_c_while_the_program_is_still_loading_is_told_as_any_other(tmp_path: Path):
    (tmp_path / "modules").mkdir()
    (tmp_path / "modules" / "argparse.py").write_text("import time\nprint('loading', flush=True)\ntime.sleep(1e6)\n")
    (tmp_path / "work").mkdir()
    for number, group in ENDS:
        running = Started(["-m", "PDL1PredictorLib", "models"], tmp_path / "work", tmp_path / "modules").until(
            "loading"
        )
        assert running.send(number, group).end() == (130, [NOTHING])


def test_a_hangup_that_is_ignored_on_purpose_ends_nothing(tmp_path: Path):
    arguments = pdl1("phantom", "--n", "1", "--extent", "tumor", "--out", "out")
    running = Started(arguments, tmp_path, ignored=signal.SIGHUP).until("0 of 1")
    assert running.send(signal.SIGHUP, True).end() == (0, [])


SCRIPT = """
import collections, itertools, os, signal, sys, time
from pathlib import Path
from PDL1PredictorLib.core.running import ending
from PDL1PredictorLib.core.running.fault_log import fault_text
from PDL1PredictorLib.core.files.output import whole_folder
from PDL1PredictorLib.core.running.supervisor import supervised

def deaf():  # Python never gets its turn, not between saying so and being so either
    begun = map(os.write, [1], [b"begun\\n"])
    collections.deque(itertools.chain(begun, itertools.repeat(0)), maxlen=0)

def stubborn():  # a library that swallows what it should hand on
    while True:
        try:
            os.write(1, b"begun\\n")
            time.sleep(1e6)
        except BaseException:
            pass

def hopeless():
    ending.GRACE_S = 1e6
    stubborn()

def aborting():
    os.abort()

def leaving():  # as OpenBLAS does where it gets no memory
    os._exit(1)

def killed():
    os.kill(os.getpid(), signal.SIGKILL)

def command():
    with whole_folder(Path("out")) as draft:
        globals()[sys.argv[2]]()
    return 0

if sys.argv[1] == "alone":
    ending.heed()
    sys.exit(command())
sys.exit(supervised(command, lambda what, details: fault_text(what, details, "pdl1")))
"""


def script(folder: Path, *arguments: str) -> Started:
    (folder / "script.py").write_text(SCRIPT)
    (folder / "work").mkdir()
    return Started([str(folder / "script.py"), *arguments], folder / "work")


linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a supervisor")


@linux
@pytest.mark.parametrize(("number", "group"), ENDS)
def test_a_library_that_gives_python_no_turn_is_ended(tmp_path: Path, number: int, group: bool):
    running = script(tmp_path, "supervised", "deaf").until("begun")
    assert running.send(number, group).end() == (130, [NOTHING])
    assert list((tmp_path / "work").iterdir()) == []


@pytest.mark.parametrize("how", ["alone", pytest.param("supervised", marks=linux)])
def test_a_library_that_swallows_the_interrupt_is_ended(tmp_path: Path, how: str):
    running = script(tmp_path, how, "stubborn").until("begun")
    assert running.send(signal.SIGTERM).end() == (130, [NOTHING])
    assert list((tmp_path / "work").iterdir()) == []


def test_a_second_ctrl_c_waits_for_nothing(tmp_path: Path):
    running = script(tmp_path, "alone", "hopeless").until("begun").send(signal.SIGINT)
    while running.process.poll() is None:  # one that comes too near to the first counts as the same
        running.send(signal.SIGINT)
        time.sleep(0.1)
    assert running.end() == (130, [NOTHING])
    assert list((tmp_path / "work").iterdir()) == []


@linux
@pytest.mark.parametrize(("what", "how"), [("aborting", "SIGABRT"), ("leaving", "exit status 1")])
def test_an_abort_of_a_library_is_a_fault_with_a_log(tmp_path: Path, what: str, how: str):
    status, said = script(tmp_path, "supervised", what).end()
    (log,) = (tmp_path / "state" / "pdl1predictor").iterdir()
    assert status == 70
    assert said == [
        f"pdl1: This is a fault of PDL1Predictor, not yours: a library ended the process ({how}). "
        f"The log is {log}. Please report it."
    ]
    assert how in log.read_text()
    assert what == "leaving" or "in aborting" in log.read_text()
    assert list((tmp_path / "work").iterdir()) == []


@linux
def test_a_process_that_the_system_kills_is_told_as_too_little_memory(tmp_path: Path):
    status, (said,) = script(tmp_path, "supervised", "killed").end()
    assert status == 2
    assert said.startswith("pdl1: The process was killed by the system or another program. There was not enough memory")
    assert list((tmp_path / "work").iterdir()) == []


WORKERS = """
import fcntl, os, sys, time
from PDL1PredictorLib.core.running.processes import run_each
from PDL1PredictorLib.core.progress import SILENT

def hold(name):
    with open(name, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.write(1, b"held\\n")
        time.sleep(1e6)

if __name__ == "__main__":
    run_each(hold, [("a",), ("b",)], 2, SILENT, "hold")
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_no_process_outlives_one_that_is_killed(tmp_path: Path, number: int):
    import fcntl

    (tmp_path / "workers.py").write_text(WORKERS)
    running = Started([str(tmp_path / "workers.py")], tmp_path).until("held").until("held")
    running.send(number).end()
    for name in ("a", "b"):
        with (tmp_path / name).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # waits for ever where the process lives on


def test_processes_that_ctrl_c_reaches_while_they_start_say_nothing(tmp_path: Path):
    running = Started(PHANTOM, tmp_path).until("0 of 500")
    assert running.send(signal.SIGINT, True).end() == (130, [NOTHING])
