"""Features of the gray level size zone matrix: connected voxels of one gray level.

Definitions: pyradiomics 3.0.1, `glszm.py`; Thibault et al. 2014, doi 10.1109/TBME.2013.2284600; IBSI reference manual,
"Grey level size zone based features" (9SAK; the code of each is in `table`). One matrix for the region.
"""

import numpy as np

from PDL1PredictorLib.radiomics.features.level_sizes import LevelSizes, statistics


def glszm_features(zones: LevelSizes) -> dict[str, np.ndarray]:
    """All zone features, one number per matrix.

    Args:
        zones: Number of zones by gray level and number of voxels.

    Returns:
        Values by name, as in the table; NaN for an empty matrix.
    """
    found = statistics(zones)
    return {
        "GrayLevelNonUniformity": found.level_non_uniformity,
        "GrayLevelNonUniformityNormalized": found.level_non_uniformity / found.total,
        "GrayLevelVariance": found.level_variance,
        "HighGrayLevelZoneEmphasis": found.high,
        "LargeAreaEmphasis": found.large,
        "LargeAreaHighGrayLevelEmphasis": found.large_high,
        "LargeAreaLowGrayLevelEmphasis": found.large_low,
        "LowGrayLevelZoneEmphasis": found.low,
        "SizeZoneNonUniformity": found.size_non_uniformity,
        "SizeZoneNonUniformityNormalized": found.size_non_uniformity / found.total,
        "SmallAreaEmphasis": found.small,
        "SmallAreaHighGrayLevelEmphasis": found.small_high,
        "SmallAreaLowGrayLevelEmphasis": found.small_low,
        "ZoneEntropy": found.entropy,
        "ZonePercentage": found.per_voxel,
        "ZoneVariance": found.size_variance,
    }
