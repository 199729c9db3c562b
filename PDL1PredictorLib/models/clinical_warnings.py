"""What the reader of an answer must know of the clinical values that went into it."""

import math
from collections.abc import Iterator, Mapping, Sequence

from PDL1PredictorLib.core.clinical_columns import ClinicalColumn
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.models.schema.imputer import ImputerEntry

UNUSUAL_SD = 4.0  # from the training mean: a number so far off is a slip, another unit, or a patient of another kind
_DONORS = {"rows": "patients", "centroids": "groups of patients"}


def clinical_warnings(
    columns: Sequence[ClinicalColumn],
    values: Sequence[float],
    unknown: Mapping[str, float],
    imputer: ImputerEntry | None,
) -> Iterator[CaseWarning]:
    """That a value was estimated, that the mean stands in for it, or that it lies far from the training cohort's.

    Args:
        columns: What the model asks for.
        values: Of the patient, in that order, estimates among them.
        unknown: Those that are not known, with the estimate; NaN where there is none.
        imputer: How it was estimated; None of models that know the mean only.
    """
    missing = [one for one in columns if one.name in unknown]
    if missing and imputer is None:
        names = ", ".join(_title(one) for one in missing)
        yield CaseWarning("clinical_missing", f"Not known of the patient: {names}. The training mean was used instead.")
    elif missing and imputer is not None:
        told = ", ".join(f"{_title(one)} {unknown[one.name]:.3g}{_coding(one)}" for one in missing)
        how = f"the {imputer.k} most similar {_DONORS[imputer.donors]} of the training cohort"
        if len(missing) == len(columns):
            how = "the training mean, as nothing else that the model asks for is known"
        text = f"Not known of the patient, and estimated from {how}: {told}. The answer rests on that estimate."
        yield CaseWarning("clinical_imputed", text)
    if imputer is not None:
        yield from _unusual(columns, values, imputer)


def _unusual(
    columns: Sequence[ClinicalColumn], values: Sequence[float], imputer: ImputerEntry
) -> Iterator[CaseWarning]:
    for one, value, mean, sd in zip(columns, values, imputer.mean, imputer.sd, strict=True):
        far = 0.0 if one.words or math.isnan(value) else abs(value - mean) / sd
        if far > UNUSUAL_SD:
            yield CaseWarning(
                "clinical_unusual",
                f"{_title(one).capitalize()} is {value:.6g}, {far:.0f} standard deviations from the mean of the "
                f"training cohort ({mean:.3g}). Look for a slip or another unit.",
            )


def _title(one: ClinicalColumn) -> str:
    return one.name.replace("_", " ")


def _coding(one: ClinicalColumn) -> str:
    return f" ({one.coding})" if one.words else ""
