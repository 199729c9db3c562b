"""Features of the gray level run length matrix: voxels of one gray level in a row along a direction.

Definitions: pyradiomics 3.0.1, `glrlm.py`; Galloway 1975, doi 10.1016/S0146-664X(75)80008-6; IBSI reference manual,
"Grey level run length based features" (TP0I; the code of each is in `table`). One matrix per direction.
"""

import numpy as np

from PDL1PredictorLib.radiomics.features.level_sizes import LevelSizes, statistics


def glrlm_features(runs: LevelSizes) -> dict[str, np.ndarray]:
    """All run length features, one number per matrix.

    Args:
        runs: Number of runs by gray level and length.

    Returns:
        Values by name, as in the table; NaN for an empty matrix.
    """
    found = statistics(runs)
    return {
        "GrayLevelNonUniformity": found.level_non_uniformity,
        "GrayLevelNonUniformityNormalized": found.level_non_uniformity / found.total,
        "GrayLevelVariance": found.level_variance,
        "HighGrayLevelRunEmphasis": found.high,
        "LongRunEmphasis": found.large,
        "LongRunHighGrayLevelEmphasis": found.large_high,
        "LongRunLowGrayLevelEmphasis": found.large_low,
        "LowGrayLevelRunEmphasis": found.low,
        "RunEntropy": found.entropy,
        "RunLengthNonUniformity": found.size_non_uniformity,
        "RunLengthNonUniformityNormalized": found.size_non_uniformity / found.total,
        "RunPercentage": found.per_voxel,
        "RunVariance": found.size_variance,
        "ShortRunEmphasis": found.small,
        "ShortRunHighGrayLevelEmphasis": found.small_high,
        "ShortRunLowGrayLevelEmphasis": found.small_low,
    }
