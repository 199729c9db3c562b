"""The known truth: how each endpoint's probability follows from the traits.

The weights are invented. They are chosen so that every endpoint needs another mix of what the tumor, the ring and only
a network can show; they say nothing about real biology. Prevalences are those of the paper's cohorts.

Source of the prevalences: paper 001 (DeepRadScore), training and test patients pooled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.phantom import exact
from PDL1PredictorLib.phantom.masses import auc_of_masses, masses_of_sum
from PDL1PredictorLib.phantom.traits import TRAITS, UPTAKE, Traits

MISSING_LABEL_SHARE = 0.10  # labels that are not known, at random: independent of traits, labels and scanner


@dataclass(frozen=True)
class Law:
    """How one endpoint is drawn.

    Attributes:
        positives: Positive patients in the paper.
        patients: All patients of that endpoint in the paper.
        weights: Change in log-odds per unit of a trait; traits left out have none.
    """

    positives: int
    patients: int
    weights: Mapping[str, float]

    @property
    def prevalence(self) -> float:
        """Share of positives in the cohort, before labels go missing."""
        return self.positives / self.patients


LAWS: dict[str, Law] = {
    "PDL1": Law(85, 180, {"texture": 1.5, "necrosis": 0.65, "halo": 1.25, "striation": 1.6}),
    "LVI": Law(163, 508, {"lobulation": 0.9, "spiculation": 1.2, "halo": 0.9, "striation": 1.0}),
    "PI": Law(320, 508, {"size": 1.1, "spiculation": 1.3, "halo": 1.0}),
    "T4": Law(124, 508, {"size": 2.2, "lobulation": 0.5, "necrosis": 0.8}),
    "EGFR": Law(186, 482, {"texture": -1.0, "necrosis": -0.6, "halo": 1.4, "striation": -0.9}),
    "KRAS": Law(57, 470, {"spiculation": 0.9, "texture": 0.8, "necrosis": 0.7, "striation": 1.1}),
    "ALK": Law(27, 474, {"size": 0.7, "lobulation": 1.3, "halo": -0.9, "striation": -0.8}),
    "TP53": Law(120, 370, {"size": 0.6, "texture": 1.1, "necrosis": 1.3, "striation": 0.7}),
    "PIK3CA": Law(47, 370, {"lobulation": 0.9, "texture": -1.1, "striation": 1.5}),
    "ROS1": Law(26, 370, {"size": -0.6, "spiculation": -1.0, "halo": -1.1, "striation": 1.1}),
}
PHANTOM_ENDPOINTS = tuple(LAWS)
HIGH_STEP = 1.8913  # log-odds between a TPS of 1 % and one of 50 %, which one patient in four reaches
LATER_LAWS: dict[str, Law] = {  # drawn from streams of their own, so that the ten stay what they were
    "PDL1_HIGH": Law(25, 100, LAWS["PDL1"].weights),
    "RESPONSE": Law(30, 100, {"texture": 0.8, "necrosis": -0.9, "halo": 0.7, "striation": 0.9, UPTAKE: 1.2}),
}


@cache
def intercept(endpoint: str) -> float:
    """The log-odds at traits of zero, solved so that the prevalence holds over the cohort.

    Rounded to a billionth, a thousand times as coarse as the solution: the same on every processor. A high PD-L1 is the
    same question as PD-L1, with a higher cut.
    """
    if endpoint == "PDL1_HIGH":
        return round(intercept("PDL1") - HIGH_STEP, 9)
    grid, mass = masses_of_sum(_law(endpoint).weights)
    target = _law(endpoint).prevalence
    return round(float(brentq(lambda b: float(mass @ expit(grid + b)) - target, -30.0, 30.0, xtol=1e-12)), 9)


def probabilities(traits: Traits) -> dict[str, float]:
    """The true probability of positive for each of the ten endpoints."""
    return {key: float(exact.expit(log_odds(key, traits))) for key in PHANTOM_ENDPOINTS}


def log_odds(endpoint: str, traits: Traits, uptake: float = 0.0) -> float:
    """The true log-odds of positive."""
    return intercept(endpoint) + weighted(_law(endpoint).weights, traits, uptake)


def weighted(weights: Mapping[str, float], traits: Traits, uptake: float = 0.0) -> float:
    """A weighted sum of traits, in the order of the weights."""
    values = {**asdict(traits), UPTAKE: uptake}
    return exact.total(weight * float(values[name]) for name, weight in weights.items())


def draw_labels(chances: Mapping[str, float], rng: np.random.Generator) -> dict[str, int | None]:
    """Draw the labels: 1 with the given probability, else 0; about one in ten is missing (None) at random."""
    fate = rng.random((len(chances), 2))
    return {
        key: int(draw < chance) if is_known(lost) else None
        for (key, chance), (draw, lost) in zip(chances.items(), fate, strict=True)
    }


def is_known(lost: float) -> bool:
    """Whether a label is known, from a share of 1."""
    return lost >= MISSING_LABEL_SHARE


@cache
def bayes_auc(endpoint: str) -> float:
    """The AUC of the true probability, which no model can beat on average; exact to about 1e-4.

    Found by convolving the distributions of the traits on a grid, without a random number.
    """
    return bayes_auc_without(endpoint, ())


def bayes_auc_without(endpoint: str, traits: Sequence[str]) -> float:
    """The best AUC that can be reached when the named traits cannot be seen.

    Raises:
        InputError: The endpoint or a trait is not known.
    """
    unknown = sorted(set(traits) - {*TRAITS, UPTAKE})
    if unknown:
        raise InputError(f"Unknown traits: {', '.join(unknown)}. Known: {', '.join((*TRAITS, UPTAKE))}.")
    weights = _law(endpoint).weights
    grid, mass = masses_of_sum({name: w for name, w in weights.items() if name not in traits})
    hidden, hidden_mass = masses_of_sum({name: w for name, w in weights.items() if name in traits})
    steps = grid[:, None] + hidden[None, hidden_mass > 1e-9]
    chance = expit(intercept(endpoint) + steps) @ hidden_mass[hidden_mass > 1e-9]
    return auc_of_masses(mass * chance, mass * (1 - chance))


def _law(endpoint: str) -> Law:
    laws = {**LAWS, **LATER_LAWS}
    if endpoint not in laws:
        raise InputError(f"The phantom has no endpoint {endpoint!r}. It has: {', '.join(laws)}.")
    return laws[endpoint]
