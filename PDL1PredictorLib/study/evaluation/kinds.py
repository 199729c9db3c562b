"""What an evaluation makes of answers by the kind of their endpoint: arrays, cells, figures. Its one lookup."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from PDL1PredictorLib.core.endpoints import Kind
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.study.evaluation import binary_answers, number_answers, time_answers
from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome, NumberModelOutcome, TimeModelOutcome
from PDL1PredictorLib.study.report.measures import Plain

COLUMNS = ("probability", "value", "survival", "low", "high", "threshold", "positive", "prediction_set")
"""Of a row of answers, of all kinds; each fills its own."""


@dataclass(frozen=True)
class KindEvaluation:
    """How answers of one kind are evaluated.

    Attributes:
        outcome: Answers of one model, n of them, as arrays.
        volume: Volumes in mL, (n,), to what they tell; None where a raw volume is no answer to compare with.
        sets: Answers to whether negative, positive is in their prediction set, (n, 2) bool; (0, 2) of those without.
        called: Whether answers may be calls of positive and negative, which are counted apart.
        measured: Figures of one model, by title, on the rows (n,) bool of an outcome.
        figures: What a table tells of the document's numbers of one model, by name: estimates, None if not measured.
        headline: Of the figure that is told in one line: its name there, and the one for people.
        plain: Names of further numbers of a model in the document that a table tells, which have no interval.
        cells: What an answer puts below `COLUMNS`.
    """

    outcome: Callable[[Sequence[Any]], ModelOutcome | NumberModelOutcome | TimeModelOutcome]
    volume: Callable[[np.ndarray], ModelOutcome | TimeModelOutcome] | None
    sets: Callable[[Sequence[Any]], np.ndarray]
    called: bool
    measured: Callable[[EndpointOutcome, str, np.ndarray], Plain]
    figures: Callable[[Mapping[str, Any]], dict[str, Plain | None]]
    headline: tuple[str, str]
    plain: tuple[str, ...]
    cells: Callable[[Any], Plain]


def kind_evaluation(kind: Kind) -> KindEvaluation:
    """How a kind is evaluated.

    Raises:
        InputError: It cannot be evaluated yet.
    """
    if kind not in KINDS:
        raise InputError(
            f"Models can be evaluated for endpoints of the kinds {', '.join(KINDS)}, got {kind}. "
            "Leave the column out of the table."
        )
    return KINDS[kind]


KINDS: Mapping[Kind, KindEvaluation] = {
    "binary": KindEvaluation(
        outcome=binary_answers.outcome_of,
        volume=binary_answers.ranked_by_volume,
        sets=binary_answers.sets_of,
        called=True,
        measured=binary_answers.measured,
        figures=binary_answers.figures,
        headline=("auc", "AUC"),
        plain=("brier",),
        cells=binary_answers.cells,
    ),
    "number": KindEvaluation(
        outcome=number_answers.outcome_of,
        volume=None,
        sets=number_answers.no_sets,
        called=False,
        measured=number_answers.measured,
        figures=number_answers.figures,
        headline=("r2", "R2"),
        plain=(),
        cells=number_answers.cells,
    ),
    "time": KindEvaluation(
        outcome=time_answers.outcome_of,
        volume=time_answers.ranked_by_volume,
        sets=time_answers.no_sets,
        called=False,
        measured=time_answers.measured,
        figures=time_answers.figures,
        headline=("harrell", "Harrell's C"),
        plain=(),
        cells=time_answers.cells,
    ),
}
