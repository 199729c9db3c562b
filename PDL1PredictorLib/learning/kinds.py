"""What the kind of an endpoint decides in learning: the only page of the library's learning half that asks for it.

A kind is one object with the functions of `Rules`; whoever learns an endpoint asks `rules` for it.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from PDL1PredictorLib.core.endpoints import Kind
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.explain.shapley import MAX_INPUTS, exact_shapley
from PDL1PredictorLib.learning.classifiers import L2, LINEAR, to_onnx_bytes
from PDL1PredictorLib.learning.fitting import FittedModel, Fitting, fit_model
from PDL1PredictorLib.learning.number import REGRESSORS, FittedNumber, fit_number
from PDL1PredictorLib.learning.selection import fit_number_score, fit_radscore
from PDL1PredictorLib.statistics.agreement import (
    constants,
    mean_absolute_error,
    mean_squared_error,
    r_squared,
    with_interval,
)
from PDL1PredictorLib.statistics.conformal import prediction_set
from PDL1PredictorLib.statistics.correlation import spearman
from PDL1PredictorLib.statistics.discrimination import auc

LEAST_PER_CLASS = 10  # in training: with fewer, neither features nor classifiers can be chosen by cross-validation
LEAST_NUMBERS = 20  # in training, of known values
RESAMPLES = 2000
Fitted = FittedModel | FittedNumber


class YesNo(NamedTuple):
    """Answers to a yes/no question of n cases.

    Attributes:
        probability: Calibrated, of positive, (n,).
        positive: Called positive at the model's threshold, (n,) bool.
        sets: Whether negative, positive is in the prediction set, (n, 2) bool.
    """

    probability: np.ndarray
    positive: np.ndarray
    sets: np.ndarray


class HowMuch(NamedTuple):
    """Answers to a question of how much of n cases, each (n,), in the endpoint's unit.

    Attributes:
        value: Predicted.
        low: Lower end of the prediction interval.
        high: Upper end.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


Answers = YesNo | HowMuch


class Rules(Protocol):
    """What a kind of endpoint decides."""

    fits: tuple[str, ...]
    """Ways of `ModelPlan.fit` that this kind knows."""
    measure: str
    """What `figure` gives."""
    chance: float
    """What `figure` is where nothing was learned."""

    def too_few(self, trainings: Sequence[np.ndarray], coverage: float) -> str:
        """Why the values of some training, NaN where not known, are too few to learn from; "" where they are enough."""
        ...

    def counts(self, values: np.ndarray) -> tuple[int, ...]:
        """How many cases, for tables; NaN is not counted."""
        ...

    def truths(self, values: np.ndarray) -> np.ndarray:
        """Known values as reports take them."""
        ...

    def score(
        self, z: np.ndarray, values: np.ndarray, names: Sequence[str], varies: np.ndarray, seed: int
    ) -> dict[str, float]:
        """Coefficients of a RadScore; see `selection.fit_radscore`."""
        ...

    def tells(self, values: np.ndarray, score: np.ndarray) -> bool:
        """Whether a score rises with the truth of held-out cases."""
        ...

    def fit(self, x: np.ndarray, target: Target, fit: str, how: Fitting, seed: int, to_select: np.ndarray) -> Any:
        """A model of inputs (n, d) of n cases whose value is known; see `fitting.fit_model` and `number.fit_number`."""
        ...

    def answers(self, fitted: Any, x: np.ndarray) -> Any:
        """Of a fitted model for inputs (n, d)."""
        ...

    def contributions(self, fitted: Any, standardized: np.ndarray) -> np.ndarray | None:
        """What each input moved each answer by, against the mean case, (n, d); None where they are too many."""
        ...

    def weights(self, fitted: Any) -> np.ndarray | None:
        """Of each standardized input in the answer, (d,); None where the model is not linear."""
        ...

    def tried(self, fitted: Any) -> tuple[str, dict[str, float]]:
        """The kind of model that was taken, and the cross-validated figure of every kind that was tried."""
        ...

    def figure(self, truths: np.ndarray, answers: Any) -> float:
        """How well answers, or an outcome with the same arrays, rank the truths."""
        ...

    def test(self, truths: np.ndarray, answers: Any) -> dict[str, Any] | None:
        """Figures on test cases for the bundle's manifest; None where they cannot be had."""
        ...

    def entry(self, fitted: Any, unit: str, file: str) -> dict[str, Any]:
        """What the manifest says of a fitted model whose file, where it has one, is called `file`."""
        ...

    def files(self, fitted: Any, file: str) -> dict[str, bytes]:
        """Files of a fitted model."""
        ...

    def tables(self, fitted: Any, key: str) -> dict[str, np.ndarray]:
        """Arrays of a fitted model for the bundle's tables."""
        ...


