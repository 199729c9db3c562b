"""How long work tells where it is, and how it is cancelled."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import perf_counter
from typing import TypeVar

from PDL1PredictorLib.core.errors import CancelledError

Item = TypeVar("Item")
Report = Callable[[str, float, str], None]
"""Receives the stage's name, the fraction of the whole that is done (0 to 1) and a sentence for people."""


class Progress:
    """Passed down through long work; a step calls `step` between its parts.

    Args:
        report: Receives every step; None keeps silent.
        cancelled: Asked at every step; when it answers True, the step raises `CancelledError`.
        note: Receives what the user should know besides, a sentence each; None keeps silent.
    """

    def __init__(
        self,
        report: Report | None = None,
        cancelled: Callable[[], bool] | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._report = report
        self._cancelled = cancelled
        self._note = note
        self._low, self._high = 0.0, 1.0
        self.seconds: dict[str, float] = {}

    def step(self, stage: str, fraction: float, message: str = "") -> None:
        """Report `fraction` (0 to 1) of the current part, and stop here if the user cancelled.

        Raises:
            CancelledError: The user cancelled.
        """
        if self._cancelled is not None and self._cancelled():
            raise CancelledError("Cancelled. Nothing was written.")
        if self._report is not None:
            share = min(max(fraction, 0.0), 1.0)
            self._report(stage, self._low + share * (self._high - self._low), message)

    def each(
        self,
        stage: str,
        items: Sequence[Item],
        words: Callable[[Item], str] = str,
        low: float = 0.0,
        high: float = 1.0,
    ) -> Iterator[Item]:
        """Go through items, each told before its turn.

        Args:
            stage: Name of the steps.
            items: In their order.
            words: What is told of an item.
            low: Fraction of the current part at the first.
            high: Fraction after the last.
        """
        for number, item in enumerate(items):
            self.step(stage, low + (high - low) * number / len(items), words(item))
            yield item

    def note(self, text: str) -> None:
        """Tell something that is neither a step nor an error."""
        if self._note is not None:
            self._note(text)

    @contextmanager
    def part(self, stage: str, low: float, high: float, message: str = "") -> Iterator["Progress"]:
        """A named stretch of the whole, from fraction `low` to `high`; its seconds add up under `seconds[stage]`."""
        self.step(stage, low, message)
        inner = Progress(self._report, self._cancelled, self._note)
        span = self._high - self._low
        inner._low, inner._high = self._low + low * span, self._low + high * span
        started = perf_counter()
        try:
            yield inner
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + perf_counter() - started
            for name, seconds in inner.seconds.items():
                self.seconds[name] = self.seconds.get(name, 0.0) + seconds


SILENT = Progress()
