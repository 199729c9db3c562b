"""What makes one phantom tumor differ from the next: seven independent latent values."""

from dataclasses import asdict, astuple, dataclass, fields

import numpy as np

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.phantom import draws

TRAIT_LIMIT = 2.5  # beyond it a tumor would leave the range that a lung can hold


@dataclass(frozen=True)
class Traits:
    """Latent values of one tumor, each standard normal in the cohort, clipped at +-2.5.

    Attributes:
        size: Volume; the equivalent diameter is 30 mm * exp(0.25 * size).
        lobulation: Low-order waviness of the boundary.
        spiculation: Thin strands into the lung.
        texture: Amplitude of the fine isotropic texture inside.
        necrosis: Share of the low-density core.
        halo: Ground glass around the boundary; invisible inside the tumor.
        striation: Stripes inside: the amplitude is its size, the diagonal of the axial plane along which they
            alternate is its sign. Statistics that average over directions cannot see the sign.
    """

    size: float
    lobulation: float
    spiculation: float
    texture: float
    necrosis: float
    halo: float
    striation: float

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not abs(value) <= TRAIT_LIMIT:  # also refuses NaN
                raise InputError(f"The trait {name} must lie between -{TRAIT_LIMIT} and {TRAIT_LIMIT}, got {value!r}.")

    def to_array(self) -> np.ndarray:
        """The values in the order of `TRAITS`, float64 (7,)."""
        return np.array(astuple(self), float)


TRAITS: tuple[str, ...] = tuple(field.name for field in fields(Traits))
UPTAKE = "uptake"  # of sugar: an eighth latent value, which no CT shows; see `pet`


def draw_traits(rng: np.random.Generator) -> Traits:
    """Draw the traits of one tumor."""
    return Traits(*_latent(rng, len(TRAITS)))


def draw_uptake(rng: np.random.Generator) -> float:
    """Draw the uptake of one tumor: standard normal, clipped as the traits are."""
    return _latent(rng, 1)[0]


def _latent(rng: np.random.Generator, count: int) -> list[float]:
    return [float(value) for value in np.clip(draws.normal(rng, count), -TRAIT_LIMIT, TRAIT_LIMIT)]
