"""How a command of `pdl1` ends: its exit status, and one plain line where it did not do what was asked."""

import errno
import re
from collections.abc import Callable, Iterator

from PDL1PredictorLib.cli.speaker import ReaderGoneError, Speaker
from PDL1PredictorLib.core.errors import (
    EXIT_FAULT,
    EXIT_INTERRUPTED,
    EXIT_READER_GONE,
    EXIT_REFUSED,
    NO_MEMORY,
    CancelledError,
    PDL1Error,
)
from PDL1PredictorLib.core.lazy import extra_of
from PDL1PredictorLib.core.running import ending
from PDL1PredictorLib.core.running.supervisor import memory_limit

LEAST_BYTES = 2**30  # below it OpenBLAS may try for ever to get the memory for its threads
_NO_MEMORY = re.compile(
    r"bad.alloc|cannot allocate memory|not enough memory|out of memory|unable to allocate|failed to allocate|"
    r"can't (start new thread|allocate)|failed to map segment|memory allocation failed|insufficient memory|"
    r"pthread_create failed|cannot create .*thread",
    re.IGNORECASE,
)


def ended(work: Callable[[], int | None], speaker: Speaker, command: str) -> int:
    """Do the work of a command and say how it ended.

    Args:
        work: All of it; gives the exit status where it is not 0.
        speaker: Says it.
        command: As it was typed, for the log of a fault.

    Returns:
        The exit status: 0 done, 2 refused with a reason, 3 done but for some cases, 70 a fault of this library,
        130 interrupted, 141 nobody reads.
    """
    try:
        _require_memory()
        return work() or 0
    except SystemExit:
        raise
    except BaseException as error:
        return failed(error, speaker, command)


def failed(error: BaseException, speaker: Speaker, command: str) -> int:
    """Say in one line why a command ended, and give the exit status; see `ended`."""
    try:
        return _told(error, speaker, command)
    except KeyboardInterrupt as interrupt:  # it came while the line was being written
        return _told(interrupt, speaker, command)


def _told(error: BaseException, speaker: Speaker, command: str) -> int:
    if (
        isinstance(error, KeyboardInterrupt | CancelledError) or ending.asked()
    ):  # whatever the interrupt was turned into
        ending.do_last_things()
        speaker.failed(ending.cancelled_text())
        ending.told()
        return EXIT_INTERRUPTED
    if isinstance(error, ReaderGoneError):
        return EXIT_READER_GONE
    text = _reason(error)
    if text is not None:
        speaker.failed(text, **_facts(error))
        return EXIT_REFUSED
    from PDL1PredictorLib.core.running.fault_log import fault_text, trace_of

    what = " ".join(f"{type(error).__name__}: {error}".split())[:300].rstrip(" .:")
    text, facts = fault_text(what, trace_of(error), command)
    speaker.failed(text, **facts)
    return EXIT_FAULT


def _require_memory() -> None:
    limit = memory_limit()
    if limit is not None and limit < LEAST_BYTES:
        raise MemoryError


def _reason(error: BaseException) -> str | None:
    """Why a command was refused, in words for the user; None where it is a fault of ours."""
    if any(_tells_of_memory(each) for each in _chain(error)):
        return NO_MEMORY
    if isinstance(error, PDL1Error):
        return str(error)
    unloaded = isinstance(error, ImportError | OSError) and getattr(error, "errno", None) is None
    if unloaded and memory_limit() is not None:  # a library of a package has no room
        return NO_MEMORY
    if isinstance(error, ImportError):
        if (error.name or "").startswith("PDL1PredictorLib"):
            return None
        extra = extra_of(_package(error))
        if extra is not None:
            return f"This command needs more packages than prediction ({error}): install pdl1predictor[{extra}]."
        return f"A package cannot be imported: {error}. Install pdl1predictor again, with all that it needs."
    if isinstance(error, OSError) and error.errno is not None:
        named = [str(name) for name in (error.filename, error.filename2) if name is not None]
        where = " and ".join(named) or "A file or a connection"
        return f"{where} cannot be used: {error.strerror or error}. Check that it is there and that you may use it."
    return None


def _facts(error: BaseException) -> dict[str, str]:
    """What a program that shows the reason in words of its own needs to know."""
    if any(_tells_of_memory(each) for each in _chain(error)):
        return {"cause": "memory"}
    if isinstance(error, ImportError) and not isinstance(error, PDL1Error):
        return {"cause": "missing_package", "package": _package(error)}
    return {}


def _package(error: ImportError) -> str:
    """What could not be imported, as far as the error says it."""
    named = re.search(r"No module named '([\w.]+)'", str(error))
    return error.name or (named[1] if named else str(error))


def _tells_of_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return not isinstance(error, PDL1Error) and _NO_MEMORY.search(str(error)) is not None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what led to it."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or current.__context__
