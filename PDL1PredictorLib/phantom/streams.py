"""Streams of random numbers of a phantom patient: one per purpose, so that none can shift another."""

from enum import IntEnum

import numpy as np

from PDL1PredictorLib.core.errors import InputError


class Purpose(IntEnum):
    """What a stream is for; a number that was once given stays, or all that follows would be drawn anew."""

    TRAITS = 0
    LABELS = 1
    CLINICAL = 2
    SCANNER = 3
    ANATOMY = 4
    TUMOR = 5
    NOISE = 6
    PEOPLE = 7
    RESPONSE = 8
    FOLLOW_UP = 9
    PET = 10


def stream(seed: int, index: int, purpose: Purpose) -> np.random.Generator:
    """The stream of one purpose.

    Args:
        seed: Of the cohort, 0 or more.
        index: Of the patient, 0 or more.
        purpose: What is drawn.

    Raises:
        InputError: The seed or the index is not possible.
    """
    for name, value in (("seed", seed), ("index", index)):
        if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 0:
            raise InputError(f"The phantom's {name} must be a whole number of 0 or more, got {value!r}.")
    return np.random.default_rng([seed, index, int(purpose)])
