"""The simplest of the best models of a number, by their squared errors on the same held-out cases."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.statistics.agreement import compare_errors, mean_squared_error, r_squared, redrawn, with_interval
from PDL1PredictorLib.study.outcome import EndpointOutcome

LEAST = 10  # cases; with fewer nothing is compared


class Simplest(NamedTuple):
    """A model that was chosen.

    Attributes:
        title: Of the model.
        reason: One sentence.
    """

    title: str
    reason: str


def simplest_of_numbers(outcome: EndpointOutcome, titles: Sequence[str]) -> Simplest | None:
    """The first model whose squared error is within one standard error of the smallest one.

    Among those whose interval of R2 lies above 0, as long as there is one. The standard error is that of the paired
    difference.

    Args:
        outcome: Of a number on held-out cases.
        titles: Of the models that learned something, the simplest first.

    Returns:
        None where there are too few cases or models to compare.

    Source: Breiman et al. 1984, "Classification and Regression Trees", 3.4.3 (one standard error rule).
    """
    models, observed = outcome.number_models(), np.asarray(outcome.labels, dtype=float)
    there = [title for title in titles if title in models]
    if not there or len(observed) < LEAST or np.ptp(observed) == 0:
        return None
    if len(there) == 1:
        return Simplest(there[0], "It is the only model that learned anything.")
    r2 = {title: _r2(observed, models[title].value) for title in there}
    compared = [title for title in there if r2[title][1] > 0] or there
    errors = {title: float(mean_squared_error(observed, models[title].value)) for title in compared}
    best = min(compared, key=lambda title: errors[title])
    chosen = next(title for title in compared if _as_good(observed, models[title].value, models[best].value))
    if chosen == best:
        return Simplest(
            best, f"It has the smallest squared error on held-out cases (R2 {r2[best][0]:.2f}), and no simpler model "
            "comes within its error."
        )  # fmt: skip
    return Simplest(
        chosen, f"Its squared error on held-out cases (R2 {r2[chosen][0]:.2f}) is within one standard error of that of "
        f"{best} (R2 {r2[best][0]:.2f}), which is less simple."
    )  # fmt: skip


def _r2(observed: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """R2 and the lower end of its interval."""
    value, (low, _) = with_interval(r_squared, observed, predicted, redrawn(len(observed)))
    return value, low


def _as_good(observed: np.ndarray, one: np.ndarray, best: np.ndarray) -> bool:
    test = compare_errors(observed, one, best)
    return bool(test.difference <= 0 or test.t <= 1)
