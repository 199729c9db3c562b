"""The segmentation file, read back as text and as an image."""

import gzip
import re

import numpy as np
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.report.nrrd import write_nrrd
from PDL1PredictorLib.report.segments import RING_TERM, TUMOR_TERM, assign_layers, write_segments

NAME = "tumor_and_ring.seg.nrrd"


def header_of(path):
    text = path.read_bytes().split(b"\n\n", 1)[0].decode("utf-8")
    return dict(re.split(r":=|: ", line, maxsplit=1) for line in text.splitlines()[1:])


def world_of(image):
    """Physical points of a mask's voxels, as a set of rounded tuples."""
    return {
        tuple(np.round(image.TransformIndexToPhysicalPoint(index[::-1].tolist()), 3))
        for index in np.argwhere(sitk.GetArrayViewFromImage(image) > 0)
    }


def segment_image(path, number):
    """One segment as Slicer reads it: its layer, where the voxels equal its label value."""
    header, image = header_of(path), sitk.ReadImage(str(path))
    if image.GetNumberOfComponentsPerPixel() > 1:
        image = sitk.VectorIndexSelectionCast(image, int(header[f"Segment{number}_Layer"]))
    return image == int(header[f"Segment{number}_LabelValue"])


def test_one_tumor_is_a_plain_labelmap_with_two_named_segments(make_result, tmp_path):
    write_segments(make_result().lesions, tmp_path / NAME)
    header = header_of(tmp_path / NAME)
    assert header["dimension"] == "3"
    assert header["space"] == "left-posterior-superior"
    assert [header[f"Segment{n}_Name"] for n in (0, 1)] == ["Tumor", "Peritumoral ring"]
    assert [header[f"Segment{n}_LabelValue"] for n in (0, 1)] == ["1", "2"]
    assert [header[f"Segment{n}_Layer"] for n in (0, 1)] == ["0", "0"]
    assert header["Segment0_Tags"].endswith(f"TerminologyEntry:{TUMOR_TERM}|")
    assert header["Segment1_Tags"].endswith(f"TerminologyEntry:{RING_TERM}|")
    assert header["Segmentation_ReferenceImageExtentOffset"] == "0 0 0"
    assert header["Segmentation_ContainedRepresentationNames"] == "Binary labelmap|"
    assert "Segment2_ID" not in header


def test_the_legacy_extent_key_is_absent(make_result, tmp_path):
    """With `Segmentation_Extent` Slicer takes the file for its old format and refuses it."""
    write_segments(make_result().lesions, tmp_path / NAME)
    assert "Segmentation_Extent" not in header_of(tmp_path / NAME)


def test_the_terms_have_slicers_seven_parts():
    for term in (TUMOR_TERM, RING_TERM):
        parts = term.split("~")
        assert len(parts) == 7
        assert all(part.count("^") == 2 for part in (*parts[1:4], *parts[5:]))


@pytest.mark.parametrize(
    ("options", "layers"),
    [
        ({}, 1),
        ({"tilt_degrees": 12.0}, 1),
        ({"lesions": 2}, 1),
        ({"lesions": 2, "touching": True, "tilt_degrees": 12.0}, 2),
    ],
)
def test_every_voxel_lies_where_it_was_in_the_patient(make_result, tmp_path, options, layers):
    result = make_result(**options)
    path = tmp_path / NAME
    write_segments(result.lesions, path)
    images = [image for lesion in result.lesions for image in (lesion.tumor_image, lesion.ring_image)]
    assert sitk.ReadImage(str(path)).GetNumberOfComponentsPerPixel() == layers
    for number, image in enumerate(images):
        assert world_of(segment_image(path, number)) == world_of(image)


def test_every_segment_states_the_whole_box_as_its_extent(make_result, tmp_path):
    """Slicer cuts a layer to the extent of its first segment, so a tight one would cut the ring."""
    write_segments(make_result(lesions=2).lesions, tmp_path / NAME)
    header, size = header_of(tmp_path / NAME), sitk.ReadImage(str(tmp_path / NAME)).GetSize()
    extent = f"0 {size[0] - 1} 0 {size[1] - 1} 0 {size[2] - 1}"
    assert [header[f"Segment{n}_Extent"] for n in range(4)] == [extent] * 4


def test_overlapping_segments_get_a_list_axis(make_result, tmp_path):
    write_segments(make_result(lesions=2, touching=True).lesions, tmp_path / NAME)
    header = header_of(tmp_path / NAME)
    assert header["kinds"] == "list domain domain domain"
    assert header["space directions"].startswith("none (")
    assert [header[f"Segment{n}_Name"] for n in range(4)] == [
        "Tumor 1",
        "Peritumoral ring 1",
        "Tumor 2",
        "Peritumoral ring 2",
    ]


def test_masks_share_a_layer_until_they_overlap():
    a, b, c = np.array([[1, 1, 0, 0], [0, 0, 1, 0], [0, 1, 1, 0]], bool)
    assert assign_layers([a, b, c]) == [0, 0, 1]
    assert assign_layers([c, a, b]) == [0, 1, 1]


def test_a_volume_comes_back_from_a_path_with_letters_of_any_alphabet(tmp_path):
    folder = tmp_path / "Müller 患者"
    folder.mkdir()
    voxels = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    geometry = sitk.GetImageFromArray(voxels)
    geometry.SetSpacing((0.7, 1.3, 5.0))
    geometry.SetOrigin((-10.25, 3.5, 1 / 3))
    geometry.SetDirection((0, 1, 0, -1, 0, 0, 0, 0, 1))
    write_nrrd(folder / "a.nrrd", voxels, geometry, {"Note": "ö"})
    back = sitk.ReadImage(str(folder / "a.nrrd"))
    assert np.array_equal(sitk.GetArrayFromImage(back), voxels)
    assert back.GetOrigin() == geometry.GetOrigin()
    assert np.allclose(back.GetSpacing(), geometry.GetSpacing(), rtol=1e-15)
    assert np.allclose(back.GetDirection(), geometry.GetDirection(), atol=1e-15)
    assert header_of(folder / "a.nrrd")["Note"] == "ö"


def test_equal_volumes_make_equal_files_of_compressed_voxels(tmp_path):
    voxels = np.zeros((3, 3, 3), np.uint8)
    for name in ("a", "b"):
        write_nrrd(tmp_path / name, voxels, sitk.GetImageFromArray(voxels))
    content = (tmp_path / "a").read_bytes()
    assert content == (tmp_path / "b").read_bytes()
    assert gzip.decompress(content.split(b"\n\n", 1)[1]) == voxels.tobytes()


def test_a_type_that_is_not_written_is_refused(tmp_path):
    voxels = np.zeros((3, 3, 3), np.float64)
    with pytest.raises(ValueError, match="uint8 or float32"):
        write_nrrd(tmp_path / "a.nrrd", voxels, sitk.GetImageFromArray(voxels))