def rules(kind: Kind) -> Rules:
    """What a kind decides.

    Raises:
        InputError: Endpoints of that kind cannot be learned.
    """
    if kind not in RULES:
        raise InputError(
            f"An endpoint of the kind {kind!r} cannot be learned by this version; {' and '.join(RULES)} endpoints can. "
            "Leave it out (--endpoints)."
        )
    return RULES[kind]


class Binary:
    """Yes/no endpoints: a classifier, calibrated probabilities, prediction sets."""

    fits: tuple[str, ...] = ("choose", "logistic", "l2")
    measure, chance = "AUC", 0.5

    def too_few(self, trainings: Sequence[np.ndarray], coverage: float) -> str:
        """Fewer than `LEAST_PER_CLASS` of a class."""
        positive, negative = (min(int((part == value).sum()) for part in trainings) for value in (1, 0))
        if min(positive, negative) >= LEAST_PER_CLASS:
            return ""
        return f"{positive} positive and {negative} negative cases in training; {LEAST_PER_CLASS} of each are needed"

    def counts(self, values: np.ndarray) -> tuple[int, ...]:
        """Positive, negative."""
        return int((values == 1).sum()), int((values == 0).sum())

    def truths(self, values: np.ndarray) -> np.ndarray:
        """0 or 1, integers."""
        return values.astype(int)

    def score(
        self, z: np.ndarray, values: np.ndarray, names: Sequence[str], varies: np.ndarray, seed: int
    ) -> dict[str, float]:
        """Logistic LASSO."""
        return fit_radscore(z, values.astype(int), names, varies, seed)

    def tells(self, values: np.ndarray, score: np.ndarray) -> bool:
        """By the AUC."""
        return auc(values, score).value > self.chance

    def fit(
        self, x: np.ndarray, target: Target, fit: str, how: Fitting, seed: int, to_select: np.ndarray
    ) -> FittedModel:
        """A classifier."""
        alone = how if fit == "choose" else how.with_kinds({"logistic": LINEAR[:1], "l2": (L2,)}[fit])
        return fit_model(x, target.values.astype(int), alone, seed, to_select if to_select.any() else None)

    def answers(self, fitted: FittedModel, x: np.ndarray) -> YesNo:
        """Probabilities, calls and sets."""
        if not len(x):
            return YesNo(np.zeros(0), np.zeros(0, dtype=bool), np.zeros((0, 2), dtype=bool))
        p = fitted.probability(x)
        sets = [prediction_set(one, fitted.conformal) for one in p]
        held = np.array([["negative" in s, "positive" in s] for s in sets], dtype=bool).reshape(-1, 2)
        return YesNo(p, p >= fitted.threshold, held)

    def contributions(self, fitted: FittedModel, standardized: np.ndarray) -> np.ndarray | None:
        """Shapley values in log-odds."""
        n_inputs = standardized.shape[1]
        if n_inputs > MAX_INPUTS:
            return None
        shares = [exact_shapley(fitted.log_odds, row, np.zeros(n_inputs)).values for row in standardized]
        return np.array(shares).reshape(standardized.shape)

    def weights(self, fitted: FittedModel) -> np.ndarray | None:
        """In log-odds."""
        coefficients = getattr(fitted.chosen.estimator, "coef_", None)
        return None if coefficients is None else np.asarray(fitted.slope * coefficients[0])

    def tried(self, fitted: FittedModel) -> tuple[str, dict[str, float]]:
        """Mean AUC of every classifier."""
        return fitted.chosen.kind, fitted.chosen.mean_auc

    def figure(self, truths: np.ndarray, answers: YesNo) -> float:
        """The AUC."""
        return auc(truths, answers.probability).value

    def test(self, truths: np.ndarray, answers: YesNo) -> dict[str, Any] | None:
        """AUC with DeLong's interval, where both classes are there."""
        if not 0 < truths.sum() < len(truths):
            return None
        found = auc(truths, answers.probability)
        low, high = found.interval
        counts = {"n_positive": found.n_positive, "n_negative": found.n_negative}
        return {"auc": found.value, "low": low, "high": high, **counts}

    def entry(self, fitted: FittedModel, unit: str, file: str) -> dict[str, Any]:
        """Classifier, calibration, conformal quantiles and threshold."""
        kind, figures = self.tried(fitted)
        return {
            "model": {"kind": kind, "file": file, "cross_validated": figures},
            "calibration": {"method": "Platt", "slope": fitted.slope, "intercept": fitted.intercept},
            "conformal": [q if math.isfinite(q) else None for q in fitted.conformal],
            "threshold": fitted.threshold,
        }

    def files(self, fitted: FittedModel, file: str) -> dict[str, bytes]:
        """The classifier as ONNX."""
        return {file: to_onnx_bytes(fitted.chosen.estimator, fitted.inputs)}

    def tables(self, fitted: FittedModel, key: str) -> dict[str, np.ndarray]:
        """Resampled calibrations."""
        return {f"calibration/{key}": np.ascontiguousarray(fitted.calibrations)}


