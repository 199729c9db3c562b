"""Real crops and scans are told from the same volumes in other units."""

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.hounsfield import judge
from PDL1PredictorLib.imaging.read import read_ct

pytestmark = pytest.mark.real_data

WRONG = {
    "stored": lambda hu: hu + 1024,
    "stored, intercept -1000": lambda hu: hu + 1000,
    "rescaled twice": lambda hu: hu - 1024,
    "doubled": lambda hu: 2 * hu,
    "a tenth": lambda hu: hu / 10,
    "window": lambda hu: np.clip((hu + 160) * 255 / 400, 0, 255),
    "inverted": lambda hu: -hu,
}


def problems(paths):
    """Volumes that were refused as they are, and wrong ones that were not; padding of -2000 in a corner at each."""
    found = []
    for path in paths:
        hu = sitk.GetArrayFromImage(sitk.ReadImage(str(path))).astype(np.float32)
        padded = hu.copy()
        padded[:, : hu.shape[1] // 4] = -2000
        found += [(path.name, "refused") for values in (hu, padded) if judge(values).refusal]
        found += [
            (path.name, name)
            for name, change in WRONG.items()
            for values in (change(hu), np.where(padded == -2000, -2000, change(hu)))
            if not judge(values).refusal
        ]
    return found


def test_crops_around_tumors_are_accepted_and_refused_in_other_units(shared):
    paths = sorted((shared / "data" / "nsclc_radiogenomics_voi" / "voi").glob("*_image.nii.gz"))
    assert len(paths) == 99
    assert problems(paths) == []


def test_small_crops_around_nodules_are_accepted_and_refused_in_other_units(shared):
    paths = sorted((shared / "data" / "lidc_nodule_voi" / "image").iterdir())
    assert len(paths) == 658
    assert problems(paths[::4]) == []


def test_a_whole_chest_is_accepted_and_refused_in_other_units(shared):
    path = shared / "data" / "chest_ct_nrrd" / "lung1_image.nrrd"
    assert read_ct(path).warnings == ()
    assert problems([path, shared / "ibsi" / "ct_phantom" / "phantom.nii.gz"]) == []


def test_real_series_are_read_without_a_warning(shared):
    for name in ("ct_dicom_rtstruct/pat_1", "ct_dicom_rtstruct/pat_2", "dicom_seg/ct-3slice"):
        assert read_ct(shared / "data" / name).warnings == ()
