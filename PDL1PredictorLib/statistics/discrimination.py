"""How well scores tell two outcomes apart: AUC, DeLong's interval and test, the table at a threshold."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr, stdtr, stdtrit
from scipy.stats import rankdata

from PDL1PredictorLib.statistics.auc_intervals import NOTHING_KNOWN, logit_interval, newcombe_interval, welch_df
from PDL1PredictorLib.statistics.checks import BoolArray, FloatArray, numbers, outcomes

Z95 = 1.959963984540054  # normal quantile of 0.975


class Auc(NamedTuple):
    """Area under the ROC curve.

    Attributes:
        value: Chance that a positive case scores above a negative one, ties counted half, 0 to 1.
        interval: 95 %, DeLong, cut to 0 to 1; (0, 1) where one outcome has a single case and nothing can be said.
        n_positive: Number of positive cases.
        n_negative: Number of negative cases.
        logit_interval: 95 %, DeLong's variance on the logit scale with Student's t, to be reported: with eight or nine
            positive cases it covers 95 to 97 %, `interval` 83 to 93 %. Newcombe's where the area is 0 or 1; (0, 1)
            where an outcome has a single case or all scores are equal, and nothing can be said.
    """

    value: float
    interval: tuple[float, float]
    n_positive: int
    n_negative: int
    logit_interval: tuple[float, float]


class DelongTest(NamedTuple):
    """Two correlated areas compared.

    Attributes:
        difference: AUC of a minus AUC of b.
        interval: 95 % interval of the difference.
        z: Difference over its standard error; positive where a is better (the sign of R's pROC).
        p: Two-sided.
    """

    difference: float
    interval: tuple[float, float]
    z: float
    p: float


class UnpairedTest(NamedTuple):
    """Two areas of different cases compared.

    Attributes:
        difference: AUC of a minus AUC of b.
        interval: 95 % interval of the difference.
        t: Difference over its standard error; positive where a is better (D of R's pROC).
        df: Degrees of freedom, Welch's.
        p: Two-sided, by Student's t.
    """

    difference: float
    interval: tuple[float, float]
    t: float
    df: float
    p: float


class Confusion(NamedTuple):
    """The table at a threshold.

    Attributes:
        true_positive: Count.
        false_positive: Count.
        true_negative: Count.
        false_negative: Count.
        accuracy: Share called rightly.
        sensitivity: Share of the positive cases called positive (recall).
        specificity: Share of the negative cases called negative.
        ppv: Share of the positive calls that are right (precision); NaN without a positive call.
        npv: Share of the negative calls that are right; NaN without a negative call.
        f1: Harmonic mean of sensitivity and ppv; 0 without a true positive.
    """

    true_positive: int
    false_positive: int
    true_negative: int
    false_negative: int
    accuracy: float
    sensitivity: float
    specificity: float
    ppv: float
    npv: float
    f1: float


def auc(labels: ArrayLike, scores: ArrayLike) -> Auc:
    """Area under the ROC curve with DeLong's 95 % interval, plain and on the logit scale.

    A perfect area has the variance 0 by this method, so its plain interval is (1, 1) however few the cases.

    Args:
        labels: (n,), 0 or 1, both present.
        scores: (n,), higher means positive.

    Raises:
        ValueError: Labels or scores are not as said.

    Source: DeLong et al. 1988, doi 10.2307/2531595; midranks as in Sun and Xu 2014, doi 10.1109/LSP.2014.2337313.
    """
    positive = outcomes(labels)
    areas, of_positives, of_negatives = _delong_parts(positive, numbers(scores, positive.size, "scores")[None])
    counts = int(positive.sum()), int((~positive).sum())
    value, parts = float(areas[0]), (float(of_positives[0, 0]), float(of_negatives[0, 0]))
    variance = sum(parts)
    if math.isnan(variance):
        return Auc(value, NOTHING_KNOWN, *counts, NOTHING_KNOWN)
    half = Z95 * math.sqrt(variance)
    if 0 < value < 1:
        on_logits = logit_interval(value, variance, welch_df(parts, counts))
    else:
        on_logits = newcombe_interval(value, *counts)
    return Auc(value, (max(0.0, value - half), min(1.0, value + half)), *counts, on_logits)


def delong_test(labels: ArrayLike, a: ArrayLike, b: ArrayLike) -> DelongTest:
    """Compare the areas of two scores of the same cases.

    Args:
        labels: (n,), 0 or 1, at least two of each.
        a: Scores (n,), higher means positive.
        b: Scores (n,) of the same cases in the same order.

    Returns:
        z is 0 and p is 1 where the areas are equal without any spread, as for a score against itself.

    Raises:
        ValueError: Labels or scores are not as said.

    Source: DeLong et al. 1988, doi 10.2307/2531595.
    """
    positive = _two_of_each(labels)
    n = positive.size
    areas, covariance = _delong(positive, np.stack([numbers(a, n, "a"), numbers(b, n, "b")]))
    difference = float(areas[0] - areas[1])
    error = math.sqrt(max(0.0, float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])))
    if error < 1e-12:  # what rounding leaves of zero
        z = 0.0 if abs(difference) < 1e-12 else math.copysign(math.inf, difference)
    else:
        z = difference / error
    interval = (difference - Z95 * error, difference + Z95 * error)
    return DelongTest(difference, interval, z, p=float(2 * ndtr(-abs(z))))


def delong_test_unpaired(
    labels_a: ArrayLike, scores_a: ArrayLike, labels_b: ArrayLike, scores_b: ArrayLike
) -> UnpairedTest:
    """Compare the areas of scores of different cases, as of two hospitals.

    Args:
        labels_a: (n,), 0 or 1, at least two of each.
        scores_a: (n,), higher means positive.
        labels_b: (m,), of other cases, at least two of each.
        scores_b: (m,), higher means positive.

    Returns:
        t is 0 and p is 1 where the areas are equal without any spread; df is then infinite.

    Raises:
        ValueError: Labels or scores are not as said.

    Source: DeLong et al. 1988, doi 10.2307/2531595, variances; Welch 1947, doi 10.1093/biomet/34.1-2.28, degrees of
    freedom, as R's pROC.
    """
    (area_a, variance_a, n_a), (area_b, variance_b, n_b) = _area(labels_a, scores_a), _area(labels_b, scores_b)
    difference, variance = area_a - area_b, variance_a + variance_b
    error = math.sqrt(variance)
    if error < 1e-12:  # what rounding leaves of zero
        t = 0.0 if abs(difference) < 1e-12 else math.copysign(math.inf, difference)
        return UnpairedTest(difference, (difference, difference), t, math.inf, 1.0 if t == 0 else 0.0)
    df = variance**2 / (variance_a**2 / (n_a - 1) + variance_b**2 / (n_b - 1))
    half = float(stdtrit(df, 0.975)) * error
    t = difference / error
    return UnpairedTest(difference, (difference - half, difference + half), t, df, p=2 * float(stdtr(df, -abs(t))))


def confusion(labels: ArrayLike, scores: ArrayLike, threshold: float) -> Confusion:
    """Counts and rates when a score at or above the threshold is called positive.

    Args:
        labels: (n,), 0 or 1, both present.
        scores: (n,), higher means positive.
        threshold: In the scores' unit.

    Raises:
        ValueError: Labels, scores or threshold are not as said.
    """
    positive = outcomes(labels)
    if math.isnan(threshold):
        raise ValueError("threshold must be a number, got NaN.")
    called = numbers(scores, positive.size, "scores") >= threshold
    tp, fp = int((called & positive).sum()), int((called & ~positive).sum())
    tn, fn = int((~called & ~positive).sum()), int((~called & positive).sum())
    return Confusion(
        tp,
        fp,
        tn,
        fn,
        accuracy=(tp + tn) / positive.size,
        sensitivity=tp / (tp + fn),
        specificity=tn / (tn + fp),
        ppv=tp / (tp + fp) if tp + fp else math.nan,
        npv=tn / (tn + fn) if tn + fn else math.nan,
        f1=2 * tp / (2 * tp + fp + fn),
    )


def youden_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """The threshold with the greatest sensitivity + specificity - 1.

    Thresholds lie halfway between neighboring scores, and one at the lowest score calls every case positive. Of equally
    good ones the lowest is taken, the most sensitive.

    Args:
        labels: (n,), 0 or 1, both present.
        scores: (n,), higher means positive.

    Raises:
        ValueError: Labels or scores are not as said.

    Source: Youden 1950, doi 10.1002/1097-0142(1950)3:1<32::AID-CNCR2820030106>3.0.CO;2-3.
    """
    positive = outcomes(labels)
    values, place = np.unique(numbers(scores, positive.size, "scores"), return_inverse=True)
    below_positive = np.cumsum(np.bincount(place[positive], minlength=values.size)) / positive.sum()
    below_negative = np.cumsum(np.bincount(place[~positive], minlength=values.size)) / (~positive).sum()
    # Gain of calling the values 0 to r negative: specificity won less sensitivity lost. The 0 in front: none is.
    gain = np.concatenate([[0.0], (below_negative - below_positive)[:-1]])
    best = int(np.flatnonzero(gain >= gain.max() - 1e-12)[0])
    if best == 0:
        return float(values[0])
    middle = values[best - 1] / 2 + values[best] / 2
    return float(middle if middle > values[best - 1] else values[best])  # two floats may have none between them


def sensitivity_threshold(labels: ArrayLike, scores: ArrayLike, sensitivity: float) -> float:
    """The highest threshold at and above which at least this share of the positive cases lies.

    Args:
        labels: (n,), 0 or 1, both present.
        scores: (n,), higher means positive.
        sensitivity: Above 0, at most 1.

    Raises:
        ValueError: Labels, scores or sensitivity are not as said.
    """
    if not 0 < sensitivity <= 1:
        raise ValueError(f"The sensitivity must be above 0 and at most 1, got {sensitivity!r}.")
    positive = outcomes(labels)
    falling = np.sort(numbers(scores, positive.size, "scores")[positive])[::-1]
    return float(falling[math.ceil(sensitivity * falling.size - 1e-9) - 1])


def _two_of_each(labels: ArrayLike) -> BoolArray:
    positive = outcomes(labels)
    if min(positive.sum(), (~positive).sum()) < 2:
        raise ValueError("At least two cases of each outcome are needed to compare two areas.")
    return positive


def _area(labels: ArrayLike, scores: ArrayLike) -> tuple[float, float, int]:
    """Area, its variance and the number of cases."""
    positive = _two_of_each(labels)
    areas, covariance = _delong(positive, numbers(scores, positive.size, "scores")[None])
    return float(areas[0]), float(covariance[0, 0]), positive.size


def _delong(positive: BoolArray, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Areas (k,) and their covariance (k, k) for scores (k, n); covariance NaN where an outcome has one case."""
    areas, of_positives, of_negatives = _delong_parts(positive, scores)
    return areas, of_positives + of_negatives


def _delong_parts(positive: BoolArray, scores: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Areas (k,), and what positive and what negative cases add to their covariance, each (k, k)."""
    n_positive, n_negative = int(positive.sum()), int((~positive).sum())
    ranks = rankdata(scores, axis=1)
    # For each positive case the share of negative cases below it, and for each negative case that of positives above.
    above = (ranks[:, positive] - rankdata(scores[:, positive], axis=1)) / n_negative
    below = 1 - (ranks[:, ~positive] - rankdata(scores[:, ~positive], axis=1)) / n_positive
    areas = above.mean(axis=1)
    if min(n_positive, n_negative) < 2:
        unknown = np.full((len(scores), len(scores)), np.nan)
        return areas, unknown, unknown
    return areas, np.atleast_2d(np.cov(above)) / n_positive, np.atleast_2d(np.cov(below)) / n_negative
