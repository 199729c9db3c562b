"""Distributions on a grid: what sums of clipped normal traits are worth, without a random number."""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from PDL1PredictorLib.phantom.traits import TRAIT_LIMIT

STEP = 0.01  # of the grid on which distributions are convolved; halving it moves an AUC by less than 1e-4


def masses_of_sum(weights: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """The distribution of a weighted sum of traits: grid points (n,) and their probability masses (n,)."""
    mass = np.ones(1)
    for weight in weights.values():
        mass = np.convolve(mass, _clipped_normal_masses(abs(weight)))  # a trait's distribution is symmetric
    return grid_of(mass), mass


def grid_of(mass: np.ndarray) -> np.ndarray:
    """Points (n,) of a distribution whose middle lies at 0."""
    reach = len(mass) // 2
    return np.arange(-reach, reach + 1) * STEP


def normal_masses(mean: float, sd: float, reach: int) -> np.ndarray:
    """Masses of a normal distribution on a grid of 2 * reach + 1 points; the outermost take the tails."""
    edges = (np.arange(-reach, reach) + 0.5) * STEP
    return np.diff(ndtr((edges - mean) / sd), prepend=0.0, append=1.0)


def auc_of_masses(positive: np.ndarray, negative: np.ndarray) -> float:
    """Chance that a positive scores above a negative, ties half; masses (n,) in ascending order of the score."""
    below = np.cumsum(negative) - negative / 2
    return float(positive @ below / (positive.sum() * negative.sum()))


def _clipped_normal_masses(scale: float) -> np.ndarray:
    """Masses of scale * clip(normal, +-2.5), rounded to the grid; odd length, symmetric."""
    reach = round(TRAIT_LIMIT * scale / STEP)
    edges = (np.arange(-reach, reach) + 0.5) * STEP / scale
    below = ndtr(edges)
    return np.diff(below, prepend=0.0, append=1.0)  # the outermost bins take the clipped tails
