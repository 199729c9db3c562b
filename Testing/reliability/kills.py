"""Commands that are ended at any moment: by Ctrl-C, by a scheduler, by force."""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import SimpleITK as sitk

from PDL1PredictorLib.phantom.cohort import write_cohort

ROOT = Path(__file__).resolve().parents[2]
SIGNALS = {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGKILL": signal.SIGKILL}
END_S = 5.0  # the time that a command has to end
SEED = 4


@dataclass(frozen=True)
class Command:
    """A command to end.

    Attributes:
        name: For the table.
        arguments: Of `pdl1`; the output is `out`.
        out: What it makes.
    """

    name: str
    arguments: tuple[str, ...]
    out: Path


@dataclass(frozen=True)
class Kill:
    """What came of one.

    Attributes:
        command: Its name.
        how: Name of the signal.
        after_s: When it came, s after the start.
        ended_s: How long the command then took to end.
        faults: What must not be.
    """

    command: str
    how: str
    after_s: float
    ended_s: float
    faults: tuple[str, ...]


def commands(folder: Path, model: Path) -> list[Command]:
    """The commands that write, on two synthetic patients."""
    write_cohort(folder / "cohort", 2, seed=3, extent="tumor", workers=1)
    images = sorted((folder / "cohort" / "images").iterdir())
    ct, tumor = (next(str(path) for path in images if word in path.name) for word in ("ct", "tumor"))
    sitk.ReadImage(ct)  # a cohort that cannot be read would make every kill look survived
    out = folder / "out"
    case, table = ("--ct", ct, "--tumor", tumor), str(folder / "cohort" / "cases.csv")
    return [
        _command("predict", out / "result", *case, "--model", str(model), "--device", "cpu"),
        _command("features", out / "features.csv", *case),
        _command("cohort features", out / "table.csv", table, "--workers", "2", "--preset", "karim"),
        _command("phantom", out / "phantoms", "--n", "2", "--extent", "tumor"),
    ]


def _command(name: str, out: Path, *arguments: str) -> Command:
    return Command(name, (*name.split(), *arguments, "--out", str(out)), out)


def kill_each(chosen: list[Command], count: int, seed: int = SEED) -> Iterator[Kill]:
    """End `count` runs, the commands and signals in turn, each at a moment that is drawn."""
    rng = random.Random(seed)
    lasting = {command.name: _whole_run(command) for command in chosen}
    for number in range(count):
        command = chosen[number % len(chosen)]
        how = list(SIGNALS)[number // len(chosen) % len(SIGNALS)]
        yield _killed(command, how, rng.uniform(0, lasting[command.name]))


def _whole_run(command: Command) -> float:
    """Time of a run that nobody ends, in s."""
    started = time.perf_counter()
    done = _start(command)
    _, errors = done.communicate()
    assert done.returncode == 0, errors
    seconds = time.perf_counter() - started
    _clear(command)
    return seconds


def _killed(command: Command, how: str, after_s: float) -> Kill:
    process = _start(command)
    time.sleep(after_s)
    family = _family(process)
    process.send_signal(SIGNALS[how])
    started = time.perf_counter()
    _, errors = process.communicate()
    ended_s = time.perf_counter() - started
    faults = [*_faults(command, how, errors, ended_s), *_alive(family)]
    _clear(command)
    return Kill(command.name, how, after_s, ended_s, tuple(faults))


def _faults(command: Command, how: str, errors: str, ended_s: float) -> Iterator[str]:
    if ended_s > END_S:
        yield f"took {ended_s:.1f} s to end"
    if "Traceback" in errors:
        yield f"a traceback: {errors[-400:]}"
    if how != "SIGKILL" and _left(command):
        yield f"left {', '.join(_left(command))}"
    if _start(command, "--overwrite").wait() != 0:
        yield "the next run fails"
    if _left(command):
        yield f"the next run leaves {', '.join(_left(command))}"
    if not command.out.exists():
        yield "the next run makes nothing"


def _left(command: Command) -> list[str]:
    """Drafts beside the output."""
    folder = command.out.parent
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(".")) if folder.exists() else []


def _start(command: Command, *more: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "PDL1PredictorLib", *command.arguments, *more],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        restore_signals=True,
        start_new_session=True,
    )


def _family(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _alive(family: list[psutil.Process]) -> Iterator[str]:
    _, alive = psutil.wait_procs(family, timeout=END_S)
    for process in alive:
        yield f"process {process.name()} is left"
        process.kill()


def _clear(command: Command) -> None:
    shutil.rmtree(command.out.parent, ignore_errors=True)
