"""What the models of all folds answered for the test cases of an endpoint, as the outcome of a study holds it."""

from collections.abc import Callable, Sequence

import numpy as np

from PDL1PredictorLib.learning.fitting import FittedModel
from PDL1PredictorLib.learning.kinds import Answers, Fitted, HowMuch, Rules, YesNo
from PDL1PredictorLib.learning.times.rules import HowLong
from PDL1PredictorLib.study.outcome import ModelOutcome, NumberModelOutcome, TimeModelOutcome

Outcome = ModelOutcome | NumberModelOutcome | TimeModelOutcome


def model_outcome(rules: Rules, fitted: Sequence[Fitted], answers: Answers, score: np.ndarray) -> Outcome:
    """How one model did.

    Args:
        rules: Of the endpoint's kind.
        fitted: The model of every fold.
        answers: Of all test cases.
        score: Of all repetitions, (r, n); the first row is that of the answers.
    """
    tried = [rules.tried(one) for one in fitted]
    kinds = ", ".join(kind for kind, _ in tried)
    figures = {kind: float(np.mean([own[kind] for _, own in tried])) for kind in tried[0][1]}
    return OUTCOMES[type(answers)](answers, score, kinds, figures, fitted)


def _yes_no(
    answers: YesNo, score: np.ndarray, kinds: str, figures: dict[str, float], fitted: Sequence[FittedModel]
) -> ModelOutcome:
    thresholds = dict(fitted[0].thresholds) if len(fitted) == 1 else {}
    fixed = all(one.ranks_input for one in fitted)
    return ModelOutcome(score, answers.probability, answers.positive, answers.called, kinds, figures, thresholds, fixed)


def _how_much(
    answers: HowMuch, score: np.ndarray, kinds: str, figures: dict[str, float], fitted: Sequence[Fitted]
) -> NumberModelOutcome:
    return NumberModelOutcome(score, answers.value, answers.low, answers.high, kinds, figures)


def _how_long(
    answers: HowLong, score: np.ndarray, kinds: str, figures: dict[str, float], fitted: Sequence[Fitted]
) -> TimeModelOutcome:
    return TimeModelOutcome(score, answers.survival, answers.one_curve, kinds, figures)


OUTCOMES: dict[type, Callable[..., Outcome]] = {YesNo: _yes_no, HowMuch: _how_much, HowLong: _how_long}


def prediction_sets(answers: Answers) -> np.ndarray:
    """(n, 2) bool of yes/no answers; (0, 2) of others, which have intervals."""
    return answers.sets if isinstance(answers, YesNo) else np.zeros((0, 2), dtype=bool)


def all_together(parts: Sequence[Answers]) -> Answers:
    """Answers of the cases of one fold after those of another."""
    return type(parts[0])(*map(np.concatenate, zip(*parts, strict=True)))
