"""A CT from a DICOM series: found in its folder, checked slice by slice, placed by its own positions."""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import SimpleITK as sitk

from PDL1PredictorLib.core.case import Clinical, Study, day_of, patient_key
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.imaging.dicom.files import FRAME_KEY, PREFIX, header, quiet
from PDL1PredictorLib.imaging.dicom.folder import TAGS, Slice, choose_series, look_into
from PDL1PredictorLib.imaging.dicom.pixels import require_pixels, same_pixel_format, units_warnings
from PDL1PredictorLib.imaging.dicom.stack import stack
from PDL1PredictorLib.imaging.loaded import Loaded
from PDL1PredictorLib.imaging.volumes.files import forget_metadata, reason
from PDL1PredictorLib.imaging.volumes.itk import plain_names

NO_MEMORY = ("allocat", "bad_alloc", "out of memory")  # what ITK says


def read_series(path: Path, series: str | None) -> Loaded:
    """Read the CT series in a folder, or the one that a file belongs to.

    Args:
        path: Folder (its subfolders are not searched; other files in it do no harm) or one file of the series.
        series: SeriesInstanceUID, needed if the folder holds several CT series.

    Raises:
        InputError: No CT there, several, or slices that are missing, doubled, uneven, tilted, damaged, or no
            Hounsfield units.
    """
    return read_with_slices(path, series)[0]


@quiet()
def read_with_slices(path: Path, series: str | None) -> tuple[Loaded, list[Slice]]:
    """The same, and its slices in the order of the volume along k: the folder is looked into once.

    Raises:
        InputError: As `read_series`.
    """
    slices, left_out = _chosen(path, series)
    pixels = require_pixels(slices)
    placed = stack(slices)
    image = read_voxels(placed.slices)
    image.SetOrigin(placed.origin_lps_mm.tolist())
    image.SetDirection(placed.axes.ravel().tolist())
    image.SetSpacing(placed.spacing_mm)
    units = units_warnings(placed.slices, image)
    first = placed.slices[0]
    if first.text("FrameOfReferenceUID"):
        image.SetMetaData(FRAME_KEY, first.text("FrameOfReferenceUID"))
    warnings = (*left_out, *placed.warnings, *pixels, *units)
    return Loaded(image, warnings, _clinical(placed.slices), study=_study(first)), placed.slices


@quiet()
def slices_of(path: Path, series: str | None) -> list[Slice]:
    """The slices of the series that `read_series` reads, in the order of its volume along k.

    Args:
        path: As for `read_series`.
        series: Likewise.

    Raises:
        InputError: As `read_series`, which looks at the voxels too.
    """
    return stack(_chosen(path, series)[0]).slices


def _chosen(path: Path, series: str | None) -> tuple[list[Slice], list[CaseWarning]]:
    folder = path if path.is_dir() else path.parent
    if path.is_file() and series is None:
        series = _series_of(path)
    return choose_series(look_into(folder), series)


def _series_of(path: Path) -> str:
    found = Slice(path, header(path, TAGS))
    if not found.text("Rows"):
        raise InputError(
            f"{path.name} is no image (it is DICOM {found.text('Modality') or 'without a modality'}). Choose a slice "
            "of the CT, or the folder with the slices."
        )
    return found.text("SeriesInstanceUID")


def read_voxels(slices: list[Slice]) -> sitk.Image:
    """Voxels of slices in their order, each rescaled as its own header says.

    Raises:
        InputError: One is damaged, or there is not enough memory.
    """
    reader = sitk.ImageSeriesReader()
    if not same_pixel_format(slices):  # the type is chosen for the first slice and could be too small for the others
        reader.SetOutputPixelType(sitk.sitkFloat32)
    chatty = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)  # what it would say of the geometry was checked above
    try:
        with _with_prefix(slices) as paths, plain_names(paths) as names:
            reader.SetFileNames(names)
            image = reader.Execute()
    except (RuntimeError, MemoryError) as error:
        if isinstance(error, MemoryError) or any(words in str(error).lower() for words in NO_MEMORY):
            raise InputError(_too_large(slices)) from error
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


def _too_large(slices: list[Slice]) -> str:
    size = [int(slices[0].text("Columns")), int(slices[0].text("Rows")), len(slices)]
    gigabytes = size[0] * size[1] * size[2] * 4 / 1e9
    return (
        f"There is not enough memory to read the series ({' x '.join(map(str, size))} voxels, about "
        f"{gigabytes:.1f} GB). Close other programs, or use a computer with more memory."
    )


@contextmanager
def _with_prefix(slices: list[Slice]) -> Iterator[list[Path]]:
    """The files of the slices; those that lack the prefix alone as copies that have it, since GDCM wants it."""
    if all(one.prefixed for one in slices):
        yield [one.path for one in slices]
        return
    with tempfile.TemporaryDirectory(prefix="pdl1-") as folder:
        paths = []
        for n, one in enumerate(slices):
            paths.append(one.path if one.prefixed else Path(folder) / f"{n}.dcm")
            if not one.prefixed:
                paths[n].write_bytes(PREFIX + one.path.read_bytes())
        yield paths


def _first_unreadable(slices: Iterable[Slice]) -> str:
    for one in slices:
        try:
            with plain_names([one.path]) as names:
                sitk.ReadImage(names[0])
        except RuntimeError:
            return one.path.name
    return ""


def _clinical(slices: Sequence[Slice]) -> Clinical:
    """What the first header says, impossible values left out; it never takes a name, a date or a number."""
    one = slices[0]
    currents = [known for each in slices if (known := _within(each.hint("XRayTubeCurrent"), 1, 3000)) is not None]
    return Clinical(
        age_years=_age_years(one.hint("PatientAge")),
        sex={"M": "male", "F": "female"}.get(one.hint("PatientSex").upper()),
        smoking={"YES": "current"}.get(one.hint("SmokingStatus").upper()),  # NO may be a former smoker
        slice_thickness_mm=_within(one.hint("SliceThickness"), 0.05, 50),
        kernel=one.hint("ConvolutionKernel") or None,
        manufacturer=one.hint("Manufacturer") or None,
        tube_current_ma=float(median(currents)) if currents else None,
    )


def _study(first: Slice) -> Study:
    return Study(day_of(first.hint("StudyDate")), patient_key(first.hint("PatientID")))


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
