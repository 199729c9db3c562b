"""Standardized uptake values: what a PET's activity is worth per injected dose and body weight.

Source: Boellaard et al. 2015, doi 10.1007/s00259-014-2961-x (EANM, version 2.0), SUV by body weight; QIBA FDG PET/CT
profile for the times between which the dose decays.
"""

import math
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError

GRAMS = 1000.0
WEIGHT_KG = (1.0, 400.0)
DOSE_BQ = (1e6, 1e11)
MOST_HALF_LIVES = 10.0
USUAL_SUV = 200.0  # next to no voxel of a body is beyond it; activity in Bq/mL is by far
LEAST_SUV = -1.0  # reconstructions leave values a little below 0
_REMEDY = "A number without dose, weight and times has no unit: export the PET with them, or convert it to SUV."


@dataclass(frozen=True)
class Injection:
    """What SUV is computed from.

    Attributes:
        units: Of the voxels, as DICOM has them: `BQML`, or `GML`, which is SUV already.
        weight_kg: Of the patient; None if not known.
        dose_bq: Injected, at `injected_s`; None if not known.
        half_life_s: Of the nuclide; None if not known.
        injected_s: Seconds of any clock; None if not known.
        scanned_s: Of the same clock: when the scan began, to which the voxels are corrected; None if not known.
        decay_correction: `START`: voxels are corrected to the beginning of the scan; `ADMIN`: to the injection.
    """

    units: str
    weight_kg: float | None = None
    dose_bq: float | None = None
    half_life_s: float | None = None
    injected_s: float | None = None
    scanned_s: float | None = None
    decay_correction: str = "START"


def suv_factor(injection: Injection) -> float:
    """What a voxel is multiplied by to become SUV by body weight.

    Raises:
        InputError: The units cannot be converted, or something is missing or impossible.
    """
    if injection.units == "GML":
        return 1.0
    if injection.units != "BQML":
        raise InputError(
            f"The PET's units are {injection.units or 'not said'}; BQML (Bq/mL) or GML (SUV) are needed. {_REMEDY}"
        )
    weight_kg = _within(injection.weight_kg, WEIGHT_KG, "patient's weight", "kg")
    dose_bq = _within(injection.dose_bq, DOSE_BQ, "injected dose", "Bq")
    return weight_kg * GRAMS / (dose_bq * _left(injection))


def _within(value: float | None, bounds: tuple[float, float], what: str, unit: str) -> float:
    if value is None:
        raise InputError(f"The PET does not say the {what}, so it cannot be converted to SUV. {_REMEDY}")
    if not bounds[0] <= value <= bounds[1]:
        raise InputError(
            f"The PET gives the {what} as {value:g} {unit}; {bounds[0]:g} to {bounds[1]:g} {unit} can be. {_REMEDY}"
        )
    return value


def _left(injection: Injection) -> float:
    """Share of the dose that is left at the time to which the voxels are corrected."""
    if injection.decay_correction == "ADMIN":
        return 1.0
    if injection.decay_correction != "START":
        raise InputError(
            f"The PET's decay correction is {injection.decay_correction or 'not said'}; START or ADMIN are needed. "
            f"{_REMEDY}"
        )
    times = (injection.injected_s, injection.scanned_s, injection.half_life_s)
    if any(time is None for time in times):
        raise InputError(f"The PET does not say when the dose was injected, and its half-life. {_REMEDY}")
    injected_s, scanned_s, half_life_s = (float(time or 0.0) for time in times)
    if not half_life_s > 0 or not 0 <= scanned_s - injected_s <= MOST_HALF_LIVES * half_life_s:
        raise InputError(
            f"The PET gives a half-life of {half_life_s:g} s and {scanned_s - injected_s:g} s from injection to scan, "
            f"which cannot be. {_REMEDY}"
        )
    return math.exp2(-(scanned_s - injected_s) / half_life_s)


def require_suv(pet: sitk.Image) -> None:
    """Refuse a volume whose numbers cannot be SUV.

    Raises:
        InputError: With the numbers.
    """
    values = sitk.GetArrayViewFromImage(pet)
    low, high = float(values.min()), float(np.quantile(values, 0.9999))
    if low < LEAST_SUV or high > USUAL_SUV:
        raise InputError(
            f"The PET's voxels go from {low:g} to {high:g}, which are no SUV (0 to some tens). If they are Bq/mL, give "
            "the DICOM series, from which SUV is computed, or convert them."
        )
    if not high > 0:
        raise InputError("The PET is empty: no voxel is above 0.")
