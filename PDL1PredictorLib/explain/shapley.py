"""Exact Shapley values: each input's fair share of an answer, by trying every coalition of the inputs."""

from collections.abc import Callable, Sequence
from math import factorial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating[Any]]
Score = Callable[[FloatArray], FloatArray]
"""Rows of inputs (n, d) to n numbers."""

MAX_INPUTS = 16  # 65 536 coalitions, a few MB


class Attribution(NamedTuple):
    """Shares of an answer.

    Attributes:
        values: One share per input, (d,), in the score's unit.
        baseline: The answer with no input known: the mean score of the background.
        residual: What is missing from baseline + sum(values) = score(x); 0 but for rounding.
    """

    values: FloatArray
    baseline: float
    residual: float


def exact_shapley(score: Score, x: FloatArray, background: FloatArray) -> Attribution:
    """Shapley values of one case, not sampled: all 2^d coalitions are scored.

    In a coalition the inputs that belong to it have the case's values and the others those of a background row; with
    several background rows the scores are averaged (interventional Shapley values).

    Args:
        score: See `Score`; called once per background row with all 2^d rows (12 inputs: 4096 rows).
        x: The case, (d,), 1 to 16 inputs.
        background: One row (d,) or several (m, d), m * 2^d scores in all.

    Raises:
        ValueError: The shapes do not fit, a value is not finite, too many inputs, or a score that is not finite.

    Source: Shapley 1953; Lundberg and Lee 2017, arXiv 1705.07874, equation 4.
    """
    x = np.asarray(x, dtype=float)
    background = np.atleast_2d(np.asarray(background, dtype=float))
    _check(x, background)
    n_inputs = x.size
    member = _coalitions(n_inputs)
    worth = np.mean([_scores(score, np.where(member, x, row)) for row in background], axis=0)
    weights = _weights(n_inputs)
    sizes = member.sum(axis=1)
    values = np.empty(n_inputs)
    for i in range(n_inputs):
        without = np.flatnonzero(~member[:, i])
        gains = worth[without | (1 << i)] - worth[without]  # row number = members as bits, so this adds input i
        values[i] = weights[sizes[without]] @ gains
    baseline = float(worth[0])
    return Attribution(values, baseline, residual=float(worth[-1] - baseline - values.sum()))


def grouped_shapley(
    score: Score, x: FloatArray, background: FloatArray, groups: Sequence[Sequence[int]]
) -> Attribution:
    """Exact Shapley values of groups of inputs, whose members are known or unknown together.

    Args:
        score: See `Score`.
        x: The case, (d,).
        background: One row, (d,).
        groups: Positions of the inputs of each group; every input in one of them, 1 to 16 groups.

    Returns:
        One share per group.

    Raises:
        ValueError: As `exact_shapley`, or an input is in no group or in two.
    """
    x, background = np.asarray(x, dtype=float), np.asarray(background, dtype=float)
    members = [i for group in groups for i in group]
    if sorted(members) != list(range(x.size)) or background.shape != x.shape:
        raise ValueError(f"Each of the {x.size} inputs must be in one group, and the background one such row.")
    group_of = np.empty(x.size, dtype=int)
    for number, group in enumerate(groups):
        group_of[list(group)] = number

    def of_groups(known: FloatArray) -> FloatArray:
        return score(np.where(known[:, group_of] > 0, x, background))

    return exact_shapley(of_groups, np.ones(len(groups)), np.zeros(len(groups)))


def _check(x: FloatArray, background: FloatArray) -> None:
    if x.ndim != 1 or not 1 <= x.size <= MAX_INPUTS:
        raise ValueError(f"x must be one row of 1 to {MAX_INPUTS} inputs, got the shape {x.shape}.")
    if background.ndim != 2 or background.shape[1] != x.size or not len(background):
        raise ValueError(f"background must be rows of {x.size} inputs as x has, got the shape {background.shape}.")
    if not (np.isfinite(x).all() and np.isfinite(background).all()):
        raise ValueError("x and background must be finite. Fill missing values in first.")


def _coalitions(n_inputs: int) -> NDArray[np.bool_]:
    """Membership (2^d, d): row r holds the bits of r."""
    return np.array((np.arange(2**n_inputs)[:, None] >> np.arange(n_inputs)) & 1, dtype=bool)


def _weights(n_inputs: int) -> FloatArray:
    """Share of the orders of joining in which exactly these `size` others came before, by size 0 to d - 1."""
    total = factorial(n_inputs)
    return np.array([factorial(s) * factorial(n_inputs - s - 1) / total for s in range(n_inputs)])


def _scores(score: Score, rows: FloatArray) -> FloatArray:
    scores = np.asarray(score(rows), dtype=float)
    if scores.shape != (len(rows),):
        raise ValueError(f"The score must give {len(rows)} numbers, one per row, got the shape {scores.shape}.")
    if not np.isfinite(scores).all():
        raise ValueError("The score must be finite for every coalition. Score log-odds of clipped probabilities, say.")
    return scores
