import shutil
from datetime import date

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.uid import generate_uid

from PDL1PredictorLib.core.case import Clinical, Study, patient_key, same_grid
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.read import read_ct


def array(image):
    return sitk.GetArrayFromImage(image)


def test_voxels_and_place_of_a_series_come_back(chest, write_series, tmp_path):
    written = write_series(tmp_path / "Aufnahme ä 胸", chest)
    found = read_ct(written.folder)
    assert same_grid(found.image, chest)
    assert (array(found.image) == array(chest)).all()


def test_the_place_of_an_oblique_and_a_sagittal_series_is_right(
    grid, filled, direction, write_series, tmp_path, points
):
    image = grid((9, 10, 11), (0.7, 0.9, 2.5), direction)
    image = filled(image, np.random.default_rng(0).integers(-1000, 100, (11, 10, 9)).astype(np.int16))
    found = read_ct(write_series(tmp_path, image).folder).image
    voxel = [2, 3, 4]
    value = image[tuple(voxel)]
    assert found[found.TransformPhysicalPointToIndex(image.TransformIndexToPhysicalPoint(voxel))] == value
    expected = np.sort(np.round(points(image), 3).reshape(-1, 3), axis=0)
    assert np.allclose(np.sort(np.round(points(found), 3).reshape(-1, 3), axis=0), expected, atol=2e-3)


def test_age_sex_and_scan_are_taken_and_nothing_that_names_the_patient(chest, write_series, tmp_path):
    found = read_ct(write_series(tmp_path, chest).folder)
    assert found.clinical == Clinical(
        age_years=63.0, sex="female", slice_thickness_mm=2.5, kernel="B30f", manufacturer="Maker"
    )
    travelling = repr(found.clinical) + "".join(found.image.GetMetaData(k) for k in found.image.GetMetaDataKeys())
    assert "secret" not in travelling.lower()
    assert found.image.GetMetaDataKeys() == ("0020|0052",)


def test_the_day_and_a_hash_of_the_number_are_taken_and_never_the_number(chest, write_series, tmp_path):
    def change(_, data):
        data.StudyDate, data.PatientID = "20260131", "secret 77"

    loaded = read_ct(write_series(tmp_path, chest, change).folder)
    assert loaded.study == Study(date(2026, 1, 31), patient_key("secret 77"))
    assert "secret" not in repr(loaded.study)


@pytest.mark.parametrize(
    ("age", "years"), [("018M", 1.5), ("052W", 364 / 365.25), ("063y", 63.0), ("", None), ("old", None), ("999Y", None)]
)
def test_ages_are_read_in_every_unit_and_impossible_ones_left_out(chest, write_series, tmp_path, age, years):
    def change(_, data):
        data["PatientAge"]._value = age
        data.PatientSex = "O"

    found = read_ct(write_series(tmp_path, chest, change).folder).clinical
    assert found.age_years == (None if years is None else pytest.approx(years))
    assert found.sex is None


@pytest.mark.parametrize(
    ("currents", "current"),
    [((290, 290, 290), 290.0), ((100, 400, 150), 150.0), ((0, 120, 130), 125.0), ((None, None, None), None)],
)
def test_the_tube_current_is_the_median_of_the_slices(chest, write_series, tmp_path, currents, current):
    def change(n, data):
        if (told := currents[n % 3]) is not None:
            data.XRayTubeCurrent = told

    found = read_ct(write_series(tmp_path, chest, change).folder).clinical
    shown = [currents[n % 3] for n in range(chest.GetSize()[2])]
    known = [one for one in shown if one]
    assert found.tube_current_ma == (float(np.median(known)) if known else None)
    if chest.GetSize()[2] % 3 == 0:
        assert found.tube_current_ma == current


@pytest.mark.parametrize(("status", "smoking"), [("YES", "current"), ("NO", None), ("UNKNOWN", None), ("", None)])
def test_a_patient_who_smokes_is_told_and_one_who_does_not_may_have_smoked(
    chest, write_series, tmp_path, status, smoking
):
    def change(_, data):
        data.SmokingStatus = status

    assert read_ct(write_series(tmp_path, chest, change).folder).clinical.smoking == smoking


