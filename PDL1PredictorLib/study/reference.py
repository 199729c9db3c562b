"""What the training cohort looks like, for the warning that a case is unlike it."""

import numpy as np
from sklearn.covariance import LedoitWolf

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.models.manifest import REGIONS
from PDL1PredictorLib.study.inputs import Learned
from PDL1PredictorLib.study.prepare import PreparedCohort
from PDL1PredictorLib.study.trained import Reference


def reference_of(cohort: PreparedCohort, learned: Learned) -> Reference:
    """Mean and covariance of the selected features, and how far cases lie from them that they were not learned from.

    Raises:
        InputError: No feature was selected for any endpoint.
    """
    radscores = learned.radscores
    chosen = {name for regions in radscores.coefficients.values() for region in REGIONS for name in regions[region]}
    used = tuple(sorted(chosen))
    everyone = np.unique(np.concatenate([rows for pair in learned.held_out for rows in pair]))
    if not used:
        raise InputError(
            f"No radiomic feature told the classes of any endpoint apart in {len(everyone)} training cases, so there "
            "is no RadScore. Train on more cases."
        )
    columns = [cohort.feature_names.index(name) for name in used]
    z = radscores.standardizer(cohort.features)[:, columns]
    distances = [np.sqrt(LedoitWolf().fit(z[known]).mahalanobis(z[others])) for known, others in learned.held_out]
    kept = LedoitWolf().fit(z[learned.held_out[0][0] if len(learned.held_out) == 1 else everyone])
    return Reference(used, kept.location_, kept.precision_, float(np.percentile(np.concatenate(distances), 99)))
