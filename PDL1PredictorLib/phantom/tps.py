"""PD-L1 as a number: the tumor proportion score behind the phantom's yes/no label, and how well it can be predicted.

PD-L1 is positive where a uniform draw lies below expit(s), s its log-odds. So u = s - logit(draw) is s plus logistic
noise, and positive means u > 0. The score is a rising function of u that passes 1 % at 0 and 50 % at `HIGH_STEP`.
"""

from collections.abc import Collection
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, logit

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.phantom import exact
from PDL1PredictorLib.phantom.masses import masses_of_sum
from PDL1PredictorLib.phantom.traits import TRAITS
from PDL1PredictorLib.phantom.truth import HIGH_STEP, LAWS, intercept

SLOPE = 2.4296
HIGH_PERCENT = 50.0
_COARSE = 0.05  # of log-odds, between which moments are interpolated
_NOISE = logit((np.arange(4000) + 0.5) / 4000)  # of equal mass


class BestNumber(NamedTuple):
    """What no model of the traits can beat on average, and what the two simplest rules reach.

    Attributes:
        mse: Of the mean score given the traits, in %^2.
        r2: Of the same.
        mae: Of the median score given the traits, in %.
        mse_of_mean: Of the cohort's mean, told to everybody.
        mse_of_median: Of the cohort's median.
        mae_of_median: Likewise, in %.
    """

    mse: float
    r2: float
    mae: float
    mse_of_mean: float
    mse_of_median: float
    mae_of_median: float


def draw_tps(log_odds: float, draw: float) -> float:
    """The score that a patient's PD-L1 draw comes to, in %, to one decimal.

    Args:
        log_odds: Of PD-L1.
        draw: The uniform number that made the label.
    """
    share = max(draw, 2.0**-54)
    return percent(log_odds - float(exact.log(share / (1 - share))), positive=bool(draw < exact.expit(log_odds)))


def percent(latent: float, positive: bool) -> float:
    """The score of a latent value u, in % to one decimal; rounding leads over neither cut."""
    low, high = (1.0, HIGH_PERCENT - 0.1) if positive else (0.0, 0.9)
    if positive and latent >= HIGH_STEP:
        low, high = HIGH_PERCENT, 100.0
    return min(max(round(100.0 * float(exact.expit(SLOPE * (latent - HIGH_STEP))), 1), low), high)


@cache
def best_number() -> BestNumber:
    """Found by quadrature over log-odds and noise, without a random number; exact to about 0.1 %^2."""
    grid, mass = masses_of_sum(LAWS["PDL1"].weights)
    log_odds = grid + intercept("PDL1")
    median = _score(brentq(lambda u: float(mass @ expit(u - log_odds)) - 0.5, -30.0, 30.0))
    mean, square, spread, apart = np.array([_moments(one, median) for one in log_odds]).T
    average = float(mass @ mean)
    variance = float(mass @ square) - average**2
    best = float(mass @ (square - mean**2))
    return BestNumber(
        mse=best,
        r2=1 - best / variance,
        mae=float(mass @ spread),
        mse_of_mean=variance,
        mse_of_median=variance + (average - median) ** 2,
        mae_of_median=float(mass @ apart),
    )


def best_r2_without(traits: Collection[str]) -> float:
    """The best R2 that can be reached when the named traits cannot be seen.

    Raises:
        InputError: A trait is not known.
    """
    weights = LAWS["PDL1"].weights
    if unknown := sorted(set(traits) - set(TRAITS)):
        raise InputError(f"Unknown traits: {', '.join(unknown)}. Known: {', '.join(TRAITS)}.")
    seen, mass = masses_of_sum({name: weight for name, weight in weights.items() if name not in traits})
    hidden, share = masses_of_sum({name: weight for name, weight in weights.items() if name in traits})
    ends = np.arange(seen[0] + hidden[0], seen[-1] + hidden[-1] + _COARSE, _COARSE) + intercept("PDL1")
    told = np.array([_moments(one, 0.0)[:2] for one in ends])
    mean, square = (
        np.array([share @ np.interp(one + hidden + intercept("PDL1"), ends, column) for one in seen])
        for column in told.T
    )
    average = float(mass @ mean)
    return (float(mass @ mean**2) - average**2) / (float(mass @ square) - average**2)


def _score(latent: float) -> float:
    return float(100.0 * expit(SLOPE * (latent - HIGH_STEP)))


def _moments(log_odds: float, median: float) -> tuple[float, float, float, float]:
    """Of the score given the log-odds: mean, mean square, mean distance from its own and from the cohort's median."""
    scores = 100.0 * expit(SLOPE * (log_odds + _NOISE - HIGH_STEP))
    spread = np.abs(scores - _score(log_odds)).mean()
    return scores.mean(), (scores * scores).mean(), spread, np.abs(scores - median).mean()