def test_a_damaged_value_that_nothing_depends_on_is_left_out(chest, write_series, tmp_path):
    def change(_, data):
        for tag, text in (("SliceThickness", "thick"), ("ImagesInAcquisition", "1x")):
            setattr(data, tag, 1)
            data[tag]._value = text

    found = read_ct(write_series(tmp_path, chest, change).folder)
    assert found.clinical.slice_thickness_mm is None
    assert found.warnings == ()


def test_other_files_and_folders_do_no_harm(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").touch()
    (tmp_path / "sub").mkdir()
    write_series(tmp_path / "sub", chest)
    assert (array(read_ct(written.folder).image) == array(chest)).all()


def test_one_file_stands_for_its_series(chest, filled, write_series, tmp_path):
    other = filled(chest, array(chest)[::-1].copy())
    first = write_series(tmp_path, chest, prefix="a")
    second = write_series(tmp_path, other, prefix="b")
    assert (array(read_ct(first.paths[3]).image) == array(chest)).all()
    assert (array(read_ct(second.paths[0]).image) == array(other)).all()


def test_of_two_series_one_must_be_chosen(chest, filled, write_series, tmp_path):
    def second(_, data):
        data.SeriesDescription = "Lung kernel"

    first = write_series(tmp_path, chest, prefix="a")
    other = write_series(tmp_path, filled(chest, array(chest)[::-1].copy()), second, prefix="b")
    with pytest.raises(InputError, match="holds 2 CT series. Choose one by its uid") as caught:
        read_ct(tmp_path)
    for uid, description in ((first.series, "Thorax"), (other.series, "Lung kernel")):
        assert f"{uid}: CT, 12 slices, {description}" in str(caught.value)
    assert (array(read_ct(tmp_path, series=first.series).image) == array(chest)).all()
    with pytest.raises(InputError, match=r"holds no series 1\.2\.3\. It holds"):
        read_ct(tmp_path, series="1.2.3")


def test_a_scout_beside_the_ct_is_passed_over(chest, write_series, tmp_path):
    def scout(_, data):
        data.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]

    write_series(tmp_path, chest[:, :, :1], scout, prefix="a")
    write_series(tmp_path, chest, prefix="b")
    assert (array(read_ct(tmp_path).image) == array(chest)).all()


def test_a_folder_without_dicom_is_refused_and_its_subfolders_are_named(chest, write_series, tmp_path):
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(InputError, match="holds no DICOM image. Choose the folder with the slices of the CT.$"):
        read_ct(tmp_path)
    write_series(tmp_path / "sub", chest)
    with pytest.raises(InputError, match="It has 1 subfolders: choose the one with the CT"):
        read_ct(tmp_path)


def test_an_mr_series_is_refused(chest, write_series, tmp_path):
    def mr(_, data):
        data.Modality = "MR"

    with pytest.raises(InputError, match="The DICOM modality is MR; a CT is needed"):
        read_ct(write_series(tmp_path, chest, mr).folder)


def test_a_pet_beside_the_ct_is_passed_over(chest, write_series, tmp_path):
    def pet(_, data):
        data.Modality = "PT"

    write_series(tmp_path, chest, pet, prefix="a")
    written = write_series(tmp_path, chest, prefix="b")
    assert read_ct(tmp_path).image.GetMetaData("0020|0052") == written.frame


