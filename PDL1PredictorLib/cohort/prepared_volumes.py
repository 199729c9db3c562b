"""The cube about a tumor as the cache keeps it: few bytes, and channels made only when a network asks."""

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.imaging.volume import Volume

SUV_STEPS = 100  # a SUV is kept in hundredths
MOST_SUV = 300.0


def volume_arrays(volume: Volume, with_pet: bool) -> dict[str, np.ndarray]:
    """Blocks of one case, without the axis of the cases; see `PreparedCohort.blocks`.

    Args:
        volume: The cube.
        with_pet: Whether the SUV is kept; of a case without one it is 0, and `pet` says so.
    """
    found = {
        "volume": sitk.GetArrayFromImage(volume.image).astype(np.int16),
        "volume_tumor": sitk.GetArrayFromImage(volume.tumor).astype(bool),
    }
    if not with_pet:
        return found
    suv = np.zeros(found["volume"].shape) if volume.suv is None else sitk.GetArrayFromImage(volume.suv)
    kept = np.rint(np.clip(suv, 0.0, MOST_SUV) * SUV_STEPS).astype(np.int16)
    return {**found, "volume_suv": kept, "pet": np.array(volume.suv is not None)}
