"""The command runs in a child of a small process that sees it end: in time, and in words, whatever becomes of it.

Python cannot look after itself while a library computes without giving it a turn, nor after a library has aborted the
process (as under `ulimit -v`) or the system has killed it. On Linux only: elsewhere a process that was forked may not
use everything (Metal on macOS), and the command runs in the one process there is.
"""

import faulthandler
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import monotonic

from PDL1PredictorLib.core.errors import (
    EXIT_FAULT,
    EXIT_INTERRUPTED,
    EXIT_READER_GONE,
    EXIT_REFUSED,
    EXIT_SOME_FAILED,
    NO_MEMORY,
)
from PDL1PredictorLib.core.running import ending

STATUSES = (
    0,
    EXIT_REFUSED,
    EXIT_SOME_FAILED,
    EXIT_FAULT,
    EXIT_INTERRUPTED,
    EXIT_READER_GONE,
)  # a command ends with no other
LIMIT_S = 4.0  # from the first signal to the end of the child, who needs 2.5 s where Python gets its turn

Fault = Callable[[str, str], tuple[str, dict[str, object]]]
"""Receives what happened and details for the log; gives the words for the user and facts for programs."""


def supervised(command: Callable[[], int], fault: Fault, as_json: bool = False) -> int:
    """Run a command and give its exit status.

    Args:
        command: The whole of it. Called in a child process on Linux.
        fault: Writes the log where a library aborted the child.
        as_json: The last words are also written as a JSON line.
    """
    if sys.platform != "linux":
        ending.heed()
        _unblock()
        return command()
    numbers = {number for number in ending.SIGNALS if signal.getsignal(number) is not signal.SIG_IGN}
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, numbers | {signal.SIGCHLD}) - numbers
    reads, writes = os.pipe()
    crash, parent = _scratch(), os.getpid()
    try:
        child = os.fork()
    except OSError:  # the system allows no process more: alone, then
        ending.heed()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        return command()
    if child == 0:
        os.close(reads)
        os.set_blocking(writes, False)
        ending.heed()
        ending.notes_to(writes)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        die_with(parent)
        faulthandler.enable(crash)
        return command()
    os.close(writes)
    status, was_asked = _wait(child, numbers)
    notes = _notes(reads)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) in STATUSES:
        return os.WEXITSTATUS(status)
    _clean(notes)
    if was_asked:
        ending.say(ending.cancelled_text(notes), as_json)
        return EXIT_INTERRUPTED
    return _explain(status, os.pread(crash, 2**20, 0).decode(errors="replace"), fault, as_json)


def _scratch() -> int:
    """An open file without a name, for where a library aborted the child."""
    if hasattr(os, "memfd_create"):  # not where Python was built for an old system, as 3D Slicer's is
        return os.memfd_create("pdl1-crash")
    import tempfile

    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _unblock() -> None:
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ending.SIGNALS)


def die_with(parent: int) -> None:
    """Have the system end this process when `parent` ends, however that happens; only Linux can."""
    if sys.platform != "linux":
        return
    with suppress(Exception):  # where it does not work, the process is ended by a signal or at its own end
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(EXIT_INTERRUPTED)


def _wait(child: int, numbers: set[signal.Signals]) -> tuple[int, bool]:
    """Hand signals on until the child has ended.

    Returns:
        Its status, and whether a signal had asked it to end.
    """
    asked_at: float | None = None
    limit = float("inf")
    while True:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return status, asked_at is not None
        if monotonic() > limit:
            os.kill(child, signal.SIGKILL)
        info = signal.sigtimedwait(numbers | {signal.SIGCHLD}, 3600 if asked_at is None else 0.1)
        if info is None or info.si_signo not in numbers:
            continue
        now = monotonic()
        os.kill(child, info.si_signo)  # a terminal sends it to both; the child takes two at once for one
        if asked_at is None:
            asked_at, limit = now, now + LIMIT_S
        elif now - asked_at > ending.AGAIN_S:
            limit = min(limit, now + ending.AGAIN_S)


def _notes(file: int) -> dict[str, list[str]]:
    """What the child said it had written, and where."""
    found: dict[str, list[str]] = {}
    os.set_blocking(file, False)  # a process that outlives the child may hold the other end
    content = b""
    with suppress(OSError):
        while part := os.read(file, 65536):
            content += part
    for line in content.splitlines():
        with suppress(ValueError):
            kind, path = json.loads(line)
            found.setdefault(kind, []).append(path)
    return found


def _clean(notes: dict[str, list[str]]) -> None:
    from PDL1PredictorLib.core.files.drafts import sweep, sweep_kept

    sweep_kept(notes.get("kept", []))
    for folder in notes.get("folder", ()):
        sweep(Path(folder))


def _explain(status: int, details: str, fault: Fault, as_json: bool) -> int:
    """Words for an end that the command itself did not choose, and the exit status."""
    signaled = os.WIFSIGNALED(status)
    if signaled and os.WTERMSIG(status) == signal.SIGKILL:
        ending.say(f"The process was killed by the system or another program. {NO_MEMORY}", as_json, cause="killed")
        return EXIT_REFUSED
    if memory_limit() is not None:
        ending.say(NO_MEMORY, as_json, cause="memory")
        return EXIT_REFUSED
    how = signal.Signals(os.WTERMSIG(status)).name if signaled else f"exit status {os.WEXITSTATUS(status)}"
    text, facts = fault(f"a library ended the process ({how})", details)
    ending.say(text, as_json, **facts)
    return EXIT_FAULT


def memory_limit() -> int | None:
    """Bytes of memory that this process may have (ulimit -v, -d); None where nothing limits it."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    limits = [resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA)]
    return min((limit for limit in limits if limit != resource.RLIM_INFINITY), default=None)
