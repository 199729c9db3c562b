"""How often the truth of an endpoint is known in a cohort, and which answer is the scarce one."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from PDL1PredictorLib.cohort.outlook.least import LEAST_EVENTS, LEAST_NUMBERS, LEAST_PER_CLASS
from PDL1PredictorLib.cohort.table import Cohort, Label
from PDL1PredictorLib.core.endpoints import Kind, endpoint

Count = Callable[[Sequence[Label], Sequence[bool]], tuple[str, str, int]]


class Counted(NamedTuple):
    """Known truths of one endpoint.

    Attributes:
        endpoint: Its key.
        first: For tables: positive cases, or the range of a number, or how many events.
        second: For tables: negative cases, or those followed without an event; empty for a number.
        known: Cases whose truth is known.
        unknown: The others.
        scarce: Cases of what is rarest: of the rarer answer, of known values, of events.
        least: How many of these a training needs.
        what: What is counted there, in words.
    """

    endpoint: str
    first: str
    second: str
    known: int
    unknown: int
    scarce: int
    least: int
    what: str

    @property
    def text(self) -> str:
        """All of it in words."""
        told = _WORDS[endpoint(self.endpoint).kind].format(self.first, self.second) if self.known else "none known"
        return f"{told}, {self.unknown} not known" if self.known and self.unknown else told

    def to_dict(self) -> dict[str, Any]:
        """For JSON: key, title, and the counts in words and as numbers."""
        one = endpoint(self.endpoint)
        return {
            "endpoint": one.key,
            "title": one.title,
            "text": self.text,
            "known": self.known,
            "scarce": self.scarce,
        }


def counted(cohort: Cohort) -> list[Counted]:
    """Of every endpoint of the table, in its order."""
    found = []
    for key in cohort.endpoints:
        labels = [case.labels[key] for case in cohort.cases]
        events = [case.events[key] for case in cohort.cases if key in case.events]
        first, second, scarce = COUNTS[endpoint(key).kind](labels, events)
        least, what = LEAST[endpoint(key).kind]
        found.append(
            Counted(key, first, second, len(labels) - labels.count(None), labels.count(None), scarce, least, what)
        )
    return found


def kind_words(kinds: Sequence[Kind]) -> str:
    """Kinds of endpoints, for people."""
    return " and ".join(_PLURALS[kind] for kind in kinds)


def _yes_and_no(labels: Sequence[Label], _: Sequence[bool]) -> tuple[str, str, int]:
    positive, negative = labels.count(1), labels.count(0)
    return str(positive), str(negative), min(positive, negative)


def _range(labels: Sequence[Label], _: Sequence[bool]) -> tuple[str, str, int]:
    known = [label for label in labels if label is not None]
    return (f"{min(known):g} to {max(known):g}" if known else ""), "", len(known)


def _events(_: Sequence[Label], events: Sequence[bool]) -> tuple[str, str, int]:
    return f"{sum(events)} events", f"{len(events) - sum(events)} without", sum(events)


COUNTS: dict[Kind, Count] = {
    "binary": _yes_and_no,
    "number": _range,
    "time": _events,
}
LEAST: dict[Kind, tuple[int, str]] = {
    "binary": (LEAST_PER_CLASS, "cases of the rarer answer"),
    "number": (LEAST_NUMBERS, "known values"),
    "time": (LEAST_EVENTS, "events"),
}
_WORDS: dict[Kind, str] = {"binary": "{0} positive, {1} negative", "number": "{0}", "time": "{0}, {1}"}
_PLURALS: dict[Kind, str] = {"binary": "answers of yes or no", "number": "numbers", "time": "times until an event"}
