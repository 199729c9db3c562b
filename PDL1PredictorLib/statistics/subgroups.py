"""Whether a model does equally well in all parts of a cohort: area per level, and a test of interaction."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from PDL1PredictorLib.statistics.checks import groups, outcomes
from PDL1PredictorLib.statistics.trained_areas import auc_of_trained
from PDL1PredictorLib.statistics.within_folds import FoldAuc, auc_within_folds

LEAST = 5  # cases of each outcome in a level; with fewer its standard error says nothing
NORMAL_WIDTH = 2 * 1.959964  # of a 95 % interval, in standard errors
TINY = 1e-9


class LevelAuc(NamedTuple):
    """One level of a factor.

    Attributes:
        level: Its name.
        n_positive: Positive cases in it.
        n_negative: Negative cases.
        auc: Area within folds and within the level; None with fewer than `LEAST` of an outcome.
    """

    level: str
    n_positive: int
    n_negative: int
    auc: FoldAuc | None


class Subgroups(NamedTuple):
    """A factor's levels and whether they differ.

    Attributes:
        levels: In the order that was given, those with cases.
        p: Two-sided, of the hypothesis that all measured levels have one area; None with fewer than two of them.
    """

    levels: tuple[LevelAuc, ...]
    p: float | None


def auc_by_level(
    labels: ArrayLike,
    scores: ArrayLike,
    folds: ArrayLike,
    levels: Sequence[str],
    order: Sequence[str] | None = None,
    patients: ArrayLike | None = None,
    trained: bool = False,
) -> Subgroups:
    """Area in every level of a factor, from pairs of cases of one level and one fold, and a test of interaction.

    The test is Welch's for means with unequal variances, applied to the areas with their own standard errors, each with
    as many degrees of freedom as the rarer outcome has cases, less one. With two levels it is Welch's t test of their
    difference. Levels are taken as independent: a patient with tumors in two of them makes it a little too careful.

    Args:
        labels: (n,), 0 or 1, both present.
        scores: (n,), or (r, n) for r repetitions of the cross-validation; higher means positive.
        folds: Of each case, as scores.
        levels: Of each case, (n,); "" where it is not known, and the case takes no part.
        order: Of the levels; None sorts them.
        patients: Of each case, (n,); None where each case is a patient.
        trained: Whether the scores are of models that were trained on each other's test cases, see `trained_areas`.

    Raises:
        ValueError: An argument is not as said.

    Source: Welch 1951, doi 10.1093/biomet/38.3-4.330; areas within folds: `within_folds`.
    """
    positive = outcomes(labels)
    rows, fold = np.atleast_2d(np.asarray(scores, dtype=float)), np.atleast_2d(np.asarray(folds))
    own = np.asarray(levels, dtype=str)
    if own.shape != positive.shape or rows.shape != fold.shape or rows.shape[-1] != positive.size:
        raise ValueError(
            f"Each of {positive.size} cases needs a level, a score and a fold; got the shapes {own.shape}, "
            f"{rows.shape} and {fold.shape}."
        )
    patient = None if patients is None else groups(patients, positive.size, "patients")
    names = [name for name in (sorted(set(own.tolist())) if order is None else order) if name and name in own]
    area = auc_of_trained if trained else auc_within_folds
    found = tuple(_level(area, name, own == name, positive, rows, fold, patient) for name in names)
    return Subgroups(found, _interaction(found))


def _level(
    area: Callable[..., FoldAuc],
    name: str,
    here: np.ndarray,
    positive: np.ndarray,
    scores: np.ndarray,
    folds: np.ndarray,
    patient: np.ndarray | None,
) -> LevelAuc:
    n_positive, n_negative = int((positive & here).sum()), int((~positive & here).sum())
    together = (folds[:, here & positive][:, :, None] == folds[:, here & ~positive][:, None, :]).any(axis=(1, 2))
    if min(n_positive, n_negative) < LEAST or not together.all():
        return LevelAuc(name, n_positive, n_negative, None)
    own = None if patient is None else patient[here]
    found = area(positive[here].astype(int), scores[:, here], folds[:, here], own)
    return LevelAuc(name, n_positive, n_negative, found)


def _interaction(levels: Sequence[LevelAuc]) -> float | None:
    """P of Welch's test for k areas."""
    measured = [(one.auc, min(one.n_positive, one.n_negative) - 1) for one in levels if one.auc is not None]
    k = len(measured)
    if k < 2:
        return None
    area = np.array([auc.value for auc, _ in measured])
    weight = np.array([1 / _error(auc) ** 2 for auc, _ in measured])
    df = np.array([n for _, n in measured], dtype=float)
    share = weight / weight.sum()
    spread = float((weight * (area - share @ area) ** 2).sum() / (k - 1))
    lost = float(((1 - share) ** 2 / df).sum())
    statistic = spread / (1 + 2 * (k - 2) / (k**2 - 1) * lost)
    return float(stats.f.sf(statistic, k - 1, (k**2 - 1) / (3 * lost)))


def _error(found: FoldAuc) -> float:
    """Standard error; where every pair is won or nothing is known, what the interval says."""
    if math.isfinite(found.standard_error) and found.standard_error > TINY:
        return found.standard_error
    return max((found.interval[1] - found.interval[0]) / NORMAL_WIDTH, TINY)
