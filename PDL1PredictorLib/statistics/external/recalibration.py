"""A model's probabilities fitted to a site: a line on its log-odds, and the threshold that goes with it."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.calibration import bootstrap_platt, fit_platt
from PDL1PredictorLib.statistics.checks import BoolArray, FloatArray, numbers, outcomes
from PDL1PredictorLib.statistics.discrimination import youden_threshold
from PDL1PredictorLib.statistics.scores import expit

Way = Literal["slope", "intercept", "none"]
LEAST_FOR_SLOPE = 20  # of each outcome: below it a slope costs more than it gains, see docs/evaluate.md
LEAST_FOR_INTERCEPT = 10
MAX_STEPS = 100


class SiteFit(NamedTuple):
    """How the log-odds of a model are brought to a site.

    Attributes:
        slope: Of the line on the model's own calibrated log-odds; 1 where only the intercept was fitted.
        intercept: Of it.
        threshold: Probability of the site at and above which the call is positive.
    """

    slope: float
    intercept: float
    threshold: float

    def probability(self, log_odds: ArrayLike) -> FloatArray:
        """At the site, (n,), of the model's own log-odds (n,)."""
        return np.asarray(expit(self.slope * np.asarray(log_odds, dtype=float) + self.intercept))


def way_for(labels: ArrayLike) -> Way:
    """What the cases of a site are enough for: slope and intercept, the intercept alone, or nothing.

    Source: Steyerberg et al. 2004, doi 10.1002/sim.1844 (updating with few cases); the numbers by simulation.
    """
    values = np.asarray(labels)
    least = min(int((values == 1).sum()), int((values == 0).sum()))
    return "slope" if least >= LEAST_FOR_SLOPE else "intercept" if least >= LEAST_FOR_INTERCEPT else "none"


def fit_site(labels: ArrayLike, log_odds: ArrayLike, threshold: float, way: Way) -> SiteFit:
    """Fit a line to the cases of a site.

    Args:
        labels: (n,), 0 or 1, both present.
        log_odds: Of the model, calibrated where it was trained, (n,).
        threshold: Of the model, between 0 and 1, both left out. With the intercept alone it moves with the
            probabilities, so that no call changes; with a slope the site gets its own, by Youden.
        way: `slope` for both, `intercept` for the intercept alone, `none` to leave all as it is.

    Raises:
        ValueError: An argument is not as said.

    Source: Cox 1958, doi 10.2307/2333203; Janssen et al. 2008, doi 10.1016/j.jclinepi.2007.04.018, methods 1 and 2.
    """
    positive = outcomes(labels)
    logits = numbers(log_odds, positive.size, "log_odds")
    if not 0 < threshold < 1:
        raise ValueError(f"threshold must lie between 0 and 1, got {threshold!r}.")
    if way == "none":
        return SiteFit(1.0, 0.0, threshold)
    if way == "intercept":
        shift = float(_shifts(positive, logits, np.ones((1, positive.size)))[0])
        return SiteFit(1.0, shift, float(expit(np.array(math.log(threshold / (1 - threshold)) + shift))))
    slope, intercept = fit_platt(positive, logits)
    fitted = SiteFit(slope, intercept, threshold)
    return fitted._replace(threshold=youden_threshold(positive, fitted.probability(logits)))


def cross_validated(
    labels: ArrayLike, log_odds: ArrayLike, threshold: float, way: Way, parts: Sequence[np.ndarray]
) -> tuple[FloatArray, BoolArray]:
    """What a recalibration made in this way says of cases that it was not fitted on.

    Args:
        labels: (n,), 0 or 1.
        log_odds: As for `fit_site`.
        threshold: As for `fit_site`.
        way: As for `fit_site`.
        parts: Rows of each fold; together every row once.

    Returns:
        Probability, and whether called positive, (n,) each.

    Raises:
        ValueError: An argument is not as said, or the cases outside some fold have one outcome only.
    """
    values, logits = np.asarray(labels), np.asarray(log_odds, dtype=float)
    if sorted(np.concatenate(parts).tolist()) != list(range(len(values))):
        raise ValueError("The folds must hold every row once.")
    probability, called = np.full(len(values), np.nan), np.zeros(len(values), dtype=bool)
    for part in parts:
        others = np.setdiff1d(np.arange(len(values)), part)
        fitted = fit_site(values[others], logits[others], threshold, way)
        probability[part] = fitted.probability(logits[part])
        called[part] = probability[part] >= fitted.threshold
    return probability, called


def resampled_fits(
    labels: ArrayLike, log_odds: ArrayLike, way: Way, n_resamples: int, rng: np.random.Generator
) -> FloatArray:
    """Lines of resampled cases, for the uncertainty of the recalibration: slope and intercept, (n_resamples, 2).

    Raises:
        ValueError: Labels or log-odds are not as said for `fit_site`.
    """
    positive = outcomes(labels)
    logits = numbers(log_odds, positive.size, "log_odds")
    if way == "slope":
        return bootstrap_platt(positive, logits, n_resamples, rng)
    lines = np.tile([1.0, 0.0], (n_resamples, 1))
    if way == "intercept":
        counts = rng.multinomial(positive.size, np.full(positive.size, 1 / positive.size), size=n_resamples)
        lines[:, 1] = _shifts(positive, logits, counts.astype(float))
    return lines


def _shifts(positive: BoolArray, logits: FloatArray, counts: FloatArray) -> FloatArray:
    """What must be added to the log-odds so that as many positives are expected as there are, (r,), by Newton.

    Where a resample has one outcome only, half a case of the other is added: the shift stays finite.

    Args:
        positive: (n,).
        logits: (n,).
        counts: How often each case was drawn, (r, n).
    """
    total = counts.sum(axis=1)
    wanted = np.clip(counts @ positive.astype(float), 0.5, total - 0.5)
    shift = np.zeros(len(counts))
    for _ in range(MAX_STEPS):
        p = expit(logits + shift[:, None])
        slope = np.maximum((counts * p * (1 - p)).sum(axis=1), 1e-12)
        step = np.clip((wanted - (counts * p).sum(axis=1)) / slope, -2.0, 2.0)
        shift = shift + step
        if np.abs(step).max() < 1e-10:
            break
    return np.asarray(shift)