class Number:
    """Numbers: ridge regression or the mean, a calibration line, a prediction interval."""

    fits: tuple[str, ...] = ("choose", "ridge", "mean")
    measure, chance = "Spearman's rho", 0.0

    def too_few(self, trainings: Sequence[np.ndarray], coverage: float) -> str:
        """Fewer than `LEAST_NUMBERS`, or than an interval of that coverage needs, or all equal."""
        least = max(LEAST_NUMBERS, math.ceil(coverage / (1 - coverage)))
        known = [part[np.isfinite(part)] for part in trainings]
        fewest = min(len(part) for part in known)
        if fewest < least:
            return f"{fewest} known values in training; {least} are needed"
        return "all values in training are equal" if any(np.ptp(part) == 0 for part in known) else ""

    def counts(self, values: np.ndarray) -> tuple[int, ...]:
        """Known values."""
        return (int(np.isfinite(values).sum()),)

    def truths(self, values: np.ndarray) -> np.ndarray:
        """As they are."""
        return values.astype(float)

    def score(
        self, z: np.ndarray, values: np.ndarray, names: Sequence[str], varies: np.ndarray, seed: int
    ) -> dict[str, float]:
        """Linear LASSO."""
        return fit_number_score(z, values, names, varies, seed)

    def tells(self, values: np.ndarray, score: np.ndarray) -> bool:
        """By the correlation of the ranks."""
        return _rho(values, score) > self.chance

    def fit(
        self, x: np.ndarray, target: Target, fit: str, how: Fitting, seed: int, to_select: np.ndarray
    ) -> FittedNumber:
        """Ridge regression, the mean, or the better of both."""
        kinds = {"ridge": REGRESSORS[:1], "mean": REGRESSORS[1:]}.get(fit, REGRESSORS)
        select = to_select if to_select.any() else None
        return fit_number(x, target, kinds, how.n_repeats, how.coverage, seed, select)

    def answers(self, fitted: FittedNumber, x: np.ndarray) -> HowMuch:
        """Values and intervals."""
        return HowMuch(fitted.value(x), *fitted.interval(x))

    def contributions(self, fitted: FittedNumber, standardized: np.ndarray) -> np.ndarray | None:
        """The terms of the sum, which are its Shapley values."""
        return fitted.effects(standardized)

    def weights(self, fitted: FittedNumber) -> np.ndarray | None:
        """In the endpoint's unit."""
        return np.asarray(fitted.slope * fitted.linear.coefficients)

    def tried(self, fitted: FittedNumber) -> tuple[str, dict[str, float]]:
        """Root mean squared error of every regressor."""
        return fitted.kind, fitted.rmse

    def figure(self, truths: np.ndarray, answers: HowMuch) -> float:
        """Correlation of the ranks; 0 where all answers are equal."""
        return _rho(truths, answers.value)

    def test(self, truths: np.ndarray, answers: HowMuch) -> dict[str, Any] | None:
        """Errors, and the share of the variance that is explained with its resampled interval."""
        if len(truths) < LEAST_PER_CLASS or np.ptp(truths) == 0:
            return None
        rows = np.random.default_rng(0).integers(len(truths), size=(RESAMPLES, len(truths)))
        r2, (low, high) = with_interval(r_squared, truths, answers.value, rows)
        if not all(map(math.isfinite, (r2, low, high))):
            return None
        return {
            "n": len(truths),
            "mse": float(mean_squared_error(truths, answers.value)),
            "mse_of_mean": constants(truths).mse_of_mean,
            "mae": float(mean_absolute_error(truths, answers.value)),
            "r2": r2,
            "r2_low": min(low, r2),
            "r2_high": max(high, r2),
        }

    def entry(self, fitted: FittedNumber, unit: str, file: str) -> dict[str, Any]:
        """The sum, the line, the bounds and the interval."""
        kind, figures = self.tried(fitted)
        linear = {"coefficients": fitted.linear.coefficients.tolist(), "intercept": fitted.linear.intercept}
        return {
            "unit": unit,
            "model": {"kind": kind, "linear": linear, "cross_validated": figures},
            "line": {"slope": fitted.slope, "intercept": fitted.intercept},
            "clip": list(fitted.clip),
            "half_width": fitted.half_width,
        }

    def files(self, fitted: FittedNumber, file: str) -> dict[str, bytes]:
        """None: the sum stands in the manifest."""
        return {}

    def tables(self, fitted: FittedNumber, key: str) -> dict[str, np.ndarray]:
        """None."""
        return {}


def _rho(truths: np.ndarray, values: np.ndarray) -> float:
    if len(truths) < 4 or np.ptp(truths) == 0 or np.ptp(values) == 0:
        return 0.0
    return spearman(truths, values).value


RULES: dict[Kind, Rules] = {"binary": Binary(), "number": Number()}
