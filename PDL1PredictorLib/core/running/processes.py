"""Many cases at once: one process a core, each keeping to one thread, with progress and cancel."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import Any, TypeVar

import SimpleITK as sitk

from PDL1PredictorLib.core.errors import PDL1Error
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.running import ending
from PDL1PredictorLib.core.running.supervisor import die_with

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
LEAVE_S = 0.7  # for a process to remove what it has half written
QUIET = "ignore:resource_tracker"  # what Python says of processes that were ended, which is no news

Result = TypeVar("Result")


class LostProcessError(BrokenProcessPool, PDL1Error):
    """A process of the pool was ended from outside, most often by the system because the memory was full."""


def run_each(
    work: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    workers: int | None,
    progress: Progress,
    stage: str,
    unit: str = "cases",
    done_before: int = 0,
    each: Callable[[int, Result], None] = lambda position, result: None,
) -> list[Result]:
    """Call `work(*job)` for every job, on several processes.

    No process outlives the call, nor this process, however it ends. Where the system cannot give what several
    processes need, one does the work, and a note says so.

    Args:
        work: A function of a module, with arguments and a result that can be sent to another process.
        jobs: Arguments of each call.
        workers: Processes; None takes one a core. With one worker or one job no process is started.
        progress: Told after every job; where it raises, what has not ended is dropped.
        stage: Its name.
        unit: What a job is, for the message.
        done_before: Jobs that were done earlier, counted in the message and the fraction.
        each: Receives position and result of every job as soon as it has ended.

    Returns:
        The results, in the order of the jobs.

    Raises:
        LostProcessError: A process was ended from outside.
    """
    total = max(done_before + len(jobs), 1)

    def tell(done: int) -> None:
        progress.step(stage, (done_before + done) / total, f"{done_before + done} of {total} {unit} are ready")

    tell(0)
    count = min(workers or os.cpu_count() or 1, len(jobs))
    with _pool(count) as pool:
        if pool is not None:
            return _on_pool(pool, work, jobs, tell, each)
    if count > 1:
        progress.note("This system gives no locks for several processes (/dev/shm on Linux); one does all the work.")
    results = []
    for number, job in enumerate(jobs, start=1):
        results.append(work(*job))
        each(number - 1, results[-1])
        tell(number)
    return results


def _on_pool(
    pool: ProcessPoolExecutor,
    work: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    tell: Callable[[int], None],
    each: Callable[[int, Result], None],
) -> list[Result]:
    futures: list[Future[Result]] = []
    processes: dict[int, BaseProcess] = getattr(pool, "_processes", {})  # the pool's own: it fills as jobs come
    with ending.while_leaving(lambda: _end(list(processes.values()))):  # before what they write is removed
        try:
            with ending.held(), _terminal_signals_left_to_this_process():  # a child half started would complain
                futures += (pool.submit(work, *job) for job in jobs)
            places = {future: position for position, future in enumerate(futures)}
            for number, future in enumerate(as_completed(futures), start=1):
                each(places[future], future.result())
                tell(number)
        except BrokenProcessPool as error:
            time.sleep(ending.AGAIN_S)  # what ended the child may be on its way to this process, as Ctrl-C is
            raise LostProcessError(
                "A process was ended from outside, perhaps because the memory was full. Run the command again, with "
                "fewer processes (--workers)."
            ) from error
        except BaseException:
            _end(list(processes.values()))
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor | None]:
    """Processes that each keep to one core: the jobs are the parallel part. None where there can be only one."""
    if workers <= 1:
        yield None
        return
    names = (*THREAD_VARIABLES, "PYTHONWARNINGS")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))  # read by the children when they start
    os.environ["PYTHONWARNINGS"] = ",".join(filter(None, (before["PYTHONWARNINGS"], QUIET)))
    try:
        pool = _new_pool(workers)
        if pool is None:
            yield None
        else:
            with pool:
                yield pool
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _new_pool(workers: int) -> ProcessPoolExecutor | None:
    try:
        with _terminal_signals_left_to_this_process():  # Python's tracker of locks, which starts here, included
            return ProcessPoolExecutor(
                workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(os.getpid(),)
            )
    except (OSError, ImportError, NotImplementedError):  # no semaphores: no /dev/shm, or no right to it
        return None


@contextmanager
def _terminal_signals_left_to_this_process() -> Iterator[None]:
    """Children that start inside never hear Ctrl-C, not even while they import: this process ends them."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _end(processes: Sequence[BaseProcess]) -> None:
    """Ask children to end, and end those that do not."""
    for process in processes:
        with suppress(Exception):  # one that has ended already
            process.terminate()
    limit = time.monotonic() + LEAVE_S
    for process in processes:
        with suppress(Exception):
            process.join(max(limit - time.monotonic(), 0))
    for process in processes:
        with suppress(Exception):
            process.kill()
            process.join(LEAVE_S)


def _begin(parent: int) -> None:
    """What a child does first."""
    die_with(parent)
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_follow_parent, name="pdl1-parent", daemon=True).start()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)


def _follow_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        ending.leave_quietly()


def _leave(number: int, frame: FrameType | None) -> None:
    ending.leave_quietly()
