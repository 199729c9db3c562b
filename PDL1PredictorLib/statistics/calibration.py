"""Whether probabilities mean what they say, and making them so: Brier score, slope, curve, Platt scaling."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import BoolArray, FloatArray, numbers, outcomes, probabilities_of
from PDL1PredictorLib.statistics.proportions import Proportion, proportion
from PDL1PredictorLib.statistics.scores import expit

NEAREST_TO_CERTAIN = 1e-6  # a probability of 0 or 1 has no finite logit
MAX_STEPS = 200


class Calibration(NamedTuple):
    """How probabilities agree with outcomes.

    Attributes:
        slope: Of the outcome on the logit; 1 is right, below 1 too extreme. NaN where the logits separate the outcomes.
        intercept: That goes with the slope; 0 is right. NaN as the slope.
        in_the_large: Intercept when the slope is held at 1; 0 is right, above 0 the probabilities are too low.
    """

    slope: float
    intercept: float
    in_the_large: float


class Bin(NamedTuple):
    """Cases of similar probability.

    Attributes:
        predicted: Their mean probability.
        observed: Share of them that are positive, with its Wilson interval (95 %).
    """

    predicted: float
    observed: Proportion


class Platt(NamedTuple):
    """A calibrated logit is slope x logit + intercept."""

    slope: float
    intercept: float


def logit(probabilities: ArrayLike) -> FloatArray:
    """Log-odds; probabilities nearer to 0 or 1 than 1e-6 are taken as that near."""
    p = np.clip(np.asarray(probabilities, dtype=float), NEAREST_TO_CERTAIN, 1 - NEAREST_TO_CERTAIN)
    return np.asarray(np.log(p) - np.log1p(-p))


def brier_score(labels: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared distance of probability and outcome: 0 is best, 0.25 what a constant 0.5 gets.

    Args:
        labels: (n,), 0 or 1, both present.
        probabilities: (n,), of the outcome 1.

    Raises:
        ValueError: Labels or probabilities are not as said.

    Source: Brier 1950, doi 10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2.
    """
    positive = outcomes(labels)
    return float(np.mean((probabilities_of(probabilities, positive.size) - positive) ** 2))


def calibration(labels: ArrayLike, probabilities: ArrayLike) -> Calibration:
    """Calibration slope, its intercept, and calibration in the large, by logistic regression on the logit.

    Args:
        labels: (n,), 0 or 1, both present.
        probabilities: (n,), of the outcome 1.

    Raises:
        ValueError: Labels or probabilities are not as said.

    Source: Cox 1958, doi 10.1093/biomet/45.3-4.562; Van Calster et al. 2019, doi 10.1186/s12916-019-1466-7.
    """
    positive = outcomes(labels)
    logits = logit(probabilities_of(probabilities, positive.size))
    targets, counts = positive[None].astype(float), np.ones((1, positive.size))
    in_the_large = float(_fit(np.zeros_like(logits), targets, counts, offset=logits)[0, 1])
    if _separated(positive, logits):
        return Calibration(math.nan, math.nan, in_the_large)
    slope, intercept = _fit(logits, targets, counts)[0].tolist()
    return Calibration(slope, intercept, in_the_large)


def calibration_curve(labels: ArrayLike, probabilities: ArrayLike, n_bins: int = 10) -> tuple[Bin, ...]:
    """Observed against predicted share, in bins of about as many cases each.

    Equal probabilities stay in one bin, so that there may be fewer bins than asked for.

    Args:
        labels: (n,), 0 or 1, both present.
        probabilities: (n,), of the outcome 1.
        n_bins: At most so many, >= 1.

    Returns:
        Bins of rising probability, none empty.

    Raises:
        ValueError: An argument is not as said.

    Source: bins of equal numbers: Hosmer and Lemeshow 1980, doi 10.1080/03610928008827941.
    """
    positive = outcomes(labels)
    p = probabilities_of(probabilities, positive.size)
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1, got {n_bins!r}.")
    inner = np.quantile(p, np.arange(1, n_bins) / n_bins)
    place = np.searchsorted(inner, p, side="left")
    members = [place == number for number in np.unique(place)]
    return tuple(Bin(float(p[m].mean()), proportion(int(positive[m].sum()), int(m.sum()))) for m in members)


