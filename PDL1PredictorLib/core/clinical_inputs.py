"""Clinical values as numbers that a model can use, the same in training and prediction."""

import math
from collections.abc import Sequence

import numpy as np

from PDL1PredictorLib.core.case import Clinical

CODES: dict[str, dict[object, float]] = {
    "sex": {"female": 0.0, "male": 1.0},
    "smoking": {"never": 0.0, "former": 1.0, "current": 2.0},
    "family_history": {False: 0.0, True: 1.0},
}


def clinical_numbers(clinical: Clinical, names: Sequence[str]) -> np.ndarray:
    """The values of one patient, (len(names),) float; NaN where one is not known.

    Args:
        clinical: What is known.
        names: Some of `core.needs.CLINICAL_INPUTS`. Age is in years; words are numbered as `CODES` says.
    """
    return np.array([_number(name, getattr(clinical, name)) for name in names], dtype=np.float64)


def _number(name: str, value: object) -> float:
    if value is None:
        return math.nan
    return CODES[name][value] if name in CODES else float(value)  # type: ignore[arg-type]  # checked by Clinical
