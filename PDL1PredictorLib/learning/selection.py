"""Feature selection on training cases only, and the RadScore that comes out of it.

Source: paper 001, "Feature selection" (its appendix is not public); the steps are those of `docs/methods.md`: near-
zero variance, Mann-Whitney U, correlation pruning at |rho| > 0.9, LASSO by cross-validation.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LassoCV, LogisticRegressionCV
from sklearn.model_selection import KFold, StratifiedKFold

from PDL1PredictorLib.learning.times.ridge_cox import baseline_hazard

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


Narrowing = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Z-scores (n, f), the true answers (n,) and which columns vary (f,) bool to the columns that are kept."""
Ranking = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Columns of z-scores (n, f) and the true answers (n,) to a p value of each column, (f,)."""


def by_class(z: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """P of the Mann-Whitney U test between the two classes, of every column."""
    p = stats.mannwhitneyu(z[labels == 1], z[labels == 0], axis=0, method="asymptotic").pvalue
    return np.asarray(p)


def by_rank(z: np.ndarray, values: np.ndarray) -> np.ndarray:
    """P of Spearman's correlation with a number, of every column, by Student's t; 1 where a column is constant."""
    n = len(values)
    ranks = stats.rankdata(z, axis=0)
    ranks, own = ranks - ranks.mean(axis=0), stats.rankdata(values) - (n + 1) / 2
    scale = np.sqrt((ranks**2).sum(axis=0) * (own**2).sum())
    rho = np.clip(own @ ranks / np.where(scale > 0, scale, 1), -1, 1)
    t = rho * np.sqrt((n - 2) / np.maximum(1 - rho**2, 1e-15))
    return np.asarray(np.where(scale > 0, 2 * stats.t.sf(np.abs(t), n - 2), 1.0))


def by_hazard(z: np.ndarray, truths: np.ndarray) -> np.ndarray:
    """P of the rank correlation with the martingale residuals of times (n,) of `FOLLOWED`, of every column."""
    return by_rank(z, excess_events(truths))


def excess_events(truths: np.ndarray) -> np.ndarray:
    """Events of each case less those expected of all alike: martingale residuals of a model without inputs, (n,).

    They serve as a number that rises with the hazard.

    Args:
        truths: (n,) of `core.targets.FOLLOWED`.

    Source: Therneau, Grambsch and Fleming 1990, doi 10.1093/biomet/77.1.147, section 3.
    """
    return np.asarray(truths["event"] - baseline_hazard(np.zeros(len(truths)), truths, truths["time"]))


def candidates(z: np.ndarray, truths: np.ndarray, varies: np.ndarray, ranking: Ranking) -> np.ndarray:
    """Columns that go with the answers at p < 0.05, pruned, the most significant first, `MOST_CANDIDATES` at most."""
    columns = np.flatnonzero(varies)
    p = ranking(z[:, columns], truths)
    order = np.argsort(p, kind="stable")
    return _prune(z, np.asarray(columns[order[p[order] < P_LIMIT]]))


def columns_to_use(
    x: np.ndarray,
    truths: np.ndarray,
    to_select: np.ndarray | None,
    ranking: Ranking,
    narrow: Narrowing | None = None,
) -> np.ndarray:
    """Columns that a model is fitted on, ascending: all of the narrow parts, and of the wide ones the selected.

    Args:
        x: Inputs of the training cases, (n, d).
        truths: (n,).
        to_select: (d,) bool: columns of wide parts; None where there are none.
        ranking: How these are ranked. Where none is significant, the best one is taken: a model needs an input.
        narrow: What keeps some of these alone; None keeps them. The same holds where nothing is left.
    """
    if to_select is None or not to_select.any():
        return np.arange(x.shape[1])
    varies = to_select & (np.ptp(x, axis=0) > 0)
    chosen = candidates(x, truths, varies, ranking) if narrow is None else narrow(x, truths, varies)
    if not len(chosen):
        wide = np.flatnonzero(to_select)
        chosen = wide[[np.argmin(ranking(x[:, wide], truths))]]
    return np.sort(np.concatenate([np.flatnonzero(~to_select), chosen]))


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
    columns = candidates(z, labels, varies, by_class)
    if not len(columns):
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
    lasso.fit(z[:, columns], labels)
    return _named(lasso.coef_[0], columns, names)


def fit_number_score(
    z: np.ndarray, values: np.ndarray, names: Sequence[str], varies: np.ndarray, seed: int
) -> dict[str, float]:
    """The same for a number: (n,) values in place of labels, ranked by Spearman's correlation, linear LASSO."""
    columns = candidates(z, values, varies, by_rank)
    if not len(columns):
        return {}
    lasso = LassoCV(cv=KFold(N_FOLDS, shuffle=True, random_state=seed), max_iter=20_000, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # of the smallest penalties, which lose
        lasso.fit(z[:, columns], values)
    return _named(lasso.coef_, columns, names)


def fit_time_score(
    z: np.ndarray, truths: np.ndarray, names: Sequence[str], varies: np.ndarray, seed: int
) -> dict[str, float]:
    """The same for a time: LASSO of the martingale residuals of times (n,) of `FOLLOWED`, higher is sooner."""
    return fit_number_score(z, excess_events(truths), names, varies, seed)


def _named(weights: np.ndarray, columns: np.ndarray, names: Sequence[str]) -> dict[str, float]:
    return {names[c]: float(w) for c, w in zip(columns, weights, strict=True) if abs(w) > 1e-6}


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
