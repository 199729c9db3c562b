"""Which clinical values a cohort has that a model could learn from."""

from collections.abc import Sequence

import numpy as np

from PDL1PredictorLib.cohort.table import Cohort
from PDL1PredictorLib.core.clinical_columns import CLINICAL_INPUTS, clinical_row
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.needs import Needs

LEAST_KNOWN = 0.5  # of the cases: where fewer are known, most cases would get an estimate


def known_clinical(cohort: Cohort) -> tuple[str, ...]:
    """Names of the clinical inputs that are known for half of the cases and not the same for all, in their order."""
    return tuple(name for name in CLINICAL_INPUTS if not _why_not(cohort, name))


def require_known(cohort: Cohort, names: Sequence[str]) -> None:
    """Refuse clinical values that were asked for and that nothing can be learned from.

    Raises:
        InputError: With all of them.
    """
    reasons = {name: reason for name in names if (reason := _why_not(cohort, name))}
    if reasons:
        told = "; ".join(f"{name} {reason}" for name, reason in reasons.items())
        raise InputError(f"{cohort.source.name}: {told}. Fill the table in, or leave them out of --clinical.")


def lacking(cohort: Cohort, needs: Needs) -> list[str]:
    """A sentence on clinical values that a model asks for and that the table knows of no case; DICOM may know them."""
    rows = np.array([clinical_row(case.clinical, needs.clinical, needs.declared) for case in cohort.cases])
    names = [name for name, never in zip(needs.clinical, np.isnan(rows).all(axis=0), strict=True) if never]
    if not names:
        return []
    return [
        f"The model asks for {', '.join(names)}, of which the table says nothing. Where the images do not say it, it "
        "is estimated from other patients, and every such case is marked."
    ]


def _why_not(cohort: Cohort, name: str) -> str:
    codes = [clinical_row(case.clinical, (name,), cohort.declared)[0] for case in cohort.cases]
    known = [code for code in codes if code == code]  # not NaN
    if len(known) < LEAST_KNOWN * len(cohort):
        return f"is known for {len(known)} of {len(cohort)} cases, and at least half are needed"
    return "" if len(set(known)) > 1 else "is the same for all cases"
