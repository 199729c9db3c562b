"""Jobs on several processes: in order, told, cancelled, and nothing of the environment left behind."""

import os
import time
from pathlib import Path

import pytest

from PDL1PredictorLib.core.errors import CancelledError, InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.running import processes
from PDL1PredictorLib.core.running.processes import LostProcessError, run_each


def square(x: int, y: int = 0) -> int:
    return x * x + y


def threads(_: int) -> str:
    return os.environ["OMP_NUM_THREADS"] + str(os.getpid())


def fail_at_two(x: int) -> int:
    if x == 2:
        raise InputError("two is refused")
    return x


@pytest.mark.parametrize("workers", [1, 2, None])
def test_results_come_in_the_order_of_the_jobs(workers):
    told = []
    progress = Progress(lambda stage, fraction, text: told.append((stage, fraction, text)))
    jobs = [(3, 1), (2,), (1, 5)]
    assert run_each(square, jobs, workers, progress, "squares", "numbers", done_before=1) == [10, 4, 6]
    assert told[0] == ("squares", 0.25, "1 of 4 numbers are ready")
    assert told[-1] == ("squares", 1.0, "4 of 4 numbers are ready")


def test_every_process_keeps_to_one_thread_and_this_one_keeps_its_own(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    seen = run_each(threads, [(i,) for i in range(4)], 2, SILENT, "threads")
    assert {text[0] for text in seen} == {"1"}
    assert f"1{os.getpid()}" not in seen
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_job_ends_it_with_its_own_error(workers):
    with pytest.raises(InputError, match="two is refused"):
        run_each(fail_at_two, [(1,), (2,), (3,)], workers, SILENT, "fail")


@pytest.mark.parametrize("workers", [1, 2])
def test_it_can_be_cancelled(workers):
    told = []
    progress = Progress(lambda *step: told.append(step), lambda: len(told) >= 2)
    with pytest.raises(CancelledError):
        run_each(square, [(i,) for i in range(50)], workers, progress, "cancel")
    assert len(told) == 2


def write_long(folder: Path, seconds: float) -> float:
    (folder / f"{os.getpid()}").touch()
    time.sleep(seconds)
    return seconds


def test_a_job_under_way_is_ended_and_not_waited_for(tmp_path: Path):
    """Else it goes on to write into a folder that the caller removes."""
    progress = Progress(cancelled=lambda: len(list(tmp_path.iterdir())) == 2)
    jobs = [(tmp_path, 1e6 if number else 0) for number in range(2)]
    jobs += [(tmp_path, 0.01)] * 10_000  # the free process goes on until the other has begun, which cancels
    with pytest.raises(CancelledError):
        run_each(write_long, jobs, 2, progress, "long")
    for path in tmp_path.iterdir():
        with pytest.raises(ProcessLookupError):
            os.kill(int(path.name), 0)


def test_no_job_is_no_work():
    assert run_each(square, [], 2, SILENT, "nothing") == []


def end_itself(_: int) -> None:
    os._exit(1)


def test_a_process_that_is_lost_is_told_in_words():
    with pytest.raises(LostProcessError, match="ended from outside, perhaps because the memory was full"):
        run_each(end_itself, [(1,), (2,)], 2, SILENT, "lost")


@pytest.mark.parametrize("error", [OSError(38, "Function not implemented"), ImportError("lacks sem_open")])
def test_without_the_systems_locks_one_process_does_the_work_and_says_so(monkeypatch, error: Exception):
    def no_pool(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(processes, "ProcessPoolExecutor", no_pool)
    notes = []
    assert run_each(square, [(1,), (2,)], 2, Progress(note=notes.append), "squares") == [1, 4]
    assert notes == ["This system gives no locks for several processes (/dev/shm on Linux); one does all the work."]
