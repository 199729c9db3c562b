"""Progress where no terminal is, such as the log of a cluster's job: a line a stage, and no long silence."""

from collections.abc import Callable
from time import perf_counter

from PDL1PredictorLib.core.outside_text import one_line

AGAIN_S = 5.0  # a stage that was told before is told again where nothing was said for so long
SILENCE_S = 10.0  # the longest; after it, that the work goes on

Told = tuple[str, float, str]


class LogLines:
    """Chooses what is worth a line.

    Every stage is told when it begins for the first time. What comes after is told where nothing was said for
    `AGAIN_S`: a study goes through the same stages hundreds of times.

    Args:
        clock: Seconds; what starts now counts from 0.
    """

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._started = self._said_at = clock()
        self._stages: set[str] = set()
        self._last: Told = ("start", 0.0, "loading what is needed")

    def step(self, stage: str, fraction: float, message: str) -> str:
        """The line for a step; empty where it has none."""
        self._last = (stage, fraction, message)
        if stage in self._stages and self._clock() - self._said_at < AGAIN_S:
            return ""
        self._stages.add(stage)
        return self._line(message or stage)

    def heartbeat(self) -> str:
        """The line that breaks a long silence; empty where there is none."""
        if self._clock() - self._said_at < SILENCE_S:
            return ""
        return self._line(f"still at work: {self._last[2] or self._last[0]}")

    def _line(self, words: str) -> str:
        self._said_at = self._clock()
        return f"{self._last[1]:4.0%} {duration(self._said_at - self._started):>9}  {one_line(words)}"


def duration(seconds: float) -> str:
    """Seconds in the words of a log: `7 s`, `2 min 5 s`, `3 h 2 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
