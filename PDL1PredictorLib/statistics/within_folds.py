"""Discrimination of cross-validated scores, from pairs of cases that one model has scored: area, comparison, curve.

Scores of different folds come from differently calibrated models. Ranked together they are biased below 0.5: a
training part has many positives exactly when its test part has few. So a positive case is compared with the negative
cases of its own fold only.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr, stdtrit

from PDL1PredictorLib.statistics.auc_intervals import NOTHING_KNOWN, logit_interval, score_interval, welch_df
from PDL1PredictorLib.statistics.checks import BoolArray, FloatArray, groups, outcomes
from PDL1PredictorLib.statistics.curves import roc_curve
from PDL1PredictorLib.statistics.discrimination import DelongTest

ROUNDING = 1e-12
MANY = 1e6  # degrees of freedom at which Student's t is normal


class FoldAuc(NamedTuple):
    """Area under the ROC curve within folds.

    Attributes:
        value: Chance that a positive case scores above a negative one of its fold, ties counted half; mean over the
            repetitions.
        interval: 95 %, on the logit scale, Student's t. (0, 1) where nothing can be said: constant scores, or one
            patient in all pairs.
        standard_error: Of the value, with a patient counted once however many repetitions; NaN where one patient is in
            all pairs.
        repetitions: Area of each repetition, (r,).
        n_positive: Number of positive cases.
        n_negative: Number of negative cases.
        n_patients: Number of patients.
    """

    value: float
    interval: tuple[float, float]
    standard_error: float
    repetitions: FloatArray
    n_positive: int
    n_negative: int
    n_patients: int


class MeanRoc(NamedTuple):
    """ROC curve averaged over folds at equal false positive rates, from (0, 0) to (1, 1).

    Attributes:
        false_positive_rate: Rising, (m,); two points where the curve steps up.
        true_positive_rate: Rising, (m,).
    """

    false_positive_rate: FloatArray
    true_positive_rate: FloatArray


class RocBand(NamedTuple):
    """Pointwise intervals of a mean ROC curve.

    Attributes:
        false_positive_rate: Where, (m,).
        low: Lower ends of the sensitivity, (m,).
        high: Upper ends, (m,).
    """

    false_positive_rate: FloatArray
    low: FloatArray
    high: FloatArray


class _Cases(NamedTuple):
    """Cases in folds: whether positive (n,), fold of each by repetition (r, n), number of the patient (n,)."""

    positive: BoolArray
    folds: NDArray[np.intp]
    patient: NDArray[np.intp]


class _Pairs(NamedTuple):
    """Of every positive with every negative case, mean over the repetitions.

    Attributes:
        weight: Equal within the folds, 0 between them; the sum is 1, (p, q).
        won: Weight x 1 where the positive case scores above the negative one, 0 below, a half where tied, (p, q).
        areas: Sum of what was won in each repetition, (r,).
    """

    weight: FloatArray
    won: FloatArray
    areas: FloatArray


class _Shared(NamedTuple):
    """Sums of products of two pairs' values: of the same patients; of a patient at least in common."""

    same: float
    any: float


def auc_within_folds(
    labels: ArrayLike, scores: ArrayLike, folds: ArrayLike, patients: ArrayLike | None = None
) -> FoldAuc:
    """Area from the pairs within each fold, all pairs of a repetition weighing the same.

    The variance is that of a U-statistic: products of the deviations of two pairs that share a patient, so it counts
    patients, neither pairs nor repetitions. It is conditional on the models: how much another cohort would have trained
    others is not in it.

    Args:
        labels: (n,), 0 or 1, both present.
        scores: (n,), or (r, n) for r repetitions of the cross-validation; higher means positive. Not calibrated.
        folds: Of each case, as scores.
        patients: Of each case, (n,), where a patient may have several; None where each case is a patient.

    Raises:
        ValueError: An argument is not as said, or no fold of some repetition has both outcomes.

    Source: LeDell, Petersen and van der Laan 2015, doi 10.1214/15-EJS1035, whose folds weigh the same and whose
    variance is this one's for many cases; variance of a U-statistic: Hoeffding 1948, doi 10.1214/aoms/1177730196;
    pairs of clusters: Aronow, Samii and Assenova 2015, doi 10.1093/pan/mpv018.
    """
    cases = _cases(labels, folds, patients)
    weight, won, areas = _pairs(cases, _rows(scores, cases, "scores"))
    value = min(1.0, float(areas.mean()))  # rounding may exceed 1
    deviation = won - value * weight
    variance = _variance(deviation, weight, cases)
    return FoldAuc(
        value,
        _interval(value, variance, deviation, weight, cases),
        math.sqrt(variance),
        areas,
        int(cases.positive.sum()),
        int((~cases.positive).sum()),
        int(cases.patient.max()) + 1,
    )


