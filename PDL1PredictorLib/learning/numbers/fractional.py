"""Penalized lines: of a share between 0 and 1 through a logistic curve, and of a number.

Source: Papke and Wooldridge 1996, "Econometric methods for fractional response variables", doi
10.1002/(SICI)1099-1255(199611)11:6<619::AID-JAE418>3.0.CO;2-1 (the fractional logit); Hoerl and Kennard 1970, doi
10.1080/00401706.1970.10488634 (ridge regression).
"""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, logit

PENALTIES = np.geomspace(1000.0, 1.0, 10)  # half of it times the squares of the weights, beside a sum over the cases
N_FOLDS = 5
MOST_STEPS, CLOSE = 50, 1e-6


def fractional_logit(z: np.ndarray, shares: np.ndarray, penalty: float, start: np.ndarray | None = None) -> np.ndarray:
    """Bias and weights of the penalized fractional logit, (1 + f,), by Newton's steps.

    Args:
        z: Inputs, (n, f).
        shares: 0 to 1, (n,).
        penalty: > 0; the bias has none.
        start: Of the steps; None begins at the mean share.

    Raises:
        ValueError: A share lies outside of 0 to 1, or the penalty is not positive.
    """
    if not penalty > 0 or not ((shares >= 0) & (shares <= 1)).all():
        raise ValueError(f"Shares must lie from 0 to 1 and the penalty above 0, got {penalty!r}.")
    inputs = np.column_stack([np.ones(len(z)), z])
    ridge = np.diag([1e-6, *np.full(z.shape[1], penalty)])  # 1e-6: all shares may be 0
    mean = float(np.clip(shares.mean(), 1e-6, 1 - 1e-6))
    line = np.array([logit(mean), *np.zeros(z.shape[1])]) if start is None else start
    best = _objective(inputs, shares, ridge, line)
    for _ in range(MOST_STEPS):
        share = expit(inputs @ line)
        slope = inputs.T @ (shares - share) - ridge @ line
        step = np.linalg.solve((inputs * (share * (1 - share))[:, None]).T @ inputs + ridge, slope)
        while (found := _objective(inputs, shares, ridge, line + step)) > best + 1e-9:  # too far, where it is flat
            step = step / 2
        line, best = line + step, found
        if np.abs(step).max() < CLOSE:
            break
    return np.asarray(line)


def fractional_line(z: np.ndarray, shares: np.ndarray, seed: int = 0) -> np.ndarray:
    """The same with the penalty, one of `PENALTIES`, whose squared error is lowest over folds; the strongest of equals.

    Args:
        z: (n, f).
        shares: (n,).
        seed: Of the folds.
    """

    def path(rows: np.ndarray) -> list[np.ndarray]:
        found: list[np.ndarray] = []
        for penalty in PENALTIES:
            found.append(fractional_logit(z[rows], shares[rows], float(penalty), found[-1] if found else None))
        return found

    return path(np.arange(len(z)))[_best(path, z, shares, lambda line, some: expit(line[0] + some @ line[1:]), seed)]


def ridge_line(z: np.ndarray, values: np.ndarray, seed: int = 0) -> np.ndarray:
    """Bias and weights of ridge regression, (1 + f,), with the penalty chosen likewise."""

    def path(rows: np.ndarray) -> list[np.ndarray]:
        middle, mean = z[rows].mean(axis=0), values[rows].mean()
        inner, with_values = (z[rows] - middle).T @ (z[rows] - middle), (z[rows] - middle).T @ (values[rows] - mean)
        weights = [np.linalg.solve(inner + p * np.eye(len(inner)), with_values) for p in PENALTIES]
        return [np.array([mean - middle @ own, *own]) for own in weights]

    return path(np.arange(len(z)))[_best(path, z, values, lambda line, some: line[0] + some @ line[1:], seed)]


Lines = Callable[[np.ndarray], list[np.ndarray]]
"""Rows that teach to a line of every penalty."""
Told = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""A line and inputs (n, f) to answers (n,)."""


def _best(path: Lines, z: np.ndarray, wanted: np.ndarray, answer: Told, seed: int) -> int:
    """Which penalty has the lowest squared error over folds; the strongest where there are too few cases."""
    if len(z) < 2 * N_FOLDS:
        return 0
    fold = np.random.default_rng(seed).permutation(len(z)) % N_FOLDS
    errors = np.zeros(len(PENALTIES))
    for number in range(N_FOLDS):
        held = fold == number
        errors += [((answer(line, z[held]) - wanted[held]) ** 2).sum() for line in path(np.flatnonzero(~held))]
    return int(errors.argmin())


def _objective(inputs: np.ndarray, shares: np.ndarray, ridge: np.ndarray, line: np.ndarray) -> float:
    sums = inputs @ line
    return float((np.logaddexp(0, sums) - shares * sums).sum() + line @ ridge @ line / 2)
