"""A CT from a DICOM series: found in its folder, checked slice by slice, placed by its own positions."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from pydicom.uid import CTImageStorage

from PDL1PredictorLib.core.case import Clinical
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.dicom_files import FRAME_KEY, header, is_dicom
from PDL1PredictorLib.imaging.itk_files import plain_names
from PDL1PredictorLib.imaging.loaded import Loaded
from PDL1PredictorLib.imaging.volume_files import forget_metadata, reason

TAGS = (
    *("SOPInstanceUID", "SeriesInstanceUID", "FrameOfReferenceUID", "Modality", "ImageType", "SeriesDescription"),
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "Rows", "Columns", "NumberOfFrames"),
    *("RescaleSlope", "RescaleIntercept"),
    *("PatientAge", "PatientSex", "SliceThickness", "ConvolutionKernel", "Manufacturer"),  # never name or number
)
SAME_PLACE_MM = 0.01
GAP = 1.5  # a step this much above the usual one is a missing slice
UNEVEN = 0.25  # part of the usual step by which a slice may lie off its place
TILT_MM = 1.0  # sideways drift from the first to the last slice


@dataclass(frozen=True, eq=False)
class Slice:
    """One file of a series: its path and the part of its header that is needed."""

    path: Path
    data: Any

    def text(self, tag: str) -> str:
        """A value as text; several values are joined."""
        value = self.data.get(tag)
        if value is None:
            return ""
        is_list = not isinstance(value, str) and isinstance(value, Sequence)
        return "\\".join(str(v) for v in value) if is_list else str(value).strip()


def read_series(path: Path, series: str | None) -> Loaded:
    """Read the CT series in a folder, or the one that a file belongs to.

    Args:
        path: Folder (its subfolders are not searched; other files in it do no harm) or one file of the series.
        series: SeriesInstanceUID, needed if the folder holds several CT series.

    Raises:
        InputError: No CT there, several, or slices that are missing, doubled, uneven, tilted or damaged.
    """
    folder = path if path.is_dir() else path.parent
    if path.is_file() and series is None:
        series = str(header(path, TAGS).get("SeriesInstanceUID", ""))
    slices = _chosen_series(_slices_by_series(folder), series, folder)
    first = slices[0]
    if int(first.data.get("NumberOfFrames") or 1) > 1:
        raise InputError(
            f"{first.path.name} is a multi-frame DICOM file. Convert it to single slices, NIfTI or NRRD first."
        )
    _require_alike(slices)
    slices, positions = _in_order(slices)
    image = _read_voxels(slices)
    row, column, normal = _axes(slices[0])
    image.SetOrigin([float(x) for x in positions[0]])
    image.SetDirection(np.column_stack([row, column, normal]).ravel().tolist())
    row_mm, column_mm = (float(x) for x in slices[0].data.PixelSpacing)
    if not (math.isfinite(row_mm) and math.isfinite(column_mm) and row_mm > 0 and column_mm > 0):
        raise InputError(f"The series gives the pixel spacing {row_mm} x {column_mm} mm; both must be positive.")
    image.SetSpacing([column_mm, row_mm, float((positions[-1] - positions[0]) @ normal) / (len(slices) - 1)])
    if slices[0].text("FrameOfReferenceUID"):
        image.SetMetaData(FRAME_KEY, slices[0].text("FrameOfReferenceUID"))
    return Loaded(image, clinical=_clinical(slices[0]))


def _slices_by_series(folder: Path) -> dict[str, list[Slice]]:
    """The image files of a folder; copies of one instance count once.

    Raises:
        InputError: A file was a slice but is none any more: passed over, it could be missing at an end unseen.
    """
    series: dict[str, dict[str, Slice]] = defaultdict(dict)
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):  # companions that macOS writes
            continue
        if is_dicom(path):
            found = Slice(path, header(path, TAGS))
            if found.text("Rows"):
                series[found.text("SeriesInstanceUID")].setdefault(found.text("SOPInstanceUID"), found)
            elif found.data.file_meta.get("MediaStorageSOPClassUID") == CTImageStorage:
                raise InputError(f"The slice {path.name} is cut off. Copy or export the series again.")
        elif path.suffix.lower() == ".dcm" and path.is_file():
            raise InputError(f"{path.name} is empty or damaged. Copy or export the series again, or remove the file.")
    return {uid: list(found.values()) for uid, found in series.items()}


def _chosen_series(groups: dict[str, list[Slice]], series: str | None, folder: Path) -> list[Slice]:
    if not groups:
        subfolders = sum(entry.is_dir() for entry in folder.iterdir())
        hint = f" It has {subfolders} subfolders: choose the one with the CT." if subfolders else ""
        raise InputError(f"{folder} holds no DICOM image. Choose the folder with the slices of the CT.{hint}")
    if series is not None:
        if series not in groups:
            raise InputError(f"{folder} holds no series {series}. It holds:{_listed(groups)}")
        groups = {series: groups[series]}
    scans = {uid: found for uid, found in groups.items() if found[0].text("Modality") == "CT"}
    if not scans:
        modalities = sorted({found[0].text("Modality") or "none" for found in groups.values()})
        raise InputError(f"The DICOM modality is {', '.join(modalities)}; a CT is needed. Choose the CT series.")
    if len(scans) > 1:  # a scout view is never what is meant
        scans = {uid: found for uid, found in scans.items() if "LOCALIZER" not in found[0].text("ImageType")} or scans
    if len(scans) > 1:
        raise InputError(f"{folder} holds {len(scans)} CT series. Choose one by its uid (--series):{_listed(scans)}")
    return next(iter(scans.values()))


def _listed(groups: dict[str, list[Slice]]) -> str:
    return "".join(
        f"\n  {uid}: {found[0].text('Modality')}, {len(found)} slices, "
        f"{found[0].text('SeriesDescription') or 'no description'}"
        for uid, found in groups.items()
    )


def _require_alike(slices: list[Slice]) -> None:
    if len(slices) < 3:
        raise InputError(f"The series has {len(slices)} slices; at least 3 are needed. Choose the whole series.")
    for tag in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        if any(not one.text(tag) for one in slices):
            raise InputError(f"A slice of the series has no {tag}, so it cannot be placed. Export it again.")
    for tag in ("Rows", "Columns", "PixelSpacing", "ImageOrientationPatient"):
        values = [_numbers(one, tag) for one in slices]
        for one, value in zip(slices, values, strict=True):
            if len(value) != len(values[0]) or not np.allclose(value, values[0], atol=1e-4, rtol=0):
                raise InputError(
                    f"The slices of the series differ in {tag}: {slices[0].text(tag)} and {one.text(tag)} "
                    f"({one.path.name}). Export one reconstruction alone."
                )


def _numbers(one: Slice, tag: str) -> list[float]:
    try:
        return [float(x) for x in one.text(tag).split("\\")]
    except ValueError as error:
        raise InputError(f"{one.path.name} has the {tag} {one.text(tag)!r}, which is no number.") from error


def _axes(one: Slice) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Unit vectors along a row, down a column and across the slices, right-handed."""
    cosines = np.asarray(_numbers(one, "ImageOrientationPatient"))
    row = cosines[:3] / np.linalg.norm(cosines[:3])
    normal = np.cross(row, cosines[3:])
    normal /= np.linalg.norm(normal)
    return row, np.cross(normal, row), normal