def compare_within_folds(
    labels: ArrayLike, a: ArrayLike, b: ArrayLike, folds: ArrayLike, patients: ArrayLike | None = None
) -> DelongTest:
    """Compare the areas within folds of two models of the same folds: DeLong's test, stratified by fold.

    Args:
        labels: (n,), 0 or 1, both present.
        a: Scores (n,) or (r, n), higher means positive.
        b: Scores of the same cases in the same folds.
        folds: Of each case, as the scores.
        patients: Of each case, (n,); None where each case is a patient.

    Returns:
        Interval and p are Student's, with the degrees of freedom of the variance: by the normal ones two equal models
        would differ in 9 % of cohorts with nine positive cases, by these in 7 %; with twenty in 5.5 %. z is 0 and p is
        1 where the areas are equal without any spread, as for a score against itself.

    Raises:
        ValueError: An argument is not as said, or all pairs share a patient.

    Source: DeLong et al. 1988, doi 10.2307/2531595, with the variance of `auc_within_folds`.
    """
    cases = _cases(labels, folds, patients)
    weight, won, _ = _pairs(cases, _rows(a, cases, "a"))
    gained = won - _pairs(cases, _rows(b, cases, "b")).won
    difference = float(gained.sum())
    deviation = gained - difference * weight
    variance = _variance(deviation, weight, cases)
    if math.isnan(variance):
        raise ValueError("At least two patients of each outcome are needed to compare two areas.")
    error = math.sqrt(variance)
    if error < ROUNDING:
        z = 0.0 if abs(difference) < ROUNDING else math.copysign(math.inf, difference)
        return DelongTest(difference, (difference, difference), z, 1.0 if z == 0 else 0.0)
    df = min(_df(deviation, weight, cases), MANY)
    half, z = float(stdtrit(df, 0.975)) * error, difference / error
    return DelongTest(difference, (difference - half, difference + half), z, p=2 * float(stdtr(df, -abs(z))))


def roc_within_folds(labels: ArrayLike, scores: ArrayLike, folds: ArrayLike) -> MeanRoc:
    """Mean sensitivity of the folds at every false positive rate; it encloses the area within folds.

    No threshold is shared: each fold is read at its own. A fold weighs as many pairs as it has in its repetition.

    Args:
        labels: (n,), 0 or 1, both present.
        scores: (n,) or (r, n), higher means positive.
        folds: Of each case, as scores.

    Raises:
        ValueError: An argument is not as said, or no fold of some repetition has both outcomes.

    Source: vertical averaging: Fawcett 2006, doi 10.1016/j.patrec.2005.10.010, algorithm 3.
    """
    cases = _cases(labels, folds, None)
    values = _rows(scores, cases, "scores")
    curves, weights = [], []
    for row, fold in zip(values, cases.folds, strict=True):
        parts = [np.flatnonzero(fold == number) for number in np.unique(fold)]
        pairs = np.array([cases.positive[part].sum() * (~cases.positive[part]).sum() for part in parts])
        _some(int(pairs.sum()))
        curves += [roc_curve(cases.positive[part], row[part])[:2] for part, n in zip(parts, pairs, strict=True) if n]
        weights += (pairs[pairs > 0] / pairs.sum() / len(values)).tolist()
    at = np.unique(np.concatenate([false_rate for false_rate, _ in curves]))
    ends = sum(weight * _ends(*curve, at) for weight, curve in zip(weights, curves, strict=True))
    return MeanRoc(np.repeat(at, 2), np.asarray(ends).ravel())


