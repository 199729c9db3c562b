"""Networks over a table for a number, trained as a recipe trains them: inner folds stop them, a line is learned on top.

Each of four parts of the training patients is left out of a training in turn and ends it. The network that answers is
trained on all of them, for as many epochs as were best on average. Answers of the parts that were left out give the
line from the network's number to the answer, which is flat where the network has learned nothing. The network's loss
counts rows; the line counts patients.
"""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from sklearn.model_selection import GroupKFold

from PDL1PredictorLib.learning.deep.table_settings import TableTraining, best_epoch
from PDL1PredictorLib.learning.deep.table_training import Cases, TrainedTable, train_table
from PDL1PredictorLib.learning.number import never_falling_line
from PDL1PredictorLib.learning.parts.network_table import ranked
from PDL1PredictorLib.learning.selection import fit_standardizer
from PDL1PredictorLib.learning.tables.numbers.models import Within
from PDL1PredictorLib.learning.tables.numbers.number_table import Span
from PDL1PredictorLib.networks.tabular import Bounds

INNER_FOLDS = 4
CONSTANT = 1e-9  # SD of answers that are all the same but for rounding


@dataclass(frozen=True)
class NetworkMake:
    """Makes unfitted networks; see `held_out.Make`.

    Attributes:
        how: How they are trained.
        most: Inputs, at most: those whose rank correlation with the number has p < 0.05 on the cases that teach, pruned
            at |rho| > 0.9, the most significant first. None takes all that vary.
        span: Where the number can lie.
    """

    how: TableTraining
    most: int | None
    span: Span

    def __call__(self, seed: int, n_cases: int) -> Within:
        """See the class."""
        return Within(TableNetwork(self.how, self.most, self.span, seed), self.span)


class _Taught:
    """One training: its inputs, its scale, its network."""

    def __init__(self, x: np.ndarray, values: np.ndarray, most: int | None) -> None:
        self._standardize = fit_standardizer(x)
        z, varies = self._standardize(x), self._standardize.varies
        self._columns = np.flatnonzero(varies) if most is None else ranked(z, values[:, None], varies)[:most]
        self._mean, self._sd = float(values.mean()), max(float(values.std()), 1e-9)
        self.trained: TrainedTable | None = None

    def cases(self, x: np.ndarray, values: np.ndarray) -> Cases:
        return Cases(self.inputs(x), (values[:, None] - self._mean) / self._sd)

    def inputs(self, x: np.ndarray) -> np.ndarray:
        return np.asarray(self._standardize(x)[:, self._columns])

    def bounds(self, span: Span) -> Bounds:
        return Bounds(*(None if end is None else (end - self._mean) / self._sd for end in (span.low, span.high)))

    def predict(self, x: np.ndarray) -> np.ndarray:
        if self.trained is None:
            raise ValueError("The network was not trained.")
        return np.asarray(self.trained.answers(self.inputs(x))[:, 0] * self._sd + self._mean)


class TableNetwork:
    """A network over a row of inputs for one number.

    Args:
        how: How it is trained, with patience.
        most: See `NetworkMake`.
        span: Where the number can lie.
        seed: Of the inner folds and the trainings.
    """

    def __init__(self, how: TableTraining, most: int | None, span: Span, seed: int = 1) -> None:
        self.how, self.most, self.span, self.seed = how, most, span, seed

    def fit(
        self,
        x: np.ndarray,
        values: np.ndarray,
        patients: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> Self:
        """Train by inner folds, then on all.

        Args:
            x: Inputs, (n, d).
            values: Numbers, (n,).
            patients: Of each case, (n,): a patient's cases stay in one inner fold. None: each case is a patient.
            weights: Of each case, (n,): what makes units weigh alike. None: each case is a unit.
        """
        owner = np.arange(len(values)) if patients is None else patients
        folds = GroupKFold(INNER_FOLDS, shuffle=True, random_state=self.seed)
        held_out, epochs = np.zeros(len(values)), []
        for train, test in folds.split(x, groups=owner):
            part = self._trained(x[train], values[train], self.how, (x[test], values[test]))
            held_out[test] = part.predict(x[test])
            if part.trained is not None:
                epochs.append(best_epoch(part.trained.history))
        self.epochs_ = max(1, round(float(np.mean(epochs))))
        self.kept_ = self._trained(x, values, replace(self.how, epochs=self.epochs_, patience=None), None)
        by_row = weights is None or bool((weights == 1).all())
        self.line_ = _line(values, held_out, np.arange(len(values)) if by_row else owner)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Numbers, (n,)."""
        slope, intercept = self.line_
        return np.asarray(slope * self.kept_.predict(x) + intercept)

    def _trained(
        self, x: np.ndarray, values: np.ndarray, how: TableTraining, watched: tuple[np.ndarray, np.ndarray] | None
    ) -> _Taught:
        taught = _Taught(x, values, self.most)
        fit, other = taught.cases(x, values), taught.cases(*(watched or (x[:0], values[:0])))
        taught.trained = train_table(fit, other, [taught.bounds(self.span)], how, self.seed)
        return taught


def _line(values: np.ndarray, held_out: np.ndarray, unit: np.ndarray) -> tuple[float, float]:
    """Slope and intercept from the mean answer of each unit to its number; flat where nothing was learned."""
    _, place = np.unique(unit, return_inverse=True)
    count = np.bincount(place)
    truth, answers = (np.bincount(place, weights=part) / count for part in (values, held_out))
    if answers.std() <= CONSTANT:
        return 0.0, float(truth.mean())
    return never_falling_line(truth, answers)
