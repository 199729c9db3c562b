"""The one lookup from an answer's kind to how it is shown: in the report, on the terminal, in files, in the window."""

from collections.abc import Iterable, Mapping
from typing import Any

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import Answer, ModelSummary
from PDL1PredictorLib.report.kind.binary import BinaryRenderer
from PDL1PredictorLib.report.kind.number import NumberRenderer
from PDL1PredictorLib.report.kind.time import TimeRenderer
from PDL1PredictorLib.report.shown import Renderer
from PDL1PredictorLib.report.words import Worded

_KINDS: dict[str, Renderer[Any]] = {"binary": BinaryRenderer(), "number": NumberRenderer(), "time": TimeRenderer()}
FIRST = "binary"  # what every answer was before answers named their kind


def renderer(answer: Answer) -> Renderer[Any]:
    """How an answer is shown."""
    return _KINDS[answer.kind]


def test_sentence(model: ModelSummary, key: str) -> str:
    """How well a model did for an endpoint on test cases, in words; empty where it was not measured."""
    return _KINDS[endpoint(key).kind].test_sentence(model, key)


def verdict(answer: Answer) -> Worded:
    """What an answer comes to, in words; it is decided in `models.verdicts`."""
    return renderer(answer).verdict(answer)


def by_kind(answers: Iterable[Answer]) -> list[list[Answer]]:
    """Answers in tables of one kind each, in the order in which the kinds come."""
    tables: dict[str, list[Answer]] = {}
    for answer in answers:
        tables.setdefault(answer.kind, []).append(answer)
    return list(tables.values())


def read_answer(row: Mapping[str, Any]) -> Answer:
    """The answer of an entry of `result.json`, of schema 1.0 too, which had no kinds.

    Raises:
        KeyError: An entry is missing.
        TypeError: An entry is of another type.
        ValueError: The kind or the endpoint is not known, or a number cannot be.
    """
    kind = row.get("kind", FIRST)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise ValueError(f"the kind of answer {kind!r} is not known; this version shows {', '.join(_KINDS)}")
    answer: Answer = _KINDS[kind].read(row)
    return answer
