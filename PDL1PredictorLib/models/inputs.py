"""What a stack makes of one tumor, before it is standardized for an endpoint."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from PDL1PredictorLib.models.network.inside import Inside
from PDL1PredictorLib.models.reference import Likeness

NOTHING = np.empty(0)


@dataclass(frozen=True, eq=False)
class Inputs:
    """What one tumor's inputs are made of, before they are standardized for an endpoint.

    Attributes:
        deep: Deep features, (n_deep,).
        z: Standardized radiomic features by name.
        scores: By endpoint: `radscore_tumor` and `radscore_ring`, where they are among its inputs.
        log_volume: Logarithm of the tumor's volume in mL.
        clinical: In the order of the model's needs; NaN where not known and not estimated.
        likeness: How like the training cohort the case is.
        missing: Used features without a value here, replaced by the training mean.
        unknown: Clinical values that are not known, by name: the estimate, NaN where there is none.
        answers: Those of a network that answers by itself, one of each endpoint, (e,); none otherwise, (0,).
        inside: What such a network over a table makes of its columns; None where that was not asked for.
    """

    deep: np.ndarray
    z: Mapping[str, float]
    scores: dict[str, dict[str, float]]
    log_volume: float
    clinical: tuple[float, ...]
    likeness: Likeness
    missing: tuple[str, ...]
    unknown: Mapping[str, float]
    answers: np.ndarray = field(default_factory=lambda: NOTHING)
    inside: Inside | None = None

    @property
    def atypicality(self) -> float:
        """Distance to the training cohort over the limit; NaN without a reference."""
        return self.likeness.atypicality
