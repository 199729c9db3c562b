"""What lies in the folder of a series: places decide what a slice is, and what was left out is told."""

import os
import shutil

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.uid import generate_uid

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.dicom import files as dicom_files
from PDL1PredictorLib.imaging.dicom import folder as dicom_folder
from PDL1PredictorLib.imaging.dicom.files import is_dicom
from PDL1PredictorLib.imaging.read import read_ct


def array(image):
    return sitk.GetArrayFromImage(image)


def told(found):
    return {warning.code: warning.text for warning in found.warnings}


def same_uid(uid, slices):
    def change(n, data):
        if n in slices:
            data.SOPInstanceUID = data.file_meta.MediaStorageSOPInstanceUID = uid

    return change


@pytest.mark.parametrize("slices", [range(12), (0, 11), (3, 4, 5)])
def test_slices_that_share_a_uid_are_all_read(chest, write_series, tmp_path, slices):
    found = read_ct(write_series(tmp_path, chest, same_uid(generate_uid(), slices)).folder)
    assert (array(found.image) == array(chest)).all()
    assert found.warnings == ()


def test_slices_without_a_uid_are_all_read(chest, write_series, tmp_path):
    def change(_, data):
        del data.SOPInstanceUID

    assert (array(read_ct(write_series(tmp_path, chest, change).folder).image) == array(chest)).all()


