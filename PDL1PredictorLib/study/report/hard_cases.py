"""Hard cases: those that the lead model answered most wrongly, for a reader to look at one by one."""

from collections.abc import Mapping, Sequence

import numpy as np

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.report.measures import Plain

MOST = 8
_Answers = tuple[np.ndarray, np.ndarray, np.ndarray]  # loss, whether wrong, probability or value, each (n,)
LEAST_PROBABILITY = 1e-6  # a certain answer that is wrong has a finite loss


def hard_cases(outcome: EndpointOutcome, warnings: Mapping[str, Sequence[CaseWarning]]) -> list[Plain]:
    """The cases with the highest loss, the hardest first, `MOST` at most, none that was answered rightly.

    The loss of a yes/no answer is the logarithmic one, of the probability under cross-validation from the first
    repetition; cases that got no call have none. Of a number it is the absolute error, of values outside their
    prediction interval.

    Args:
        outcome: Of one endpoint.
        warnings: Case to what must be known of it.
    """
    if outcome.lead not in outcome.models:
        return []
    loss, wrong, answer = _of_numbers(outcome) if outcome.kind == "number" else _of_calls(outcome)
    rows = np.flatnonzero(wrong)
    hardest = rows[np.argsort(-loss[rows], kind="stable")][:MOST]
    return [
        {
            "case": outcome.cases[row],
            "truth": _truth(outcome, row),
            "answer": float(answer[row]),
            "loss": float(loss[row]),
            "groups": {factor: levels[row] for factor, levels in outcome.groups.items() if levels[row]},
            "warnings": [one.text for one in warnings.get(outcome.cases[row], ())],
        }
        for row in hardest.tolist()
    ]


def _of_calls(outcome: EndpointOutcome) -> _Answers:
    model = outcome.binary_models()[outcome.lead]
    labels = np.asarray(outcome.labels).astype(bool)
    p_true = np.where(labels, model.probability, 1 - model.probability)
    loss = -np.log(np.maximum(p_true, LEAST_PROBABILITY))
    return loss, model.called & (model.positive != labels), model.probability


def _of_numbers(outcome: EndpointOutcome) -> _Answers:
    model = outcome.number_models()[outcome.lead]
    truth = np.asarray(outcome.labels)
    outside = (truth < model.low) | (truth > model.high)
    return np.abs(truth - model.value), outside, model.value


def _truth(outcome: EndpointOutcome, row: int) -> str | float:
    words = endpoint(outcome.key)
    value = float(outcome.labels[row])
    if outcome.kind == "number":
        return value
    return words.positive if value else words.negative
