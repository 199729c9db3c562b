"""DICOM SEG: kinds, backgrounds, fractions, no frame of reference, and files that promise what they do not hold."""

import copy

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_seg import write_seg

from PDL1PredictorLib.core.errors import GridMismatchError, InputError
from PDL1PredictorLib.imaging.read import read_ct, read_mask


@pytest.fixture
def scan(chest, write_series, tmp_path):
    written = write_series(tmp_path / "ct", chest)
    written.ct = read_ct(written.folder).image
    written.mask = np.zeros(chest.GetSize()[::-1], np.uint8)
    written.mask[2:6, 3:9, 4:12] = 1
    return written


@pytest.fixture
def read(scan, tmp_path):
    """Voxels per slice and warnings of a segment, after `change(data)` altered the file."""

    def read(mask=None, change=lambda data: None, segment=None, **options):
        path = write_seg(tmp_path / "seg.dcm", scan.paths, scan.mask if mask is None else mask, **options)
        data = pydicom.dcmread(path)
        change(data)
        data.save_as(path)
        loaded = read_mask(path, scan.ct, segment)
        return sitk.GetArrayFromImage(loaded.image).sum(axis=(1, 2)).tolist(), loaded.warnings

    return read


WHOLE = [0, 0, 48, 48, 48, 48, 0, 0, 0, 0, 0, 0]


def test_a_sound_segment_is_read_without_a_word(read):
    assert read() == (WHOLE, ())


def test_the_background_of_a_label_map_is_no_region(read):
    def described(data):
        assert [int(item.SegmentNumber) for item in data.SegmentSequence] == [0, 1]

    assert read(change=described, kind="LABELMAP") == (WHOLE, ())
    with pytest.raises(InputError, match=r"no region '0'. It holds: 1 \(Tumor\)"):
        read(kind="LABELMAP", segment="0")


def test_a_label_map_of_background_alone_holds_no_segment(read):
    with pytest.raises(InputError, match="holds no segment"):
        read(kind="LABELMAP", change=lambda data: data.SegmentSequence.pop(1))


def test_fractions_are_cut_at_half_and_told(read, scan):
    fractions = np.where(scan.mask, 1.0, 0.0)
    fractions[2] *= 0.4
    fractions[3] *= 0.5
    fractions[4] *= 0.9
    voxels, (warning,) = read(fractions, kind="FRACTIONAL")
    assert (voxels[2:6], warning.code) == ([0, 48, 48, 48], "fractions_cut")
    # 48 voxels of 0.75 x 0.875 x 2.5 mm are 0.0788 mL
    assert (
        "48 voxels below it (0.0788 mL) were left out, 96 voxels from 0.5 to 1 (0.158 mL) count whole" in warning.text
    )


def test_fractions_of_nothing_and_all_need_no_word(read, scan):
    assert read(np.where(scan.mask, 1.0, 0.0), kind="FRACTIONAL") == (WHOLE, ())


def test_fractions_above_their_maximum_are_refused(read, scan):
    with pytest.raises(InputError, match="above its maximum 10"):
        read(
            np.where(scan.mask, 1.0, 0.0),
            kind="FRACTIONAL",
            change=lambda data: setattr(data, "MaximumFractionalValue", 10),
        )


def test_fractions_of_no_maximum_are_refused(read, scan):
    with pytest.raises(InputError, match="does not say of which maximum"):
        read(
            np.where(scan.mask, 1.0, 0.0),
            kind="FRACTIONAL",
            change=lambda data: delattr(data, "MaximumFractionalValue"),
        )


def without_frame(data):
    del data.FrameOfReferenceUID


def test_without_frame_of_reference_it_is_read_where_it_lies_on_the_ct(read):
    voxels, (warning,) = read(change=without_frame)
    assert (voxels, warning.code) == (WHOLE, "frame_unknown")


def test_without_frame_of_reference_and_off_the_grid_it_is_refused(read):
    def moved(data):
        del data.FrameOfReferenceUID
        for item in data.PerFrameFunctionalGroupsSequence:
            item.PlanePositionSequence[0].ImagePositionPatient[0] += 0.3

    with pytest.raises(
        GridMismatchError, match="does not say in which frame of reference .* not lie on this CT's voxels"
    ):
        read(change=moved)


def test_slices_without_frame_stay_empty(read, scan):
    mask = scan.mask.copy()
    mask[3:5] = 0
    assert read(mask) == ([0, 0, 48, 0, 0, 48, 0, 0, 0, 0, 0, 0], ())


