"""A number predicted from few inputs: ridge regression or a constant, calibrated, with an interval that covers."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from sklearn.linear_model import RidgeCV
from sklearn.model_selection import KFold

from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.selection import by_rank, columns_to_use
from PDL1PredictorLib.statistics.agreement import calibration_line
from PDL1PredictorLib.statistics.calibration import fit_platt
from PDL1PredictorLib.statistics.conformal import residual_quantile

Regressor = Literal["ridge regression", "mean", "median"]
REGRESSORS: tuple[Regressor, ...] = ("ridge regression", "mean")
"""Those that are chosen among; no constant has a smaller squared error than the mean."""
PENALTIES = np.geomspace(0.1, 1e4, 26)  # chosen among by leave-one-out, on standardized inputs
N_FOLDS = 5
FLAT = 1e-9  # SD of answers that are all the same but for rounding


class Linear(NamedTuple):
    """A sum of inputs.

    Attributes:
        columns: Of the given inputs, those that are used, d of them.
        coefficients: (d,).
        intercept: What is added.
    """

    columns: np.ndarray
    coefficients: np.ndarray
    intercept: float

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Given inputs to (n,)."""
        return np.asarray(x[:, self.columns] @ self.coefficients + self.intercept)


@dataclass(frozen=True, eq=False)
class FittedNumber:
    """A fitted model of a number.

    Attributes:
        kind: Of the model.
        mean: Of each input that is used over the cases it was fitted on, (d,).
        sd: Likewise, (d,).
        linear: On standardized inputs.
        inputs: Standardized inputs of the cases it was fitted on, (n, d).
        rmse: Root mean squared error of out-of-fold answers of every kind that was tried, in the endpoint's unit.
        slope: Of the line from the model's sum to the answer.
        intercept: Of that line.
        clip: Least and greatest answer; None without a bound.
        half_width: Of the prediction interval, in the endpoint's unit.
        chances: Of each of the endpoint's cuts: cut, and slope and intercept of the log-odds of a value at or above it,
            by the answer.
    """

    kind: Regressor
    mean: np.ndarray
    sd: np.ndarray
    linear: Linear
    inputs: np.ndarray
    rmse: dict[str, float]
    slope: float
    intercept: float
    clip: tuple[float | None, float | None]
    half_width: float
    chances: tuple[tuple[float, float, float], ...] = ()

    @property
    def columns(self) -> np.ndarray:
        """Of the given inputs, those that are used."""
        return self.linear.columns

    def standardized(self, x: np.ndarray) -> np.ndarray:
        """Given inputs as the model sees them, (n, d)."""
        return np.asarray((x[:, self.columns] - self.mean) / self.sd)

    @property
    def learned(self) -> bool:
        """Whether there is a model: its answers differ, and held-out ones rose with the truth."""
        return bool(self.slope > 0 and (self.inputs * self.linear.coefficients).any())

    def score(self, x: np.ndarray) -> np.ndarray:
        """What cases are ranked by, for given inputs: the sum before its calibration line, (n,)."""
        return np.asarray(self.standardized(x) @ self.linear.coefficients + self.linear.intercept)

    def value(self, x: np.ndarray) -> np.ndarray:
        """The answer for given inputs, within its bounds, (n,)."""
        return clipped(self.slope * self.score(x) + self.intercept, self.clip)

    def interval(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper end of the prediction interval, each (n,)."""
        value = self.value(x)
        return clipped(value - self.half_width, self.clip), clipped(value + self.half_width, self.clip)

    def effects(self, standardized: np.ndarray) -> np.ndarray:
        """What each input moves the answer from that of the mean case before it is clipped, (n, d)."""
        return np.asarray(self.slope * standardized * self.linear.coefficients)


def fit_number(
    x: np.ndarray,
    target: Target,
    kinds: tuple[Regressor, ...],
    n_repeats: int,
    coverage: float,
    seed: int,
    to_select: np.ndarray | None = None,
) -> FittedNumber:
    """Fit on inputs that are honest, and learn the calibration from out-of-fold answers.

    Args:
        x: Inputs, (n, d).
        target: n values, all known; its bounds are those of the answers.
        kinds: The one with the smallest out-of-fold error is taken.
        n_repeats: Repetitions of the cross-validation.
        coverage: Of the prediction interval.
        seed: Of the folds.
        to_select: (d,) bool: columns of which some are selected, on the training cases of every fold anew.
    """
    y, bounds = target.values, (target.low, target.high)
    mean, sd = x.mean(0), np.maximum(x.std(0), 1e-6)
    z = (x - mean) / sd
    answers = {kind: out_of_fold(z, y, kind, n_repeats, seed, to_select) for kind in kinds}
    rmse: dict[str, float] = {kind: float(np.sqrt(((y - found) ** 2).mean())) for kind, found in answers.items()}
    kind = min(kinds, key=lambda one: rmse[one])
    slope, intercept = (0.0, float(np.median(y))) if kind == "median" else never_falling_line(y, answers[kind])
    linear = _fit(z, y, kind, to_select)
    held_out = clipped(slope * answers[kind] + intercept, bounds)
    return FittedNumber(
        kind=kind,
        mean=mean[linear.columns],
        sd=sd[linear.columns],
        linear=linear,
        inputs=z[:, linear.columns],
        rmse=rmse,
        slope=slope,
        intercept=intercept,
        clip=bounds,
        half_width=residual_quantile(y - held_out, coverage),
        chances=tuple((cut, *chance_of(y >= cut, held_out)) for cut in target.cuts),
    )


def chance_of(above: np.ndarray, answers: np.ndarray) -> tuple[float, float]:
    """Slope and intercept of the log-odds of a value at or above a cut; constant where held-out answers do not tell.

    Args:
        above: (n,) bool.
        answers: Held-out ones, (n,), in the endpoint's unit.
    """
    share = (above.sum() + 0.5) / (len(above) + 1)
    constant = 0.0, float(np.log(share / (1 - share)))
    spread = float(answers.std())
    if not 0 < above.sum() < len(above) or spread < FLAT:
        return constant
    slope, intercept = fit_platt(above.astype(int), (answers - answers.mean()) / spread)
    return (slope / spread, intercept - slope * float(answers.mean()) / spread) if slope > 0 else constant


def out_of_fold(
    z: np.ndarray, y: np.ndarray, kind: Regressor, n_repeats: int, seed: int, to_select: np.ndarray | None = None
) -> np.ndarray:
    """The answer for each case by models that did not see it, averaged over repetitions, (n,)."""
    answers = np.zeros(len(y))
    for repeat in range(n_repeats):
        folds = KFold(min(N_FOLDS, len(y)), shuffle=True, random_state=seed + repeat)
        for train, test in folds.split(z):
            answers[test] += _fit(z[train], y[train], kind, to_select)(z[test]) / n_repeats
    return answers


def ridge_weights(z: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Coefficients of ridge regression on standardized inputs (n, d), (d,)."""
    return np.asarray(RidgeCV(alphas=PENALTIES).fit(z, y).coef_, dtype=float)


def never_falling_line(y: np.ndarray, answers: np.ndarray) -> tuple[float, float]:
    """Slope and intercept from out-of-fold answers to the truth; constant at the mean where the line would fall.

    Where cases that were held out are answered worse than by their mean, the model has learned nothing. Turning its
    answers around would make a model of that accident.
    """
    line = calibration_line(y, answers)
    return (line.slope, line.intercept) if line.slope > 0 else (0.0, float(y.mean()))


def clipped(values: np.ndarray, bounds: tuple[float | None, float | None]) -> np.ndarray:
    """Values within their bounds; None is no bound."""
    low, high = bounds
    return np.asarray(np.clip(values, -np.inf if low is None else low, np.inf if high is None else high))


def _fit(z: np.ndarray, y: np.ndarray, kind: Regressor, to_select: np.ndarray | None) -> Linear:
    columns = columns_to_use(z, y, to_select, by_rank)
    if kind == "median" or kind == "mean" or not len(columns):
        constant = float(np.median(y) if kind == "median" else y.mean())
        return Linear(columns, np.zeros(len(columns)), constant)
    ridge = RidgeCV(alphas=PENALTIES).fit(z[:, columns], y)
    return Linear(columns, np.asarray(ridge.coef_, dtype=float), float(ridge.intercept_))
