"""Shares with their intervals, and those of a table of calls: accuracy, sensitivity, specificity, PPV, NPV, F1."""

import math
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from PDL1PredictorLib.statistics.checks import confidence_of, outcomes
from PDL1PredictorLib.statistics.discrimination import Confusion, confusion

Method = Literal["wilson", "exact"]


class Proportion(NamedTuple):
    """A share of cases.

    Attributes:
        value: successes / n; NaN where n is 0.
        interval: Wilson or Clopper-Pearson; (0, 1) where n is 0 and nothing can be said.
        successes: Count.
        n: Count of the cases that the share is of.
    """

    value: float
    interval: tuple[float, float]
    successes: int
    n: int


class F1(NamedTuple):
    """Harmonic mean of sensitivity (recall) and PPV (precision).

    Attributes:
        value: 0 without a true positive.
        interval: Percentile bootstrap within the outcomes; Wilson's, see `f1_interval`, where no resample differs, as
            without a true positive or without a wrong call.
    """

    value: float
    interval: tuple[float, float]


class Performance(NamedTuple):
    """The table of calls with intervals.

    Attributes:
        table: Counts and rates without intervals.
        accuracy: Share called rightly.
        sensitivity: Recall: share of the positive cases called positive.
        specificity: Share of the negative cases called negative.
        ppv: Precision: share of the positive calls that are right, at the prevalence of these cases.
        npv: Share of the negative calls that are right, likewise.
        f1: Of sensitivity and ppv.
    """

    table: Confusion
    accuracy: Proportion
    sensitivity: Proportion
    specificity: Proportion
    ppv: Proportion
    npv: Proportion
    f1: F1


def proportion(successes: int, n: int, method: Method = "wilson", confidence: float = 0.95) -> Proportion:
    """A share with its interval.

    Args:
        successes: 0 to n.
        n: Cases, >= 0.
        method: `wilson` covers the stated share on average; `exact` (Clopper-Pearson) never less, so it is wider.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: Wilson 1927, doi 10.1080/01621459.1927.10502953; Clopper and Pearson 1934, doi 10.1093/biomet/26.4.404;
    which to use: Brown et al. 2001, doi 10.1214/ss/1009213286.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"successes must lie between 0 and n, got {successes!r} of {n!r}.")
    if method not in ("wilson", "exact"):
        raise ValueError(f"method must be 'wilson' or 'exact', got {method!r}.")
    level = confidence_of(confidence)
    if n == 0:
        return Proportion(math.nan, (0.0, 1.0), 0, 0)
    found = stats.binomtest(int(successes), int(n)).proportion_ci(level, method=method)
    return Proportion(successes / n, (float(found.low), float(found.high)), int(successes), int(n))


def performance(
    labels: ArrayLike,
    called: ArrayLike,
    rng: np.random.Generator,
    method: Method = "wilson",
    n_resamples: int = 2000,
    confidence: float = 0.95,
) -> Performance:
    """How good the calls are.

    Args:
        labels: (n,), 0 or 1, both present.
        called: (n,), 1 where the case was called positive, whatever the threshold of its fold was.
        rng: Draws the resamples for F1; the same state gives the same interval.
        method: Of the intervals of the shares, see `proportion`.
        n_resamples: For F1, >= 1.
        confidence: Of the intervals, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.
    """
    positive = outcomes(labels)
    calls = np.asarray(called)
    if calls.shape != positive.shape or not np.isin(calls, (0, 1)).all():
        raise ValueError(f"called must be {positive.size} values 0 or 1, one per label.")
    table = confusion(positive, calls.astype(float), threshold=0.5)
    tp, fp, tn, fn = table[:4]

    def share(successes: int, n: int) -> Proportion:
        return proportion(successes, n, method, confidence)

    return Performance(
        table,
        accuracy=share(tp + tn, positive.size),
        sensitivity=share(tp, tp + fn),
        specificity=share(tn, tn + fp),
        ppv=share(tp, tp + fp),
        npv=share(tn, tn + fn),
        f1=F1(table.f1, _f1_interval(table, rng, n_resamples, confidence)),
    )


def f1_interval(
    true_positive: int, wrong: int, method: Method = "wilson", confidence: float = 0.95
) -> tuple[float, float]:
    """Interval of F1 from that of a share, which says something at 0 and at 1, too.

    Of the cases that are positive or called so a share J is both, and F1 is 2 J / (1 + J), which rises with J.

    Args:
        true_positive: Count.
        wrong: False positives and false negatives; both counts together at least 1.
        method: Of the share's interval, see `proportion`.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: interval: see `proportion`; J is Jaccard's index 1912, doi 10.1111/j.1469-8137.1912.tb05611.x.
    """
    if true_positive + wrong < 1:
        raise ValueError("F1 needs a case that is positive or called so, got none.")
    low, high = proportion(true_positive, true_positive + wrong, method, confidence).interval
    return 2 * low / (1 + low), 2 * high / (1 + high)


def _f1_interval(
    table: Confusion, rng: np.random.Generator, n_resamples: int, confidence: float
) -> tuple[float, float]:
    """Percentile bootstrap of F1, cases drawn within the outcomes.

    Drawing the n positive cases with replacement makes the count of true positives binomial, as it does that of false
    positives among the negative ones: two draws say what n would.
    """
    if n_resamples < 1:
        raise ValueError(f"n_resamples must be at least 1, got {n_resamples!r}.")
    n_positive, n_negative = table.true_positive + table.false_negative, table.true_negative + table.false_positive
    tp = rng.binomial(n_positive, table.sensitivity, n_resamples)
    fp = rng.binomial(n_negative, 1 - table.specificity, n_resamples)
    f1 = 2 * tp / (tp + fp + n_positive)  # 2 TP + FP + FN, where TP + FN are the positive cases
    if np.ptp(f1) == 0:  # as without a true positive or without a wrong call: certain it is not
        return f1_interval(table.true_positive, table.false_positive + table.false_negative, "wilson", confidence)
    low, high = np.quantile(f1, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
