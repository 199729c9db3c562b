"""Windows of Hounsfield units: what a reader, and a network, see between black and white."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Window:
    """A range of intensities.

    Attributes:
        low_hu: Black, and all below it.
        high_hu: White, and all above it.
    """

    low_hu: float
    high_hu: float

    def share(self, hu: np.ndarray) -> np.ndarray:
        """Where intensities lie in the window: 0 at its low end, 1 at its high end, cut off beyond."""
        found = (hu.astype(np.float64) - self.low_hu) / (self.high_hu - self.low_hu)
        return np.asarray(np.clip(found, 0, 1))


LUNG = Window(-1350.0, 150.0)  # level -600, width 1500
SOFT_TISSUE = Window(-160.0, 240.0)  # level 40, width 400
