"""Any command of the library as a background process: its progress, its log, and what it found."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

from slicer.i18n import tr as _

from PDL1PredictorGUI.background.job import Job, OnLog, OnProgress
from PDL1PredictorGUI.background.outcome import CRASHED, Outcome
from PDL1PredictorGUI.setup.library import background_environment, python_executable

OnFound = Callable[[Outcome, dict[str, Any]], None]


class Command:
    """Runs one command of `pdl1` at a time; may be used again after it has ended.

    Args:
        on_progress: Receives the stage, the fraction done (0 to 1), a sentence, and the seconds so far.
        on_log: Receives every other line.
        on_end: Receives the outcome and what the command found; that is empty unless it is done.
        advice: What to do after a crash.
    """

    def __init__(
        self,
        on_progress: OnProgress | None = None,
        on_log: OnLog | None = None,
        on_end: OnFound | None = None,
        advice: str = "",
    ) -> None:
        self._on_end, self._advice = on_end, advice
        self._found: dict[str, Any] = {}
        self._job = Job(on_progress, on_log, self._ended, self._take)

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self._job.running

    @property
    def process_id(self) -> int:
        """The system's number of the process; 0 when none runs."""
        return self._job.process_id

    def start(self, words: Sequence[str]) -> None:
        """Starts; returns at once.

        Args:
            words: The command and its arguments, paths absolute.

        Raises:
            RuntimeError: The last one still runs.
            FileNotFoundError: Slicer's own installation is not complete.
        """
        self._found = {}
        self._job.start(program_of(words), background_environment())

    def cancel(self, message: str = "") -> None:
        """Stops it; returns at once."""
        self._job.cancel(message)

    def stop(self, message: str = "") -> None:
        """Stops it and waits for that: for the end of the module."""
        self._job.stop(message)

    def _take(self, kind: str, said: dict[str, Any]) -> bool:
        if kind == "result":
            self._found = said
        return kind == "result"

    def _ended(self, outcome: Outcome) -> None:
        if outcome.kind == CRASHED and not outcome.package:
            outcome = dataclasses.replace(outcome, what_to_do=self._advice or _("Open the log, and report its text."))
        if self._on_end is not None:
            self._on_end(outcome, self._found)


def program_of(words: Sequence[str]) -> list[str]:
    """A command of `pdl1` as what is started for it."""
    return [python_executable(), "-m", "PDL1PredictorLib", *words, "--progress", "json"]
