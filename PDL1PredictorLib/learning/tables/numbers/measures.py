"""How held-out answers of a number agree with it: mean of the repetitions, with intervals by resampled patients.

A measure is taken in each repetition and averaged. Averaged answers of repetitions, the other way, would be those of an
ensemble, which no single model reaches.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.statistics.agreement import (
    calibration_line,
    concordance,
    limits_of_agreement,
    mean_absolute_error,
    mean_squared_error,
    r_squared,
    root_mean_squared_error,
    skill,
)
from PDL1PredictorLib.statistics.fold_ranks import spearman_within_folds
from PDL1PredictorLib.statistics.trained_areas import auc_of_trained

RESAMPLES = 2000
SEED = 1  # of the resamples
LEAST = 2  # units on either side of a cut
DIGITS = 9  # behind the point of an answer in SD of the number; what differs beyond is rounding, and ranks as equal


@dataclass(frozen=True, eq=False)
class Answers:
    """Held-out answers of one model beside those of the constants.

    Attributes:
        observed: Of the units, (m,).
        predicted: By repetition, (r, m).
        mean: Of the training units of the same folds, (r, m).
        median: Likewise.
        folds: Of each unit, (r, m).
        patient: Of each unit, (m,); None where each is a patient of its own.
    """

    observed: np.ndarray
    predicted: np.ndarray
    mean: np.ndarray
    median: np.ndarray
    folds: np.ndarray
    patient: np.ndarray | None = None

    @property
    def scores(self) -> np.ndarray:
        """The answers as they are ranked, (r, m): those that differ by rounding are equal."""
        return np.round(self.predicted / max(float(self.observed.std()), 1e-300), DIGITS)

    @property
    def flat(self) -> bool:
        """Whether every fold of every repetition has one answer only."""
        return all(
            np.ptp(row[fold == number]) == 0
            for row, fold in zip(self.scores, self.folds, strict=True)
            for number in np.unique(fold)
        )


class Estimate(NamedTuple):
    """A figure with its 95 % interval; NaN where there is none."""

    value: float
    interval: tuple[float, float] = (math.nan, math.nan)


class Cut(NamedTuple):
    """How the number tells units at and above a value from those below: AUC within folds, None where it cannot."""

    cut: float
    n_positive: int
    n_negative: int
    auc: Estimate | None


Figure = Callable[[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray]
"""Observed, predicted, and the constants' answers mean and median, (..., n), to (...)."""
FIGURES: Mapping[str, Figure] = {
    "r2": lambda y, f, mean, median: skill(y, f, mean),
    "r2_own_mean": lambda y, f, mean, median: r_squared(y, f),
    "mae": lambda y, f, mean, median: mean_absolute_error(y, f),
    "mae_less_median": lambda y, f, mean, median: mean_absolute_error(y, f) - mean_absolute_error(y, median),
    "rmse": lambda y, f, mean, median: root_mean_squared_error(y, f),
    "mse": lambda y, f, mean, median: mean_squared_error(y, f),
    "concordance": lambda y, f, mean, median: concordance(y, f),
}


def estimates(answers: Answers, rows: Sequence[np.ndarray]) -> dict[str, Estimate]:
    """Every figure with its interval.

    Args:
        answers: Of the model.
        rows: Of `resamples`, the same for every model.
    """
    return {name: _estimate(figure, answers, rows) for name, figure in FIGURES.items()}


def resamples(m: int, patient: np.ndarray | None, n: int = RESAMPLES) -> list[np.ndarray]:
    """Units of patients that were drawn with replacement: n rows in all, in blocks (b, k) of as many units.

    Args:
        m: Number of units.
        patient: Of each, (m,); None where each is a patient of its own.
        n: How often they are drawn.
    """
    rng = np.random.default_rng(SEED)
    if patient is None:
        return [rng.integers(m, size=(n, m))]
    names = np.unique(patient)
    own = [np.flatnonzero(patient == name) for name in names]
    return [np.concatenate([own[one] for one in rng.integers(len(own), size=len(own))])[None] for _ in range(n)]


def mean_of(figure: Figure, answers: Answers, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
    """A figure of some units, (..., n) of them to (...), mean over the repetitions."""
    parts = zip(answers.predicted, answers.mean, answers.median, strict=True)
    found = [figure(answers.observed[rows], *(part[rows] for part in of_repetition)) for of_repetition in parts]
    return np.asarray(np.mean(found, axis=0))


def spearman(answers: Answers) -> Estimate | None:
    """Within folds; None where a model has one answer in each."""
    if answers.flat:
        return None
    found = spearman_within_folds(answers.observed, answers.scores, answers.folds, answers.patient)
    return Estimate(found.value, found.interval)


def at_cut(answers: Answers, cut: float) -> Cut:
    """AUC within folds of the number for a value at or above the cut; its interval as of `auc_of_trained`."""
    labels = (answers.observed >= cut).astype(int)
    n_positive, n_negative = int(labels.sum()), int((1 - labels).sum())
    if min(n_positive, n_negative) < LEAST or answers.flat or not _told_in_all(labels, answers.folds):
        return Cut(cut, n_positive, n_negative, None)
    found = auc_of_trained(labels, answers.scores, answers.folds, answers.patient)
    return Cut(cut, n_positive, n_negative, Estimate(found.value, found.interval))


def line_and_limits(answers: Answers) -> dict[str, float]:
    """Calibration line and limits of agreement, mean over the repetitions; the slope NaN for constants."""
    lines = [calibration_line(answers.observed, row) for row in answers.predicted]
    limits = [limits_of_agreement(answers.observed, row) for row in answers.predicted]
    flat = answers.flat
    return {
        "slope": math.nan if flat else float(np.mean([line.slope for line in lines])),
        "intercept": math.nan if flat else float(np.mean([line.intercept for line in lines])),
        "bias": float(np.mean([one.bias for one in limits])),
        "low": float(np.mean([one.low for one in limits])),
        "high": float(np.mean([one.high for one in limits])),
    }


def _estimate(figure: Figure, answers: Answers, rows: Sequence[np.ndarray]) -> Estimate:
    drawn = np.concatenate([np.atleast_1d(mean_of(figure, answers, block)) for block in rows])
    value = float(mean_of(figure, answers))
    if not np.isfinite(drawn).all():
        return Estimate(value)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Estimate(value, (float(low), float(high)))


def _told_in_all(labels: np.ndarray, folds: np.ndarray) -> bool:
    """Whether some fold of every repetition has both sides of a cut."""
    return all(any(np.ptp(labels[row == number]) for number in np.unique(row)) for row in folds)
