"""Two models' Brier scores on the same cases."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtr, stdtrit

from PDL1PredictorLib.statistics.checks import groups, outcomes, probabilities_of


class BrierTest(NamedTuple):
    """Brier score of a less that of b, on the same cases.

    Attributes:
        difference: Below 0 where a is better.
        interval: 95 %, patients drawn; (NaN, NaN) with one patient.
        p: Two-sided; 1 where all differences are 0, NaN with one patient.
    """

    difference: float
    interval: tuple[float, float]
    p: float


def brier_test(labels: ArrayLike, a: ArrayLike, b: ArrayLike, patients: ArrayLike | None = None) -> BrierTest:
    """Compare two models' probabilities by their squared errors, paired by case.

    Args:
        labels: (n,), 0 or 1, both present.
        a: Probabilities (n,).
        b: Probabilities (n,) of the same cases in the same order.
        patients: Of each case, (n,): tumors of one patient are not independent; None where each case is a patient.

    Raises:
        ValueError: An argument is not as said.

    Source: Redelmeier, Bloch and Hickam 1991, doi 10.1016/0895-4356(91)90146-Z, as a paired t test; the variance of a
    mean of clusters: Liang and Zeger 1986, doi 10.1093/biomet/73.1.13.
    """
    positive = outcomes(labels)
    n = positive.size
    errors = [(probabilities_of(p, n) - positive) ** 2 for p in (a, b)]
    differences = errors[0] - errors[1]
    owner = np.arange(n) if patients is None else groups(patients, n, "patients")
    mean, count = float(differences.mean()), int(owner.max()) + 1
    if count < 2:
        return BrierTest(mean, (math.nan, math.nan), math.nan)
    sums = np.bincount(owner, weights=differences - mean, minlength=count)
    error = math.sqrt(count / (count - 1) * float((sums**2).sum())) / n
    if error < 1e-15:
        return BrierTest(mean, (mean, mean), 1.0 if abs(mean) < 1e-15 else 0.0)
    half = float(stdtrit(count - 1, 0.975)) * error
    return BrierTest(mean, (mean - half, mean + half), 2 * float(stdtr(count - 1, -abs(mean) / error)))
