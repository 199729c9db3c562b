"""What the commands of `pdl1` share: how one is added, what it says, how it is typed again."""

import argparse
import json
import os
import shlex
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import TYPE_CHECKING, Any, TextIO

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.cli.shell.log_lines import SILENCE_S, LogLines, Told
from PDL1PredictorLib.core.errors import OutputError, PDL1Error
from PDL1PredictorLib.core.outside_text import one_line, visible
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.running import ending

if TYPE_CHECKING:  # its page loads SimpleITK
    from PDL1PredictorLib.core.results import CaseWarning


BEAT_S = 1.0  # how often is looked whether nothing was said for too long


class ReaderGoneError(PDL1Error, BrokenPipeError):
    """Whoever read the standard output has gone."""


class Speaker:
    """Says where the work is: for people a line that is rewritten, off a terminal lines of a log; JSON for programs.

    What cannot be said ends nothing by itself but the answer: a closed stream is passed over, notes and progress for
    people too.

    Args:
        style: `bar`, `json` or `none`.
        clock: Seconds, for the lines of a log.
    """

    def __init__(self, style: str, clock: Callable[[], float] = perf_counter) -> None:
        self._style, self._clock = style, clock
        self._started = self._said_at = clock()
        self._last: Told | None = None  # until the first step
        self._unheard: OSError | None = None  # what stopped the thread that says it again
        self._lines = LogLines(clock)
        self._speaking = threading.RLock()  # a thread tells that the work goes on
        self._open_line = False
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, ValueError, OSError):  # one that is closed, or not a system's stream
                stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]

    @property
    def speaks_json(self) -> bool:
        """Whether programs are listening."""
        return self._style == "json"

    def progress(self) -> Progress:
        """For the library."""
        return Progress(self._report, ending.asked, self.note)

    @contextmanager
    def beating(self) -> Iterator[None]:
        """While a block works, it is told every now and then that it does, whatever a step takes."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(BEAT_S):
                self.beat()

        if self._style != "none":
            with _signals_left_to_this_thread(), suppress(RuntimeError):  # no memory for a thread: then without
                threading.Thread(target=beat, name="pdl1-heartbeat", daemon=True).start()
        try:
            yield
        finally:
            over.set()

    def beat(self) -> None:
        """Break a silence that was too long: a bar's seconds run, programs and logs hear the last step again."""
        with self._speaking:
            if self.speaks_json:
                if self._last is not None and self._clock() - self._said_at >= SILENCE_S:
                    try:
                        self._say(*self._last)
                    except OSError as error:
                        self._last, self._unheard = None, error
            elif _on_terminal():
                if self._open_line and self._last is not None:
                    self._say(*self._last)
            elif line := self._lines.heartbeat():
                _tell(f"pdl1: {line}")

    def note(self, text: str) -> None:
        """Something that the user should know besides."""
        with self._speaking:
            self._close_line()
            _tell(f"pdl1: note: {visible(text)}")

    def event(self, kind: str, **facts: Any) -> None:
        """Something that programs follow on the way, as a JSON line of its own; people are not told."""
        if self.speaks_json:
            with self._speaking:
                self._json(kind, **facts)

    def done(self, text: str, **facts: Any) -> None:
        """The end of a command that worked: words for people, `facts` for programs.

        Raises:
            OutputError: They cannot be written, for example because the disk is full.
        """
        with self._speaking, suppress(ReaderGoneError):  # he has read what he wanted, and the work is done
            self._end()
            if self.speaks_json:
                self._json("result", **facts)
            else:
                _answer(visible(text))

    def failed(self, text: str, **facts: Any) -> None:
        """The end of one that did not; `facts` for programs."""
        with self._speaking:
            self._end()
            if self.speaks_json:
                with suppress(OSError):
                    self._json("error", message=text, **facts)
            _tell(f"pdl1: {visible(text)}")

    def _report(self, stage: str, fraction: float, message: str) -> None:
        with self._speaking:
            if self._unheard is not None:
                raise self._unheard
            self._last = stage, fraction, message
            if self._style == "bar" and not _on_terminal():
                if line := self._lines.step(stage, fraction, message):
                    _tell(f"pdl1: {line}")
            else:
                self._say(stage, fraction, message)

    def _say(self, stage: str, fraction: float, message: str) -> None:
        """A step for programs, or for a terminal."""
        self._said_at = self._clock()
        elapsed = self._said_at - self._started
        if self.speaks_json:
            facts = {"fraction": round(fraction, 4), "message": message, "elapsed_s": round(elapsed, 2)}
            self._json("progress", stage=stage, **facts)
        elif self._style == "bar":
            filled = round(30 * fraction)
            bar = "#" * filled + "." * (30 - filled)
            shown = one_line(message or stage)
            _tell(f"\r[{bar}] {fraction:4.0%} {elapsed:6.1f} s  {shown:.60}\033[K", end="")
            self._open_line = True

    def _end(self) -> None:
        """No step is said again."""
        self._close_line()
        self._last = None

    def _close_line(self) -> None:
        if self._open_line:
            _tell("")
            self._open_line = False

    @staticmethod
    def _json(kind: str, **content: Any) -> None:
        _answer(json.dumps({"type": kind, **content}, ensure_ascii=True))


