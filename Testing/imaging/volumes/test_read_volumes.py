import gzip
import os
import struct

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import Clinical, same_grid
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.read import read_ct

FORMATS = ("nii", "nii.gz", "nrrd", "mha", "mhd")


def array(image):
    return sitk.GetArrayFromImage(image)


def cut_in_half(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def with_header(path, offset, layout, *values):
    content = bytearray(path.read_bytes())
    struct.pack_into(layout, content, offset, *values)
    path.write_bytes(content)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_voxels_and_place_from_a_path_that_is_not_ascii(chest, tmp_path, suffix):
    path = tmp_path / "Müller 胸部 CT" / f"bild ü.{suffix}"
    path.parent.mkdir()
    sitk.WriteImage(chest, str(path))
    found = read_ct(path)
    assert (array(found.image) == array(chest)).all()
    assert same_grid(found.image, chest)
    assert found.clinical == Clinical()
    assert found.warnings == ()


def test_an_oblique_nifti_keeps_its_tilt(grid, filled, direction, tmp_path):
    image = grid((9, 10, 11), (0.7, 0.9, 2.5), direction)
    image = filled(image, np.random.default_rng(0).integers(-1000, 100, (11, 10, 9)).astype(np.int16))
    sitk.WriteImage(image, str(tmp_path / "ct.nii.gz"))
    assert same_grid(read_ct(tmp_path / "ct.nii.gz").image, image)


def test_what_a_header_says_of_the_patient_does_not_travel(chest, tmp_path):
    named = sitk.Image(chest)
    named.SetMetaData("PatientName", "Secret")
    sitk.WriteImage(named, str(tmp_path / "ct.nrrd"))
    assert "PatientName" in sitk.ReadImage(str(tmp_path / "ct.nrrd")).GetMetaDataKeys()
    assert read_ct(tmp_path / "ct.nrrd").image.GetMetaDataKeys() == ()


def test_a_fourth_axis_of_one_is_dropped_and_of_two_refused(chest, tmp_path):
    for count, name in ((1, "one.nii.gz"), (2, "two.nii.gz")):
        series = sitk.JoinSeries([chest] * count)
        sitk.WriteImage(series, str(tmp_path / name))
    # NIfTI drops trailing ones itself, so a MetaImage too
    sitk.WriteImage(sitk.JoinSeries([chest]), str(tmp_path / "one.mha"))
    for name in ("one.nii.gz", "one.mha"):
        assert same_grid(read_ct(tmp_path / name).image, chest)
    with pytest.raises(InputError, match="has 4 dimensions; a volume of 3 is needed"):
        read_ct(tmp_path / "two.nii.gz")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(InputError, match=r"nowhere\.nii\.gz does not exist"):
        read_ct(tmp_path / "nowhere.nii.gz")


def test_an_empty_file_is_refused(tmp_path):
    (tmp_path / "ct.nrrd").touch()
    with pytest.raises(InputError, match=r"ct\.nrrd is empty"):
        read_ct(tmp_path / "ct.nrrd")


def test_another_kind_of_file_is_refused_with_the_kinds_that_can_be_read(tmp_path):
    (tmp_path / "ct.docx").write_text("x")
    with pytest.raises(InputError, match=r"no file that can be read as CT. Known: \.nii"):
        read_ct(tmp_path / "ct.docx")


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_text_with_the_suffix_of_a_volume_is_refused(tmp_path, suffix):
    path = tmp_path / f"ct.{suffix}"
    path.write_text("This is a letter, not a volume.\n" * 100)
    with pytest.raises(InputError, match="not a whole NIfTI file|cannot be read: it is damaged"):
        read_ct(path)


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_is_cut_off_is_refused(chest, tmp_path, suffix, zipped):
    path = tmp_path / f"ct.{suffix}"
    sitk.WriteImage(chest, str(path), zipped)
    voxels = path if suffix != "mhd" else tmp_path / ("ct.zraw" if zipped else "ct.raw")
    assert read_ct(path)
    cut_in_half(voxels)
    with pytest.raises(InputError, match="cut off|not a whole NIfTI file"):
        read_ct(path)


def test_a_nifti_that_was_cut_before_it_was_zipped_is_refused(chest, tmp_path):
    path = tmp_path / "ct.nii"
    sitk.WriteImage(chest, str(path))
    content = path.read_bytes()
    (tmp_path / "ct.nii.gz").write_bytes(gzip.compress(content[:-100]))
    with pytest.raises(InputError, match=rf"promises {len(content)} bytes, it holds {len(content) - 100}"):
        read_ct(tmp_path / "ct.nii.gz")


def test_a_nifti_with_bytes_to_spare_is_read(chest, tmp_path):
    path = tmp_path / "ct.nii"
    sitk.WriteImage(chest, str(path))
    (tmp_path / "ct.nii.gz").write_bytes(gzip.compress(path.read_bytes() + b"extra"))
    assert (array(read_ct(tmp_path / "ct.nii.gz").image) == array(chest)).all()


@pytest.mark.parametrize("suffix", ["nii", "nii.gz"])
def test_a_nifti_in_floating_point_that_is_cut_off_is_refused(chest, tmp_path, suffix):
    path = tmp_path / f"ct.{suffix}"
    sitk.WriteImage(sitk.Cast(chest, sitk.sitkFloat64), str(path))
    assert read_ct(path)
    cut_in_half(path)
    with pytest.raises(InputError, match="cut off|not a whole NIfTI file"):
        read_ct(path)


def test_a_metaimage_without_its_voxel_file_is_refused(chest, tmp_path):
    sitk.WriteImage(chest, str(tmp_path / "ct.mhd"))
    (tmp_path / "ct.raw").unlink()
    with pytest.raises(InputError, match=r"ct\.mhd cannot be read"):
        read_ct(tmp_path / "ct.mhd")


@pytest.mark.parametrize("bad", [0.0, float("nan"), float("inf")])
def test_a_nifti_with_an_impossible_spacing_is_refused(chest, tmp_path, bad):
    path = tmp_path / "ct.nii"
    sitk.WriteImage(chest, str(path))
    with_header(path, 84, "<f", bad)
    with pytest.raises(InputError, match="gives the spacing 0.75 x .* mm; every spacing must be positive"):
        read_ct(path)


def test_a_nrrd_with_spacing_zero_is_refused(chest, tmp_path):
    path = tmp_path / "ct.nrrd"
    sitk.WriteImage(chest, str(path))
    content = path.read_bytes()
    assert b"(0,0.875,0)" in content
    path.write_bytes(content.replace(b"(0,0.875,0)", b"(0,0.000,0)"))
    with pytest.raises(InputError, match="spacing|cannot be read"):
        read_ct(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_voxels_that_are_not_finite_are_refused_with_their_number(chest, filled, tmp_path, bad):
    values = array(chest).astype(np.float32)
    values[3, 4, 5:7] = bad
    for suffix in ("nii.gz", "nii", "nrrd", "mha"):  # ITK turns those of a NIfTI into 0 HU without a word
        sitk.WriteImage(filled(chest, values), str(tmp_path / f"ct.{suffix}"))
        with pytest.raises(InputError, match="2 voxels that are NaN or infinite"):
            read_ct(tmp_path / f"ct.{suffix}")


def test_a_flat_picture_is_refused(chest, tmp_path):
    sitk.WriteImage(chest[:, :, 3], str(tmp_path / "slice.nrrd"))
    with pytest.raises(InputError, match="has 2 dimensions"):
        read_ct(tmp_path / "slice.nrrd")
    sitk.WriteImage(chest[:, :, 3:5], str(tmp_path / "two.nrrd"))
    with pytest.raises(InputError, match="24 x 20 x 2 voxels; at least 3 slices"):
        read_ct(tmp_path / "two.nrrd")


def test_a_colored_volume_is_refused(chest, tmp_path):
    sitk.WriteImage(sitk.Compose(chest, chest, chest), str(tmp_path / "rgb.nrrd"))
    with pytest.raises(InputError, match="3 values per voxel"):
        read_ct(tmp_path / "rgb.nrrd")


def test_an_mr_is_refused(chest, filled, tmp_path):
    sitk.WriteImage(filled(chest, np.abs(array(chest))), str(tmp_path / "mr.nii.gz"))
    with pytest.raises(InputError, match="Choose a CT, not an MR"):
        read_ct(tmp_path / "mr.nii.gz")


def test_a_nifti_that_does_not_say_how_it_lies_is_read_with_a_warning(chest, tmp_path):
    path = tmp_path / "ct.nii"
    sitk.WriteImage(chest, str(path))
    with_header(path, 252, "<2h", 0, 0)
    assert [warning.code for warning in read_ct(path).warnings] == ["orientation_unknown"]


def test_a_file_that_may_not_be_read_is_refused(chest, tmp_path, monkeypatch):
    path = tmp_path / "ct.nii.gz"
    sitk.WriteImage(chest, str(path))
    monkeypatch.setattr(os, "access", lambda *_: False)  # as root, permissions cannot be taken away
    with pytest.raises(InputError, match=r"ct\.nii\.gz may not be read"):
        read_ct(path)
