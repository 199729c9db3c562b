"""Decision curves: what acting on the probability gains over acting on all cases or on none."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import FloatArray, confidence_of, groups, outcomes, probabilities_of, sample

Ends = tuple[FloatArray, FloatArray]
"""Lower and upper ends at each threshold, (t,) each."""


class DecisionCurve(NamedTuple):
    """Net benefit at each threshold probability, in true positives per case; all (t,).

    Attributes:
        thresholds: Probability from which a case is treated.
        model: Those at or above the threshold are treated.
        treat_all: All are.
        treat_none: None is: 0 everywhere.
    """

    thresholds: FloatArray
    model: FloatArray
    treat_all: FloatArray
    treat_none: FloatArray


class DecisionBand(NamedTuple):
    """Pointwise intervals of a decision curve.

    Attributes:
        thresholds: As in `DecisionCurve`, (t,).
        model: Of the model's net benefit.
        over_treat_all: Of the model's benefit less that of treating all; where it holds 0, the cases do not tell which
            is better. That over treating none is `model`.
    """

    thresholds: FloatArray
    model: Ends
    over_treat_all: Ends


def decision_curve(labels: ArrayLike, probabilities: ArrayLike, thresholds: ArrayLike | None = None) -> DecisionCurve:
    """Net benefit: true positives less false positives, these weighted by the odds of the threshold.

    Who treats from a probability t on holds one missed positive as bad as (1 - t) / t needless treatments.

    Args:
        labels: (n,), 0 or 1, both present.
        probabilities: (n,), of the outcome 1, calibrated.
        thresholds: (t,), each at least 0 and below 1; None for 0.01 to 0.99 in steps of 0.01.

    Raises:
        ValueError: An argument is not as said.

    Source: Vickers and Elkin 2006, doi 10.1177/0272989X06295361.
    """
    positive = outcomes(labels)
    p = probabilities_of(probabilities, positive.size)
    cuts = _thresholds(thresholds)
    odds = cuts / (1 - cuts)
    treated = p >= cuts[:, None]  # (t, n)
    model = (treated & positive).mean(axis=1) - odds * (treated & ~positive).mean(axis=1)
    treat_all = positive.mean() - odds * (~positive).mean()
    return DecisionCurve(cuts, model, treat_all, np.zeros_like(cuts))


def decision_band(
    labels: ArrayLike,
    probabilities: ArrayLike,
    rng: np.random.Generator,
    patients: ArrayLike | None = None,
    thresholds: ArrayLike | None = None,
    n_resamples: int = 1000,
    confidence: float = 0.95,
) -> DecisionBand:
    """Percentile intervals of net benefit at each threshold, by drawing patients with replacement.

    The labels are drawn with them: net benefit depends on the prevalence, which is uncertain too. The model stays as it
    is. Where fewer than about ten cases lie above a threshold (for `model`) or below it (for `over_treat_all`),
    resamples of these few say too little, and the band is too narrow.

    Args:
        labels: (n,), 0 or 1, both present.
        probabilities: (n,), of the outcome 1, calibrated.
        rng: Draws the patients; the same state gives the same band.
        patients: Of each case, (n,); None where each case is a patient.
        thresholds: As for `decision_curve`.
        n_resamples: How many, >= 1.
        confidence: Of the intervals, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: Vickers et al. 2008, doi 10.1186/1472-6947-8-53.
    """
    positive = outcomes(labels)
    p = probabilities_of(probabilities, positive.size)
    cuts, level = _thresholds(thresholds), confidence_of(confidence)
    if n_resamples < 1:
        raise ValueError(f"n_resamples must be at least 1, got {n_resamples!r}.")
    patient = np.arange(positive.size) if patients is None else groups(patients, positive.size, "patients")
    n = int(patient.max()) + 1
    times = rng.multinomial(n, np.full(n, 1 / n), size=n_resamples)[:, patient]  # how often each case was drawn
    gain = np.where(positive, 1.0, -(cuts / (1 - cuts))[:, None])  # of treating each case, (t, n)
    treated = p >= cuts[:, None]
    total = times.sum(axis=1)[:, None]
    model, untreated = times @ (gain * treated).T / total, times @ (gain * ~treated).T / total
    ends = [(1 - level) / 2, (1 + level) / 2]
    (low, high), (less, more) = np.quantile(model, ends, axis=0), np.quantile(-untreated, ends, axis=0)
    return DecisionBand(cuts, (low, high), (less, more))


def _thresholds(thresholds: ArrayLike | None) -> FloatArray:
    cuts = np.arange(1, 100) / 100 if thresholds is None else sample(thresholds, "thresholds")
    if cuts.min() < 0 or cuts.max() >= 1:
        raise ValueError(f"thresholds must be at least 0 and below 1, they run from {cuts.min():g} to {cuts.max():g}.")
    return cuts
