"""Which clinical values a cohort has that a model could learn from."""

from PDL1PredictorLib.cohort.table import Cohort
from PDL1PredictorLib.core.needs import CLINICAL_INPUTS

LEAST_KNOWN = 0.5  # of the cases: where fewer are known, most cases would get the mean


def known_clinical(cohort: Cohort) -> tuple[str, ...]:
    """Names of the clinical inputs that are known for half of the cases and not the same for all, in their order."""
    found = []
    for name in CLINICAL_INPUTS:
        values = [value for case in cohort.cases if (value := getattr(case.clinical, name)) is not None]
        if len(values) >= LEAST_KNOWN * len(cohort) and len(set(values)) > 1:
            found.append(name)
    return tuple(found)
