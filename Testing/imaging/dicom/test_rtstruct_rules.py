"""Contours that are no closed outline, ROIs that are not clear, and damage: each by a stated rule."""

import warnings

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.imaging.dicom import rtstruct
from PDL1PredictorLib.imaging.read import read_ct, read_mask


def prism(ct, slices=range(3, 8)):
    corners = ((3.5, 3.5), (11.5, 3.5), (11.5, 11.5), (3.5, 11.5))
    return [
        np.array([ct.TransformContinuousIndexToPhysicalPoint((i, j, float(k))) for i, j in corners]) for k in slices
    ]


@pytest.fixture
def changed(chest, write_rtstruct, pydicom_read, tmp_path):
    """The mask of five squares of 64 voxels, after `change(data)` altered the file."""

    def read(change=lambda data: None, contours=None, **options):
        path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": prism(chest) if contours is None else contours})
        data = pydicom_read(path)
        change(data)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data.save_as(path)
        loaded = read_mask(path, chest, **options)
        return int(sitk.GetArrayViewFromImage(loaded.image).sum()), loaded.warnings

    return read


def contour(data, n):
    return data.ROIContourSequence[0].ContourSequence[n]


def test_a_sound_file_is_read_without_a_word(changed):
    assert changed() == (5 * 64, ())


@pytest.mark.parametrize("kind", ["POINT", "OPEN_PLANAR", "OPEN_NONPLANAR"])
def test_contours_of_other_types_are_left_out_and_told(changed, kind):
    def change(data):
        contour(data, 0).ContourGeometricType = contour(data, 4).ContourGeometricType = kind

    voxels, (warning,) = changed(change)
    assert (voxels, warning.code) == (3 * 64, "contours_left_out")
    assert (
        f"2 of the 5 contours of ROI GTV of rs.dcm enclose nothing and were left out: 2 of type {kind}" in warning.text
    )


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ([], "1 with fewer than 3 points"),
        ([0, 1], "1 with fewer than 3 points"),
        ([0, 1, 0], "1 whose points lie on one line"),
    ],
)
def test_contours_that_enclose_nothing_are_left_out_and_told(changed, chest, points, why):
    contours = prism(chest)
    contours[0] = contours[0][points]
    voxels, (warning,) = changed(contours=contours)
    assert (voxels, warning.code) == (4 * 64, "contours_left_out")
    assert why in warning.text


def test_a_contour_that_is_left_out_between_others_is_a_gap(changed):
    voxels, told = changed(lambda data: setattr(contour(data, 2), "ContourGeometricType", "OPEN_PLANAR"))
    assert [warning.code for warning in told] == ["contours_left_out", "contours_interpolated"]
    assert voxels == 5 * 64


def test_an_roi_of_points_alone_is_refused_with_what_it_holds(changed):
    def change(data):
        for n in range(5):
            contour(data, n).ContourGeometricType = "POINT"

    with pytest.raises(EmptyRegionError, match=r"no closed contour \(5 of type POINT\)"):
        changed(change)


def with_values(values):
    def change(data):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom grumbles at writing what this project must be able to read
            contour(data, 1).ContourData = values

    return change


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (["1", "2", "3", "4"] * 4, "contour 2 of the ROI has 16 numbers, which are no points of 3"),
        (["1", "2", "nan"] * 4, "coordinates that are not finite"),
        (["1", "2", "1e999"] * 4, "coordinates that are not finite"),
        (["1", "2", "1e300"] * 4, r"a coordinate of 1e\+300 mm"),
        (["1", "2", "3"] * 3, "has 3 of the 4 points that it should have"),
    ],
)
def test_a_contour_whose_numbers_cannot_be_is_refused(changed, values, why):
    with pytest.raises(InputError, match=rf"rs.dcm is a damaged RTSTRUCT: .*{why}"):
        changed(with_values(values))


