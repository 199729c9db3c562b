"""Logistic regression on many inputs, held back by an L2 penalty that cross-validation chooses."""

import numpy as np
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold

PENALTIES: tuple[float, ...] = tuple(np.geomspace(1e-4, 1.0, 9).tolist())  # inverse strengths; standardized inputs
STRONGEST = PENALTIES[0]
N_FOLDS = 5


class L2LogisticRegression(LogisticRegression):  # type: ignore[misc]  # scikit-learn is not typed
    """Every input keeps a weight, none a large one: what a hundred correlated features allow in a few hundred cases.

    The strength of the penalty is that with the best mean log-likelihood of held-out cases, in 5 folds of the cases
    that are fitted; where a class has a single case, the strongest.

    Args:
        seed: Of the folds.
        C: Inverse strength; `fit` sets it.

    Source: Hoerl and Kennard 1970, doi 10.1080/00401706.1970.10488634; for logistic models: le Cessie and van
    Houwelingen 1992, doi 10.2307/2347628.
    """

    def __init__(self, seed: int = 0, C: float = STRONGEST) -> None:  # the parent's name
        super().__init__(C=C, max_iter=2000)
        self.seed = seed

    def fit(self, X: np.ndarray, y: np.ndarray) -> "L2LogisticRegression":
        """Choose the penalty, then fit on all cases.

        Args:
            X: Standardized inputs, (n, d).
            y: 0 or 1, (n,), both present.
        """
        self.C = _best_penalty(X, y, self.seed)
        super().fit(X, y)
        return self


def _best_penalty(x: np.ndarray, labels: np.ndarray, seed: int) -> float:
    n_folds = int(min(N_FOLDS, labels.sum(), (1 - labels).sum()))
    if n_folds < 2:
        return STRONGEST
    search = LogisticRegressionCV(
        Cs=PENALTIES,
        l1_ratios=[0.0],
        cv=StratifiedKFold(n_folds, shuffle=True, random_state=seed),
        scoring="neg_log_loss",
        max_iter=2000,
        use_legacy_attributes=False,
    )
    search.fit(x, labels)
    return float(np.ravel(search.C_)[0])
