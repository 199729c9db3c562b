"""How long a phantom patient stays free of progression, how long one is watched, and how well it can be told.

Times are Weibull with proportional hazards: S(t) = exp(-(t / 900 d)^1.2 * exp(log hazard)). Patients are watched for a
uniform time of 200 to 2200 days that has nothing to do with them: about two in three times end in the event.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.signal import fftconvolve
from scipy.special import expit

from PDL1PredictorLib.phantom import draws, exact
from PDL1PredictorLib.phantom.masses import auc_of_masses, grid_of, masses_of_sum
from PDL1PredictorLib.phantom.traits import Traits
from PDL1PredictorLib.phantom.truth import weighted

SHAPE, SCALE_DAYS = 1.2, 900.0
WATCHED_DAYS = (200.0, 2200.0)
HAZARD: Mapping[str, float] = {"size": 0.5, "necrosis": 0.5, "texture": 0.4, "striation": 0.4}
YEAR_DAYS = 365.25
_DAYS = 7.0  # between the points of time on which integrals are summed


class FollowUp(NamedTuple):
    """What the table says of a patient: days until the event, or without it until the end of the follow-up."""

    days: int
    event: bool


class BestTime(NamedTuple):
    """What no score can beat on average.

    Attributes:
        c: Concordance of the log hazard, all events seen.
        harrell_c: The same among pairs that can be compared under the censoring.
        harrell_c_of_size: The same of the size alone.
        auc_1_year: Of the log hazard, for an event within a year.
        brier_1_year: Of the true chance to be free of the event after a year.
        brier_of_one_curve: Of the cohort's share, told to everybody.
        event_share: Of the times that end in the event.
    """

    c: float
    harrell_c: float
    harrell_c_of_size: float
    auc_1_year: float
    brier_1_year: float
    brier_of_one_curve: float
    event_share: float


def log_hazard(traits: Traits) -> float:
    """The true logarithm of the hazard ratio against a patient whose traits are zero."""
    return weighted(HAZARD, traits)


def draw_follow_up(log_hazard_ratio: float, rng: np.random.Generator) -> FollowUp:
    """Draw time and censoring; whole days, 1 at least."""
    share = max(float(rng.random()), 2.0**-54)
    reach = -float(exact.log(share)) * float(exact.exp(-log_hazard_ratio))
    until = SCALE_DAYS * float(exact.power(reach, 1 / SHAPE))
    watched = float(draws.uniform(rng, *WATCHED_DAYS))
    return FollowUp(max(1, int(np.ceil(min(until, watched)))), until <= watched)


def survival(log_hazard_ratio: np.ndarray, days: float) -> np.ndarray:
    """The true chance to be free of the event after so many days."""
    return np.asarray(np.exp(-_cumulative(days) * np.exp(log_hazard_ratio)))


@cache
def best_time() -> BestTime:
    """Found by convolving the distributions of the traits on a grid, without a random number; exact to about 1e-3."""
    grid, mass = masses_of_sum(HAZARD)
    free = survival(grid, YEAR_DAYS)
    share = float(mass @ free)
    harrell, events = _harrell(HAZARD)
    return BestTime(
        c=_concordance(),
        harrell_c=harrell,
        harrell_c_of_size=_harrell({"size": HAZARD["size"]})[0],
        auc_1_year=auc_of_masses(mass * (1 - free), mass * free),
        brier_1_year=float(mass @ (free * (1 - free))),
        brier_of_one_curve=share * (1 - share),
        event_share=events,
    )


def _concordance() -> float:
    """Of the log hazard, all events seen: of two patients the first has its event earlier with a chance of expit(d)."""
    _, mass = masses_of_sum(HAZARD)
    apart = np.convolve(mass, mass)
    return float(apart @ expit(np.abs(grid_of(apart))))


def _harrell(seen: Mapping[str, float]) -> tuple[float, float]:
    """Harrell's C of a part of the log hazard, and the share of events; week by week of the follow-up."""
    _, mass = masses_of_sum(seen)
    _, hidden = masses_of_sum({name: weight for name, weight in HAZARD.items() if name not in seen})
    hazard = np.exp(grid_of(np.zeros(len(mass) + len(hidden) - 1)))
    right = pairs = events = 0.0
    for day in np.arange(_DAYS / 2, WATCHED_DAYS[1], _DAYS):
        watched = min(1.0, (WATCHED_DAYS[1] - day) / (WATCHED_DAYS[1] - WATCHED_DAYS[0]))
        free = np.exp(-_cumulative(day) * hazard)
        at_risk = mass * fftconvolve(free, hidden, "valid")  # a trait's distribution is symmetric
        falling = mass * fftconvolve(free * hazard, hidden, "valid") * (day / SCALE_DAYS) ** (SHAPE - 1)
        below = np.cumsum(at_risk) - at_risk / 2
        right += watched**2 * float(falling @ below)
        pairs += watched**2 * float(falling.sum() * at_risk.sum())
        events += watched * float(falling.sum()) * _DAYS * SHAPE / SCALE_DAYS
    return float(right / pairs), float(events)


def _cumulative(days: float) -> float:
    return float((days / SCALE_DAYS) ** SHAPE)
