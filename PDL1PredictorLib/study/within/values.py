"""A model within another as plain values: the path of its LASSO, its classifiers, the nomogram of both."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Tick(NamedTuple):
    """A mark of an axis.

    Attributes:
        label: What stands there.
        points: Where, in points.
    """

    label: str
    points: float


@dataclass(frozen=True)
class Axis:
    """One input of a nomogram."""

    name: str
    ticks: tuple[Tick, ...]


@dataclass(frozen=True)
class Nomogram:
    """A logistic regression to be read off: points of every input add up, and the sum gives the probability.

    Attributes:
        axes: Of the inputs; the widest spans 100 points.
        most: Greatest sum of points.
        totals: Probabilities, in words, at their sums of points.
        log_odds_per_point: What a point is worth.
        least_log_odds: At 0 points.
    """

    axes: tuple[Axis, ...]
    most: float
    totals: tuple[Tick, ...]
    log_odds_per_point: float
    least_log_odds: float

    def log_odds(self, points: float) -> float:
        """At a sum of points."""
        return self.least_log_odds + self.log_odds_per_point * points


@dataclass(frozen=True, eq=False)
class Path:
    """Coefficients of a LASSO under every penalty.

    Attributes:
        names: Of the features that entered, d of them.
        penalties: Inverse strengths, ascending, (p,).
        coefficients: (p, d).
        loss: Mean log loss of held-out cases under each, (p,).
        error: Its standard error over the folds, (p,).
        best: Which penalty has the least loss.
    """

    names: tuple[str, ...]
    penalties: np.ndarray
    coefficients: np.ndarray
    loss: np.ndarray
    error: np.ndarray
    best: int


@dataclass(frozen=True, eq=False)
class Within:
    """Of an endpoint.

    Attributes:
        title: Of the model within.
        classifier: The kind that was chosen.
        mean_auc: Mean cross-validated AUC in training of every kind, selection included.
        path: Of the LASSO; None where no feature went with the answer.
        nomogram: Of the lead model; None where it has no other input, or learned nothing.
    """

    title: str
    classifier: str
    mean_auc: dict[str, float]
    path: Path | None
    nomogram: Nomogram | None