def test_copies_of_slices_count_once_and_are_told(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    for n in (0, 4, 11, 5):
        shutil.copy(written.paths[n], tmp_path / f"t{n:03d}.dcm")
    shutil.copy(written.paths[0], tmp_path / "u.dcm")
    found = read_ct(written.folder)
    assert (array(found.image) == array(chest)).all()
    assert told(found) == {
        "copies_left_out": "5 of 17 slices are copies of another one with the same place and the same voxels, and were "
        "left out: t000.dcm, u.dcm, t004.dcm and 2 more."
    }


def test_a_copy_with_another_uid_is_a_copy_and_one_with_another_voxel_or_scale_is_not(
    chest, write_series, tmp_path, pydicom_read
):
    written = write_series(tmp_path, chest)
    other = tmp_path / "t.dcm"

    def copy(change):
        data = pydicom_read(written.paths[4])
        change(data)
        data.save_as(other, enforce_file_format=True)

    copy(lambda data: setattr(data, "SOPInstanceUID", generate_uid()))
    assert list(told(read_ct(tmp_path))) == ["copies_left_out"]
    copy(lambda data: setattr(data, "PixelData", b"\1" + data.PixelData[1:]))
    with pytest.raises(InputError, match=r"lie at the same place.*\(s008.dcm and t.dcm\), and differ"):
        read_ct(tmp_path)
    copy(lambda data: setattr(data, "RescaleIntercept", -1000))
    with pytest.raises(InputError, match="lie at the same place"):
        read_ct(tmp_path)


def test_two_slices_at_one_height_but_beside_each_other_are_refused(chest, write_series, tmp_path, pydicom_read):
    written = write_series(tmp_path, chest)
    data = pydicom_read(written.paths[4])
    data.ImagePositionPatient = [data.ImagePositionPatient[0] + 1, *data.ImagePositionPatient[1:]]
    data.save_as(tmp_path / "t.dcm", enforce_file_format=True)
    with pytest.raises(InputError, match="lie at the same place"):
        read_ct(tmp_path)


def test_files_that_are_no_slices_are_counted_and_named(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    for name in ("a.txt", "b.txt", "c.json", "d.csv"):
        (tmp_path / name).write_text("hello")
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    (tmp_path / "blob.bin").write_bytes(bytes(1000))
    for name in ("DICOMDIR", "Thumbs.db", ".DS_Store", "._s001.dcm", ".hidden"):
        (tmp_path / name).write_bytes(b"\0\1")
    found = read_ct(written.folder)
    assert (array(found.image) == array(chest)).all()
    assert told(found) == {
        "files_left_out": "Of the files beside the slices 7 were left out: 5 no DICOM (a.txt, b.txt, blob.bin and 2 "
        "more); 1 empty (empty); 1 a link that leads nowhere (link). If one is a slice, copy it again."
    }


def bare_names(written):
    """The slices without a suffix, as on the disc of a scanner."""
    for path in written.paths:
        path.rename(path.with_name(path.stem.upper()))
    return written.folder


def damage(path, how):
    if how == "link":
        path.symlink_to(path.with_name("nowhere"))
    else:
        path.write_bytes({"empty": b"", "zeros": bytes(500), "short": b"\0" * 20}[how])


@pytest.mark.parametrize("how", ["empty", "link", "zeros", "short"])
def test_a_file_that_may_be_the_last_slice_is_refused_if_it_is_named_like_the_others(
    chest, write_series, tmp_path, how
):
    folder = bare_names(write_series(tmp_path, chest))
    damage(folder / "S013", how)
    with pytest.raises(InputError, match=r"S013 is .*, and may be a slice\. Copy or export the series again"):
        read_ct(folder)
    (folder / "S013").rename(folder / "S013.txt")
    assert list(told(read_ct(folder))) == ["files_left_out"]


@pytest.mark.parametrize("suffix", [".dcm", ".DCM", ".Ima", ".dicom"])
@pytest.mark.parametrize("how", ["empty", "link", "zeros"])
def test_a_file_whose_suffix_says_dicom_is_refused_if_it_is_none(chest, write_series, tmp_path, how, suffix):
    folder = bare_names(write_series(tmp_path, chest))
    damage(folder / f"a{suffix}", how)
    with pytest.raises(InputError, match=f"a{suffix} is .*, and may be a slice"):
        read_ct(folder)


def test_a_text_without_suffix_beside_bare_slices_is_no_slice(chest, write_series, tmp_path):
    folder = bare_names(write_series(tmp_path, chest))
    (folder / "README").write_text("Viewer: see disc.")
    assert "1 no DICOM (README)" in told(read_ct(folder))["files_left_out"]


def test_names_that_end_in_numbers_have_no_suffix(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    for n, path in enumerate(written.paths):
        path.rename(path.with_name(f"1.2.840.{n}"))
    (tmp_path / "1.2.840.99").touch()
    with pytest.raises(InputError, match=r"1\.2\.840\.99 is empty, and may be a slice"):
        read_ct(tmp_path)


def test_odd_case_and_a_folder_behind_a_link_are_read(chest, write_series, tmp_path):
    written = write_series(tmp_path / "real", chest)
    for path in written.paths[::2]:
        path.rename(path.with_suffix(".DcM"))
    (tmp_path / "link").symlink_to(tmp_path / "real", target_is_directory=True)
    found = read_ct(tmp_path / "link")
    assert (array(found.image) == array(chest)).all()
    assert found.warnings == ()


def test_slices_that_are_links_are_read(chest, write_series, tmp_path):
    written = write_series(tmp_path / "real", chest)
    (tmp_path / "links").mkdir()
    for path in written.paths:
        (tmp_path / "links" / path.name).symlink_to(path)
    assert (array(read_ct(tmp_path / "links").image) == array(chest)).all()


@pytest.mark.parametrize("kept", ["meta header", "nothing"])
def test_slices_without_the_prefix_are_read(chest, write_series, tmp_path, pydicom_read, kept):
    written = write_series(tmp_path, chest)
    for path in written.paths:
        content = path.read_bytes()
        length = int.from_bytes(content[140:144], "little")  # (0002,0000): how long the meta header is
        path.write_bytes(content[132 if kept == "meta header" else 144 + length :])
    assert is_dicom(written.paths[0])
    found = read_ct(written.folder)
    assert (array(found.image) == array(chest)).all()
    assert found.warnings == ()
    assert (array(read_ct(written.paths[3]).image) == array(chest)).all()


@pytest.mark.parametrize("start", [b"\x08\0text", b"hello, this is text", b"\x08\0\x05\0\xff\xff\xff\xff" * 20, b""])
def test_other_files_are_not_taken_for_dicom_without_its_prefix(tmp_path, start):
    (tmp_path / "x").write_bytes(start)
    assert not is_dicom(tmp_path / "x")


def test_images_without_a_series_beside_a_ct_are_refused_and_alone_are_read(chest, write_series, tmp_path):
    def nameless(slices):
        def change(n, data):
            if n in slices:
                del data.SeriesInstanceUID

        return change

    some = write_series(tmp_path / "some", chest, nameless((0, 1)))
    with pytest.raises(InputError, match=r"2 images have no SeriesInstanceUID \(s011.dcm, s012.dcm\)"):
        read_ct(some.folder)
    every = write_series(tmp_path / "all", chest, nameless(range(12)))
    assert (array(read_ct(every.folder).image) == array(chest)).all()
    assert (array(read_ct(every.paths[0]).image) == array(chest)).all()


def test_a_series_uid_for_every_slice_is_refused_in_words(chest, write_series, tmp_path):
    def change(_, data):
        data.SeriesInstanceUID = generate_uid()

    with pytest.raises(InputError, match="Each of the 12 CT images has a SeriesInstanceUID of its own"):
        read_ct(write_series(tmp_path, chest, change).folder)


def test_other_series_and_scouts_are_told_unless_the_series_was_named(chest, write_series, tmp_path):
    def pet(_, data):
        data.Modality, data.SeriesDescription = "PT", "Whole body"

    def scout(_, data):
        data.ImageType, data.SeriesDescription = ["ORIGINAL", "PRIMARY", "LOCALIZER"], "Topogram"

    write_series(tmp_path, chest, pet, prefix="p")
    write_series(tmp_path, chest[:, :, :1], scout, prefix="q")
    written = write_series(tmp_path, chest)
    assert told(read_ct(tmp_path)) == {
        "series_left_out": "Beside the slices of the CT the folder holds other images, which were left out: 12 images "
        "of the series Whole body (PT); 1 image of the series Topogram (CT)."
    }
    assert read_ct(tmp_path, series=written.series).warnings == ()


def test_a_picture_of_the_dose_beside_the_ct_is_passed_over(chest, write_series, tmp_path):
    def dose(_, data):
        del data.ImagePositionPatient

    write_series(tmp_path, chest[:, :, :1], dose, prefix="p")
    write_series(tmp_path, chest)
    assert list(told(read_ct(tmp_path))) == ["series_left_out"]


def test_a_scout_within_the_series_is_left_out_and_told(chest, write_series, tmp_path):
    def scout(n, data):
        if n == 0:
            data.ImageType, data.ImageOrientationPatient = ["ORIGINAL", "PRIMARY", "LOCALIZER"], [0, 1, 0, 0, 0, -1]

    found = read_ct(write_series(tmp_path, chest, scout).folder)
    assert (array(found.image) == array(chest)[1:]).all()
    assert "1 localizer (s012.dcm)" in told(found)["series_left_out"]


def test_an_rtstruct_beside_the_ct_needs_no_word(chest, write_series, write_rtstruct, tmp_path):
    written = write_series(tmp_path, chest)
    write_rtstruct(tmp_path / "rt.dcm", {"GTV": []}, written.frame)
    assert read_ct(tmp_path).warnings == ()
    with pytest.raises(InputError, match=r"rt.dcm is no image \(it is DICOM RTSTRUCT\)"):
        read_ct(tmp_path / "rt.dcm")


def forbid(monkeypatch, name):
    """Root may read everything, so the system's refusal is played."""
    real = dicom_files.first_bytes

    def first_bytes(path):
        if path.name == name:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(dicom_folder, "first_bytes", first_bytes)
    monkeypatch.setattr(dicom_files, "first_bytes", first_bytes)


def test_a_file_that_may_not_be_read_is_refused_or_told(chest, write_series, tmp_path, monkeypatch):
    written = write_series(tmp_path, chest)
    (tmp_path / "notes.txt").write_text("hello")
    forbid(monkeypatch, "notes.txt")
    assert "1 may not be read (notes.txt)" in told(read_ct(tmp_path))["files_left_out"]
    forbid(monkeypatch, written.paths[3].name)
    with pytest.raises(InputError, match=f"{written.paths[3].name} may not be read, and may be a slice"):
        read_ct(tmp_path)
    with pytest.raises(InputError, match="may not be read. Ask for the right"):
        is_dicom(written.paths[3])


def test_a_folder_that_may_not_be_listed_is_refused_in_words(chest, write_series, tmp_path, monkeypatch):
    written = write_series(tmp_path / "ct", chest)

    def iterdir(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(tmp_path), "iterdir", iterdir)
    with pytest.raises(InputError, match="ct may not be read. Ask for the right"):
        read_ct(written.folder)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_named_pipe_does_not_block(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    os.mkfifo(tmp_path / "pipe")
    assert read_ct(written.folder).warnings == ()


def test_places_stay_right_when_a_copy_is_left_out(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    shutil.copy(written.paths[0], tmp_path / "a.dcm")
    found = read_ct(tmp_path).image
    assert found.GetSpacing() == pytest.approx(chest.GetSpacing())
    assert np.allclose(found.GetOrigin(), chest.GetOrigin())
