"""What a network gives for one tumor, however it is run."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from PDL1PredictorLib.core.results import CaseWarning

LINEAR = "linear"
"""Head of a network whose answers are a weighted mean over its last feature maps."""
NO_HEAD = "none"
"""Head of a network that gives no answers of its own, so that nothing can say where it looked: no heat maps."""


@dataclass(frozen=True, eq=False)
class NetworkOutput:
    """What a network gives for what it sees of one tumor.

    Attributes:
        deep: Deep features, their mean over the slices, (n_deep,), 64-bit; (0,) where it gives none.
        maps: Heat map of each endpoint over the whole first slice, (e, h, w), or over the volume, (e, d, h, w), each
            scaled to 0 to 1; e is 0 where none can be made.
        method: How the maps were made, see `core.results.HeatMap`.
        device: Where it ran.
        runtime: What ran it: `onnxruntime` or `torch`.
        warnings: What the reader must know.
        answers: One of each endpoint, their mean over the slices, (e,), 64-bit; (0,) of a network of deep features.
        attention: What it attended to, as its graph gives it, (1, ...); None of most.
    """

    deep: np.ndarray
    maps: np.ndarray
    method: str
    device: str
    runtime: str
    warnings: tuple[CaseWarning, ...]
    answers: np.ndarray = field(default_factory=lambda: np.empty(0))
    attention: np.ndarray | None = None


def mean_of_slices(found: Sequence[np.ndarray]) -> np.ndarray:
    """Numbers of slices, each (m, d), as one row (d,), 64-bit."""
    return np.asarray(np.concatenate(list(found)).astype(np.float64).mean(axis=0))
