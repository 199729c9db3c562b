"""Class activation maps: what Grad-CAM gives for a network whose head is linear after the pooling, without a gradient.

The answers of such a network are sums over the plane of the last feature maps, each weighed by the head, so that the
gradient by a map is the same weight everywhere.

Source: Zhou et al. 2016, arXiv 1512.04150, equation 2; Selvaraju et al. 2017, arXiv 1610.02391, section 3.1, for the
equality.
"""

import math

import numpy as np


def class_activation_maps(activations: np.ndarray, head: np.ndarray) -> np.ndarray:
    """Heat maps of every output of one case; what lies below zero is cut off.

    Args:
        activations: Last feature maps (c, h, w), or (c, d, h, w) of a volume.
        head: What each feature map's mean counts for each output, (k, c).

    Returns:
        (k, h, w) or (k, d, h, w), 64-bit, not negative; equal to `explain.grad_cam.grad_cams`.

    Raises:
        ValueError: The shapes do not fit.
    """
    if activations.ndim not in (3, 4) or head.ndim != 2 or head.shape[1] != len(activations):
        raise ValueError(
            f"Feature maps (c, h, w) and a head (k, c) of the same c are needed, got {activations.shape} and "
            f"{head.shape}."
        )
    places = math.prod(activations.shape[1:])
    maps = np.tensordot(head.astype(np.float64), activations.astype(np.float64), axes=1) / places
    return np.asarray(np.maximum(maps, 0.0))


def scaled_to_one(maps: np.ndarray) -> np.ndarray:
    """Scale each map by its own maximum, to 0 to 1; a map of zeros only stays zero.

    Args:
        maps: (k, h, w) or (k, d, h, w), finite and not negative.

    Raises:
        ValueError: A value is negative or not finite.
    """
    if not (np.isfinite(maps).all() and (maps >= 0).all()):
        raise ValueError("Heat maps must be finite and not negative; give the maps of class_activation_maps.")
    peaks = maps.max(axis=tuple(range(1, maps.ndim)), keepdims=True)
    return np.asarray(maps / np.where(peaks > 0, peaks, 1.0))
