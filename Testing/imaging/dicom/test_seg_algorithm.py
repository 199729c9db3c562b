"""Who has drawn a segment of a DICOM SEG: a reader, or a program, which is named; nothing of it is trusted."""

import numpy as np
import pydicom
import pytest
from dicom_seg import write_seg

from PDL1PredictorLib.core.provenance import Outline
from PDL1PredictorLib.imaging.case_files import Files, read_case
from PDL1PredictorLib.imaging.dicom.algorithm import outline_of_segment, parameters_of

DRAWN = Outline("network; a, b", "0.1.0", "point", ((-1.0, 2.0, 3.0),), ("segment_attached",), checked=True)


@pytest.fixture
def read(grid, filled, write_series, tmp_path):
    """Reads a SEG whose one segment was given these attributes."""
    image = filled(grid((14, 12, 10), (0.7, 0.9, 2.5)), np.random.default_rng(0).integers(-900, 99, (10, 12, 14)))
    written = write_series(tmp_path / "ct", image)
    tumor = np.zeros((10, 12, 14), np.uint8)
    tumor[2:5, 3:9, 4:12] = 1

    def reads(**attributes):
        path = write_seg(tmp_path / "seg.dcm", written.paths, tumor)
        data = pydicom.dcmread(path)
        for name, value in attributes.items():
            setattr(data.SegmentSequence[0], name, value)
        data.save_as(path)
        return read_case(Files(written.folder, path))

    return reads


def identified(**values):
    item = pydicom.Dataset()
    for name, value in values.items():
        setattr(item, name, value)
    return [item]


def segment(**values):
    data = pydicom.Dataset()
    data.SegmentSequence = identified(SegmentNumber=1, **values)
    return data


def test_a_readers_segment_is_a_readers(read):
    found = read(SegmentAlgorithmType="MANUAL", SegmentAlgorithmName="Some brush")
    assert found.case.outline is None
    assert "contour_unchecked" not in [warning.code for warning in found.warnings]


@pytest.mark.parametrize(("kind", "word"), [("AUTOMATIC", "automatic"), ("SEMIAUTOMATIC", "semi-automatic")])
def test_another_programs_segment_names_the_program(read, kind, word):
    found = read(SegmentAlgorithmType=kind, SegmentAlgorithmName="Lesion finder 2")
    outline = found.case.outline
    assert (outline.kind, outline.method, outline.clicked) == (word, "Lesion finder 2", False)
    assert (outline.edited, outline.checked) == (None, None)
    words = f"{word} (Lesion finder 2), as its file says, whether a reader has checked it is not known"
    assert outline.text == words
    (told,) = [warning for warning in found.warnings if warning.code == "contour_unchecked"]
    assert words in told.text


def test_name_and_version_come_from_the_algorithms_own_description_too():
    described = identified(AlgorithmName="Finder", AlgorithmVersion="2.1")
    found = outline_of_segment(
        segment(SegmentAlgorithmType="AUTOMATIC", SegmentationAlgorithmIdentificationSequence=described), 1
    )
    assert found.method == "Finder 2.1"
    assert outline_of_segment(segment(SegmentAlgorithmType="AUTOMATIC"), 1).method == ""


@pytest.mark.parametrize("kind", ["", "ROBOTIC", "AUTOMATIC 2"])
def test_a_type_that_is_not_known_says_nothing(kind):
    assert outline_of_segment(segment(SegmentAlgorithmType=kind), 1) is None


def test_a_name_from_outside_is_one_short_line_in_which_nothing_is_obeyed():
    found = outline_of_segment(segment(SegmentAlgorithmType="AUTOMATIC", SegmentAlgorithmName="a\nb\u202ec"), 1)
    assert found.method == "a b?c"
    long = {"AlgorithmName": "m" * 64, "AlgorithmVersion": "1" * 64}
    described = segment(
        SegmentAlgorithmType="AUTOMATIC", SegmentationAlgorithmIdentificationSequence=identified(**long)
    )
    assert outline_of_segment(described, 1).method == ""


def test_our_own_says_all_in_its_parameters():
    parameters = parameters_of(DRAWN)
    described = identified(AlgorithmName="PDL1Predictor contour", AlgorithmParameters=parameters)
    item = {"SegmentAlgorithmType": "SEMIAUTOMATIC", "SegmentationAlgorithmIdentificationSequence": described}
    found = outline_of_segment(segment(**item), 1)
    assert found.to_dict() == {**DRAWN.to_dict(), "method": "network, a, b"}
    # a file that calls itself automatic is not believed to be drawn from a click
    assert not outline_of_segment(segment(**{**item, "SegmentAlgorithmType": "AUTOMATIC"}), 1).clicked
    # and parameters of any form do no harm
    described[0].AlgorithmParameters = "PDL1_Origin=semi-automatic; PDL1_Voxels=../..; PDL1_Status=;=; x" + "y" * 9_000
    assert outline_of_segment(segment(**item), 1) == Outline()
