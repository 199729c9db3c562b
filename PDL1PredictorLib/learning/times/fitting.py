"""A time predicted from few inputs: a Cox model held back by an L2 penalty, calibrated on held-out answers."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.model_selection import StratifiedKFold

from PDL1PredictorLib.core.targets import HORIZON_DAYS, Target
from PDL1PredictorLib.learning.selection import by_hazard, columns_to_use
from PDL1PredictorLib.learning.times.ridge_cox import baseline_hazard, chosen_penalty, ridge_cox
from PDL1PredictorLib.statistics.survival.checks import NotEstimableError
from PDL1PredictorLib.statistics.survival.concordance import harrell_c
from PDL1PredictorLib.statistics.survival.cox import fit_cox

Hazard = Literal["penalized Cox", "one curve"]
HAZARDS: tuple[Hazard, ...] = ("penalized Cox", "one curve")
LEAST_AT_RISK = 10  # training cases that are still followed at a time for which an answer is given
N_FOLDS, MOST_REPEATS = 5, 2
STEEPEST = 20.0  # log hazard ratio per unit of the score; more is an accident of few cases


@dataclass(frozen=True, eq=False)
class FittedTime:
    """A fitted model of a time.

    Attributes:
        kind: Of the model, one of `HAZARDS`.
        mean: Of each input that is used over the cases it was fitted on, (d,).
        sd: Likewise, (d,).
        columns: Of the given inputs, those that are used, (d,).
        coefficients: Log hazard per standardized input, (d,).
        inputs: Standardized inputs of the cases it was fitted on, (n, d).
        truths: Of these cases, (n,) of `core.targets.FOLLOWED`.
        penalty: Half of it times the sum of squares of the coefficients is taken from the log partial likelihood.
        c_in_training: Harrell's C of out-of-fold answers of every kind that was tried.
        slope: From the sum of the terms to log hazard; 0 where held-out answers did not rise with the hazard.
        days: Times for which an answer is given, rising, (h,).
        hazard: Cumulative hazard of the mean training case until then, (h,).
        at_risk: Training cases that are followed as long, (h,).
        one_curve: Share of the training cases free of the event then, whatever the inputs, (h,).
    """

    kind: Hazard
    mean: np.ndarray
    sd: np.ndarray
    columns: np.ndarray
    coefficients: np.ndarray
    inputs: np.ndarray
    truths: np.ndarray
    penalty: float
    c_in_training: dict[str, float]
    slope: float
    days: np.ndarray
    hazard: np.ndarray
    at_risk: np.ndarray
    one_curve: np.ndarray

    def standardized(self, x: np.ndarray) -> np.ndarray:
        """Given inputs as the model sees them, (n, d)."""
        return np.asarray((x[:, self.columns] - self.mean) / self.sd)

    @property
    def learned(self) -> bool:
        """Whether there is a model: its answers differ, and held-out ones rose with the hazard."""
        return bool(self.slope > 0 and (self.inputs * self.coefficients).any())

    def score(self, x: np.ndarray) -> np.ndarray:
        """What cases are ranked by, for given inputs: the sum before its calibration, (n,); higher is sooner."""
        return np.asarray(self.standardized(x) @ self.coefficients)

    def survival(self, x: np.ndarray) -> np.ndarray:
        """Chance to be free of the event at each of `days`, (n, h)."""
        return np.asarray(np.exp(-np.exp(self.slope * self.score(x))[:, None] * self.hazard[None, :]))

    def effects(self, standardized: np.ndarray) -> np.ndarray:
        """What each input adds to the log hazard, (n, d)."""
        return np.asarray(self.slope * standardized * self.coefficients)


def horizons(truths: np.ndarray) -> np.ndarray:
    """Days for which an answer can be given: those until which enough cases are followed, and an event has come."""
    followed = (truths["time"][None, :] >= HORIZON_DAYS[:, None]).sum(axis=1) >= LEAST_AT_RISK
    first = truths["time"][truths["event"]].min(initial=np.inf)
    return np.asarray(HORIZON_DAYS[followed & (first <= HORIZON_DAYS)])


def fit_time(
    x: np.ndarray,
    target: Target,
    kind: Hazard,
    n_repeats: int,
    seed: int,
    to_select: np.ndarray | None = None,
    penalized: bool = True,
) -> FittedTime:
    """Fit on inputs that are honest, and learn the calibration from out-of-fold answers.

    Args:
        x: Inputs, (n, d).
        target: n times, all known.
        kind: Whether the inputs are used.
        n_repeats: Repetitions of the cross-validation, `MOST_REPEATS` at most: more move the calibration little.
        seed: Of the folds.
        to_select: (d,) bool: columns of which some are selected, on the training cases of every fold anew.
        penalized: Whether the coefficients are held back.
    """
    truths = target.truths
    mean, sd = x.mean(0), np.maximum(x.std(0), 1e-6)
    z = (x - mean) / sd
    held_out = out_of_fold(z, truths, kind, min(n_repeats, MOST_REPEATS), seed, to_select, penalized)
    slope = rising_slope(held_out, truths)
    columns, coefficients, penalty = _fit(z, truths, kind, seed, to_select, penalized)
    days = horizons(truths)
    return FittedTime(
        kind=kind,
        mean=mean[columns],
        sd=sd[columns],
        columns=columns,
        coefficients=coefficients,
        inputs=z[:, columns],
        truths=truths,
        penalty=penalty,
        c_in_training={kind: concordance(truths, held_out)},
        slope=slope,
        days=days,
        hazard=baseline_hazard(slope * held_out, truths, days),
        at_risk=np.array([(truths["time"] >= day).sum() for day in days.tolist()], dtype=int),
        one_curve=np.exp(-baseline_hazard(np.zeros(len(truths)), truths, days)),
    )


def out_of_fold(
    z: np.ndarray,
    truths: np.ndarray,
    kind: Hazard,
    n_repeats: int,
    seed: int,
    to_select: np.ndarray | None,
    penalized: bool = True,
) -> np.ndarray:
    """The score of each case by models that did not see it, averaged over repetitions, (n,)."""
    scores = np.zeros(len(truths))
    n_folds = int(min(N_FOLDS, truths["event"].sum()))
    for repeat in range(n_repeats):
        folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed + repeat)
        for train, test in folds.split(z, truths["event"]):
            columns, coefficients, _ = _fit(z[train], truths[train], kind, seed, to_select, penalized)
            scores[test] += z[np.ix_(test, columns)] @ coefficients / n_repeats
    return scores


def rising_slope(scores: np.ndarray, truths: np.ndarray) -> float:
    """Log hazard per unit of held-out scores; 0 where they fall with it: the model has learned nothing.

    Turning such a model's answers around would make a model of that accident.
    """
    try:
        slope = float(fit_cox(scores, truths["time"], truths["event"]).coef[0])
    except NotEstimableError:
        return 0.0
    return min(max(slope, 0.0), STEEPEST)


def concordance(truths: np.ndarray, scores: np.ndarray) -> float:
    """Harrell's C; 0.5 where no pair can be compared."""
    try:
        return harrell_c(truths["time"], truths["event"], scores).value
    except NotEstimableError:
        return 0.5


