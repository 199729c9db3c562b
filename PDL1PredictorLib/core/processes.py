"""Many cases at once: one process a core, each keeping to one thread, with progress and cancel."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any, TypeVar

import SimpleITK as sitk

from PDL1PredictorLib.core.progress import Progress

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

Result = TypeVar("Result")


def run_each(
    work: Callable[..., Result],
    jobs: Sequence[tuple[Any, ...]],
    workers: int | None,
    progress: Progress,
    stage: str,
    unit: str = "cases",
    done_before: int = 0,
) -> list[Result]:
    """Call `work(*job)` for every job, on several processes.

    Args:
        work: A function of a module, with arguments and a result that can be sent to another process.
        jobs: Arguments of each call.
        workers: Processes; None takes one a core. With one worker or one job no process is started.
        progress: Told after every job; where it raises, what has not begun is dropped.
        stage: Its name.
        unit: What a job is, for the message.
        done_before: Jobs that were done earlier, counted in the message and the fraction.

    Returns:
        The results, in the order of the jobs.
    """
    total = max(done_before + len(jobs), 1)

    def tell(done: int) -> None:
        progress.step(stage, (done_before + done) / total, f"{done_before + done} of {total} {unit} are ready")

    tell(0)
    count = min(workers or os.cpu_count() or 1, len(jobs))
    if count <= 1:
        results = []
        for number, job in enumerate(jobs, start=1):
            results.append(work(*job))
            tell(number)
        return results
    with _pool(count) as pool:
        futures = [pool.submit(work, *job) for job in jobs]
        try:
            for number, future in enumerate(as_completed(futures), start=1):
                future.result()
                tell(number)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return [future.result() for future in futures]


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Processes that each keep to one core: the jobs are the parallel part."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))  # read by the children when they start
    try:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_one_itk_thread) as pool:
            yield pool
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _one_itk_thread() -> None:
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
