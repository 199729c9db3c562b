"""From a model's number to an answer with its interval and its explanation: one way for each kind of endpoint."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.core.results import Answer, BinaryAnswer, Contribution, NumberAnswer
from PDL1PredictorLib.explain.shapley import MAX_INPUTS, grouped_shapley
from PDL1PredictorLib.models.schema.endpoints import BinaryRule, EndpointModel, Linear, NumberRule
from PDL1PredictorLib.statistics.conformal import prediction_set
from PDL1PredictorLib.statistics.scores import calibrated_log_odds, expit

INTERVAL = (2.5, 97.5)  # percentiles
Score = Callable[[np.ndarray], np.ndarray]
"""Rows of standardized inputs (n, d) to the model's own numbers (n,)."""


@dataclass(frozen=True, eq=False)
class Question:
    """What one endpoint's answer is computed from.

    Attributes:
        model: How.
        names: Of the inputs, d of them.
        row: The case's standardized inputs, (d,).
        score: The model's number: log-odds of its classifier, or the sum of its linear model.
        calibrations: Resampled (slope, intercept), (n, 2); none, (0, 2), for a number.
        coverage: Of the prediction set or interval, by design.
    """

    model: EndpointModel
    names: tuple[str, ...]
    row: np.ndarray
    score: Score
    calibrations: np.ndarray
    coverage: float


def answer_to(question: Question) -> Answer:
    """The answer, by the endpoint's kind."""
    return _KINDS[question.model.rule.kind](question, question.model.rule)


def _yes_or_no(question: Question, rule: BinaryRule) -> BinaryAnswer:
    raw = question.score(question.row[None])[0]
    probability = float(expit(calibrated_log_odds(rule.slope, rule.intercept, raw)))
    resampled = question.calibrations
    low, high = np.percentile(expit(resampled[:, 0] * raw + resampled[:, 1]), INTERVAL)
    return BinaryAnswer(
        endpoint=question.model.key,
        probability=probability,
        interval=(min(float(low), probability), max(float(high), probability)),
        threshold=rule.threshold,
        positive=probability >= rule.threshold,
        prediction_set=prediction_set(probability, rule.conformal),
        coverage=question.coverage,
        contributions=_shapley(
            question, lambda rows: calibrated_log_odds(rule.slope, rule.intercept, question.score(rows))
        ),
    )


def _how_much(question: Question, rule: NumberRule) -> NumberAnswer:
    raw = float(question.score(question.row[None])[0])
    value = _clipped(rule.slope * raw + rule.intercept, rule)
    effects = rule.slope * _terms(question.model.model, question.row)
    return NumberAnswer(
        endpoint=question.model.key,
        value=value,
        interval=(_clipped(value - rule.half_width, rule), _clipped(value + rule.half_width, rule)),
        coverage=question.coverage,
        contributions=_sorted(
            Contribution(name, float(z), float(effect))
            for name, z, effect in zip(question.names, question.row, effects, strict=True)
        ),
    )


_KINDS: dict[str, Callable[..., Answer]] = {"binary": _yes_or_no, "number": _how_much}


def _terms(linear: str | Linear, row: np.ndarray) -> np.ndarray:
    """What each input adds to the sum of a linear model, exactly."""
    if not isinstance(linear, Linear):
        raise TypeError("a number has a linear model; the manifest lets no other pass")
    return np.asarray(np.array(linear.coefficients) * row)


def _clipped(value: float, rule: NumberRule) -> float:
    low, high = rule.clip
    return min(max(value, -math.inf if low is None else low), math.inf if high is None else high)


def _shapley(question: Question, score: Score) -> tuple[Contribution, ...]:
    """Exact shares of the inputs; where they are too many to try every coalition, of whole parts of them."""
    groups = _groups(question)
    shares = grouped_shapley(score, question.row, np.zeros_like(question.row), list(groups.values()))
    return _sorted(
        Contribution(name, float(question.row[members[0]]) if len(members) == 1 else math.nan, float(effect))
        for (name, members), effect in zip(groups.items(), shares.values, strict=True)
    )


def _groups(question: Question) -> dict[str, list[int]]:
    """Inputs that are explained together, by a name; each alone as long as there are few."""
    if len(question.names) <= MAX_INPUTS:
        return {name: [i] for i, name in enumerate(question.names)}
    selected = set(question.model.selected)
    groups: dict[str, list[int]] = {}
    for i, name in enumerate(question.names):
        whole = "selected_features" if name in selected else "deep_features" if name.startswith("deep_") else name
        groups.setdefault(whole, []).append(i)
    return groups


def _sorted(contributions: Iterable[Contribution]) -> tuple[Contribution, ...]:
    return tuple(sorted(contributions, key=lambda c: -abs(c.effect)))
