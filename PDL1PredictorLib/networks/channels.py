"""The three channels that Deep-CT sees, by numpy: where torch is not installed.

`networks.deep_ct.input_channels` makes the same of tensors; a test holds both against each other, bit for bit.
"""

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from PDL1PredictorLib.core.windows import LUNG, SOFT_TISSUE, Window

if TYPE_CHECKING:
    from torch import Tensor

Numbers = TypeVar("Numbers", np.ndarray, "Tensor")


def channels(patch_hu: np.ndarray, tumor: np.ndarray) -> np.ndarray:
    """Lung window; soft-tissue window; soft-tissue window inside the contour, 0 outside it.

    Args:
        patch_hu: (n, h, w) in HU, 32-bit.
        tumor: (n, h, w), 1 inside the contour.

    Returns:
        (n, 3, h, w), 32-bit, each in -1 to 1.
    """
    hu = patch_hu.astype(np.float32)
    lung, soft = in_window(hu, LUNG), in_window(hu, SOFT_TISSUE)
    return np.stack([lung, soft, soft * tumor.astype(np.float32)], axis=1)


def in_window(hu: Numbers, window: Window) -> Numbers:
    """HU of an array or tensor as -1 to 1: the window's low end and below, its high end and above."""
    low, high = window.low_hu, window.high_hu
    return (hu.clip(low, high) - low) / (high - low) * 2 - 1