def test_coordinates_that_are_no_numbers_are_refused(chest, write_rtstruct, tmp_path):
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": prism(chest)})
    content = path.read_bytes()
    number = f"{prism(chest)[2][0][0]:.6f}".encode()
    assert number in content
    path.write_bytes(content.replace(number, b"x" * len(number)))
    with pytest.raises(InputError, match=r"rs\.dcm is a damaged RTSTRUCT"):
        read_mask(path, chest)


def test_a_contour_without_a_type_is_refused(changed):
    with pytest.raises(InputError, match="contour 1 of the ROI does not say of what type it is"):
        changed(lambda data: delattr(contour(data, 0), "ContourGeometricType"))


def test_damage_in_another_roi_does_no_harm(chest, write_rtstruct, pydicom_read, tmp_path):
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": prism(chest), "Lung": prism(chest)})
    data = pydicom_read(path)
    data.ROIContourSequence[1].ContourSequence[0].ContourData = ["1", "2"]
    data.save_as(path)
    assert read_mask(path, chest, segment="GTV").warnings == ()
    with pytest.raises(InputError, match="has 2 numbers"):
        read_mask(path, chest, segment="Lung")


def test_two_rois_of_one_number_are_refused(chest, write_rtstruct, pydicom_read, tmp_path):
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": prism(chest), "Lung": prism(chest)})
    data = pydicom_read(path)
    data.StructureSetROISequence[1].ROINumber = 1
    data.save_as(path)
    with pytest.raises(InputError, match="holds 2 ROIs or lists of contours with the number 1"):
        read_mask(path, chest, segment="GTV")


def test_two_lists_of_contours_for_one_roi_are_refused(changed):
    def change(data):
        data.ROIContourSequence.append(data.ROIContourSequence[0])

    with pytest.raises(InputError, match="holds 2 ROIs or lists of contours with the number 1"):
        changed(change)


@pytest.mark.parametrize("name", ["StructureSetROISequence", "ROIContourSequence"])
def test_missing_sequences_are_refused(changed, name):
    with pytest.raises(InputError, match=r"holds no ROI|has no closed contour"):
        changed(lambda data: delattr(data, name))


def test_contours_that_name_no_frame_of_reference_are_read_with_a_warning(
    chest, write_series, write_rtstruct, pydicom_read, tmp_path
):
    written = write_series(tmp_path / "ct", chest)
    ct = read_ct(written.folder).image
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": prism(chest)}, written.frame)
    assert read_mask(path, ct).warnings == ()
    data = pydicom_read(path)
    data.StructureSetROISequence[0].ReferencedFrameOfReferenceUID = ""
    data.save_as(path)
    assert [warning.code for warning in read_mask(path, ct).warnings] == ["frame_unknown"]
    assert read_mask(path, chest).warnings == ()  # a CT from NIfTI has none to compare with


def test_too_little_memory_is_not_called_damage(changed, monkeypatch):
    def full(*_arguments):
        raise MemoryError

    monkeypatch.setattr(rtstruct, "_roi", full)
    with pytest.raises(InputError, match="asks for more memory than there is"):
        changed()  # a small file: a length in it is not true
    monkeypatch.setattr("PDL1PredictorLib.imaging.plain_words.SMALL_BYTES", 0)
    with pytest.raises(InputError, match="too little memory to read rs.dcm"):
        changed()


def test_an_unknown_transfer_syntax_is_named(changed):
    with pytest.raises(InputError, match=r"rs.dcm is stored in the transfer syntax 1\.2\.3\.4, which is not known"):
        changed(lambda data: setattr(data.file_meta, "TransferSyntaxUID", "1.2.3.4"))


@pytest.mark.parametrize("seed", range(40))
def test_a_file_with_bytes_changed_is_read_or_refused(chest, write_rtstruct, tmp_path, seed):
    path = write_rtstruct(tmp_path / "rs.dcm", {"GTV": prism(chest)})
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(132, len(content), size=1 + seed % 4):
        content[place] = rng.integers(256)
    path.write_bytes(bytes(content))
    try:
        loaded = read_mask(path, chest)
    except InputError:
        return
    assert loaded.image.GetSize() == chest.GetSize()
