"""What the kind of an endpoint decides in learning: the only page of the library's learning half that asks for it.

A kind is one object with the functions of `Rules`; whoever learns an endpoint asks `rules` for it.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from PDL1PredictorLib.cohort.outlook.least import LEAST_NUMBERS, LEAST_PER_CLASS
from PDL1PredictorLib.core.endpoints import Kind
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.explain.shapley import MAX_INPUTS, exact_shapley
from PDL1PredictorLib.learning.classifiers import FOREST, L2, LINEAR, to_onnx_bytes
from PDL1PredictorLib.learning.fitting import FittedModel, Fitting, fit_model
from PDL1PredictorLib.learning.number import REGRESSORS, FittedNumber, Regressor, fit_number, ridge_weights
from PDL1PredictorLib.learning.penalized import L2LogisticRegression
from PDL1PredictorLib.learning.selection import fit_number_score, fit_radscore
from PDL1PredictorLib.learning.times.fitting import FittedTime
from PDL1PredictorLib.learning.times.rules import HowLong, Time
from PDL1PredictorLib.statistics.conformal import prediction_set
from PDL1PredictorLib.statistics.fold_ranks import FoldAreas, spearman_within_folds

NOT_MORE = 1e-12  # a figure above chance by less is one of rounding
Fitted = FittedModel | FittedNumber | FittedTime


class YesNo(NamedTuple):
    """Answers to a yes/no question of n cases.

    Attributes:
        score: What they are ranked by, before calibration, (n,): the classifier's log-odds, or the one input itself.
        probability: Calibrated, of positive, (n,).
        positive: Called positive at the model's threshold, (n,) bool.
        called: Whether there is a call, (n,) bool: none by a model that learned nothing.
        sets: Whether negative, positive is in the prediction set, (n, 2) bool.
    """

    score: np.ndarray
    probability: np.ndarray
    positive: np.ndarray
    called: np.ndarray
    sets: np.ndarray

    @property
    def answer(self) -> np.ndarray:
        """What is told, (n,)."""
        return self.probability


class HowMuch(NamedTuple):
    """Answers to a question of how much of n cases, each (n,), in the endpoint's unit.

    Attributes:
        score: What they are ranked by: the model's sum before its calibration line.
        value: Predicted.
        low: Lower end of the prediction interval.
        high: Upper end.
    """

    score: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @property
    def answer(self) -> np.ndarray:
        """What is told, (n,)."""
        return self.value


Answers = YesNo | HowMuch | HowLong


class Rules(Protocol):
    """What a kind of endpoint decides."""

    fits: tuple[str, ...]
    """Ways of `ModelPlan.fit` that this kind knows."""
    measure: str
    """What `figure` gives."""
    chance: float
    """What `figure` is where nothing was learned."""

    def too_few(self, trainings: Sequence[np.ndarray], coverage: float) -> str:
        """Why the truths of some training, NaN where not known, are too few to learn from; "" where they are enough."""
        ...

    def counts(self, values: np.ndarray) -> tuple[int, ...]:
        """How many cases, for tables; NaN is not counted."""
        ...

    def truths(self, values: np.ndarray) -> np.ndarray:
        """Known truths, see `core.targets.Target.truths`, as reports take them."""
        ...

    def score(
        self, z: np.ndarray, values: np.ndarray, names: Sequence[str], varies: np.ndarray, seed: int
    ) -> dict[str, float]:
        """Coefficients of a RadScore; see `selection.fit_radscore`."""
        ...

    def many(self, z: np.ndarray, values: np.ndarray, seed: int) -> np.ndarray:
        """Weights of many standardized inputs (n, d), held back by an L2 penalty, (d,); none is selected."""
        ...

    def tells(self, values: np.ndarray, score: np.ndarray, folds: np.ndarray) -> bool:
        """Whether a score rises with the truth of held-out cases, each compared with those of its own fold, (n,)."""
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

    def figure(self, truths: np.ndarray, score: np.ndarray, folds: np.ndarray) -> float:
        """How well scores (r, n) of r repetitions rank the truths (n,) within their folds (r, n)."""
        ...

    def entry(self, fitted: Any, unit: str, file: str) -> dict[str, Any]:
        """What the manifest says of a fitted model whose file, where it has one, is called `file`."""
        ...

    def tested(self, figures: Mapping[str, Any]) -> dict[str, Any]:
        """Figures of test cases as the manifest has them: what was not measured is said to be so."""
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

    fits: tuple[str, ...] = ("choose", "linear", "logistic", "rank", "l2", "forest")
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

    def many(self, z: np.ndarray, values: np.ndarray, seed: int) -> np.ndarray:
        """Of a logistic regression."""
        return np.asarray(L2LogisticRegression(seed).fit(z, values.astype(int)).coef_[0])

    def tells(self, values: np.ndarray, score: np.ndarray, folds: np.ndarray) -> bool:
        """By the AUC within folds."""
        return self.figure(values, score[None], folds[None]) > self.chance + NOT_MORE

    def fit(
        self, x: np.ndarray, target: Target, fit: str, how: Fitting, seed: int, to_select: np.ndarray
    ) -> FittedModel:
        """A classifier."""
        linear = tuple(kind for kind in how.kinds if kind in LINEAR) or LINEAR[:1]
        narrowed = {"linear": linear, "logistic": LINEAR[:1], "rank": LINEAR[:1], "l2": (L2,), "forest": (FOREST,)}
        alone = how.with_kinds(narrowed[fit]) if fit in narrowed else how
        select = to_select if to_select.any() else None
        return fit_model(x, target.values.astype(int), alone, seed, select, ranks_input=fit == "rank")

    def answers(self, fitted: FittedModel, x: np.ndarray) -> YesNo:
        """Probabilities, calls and sets."""
        if not len(x):
            no = np.zeros(0, dtype=bool)
            return YesNo(np.zeros(0), np.zeros(0), no, no, np.zeros((0, 2), dtype=bool))
        p = fitted.probability(x)
        called = np.full(len(x), fitted.learned)
        sets = [prediction_set(one, fitted.conformal) for one in p]
        held = np.array([["negative" in s, "positive" in s] for s in sets], dtype=bool).reshape(-1, 2)
        return YesNo(fitted.score(x), p, called & (p >= fitted.threshold), called, held)

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

    def figure(self, truths: np.ndarray, score: np.ndarray, folds: np.ndarray) -> float:
        """The AUC, from pairs within a fold."""
        return FoldAreas(score, folds)(truths)

    def entry(self, fitted: FittedModel, unit: str, file: str) -> dict[str, Any]:
        """Classifier, calibration, conformal quantiles and threshold."""
        kind, figures = self.tried(fitted)
        return {
            "model": {"kind": kind, "file": file, "cross_validated": figures},
            "calibration": {"method": "Platt", "slope": fitted.slope, "intercept": fitted.intercept},
            "conformal": [q if math.isfinite(q) else None for q in fitted.conformal],
            "threshold": fitted.threshold,
        }

    def tested(self, figures: Mapping[str, Any]) -> dict[str, Any]:
        """With design, permutation p, sensitivity and specificity, which not every recipe measures."""
        return {"design": "", "repeats": 1, "p": None, "sensitivity": None, "specificity": None, **figures}

    def files(self, fitted: FittedModel, file: str) -> dict[str, bytes]:
        """The classifier as ONNX."""
        return {file: to_onnx_bytes(fitted.chosen.estimator, fitted.inputs)}

    def tables(self, fitted: FittedModel, key: str) -> dict[str, np.ndarray]:
        """Resampled calibrations."""
        return {f"calibration/{key}": np.ascontiguousarray(fitted.calibrations)}


class Number:
    """Numbers: ridge regression or a constant, a calibration line, a prediction interval."""

    fits: tuple[str, ...] = ("choose", "ridge", "mean", "median")
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

    def many(self, z: np.ndarray, values: np.ndarray, seed: int) -> np.ndarray:
        """Of a ridge regression."""
        return ridge_weights(z, values)

    def tells(self, values: np.ndarray, score: np.ndarray, folds: np.ndarray) -> bool:
        """By the correlation of the ranks within folds."""
        return self.figure(values, score[None], folds[None]) > self.chance + NOT_MORE

    def fit(
        self, x: np.ndarray, target: Target, fit: str, how: Fitting, seed: int, to_select: np.ndarray
    ) -> FittedNumber:
        """Ridge regression, the mean or the median, or the better of the first two."""
        named: dict[str, tuple[Regressor, ...]] = {
            "ridge": REGRESSORS[:1],
            "mean": REGRESSORS[1:],
            "median": ("median",),
        }
        kinds = named.get(fit, REGRESSORS)
        select = to_select if to_select.any() else None
        return fit_number(x, target, kinds, how.n_repeats, how.coverage, seed, select)

    def answers(self, fitted: FittedNumber, x: np.ndarray) -> HowMuch:
        """Values and intervals."""
        return HowMuch(fitted.score(x), fitted.value(x), *fitted.interval(x))

    def contributions(self, fitted: FittedNumber, standardized: np.ndarray) -> np.ndarray | None:
        """The terms of the sum, which are its Shapley values."""
        return fitted.effects(standardized)

    def weights(self, fitted: FittedNumber) -> np.ndarray | None:
        """In the endpoint's unit."""
        return np.asarray(fitted.slope * fitted.linear.coefficients)

    def tried(self, fitted: FittedNumber) -> tuple[str, dict[str, float]]:
        """Root mean squared error of every regressor."""
        return fitted.kind, fitted.rmse

    def figure(self, truths: np.ndarray, score: np.ndarray, folds: np.ndarray) -> float:
        """Correlation of the ranks within folds; 0 where all scores are equal."""
        return spearman_within_folds(truths, score, folds).value

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
            "chances": [dict(zip(("cut", "slope", "intercept"), one, strict=True)) for one in fitted.chances],
        }

    def tested(self, figures: Mapping[str, Any]) -> dict[str, Any]:
        """As they are."""
        return dict(figures)

    def files(self, fitted: FittedNumber, file: str) -> dict[str, bytes]:
        """None: the sum stands in the manifest."""
        return {}

    def tables(self, fitted: FittedNumber, key: str) -> dict[str, np.ndarray]:
        """None."""
        return {}


RULES: dict[Kind, Rules] = {"binary": Binary(), "number": Number(), "time": Time()}
