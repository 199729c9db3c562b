"""The models of a number that a table is given to, and what answers without looking at it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from sklearn.ensemble import RandomForestRegressor

from PDL1PredictorLib.learning.number import clipped
from PDL1PredictorLib.learning.tables.held_out import Make
from PDL1PredictorLib.learning.tables.numbers.linear import lasso, ridge
from PDL1PredictorLib.learning.tables.numbers.number_table import Span

MEAN, MEDIAN = "mean", "median"
RIDGE, LASSO, LASSO_ONE_ERROR, FOREST = "ridge", "LASSO", "LASSO, one standard error", "random forest"
N_TREES = 100
CONSTANTS: Mapping[str, Callable[..., Any]] = {MEAN: np.mean, MEDIAN: np.median}


class Within:
    """A model whose answers are cut to the number's bounds.

    Args:
        model: With `fit`, of inputs, numbers, patients and weights, and `predict`.
        span: The bounds.
    """

    weighs_rows = True  # is given patients and weights of the rows

    def __init__(self, model: Any, span: Span) -> None:
        self.model, self.span = model, span

    def fit(self, x: np.ndarray, values: np.ndarray, patients: np.ndarray, weights: np.ndarray) -> Self:
        """Fit the model."""
        self.model.fit(x, values, patients, weights)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Its answers within the bounds, (n,)."""
        return clipped(np.asarray(self.model.predict(x)), (self.span.low, self.span.high))


@dataclass(frozen=True)
class Bounded:
    """Makes models whose answers are cut; another process can be handed it, as the models that it makes are functions.

    Attributes:
        make: Makes the model.
        span: The bounds.
    """

    make: Make
    span: Span

    def __call__(self, seed: int, n_cases: int) -> Within:
        """See `held_out.Make`."""
        return Within(self.make(seed, n_cases), self.span)


class Forest:
    """Trees over a third of the inputs at each branch, at least five rows a leaf.

    Args:
        seed: Of the trees.

    Source: Breiman 2001, doi 10.1023/A:1010933404324.
    """

    def __init__(self, seed: int) -> None:
        self.trees = RandomForestRegressor(N_TREES, min_samples_leaf=5, max_features=1 / 3, random_state=seed)

    def fit(self, x: np.ndarray, values: np.ndarray, patients: np.ndarray, weights: np.ndarray) -> Self:
        """Fit the trees; rows are drawn whosever they are."""
        self.trees.fit(x, values, sample_weight=weights)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Numbers, (n,)."""
        return np.asarray(self.trees.predict(x))


def forest(seed: int, n_cases: int) -> Forest:
    """See `Forest`."""
    return Forest(seed)


def number_models(span: Span) -> dict[str, Make]:
    """Those that learn of the inputs, by title."""
    makes: dict[str, Make] = {
        RIDGE: ridge,
        LASSO: lasso,
        LASSO_ONE_ERROR: partial(lasso, one_error=True),
        FOREST: forest,
    }
    return {title: Bounded(make, span) for title, make in makes.items()}


def constant_answers(labels: np.ndarray, folds: np.ndarray, kind: str) -> np.ndarray:
    """What a constant of the other folds answers for each unit, (r, m).

    Args:
        labels: Of the units, (m,).
        folds: Of each by repetition, (r, m).
        kind: One of `CONSTANTS`.
    """
    of_fold = [
        [CONSTANTS[kind](labels[row != number]) for number in range(int(row.max()) + 1)] for row in np.asarray(folds)
    ]
    return np.array([np.array(values)[row] for values, row in zip(of_fold, folds, strict=True)])
