"""NRRD and MetaImage: the rules of docs/input.md for headers that are text, and for voxels that lie in another file."""

import gzip
import os

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.case import same_grid
from PDL1PredictorLib.core.errors import EmptyRegionError, InputError
from PDL1PredictorLib.imaging.read import read_mask
from PDL1PredictorLib.imaging.volumes.files import files_of, read_volume

VALUES = np.arange(24, dtype="<i2").reshape(4, 3, 2)  # k, j, i
RAW = VALUES.tobytes()


@pytest.fixture
def nrrd(tmp_path):
    """Write a NRRD file of 2 x 3 x 4 voxels of 1 x 2 x 5 mm; fields are replaced, or left out if None."""

    def write(voxels=RAW, name="a.nrrd", notes=b"", **fields):
        header = {
            "type": "short",
            "dimension": "3",
            "space": "left-posterior-superior",
            "sizes": "2 3 4",
            "space directions": "(1,0,0) (0,2,0) (0,0,5)",
            "kinds": "domain domain domain",
            "endian": "little",
            "encoding": "raw",
            "space origin": "(10,20,30)",
        } | {key.replace("_", " "): value for key, value in fields.items()}
        lines = [f"{key}: {value}" for key, value in header.items() if value is not None]
        text = "NRRD0004\n# a comment: ignored\n" + "\n".join(lines) + "\n"
        (tmp_path / name).write_bytes(text.encode() + notes + b"\n" + voxels)
        return tmp_path / name

    return write


@pytest.fixture
def meta(tmp_path):
    """Write a MetaImage of the same volume; fields are replaced, or left out if None."""

    def write(voxels=RAW, name="a.mha", **fields):
        header = {
            "ObjectType": "Image",
            "NDims": "3",
            "BinaryData": "True",
            "BinaryDataByteOrderMSB": "False",
            "CompressedData": "False",
            "TransformMatrix": "1 0 0 0 1 0 0 0 1",
            "Offset": "10 20 30",
            "ElementSpacing": "1 2 5",
            "DimSize": "2 3 4",
            "ElementType": "MET_SHORT",
        } | fields
        header["ElementDataFile"] = header.pop("ElementDataFile", "LOCAL")  # the last one
        text = "\n".join(f"{key} = {value}" for key, value in header.items() if value is not None) + "\n"
        (tmp_path / name).write_bytes(text.encode() + voxels)
        return tmp_path / name

    return write


def array(loaded):
    return sitk.GetArrayFromImage(loaded.image)


def codes(loaded):
    return [warning.code for warning in loaded.warnings]


def refused(path, words):
    with pytest.raises(InputError, match=words):
        read_volume(path, "CT")


def test_a_plain_nrrd_and_a_plain_metaimage_are_one_volume(nrrd, meta):
    one, other = read_volume(nrrd(), "CT"), read_volume(meta(), "CT")
    assert (array(one) == VALUES).all()
    assert (array(other) == VALUES).all()
    assert same_grid(one.image, other.image)
    assert one.image.GetSpacing() == (1, 2, 5)
    assert one.image.GetOrigin() == (10, 20, 30)
    assert one.warnings == other.warnings == ()


@pytest.mark.parametrize(
    ("space", "signs"),
    [
        ("left-posterior-superior", (1, 1)),
        ("RAS", (-1, -1)),
        ("right-anterior-superior", (-1, -1)),
        ("LAS", (1, -1)),
        ("left-anterior-superior", (1, -1)),
        ("LPS", (1, 1)),
    ],
)
def test_a_named_space_is_turned_into_left_posterior_superior(nrrd, space, signs):
    image = read_volume(nrrd(space=space), "CT").image
    x, y = signs
    assert image.GetOrigin() == (10 * x, 20 * y, 30)
    assert image.GetDirection() == (x, 0, 0, 0, y, 0, 0, 0, 1)


@pytest.mark.parametrize(
    "fields",
    [
        {"space": "scanner-xyz"},
        {"space": None, "space_dimension": "3"},
        {"space_origin": None},
        {"space": None, "space_directions": None, "space_origin": None, "spacings": "1 2 5"},
    ],
)
def test_a_nrrd_that_does_not_place_the_patient_is_read_with_a_warning(nrrd, fields):
    found = read_volume(nrrd(**fields), "CT")
    assert codes(found) == ["orientation_unknown"]
    assert found.image.GetSpacing() == (1, 2, 5)


@pytest.mark.parametrize("missing", ["TransformMatrix", "Offset"])
def test_a_metaimage_that_does_not_place_the_patient_is_read_with_a_warning(meta, missing):
    assert codes(read_volume(meta(**{missing: None}), "CT")) == ["orientation_unknown"]


