"""The segments that are filed are the masks that went in, wherever the slices lie."""

import highdicom
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk

from PDL1PredictorLib.core.errors import EmptyRegionError
from PDL1PredictorLib.core.provenance import AUTOMATIC, Outline
from PDL1PredictorLib.filing.segmentation import Segment, regions_of, segmentation
from PDL1PredictorLib.imaging.file_hashes import region_print
from PDL1PredictorLib.imaging.read import read_mask


@pytest.fixture(scope="module")
def regions(case):
    lesion = case.making.result.lesions[0]
    return regions_of(lesion, case.tumor, case.ring, case.source.text("SeriesInstanceUID"))


@pytest.fixture(scope="module")
def path(case, regions, tmp_path_factory):
    path = tmp_path_factory.mktemp("seg") / "segmentation.dcm"
    segmentation(case.making, list(regions.segments)).save_as(path)
    return path


def voxels(image: sitk.Image) -> np.ndarray:
    return sitk.GetArrayFromImage(image) > 0


def test_each_frame_lies_on_the_slice_that_it_names(case, path):
    data = pydicom.dcmread(path)
    slices = {str(one.SOPInstanceUID): k for k, one in enumerate(case.source.slices)}
    found = {1: np.zeros_like(voxels(case.tumor)), 2: np.zeros_like(voxels(case.tumor))}
    for frame, groups in zip(data.pixel_array, data.PerFrameFunctionalGroupsSequence, strict=True):
        source = groups.DerivationImageSequence[0].SourceImageSequence[0]
        k = slices[source.ReferencedSOPInstanceUID]
        position = groups.PlanePositionSequence[0].ImagePositionPatient
        assert list(position) == list(case.source.slices[k].ImagePositionPatient)
        found[groups.SegmentIdentificationSequence[0].ReferencedSegmentNumber][k] = frame > 0
    assert np.array_equal(found[1], voxels(case.tumor))
    assert np.array_equal(found[2], voxels(case.ring))
    assert found[1].sum() > 64
    assert not np.array_equal(found[1], found[1][::-1])  # turned round, it would be seen


def test_highdicom_finds_the_mask_at_its_place_in_the_patient(case, path):
    volume = highdicom.seg.segread(path).get_volume(segment_numbers=[1], combine_segments=True)
    places = np.argwhere(volume.array > 0) @ volume.affine[:3, :3].T + volume.affine[:3, 3]
    wanted = [
        case.tumor.TransformIndexToPhysicalPoint([int(n) for n in ijk])
        for ijk in np.argwhere(voxels(case.tumor))[:, ::-1]
    ]
    assert np.allclose(sorted(map(tuple, np.round(places, 3))), sorted(map(tuple, np.round(wanted, 3))), atol=2e-3)


def test_our_own_reader_gives_the_mask_back(case, path):
    for name, mask in (("Tumor 1", case.tumor), ("Peritumoral ring 1", case.ring)):
        assert np.array_equal(voxels(read_mask(path, case.ct, segment=name).image), voxels(mask))


def test_what_the_segments_are_is_said_in_codes(path):
    tumor, ring = pydicom.dcmread(path).SegmentSequence
    assert tumor.SegmentAlgorithmType == "MANUAL"
    assert ring.SegmentAlgorithmType == "SEMIAUTOMATIC"
    assert ring.SegmentationAlgorithmIdentificationSequence[0].AlgorithmName.startswith("PDL1Predictor")
    kind = tumor.SegmentedPropertyTypeCodeSequence[0]
    assert (kind.CodeValue, kind.CodingSchemeDesignator) == ("108369006", "SCT")
    assert tumor.AnatomicRegionSequence[0].CodeMeaning == "Lung"
    assert tumor.TrackingUID != ring.TrackingUID


@pytest.mark.parametrize(
    ("method", "family"), [("classical", "Edge Detection"), ("network (click-unet 1.0)", "Artificial Intelligence")]
)
def test_a_contour_from_a_click_is_semi_automatic_and_names_what_drew_it(case, method, family):
    lesion = case.making.result.lesions[0]
    outline = Outline(method=method, version="0.1.0", prompt="point", edited=True)
    found = regions_of(lesion, case.tumor, case.ring, case.source.text("SeriesInstanceUID"), outline)
    made = segmentation(case.making, list(found.segments))
    tumor = made.SegmentSequence[0]
    assert tumor.SegmentAlgorithmType == "SEMIAUTOMATIC"
    (algorithm,) = tumor.SegmentationAlgorithmIdentificationSequence
    assert algorithm.AlgorithmName == f"PDL1Predictor contour from a click, {method}"[:64]
    assert algorithm.AlgorithmVersion == "0.1.0"
    assert algorithm.AlgorithmFamilyCodeSequence[0].CodeMeaning == family
    assert "edited by a reader" in tumor.SegmentDescription
    # of other content, so another object; whose regions are the same
    by_hand = segmentation(case.making, list(regions_of(lesion, case.tumor, case.ring, "1").segments))
    assert made.SOPInstanceUID != by_hand.SOPInstanceUID


