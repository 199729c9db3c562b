"""One background process: its progress, its log, its end; nothing of it stays when it is cancelled.

The command speaks in JSON lines (`--progress json`): `progress`, then `result` or `error`. Anything else that it writes
is log: lines that are torn or cannot be decoded are shown as they are, never an error of their own.
"""

import contextlib
import dataclasses
import json
import shutil
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.outcome import Outcome, Said, cancelled, not_started, outcome_of, said_in
from PDL1PredictorGUI.setup import processes
from PDL1PredictorGUI.setup.run_folders import remove_folder

GRACE_SECONDS = 3.0  # for a cancelled process to stop by itself
LOOK_AGAIN_SECONDS = 2.0  # how often the process's children are looked up while it speaks
KEPT_LINES = 400
_ended: list[Any] = []  # processes whose last signal may still be on its way through PythonQt

OnProgress = Callable[[str, float, str, float], None]
OnLog = Callable[[str], None]
OnEnd = Callable[[Outcome], None]
OnMessage = Callable[[str, dict[str, Any]], bool]

__all__ = ["Job", "Outcome"]


class Job:
    """Runs one command at a time; may be used again after it has ended.

    Args:
        on_progress: Receives the stage, the fraction done (0 to 1), a sentence, and the seconds so far.
        on_log: Receives every other line.
        on_end: Receives the outcome, once, when no process and, unless it is done, no file is left.
        on_message: Receives the kind and the content of every other JSON message, and says whether it was taken; one
            that was not is a line for the log.
    """

    def __init__(
        self,
        on_progress: OnProgress | None = None,
        on_log: OnLog | None = None,
        on_end: OnEnd | None = None,
        on_message: OnMessage | None = None,
    ) -> None:
        self._on_progress = on_progress
        self._on_log = on_log
        self._on_end = on_end
        self._on_message = on_message
        self._process: Any = None
        self._outcome: Outcome | None = None

    @property
    def running(self) -> bool:
        """Whether a process runs, or is being ended."""
        return self._process is not None

    @property
    def cancelling(self) -> bool:
        """Whether it was asked to stop and has not yet."""
        return self.running and self._cancelled is not None

    @property
    def outcome(self) -> Outcome | None:
        """How the last run ended; None before, and while one runs."""
        return self._outcome

    @property
    def process_id(self) -> int:
        """The system's number of the process; 0 when none runs."""
        return int(self._process.processId()) if self._process is not None else 0

    def start(
        self,
        command: Sequence[str],
        env: Mapping[str, str] | None = None,
        folder: Path | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Starts a command; returns at once.

        Args:
            command: Program and arguments.
            env: Variables to set besides those of Slicer.
            folder: The run's own folder: removed at the end unless the run is done.
            cwd: Where the command works.

        Raises:
            RuntimeError: The last one still runs.
        """
        if self.running:
            raise RuntimeError("a run is still under way; wait for its end")
        self._outcome = None
        self._folder = folder
        self._command = list(command)
        self._tails = {"out": b"", "err": b""}
        self._lines: deque[str] = deque(maxlen=KEPT_LINES)
        self._error: Said | None = None
        self._cancelled: str | None = None
        self._kill_at = 0.0
        self._known: list[processes.Member] = []
        self._looked_at = 0.0
        self._process = process = qt.QProcess()
        environment = qt.QProcessEnvironment.systemEnvironment()
        for name, value in (env or {}).items():
            environment.insert(name, value)
        process.setProcessEnvironment(environment)
        if cwd is not None:
            process.setWorkingDirectory(str(cwd))
        process.connect("readyReadStandardOutput()", self._read)
        process.connect("readyReadStandardError()", self._read)
        process.connect("finished(int,QProcess::ExitStatus)", self._on_finished)
        process.connect("errorOccurred(QProcess::ProcessError)", self._on_error)
        slicer.app.connect("aboutToQuit()", self.stop)
        process.start(self._command[0], self._command[1:])

    def cancel(self, message: str = "") -> None:
        """Asks the process and its children to stop, and ends them if they do not; returns at once.

        Args:
            message: What the outcome says; empty for the usual words.
        """
        if not self.running or self.cancelling:
            return
        self._cancelled = message or cancelled().message
        self._look_at_family()
        self._kill_at = time.monotonic() + GRACE_SECONDS
        run = self._process
        processes.ask_to_end(self.process_id)
        qt.QTimer.singleShot(int(1000 * GRACE_SECONDS), lambda: self._kill(run))

    def stop(self, message: str = "") -> None:
        """Cancels, and comes back when nothing is left: for the end of the application."""
        self.cancel(message)
        self.wait(GRACE_SECONDS + 2)

    def wait(self, seconds: float | None = None) -> Outcome | None:
        """Waits for the end without giving the window a turn; None if it still runs after `seconds`."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while self._process is not None and (deadline is None or time.monotonic() < deadline):
            run = self._process
            run.waitForFinished(50)  # hands on the process's signals
            if self._process is run and self.cancelling and time.monotonic() > self._kill_at:
                self._kill(run)
        return None if self.running else self._outcome

    # --- what the process does

    def _read(self) -> None:
        if self._process is None:
            return
        for channel, read in (
            ("out", self._process.readAllStandardOutput),
            ("err", self._process.readAllStandardError),
        ):
            *lines, self._tails[channel] = (self._tails[channel] + bytes(read().data())).split(b"\n")
            for line in lines:
                self._take(line, channel)
        if time.monotonic() - self._looked_at > LOOK_AGAIN_SECONDS:
            self._look_at_family()

    def _take(self, raw: bytes, channel: str) -> None:
        line = raw.decode("utf-8", errors="replace").rstrip("\r")
        if not line.strip():
            return
        if channel == "out" and self._take_message(line):
            return
        self._lines.append(line)
        if self._on_log is not None:
            self._on_log(line)

    def _take_message(self, line: str) -> bool:
        """Whether a line was one of the command's JSON messages."""
        try:
            said = json.loads(line)
        except ValueError:  # a torn line, or what some package prints
            return False
        kind = said.get("type") if isinstance(said, dict) else None
        if kind == "progress":
            return self._take_progress(said)
        if kind == "error" and isinstance(said.get("message"), str):
            self._error = said_in(said)
            return True
        if self._on_message is not None and isinstance(kind, str) and self._on_message(kind, said):
            return True
        return kind == "result"

    def _take_progress(self, said: dict[str, Any]) -> bool:
        try:
            fraction, elapsed = float(said["fraction"]), float(said.get("elapsed_s", 0.0))
        except (KeyError, TypeError, ValueError):
            return False
        if self._on_progress is not None and not self.cancelling:
            stage, text = str(said.get("stage", "")), str(said.get("message", ""))
            self._on_progress(stage, min(max(fraction, 0.0), 1.0), text, elapsed)
        return True

    def _look_at_family(self) -> None:
        """Remembers the children: if the launcher is ended from outside, they can no longer be found through it."""
        self._looked_at = time.monotonic()
        self._known = list(dict.fromkeys([*self._known, *processes.family(self.process_id)]))

    def _kill(self, run: Any) -> None:
        if run is self._process:  # not a later run
            processes.end(self.process_id, self._known)

    # --- its end

    def _on_error(self, error: Any) -> None:
        if error == qt.QProcess.FailedToStart:  # every other error is followed by the end of the process
            self._finish(not_started(self._command[0]))

    def _on_finished(self, exit_code: int, status: Any) -> None:
        self._read()
        for channel, tail in self._tails.items():  # a last line without an end
            self._take(tail, channel)
        killed = status == qt.QProcess.CrashExit
        if self._cancelled is not None:
            self._finish(cancelled(self._cancelled))
        else:
            self._finish(outcome_of(exit_code, killed, self._kept(self._error), self._lines))

    def _kept(self, error: Said | None) -> Said | None:
        """The error, its log brought out of the folder that is about to go."""
        folder = self._folder
        if error is None or not error.log or folder is None:
            return error
        log = folder / error.log  # a path that is whole stays as it is
        if folder not in log.parents or not log.is_file():
            return error
        target = folder.with_name(f"{folder.name}.log")
        with contextlib.suppress(OSError):
            shutil.copyfile(log, target)
            return dataclasses.replace(error, log=str(target))
        return error

    def _finish(self, outcome: Outcome) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        left = processes.end(0, self._known)
        if left and self._on_log is not None:
            self._on_log(_("These processes could not be ended: {list}").format(list=[member.pid for member in left]))
        if outcome.kind != "done" and self._folder is not None:
            remove_folder(self._folder)
        with contextlib.suppress(AttributeError, RuntimeError):  # the application may be going
            slicer.app.disconnect("aboutToQuit()", self.stop)
        # Python's last reference would delete the object in the middle of its own signal: one goes on to the next turn
        _ended.append(process)
        qt.QTimer.singleShot(0, lambda: _ended.remove(process))
        self._outcome = outcome
        if self._on_end is not None:
            self._on_end(outcome)
