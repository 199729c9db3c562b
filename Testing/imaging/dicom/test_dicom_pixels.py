"""Pixels that are no Hounsfield units by their header, or cannot be decoded, are refused by name or told."""

import numpy as np
import pytest
import SimpleITK as sitk
from pydicom.dataset import Dataset

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.imaging.dicom import series as dicom_series
from PDL1PredictorLib.imaging.read import read_ct


def array(image):
    return sitk.GetArrayFromImage(image)


def told(found):
    return {warning.code: warning.text for warning in found.warnings}


def setting(**values):
    """Change these tags in every slice; None deletes."""

    def change(_, data):
        for tag, value in values.items():
            if value is None:
                delattr(data, tag)
            else:
                setattr(data, tag, value)

    return change


def some(slices, change):
    def chosen(n, data):
        if n in slices:
            change(n, data)

    return chosen


@pytest.fixture
def thorax(grid, filled):
    """Lung around soft tissue, with noise, so that it can be judged."""
    image = grid((24, 20, 12), (0.75, 0.875, 2.5))
    rng = np.random.default_rng(0)
    values = rng.normal(-850, 40, image.GetSize()[::-1])
    values[:, 4:16, 6:18] = rng.normal(40, 20, (12, 12, 12))
    return filled(image, np.rint(values).astype(np.int16))


@pytest.mark.parametrize("tag", ["RescaleSlope", "RescaleIntercept"])
def test_a_rescale_tag_that_some_slices_lack_is_refused_by_name(chest, write_series, tmp_path, tag):
    change = some((0, 5), setting(**{tag: None}))
    with pytest.raises(InputError, match=rf"2 of 12 slices have no {tag} \(s\d+.dcm, s\d+.dcm\)") as caught:
        read_ct(write_series(tmp_path, chest, change).folder)
    assert "s012.dcm" in str(caught.value)
    assert "s007.dcm" in str(caught.value)


def test_stored_values_without_rescale_tags_are_refused(thorax, write_series, tmp_path):
    with pytest.raises(InputError, match="No slice of the series has a RescaleSlope or a RescaleIntercept, and its"):
        read_ct(write_series(tmp_path, thorax, setting(RescaleSlope=None, RescaleIntercept=None)).folder)


def test_stored_values_with_padding_are_refused_too(thorax, filled, write_series, tmp_path):
    values = array(thorax)
    stored = values + 1024
    stored[:, :3] = -2000

    def change(n, data):
        setting(RescaleSlope=None, RescaleIntercept=None, PixelRepresentation=1, PixelPaddingValue=-2000)(n, data)
        data.PixelData = stored[n].astype("<i2").tobytes()

    with pytest.raises(InputError, match=r"padding was not counted: -2000 \(15% of the voxels\)"):
        read_ct(write_series(tmp_path, thorax, change).folder)


def test_hounsfield_units_without_rescale_tags_are_read_with_a_warning(thorax, write_series, tmp_path):
    values = array(thorax)

    def change(n, data):
        setting(RescaleSlope=None, RescaleIntercept=None, PixelRepresentation=1)(n, data)
        data.PixelData = values[n].astype("<i2").tobytes()

    found = read_ct(write_series(tmp_path, thorax, change).folder)
    assert (array(found.image) == values).all()
    assert list(told(found)) == ["rescale_missing"]


@pytest.mark.parametrize(("tag", "value"), [("RescaleSlope", 0), ("RescaleIntercept", "nan")])
def test_a_rescaling_that_cannot_be_is_refused(chest, write_series, tmp_path, tag, value):
    def change(n, data):
        if n == 3:
            data[tag]._value = value

    with pytest.raises(InputError, match=f"s009.dcm has the {tag} '{value}', which cannot be used"):
        read_ct(write_series(tmp_path, chest, change).folder)


@pytest.mark.parametrize("unit", ["OD", "MGML", "Z_EFF"])
def test_other_quantities_than_hounsfield_units_are_refused(thorax, write_series, tmp_path, unit):
    with pytest.raises(InputError, match=rf"holds {unit} \(RescaleType\), not Hounsfield units"):
        read_ct(write_series(tmp_path, thorax, setting(RescaleType=unit)).folder)


def test_an_unspecified_unit_is_taken_with_a_warning_and_hu_without(thorax, write_series, tmp_path):
    found = read_ct(write_series(tmp_path / "us", thorax, setting(RescaleType="US")).folder)
    assert "The series gives its units as US (RescaleType), not HU" in told(found)["rescale_type"]
    assert read_ct(write_series(tmp_path / "hu", thorax, setting(RescaleType="HU")).folder).warnings == ()
    raw = write_series(tmp_path / "raw", thorax, setting(RescaleType="US", RescaleIntercept=0))
    with pytest.raises(InputError, match="units as US"):
        read_ct(raw.folder)


