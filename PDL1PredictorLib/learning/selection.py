"""Feature selection on training cases only, and the RadScore that comes out of it.

Source: paper 001, "Feature selection" (its appendix is not public); the steps are those of `docs/methods.md`: near-
zero variance, Mann-Whitney U, correlation pruning at |rho| > 0.9, LASSO by cross-validation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from sklearn.linear_model import LogisticRegressionCV
from sklearn.model_selection import StratifiedKFold

P_LIMIT = 0.05
CORRELATION_LIMIT = 0.9
MOST_CANDIDATES = 60  # the most significant ones; LASSO on more costs minutes an endpoint and changes little
TINY_SD = 1e-8  # relative to the mean: the feature is a constant up to rounding
N_FOLDS = 5
N_PENALTIES = 12


@dataclass(frozen=True, eq=False)
class Standardizer:
    """Mean and SD of the training cases; missing values are replaced by the mean.

    Attributes:
        mean: (f,), over the finite values.
        sd: (f,), over n; 1 where a feature does not vary.
        varies: (f,) bool.
    """

    mean: np.ndarray
    sd: np.ndarray
    varies: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Z-scores of (n, f)."""
        z = (features - self.mean) / self.sd
        return np.asarray(np.where(np.isfinite(z), z, 0.0))


def fit_standardizer(features: np.ndarray) -> Standardizer:
    """Learn mean and SD of the columns of (n, f); columns without variance or mostly missing are marked."""
    finite = np.isfinite(features)
    count = np.maximum(finite.sum(0), 1)
    mean = np.where(finite, features, 0.0).sum(0) / count
    centered = np.where(finite, features - mean, 0.0)
    sd = np.sqrt((centered**2).sum(0) / count)
    varies = (sd > TINY_SD * np.maximum(np.abs(mean), 1e-12)) & (finite.mean(0) > 0.5)
    return Standardizer(mean, np.where(varies, sd, 1.0), varies)


def fit_radscore(
    z: np.ndarray, labels: np.ndarray, names: Sequence[str], varies: np.ndarray, seed: int
) -> dict[str, float]:
    """Coefficients of the RadScore of one region for one endpoint.

    Args:
        z: Standardized features of the training cases, (n, f).
        labels: 0 or 1, (n,).
        names: Feature names, f of them.
        varies: Which features have variance, (f,) bool.
        seed: Of the folds and of the solver.

    Returns:
        Coefficient by feature name, those of LASSO that are not zero; empty when no feature separates the classes.
    """
    candidates = _prune(z, _significant(z, labels, varies))
    if not len(candidates):
        return {}
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=seed)
    lasso = LogisticRegressionCV(
        Cs=np.geomspace(0.005, 1.0, N_PENALTIES),
        l1_ratios=[1.0],
        solver="saga",
        cv=folds,
        scoring="neg_log_loss",
        max_iter=4000,
        tol=1e-3,
        random_state=seed,
        use_legacy_attributes=False,
    )
    lasso.fit(z[:, candidates], labels)
    weights = lasso.coef_[0]
    return {names[c]: float(w) for c, w in zip(candidates, weights, strict=True) if abs(w) > 1e-6}


def _significant(z: np.ndarray, labels: np.ndarray, varies: np.ndarray) -> np.ndarray:
    """Columns that differ between the classes by Mann-Whitney U at p < 0.05, the most significant first."""
    columns = np.flatnonzero(varies)
    p = stats.mannwhitneyu(z[labels == 1][:, columns], z[labels == 0][:, columns], axis=0, method="asymptotic").pvalue
    order = np.argsort(p, kind="stable")
    return np.asarray(columns[order[p[order] < P_LIMIT]])


def _prune(z: np.ndarray, ranked: np.ndarray) -> np.ndarray:
    """Of columns ranked best first, those whose |Pearson rho| with every better one that is kept is at most 0.9."""
    kept: list[int] = []
    if not len(ranked):
        return np.array(kept, dtype=int)
    rho = np.abs(np.corrcoef(z[:, ranked], rowvar=False)).reshape(len(ranked), len(ranked))
    for row in range(len(ranked)):
        if all(rho[row, other] <= CORRELATION_LIMIT for other in kept):
            kept.append(row)
        if len(kept) == MOST_CANDIDATES:
            break
    return ranked[kept]


def radscore(z: np.ndarray, names: Sequence[str], coefficients: dict[str, float]) -> np.ndarray:
    """Sum of selected features times their coefficients: (n, f) to (n,)."""
    column = {name: i for i, name in enumerate(names)}
    chosen = [column[name] for name in coefficients]
    return z[:, chosen] @ np.array(list(coefficients.values())) if chosen else np.zeros(len(z))