def _on_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # it was closed
        return False


@contextmanager
def _signals_left_to_this_thread() -> Iterator[None]:
    """A thread that starts inside never hears a signal: it is for the main thread, also while that lets it wait."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ending.SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _answer(text: str) -> None:
    """Write to the standard output, at once."""
    if sys.stdout is None:  # closed by whoever started the command
        return
    try:
        print(text, flush=True)
    except BrokenPipeError as error:
        _silence(sys.stdout)
        raise ReaderGoneError("Nobody reads the output any more.") from error
    except OSError as error:
        _silence(sys.stdout)
        reason = error.strerror or error
        raise OutputError(f"The answer could not be written to the standard output: {reason}.") from error


def _tell(text: str, end: str = "\n") -> None:
    """Write to the standard error, at once, where somebody listens."""
    if sys.stderr is None:
        return
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except (OSError, ValueError):
        _silence(sys.stderr)


def _silence(stream: TextIO) -> None:
    """What is still held back for a stream that cannot be written goes nowhere, without a word at the end."""
    with suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)


def add_command(
    commands: Any, name: str, text: str, run: Callable[[argparse.Namespace, Speaker], int | None]
) -> argparse.ArgumentParser:
    """Add a command to `commands`; its options are added to what comes back.

    `run` finds what was typed as `typed` among the options.
    """
    command: argparse.ArgumentParser = commands.add_parser(name, help=text, description=text, epilog=RESEARCH_USE_ONLY)
    command.add_argument(
        "--progress",
        choices=("bar", "json", "none"),
        default="bar",
        help="how to tell the progress: bar (default; off a terminal, lines of a log), json lines, or none",
    )
    command.add_argument(
        "--settings",
        metavar="FILE",
        help="settings for all commands, TOML, or none (default: PDL1_SETTINGS, else the user's; docs/shell.md)",
    )
    command.set_defaults(run=run, parser=command)
    return command


def notes(warnings: Iterable["CaseWarning"]) -> str:
    """Warnings as lines that follow what a command says; empty without any."""
    return "".join(f"\nWarning ({warning.code}): {warning.text}" for warning in warnings)


def plain_warnings(warnings: Iterable["CaseWarning"]) -> list[dict[str, str]]:
    """Warnings for programs, as in `result.json`."""
    return [warning.to_dict() for warning in warnings]


def typed(arguments: Sequence[str]) -> str:
    """The command as one would type it again in a shell, without where the program lies."""
    return shlex.join(["pdl1", *arguments])
