"""Whether groups differ: Mann-Whitney for numbers, chi-square and Fisher for counts, Benjamini-Hochberg for many."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from PDL1PredictorLib.statistics.checks import FloatArray, confidence_of, sample


class MannWhitney(NamedTuple):
    """Two groups of numbers compared by rank.

    Attributes:
        u: Pairs in which a is above b, ties counted half (the W of R's wilcox.test).
        superiority: u over the number of pairs: the chance that a case of a is above one of b; 0.5 is no difference.
        p: Two-sided.
    """

    u: float
    superiority: float
    p: float


class ChiSquare(NamedTuple):
    """Whether rows and columns of a table of counts are independent.

    Attributes:
        statistic: Pearson's chi-square.
        df: Degrees of freedom.
        p: Upper tail.
        smallest_expected: Smallest expected count; below 5 the p is rough: use `fisher`.
    """

    statistic: float
    df: int
    p: float
    smallest_expected: float


class Fisher(NamedTuple):
    """The exact test of a two by two table.

    Attributes:
        odds_ratio: Conditional maximum likelihood, as R's fisher.test; 0 or infinite where a cell is empty.
        interval: Of the odds ratio, exact.
        p: Two-sided: tables no more likely than this one.
    """

    odds_ratio: float
    interval: tuple[float, float]
    p: float


def mann_whitney(a: ArrayLike, b: ArrayLike) -> MannWhitney:
    """Compare two groups by rank.

    p is exact where a group has at most 8 cases and no value occurs twice, else normal with tie and continuity
    correction (R is exact up to 49 cases).

    Args:
        a: Numbers of one group, (n,), n >= 1.
        b: Of the other, (m,), m >= 1.

    Returns:
        p is 1 where all values are equal.

    Raises:
        ValueError: A group is empty, or a value is not finite.

    Source: Mann and Whitney 1947, doi 10.1214/aoms/1177730491.
    """
    first, second = sample(a, "a"), sample(b, "b")
    pairs = first.size * second.size
    if np.ptp(np.concatenate([first, second])) == 0:
        return MannWhitney(pairs / 2, 0.5, 1.0)
    found = stats.mannwhitneyu(first, second, alternative="two-sided", method="auto")
    return MannWhitney(float(found.statistic), float(found.statistic) / pairs, float(found.pvalue))


def benjamini_hochberg(p: ArrayLike) -> FloatArray:
    """Adjusted p: calling those at or below q keeps the expected share of false ones among them at most q.

    Args:
        p: Of all tests that were made, (n,), each 0 to 1.

    Raises:
        ValueError: They are not probabilities.

    Source: Benjamini and Hochberg 1995, doi 10.1111/j.2517-6161.1995.tb02031.x.
    """
    values = sample(p, "p")
    if values.min() < 0 or values.max() > 1:
        raise ValueError(f"p must lie between 0 and 1, they run from {values.min():g} to {values.max():g}.")
    return np.asarray(stats.false_discovery_control(values, method="bh"))


def chi_square(table: ArrayLike, yates: bool = True) -> ChiSquare:
    """Pearson's test of independence.

    Args:
        table: Counts, (r, c), r and c >= 2, no row or column without a case.
        yates: Continuity correction of a two by two table, as R does; others have none.

    Raises:
        ValueError: The table is not as said.

    Source: Pearson 1900, doi 10.1080/14786440009463897; Yates 1934, doi 10.2307/2983604.
    """
    counts = _counts(table)
    statistic, p, df, expected = stats.chi2_contingency(counts, correction=yates)
    return ChiSquare(float(statistic), int(df), float(p), float(expected.min()))


def fisher(table: ArrayLike, confidence: float = 0.95) -> Fisher:
    """Fisher's exact test.

    Args:
        table: Counts, (2, 2), no row or column without a case.
        confidence: Of the interval, between 0 and 1.

    Raises:
        ValueError: An argument is not as said.

    Source: Fisher 1934, "Statistical Methods for Research Workers", section 21.02.
    """
    counts = _counts(table)
    if counts.shape != (2, 2):
        raise ValueError(f"The exact test is for two by two tables, got the shape {counts.shape}. Use chi_square.")
    odds = stats.contingency.odds_ratio(counts, kind="conditional")
    interval = odds.confidence_interval(confidence_of(confidence))
    p = float(stats.fisher_exact(counts).pvalue)
    return Fisher(float(odds.statistic), (float(interval.low), float(interval.high)), p)


def _counts(table: ArrayLike) -> NDArray[np.int64]:
    values = np.asarray(table)
    if values.ndim != 2 or min(values.shape) < 2:
        raise ValueError(f"The table needs at least two rows and two columns, got the shape {values.shape}.")
    if not (np.isfinite(values).all() and (values >= 0).all() and (values == np.floor(values)).all()):
        raise ValueError("The table must hold counts: whole numbers from 0.")
    if not (values.any(axis=0).all() and values.any(axis=1).all()):
        raise ValueError("Every row and column of the table needs a case. Leave empty ones out.")
    return values.astype(np.int64)
