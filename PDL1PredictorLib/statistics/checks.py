"""The check that every statistic of yes/no outcomes shares."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.floating[Any]]
BoolArray = NDArray[np.bool_]


def outcomes(labels: ArrayLike) -> BoolArray:
    """Outcomes as true and false.

    Args:
        labels: (n,), each 0 or 1 (or false and true), both present.

    Raises:
        ValueError: Another shape or value, or only one outcome.
    """
    values = np.asarray(labels)
    if values.ndim != 1:
        raise ValueError(f"labels must be one row of 0 and 1, got the shape {values.shape}.")
    if not np.isin(values, (0, 1)).all():
        raise ValueError(
            f"labels must be 0 or 1, got {values[~np.isin(values, (0, 1))][0]!r}. Leave unknown cases out."
        )
    positive = values.astype(bool)
    if positive.all() or not positive.any():
        raise ValueError(
            f"Both outcomes are needed, got {positive.sum()} positive and {(~positive).sum()} negative cases."
        )
    return positive


def numbers(values: ArrayLike, n: int, what: str) -> FloatArray:
    """Finite numbers, one per case.

    Raises:
        ValueError: Not n of them, or some not finite.
    """
    array = np.asarray(values, dtype=float)
    if array.shape != (n,):
        raise ValueError(f"{what} must be {n} numbers, one per label, got the shape {array.shape}.")
    if not np.isfinite(array).all():
        raise ValueError(f"{what} must be finite, {np.count_nonzero(~np.isfinite(array))} of {n} are not.")
    return array


def probabilities_of(values: ArrayLike, n: int) -> FloatArray:
    """Probabilities, one per case.

    Raises:
        ValueError: As `numbers`, or some below 0 or above 1.
    """
    array = numbers(values, n, "probabilities")
    if array.size and not (array.min() >= 0 and array.max() <= 1):
        raise ValueError(f"probabilities must lie between 0 and 1, they run from {array.min():g} to {array.max():g}.")
    return array