def resampled(fitted: FittedTime, n_resamples: int, seed: int) -> np.ndarray:
    """How far models of other patients might have answered otherwise: every resample fitted and given its baseline.

    A resample has fewer different cases than the cohort. So coefficients and baselines are moved, all by the same,
    until their mean is that of the model.

    Args:
        fitted: As fitted on all training cases.
        n_resamples: B.
        seed: Of the draws.

    Returns:
        (B, d + h): log hazard per standardized input, then the logarithm of the cumulative hazard at each of `days`.

    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters 9 and 10 (pairs; bias).
    """
    rng, n = np.random.default_rng([seed, 4]), len(fitted.truths)
    rows: list[np.ndarray] = []
    while len(rows) < n_resamples:
        drawn = rng.integers(n, size=n)
        truths = fitted.truths[drawn]
        if truths["event"].sum() < 2 or horizons(truths).size == 0:
            continue
        weights = ridge_cox(fitted.inputs[drawn], truths, fitted.penalty) if fitted.learned else fitted.coefficients
        line = fitted.slope * weights
        hazard = baseline_hazard(fitted.inputs[drawn] @ line, truths, fitted.days)
        rows.append(np.concatenate([line, np.log(np.maximum(hazard, 1e-6))]))
    found = np.array(rows)
    whole = np.concatenate([fitted.slope * fitted.coefficients, np.log(fitted.hazard)])
    return np.asarray(found - found.mean(axis=0) + whole)


def _fit(
    z: np.ndarray, truths: np.ndarray, kind: Hazard, seed: int, to_select: np.ndarray | None, penalized: bool
) -> tuple[np.ndarray, np.ndarray, float]:
    """Columns that are used, their coefficients, the penalty."""
    columns = columns_to_use(z, truths, to_select, by_hazard)
    varies = columns[np.ptp(z[:, columns], axis=0) > 0] if len(columns) else columns
    if kind == "one curve" or not len(varies):
        return columns, np.zeros(len(columns)), 0.0
    penalty = chosen_penalty(z[:, varies], truths, seed) if penalized else 1e-3
    coefficients = np.zeros(len(columns))
    coefficients[np.isin(columns, varies)] = ridge_cox(z[:, varies], truths, penalty)
    return columns, coefficients, penalty