def roc_band_within_folds(
    labels: ArrayLike,
    scores: ArrayLike,
    folds: ArrayLike,
    rng: np.random.Generator,
    patients: ArrayLike | None = None,
    n_resamples: int = 500,
    at: ArrayLike | None = None,
) -> RocBand | None:
    """Pointwise 95 % percentile intervals of `roc_within_folds`, by drawing patients with replacement.

    A patient is drawn for all repetitions at once, so that repetitions do not count as new patients. The models stay as
    they are. Where fewer than about ten positive cases decide, the band is too narrow. With folds of 20 cases it is a
    third too wide and holds the true curve in 97 to 99 %, as Testing/statistics/test_roc_band.py shows.

    Args:
        labels: (n,), 0 or 1, both present.
        scores: (n,) or (r, n), higher means positive.
        folds: Of each case, as scores.
        rng: Draws the patients; the same state gives the same band.
        patients: Of each case, (n,); None where each case is a patient.
        n_resamples: How many, >= 1; those without any pair are left out.
        at: False positive rates, rising; None for 0 to 1 in steps of 0.02.

    Returns:
        None where fewer than two patients have either outcome.

    Raises:
        ValueError: As `roc_within_folds`.
    """
    cases = _cases(labels, folds, patients)
    values, where = _rows(scores, cases, "scores"), np.linspace(0, 1, 51) if at is None else np.asarray(at, dtype=float)
    if min(len(np.unique(cases.patient[cases.positive == outcome])) for outcome in (True, False)) < 2:
        return None
    n = int(cases.patient.max()) + 1
    times = rng.multinomial(n, np.full(n, 1 / n), size=n_resamples)[:, cases.patient].astype(float)
    total, weight = np.zeros((n_resamples, where.size)), np.zeros((n_resamples, 1))
    for row, fold in zip(values, cases.folds, strict=True):
        of_repetition, pairs = np.zeros_like(total), np.zeros_like(weight)
        for number in np.unique(fold):
            part = fold == number
            curves, own = _resampled(times[:, part], cases.positive[part], row[part], where)
            of_repetition, pairs = of_repetition + own * curves, pairs + own
        total += of_repetition / np.where(pairs > 0, pairs, 1)
        weight += pairs > 0
    whole = weight[:, 0] == len(values)
    if not whole.any():
        return None
    low, high = np.quantile(total[whole] / len(values), [0.025, 0.975], axis=0)
    return RocBand(where, low, high)


