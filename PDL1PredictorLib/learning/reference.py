"""What the training cohort looks like, for the warning that a case is unlike it."""

from collections.abc import Sequence

import numpy as np
from sklearn.covariance import LedoitWolf

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.regions import REGIONS
from PDL1PredictorLib.learning.crossfit import RadScores
from PDL1PredictorLib.learning.trained import Reference


def reference_of(
    radscores: RadScores, features: np.ndarray, held_out: Sequence[tuple[np.ndarray, np.ndarray]]
) -> Reference:
    """Mean and covariance of the selected features, and how far cases lie from them that they were not learned from.

    Args:
        radscores: Whose features were selected.
        features: Of all cases, (n, f).
        held_out: Pairs of rows: what a distance is learned from, and measured on. What is kept is learned from the
            first of a single pair, and from the cases of all pairs together otherwise.

    Raises:
        InputError: No feature was selected for any endpoint.
    """
    chosen = {name for regions in radscores.coefficients.values() for region in REGIONS for name in regions[region]}
    used = tuple(sorted(chosen))
    everyone = np.unique(np.concatenate([rows for pair in held_out for rows in pair]))
    if not used:
        raise InputError(
            f"No radiomic feature told the classes of any endpoint apart in {len(everyone)} training cases, so there "
            "is no RadScore. Train on more cases."
        )
    z = radscores.standardizer(features)[:, [radscores.names.index(name) for name in used]]
    distances = [np.sqrt(LedoitWolf().fit(z[known]).mahalanobis(z[others])) for known, others in held_out]
    kept = LedoitWolf().fit(z[held_out[0][0] if len(held_out) == 1 else everyone])
    return Reference(used, kept.location_, kept.precision_, float(np.percentile(np.concatenate(distances), 99)))