def filed_and_read(case, path, outline):
    lesion, series_uid = case.making.result.lesions[0], case.source.text("SeriesInstanceUID")
    found = regions_of(lesion, case.tumor, case.ring, series_uid, outline)
    segmentation(case.making, list(found.segments)).save_as(path)
    return read_mask(path, case.ct, segment="Tumor 1").outline


def test_what_was_known_of_a_click_is_known_when_it_is_read_back(case, tmp_path):
    drawn = Outline(
        *(
            "network (click-unet 1.0)",
            "0.1.0",
            "line",
            ((-61.5, 12.0, -140.0), (1.25, 2.5, 3.0)),
            ("segment_attached",),
        ),
        *("2026-08-01T09:30:00+00:00", region_print(case.tumor), False, True),
    )
    assert filed_and_read(case, tmp_path / "a.dcm", drawn) == drawn
    unchecked = filed_and_read(case, tmp_path / "b.dcm", Outline("classical", voxels=region_print(case.ring)))
    assert (unchecked.edited, unchecked.checked) == (True, False)  # what was drawn is another region
    assert filed_and_read(case, tmp_path / "c.dcm", None) is None


def test_the_clock_is_no_part_of_the_uid_and_a_readers_check_is(case):
    lesion = case.making.result.lesions[0]

    def uid(outline):
        found = regions_of(lesion, case.tumor, case.ring, "1", outline)
        return segmentation(case.making, list(found.segments)).SOPInstanceUID

    drawn = Outline("classical", created_utc="2026-08-01T09:30:00+00:00")
    assert uid(drawn) == uid(Outline("classical"))
    assert uid(drawn) != uid(Outline("classical", checked=True))


@pytest.mark.parametrize("name", ["Lesion finder 2", ""])
def test_another_programs_contour_keeps_its_kind_and_name(case, tmp_path, name):
    told = Outline(name, checked=None, kind=AUTOMATIC, clicked=False)
    found = filed_and_read(case, tmp_path / "a.dcm", told)
    assert (found.kind, found.method, found.clicked) == (AUTOMATIC, name or "algorithm not named", False)
    tumor = pydicom.dcmread(tmp_path / "a.dcm").SegmentSequence[0]
    assert tumor.SegmentAlgorithmType == "AUTOMATIC"
    assert "SegmentationAlgorithmIdentificationSequence" not in tumor  # its family is not known
    assert "as its file says" in tumor.SegmentDescription


def test_a_click_of_which_nothing_is_known_can_be_filed(case):
    lesion = case.making.result.lesions[0]
    found = regions_of(lesion, case.tumor, case.ring, "1", Outline())
    (algorithm,) = (
        segmentation(case.making, list(found.segments)).SegmentSequence[0].SegmentationAlgorithmIdentificationSequence
    )
    assert algorithm.AlgorithmVersion == "not known"


def test_a_ring_of_the_working_lattice_is_brought_onto_the_slices_outside_the_tumor(oblique):
    lesion = oblique.making.result.lesions[0]
    fine = sitk.Image([40, 40, 40], sitk.sitkUInt8)
    fine.SetOrigin(oblique.ct.GetOrigin())
    fine.SetDirection(oblique.ct.GetDirection())
    fine += 1
    everywhere = lesion.__class__(**{**lesion.__dict__, "ring_image": fine})
    ring = regions_of(everywhere, oblique.tumor, None, "1").ring
    assert ring is not None
    assert not (ring.voxels & voxels(oblique.tumor)).any()
    assert ring.voxels[0, 0, 0]  # the lattice begins there
    assert ring.voxels.sum() > 1000


def test_a_segment_without_a_voxel_is_refused(oblique):
    empty = Segment("Tumor 1", False, np.zeros_like(voxels(oblique.tumor)), "2.25.1")
    with pytest.raises(EmptyRegionError, match="Tumor 1 has no voxel"):
        segmentation(oblique.making, [empty])