def _resampled(
    times: FloatArray, positive: BoolArray, scores: FloatArray, at: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Sensitivity of resamples of a fold at false positive rates, (b, m), and their pairs, (b, 1)."""
    values, place = np.unique(-scores, return_inverse=True)
    of_value = (place[:, None] == np.arange(values.size)).astype(float)

    def counted(cases: BoolArray) -> FloatArray:
        return np.pad((times[:, cases] @ of_value[cases]).cumsum(axis=1), ((0, 0), (1, 0)))

    true, false = counted(positive), counted(~positive)
    pairs = true[:, -1:] * false[:, -1:]
    curves = np.zeros((len(times), at.size))
    for number in np.flatnonzero(pairs[:, 0] > 0):
        curves[number] = np.interp(at, false[number] / false[number, -1], true[number] / true[number, -1])
    return curves, pairs


def _cases(labels: ArrayLike, folds: ArrayLike, patients: ArrayLike | None) -> _Cases:
    positive = outcomes(labels)
    n = positive.size
    fold = np.atleast_2d(np.asarray(folds))
    if fold.ndim != 2 or fold.shape[1] != n or not len(fold):
        raise ValueError(f"folds must be {n} values, or a row of {n} for each repetition, got the shape {fold.shape}.")
    patient = np.arange(n) if patients is None else groups(patients, n, "patients")
    return _Cases(positive, np.stack([groups(row, n, "folds") for row in fold]), patient)


def _rows(scores: ArrayLike, cases: _Cases, what: str) -> FloatArray:
    """Scores by repetition, (r, n)."""
    rows = np.atleast_2d(np.asarray(scores, dtype=float))
    if rows.shape != cases.folds.shape:
        raise ValueError(f"{what} must have the shape of the folds, {cases.folds.shape}, got {rows.shape}.")
    if not np.isfinite(rows).all():
        raise ValueError(f"{what} must be finite, {np.count_nonzero(~np.isfinite(rows))} of {rows.size} are not.")
    return rows


def _some(pairs: int) -> None:
    if not pairs:
        raise ValueError("No fold holds both outcomes, so there is no pair to compare. Use fewer folds.")


def _pairs(cases: _Cases, scores: FloatArray) -> _Pairs:
    yes, no = cases.positive, ~cases.positive
    weight, won = np.zeros((2, int(yes.sum()), int(no.sum())))
    areas = np.zeros(len(scores))
    for number, (row, fold) in enumerate(zip(scores, cases.folds, strict=True)):
        together = fold[yes, None] == fold[no]
        _some(int(together.sum()))
        own = together / together.sum()
        gained = own * (np.sign(row[yes, None] - row[no]) + 1) / 2
        areas[number] = gained.sum()
        weight += own / len(scores)
        won += gained / len(scores)
    return _Pairs(weight, won, areas)


def _variance(deviation: FloatArray, weight: FloatArray, cases: _Cases) -> float:
    """Variance of a sum over pairs, (p, q); NaN where all pairs share a patient.

    Deviations are from the estimate instead of the truth, which takes the share of products that the sum has: it is put
    back. For one fold of single cases this is the unbiased variance of a U-statistic.
    """
    share = _shared(weight, cases).any
    if share > 1 - ROUNDING:
        return math.nan
    found = _shared(deviation, cases)
    # In truth pairs that share a patient never correlate negatively on the whole. Where few cases say so by chance the
    # pairs' own squares remain: a variance of 0 would be certainty.
    return max(found.any, found.same) / (1 - share)


def _shared(pairs: FloatArray, cases: _Cases) -> _Shared:
    both = _by_patients(pairs, cases)
    own = float((np.diag(both) ** 2).sum())
    same = (float((both**2).sum()) + own) / 2  # `both` holds each two patients twice
    return _Shared(same, float((both.sum(axis=1) ** 2).sum()) - same + own)


def _by_patients(pairs: FloatArray, cases: _Cases) -> FloatArray:
    """Sum over the pairs of every two patients, whichever has the positive case: symmetric, (patients, patients)."""
    n = int(cases.patient.max()) + 1
    place = cases.patient[cases.positive][:, None] * n + cases.patient[~cases.positive]
    between = np.bincount(place.ravel(), pairs.ravel(), n * n).reshape(n, n)
    return np.asarray(between + between.T - np.diag(np.diag(between)))


def _interval(
    value: float, variance: float, deviation: FloatArray, weight: FloatArray, cases: _Cases
) -> tuple[float, float]:
    if math.isnan(variance):
        return NOTHING_KNOWN
    if ROUNDING < value < 1 - ROUNDING:
        return logit_interval(value, variance if variance > ROUNDING**2 else 0.0, _df(deviation, weight, cases))
    shared = _shared(weight, cases)  # a perfect area has no spread in its pairs, but an uncertainty
    return score_interval(round(value), shared.same, (shared.any - shared.same) / 2)


def _df(deviation: FloatArray, weight: FloatArray, cases: _Cases) -> float:
    """Degrees of freedom of the variance: few where most of it comes from few patients, as a rule the positive ones."""
    squares = _by_patients(deviation, cases).sum(axis=1) ** 2
    paired = _by_patients(weight, cases).any(axis=1)
    with_positive = np.isin(np.arange(squares.size), cases.patient[cases.positive])
    parts = float(squares[with_positive].sum()), float(squares[~with_positive].sum())
    return welch_df(parts, (int((paired & with_positive).sum()), int((paired & ~with_positive).sum())))


def _ends(false_rate: FloatArray, true_rate: FloatArray, at: FloatArray) -> FloatArray:
    """Where a curve comes to each false positive rate and where it leaves it upwards, (m, 2)."""
    points, first = np.unique(false_rate, return_index=True)
    last = np.concatenate([first[1:], [false_rate.size]]) - 1
    right = np.searchsorted(points, at)
    left = np.where(points[right] == at, right, right - 1)
    along = np.where(right > left, (at - points[left]) / np.where(right > left, points[right] - points[left], 1), 0)
    slope = true_rate[last][left] + along * (true_rate[first][right] - true_rate[last][left])
    on = right == left
    comes, leaves = np.where(on, true_rate[first][right], slope), np.where(on, true_rate[last][right], slope)
    return np.stack([comes, leaves], axis=1)
