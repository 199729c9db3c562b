"""How a run is ended from outside: Ctrl-C, SIGTERM, a closed terminal.

Python looks at signals only between two of its own steps, and a library may keep it from that for minutes. So the
first signal raises KeyboardInterrupt where it can, and `GRACE_S` later a thread removes what is half made and ends the
process in any case. A second Ctrl-C does so at once.
"""

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import Any, NoReturn

from PDL1PredictorLib.core.errors import EXIT_INTERRUPTED

GRACE_S = 2.5  # to unwind; the promise is 5 s in all
AGAIN_S = 0.5  # signals nearer than that are one: a terminal and a supervisor may both send it
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


class _Run:
    """What this process knows of the run under way."""

    def __init__(self) -> None:
        self.asked_at: float | None = None
        self.held = 0
        self.waiting = False
        self.finished: int | None = None
        self.told = False
        self.json = False
        self.notes: dict[str, list[str]] = {}
        self.memory: dict[Path, Any] = {}


_run = _Run()
_heeding = False
_restore: Callable[[], None] | None = None
_note_file: int | None = None
_last_things: list[Callable[[], None]] = []


def asked() -> bool:
    """Whether a signal has asked this run to end."""
    return _run.asked_at is not None


def memory() -> dict[Path, Any] | None:
    """What one command remembers from its beginning to its end; None where no command runs."""
    return _run.memory if _heeding else None


def at_leave(do: Callable[[], None]) -> None:
    """Have `do` called before the process ends without unwinding; what was added last is called first."""
    _last_things.append(do)


@contextmanager
def while_leaving(do: Callable[[], None]) -> Iterator[None]:
    """`at_leave` for the time of a block."""
    _last_things.append(do)
    try:
        yield
    finally:
        _last_things.remove(do)


def note(kind: str, path: Path) -> None:
    """Remember a path of the command under way, for the words at its end.

    Args:
        kind: `placed`: a result took its name; `kept`: a folder that outlives the run and serves the next one;
            `folder`: where drafts lie.
        path: Absolute.
    """
    if not _heeding:
        return
    known, text = _run.notes.setdefault(kind, []), str(path)
    if text in known or (kind == "placed" and any(Path(kept) in path.parents for kept in _run.notes.get("kept", ()))):
        return
    known.append(text)
    if _note_file is not None:
        with suppress(OSError):
            os.write(_note_file, json.dumps([kind, text]).encode() + b"\n")


def noted(kind: str) -> list[str]:
    """The paths of a kind that were noted so far."""
    return list(_run.notes.get(kind, ()))


def notes_to(file: int) -> None:
    """Send every later note to an open file too, one JSON line each: a supervisor reads them."""
    global _note_file
    _note_file = file


def cancelled_text(notes: dict[str, list[str]] | None = None) -> str:
    """What is to be said of a run that was ended, in words that are true of what lies on the disk."""
    found = _run.notes if notes is None else notes
    if found.get("placed"):
        return f"Cancelled. Complete and written before that: {', '.join(found['placed'])}."
    if found.get("kept"):
        return (
            f"Cancelled. No result was written; what is ready stays in {', '.join(found['kept'])}, and the same "
            "command goes on from there."
        )
    return "Cancelled. Nothing was written."


@contextmanager
def held() -> Iterator[None]:
    """What is inside is not interrupted, since it belongs together; a signal that came meanwhile speaks at its end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _run.held += 1
    try:
        yield
    finally:
        _run.held -= 1
        if not _run.held and _run.waiting:
            _run.waiting = False
            raise KeyboardInterrupt


@contextmanager
def heeded(speak_json: bool = False) -> Iterator[None]:
    """While a command runs in this process, signals end it; afterwards all is as before.

    Outside the main thread, where Python allows no handlers, nothing is changed.

    Args:
        speak_json: The last words are also written as a JSON line.
    """
    global _run
    if _heeding:  # by the program itself, for as long as it lives
        _run.json = speak_json
        yield
        return
    _run = _Run()
    _run.json = speak_json
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    restore = heed()
    try:
        yield
    finally:
        restore()
        _run = _Run()


def heed() -> Callable[[], None]:
    """Heed signals from now on, except those that are ignored on purpose (nohup, a shell's background jobs).

    Returns:
        What undoes it.
    """
    global _heeding, _restore
    numbers = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _on_signal) for number in numbers}
    stop_watching = _watch(numbers)
    _heeding = True

    def restore() -> None:
        global _heeding
        stop_watching()
        for number, handler in before.items():
            signal.signal(number, handler)
        _heeding = False

    _restore = restore  # keeps the channel open
    return restore


def told() -> None:
    """The last words have been said."""
    _run.told = True


def finish(code: int) -> int:
    """The command is over: a signal from now on only hastens the exit with its status."""
    _run.finished = code
    return code


def do_last_things() -> None:
    """Remove what is half made."""
    for do in reversed(_last_things):
        with suppress(Exception):
            do()


def leave_quietly(code: int = EXIT_INTERRUPTED) -> None:
    """End this process now; what is half made goes first."""
    do_last_things()
    os._exit(code)


def leave(code: int = EXIT_INTERRUPTED) -> NoReturn:
    """The same, with the last words of a run."""
    do_last_things()
    if not _run.told and _run.finished is None:
        _run.told = True
        say(cancelled_text(), _run.json)
    os._exit(code if _run.finished is None else _run.finished)


def say(text: str, as_json: bool = False, **facts: object) -> None:
    """Last words, past Python's own streams, whose locks may be held."""
    with suppress(OSError):
        if as_json:
            os.write(1, json.dumps({"type": "error", "message": text, **facts}).encode() + b"\n")
    with suppress(OSError):
        os.write(2, f"pdl1: {text}\n".encode(errors="backslashreplace"))


def _on_signal(number: int, frame: FrameType | None) -> None:
    if _run.finished is not None:
        os._exit(_run.finished)
    if _run.asked_at is None:
        _run.asked_at = monotonic()
        if not _run.held:
            raise KeyboardInterrupt
        _run.waiting = True


def _watch(numbers: Sequence[int]) -> Callable[[], None]:
    """A thread that hears of signals when they come, whatever the main thread does, and ends the process in time."""
    import socket

    hears, tells = socket.socketpair()  # on Windows Python takes nothing else
    tells.setblocking(False)
    over = threading.Event()
    before = signal.set_wakeup_fd(tells.fileno(), warn_on_full_buffer=False)

    def wait() -> None:
        first: float | None = None
        while not over.is_set():
            hears.settimeout(None if first is None else max(first + GRACE_S - monotonic(), 0.001))
            try:
                heard = hears.recv(1)
            except TimeoutError:
                leave()
            if not heard:
                return
            if heard[0] in numbers:
                if first is None:
                    first = monotonic()
                elif monotonic() - first > AGAIN_S:
                    leave()

    thread = threading.Thread(target=wait, name="pdl1-ending", daemon=True)
    thread.start()

    def stop() -> None:
        over.set()
        signal.set_wakeup_fd(before)
        tells.close()  # which wakes the thread
        thread.join()
        hears.close()

    return stop
