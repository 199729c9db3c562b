"""Features of the gray level dependence matrix: how many neighbors share a voxel's gray level.

Definitions: pyradiomics 3.0.1, `gldm.py`; Sun and Wee 1983, doi 10.1016/0734-189X(83)90032-4; IBSI reference manual,
"Neighbouring grey level dependence based features" (REK0; the code of each is in `table`). One matrix for the region.
"""

import numpy as np

from PDL1PredictorLib.radiomics.features.level_sizes import LevelSizes, statistics


def gldm_features(dependences: LevelSizes) -> dict[str, np.ndarray]:
    """All dependence features, one number per matrix.

    Args:
        dependences: Number of voxels by gray level and number of like neighbors, the voxel itself counted.

    Returns:
        Values by name, as in the table; NaN for an empty matrix.
    """
    found = statistics(dependences)
    return {
        "DependenceEntropy": found.entropy,
        "DependenceNonUniformity": found.size_non_uniformity,
        "DependenceNonUniformityNormalized": found.size_non_uniformity / found.total,
        "DependenceVariance": found.size_variance,
        "GrayLevelNonUniformity": found.level_non_uniformity,
        "GrayLevelVariance": found.level_variance,
        "HighGrayLevelEmphasis": found.high,
        "LargeDependenceEmphasis": found.large,
        "LargeDependenceHighGrayLevelEmphasis": found.large_high,
        "LargeDependenceLowGrayLevelEmphasis": found.large_low,
        "LowGrayLevelEmphasis": found.low,
        "SmallDependenceEmphasis": found.small,
        "SmallDependenceHighGrayLevelEmphasis": found.small_high,
        "SmallDependenceLowGrayLevelEmphasis": found.small_low,
    }
