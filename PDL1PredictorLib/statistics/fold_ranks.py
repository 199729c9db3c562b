"""Ranks within folds: their correlation with numbers, and the area of many labelings of the same scores.

Answers of different folds come from different models and are not compared; see `within_folds`.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm, rankdata

from PDL1PredictorLib.statistics.checks import FloatArray, groups, sample

Z95 = float(norm.ppf(0.975))


class FoldCorrelation(NamedTuple):
    """Spearman's coefficient within folds.

    Attributes:
        value: Mean over folds and repetitions, -1 to 1; a fold weighs its patients less one.
        interval: 95 %, by Fisher's z, each patient once however many repetitions; (-1, 1) where the folds have three
            patients or fewer.
        repetitions: Value of each repetition, (r,).
    """

    value: float
    interval: tuple[float, float]
    repetitions: FloatArray


def spearman_within_folds(
    observed: ArrayLike, scores: ArrayLike, folds: ArrayLike, patients: ArrayLike | None = None
) -> FoldCorrelation:
    """How well scores rise with a number among the cases that one model has scored.

    Args:
        observed: (n,), not all equal.
        scores: (n,), or (r, n) for r repetitions of the cross-validation; a fold of equal scores counts as 0.
        folds: Of each case, as scores.
        patients: Of each case, (n,); None where each case is a patient.

    Raises:
        ValueError: An argument is not as said, or no fold of a repetition holds two observed values.

    Source: interval of a mean of folds: Fisher's z with the sum of their degrees of freedom (Hedges and Olkin 1985,
    "Statistical Methods for Meta-Analysis", chapter 11); its variance: Bonett and Wright 2000, doi 10.1007/BF02294183.
    """
    y = sample(observed, "observed", at_least=2)
    rows, numbers = np.atleast_2d(np.asarray(scores, dtype=float)), _folds(folds, y.size)
    if rows.shape != numbers.shape:
        raise ValueError(f"scores must have the shape of the folds, {numbers.shape}, got {rows.shape}.")
    patient = np.arange(y.size) if patients is None else groups(patients, y.size, "patients")
    found = [_of_repetition(y, row, fold, patient) for row, fold in zip(rows, numbers, strict=True)]
    values = np.array([value for value, _ in found])
    value, freedom = float(values.mean()), min(freedom for _, freedom in found)
    if freedom < 1:
        return FoldCorrelation(value, (-1.0, 1.0), values)
    if abs(value) >= 1 - 1e-12:
        return FoldCorrelation(value, (value, value), values)
    half = Z95 * math.sqrt((1 + value**2 / 2) / freedom)
    middle = math.atanh(value)
    return FoldCorrelation(value, (math.tanh(middle - half), math.tanh(middle + half)), values)


class FoldAreas:
    """The area within folds as a function of the labels, for permutations of them.

    Args:
        scores: (n,) or (r, n), higher means positive.
        folds: Of each case, as scores.

    Raises:
        ValueError: The shapes differ.
    """

    def __init__(self, scores: ArrayLike, folds: ArrayLike) -> None:
        rows = np.atleast_2d(np.asarray(scores, dtype=float))
        numbers = _folds(folds, rows.shape[1])
        if rows.shape != numbers.shape:
            raise ValueError(f"scores must have the shape of the folds, {numbers.shape}, got {rows.shape}.")
        member: list[NDArray[np.bool_]] = []
        ranks: list[FloatArray] = []
        self._first: list[int] = []
        for row, fold in zip(rows, numbers, strict=True):
            self._first.append(len(member))
            for number in range(int(fold.max()) + 1):
                here = fold == number
                rank = np.zeros(row.size)
                rank[here] = rankdata(row[here])
                member.append(here)
                ranks.append(rank)
        self._member, self._ranks = np.array(member, dtype=float), np.array(ranks)
        self._size = self._member.sum(axis=1)

    def __call__(self, labels: NDArray[np.generic]) -> float:
        """Area of labels (n,), 0 or 1: all pairs of a repetition weigh the same; 0.5 for one without a pair."""
        won, of_fold = self._won(labels)
        pairs = np.add.reduceat(of_fold, self._first)
        areas = np.add.reduceat(won, self._first) / np.where(pairs > 0, pairs, 1)
        return float(np.where(pairs > 0, areas, 0.5).mean())

    def by_fold(self, labels: NDArray[np.generic]) -> list[tuple[FloatArray, FloatArray]]:
        """Area and number of pairs of every fold, those without a pair left out, for each repetition."""
        won, pairs = self._won(labels)
        split = zip(np.split(won, self._first[1:]), np.split(pairs, self._first[1:]), strict=True)
        return [(areas[of_fold > 0] / of_fold[of_fold > 0], of_fold[of_fold > 0]) for areas, of_fold in split]

    def _won(self, labels: NDArray[np.generic]) -> tuple[FloatArray, FloatArray]:
        """Pairs of every fold that stand right, ties counted half, and all its pairs."""
        y = np.asarray(labels, dtype=float)
        positive = self._member @ y
        won = self._ranks @ y - positive * (positive + 1) / 2
        return won, positive * (self._size - positive)


def variance_of_training(
    labels: ArrayLike, scores: ArrayLike, folds: ArrayLike, other: ArrayLike | None = None
) -> float:
    """What shared training cases add to the variance of an area within folds.

    The trainings of a cross-validation share most of their cases, and each test case teaches all other folds: what they
    learn by accident is alike, and the folds err together. The variance of pairs, which takes the models as given,
    knows nothing of it. Added is the variance between folds times test over training cases.

    Args:
        labels: (n,), 0 or 1.
        scores: (n,) or (r, n), higher means positive.
        folds: Of each case, as scores.
        other: Scores of a second model, for the difference of both areas.

    Returns:
        0 where a repetition has one fold.

    Source: Nadeau and Bengio 2003, doi 10.1023/A:1024068626366 (corrected resampled t); that no estimate without
    further trainings is unbiased: Bengio and Grandvalet 2004, JMLR 5, 1089-1105.
    """
    y = np.asarray(labels)
    found = FoldAreas(scores, folds).by_fold(y)
    less = FoldAreas(other, folds).by_fold(y) if other is not None else [(np.zeros(len(w)), w) for _, w in found]
    added = []
    for (areas, pairs), (others, _) in zip(found, less, strict=True):
        share = pairs / pairs.sum() if len(pairs) else pairs
        if len(share) < 2:
            added.append(0.0)
            continue
        gained = areas - others
        spread = float((share * (gained - (share * gained).sum()) ** 2).sum() / (1 - (share**2).sum()))
        added.append(spread / (len(share) - 1))
    return float(np.mean(added))


def _of_repetition(
    y: FloatArray, score: FloatArray, fold: NDArray[np.intp], patient: NDArray[np.intp]
) -> tuple[float, int]:
    """Mean of the folds' coefficients, and the sum of their patients less three each."""
    values, weights, freedom = [], [], 0
    for number in range(int(fold.max()) + 1):
        here = fold == number
        if np.ptp(y[here]) == 0:
            continue
        n = len(np.unique(patient[here]))
        same = np.ptp(score[here]) == 0
        values.append(0.0 if same else float(np.corrcoef(rankdata(y[here]), rankdata(score[here]))[0, 1]))
        weights.append(max(n - 1, 1))
        freedom += max(n - 3, 0)
    if not values:
        raise ValueError("No fold holds two observed values, so nothing can be ranked. Use fewer folds.")
    return float(np.average(values, weights=weights)), freedom


def _folds(folds: ArrayLike, n: int) -> NDArray[np.intp]:
    """Numbers from 0 of the folds of each repetition, (r, n)."""
    rows = np.atleast_2d(np.asarray(folds))
    return np.stack([groups(row, n, "folds") for row in rows])
