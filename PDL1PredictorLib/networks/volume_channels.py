"""The channels that a three-dimensional network sees, by numpy: made late, so that what is kept serves any of them."""

import numpy as np

from PDL1PredictorLib.core.windows import LUNG, SOFT_TISSUE
from PDL1PredictorLib.networks.channels import in_window

HIGHEST_SUV = 20.0
"""SUV that becomes 1, and above which nothing is told apart."""


def volume_channels(
    hu: np.ndarray, tumor: np.ndarray, suv: np.ndarray | None, with_pet: bool, pool: str = "picture"
) -> np.ndarray:
    """Lung window; soft-tissue window; soft-tissue window inside the contour, 0 outside it; and what a PET adds.

    Args:
        hu: (n, d, h, w) in HU.
        tumor: (n, d, h, w), 1 inside.
        suv: (n, d, h, w) in SUV; None of cases without PET.
        with_pet: Whether the network has the two channels of a PET: SUV over 20, cut to 0 to 1, and 1 everywhere where
            there is a PET, 0 where there is none.
        pool: One of `networks.names.POOLS`; a network that pools its maps within the contour has it as last channel.

    Returns:
        (n, 3, d, h, w), or 5 channels with PET, and one more with the contour, 32-bit.
    """
    values = hu.astype(np.float32)
    lung, soft = in_window(values, LUNG), in_window(values, SOFT_TISSUE)
    found = [lung, soft, soft * tumor.astype(np.float32)]
    if with_pet:
        zeros = np.zeros_like(lung)
        uptake = zeros if suv is None else (suv.astype(np.float32) / HIGHEST_SUV).clip(0.0, 1.0)
        found += [uptake, zeros if suv is None else np.ones_like(lung)]
    if pool == "contour":
        found.append(tumor.astype(np.float32))
    return np.stack(found, axis=1)
