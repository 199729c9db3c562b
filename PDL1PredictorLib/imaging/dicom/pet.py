"""A PET from a DICOM series, converted to SUV by what its headers say of dose, weight and times."""

from datetime import datetime
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.dicom.files import FRAME_KEY, header, quiet
from PDL1PredictorLib.imaging.dicom.folder import Slice, look_into
from PDL1PredictorLib.imaging.dicom.series import read_voxels
from PDL1PredictorLib.imaging.dicom.stack import stack
from PDL1PredictorLib.imaging.loaded import Loaded
from PDL1PredictorLib.imaging.suv import Injection, suv_factor

NEEDED = ("ATTN", "DECY")  # corrections without which a voxel is no activity


@quiet()
def read_pet_series(path: Path, series: str | None = None) -> Loaded:
    """Read the PET series in a folder, or the one that a file lies with, in SUV.

    Args:
        path: The folder or file.
        series: SeriesInstanceUID, where the folder holds several.

    Raises:
        InputError: No PET there, or several; slices that are missing or damaged; or SUV cannot be computed.
    """
    slices = _only_pet(path if path.is_dir() else path.parent, series)
    placed = stack(slices)
    whole = [header(one.path) for one in placed.slices]
    factor = suv_factor(injection_of(whole))
    image = sitk.Cast(read_voxels(placed.slices), sitk.sitkFloat32) * factor
    image.SetOrigin(placed.origin_lps_mm.tolist())
    image.SetDirection(placed.axes.ravel().tolist())
    image.SetSpacing(placed.spacing_mm)
    if placed.slices[0].text("FrameOfReferenceUID"):
        image.SetMetaData(FRAME_KEY, placed.slices[0].text("FrameOfReferenceUID"))
    return Loaded(image, placed.warnings)


@quiet()
def why_no_suv(path: Path) -> str:
    """Why a file's series is no PET that can be converted to SUV, as far as its own header says; empty if it can.

    Args:
        path: One file of the series; no voxel is read.
    """
    try:
        one = header(path)
        if str(one.get("Modality") or "") != "PT":
            return f"{path.name} is no PET (modality {one.get('Modality') or 'not said'})."
        suv_factor(injection_of([one]))
    except InputError as error:
        return str(error)
    return ""


def _only_pet(folder: Path, series: str | None) -> list[Slice]:
    groups = look_into(folder).series
    found = {uid: group for uid, group in groups.items() if group[0].text("Modality") == "PT"}
    if series is not None:
        found = {uid: group for uid, group in found.items() if uid == series}
    if len(found) != 1:
        others = ", ".join(sorted({group[0].text("Modality") or "none" for group in groups.values()})) or "no image"
        raise InputError(
            f"{folder} holds {len(found)} PET series (modality PT; found: {others}); one is needed. Choose the folder "
            "with the attenuation-corrected PET alone."
        )
    return next(iter(found.values()))


def injection_of(headers: list[Any]) -> Injection:
    """What the headers of a series say.

    Raises:
        InputError: The voxels were not corrected for attenuation or decay, or a value is damaged.
    """
    first = headers[0]
    units = str(first.get("Units") or "").upper()
    kind = str(first.get("SUVType") or "BW").upper()
    if units == "GML" and kind != "BW":
        raise InputError(f"The PET is in SUV by {kind}; SUV by body weight (BW) is needed.")
    done = [str(word).upper() for word in first.get("CorrectedImage") or ()]
    missing = [word for word in NEEDED if word not in done]
    if units == "BQML" and missing:
        raise InputError(
            f"The PET was not corrected for {' and '.join(missing)} (CorrectedImage), so its voxels are no activity. "
            "Choose the corrected series."
        )
    dose = next(iter(first.get("RadiopharmaceuticalInformationSequence") or ()), None)
    return Injection(
        units=units,
        weight_kg=_number(first, "PatientWeight"),
        dose_bq=_number(dose, "RadionuclideTotalDose"),
        half_life_s=_number(dose, "RadionuclideHalfLife"),
        injected_s=_injected(dose, first),
        scanned_s=_scanned(headers),
        decay_correction=str(first.get("DecayCorrection") or "").upper(),
    )


def _number(data: Any, tag: str) -> float | None:
    """A number, None where it is missing or damaged."""
    value = None if data is None else data.get(tag)
    try:
        return None if value is None or value == "" else float(value)
    except (TypeError, ValueError):
        return None


def _injected(dose: Any, first: Any) -> float | None:
    """With a date of its own, or a time on the day of the series."""
    if dose is None:
        return None
    whole = _seconds(str(dose.get("RadiopharmaceuticalStartDateTime") or ""))
    if whole is not None:
        return whole
    return _seconds(f"{first.get('SeriesDate') or ''}{dose.get('RadiopharmaceuticalStartTime') or ''}")


def _scanned(headers: list[Any]) -> float | None:
    """When the scan began: the series' time, or that of its first slice where the series was made anew later."""
    series = _seconds(f"{headers[0].get('SeriesDate') or ''}{headers[0].get('SeriesTime') or ''}")
    taken = [_seconds(f"{one.get('AcquisitionDate') or ''}{one.get('AcquisitionTime') or ''}") for one in headers]
    known = [time for time in (series, *taken) if time is not None]
    return min(known, default=None)


def _seconds(text: str) -> float | None:
    """Seconds of a DICOM date and time such as 20200131 134501.25; None if it is none."""
    plain = text.split("+")[0].split("-")[0].strip()
    whole, _, part = plain.partition(".")
    try:
        fraction = float(f"0.{part}") if part else 0.0
        return datetime.strptime(whole[:14], "%Y%m%d%H%M%S").timestamp() + fraction  # one clock
    except ValueError:
        return None
