"""SUV by hand, and every number without which there is none."""

from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.suv import Injection, require_suv, suv_factor

FDG = Injection("BQML", 70.0, 350e6, 6586.2, injected_s=0.0, scanned_s=6586.2, decay_correction="START")


def test_after_one_half_life_half_of_the_dose_is_left():
    assert suv_factor(FDG) == pytest.approx(70_000 / 175e6)
    assert suv_factor(FDG) * 25_000 == pytest.approx(10.0)  # Bq/mL of a hot tumor


def test_voxels_corrected_to_the_injection_see_the_whole_dose():
    assert suv_factor(replace(FDG, decay_correction="ADMIN", scanned_s=None)) == pytest.approx(70_000 / 350e6)


def test_what_is_suv_already_is_left_as_it_is():
    assert suv_factor(Injection("GML")) == 1.0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"units": "CNTS"}, "units are CNTS; BQML"),
        ({"units": ""}, "units are not said"),
        ({"weight_kg": None}, "does not say the patient's weight"),
        ({"weight_kg": 0.0}, "weight as 0 kg; 1 to 400 kg can be"),
        ({"dose_bq": None}, "does not say the injected dose"),
        ({"dose_bq": 350.0}, "injected dose as 350 Bq"),  # in MBq
        ({"half_life_s": None}, "does not say when the dose was injected"),
        ({"injected_s": None}, "does not say when the dose was injected"),
        ({"scanned_s": None}, "does not say when the dose was injected"),
        ({"scanned_s": -60.0}, "-60 s from injection to scan"),
        ({"scanned_s": 86_400.0}, "86400 s from injection to scan"),
        ({"half_life_s": 0.0}, "half-life of 0 s"),
        ({"decay_correction": "NONE"}, "decay correction is NONE"),
        ({"decay_correction": ""}, "decay correction is not said"),
    ],
)
def test_without_a_number_there_is_no_suv(change: dict, words: str):
    with pytest.raises(InputError, match=words):
        suv_factor(replace(FDG, **change))


def image(*values: float) -> sitk.Image:
    array = np.full((4, 4, 4), 1.0, np.float32)
    array.flat[: len(values)] = values
    return sitk.GetImageFromArray(array)


def test_numbers_that_are_no_suv_are_refused():
    require_suv(image(0.0, 25.0, -0.2))
    for values, words in (((25_000.0,) * 3, "go from 1 to 25000"), ((-1024.0,), "go from -1024")):
        with pytest.raises(InputError, match=words):
            require_suv(image(*values))
    with pytest.raises(InputError, match="is empty"):
        require_suv(sitk.Image([4, 4, 4], sitk.sitkFloat32))