def test_missing_slices_are_told_in_numbers(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    for n in (4, 5):
        written.paths[n].unlink()
    z = [chest.TransformIndexToPhysicalPoint([0, 0, n])[2] for n in (3, 6)]
    with pytest.raises(InputError, match=rf"About 2 slices .* 2.5 mm apart, but between {z[0]:.2f} and {z[1]:.2f} mm"):
        read_ct(written.folder)


def test_slices_of_the_end_may_be_missing_unseen_but_not_all_but_two(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    for path in written.paths[2:]:
        path.unlink()
    with pytest.raises(InputError, match="has 2 slices; at least 3"):
        read_ct(written.folder)


def test_a_copied_file_counts_once_but_two_slices_at_one_place_are_refused(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    shutil.copy(written.paths[4], tmp_path / "copy.dcm")
    assert (array(read_ct(written.folder).image) == array(chest)).all()

    def twice(n, data):
        if n == 5:
            data.ImagePositionPatient = list(chest.TransformIndexToPhysicalPoint([0, 0, 4]))

    doubled = write_series(tmp_path / "doubled", chest, twice)
    with pytest.raises(InputError, match="Two slices of the series lie at the same place"):
        read_ct(doubled.folder)


def at_heights(image, heights_mm):
    def change(n, data):
        data.ImagePositionPatient = [*data.ImagePositionPatient[:2], heights_mm[n]]

    return change


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ([2.5] * 6 + [5] * 5, "changes from 2.5 to 5 mm at 15.00 mm"),
        ([5] * 8 + [2.5] * 3, "changes from 5 to 2.5 mm at 40.00 mm"),
        ([2.5] * 4 + [5] * 3 + [2.5] * 4, "changes from 2.5 to 5 mm at 10.00 mm"),
        ([2.5] * 5 + [5] * 2 + [2.5] * 4, "About 2 slices of the series are missing"),
        ([2.5] * 3 + [7.5] + [2.5] * 7, "About 2 slices of the series are missing"),
        ([2.5] * 10 + [10], "About 3 slices of the series are missing"),
    ],
)
def test_a_change_of_spacing_is_no_number_of_missing_slices(chest, write_series, tmp_path, steps, words):
    heights = np.cumsum([0, *steps]).tolist()
    with pytest.raises(InputError, match=words):
        read_ct(write_series(tmp_path, chest, at_heights(chest, heights)).folder)


@pytest.mark.parametrize(
    ("tag", "value"),
    [("ImagePositionPatient", [1, 2]), ("ImageOrientationPatient", [1, 0, 0]), ("PixelSpacing", [0.875])],
)
def test_a_place_with_too_few_numbers_is_refused(chest, write_series, tmp_path, tag, value):
    def change(n, data):
        if n == 7:
            setattr(data, tag, value)

    with pytest.raises(InputError, match=f"s005.dcm has the {tag} .* numbers are needed"):
        read_ct(write_series(tmp_path, chest, change).folder)


@pytest.mark.parametrize("value", ["nan\\0\\0", "1\\x\\0", "inf\\0\\0"])
def test_a_place_that_is_no_number_is_refused(chest, write_series, tmp_path, value):
    written = write_series(tmp_path, chest)
    path = written.paths[7]
    content = path.read_bytes()
    place = content.index(b"\x20\0\x32\0DS") + 6  # explicit VR: the length, then the value
    length = int.from_bytes(content[place : place + 2], "little")
    path.write_bytes(content[: place + 2] + value.encode().ljust(length) + content[place + 2 + length :])
    with pytest.raises(InputError, match=r"s005.dcm has (the|a damaged) ImagePositionPatient"):
        read_ct(written.folder)


@pytest.mark.parametrize("cosines", [[1, 0, 0, 0.5, 0.87, 0], [1, 0, 0, 0, 0, 0], [2, 0, 0, 0, 1, 0]])
def test_rows_and_columns_that_are_not_at_right_angles_are_refused(chest, write_series, tmp_path, cosines):
    def change(_, data):
        data.ImageOrientationPatient = cosines

    with pytest.raises(InputError, match="are not at right angles"):
        read_ct(write_series(tmp_path, chest, change).folder)


def test_slices_of_two_frames_of_reference_are_refused(chest, write_series, tmp_path):
    def change(n, data):
        if n == 7:
            data.FrameOfReferenceUID = generate_uid()

    with pytest.raises(InputError, match=r"lie in several frames of reference \(s005.dcm not in that of"):
        read_ct(write_series(tmp_path, chest, change).folder)


def test_uneven_slices_are_refused(chest, write_series, tmp_path):
    def shift(n, data):
        x, y, z = chest.TransformIndexToPhysicalPoint([0, 0, n])
        data.ImagePositionPatient = [x, y, z + (1.0 if n == 5 else 0.0)]

    with pytest.raises(InputError, match="unevenly spaced, 1.5 to 3.5 mm"):
        read_ct(write_series(tmp_path, chest, shift).folder)


def test_positions_rounded_to_a_tenth_are_even_enough(grid, filled, write_series, tmp_path):
    image = grid((8, 8, 40), (0.7, 0.8, 0.625))
    image = filled(image, np.random.default_rng(0).integers(-1000, 100, (40, 8, 8)).astype(np.int16))

    def rounded(_, data):
        data.ImagePositionPatient = [round(float(x), 1) for x in data.ImagePositionPatient]

    assert read_ct(write_series(tmp_path, image, rounded).folder).image.GetSpacing()[2] == pytest.approx(
        0.625, abs=3e-3
    )


def test_a_tilted_gantry_is_refused(chest, write_series, tmp_path):
    def tilt(n, data):
        x, y, z = chest.TransformIndexToPhysicalPoint([0, 0, n])
        data.ImagePositionPatient = [x, y + 0.5 * n, z]

    with pytest.raises(InputError, match="drift sideways by 5.5 mm"):
        read_ct(write_series(tmp_path, chest, tilt).folder)


@pytest.mark.parametrize(
    ("tag", "value"), [("PixelSpacing", [0.9, 0.75]), ("ImageOrientationPatient", [0.0, 1, 0, 1, 0, 0])]
)
def test_slices_that_differ_are_refused(chest, write_series, tmp_path, tag, value):
    def change(n, data):
        if n == 7:
            setattr(data, tag, value)

    with pytest.raises(InputError, match=f"slices of the series differ in {tag}"):
        read_ct(write_series(tmp_path, chest, change).folder)


@pytest.mark.parametrize("tag", ["ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"])
def test_a_slice_without_its_place_is_refused(chest, write_series, tmp_path, tag):
    def change(n, data):
        if n == 7:
            delattr(data, tag)

    with pytest.raises(InputError, match=f"has no {tag}"):
        read_ct(write_series(tmp_path, chest, change).folder)


def test_a_pixel_spacing_of_zero_is_refused(chest, write_series, tmp_path):
    def change(_, data):
        data.PixelSpacing = [0, 0.75]

    with pytest.raises(InputError, match="pixel spacing 0.0 x 0.75 mm"):
        read_ct(write_series(tmp_path, chest, change).folder)


@pytest.mark.parametrize("kept", [0.0, 0.05, 0.15, 0.3, 0.7, 0.98, 0.9999])
@pytest.mark.parametrize("n", [0, 5])
def test_a_slice_that_is_cut_off_is_named_also_at_the_end(chest, write_series, tmp_path, kept, n):
    written = write_series(tmp_path, chest)
    content = written.paths[n].read_bytes()
    written.paths[n].write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(InputError, match=written.paths[n].name):
        read_ct(written.folder)


def test_companions_that_macos_writes_do_no_harm(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    (tmp_path / "._s001.dcm").write_bytes(b"Mac OS X")
    assert (array(read_ct(written.folder).image) == array(chest)).all()


def test_a_multi_frame_file_is_refused(chest, write_series, tmp_path):
    def frames(_, data):
        data.NumberOfFrames = 3

    with pytest.raises(InputError, match="multi-frame DICOM file. Convert it"):
        read_ct(write_series(tmp_path, chest, frames).folder)


def test_slices_with_their_own_rescaling_are_all_right(chest, write_series, tmp_path):
    def half_more(n, data):
        if n % 2:  # the first slice alone would call for whole numbers
            stored = np.frombuffer(data.PixelData, "<u2")
            data.RescaleSlope, data.RescaleIntercept = 0.5, -1023.5
            data.PixelData = (2 * stored).astype("<u2").tobytes()

    found = array(read_ct(write_series(tmp_path, chest, half_more).folder).image)
    assert (found[::2] == array(chest)[::2]).all()
    assert (found[1::2] == array(chest)[1::2] + 0.5).all()


def test_without_its_rescaling_a_series_is_no_ct(chest, write_series, tmp_path):
    def raw(_, data):
        data.RescaleIntercept = 0

    with pytest.raises(InputError, match="rescale slope and intercept applied"):
        read_ct(write_series(tmp_path, chest, raw).folder)


def test_the_frame_of_reference_travels_with_the_ct(chest, write_series, tmp_path):
    frame = generate_uid()

    def change(_, data):
        data.FrameOfReferenceUID = frame

    assert read_ct(write_series(tmp_path, chest, change).folder).image.GetMetaData("0020|0052") == frame
