"""Columns by logistic LASSO: Mann-Whitney and pruning first, then the penalty that held-out cases like best."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import StratifiedKFold

from PDL1PredictorLib.learning.selection import by_class, candidates

PENALTIES = np.geomspace(0.005, 1.0, 12)  # inverse strengths, strongest penalty first
N_FOLDS = 5
ZERO = 1e-6  # a coefficient that counts as none


@dataclass(frozen=True, eq=False)
class LassoPath:
    """Coefficients under every penalty, and how well held-out cases are told.

    Attributes:
        columns: Of the inputs that entered, (d,).
        penalties: Inverse strengths, ascending, (p,).
        coefficients: Of the inputs under each, on all cases, (p, d).
        loss: Mean log loss of held-out cases under each, (p,).
        error: Standard error over the folds, (p,).
        best: Which penalty has the least loss.
    """

    columns: np.ndarray
    penalties: np.ndarray
    coefficients: np.ndarray
    loss: np.ndarray
    error: np.ndarray
    best: int

    @property
    def kept(self) -> np.ndarray:
        """Columns whose coefficient is not zero under the best penalty."""
        return np.asarray(self.columns[np.abs(self.coefficients[self.best]) > ZERO])


@dataclass(frozen=True)
class Lasso:
    """Selects columns; see `selection.columns_to_use`.

    Attributes:
        seed: Of folds and solver.
        ranked_first: Mann-Whitney at p < 0.05 and pruning at |rho| > 0.9 before; else every column that varies enters.
    """

    seed: int
    ranked_first: bool = True

    def __call__(self, z: np.ndarray, labels: np.ndarray, varies: np.ndarray) -> np.ndarray:
        """The columns that are kept; none where nothing enters or every coefficient is zero."""
        columns = self.entering(z, labels, varies)
        return lasso_path(z, labels, columns, self.seed).kept if len(columns) else columns

    def entering(self, z: np.ndarray, labels: np.ndarray, varies: np.ndarray) -> np.ndarray:
        """The columns that the LASSO is given."""
        return candidates(z, labels, varies, by_class) if self.ranked_first else np.flatnonzero(varies)


def lasso_path(z: np.ndarray, labels: np.ndarray, columns: np.ndarray, seed: int) -> LassoPath:
    """The path of logistic LASSO over `PENALTIES`.

    Args:
        z: Standardized inputs, (n, f).
        labels: 0 or 1, (n,).
        columns: Of the inputs that enter, (d,), at least one.
        seed: Of folds and solver.
    """
    x = np.take(z, columns, axis=1)
    n_folds = min(N_FOLDS, int(labels.sum()), int((1 - labels).sum()))
    folds = list(StratifiedKFold(n_folds, shuffle=True, random_state=seed).split(x, labels))
    losses = np.array(
        [
            [
                log_loss(labels[test], _fitted(c, x[train], labels[train], seed).predict_proba(x[test])[:, 1])
                for c in PENALTIES
            ]
            for train, test in folds
        ]
    )
    loss = losses.mean(axis=0)
    return LassoPath(
        columns=columns,
        penalties=PENALTIES,
        coefficients=np.array([_fitted(c, x, labels, seed).coef_[0] for c in PENALTIES]),
        loss=loss,
        error=losses.std(axis=0, ddof=1) / np.sqrt(n_folds),
        best=int(loss.argmin()),
    )


def _fitted(c: float, x: np.ndarray, labels: np.ndarray, seed: int) -> Any:
    model = LogisticRegression(C=c, l1_ratio=1.0, solver="liblinear", random_state=seed, intercept_scaling=10.0)
    return model.fit(x, labels)
