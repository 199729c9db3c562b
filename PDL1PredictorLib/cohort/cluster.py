"""Work on the processes of a Dask cluster; what a lost worker had is done again by another."""

import importlib
import logging
from asyncio import CancelledError as AsyncCancelledError
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.errors import InputError, PDL1Error
from PDL1PredictorLib.core.lazy import require_module

REMEDY = "Install pdl1predictor[cluster], or leave --scheduler away to work on this machine."
CONNECT_S = 20  # to find the scheduler
WORKER_S = 60  # to find a first worker


def results_from_cluster(
    address: str, work: Callable[..., Any], jobs: Sequence[tuple[Any, ...]]
) -> Generator[tuple[int, Any], None, None]:
    """Call `work(*job)` for every job on a cluster.

    A worker that dies on the way costs time and nothing else: the scheduler gives its jobs to another. A job that
    takes several workers with it is given up.

    Args:
        address: Of the scheduler, such as tcp://host:8786.
        work: A function of a module of this library, which the workers have too.
        jobs: Arguments of each call.

    Yields:
        Position and result of each job as it comes in; an exception as result where the job was given up.

    Raises:
        InputError: There is no scheduler, no worker, or the workers have another version of this library. Or the
            scheduler was lost on the way; what was yielded before that holds.
        MissingPackageError: Dask is not installed.
    """
    distributed = require_module("distributed", REMEDY)
    with _told_when_lost(address), _connected(distributed, address) as client:
        futures = {client.submit(work, *job, pure=False): position for position, job in enumerate(jobs)}
        try:
            for future in distributed.as_completed(futures, loop=client.loop):
                position = futures.pop(future)  # the cluster forgets a result that nobody holds
                try:
                    result = future.result()
                except distributed.KilledWorker as error:
                    result = error
                yield position, result
        finally:
            client.cancel(list(futures))


@contextmanager
def _told_when_lost(address: str) -> Iterator[None]:
    """Plain words in place of what the client raises and logs when its scheduler ends."""
    log = logging.getLogger("distributed")
    handlers, log.handlers = log.handlers, [logging.NullHandler()]  # its loggers have levels of their own
    try:
        yield
    except PDL1Error:
        raise
    except (CancelledError, AsyncCancelledError, OSError, TimeoutError) as error:
        raise InputError(
            f"The Dask scheduler {address} was lost on the way. The cases that were ready by then are kept: start it "
            "again (dask scheduler, dask worker), and run the same command."
        ) from error
    finally:
        log.handlers = handlers


@contextmanager
def _connected(distributed: ModuleType, address: str) -> Iterator[Any]:
    try:
        client = distributed.Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise InputError(
            f"No Dask scheduler answers at {address} ({error}). Start one (dask scheduler), and give its address."
        ) from error
    with client:
        try:
            client.wait_for_workers(1, timeout=WORKER_S)
        except TimeoutError as error:
            raise InputError(f"The scheduler {address} has no worker. Start some: dask worker {address}") from error
        _require_same_library(client)
        yield client


def _require_same_library(client: Any) -> None:
    """Other code on a worker would give other features under the same settings."""
    found = set(client.run(_library_version).values())
    if found != {__version__}:
        raise InputError(
            f"The workers have pdl1predictor {', '.join(sorted(found))}, this machine has {__version__}. "
            "Install one version everywhere."
        )


def _library_version() -> str:
    return str(importlib.import_module("PDL1PredictorLib").__version__)
