"""Integrated gradients of a score that can only be asked: slopes along the path come from differences.

Source: Sundararajan et al. 2017, arXiv 1703.01365, equation 3; central differences.
"""

from collections.abc import Callable

import numpy as np

Scores = Callable[[np.ndarray], np.ndarray]
"""A row of inputs (t,) to its scores (e,)."""
POINTS = 8  # of Gauss and Legendre: exact for a polynomial of degree 15 along the path
STEP = 0.02  # of an input, in SD: smaller ones drown in 32-bit rounding, larger ones in the curve


def path_differences(scores: Scores, row: np.ndarray, points: int = POINTS, step: float = STEP) -> np.ndarray:
    """Shares of scores(row) - scores(0) of every input, along the straight path from 0.

    Args:
        scores: Asked 2 * t * `points` times.
        row: Standardized inputs, (t,).
        points: On the path, >= 1.
        step: Of the differences, > 0.

    Returns:
        (t, e): they add up to the difference of the scores as far as these are smooth.
    """
    places, weights = np.polynomial.legendre.leggauss(points)
    found = 0.0
    for place, weight in zip((places + 1) / 2, weights / 2, strict=True):
        at = place * row
        slopes = [
            (scores(at + move) - scores(at - move)) / (2 * step) if row[i] else 0 * scores(at)
            for i, move in enumerate(step * np.eye(len(row)))
        ]
        found = found + weight * np.array(slopes)
    return np.asarray(row[:, None] * found)