def test_other_types_codings_and_byte_orders_give_the_same_voxels(nrrd, meta):
    text = " ".join(map(str, VALUES.ravel())).encode()
    big = VALUES.astype(">i2").tobytes()
    for number, (write, voxels, fields) in enumerate(
        (
            (nrrd, big, {"endian": "big"}),
            (nrrd, gzip.compress(RAW), {"encoding": "gzip"}),
            (nrrd, text, {"encoding": "ascii", "endian": None}),
            (nrrd, VALUES.astype("<f8").tobytes(), {"type": "double"}),
            (nrrd, b"ab" + RAW, {"byte_skip": "2"}),
            (nrrd, b"abc" + RAW, {"byte_skip": "-1"}),
            (nrrd, b"a line\n" + RAW, {"line_skip": "1"}),
            (meta, big, {"BinaryDataByteOrderMSB": "True"}),
            (meta, text, {"BinaryData": "False"}),
            (meta, b"abc" + RAW, {"HeaderSize": "-1"}),
            (meta, b"abc" + RAW, {"HeaderSize": "3"}),
        )
    ):
        path = write(voxels, f"{number}.{'nrrd' if write is nrrd else 'mha'}", **fields)
        assert (array(read_volume(path, "CT")) == VALUES).all(), fields


def test_a_metaimage_of_few_words_is_read_as_bytes(meta):
    found = read_volume(meta(ObjectType=None, BinaryData=None, BinaryDataByteOrderMSB=None, CompressedData=None), "CT")
    assert (array(found) == VALUES).all()


def test_units_of_a_nrrd_are_honored(nrrd):
    steps = {"space_directions": "(0.1,0,0) (0,0.2,0) (0,0,0.5)", "space_origin": "(1,2,3)"}
    image = read_volume(nrrd(space_units='"cm" "cm" "cm"', **steps), "CT").image
    assert image.GetSpacing() == pytest.approx((1, 2, 5))
    assert image.GetOrigin() == pytest.approx((10, 20, 30))
    refused(nrrd(space_units='"mm" "cm" "mm"'), "gives the units mm, cm, mm; mm is needed")


def test_a_component_axis_anywhere_holds_the_values_of_a_voxel(nrrd):
    values = np.stack([VALUES, VALUES + 100])  # the slowest axis
    steps = "(1,0,0) (0,2,0) (0,0,5) none"
    kinds = {"sizes": "2 3 4 2", "dimension": "4", "kinds": "domain domain domain list"}
    found = read_volume(nrrd(values.tobytes(), space_directions=steps, **kinds), "CT")
    assert (array(found) == np.moveaxis(values, 0, -1)).all()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"space_directions": "(1,0,0) (0,2,0) (0,3,5)"}, "is sheared: its axes j and k are at 59.04 degrees"),
        ({"space_directions": "(1,0,0) (1,0,0) (0,0,5)"}, "is sheared"),
        ({"space_directions": "(1,0,0) (0,0,0) (0,0,5)"}, "every spacing must be positive"),
        ({"space_directions": "(1,0,0) (0,nan,0) (0,0,5)"}, "every spacing must be positive"),
        ({"space_directions": None}, "does not say the spacing"),
        ({"space_directions": "(1,0) (0,2) (0,0)"}, "have 2 coordinates"),
        ({"spacings": "1 2 7"}, "contradicts itself: its spacings"),
        ({"space_origin": "(1e30,0,0)"}, "places the first voxel at"),
        ({"space": "left-posterior-inferior"}, "which NRRD does not know"),
        ({"sizes": "2 3"}, "3 dimensions and 2 sizes"),
        ({"sizes": "2 3 4_0"}, "its sizes is '2 3 4_0'"),
        ({"sizes": "90000 90000 4"}, "the size 90000 x 90000 x 4"),
        ({"type": "blok"}, "its type is 'blok'"),
        ({"endian": None}, "its endian is 'missing'"),
        ({"encoding": "bzip2"}, "the encoding 'bzip2'; raw, gzip and ascii are read"),
        ({"spage": "RAS"}, "its header has the line 'spage: RAS'"),
        ({"kinds": "domain domain"}, "3 sizes, 2 kinds"),
        ({"sizes": "2 3 5"}, "cut off: its header promises 60 bytes, it holds 48"),
        ({"sizes": "2 3 3"}, "promises 36 bytes, it holds 12 or more beyond"),
    ],
)
def test_what_a_nrrd_cannot_say_is_refused_in_words(nrrd, fields, words):
    refused(nrrd(**fields), words)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"TransformMatrix": "1 0 0 0 1 0 0 0.6 0.8"}, "is sheared"),
        ({"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, "are 2, 1, 1 long, not 1"),
        ({"TransformMatrix": "1 0 0 0 1 0 0 0"}, "8 direction cosines"),
        ({"ElementSpacing": "1 0 5"}, "the spacing 1 x 0 x 5 mm; every spacing must be positive"),
        ({"ElementSpacing": "1 inf 5"}, "the spacing 1 x inf x 5 mm"),
        ({"ElementSpacing": "1 nan 5"}, "the spacing 1 x nan x 5 mm"),
        ({"Offset": "nan 0 0"}, "places the first voxel at"),
        ({"TransformMatrix": "nan 0 0 0 1 0 0 0 1"}, "are nan, 1, 1 long"),
        ({"ElementSpacing": "1 -2 5"}, "the spacing 1 x -2 x 5 mm"),
        ({"ElementSpacing": None}, "does not say the spacing"),
        ({"Offset": "1 2"}, "2 offsets"),
        ({"Offzet": "10 20 30", "Offset": None}, "the field 'Offzet', which looks like Offset"),
        ({"DistanceUnits": "um"}, "the unit um; mm is needed"),
        ({"ElementToIntensityFunctionSlope": "2"}, "which is not applied"),
        ({"ElementType": "MET_STRING"}, "its ElementType is MET_STRING"),
        ({"NDims": "4"}, "4 dimensions and 3 sizes"),
        ({"DimSize": "2 3 4.5"}, "its DimSize is '2 3 4.5'"),
        ({"DimSize": "2 3 5"}, "cut off: its header promises 60 bytes, it holds 48"),
        ({"CompressedData": "True", "CompressedDataSize": "47"}, "promises 47 compressed bytes, it holds 48"),
    ],
)
def test_what_a_metaimage_cannot_say_is_refused_in_words(meta, fields, words):
    refused(meta(**fields), words)


