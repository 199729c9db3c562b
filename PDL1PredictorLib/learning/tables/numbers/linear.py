"""Ridge regression and LASSO of a number, their penalty chosen by inner folds that keep patients together.

Rows have weights, so that a patient with many of them weighs as much as one with a single row. Their sum is taken to be
the number of rows, so that a penalty means the same for any weights.
"""

from collections.abc import Callable
from typing import Self

import numpy as np
from sklearn import linear_model
from sklearn.model_selection import GroupKFold

INNER_FOLDS = 5
RIDGE_PENALTIES = np.geomspace(1e6, 0.1, 29)  # of the sum of squares, on standardized inputs; the strongest first
LASSO_SHARES = np.geomspace(1.0, 0.01, 20)  # of the least penalty that leaves no input
STEPS = 5000

Path = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Centered inputs (n, d), centered numbers (n,) and penalties (p,) to coefficients (p, d)."""


class LineByFolds:
    """A sum of inputs under the penalty that held-out training cases like best.

    Args:
        path: Coefficients under every penalty.
        penalties: Centered inputs and numbers to the penalties that are tried, the strongest first.
        one_error: Take the strongest penalty whose mean squared error is within one standard error of the least one.
        seed: Of the inner folds.

    Source: Hoerl and Kennard 1970, doi 10.1080/00401706.1970.10488634 (ridge); Tibshirani 1996, doi
    10.1111/j.2517-6161.1996.tb02080.x (LASSO); Breiman et al. 1984, "Classification and Regression Trees", 3.4.3 (one
    standard error).
    """

    def __init__(
        self,
        path: Path,
        penalties: Callable[[np.ndarray, np.ndarray], np.ndarray],
        one_error: bool = False,
        seed: int = 1,
    ) -> None:
        self.path, self.penalties, self.one_error, self.seed = path, penalties, one_error, seed

    def fit(
        self,
        x: np.ndarray,
        values: np.ndarray,
        patients: np.ndarray | None = None,
        weights: np.ndarray | None = None,
    ) -> Self:
        """Choose the penalty, then fit on all cases.

        Args:
            x: Standardized inputs, (n, d).
            values: Numbers, (n,).
            patients: Of each case, (n,): a patient's cases stay in one inner fold. None: each case is a patient.
            weights: Of each case, (n,), above 0. None: all weigh the same.
        """
        own = np.ones(len(values)) if weights is None else weights
        tried = self.penalties(*_centered(x, values, own)[0])
        self.loss_ = self._losses(x, values, own, tried, np.arange(len(values)) if patients is None else patients)
        chosen = chosen_penalty(self.loss_, self.one_error)
        self.penalty_ = float(tried[chosen])
        self.coef_, self.intercept_ = (part[chosen] for part in _lines(self.path, x, values, own, tried))
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Numbers, (n,)."""
        return np.asarray(x @ self.coef_ + self.intercept_)

    def _losses(
        self, x: np.ndarray, values: np.ndarray, weights: np.ndarray, tried: np.ndarray, owner: np.ndarray
    ) -> np.ndarray:
        """Mean squared error of every inner fold under every penalty, (k, p)."""
        folds = GroupKFold(min(INNER_FOLDS, len(np.unique(owner))), shuffle=True, random_state=self.seed)
        losses = []
        for train, test in folds.split(x, groups=owner):
            coefficients, intercepts = _lines(self.path, x[train], values[train], weights[train], tried)
            squares = (x[test] @ coefficients.T + intercepts - values[test, None]) ** 2
            losses.append(np.average(squares, axis=0, weights=weights[test]))
        return np.array(losses)


def chosen_penalty(losses: np.ndarray, one_error: bool) -> int:
    """Which of penalties, the strongest first, is taken by losses (k, p); of equals the strongest."""
    mean = losses.mean(axis=0)
    best = int(np.argmin(mean))
    if not one_error:
        return best
    error = losses[:, best].std(ddof=1) / np.sqrt(len(losses))
    return int(np.argmax(mean <= mean[best] + error))


def ridge(seed: int, n_cases: int) -> LineByFolds:
    """Every input keeps a weight, none a large one."""
    return LineByFolds(ridge_path, _ridge_penalties, seed=seed)


def lasso(seed: int, n_cases: int, one_error: bool = False) -> LineByFolds:
    """Few inputs keep a weight."""
    return LineByFolds(lasso_path, _lasso_penalties, one_error, seed)


def ridge_path(x: np.ndarray, values: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """See `Path`; all penalties from one decomposition."""
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    shrunk = s / (s**2 + penalties[:, None])  # (p, k)
    return np.asarray((shrunk * (u.T @ values)) @ vt)


def lasso_path(x: np.ndarray, values: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """See `Path`; by coordinate descent."""
    return np.asarray(linear_model.lasso_path(x, values, alphas=penalties, max_iter=STEPS)[1].T)


def _ridge_penalties(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    return RIDGE_PENALTIES


def _lasso_penalties(x: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Shares of the least penalty that leaves no input: they follow the number's unit."""
    return max(float(np.abs(x.T @ values).max()) / len(values), 1e-12) * LASSO_SHARES


def _lines(
    path: Path, x: np.ndarray, values: np.ndarray, weights: np.ndarray, penalties: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (p, d) and intercepts (p,)."""
    centered, mean, middle = _centered(x, values, weights)
    coefficients = path(*centered, penalties)
    return coefficients, middle - coefficients @ mean


def _centered(
    x: np.ndarray, values: np.ndarray, weights: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray, float]:
    """Inputs and numbers less their means, times the root of the weights, then the means."""
    mean, middle = np.average(x, axis=0, weights=weights), float(np.average(values, weights=weights))
    root = np.sqrt(weights / weights.mean())
    return ((x - mean) * root[:, None], (values - middle) * root), mean, middle
