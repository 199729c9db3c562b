"""What the reader of an answer must know of the clinical values that went into it."""

import math
from collections.abc import Iterator, Mapping, Sequence

from PDL1PredictorLib.core.clinical_columns import ClinicalColumn
from PDL1PredictorLib.core.outside_text import one_line
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.models.schema.imputer import ImputerEntry
from PDL1PredictorLib.models.schema.kernels import MOST_LETTERS, TrainingKernels

UNUSUAL_SD = 4.0  # from the training mean: a number so far off is a slip, another unit, or a patient of another kind
SHOWN_KERNELS = 8
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


def kernel_warnings(kernels: TrainingKernels | None, kernel: str | None) -> Iterator[CaseWarning]:
    """That no training CT had the kernel of this one.

    Args:
        kernels: Of the training CTs; None of models that do not say.
        kernel: Of the case; None where it is not known.

    Source: paper 004, "Patients": one kernel was a reason to leave 824 of 2094 patients out.
    """
    if kernels is None or not (kernel or "").strip() or kernels.has(str(kernel)):
        return
    names = ", ".join(kernels.names[:SHOWN_KERNELS]) + (" ..." if len(kernels.names) > SHOWN_KERNELS else "")
    part = "" if kernels.known == kernels.of else f" (the kernel is known of {kernels.known} of {kernels.of} cases)"
    yield CaseWarning(
        "kernel_unlike",
        f"The CT was reconstructed with the kernel {one_line(str(kernel))[:MOST_LETTERS]}, and no training case of "
        f"this model is known to have had it: theirs are {names}{part}. Noise and sharpness change features and "
        "pictures. Take a series of such a kernel if there is one.",
    )


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