def test_one_frame_alone_is_read(read, scan):
    mask = np.zeros_like(scan.mask)
    mask[4] = scan.mask[4]
    assert read(mask) == ([0, 0, 0, 0, 48, 0, 0, 0, 0, 0, 0, 0], ())


def test_frames_in_any_order_lie_where_they_say(read):
    def turned(data):
        frames = list(data.PerFrameFunctionalGroupsSequence)
        data.PerFrameFunctionalGroupsSequence = frames[::-1]

    assert read(change=turned)[0] == WHOLE  # the four frames are equal


DAMAGE = {
    "a described frame less": (
        lambda data: data.PerFrameFunctionalGroupsSequence.pop(),
        "it says where 3 of its 4 frames lie",
    ),
    "no frame described": (lambda data: delattr(data, "PerFrameFunctionalGroupsSequence"), "where 0 of its 4 frames"),
    "pixels cut": (lambda data: setattr(data, "PixelData", data.PixelData[:100]), "it holds 100 of the 240 bytes"),
    "no pixels": (lambda data: delattr(data, "PixelData"), "it holds 0 of the 240 bytes"),
    "huge frames": (lambda data: setattr(data, "Rows", 65535), r"it holds 240 of the \d+ bytes"),
    "more frames": (lambda data: setattr(data, "NumberOfFrames", 2**31 - 1), "where 4 of its 2147483647 frames lie"),
    "no rows": (lambda data: setattr(data, "Rows", 0), "4 frames of 0 x 24 pixels"),
    "frames far apart": (
        lambda data: setattr(
            data.PerFrameFunctionalGroupsSequence[3].PlanePositionSequence[0], "ImagePositionPatient", [0, 0, 1e9]
        ),
        r"seg\.dcm",
    ),
    "no positions": (
        lambda data: [delattr(item, "PlanePositionSequence") for item in data.PerFrameFunctionalGroupsSequence],
        r"seg\.dcm is a damaged DICOM SEG",
    ),
    "no spacing": (
        lambda data: delattr(data.SharedFunctionalGroupsSequence[0], "PixelMeasuresSequence"),
        "seg.dcm does not say that its frames lie at even distances",
    ),
    "unknown type": (lambda data: setattr(data, "SegmentationType", "SURFACE"), "a SEG of the type SURFACE"),
    "another class": (
        lambda data: setattr(data, "SOPClassUID", pydicom.uid.SurfaceSegmentationStorage),
        "no segmentation of voxels but Surface Segmentation Storage",
    ),
    "one number twice": (
        lambda data: data.SegmentSequence.append(copy.deepcopy(data.SegmentSequence[0])),
        r"several segments of one number: \[1, 1\]",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_file_is_refused_in_plain_words(read, name):
    change, words = DAMAGE[name]
    with pytest.raises(InputError, match=words):
        read(change=change)


def test_a_stack_larger_than_any_ct_is_refused_before_it_is_made(read):
    def far(data):
        item = data.PerFrameFunctionalGroupsSequence[3].PlanePositionSequence[0]
        first = data.PerFrameFunctionalGroupsSequence[0].PlanePositionSequence[0].ImagePositionPatient
        item.ImagePositionPatient = [first[0], first[1], first[2] + 2.5 * 2_000_000]

    with pytest.raises(InputError, match=r"spans 24 x 20 x 200000\d voxels"):
        read(change=far)


def test_an_unreadable_transfer_syntax_is_named(scan, tmp_path):
    path = write_seg(tmp_path / "seg.dcm", scan.paths, scan.mask)
    data = pydicom.dcmread(path)
    data.file_meta.TransferSyntaxUID = pydicom.uid.MPEG2MPML
    data.PixelData = pydicom.encaps.encapsulate([data.PixelData])
    data["PixelData"].is_undefined_length = True
    data.save_as(path)
    with pytest.raises(InputError, match=r"compressed as MPEG2 .*cannot be read. Export it uncompressed"):
        read_mask(path, scan.ct)


@pytest.mark.parametrize("seed", range(30))
def test_a_file_with_bytes_changed_is_read_or_refused(scan, tmp_path, seed):
    path = write_seg(tmp_path / "seg.dcm", scan.paths, scan.mask)
    content = bytearray(path.read_bytes())
    rng = np.random.default_rng(seed)
    for place in rng.integers(132, len(content), size=1 + seed % 4):
        content[place] = rng.integers(256)
    path.write_bytes(bytes(content))
    try:
        loaded = read_mask(path, scan.ct)
    except InputError:
        return
    assert loaded.image.GetSize() == scan.ct.GetSize()
