"""First-order features: the intensities of a region, wherever they lie.

Definitions: pyradiomics 3.0.1, `firstorder.py`; IBSI reference manual, "Intensity-based statistical features"
(UHIW) and "Intensity histogram features" (ZVCW); the code of each is in `table`. Kurtosis is without the 3 that IBSI
subtracts.
"""

import numpy as np

EPSILON = float(np.spacing(1))  # keeps log2 from 0, as in pyradiomics


def first_order_features(values: np.ndarray, counts: np.ndarray, voxel_volume_mm3: float) -> dict[str, float]:
    """All first-order features.

    Args:
        values: Intensities of the region's voxels, float64.
        counts: Number of voxels of each gray level that occurs.
        voxel_volume_mm3: Volume of a voxel.

    Returns:
        Value by name, as in the table.
    """
    n = values.size
    energy = float((values * values).sum())
    share = counts / n
    return {
        **_order_statistics(values),
        **_moments(values),
        "Energy": energy,
        "Entropy": float(-(share * np.log2(share + EPSILON)).sum()),
        "RootMeanSquared": float(np.sqrt(energy / n)),
        "TotalEnergy": energy * voxel_volume_mm3,
        "Uniformity": float((share * share).sum()),
    }


def _order_statistics(values: np.ndarray) -> dict[str, float]:
    """What is seen once the intensities are sorted."""
    n = values.size
    ordered = np.sort(values)
    p10, p25, p75, p90 = (_percentile(ordered, percent) for percent in (10, 25, 75, 90))
    middle = ordered[np.searchsorted(ordered, p10, "left") : np.searchsorted(ordered, p90, "right")]
    return {
        "10Percentile": p10,
        "90Percentile": p90,
        "InterquartileRange": p75 - p25,
        "Maximum": float(ordered[-1]),
        "Median": float((ordered[(n - 1) // 2] + ordered[n // 2]) / 2),
        "Minimum": float(ordered[0]),
        "Range": float(ordered[-1] - ordered[0]),
        "RobustMeanAbsoluteDeviation": float(np.abs(middle - middle.mean()).mean()),
    }


def _moments(values: np.ndarray) -> dict[str, float]:
    """Powers of the distance from the mean."""
    n = values.size
    mean = float(values.sum() / n)
    away = values - mean
    squared = away * away
    variance = float(squared.sum() / n)
    scale = variance if variance != 0 else 1.0  # a flat region: 0 over 1
    third, fourth = float((squared * away).sum() / n), float((squared * squared).sum() / n)
    return {
        "Kurtosis": fourth / scale**2,
        "Mean": mean,
        "MeanAbsoluteDeviation": float(np.abs(away).sum() / n),
        "Skewness": third / scale**1.5,
        "Variance": variance,
    }


def _percentile(ordered: np.ndarray, percent: float) -> float:
    """`numpy.percentile` of sorted values, with its rounding."""
    place = (ordered.size - 1) * (percent / 100)
    below = int(place)
    weight = place - below
    a, b = float(ordered[below]), float(ordered[min(below + 1, ordered.size - 1)])
    return a + (b - a) * weight if weight < 0.5 else b - (b - a) * (1 - weight)
