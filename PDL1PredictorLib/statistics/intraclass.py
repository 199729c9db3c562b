"""Intraclass correlation: how much of what a measurement tells apart is the cases, and not how they were measured."""

import numpy as np
from numpy.typing import ArrayLike

from PDL1PredictorLib.statistics.checks import FloatArray


def intraclass_correlation(values: ArrayLike) -> FloatArray:
    """ICC(2,1) of every column: two-way random effects, absolute agreement, a single measurement.

    It is 1 where a case always gets the same value, and falls with differences between raters that all cases share as
    well as with those that they do not.

    Args:
        values: (n, k, f): n cases measured by k raters in f ways, k >= 2. A case with a value that is not finite is
            left out of that column.

    Returns:
        (f,): NaN where fewer than two cases have all values, or where all values are equal.

    Raises:
        ValueError: The shape is not as said.

    Source: Shrout and Fleiss 1979, doi 10.1037/0033-2909.86.2.420; McGraw and Wong 1996, doi
    10.1037/1082-989X.1.1.30, ICC(A,1).
    """
    x = np.asarray(values, dtype=float)
    if x.ndim != 3 or x.shape[1] < 2:
        raise ValueError(f"values must be cases by at least two raters by ways to measure, got the shape {x.shape}.")
    k = x.shape[1]
    whole = np.isfinite(x).all(axis=1)  # (n, f)
    n = whole.sum(axis=0).astype(float)
    count = np.maximum(n, 1)
    known = np.where(whole[:, None, :], x, 0.0)
    mean = known.sum(axis=(0, 1)) / (count * k)
    apart = np.where(whole[:, None, :], known - mean, 0.0)
    of_cases, of_raters = apart.mean(axis=1), apart.sum(axis=0) / count
    between_cases = k * (of_cases**2).sum(axis=0)
    between_raters = count * (of_raters**2).sum(axis=0)
    rest = np.maximum((apart**2).sum(axis=(0, 1)) - between_cases - between_raters, 0.0)
    enough = n >= 2
    freedom = np.where(enough, n - 1, 1.0)
    cases, raters, error = between_cases / freedom, between_raters / (k - 1), rest / (freedom * (k - 1))
    scale = cases + (k - 1) * error + k * (raters - error) / count
    defined = enough & (scale > 1e-12 * np.maximum(mean**2, 1e-12))
    return np.asarray(np.where(defined, (cases - error) / np.where(defined, scale, 1.0), np.nan))
