"""Answers to a question of how much in an evaluation: as arrays, as cells, and how good they are."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from PDL1PredictorLib.core.results import NumberAnswer
from PDL1PredictorLib.study.outcome import EndpointOutcome, NumberModelOutcome
from PDL1PredictorLib.study.report.measures import Plain, counted


def outcome_of(answers: Sequence[NumberAnswer]) -> NumberModelOutcome:
    """Answers of one model as arrays."""
    value = np.array([answer.value for answer in answers])
    low, high = np.array([answer.interval for answer in answers]).T
    return NumberModelOutcome(value[None], value, low, high, answers[0].model or "as in the bundle", {})


def no_sets(answers: Sequence[NumberAnswer]) -> np.ndarray:
    """None: a number has an interval instead, (0, 2)."""
    return np.zeros((0, 2), dtype=bool)


def measured(outcome: EndpointOutcome, title: str, rows: np.ndarray) -> Plain:
    """`cases`, `mae` (mean absolute error) and `covered` (values inside the prediction interval)."""
    model = outcome.number_models()[title]
    truth, value, low, high = (part[rows] for part in (outcome.labels, model.value, model.low, model.high))
    return {
        "cases": int(rows.sum()),
        "mae": float(np.abs(truth - value).mean()) if rows.any() else None,
        "covered": counted((low <= truth) & (truth <= high)) if rows.any() else None,
    }


def figures(model: Mapping[str, Any]) -> dict[str, Plain | None]:
    """Of the document's numbers of one model: R² and mean absolute error."""
    return {name: model[name] for name in ("r2", "mae")}


def cells(answer: NumberAnswer) -> Plain:
    """Of a row of `predictions.csv`."""
    return {"value": answer.value}
