"""The known truth: how each endpoint's probability follows from the traits.

The weights are invented. They are chosen so that every endpoint needs another mix of what the tumor, the ring and only
a network can show; they say nothing about real biology. Prevalences are those of the paper's cohorts.

Source of the prevalences: paper 001 (DeepRadScore), training and test patients pooled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtr

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.phantom import exact
from PDL1PredictorLib.phantom.traits import TRAIT_LIMIT, TRAITS, Traits

MISSING_LABEL_SHARE = 0.10  # labels that are not known, at random: independent of traits, labels and scanner
_STEP = 0.01  # of the grid of log-odds on which distributions are convolved; halving it moves an AUC by less than 1e-4


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


@cache
def intercept(endpoint: str) -> float:
    """The log-odds at traits of zero, solved so that the prevalence holds over the cohort.

    Rounded to a billionth, a thousand times as coarse as the solution: the same on every processor.
    """
    grid, mass = _log_odds_masses(_law(endpoint).weights)
    target = _law(endpoint).prevalence
    return round(float(brentq(lambda b: float(mass @ expit(grid + b)) - target, -30.0, 30.0, xtol=1e-12)), 9)


def probabilities(traits: Traits) -> dict[str, float]:
    """The true probability of positive for each of the ten endpoints."""
    return {key: float(exact.expit(intercept(key) + _score(LAWS[key].weights, traits))) for key in PHANTOM_ENDPOINTS}


def draw_labels(chances: Mapping[str, float], rng: np.random.Generator) -> dict[str, int | None]:
    """Draw the labels: 1 with the given probability, else 0; about one in ten is missing (None) at random."""
    fate = rng.random((len(chances), 2))
    return {
        key: None if lost < MISSING_LABEL_SHARE else int(draw < chance)
        for (key, chance), (draw, lost) in zip(chances.items(), fate, strict=True)
    }


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
    unknown = sorted(set(traits) - set(TRAITS))
    if unknown:
        raise InputError(f"Unknown traits: {', '.join(unknown)}. Known: {', '.join(TRAITS)}.")
    weights = _law(endpoint).weights
    grid, mass = _log_odds_masses({name: w for name, w in weights.items() if name not in traits})
    hidden, hidden_mass = _log_odds_masses({name: w for name, w in weights.items() if name in traits})
    steps = grid[:, None] + hidden[None, hidden_mass > 1e-9]
    chance = expit(intercept(endpoint) + steps) @ hidden_mass[hidden_mass > 1e-9]
    return _auc(mass * chance, mass * (1 - chance))


def _law(endpoint: str) -> Law:
    if endpoint not in LAWS:
        raise InputError(f"The phantom has no endpoint {endpoint!r}. It has: {', '.join(LAWS)}.")
    return LAWS[endpoint]


def _score(weights: Mapping[str, float], traits: Traits) -> float:
    return exact.total(weight * float(getattr(traits, name)) for name, weight in weights.items())


def _log_odds_masses(weights: Mapping[str, float]) -> tuple[np.ndarray, np.ndarray]:
    """The distribution of a weighted sum of traits: grid points (n,) and their probability masses (n,)."""
    mass = np.ones(1)
    for weight in weights.values():
        mass = np.convolve(mass, _clipped_normal_masses(abs(weight)))  # a trait's distribution is symmetric
    reach = len(mass) // 2
    return np.arange(-reach, reach + 1) * _STEP, mass


def _clipped_normal_masses(scale: float) -> np.ndarray:
    """Masses of scale * clip(normal, +-2.5), rounded to the grid; odd length, symmetric."""
    reach = round(TRAIT_LIMIT * scale / _STEP)
    edges = (np.arange(-reach, reach) + 0.5) * _STEP / scale
    below = ndtr(edges)
    return np.diff(below, prepend=0.0, append=1.0)  # the outermost bins take the clipped tails


def _auc(positive: np.ndarray, negative: np.ndarray) -> float:
    """Chance that a positive scores above a negative, ties half; masses (n,) in ascending order of the score."""
    below = np.cumsum(negative) - negative / 2
    return float(positive @ below / (positive.sum() * negative.sum()))
