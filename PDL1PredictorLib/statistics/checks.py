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


def sample(values: ArrayLike, what: str, at_least: int = 1) -> FloatArray:
    """Finite numbers, at least so many of them.

    Raises:
        ValueError: Another shape, too few, or some not finite.
    """
    array = np.asarray(values, dtype=float)
    if array.ndim != 1 or array.size < at_least:
        raise ValueError(f"{what} must be a row of at least {at_least} numbers, got the shape {array.shape}.")
    return numbers(array, array.size, what)


def groups(values: ArrayLike, n: int, what: str) -> NDArray[np.intp]:
    """Numbers from 0 of the groups that cases belong to, (n,): equal values, one number.

    Raises:
        ValueError: Not n values.
    """
    array = np.asarray(values)
    if array.shape != (n,):
        raise ValueError(f"{what} must be {n} values, one per label, got the shape {array.shape}.")
    return np.asarray(np.unique(array, return_inverse=True)[1], dtype=np.intp)


def confidence_of(level: float) -> float:
    """A confidence level.

    Raises:
        ValueError: Not between 0 and 1, both left out.
    """
    if not 0 < level < 1:
        raise ValueError(f"confidence must lie between 0 and 1, got {level!r}.")
    return level
