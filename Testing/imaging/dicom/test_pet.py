"""A PET series becomes SUV by what its headers say, and is refused where they do not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from dicom_writing import write_series
from pet_series import FACTOR, as_pet, write_pet
from pydicom.dataset import Dataset

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.dicom.pet import why_no_suv
from PDL1PredictorLib.imaging.read import read_pet


def series(folder: Path, change: Callable[[int, Dataset], None] = lambda n, data: None) -> Path:
    return write_pet(folder, change).folder


def test_every_slice_is_scaled_by_its_own_slope_dose_weight_and_decay(tmp_path: Path):
    image = read_pet(series(tmp_path / "pet")).image
    values = sitk.GetArrayFromImage(image)
    for n in range(4):
        np.testing.assert_allclose(values[n], 100 * 10 * (n + 1) * FACTOR, rtol=1e-4)
    assert image.GetOrigin() == pytest.approx((-10.0, 20.0, -30.0))
    assert image.GetSpacing() == pytest.approx((4.0, 4.0, 3.0))


def test_a_series_made_anew_later_counts_from_its_first_slice(tmp_path: Path):
    def later(n: int, data: Dataset) -> None:
        data.SeriesTime, data.AcquisitionTime = "180000", "115946.2" if n == 0 else "121000"

    values = sitk.GetArrayFromImage(read_pet(series(tmp_path / "pet", later)).image)
    np.testing.assert_allclose(values[0], 1000 * FACTOR, rtol=1e-4)


def test_an_injection_with_its_own_date_may_lie_before_midnight(tmp_path: Path):
    def before(n: int, data: Dataset) -> None:
        data.SeriesTime = data.AcquisitionTime = "003000"
        data.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartDateTime = "20191231224013.8"

    values = sitk.GetArrayFromImage(read_pet(series(tmp_path / "pet", before)).image)
    np.testing.assert_allclose(values[0], 1000 * FACTOR, rtol=1e-4)


def test_what_is_in_suv_already_is_not_scaled(tmp_path: Path):
    def suv(n: int, data: Dataset) -> None:
        data.Units, data.RescaleSlope = "GML", 0.05
        del data.PatientWeight

    assert sitk.GetArrayFromImage(read_pet(series(tmp_path / "pet", suv)).image)[0, 0, 0] == pytest.approx(5.0)


def without(tag: str) -> Callable[[int, Dataset], None]:
    return lambda n, data: delattr(data, tag)


def setting(**values: object) -> Callable[[int, Dataset], None]:
    def change(n: int, data: Dataset) -> None:
        for name, value in values.items():
            setattr(data, name, value)

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (without("PatientWeight"), "does not say the patient's weight"),
        (without("RadiopharmaceuticalInformationSequence"), "does not say the injected dose"),
        (without("DecayCorrection"), "decay correction is not said"),
        (setting(CorrectedImage=["DECY"]), "not corrected for ATTN"),
        (setting(Units="CNTS"), "units are CNTS"),
        (setting(Units="GML", SUVType="LBM"), "in SUV by LBM"),
        (setting(Modality="CT"), "holds 0 PET series"),
        (setting(SeriesTime="100000", AcquisitionTime="100100"), "from injection to scan"),
    ],
)
def test_a_series_that_cannot_be_converted_is_refused_with_what_it_lacks(change, words: str, tmp_path: Path):
    with pytest.raises(InputError, match=words):
        read_pet(series(tmp_path / "pet", change))


def test_two_series_in_a_folder_are_not_guessed_between(tmp_path: Path):
    series(tmp_path / "pet")
    volume = sitk.Image([6, 5, 4], sitk.sitkInt16)
    write_series(tmp_path / "pet", volume, as_pet(), prefix="t")
    with pytest.raises(InputError, match="holds 2 PET series"):
        read_pet(tmp_path / "pet")


def test_a_file_in_becquerel_is_not_taken_for_suv(tmp_path: Path):
    values = np.full((4, 4, 4), 25_000.0, np.float32)
    sitk.WriteImage(sitk.GetImageFromArray(values), str(tmp_path / "pet.nii.gz"))
    with pytest.raises(InputError, match="which are no SUV"):
        read_pet(tmp_path / "pet.nii.gz")


def test_of_two_series_in_a_folder_one_is_read_by_its_number(tmp_path: Path):
    first = write_pet(tmp_path)

    def twice(n: int, data: Dataset) -> None:
        data.PatientWeight = 140

    second = write_pet(tmp_path, twice, prefix="t")
    with pytest.raises(InputError, match="holds 2 PET series"):
        read_pet(tmp_path)
    for found, times in ((first, 1), (second, 2)):
        values = sitk.GetArrayFromImage(read_pet(found.paths[0], found.series).image)
        np.testing.assert_allclose(values[0], 1000 * FACTOR * times, rtol=1e-4)
    with pytest.raises(InputError, match="holds 0 PET series"):
        read_pet(tmp_path, "1.2.3")


def test_one_header_says_whether_suv_can_be_computed(tmp_path: Path):
    def weightless(n: int, data: Dataset) -> None:
        del data.PatientWeight

    assert why_no_suv(write_pet(tmp_path / "good").paths[0]) == ""
    assert "patient's weight" in why_no_suv(write_pet(tmp_path / "bad", weightless).paths[0])
    ct = write_series(tmp_path / "ct", sitk.Image([4, 4, 4], sitk.sitkInt16)).paths[0]
    assert "is no PET (modality CT)" in why_no_suv(ct)
    (tmp_path / "text.dcm").write_text("no DICOM")
    assert why_no_suv(tmp_path / "text.dcm")
