"""One run in a folder at a time."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from PDL1PredictorLib.core.errors import InputError, OutputError
from PDL1PredictorLib.core.running import ending

LOCK_NAME = ".lock"


@contextmanager
def only_run_in(folder: Path) -> Iterator[None]:
    """Hold a folder, made where it is missing, for this run; the system lets go of it also when the run is killed.

    Raises:
        InputError: Another run holds it.
        OutputError: It cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK_NAME, timeout=0)
        lock.acquire()
    except Timeout as error:
        raise InputError(
            f"Another run is working in {folder}. Wait until it has ended, or choose another folder."
        ) from error
    except OSError as error:
        raise OutputError(
            f"{folder} cannot be written: {error.strerror or error}. Choose a folder you may write to."
        ) from error
    ending.note("kept", folder.absolute())
    try:
        yield
    finally:
        lock.release()