def fit_platt(labels: ArrayLike, logits: ArrayLike) -> Platt:
    """Slope and intercept that make logits calibrated.

    The targets are Platt's, drawn a little towards each other, so that the fit is finite even where the logits separate
    the outcomes. Equal logits get the slope 0.

    Args:
        labels: (n,), 0 or 1, both present.
        logits: (n,), from cases that the classifier was not fitted on.

    Raises:
        ValueError: Labels or logits are not as said.

    Source: Platt 1999, "Probabilistic outputs for support vector machines", section 2.2.
    """
    positive = outcomes(labels)
    logits = numbers(logits, positive.size, "logits")
    return Platt(*_platt(positive, logits, np.ones((1, positive.size)))[0].tolist())


def bootstrap_platt(labels: ArrayLike, logits: ArrayLike, n_resamples: int, rng: np.random.Generator) -> FloatArray:
    """Platt fits of resampled cases, for the uncertainty of a calibrated probability.

    Args:
        labels: (n,), 0 or 1, both present.
        logits: (n,), as for `fit_platt`.
        n_resamples: How many, >= 1.
        rng: Draws the cases with replacement; the same state gives the same fits.

    Returns:
        Slope and intercept, (n_resamples, 2).

    Raises:
        ValueError: Labels, logits or n_resamples are not as said.
    """
    positive = outcomes(labels)
    logits = numbers(logits, positive.size, "logits")
    if n_resamples < 1:
        raise ValueError(f"n_resamples must be at least 1, got {n_resamples!r}.")
    n = positive.size
    counts = rng.multinomial(n, np.full(n, 1 / n), size=n_resamples).astype(float)  # how often each case was drawn
    return _platt(positive, logits, counts)


def _platt(positive: BoolArray, logits: FloatArray, counts: FloatArray) -> FloatArray:
    n_positive = counts[:, positive].sum(axis=1, keepdims=True)
    n_negative = counts[:, ~positive].sum(axis=1, keepdims=True)
    targets = np.where(positive, (n_positive + 1) / (n_positive + 2), 1 / (n_negative + 2))
    return _fit(logits, targets, counts)


def _separated(positive: BoolArray, logits: FloatArray) -> bool:
    """Whether no finite slope is the most likely: one cut parts the outcomes, but for cases on the cut."""
    yes, no = logits[positive], logits[~positive]
    return bool(yes.min() >= no.max() or no.min() >= yes.max())


def _fit(x: FloatArray, targets: FloatArray, counts: FloatArray, offset: FloatArray | float = 0.0) -> FloatArray:
    """Logistic regressions by Newton's method, several at once.

    Args:
        x: One input, (n,).
        targets: Between 0 and 1, (r, n), a row per regression.
        counts: Weight of each case in each regression, (r, n).
        offset: Added to the logit with the slope 1, (n,).

    Returns:
        Slope and intercept, (r, 2).
    """
    # On standardized inputs Newton's steps are well scaled; an input without spread gets the slope 0.
    total = counts.sum(axis=1, keepdims=True)
    mean = counts @ x[:, None] / total
    spread = np.sqrt((counts * (x - mean) ** 2).sum(axis=1, keepdims=True) / total)
    flat = spread <= 1e-9 * np.maximum(1.0, np.abs(mean))
    z = (x - mean) / np.where(flat, 1.0, spread)

    def logits_of(beta: FloatArray) -> FloatArray:
        return np.asarray(beta[:, :1] * z + beta[:, 1:] + offset)

    def loss(beta: FloatArray) -> FloatArray:
        eta = logits_of(beta)
        return np.asarray((counts * (np.logaddexp(0, eta) - targets * eta)).sum(axis=1) / total[:, 0])

    beta = np.zeros((len(counts), 2))
    for _ in range(MAX_STEPS):
        p = expit(logits_of(beta))
        error, weight = counts * (targets - p) / total, counts * p * (1 - p) / total
        gradient = np.stack([(error * z).sum(axis=1), error.sum(axis=1)], axis=1)
        a, b, c = (weight * z * z).sum(axis=1), (weight * z).sum(axis=1), weight.sum(axis=1)
        hessian = np.stack([np.stack([a, b], axis=1), np.stack([b, c], axis=1)], axis=1)
        step = np.linalg.solve(hessian + 1e-12 * np.eye(2), gradient[..., None])[..., 0]
        start = loss(beta)
        while (worse := loss(beta + step) > start + 1e-14).any():  # far from the optimum a full step may overshoot
            step[worse] /= 2
        beta = beta + step
        if np.abs(step).max() < 1e-12:
            break
    slope = np.where(flat, 0.0, beta[:, :1] / np.where(flat, 1.0, spread))
    return np.concatenate([slope, beta[:, 1:] - slope * mean], axis=1)
