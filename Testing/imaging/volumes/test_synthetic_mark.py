"""A synthetic patient is known by a mark in the file of the CT, in every format that carries one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import SYNTHETIC_KEY, SYNTHETIC_MARK
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.case_files import Files, read_case
from PDL1PredictorLib.imaging.read import is_synthetic, read_ct
from PDL1PredictorLib.imaging.volumes.itk import write_image
from PDL1PredictorLib.phantom.patient import PhantomPatient

FORMATS = ("nii", "nii.gz", "nrrd", "mha", "mhd")


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_mark_is_written_and_read_back(phantom: PhantomPatient, tmp_path: Path, suffix: str):
    path = tmp_path / f"ct.{suffix}"
    write_image(phantom.case.ct, path, synthetic=phantom.case.synthetic)
    assert is_synthetic(path)
    loaded = read_ct(path)
    assert loaded.synthetic
    assert loaded.image.GetMetaDataKeys() == ()
    assert SYNTHETIC_KEY not in phantom.case.ct.GetMetaDataKeys()  # the image itself stays as it was


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_without_the_mark_counts_as_a_patients(phantom: PhantomPatient, tmp_path: Path, suffix: str):
    path = tmp_path / f"ct.{suffix}"
    write_image(phantom.case.ct, path)
    assert not is_synthetic(path)
    assert not read_ct(path).synthetic


@pytest.mark.parametrize("note", ["", "CT of a patient", f"not a {SYNTHETIC_MARK}", SYNTHETIC_MARK.upper()])
@pytest.mark.parametrize("suffix", ["nii.gz", "nrrd", "mha"])
def test_another_note_is_no_mark(phantom: PhantomPatient, tmp_path: Path, suffix: str, note: str):
    image = sitk.Image(phantom.case.ct)
    image.SetMetaData(SYNTHETIC_KEY, note)
    sitk.WriteImage(image, str(tmp_path / f"ct.{suffix}"))
    assert not is_synthetic(tmp_path / f"ct.{suffix}")


def test_a_case_from_files_is_synthetic_as_its_ct_is(phantom: PhantomPatient, tmp_path: Path):
    assert phantom.case.synthetic
    ct, other, tumor = (tmp_path / f"{name}.nii.gz" for name in ("ct", "other", "tumor"))
    write_image(phantom.case.ct, ct, synthetic=True)
    write_image(phantom.case.ct, other)
    write_image(phantom.case.tumor, tumor)
    assert read_case(Files(ct, tumor)).case.synthetic
    assert not read_case(Files(other, tumor)).case.synthetic
    assert replace(phantom.case, tumor=phantom.case.tumor).synthetic  # a case that is changed stays one


def test_a_damaged_file_is_told_and_not_taken_for_a_patients(tmp_path: Path):
    path = tmp_path / "ct.nii"
    path.write_bytes(bytes(np.zeros(100, np.uint8)))
    with pytest.raises(InputError):
        is_synthetic(path)
