"""Clinical values as a cohort's table has them: some depend on PD-L1, some say nothing, a few are missing.

The laws are invented. They are weak by design: who gains much from these values beside the picture has a leak.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import expit

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.phantom import draws
from PDL1PredictorLib.phantom.masses import STEP, auc_of_masses, masses_of_sum, normal_masses
from PDL1PredictorLib.phantom.truth import LAWS, intercept

SMOKING = ("never", "former", "current")
SMOKING_SHARES = {False: (0.45, 0.35, 0.20), True: (0.25, 0.40, 0.35)}  # of PD-L1 negative and positive patients
AGE_YEARS, AGE_SD_YEARS, AGE_STEP_YEARS = 64.0, 9.0, 4.0  # negative patients; positive ones are older by the step
AGE_RANGE_YEARS = (35.0, 90.0)
FAMILY_SHARE = 0.15
MISSING_SHARE = 0.04  # of each of the four values, at random
PEOPLE = ("age_years", "sex", "smoking", "family_history")
_REACH = 400  # grid points on either side of 0: four units of log-odds, nine standard deviations


class BestPeople(NamedTuple):
    """The AUC for PD-L1 that clinical values can reach where all are known: alone, and beside the traits."""

    clinical: float
    clinical_and_traits: float


class Drawn(NamedTuple):
    """Clinical values that know nothing of the tumor; the age is not rounded yet."""

    age_years: float
    sex: str
    smoking: str


def draw_clinical(rng: np.random.Generator) -> Drawn:
    """Draw them; of these the table of a cohort keeps the sex, and the age as that of a patient without PD-L1."""
    return Drawn(
        age_years=AGE_YEARS + AGE_SD_YEARS * float(draws.normal(rng, 1)[0]),
        sex=str(rng.choice(["female", "male"])),
        smoking=str(rng.choice(list(SMOKING))),
    )


def as_age(years: float) -> float:
    """Whole years, within what the cohort holds."""
    return float(np.clip(round(years), *AGE_RANGE_YEARS))


def draw_people(drawn: Drawn, positive: bool, rng: np.random.Generator) -> Clinical:
    """What the table says of the patient.

    Args:
        drawn: By `draw_clinical`.
        positive: Whether PD-L1 is, known to the table or not.
        rng: The stream of these values.
    """
    smoking, family, *lost = rng.random(2 + len(PEOPLE)).tolist()
    values = {
        "age_years": as_age(drawn.age_years + AGE_STEP_YEARS * positive),
        "sex": drawn.sex,
        "smoking": SMOKING[_place(smoking, SMOKING_SHARES[positive])],
        "family_history": family < FAMILY_SHARE,
    }
    return Clinical(**{name: values[name] for name, one in zip(PEOPLE, lost, strict=True) if one >= MISSING_SHARE})


def _place(share: float, shares: tuple[float, ...]) -> int:
    return int(share >= shares[0]) + int(share >= shares[0] + shares[1])


@cache
def best_people() -> BestPeople:
    """Found by convolution of the log-likelihood ratios, without a random number; exact to about 1e-4."""
    shift = (AGE_STEP_YEARS / AGE_SD_YEARS) ** 2 / 2
    given = {
        positive: np.convolve(
            normal_masses(shift if positive else -shift, AGE_STEP_YEARS / AGE_SD_YEARS, _REACH),
            _smoking_masses(SMOKING_SHARES[positive]),
        )
        for positive in (False, True)
    }
    grid, mass = masses_of_sum(LAWS["PDL1"].weights)
    chance = expit(grid + intercept("PDL1"))
    both = np.convolve(mass * chance, given[True]), np.convolve(mass * (1 - chance), given[False])
    return BestPeople(auc_of_masses(given[True], given[False]), auc_of_masses(*both))


def _smoking_masses(shares: tuple[float, ...]) -> np.ndarray:
    """Masses of the log-likelihood ratio of smoking, on a grid of 2 * _REACH + 1 points."""
    mass = np.zeros(2 * _REACH + 1)
    for share, positive, negative in zip(shares, SMOKING_SHARES[True], SMOKING_SHARES[False], strict=True):
        mass[_REACH + round(float(np.log(positive / negative)) / STEP)] += share
    return mass
