"""How a background run ended, in one sentence and what to do: from its exit status and what it said last."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _

DONE, CANCELLED, REFUSED, CRASHED = "done", "cancelled", "refused", "crashed"
EXIT_REFUSED, EXIT_SOME_FAILED, EXIT_INTERRUPTED = 2, 3, 130
KILLED_STATUSES = (137, 143, 9, 15)  # 128 + SIGKILL or SIGTERM, as a shell or a launcher hands them on


@dataclass(frozen=True)
class Outcome:
    """The end of a run.

    Attributes:
        kind: `done`, `cancelled`, `refused` (the input cannot be used) or `crashed` (anything else).
        message: One sentence for the user; empty when done.
        what_to_do: What the user can do about it; may be empty where the message says it already.
        package: The Python package that is to blame; empty for anything else.
    """

    kind: str
    message: str = ""
    what_to_do: str = ""
    package: str = ""

    @property
    def text(self) -> str:
        """Message and advice in one line."""
        return f"{self.message} {self.what_to_do}".strip()


@dataclass(frozen=True)
class Said:
    """What a run says of its own end, in its `error` line.

    Attributes:
        message: One sentence for the user.
        bug: It is the program's fault, not the input's.
        log: Path of the file that says more; empty if there is none.
        cause: `memory`, `killed` or `missing_package`, which have words of their own here; else empty.
        package: Which package is missing.
    """

    message: str
    bug: bool = False
    log: str = ""
    cause: str = ""
    package: str = ""


def said_in(line: Mapping[str, Any]) -> Said:
    """An `error` line as it came."""

    def text(name: str) -> str:
        value = line.get(name)
        return value if isinstance(value, str) else ""

    return Said(text("message"), line.get("bug") is True, text("log"), text("cause"), text("package"))


def cancelled(message: str = "") -> Outcome:
    """The user, or the end of the scene, stopped it."""
    return Outcome(CANCELLED, message or _("Cancelled. Nothing was kept."))


def not_started(command: str) -> Outcome:
    """The program itself could not be started."""
    return Outcome(
        CRASHED,
        _("The background process could not be started: {command}.").format(command=command),
        _("Install 3D Slicer again, or allow your security software to run it."),
    )


def outcome_of(exit_code: int, killed: bool, error: Said | None, lines: Sequence[str]) -> Outcome:
    """How a process that was not cancelled ended.

    Args:
        exit_code: As the system gives it.
        killed: It did not end by itself.
        error: Its `error` line, if it wrote one.
        lines: What it wrote to its log, the last lines at least.
    """
    if exit_code in (0, EXIT_SOME_FAILED) and not killed:  # what failed of a batch was told case by case
        return Outcome(DONE)
    if error and not error.bug and exit_code == EXIT_REFUSED and not killed:
        return _by_cause(error) or Outcome(REFUSED, error.message)
    text = "\n".join([*lines, error.message] if error else lines)
    for pattern, explain in _CAUSES:
        found = re.search(pattern, text)
        if found:
            return explain(found)
    if exit_code == EXIT_INTERRUPTED or killed or exit_code < 0 or exit_code in KILLED_STATUSES:
        return _stopped()
    if error and not killed:
        return _own_fault(error)
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    return Outcome(
        CRASHED,
        _("The prediction stopped by an error it did not expect (exit status {code}): {last}").format(
            code=exit_code, last=last or _("it said nothing")
        ),
        _("Open the log, and report it with the log's text."),
    )


def _by_cause(error: Said) -> Outcome | None:
    if error.cause == "missing_package":
        return _missing_package(error.package)
    if error.cause == "memory":
        return _out_of_memory()
    return _stopped() if error.cause == "killed" else None


def _own_fault(error: Said) -> Outcome:
    if error.log:
        return Outcome(CRASHED, error.message, _("Report it with the log {file}.").format(file=error.log))
    return Outcome(CRASHED, error.message, _("Open the log, and report it with the log's text."))


def _stopped() -> Outcome:
    return Outcome(
        CRASHED,
        _("The background process was ended from outside, most often because the computer ran out of memory."),
        _("Close other programs and predict again. If it happens again, crop the CT to the chest first."),
    )


def _missing_package(name: str) -> Outcome:
    return Outcome(
        CRASHED,
        _("The Python package {name} is missing or does not work.").format(name=name),
        _("Press Repair packages in section 4, then predict again."),
        package=name,
    )


def _out_of_memory() -> Outcome:
    return Outcome(
        CRASHED,
        _("The computer ran out of memory."),
        _("Close other programs, choose the device CPU, or crop the CT to the chest; then predict again."),
    )


def _disk_full(_found: re.Match[str]) -> Outcome:
    return Outcome(
        CRASHED,
        _("The disk is full: the result could not be written."),
        _("Free some space, or choose another temporary folder (Edit, Application Settings, General)."),
    )


_CAUSES: tuple[tuple[str, Callable[[re.Match[str]], Outcome]], ...] = (
    (r"ModuleNotFoundError: No module named '([\w.]+)'", lambda found: _missing_package(found[1])),
    (r"ImportError: .*?\b([\w.-]+)\b.*(?:DLL|shared object|library)", lambda found: _missing_package(found[1])),
    (
        r"MemoryError|[Oo]ut of memory|[Nn]ot enough memory|Unable to allocate|std::bad_alloc",
        lambda _found: _out_of_memory(),
    ),
    (r"No space left on device|Errno 28\b|WinError 112\b", _disk_full),
    (r"exit abnormally", lambda _found: _stopped()),  # what Slicer's launcher says of a child that was ended
)