def test_text_that_is_no_number_or_no_short_is_refused(nrrd):
    for text, words in (
        (b"1 2 x" * 12, "more than numbers"),
        (b"99999 " * 24, "no int16"),
        (b"1 " * 25, "it holds 25"),
    ):
        refused(nrrd(text, encoding="ascii"), words)


def test_notes_that_are_not_utf_8_are_no_hindrance_and_names_of_segments_are_kept(nrrd):
    ones = np.ones((4, 3, 2), "<i2")
    notes = "Operator:=Müller\nSegment0_Name:=Rundherd rechts, größer\nSegment0_LabelValue:=1\n".encode("latin-1")
    path = nrrd(ones.tobytes(), name="a.seg.nrrd", notes=notes)
    image = read_volume(path, "mask").image
    assert image.GetMetaData("Segment0_Name") == "Rundherd rechts, größer"
    assert "Operator" not in image.GetMetaDataKeys()
    assert int(sitk.GetArrayFromImage(read_mask(path, image, segment="Rundherd rechts, größer").image).sum()) == 24


@pytest.mark.parametrize(("key", "words"), [("LabelValue", "which is no whole number"), ("Layer", "no whole number")])
def test_a_segment_whose_label_is_no_number_is_refused(nrrd, key, words):
    path = nrrd(name="a.seg.nrrd", notes=f"Segment0_Name:=T\nSegment0_{key}:=one\n".encode())
    with pytest.raises(InputError, match=words):
        read_mask(path, read_volume(nrrd(), "CT").image)
    path = nrrd(name="a.seg.nrrd", notes=b"Segment0_Name:=T\nSegment0_LabelValue:=77\n")
    with pytest.raises(EmptyRegionError):
        read_mask(path, read_volume(nrrd(), "CT").image)


@pytest.mark.parametrize("suffix", ["nhdr", "mhd"])
class TestDetached:
    @pytest.fixture
    def detached(self, nrrd, meta, suffix):
        def write(name):
            if suffix == "nhdr":
                return nrrd(b"", name="a.nhdr", data_file=name)
            return meta(b"", name="a.mhd", ElementDataFile=name)

        return write

    @pytest.mark.parametrize("name", ["a.raw", "sub/a.raw", "sub/../a.raw"])
    def test_voxels_beside_or_below_the_header_are_found(self, detached, tmp_path, name):
        (tmp_path / "sub").mkdir()
        (tmp_path / name).write_bytes(RAW)
        path = detached(name)
        assert (array(read_volume(path, "CT")) == VALUES).all()
        assert files_of(path) == (path, tmp_path / name)

    @pytest.mark.parametrize("name", ["../a.raw", "/etc/passwd", "sub/../../a.raw", "C:\\a.raw", "..\\a.raw"])
    def test_a_name_that_leads_out_of_the_folder_is_not_followed(self, detached, tmp_path, name):
        (tmp_path.parent / "a.raw").write_bytes(RAW)
        for read in (lambda path: read_volume(path, "CT"), files_of):
            with pytest.raises(InputError, match="outside its own folder, which is not followed"):
                read(detached(name))

    @pytest.mark.parametrize("name", ["LIST", "slice%03d.raw 1 4 1"])
    def test_voxels_in_several_files_are_refused(self, detached, name):
        with pytest.raises(InputError, match="spreads its voxels over several files"):
            read_volume(detached(name), "CT")

    def test_voxels_that_are_not_there_are_named(self, detached):
        with pytest.raises(InputError, match="its voxels should lie in b.raw, which is not there"):
            read_volume(detached("b.raw"), "CT")

    @pytest.mark.skipif(os.name == "nt", reason="Windows keeps names as UTF-16")
    def test_a_name_in_another_encoding_is_found(self, detached, tmp_path):
        (tmp_path / os.fsdecode(b"M\xfcller.raw")).write_bytes(RAW)
        path = detached("M+ller.raw")
        path.write_bytes(path.read_bytes().replace(b"+", b"\xfc"))
        assert (array(read_volume(path, "CT")) == VALUES).all()