def test_a_table_of_units_is_refused(chest, write_series, tmp_path):
    table = Dataset()
    table.ModalityLUTType = "HU"
    with pytest.raises(InputError, match="gives its units by a table"):
        read_ct(write_series(tmp_path, chest, setting(ModalityLUTSequence=[table])).folder)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "PALETTE COLOR", "RGB"])
def test_inverted_gray_and_colors_are_refused_by_name(chest, write_series, tmp_path, photometric):
    change = some((4,), setting(PhotometricInterpretation=photometric))
    with pytest.raises(InputError, match=f"s008.dcm stores its pixels as {photometric}"):
        read_ct(write_series(tmp_path, chest, change).folder)


def test_signed_and_unsigned_slices_in_one_series_are_all_right(thorax, write_series, tmp_path):
    values = array(thorax)

    def change(n, data):
        if n % 2:  # the first slice alone would call for values that are never negative as stored
            data.PixelRepresentation, data.RescaleIntercept = 1, 0
            data.PixelData = values[n].astype("<i2").tobytes()
        else:
            data.BitsStored, data.HighBit = 12, 11

    assert (array(read_ct(write_series(tmp_path, thorax, change).folder).image) == values).all()


def test_a_transfer_syntax_that_cannot_be_decoded_is_named(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest)
    for path in written.paths:  # High-Throughput JPEG 2000, by the length of the uncompressed uid
        content = path.read_bytes()
        uid = b"1.2.840.10008.1.2.1\0"
        place = content.index(uid)
        grown = b"1.2.840.10008.1.2.4.201\0"
        start = content[: place - 2] + len(grown).to_bytes(2, "little") + grown
        length = int.from_bytes(start[140:144], "little") + len(grown) - len(uid)
        path.write_bytes(start[:140] + length.to_bytes(4, "little") + start[144:] + content[place + len(uid) :])
    with pytest.raises(InputError, match=r"1\.2\.840\.10008\.1\.2\.4\.201, which cannot be decoded here"):
        read_ct(written.folder)


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("Failed to allocate memory for image.")])
def test_too_little_memory_is_not_called_damage(chest, write_series, tmp_path, monkeypatch, error):
    written = write_series(tmp_path, chest)

    def execute(_):
        raise error

    monkeypatch.setattr(dicom_series.sitk.ImageSeriesReader, "Execute", execute)
    with pytest.raises(InputError, match=r"not enough memory to read the series \(24 x 20 x 12 voxels, about 0.0 GB\)"):
        read_ct(written.folder)


@pytest.mark.parametrize("kind", ["MIP", "MINIP", "PROJECTION IMAGE"])
def test_projections_are_refused(chest, write_series, tmp_path, kind):
    with pytest.raises(InputError, match=f"is a projection .*{kind}"):
        read_ct(write_series(tmp_path, chest, setting(ImageType=["DERIVED", "SECONDARY", kind])).folder)


def test_derived_images_are_told_and_second_copies_of_original_ones_are_not(chest, write_series, tmp_path):
    derived = some((0, 1, 2), setting(ImageType=["DERIVED", "SECONDARY", "MPR"]))
    text = told(read_ct(write_series(tmp_path / "a", chest, derived).folder))["derived_images"]
    assert text.startswith("3 of 12 slices say that they were computed from other images (ImageType DERIVED\\SECONDARY")
    original = setting(ImageType=["ORIGINAL", "SECONDARY", "AXIAL"])
    assert read_ct(write_series(tmp_path / "b", chest, original).folder).warnings == ()


def test_compression_with_loss_is_told(chest, write_series, tmp_path):
    change = setting(LossyImageCompression="01", LossyImageCompressionRatio=12)
    assert "12 of 12 slices were compressed with loss (ratio 12.0)" in told(
        read_ct(write_series(tmp_path / "a", chest, change).folder)
    ).get("lossy_compression")
    assert read_ct(write_series(tmp_path / "b", chest, setting(LossyImageCompression="00")).folder).warnings == ()


def test_images_that_the_header_promises_and_that_are_not_there_are_told(chest, write_series, tmp_path):
    written = write_series(tmp_path, chest, setting(ImagesInAcquisition=12))
    assert read_ct(tmp_path).warnings == ()
    for path in written.paths[9:]:
        path.unlink()
    assert "speak of 12 images in this acquisition; 9 are here" in told(read_ct(tmp_path))["slices_missing"]
