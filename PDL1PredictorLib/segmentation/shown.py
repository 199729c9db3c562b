"""What the network is shown of a click: a cube of voxels about it, in two windows, and where the click lies.

Training and prediction make it here, by numpy alone.
"""

import numpy as np

VOXELS = 64  # edge of the cube
SPACINGS_MM = (0.75, 1.5, 2.5)  # cubes of 48, 96 and 160 mm
WINDOWS_HU = ((-1000.0, 200.0), (-160.0, 240.0))  # lung, soft tissue; low to -1, high to 1
CLICK_SD_VOXELS = 2.0
CHANNELS = 4  # two windows, the point, the ends of a line
LONGER = 1.3  # a tumor's longest diameter, about, over that of a ball of its volume
FILLED_SHARE = 0.6  # of the cube that a tumor may fill


def channels(hu: np.ndarray, places_kji: np.ndarray) -> np.ndarray:
    """What the network is shown.

    Args:
        hu: (k, j, i), any size.
        places_kji: The point, (1, 3), or both ends of a line, (2, 3), in voxels.

    Returns:
        float32 (4, k, j, i): lung window, soft window, a Gaussian at the point or the line's middle, Gaussians at the
        line's ends (0 of a point).
    """
    shown = [np.clip(2 * (hu - low) / (high - low) - 1, -1, 1) for low, high in WINDOWS_HU]
    center = _bumps(hu.shape, places_kji.mean(axis=0, keepdims=True))
    ends = _bumps(hu.shape, places_kji) if len(places_kji) == 2 else np.zeros(hu.shape)
    return np.stack([*shown, center, ends]).astype(np.float32)


def _bumps(shape: tuple[int, ...], places_kji: np.ndarray) -> np.ndarray:
    """The largest of Gaussians about places."""
    bumps = []
    for place in places_kji:
        k, j, i = (
            np.exp(-0.5 * ((np.arange(n) - p) / CLICK_SD_VOXELS) ** 2) for n, p in zip(shape, place, strict=True)
        )
        bumps.append(k[:, None, None] * j[None, :, None] * i[None, None, :])
    return np.asarray(np.max(bumps, axis=0))


def spacing_for(diameter_mm: float) -> float:
    """The finest spacing whose cube holds a tumor of that size with room about it."""
    return next((mm for mm in SPACINGS_MM if diameter_mm <= FILLED_SHARE * VOXELS * mm), SPACINGS_MM[-1])
