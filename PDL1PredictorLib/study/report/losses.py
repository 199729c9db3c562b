"""How wrong the lead model was on each case, by kind of endpoint, and what would have been right."""

from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.study.outcome import EndpointOutcome

LEAST_PROBABILITY = 1e-6  # a certain answer that is wrong has a finite loss


class Losses(NamedTuple):
    """Of the lead model's answers to n cases.

    Attributes:
        loss: Of each, (n,); the greater, the worse.
        wrong: Whether it was answered wrongly, (n,) bool.
        answer: Probability or value, (n,).
    """

    loss: np.ndarray
    wrong: np.ndarray
    answer: np.ndarray


def losses_of_calls(outcome: EndpointOutcome) -> Losses:
    """The logarithmic loss of the probability, under cross-validation from the first repetition.

    A case is wrong where its call is; one that got no call is not.
    """
    model = outcome.binary_models()[outcome.lead]
    labels = np.asarray(outcome.labels).astype(bool)
    p_true = np.where(labels, model.probability, 1 - model.probability)
    loss = -np.log(np.maximum(p_true, LEAST_PROBABILITY))
    return Losses(loss, model.called & (model.positive != labels), model.probability)


def losses_of_numbers(outcome: EndpointOutcome) -> Losses:
    """The absolute error in the endpoint's unit; a value is wrong if the truth is outside its prediction interval."""
    model = outcome.number_models()[outcome.lead]
    truth = np.asarray(outcome.labels)
    outside = (truth < model.low) | (truth > model.high)
    return Losses(np.abs(truth - model.value), outside, model.value)


def true_word(outcome: EndpointOutcome, row: int) -> str:
    """The word for a case's true answer, yes or no."""
    words = endpoint(outcome.key)
    return words.positive if outcome.labels[row] else words.negative


def true_number(outcome: EndpointOutcome, row: int) -> float:
    """A case's true value, in the endpoint's unit."""
    return float(outcome.labels[row])
