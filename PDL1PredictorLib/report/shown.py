"""What a page shows of an answer, whatever its kind: the shapes that `report.kinds` fills."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from PDL1PredictorLib.core.results import Answer, ModelSummary
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.report.words import Worded

A = TypeVar("A", contravariant=True)


@dataclass(frozen=True)
class Scale:
    """An answer on a line between the least and the greatest that it can be.

    Attributes:
        low: Left end, in the answer's unit.
        high: Right end.
        value: The answer.
        interval: Its interval.
        mark: Where the call changes; None without a call.
        mark_text: What stands beside the mark.
        ticks: Places that are named, with their names.
        moved: The answers under moved contours; None if that was not tried.
    """

    low: float
    high: float
    value: float
    interval: tuple[float, float]
    mark: float | None
    mark_text: str
    ticks: tuple[tuple[float, str], ...]
    moved: tuple[float, float] | None = None

    def share(self, value: float) -> float:
        """How far along the line a value lies, 0 to 1."""
        return min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)


class Number(NamedTuple):
    """A number of an answer, for files that name and code each.

    Attributes:
        what: Its name for programs, such as `probability`.
        words: The same for people.
        value: The number.
        unit: Its unit; empty for a share.
    """

    what: str
    words: str
    value: float
    unit: str


@dataclass(frozen=True)
class Heads:
    """Titles of the columns of a table of answers of one kind.

    Attributes:
        value: Of the answers.
        interval: Of their intervals.
        scale: Of their bars; empty where each has its own ends.
        test: Of how well the model did.
        finding: Of the answers in the window, where a bar holds the word.
        short_interval: Of the intervals in the window.
        cut: Of the thresholds; empty without any.
        note: What a reader of the table must know.
    """

    value: str
    interval: str
    scale: str
    test: str
    finding: str
    short_interval: str
    cut: str
    note: str


@dataclass(frozen=True)
class Explained:
    """How the contributions to an answer are to be read.

    Attributes:
        lowers: What an effect below 0 moves it towards.
        raises: What an effect above 0 moves it towards.
        unit: Of the effects.
        least: Effect that fills the chart at least, so that noise does not look like much.
        note: A sentence about the effects.
    """

    lowers: str
    raises: str
    unit: str
    least: float
    note: str


def cells(number: float, answer: Answer, name: str) -> dict[str, Any]:
    """Columns of a table of many cases: what an answer comes to, its number, its ends, and how it moves.

    Args:
        number: Of the answer.
        answer: With its verdict.
        name: Of the column that holds the number. Where it is not answered, that is empty and the number stands in
            `withheld`.
    """
    low, high = answer.uncertainty or answer.interval
    given = answer.verdict.answered
    moved = answer.stability
    return {
        "verdict": answer.verdict.status,
        "call": answer.verdict.call,
        "reasons": answer.verdict.codes,
        name: number if given else None,
        "low": low if given else None,
        "high": high if given else None,
        "stability": None if moved is None else moved[1] - moved[0],
        "withheld": None if given else number,
    }


def model_words(title: str, role: Role) -> str:
    """Which model answers; one that is not the recipe's own says why it does. Empty where that is not known."""
    why = {"lead": "", "part": ", as good as the whole recipe", "baseline": ", a simple model that is as good"}
    return f"{title}{why[role]}" if title else ""


class Renderer(Protocol[A]):
    """One kind of answer in words and numbers, for every page and file that shows answers."""

    def verdict(self, answer: A) -> Worded:
        """What it comes to: the answer's verdict in words."""
        ...

    def value(self, answer: A) -> str:
        """Its number with the unit, such as `62 %`."""
        ...

    def interval(self, answer: A) -> str:
        """Its interval, such as `48 to 74 %`."""
        ...

    def ends(self, answer: A, ends: tuple[float, float]) -> str:
        """Another interval of it in the same words, such as its range under moved contours."""
        ...

    def interval_name(self, answer: A) -> str:
        """What the interval is, such as `95 % interval`."""
        ...

    def facts(self, answer: A) -> tuple[tuple[str, str], ...]:
        """What stands beside the call: each with its name, those that are known alone."""
        ...

    def cut(self, answer: A) -> str:
        """The threshold of a call; empty without one."""
        ...

    def bar(self, answer: A) -> str:
        """Words for a bar that shows the number."""
        ...

    def brief(self, answer: A) -> str:
        """Number and call in one cell."""
        ...

    def question(self, key: str) -> str:
        """What a column of such numbers is of, such as `PD-L1: positive`."""
        ...

    def sentences(self, answer: A) -> tuple[str, ...]:
        """What the number is, so that nobody can read it the other way round; what its words mean."""
        ...

    def meaning(self, answer: A) -> str:
        """What the number is of, for the report: begins with a capital, ends with a full stop."""
        ...

    def scale(self, answer: A) -> Scale:
        """Its place between the ends."""
        ...

    def explained(self, answer: A) -> Explained:
        """How its contributions are to be read."""
        ...

    def heads(self, answer: A) -> Heads:
        """Titles of a table of such answers."""
        ...

    def test(self, model: ModelSummary, key: str) -> str:
        """How well the model did on its test cases, for a table; empty where that was not measured."""
        ...

    def test_sentence(self, model: ModelSummary, key: str) -> str:
        """The same as a sentence."""
        ...

    def fields(self, answer: A) -> dict[str, Any]:
        """What `result.json` holds of it, beside what all kinds have in common."""
        ...

    def numbers(self, answer: A) -> tuple[Number, ...]:
        """What the answer is in numbers, each with its name and unit, the answer itself first."""
        ...

    def cells(self, answer: A) -> dict[str, Any]:
        """Columns of a table of many cases, by the end of their names."""
        ...

    def read(self, row: Mapping[str, Any]) -> Any:
        """The answer of an entry of `result.json`, checked.

        Raises:
            KeyError: An entry is missing.
            TypeError: An entry is of another type.
            ValueError: A number cannot be.
        """
        ...
