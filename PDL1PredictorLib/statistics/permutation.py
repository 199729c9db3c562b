"""Whether a figure could be chance: its p by permuting labels, within folds and by patient."""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from PDL1PredictorLib.statistics.checks import FloatArray, groups

Labels = NDArray[np.generic]
Exchange = list[NDArray[np.intp]]
ROUNDING = 1e-12  # a permutation that gives the same figure must count, however its sum was rounded


class Permutation(NamedTuple):
    """A figure and how often chance reaches it.

    Attributes:
        value: Of the labels as they are.
        p: (b + 1) / (m + 1), where b of m permutations reach the value: never 0.
        null: The figure of every permutation, (m,).
    """

    value: float
    p: float
    null: FloatArray


def permutation_test(
    statistic: Callable[[Labels], float],
    labels: ArrayLike,
    rng: np.random.Generator,
    folds: ArrayLike | None = None,
    patients: ArrayLike | None = None,
    n_permutations: int = 999,
    alternative: Literal["greater", "two-sided"] = "greater",
) -> Permutation:
    """P of a statistic under the hypothesis that labels have nothing to do with the cases they stand beside.

    Patients exchange their labels whole, so that tumors of one patient stay together: within their fold, and with
    patients of as many cases. A patient without a partner keeps them. For scores that are given, the p is of the models
    as trained; a statistic that trains anew with the labels it gets has a p of the whole training.

    Args:
        statistic: Of labels, (n,) in the order of the cases; for example
            `lambda labels: auc_within_folds(labels, scores, folds).value`.
        labels: (n,), of any kind.
        rng: Draws the permutations; the same state gives the same result.
        folds: Of each case, (n,), where labels are exchanged within folds only. None exchanges them among all, as for
            several repetitions, whose folds differ.
        patients: Of each case, (n,); None where each case is a patient.
        n_permutations: How many, >= 1.
        alternative: `greater` counts permutations at or above the value; `two-sided` takes twice the smaller tail, 1 at
            most.

    Raises:
        ValueError: An argument is not as said, no label can be exchanged, or the statistic is no finite number.

    Source: Phipson and Smyth 2010, doi 10.2202/1544-6115.1585 (p is exact and never 0); within blocks: Good 2005,
    "Permutation, Parametric and Bootstrap Tests of Hypotheses", section 3.
    """
    own = np.asarray(labels)
    if own.ndim != 1 or not own.size:
        raise ValueError(f"labels must be one value per case, got the shape {own.shape}.")
    if n_permutations < 1:
        raise ValueError(f"n_permutations must be at least 1, got {n_permutations!r}.")
    if alternative not in ("greater", "two-sided"):
        raise ValueError(f"alternative must be 'greater' or 'two-sided', got {alternative!r}.")
    alike = exchangeable(own.size, folds, patients)
    if not any(len(np.unique(own[rows], axis=0)) > 1 for rows in alike):
        raise ValueError("No label can be exchanged for another one within its fold. Use fewer folds, or none.")
    value = _finite(statistic(own))
    null = np.array([_finite(statistic(permuted(own, alike, rng))) for _ in range(n_permutations)])
    at_least = _share(null >= value - ROUNDING)
    if alternative == "greater":
        return Permutation(value, at_least, null)
    return Permutation(value, min(1.0, 2 * min(at_least, _share(null <= value + ROUNDING))), null)


def permuted(labels: Labels, exchanges: Exchange, rng: np.random.Generator) -> Labels:
    """Labels after a random exchange.

    Args:
        labels: (n,).
        exchanges: Rows of patients who may exchange their labels, each (patients, cases of each).
        rng: Draws it.
    """
    new = labels.copy()
    for rows in exchanges:
        new[rows] = labels[rows[rng.permutation(len(rows))]]
    return new


def exchangeable(n: int, folds: ArrayLike | None = None, patients: ArrayLike | None = None) -> Exchange:
    """Rows of the patients of a fold who have as many cases: (patients, cases), for each fold and number.

    Args:
        n: Number of cases.
        folds: Of each case, see `permutation_test`.
        patients: Of each case, likewise.

    Raises:
        ValueError: A patient's cases lie in several folds.
    """
    fold = np.zeros(n, np.intp) if folds is None else groups(folds, n, "folds")
    patient = np.arange(n) if patients is None else groups(patients, n, "patients")
    alike: dict[tuple[int, int], list[NDArray[np.intp]]] = {}
    for number in range(int(patient.max()) + 1):
        rows = np.flatnonzero(patient == number)
        if np.ptp(fold[rows]):
            raise ValueError("A patient's cases lie in several folds. Divide patients, not cases.")
        alike.setdefault((int(fold[rows[0]]), rows.size), []).append(rows)
    return [np.stack(members) for members in alike.values()]


def _finite(value: float) -> float:
    if not np.isfinite(value):
        raise ValueError(f"The statistic must be a finite number, got {value!r} for some labels.")
    return float(value)


def _share(reached: NDArray[np.bool_]) -> float:
    return float((np.count_nonzero(reached) + 1) / (reached.size + 1))
