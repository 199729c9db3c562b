"""What the report shows of networks over features: their epochs, attention and components; plain arrays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np


class Epoch(NamedTuple):
    """Errors after one epoch of a training, in the endpoint's unit and its square.

    Attributes:
        train: Mean squared error over the epoch's steps, with dropout.
        mse: Mean squared error of the watched cases.
        mae: Their mean absolute error.
    """

    train: float
    mse: float
    mae: float


@dataclass(frozen=True, eq=False)
class TableInsight:
    """What the report shows of networks over features.

    Attributes:
        attention: What the answer's token asked each input of the lead model in the first layer, share by case,
            (n, d); None of networks that ask nothing.
        explained: Share of the variance of the standardized features that the first components hold together, in
            training; (k,).
        histories: Title of each network to its epochs, of the first training that held out a part of the cases; empty
            where a network answers for several endpoints at once.
    """

    attention: np.ndarray | None
    explained: tuple[float, ...]
    histories: Mapping[str, tuple[Epoch, ...]]
