"""A small PET as a DICOM series: Bq/mL with dose, weight and times; each slice with a slope of its own."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import SimpleITK as sitk
from dicom_writing import write_series
from pydicom.dataset import Dataset

HALF_LIFE = 6586.2
FACTOR = 70_000 / 175e6  # one half-life after 350 MBq
Change = Callable[[int, Dataset], None]


def as_pet(change: Change = lambda n, data: None) -> Change:
    """What makes a slice of a PET of a slice of a CT; each slice has a slope of its own, as PET has."""

    def into(n: int, data: Dataset) -> None:
        data.Modality, data.Units, data.DecayCorrection = "PT", "BQML", "START"
        data.CorrectedImage = ["DECY", "ATTN", "SCAT"]
        data.SeriesDate = data.AcquisitionDate = "20200101"
        data.SeriesTime, data.AcquisitionTime = "115946.2", f"1201{n:02d}"
        data.PatientWeight = 70
        data.RescaleSlope, data.RescaleIntercept = 10 * (n + 1), 0
        data.PixelData = np.full((data.Rows, data.Columns), 100, "<u2").tobytes()
        dose = Dataset()
        dose.RadionuclideTotalDose, dose.RadionuclideHalfLife = 350e6, HALF_LIFE
        dose.RadiopharmaceuticalStartTime = "101000"
        data.RadiopharmaceuticalInformationSequence = [dose]
        change(n, data)

    return into


def pet_volume() -> sitk.Image:
    """The grid of the series: three different numbers of voxels, 4 x 4 x 3 mm."""
    volume = sitk.Image([6, 5, 4], sitk.sitkInt16)
    volume.SetSpacing((4.0, 4.0, 3.0))
    volume.SetOrigin((-10.0, 20.0, -30.0))
    return volume


def write_pet(folder: Path, change: Change = lambda n, data: None, prefix: str = "s") -> SimpleNamespace:
    """Writes it; gives what `dicom_writing.write_series` gives."""
    return write_series(folder, pet_volume(), as_pet(change), prefix)