def _in_order(slices: list[Slice]) -> tuple[list[Slice], np.ndarray]:
    """Slices along their normal, with their positions (n, 3); refuses any stack that is no regular volume."""
    _, _, normal = _axes(slices[0])
    positions = np.asarray([_numbers(one, "ImagePositionPatient") for one in slices])
    order = np.argsort(positions @ normal, kind="stable")
    slices, positions = [slices[n] for n in order], positions[order]
    heights = positions @ normal
    steps = np.diff(heights)
    for n in np.flatnonzero(steps < SAME_PLACE_MM):
        raise InputError(
            f"Two slices of the series lie at the same place, {heights[n]:.2f} mm ({slices[n].path.name} and "
            f"{slices[n + 1].path.name}). Export one reconstruction and one point in time alone."
        )
    usual = float(np.median(steps))
    gaps = np.flatnonzero(steps > GAP * usual)
    if len(gaps):
        missing = sum(max(round(float(step) / usual) - 1, 1) for step in steps[gaps])
        raise InputError(
            f"About {missing} slices of the series are missing: the slices are {usual:.3g} mm apart, but between "
            f"{heights[gaps[0]]:.2f} and {heights[gaps[0] + 1]:.2f} mm there is none. Copy or export the series again."
        )
    regular = np.linspace(heights[0], heights[-1], len(heights))
    if np.abs(heights - regular).max() > UNEVEN * usual:
        raise InputError(
            f"The slices of the series are unevenly spaced, {steps.min():.3g} to {steps.max():.3g} mm. "
            "Export a reconstruction with even spacing."
        )
    drift = positions[-1] - positions[0]
    drift_mm = float(np.linalg.norm(drift - (drift @ normal) * normal))
    if drift_mm > TILT_MM:
        raise InputError(
            f"The slices drift sideways by {drift_mm:.1f} mm from first to last (tilted gantry). "
            "Resample the series to straight slices first, for example in 3D Slicer."
        )
    return slices, positions


def _read_voxels(slices: list[Slice]) -> sitk.Image:
    reader = sitk.ImageSeriesReader()
    scales = {(one.text("RescaleSlope"), one.text("RescaleIntercept")) for one in slices}
    if len(scales) > 1:  # the type is chosen for the first slice and could be too small for the others
        reader.SetOutputPixelType(sitk.sitkFloat32)
    chatty = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)  # what it would say of the geometry was checked above
    try:
        with plain_names([one.path for one in slices]) as names:
            reader.SetFileNames(names)
            image = reader.Execute()
    except RuntimeError as error:
        damaged = _first_unreadable(slices)
        raise InputError(
            f"The slice {damaged} cannot be read: it is damaged or cut off. Copy or export the series again."
            if damaged
            else f"The series cannot be read ({reason(error)}). Copy or export it again."
        ) from error
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(chatty)
    forget_metadata(image)
    return image


def _first_unreadable(slices: Iterable[Slice]) -> str:
    for one in slices:
        try:
            with plain_names([one.path]) as names:
                sitk.ReadImage(names[0])
        except RuntimeError:
            return one.path.name
    return ""


def _clinical(one: Slice) -> Clinical:
    """What the header says, impossible values left out; it never takes a name, a date or a number."""
    return Clinical(
        age_years=_age_years(one.text("PatientAge")),
        sex={"M": "male", "F": "female"}.get(one.text("PatientSex").upper()),
        slice_thickness_mm=_within(one.text("SliceThickness"), 0.05, 50),
        kernel=one.text("ConvolutionKernel") or None,
        manufacturer=one.text("Manufacturer") or None,
    )


def _age_years(text: str) -> float | None:
    """From a DICOM age such as 063Y or 018M."""
    per_year = {"Y": 1.0, "M": 12.0, "W": 365.25 / 7, "D": 365.25}.get(text[-1:].upper())
    if per_year is None or not text[:-1].isdigit():
        return None
    return _within(str(int(text[:-1]) / per_year), 0, 120)


def _within(text: str, low: float, high: float) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if low <= value <= high else None
