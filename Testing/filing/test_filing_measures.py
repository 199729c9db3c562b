"""The structured report says what result.json says; what is withheld has a reason in it, and no number."""

import json

import highdicom
import pydicom
import pytest

from PDL1PredictorLib.filing.segmentation import regions_of, segmentation
from PDL1PredictorLib.filing.structured_report import Numbered, structured_report


@pytest.fixture(scope="module")
def report(oblique, tmp_path_factory):
    lesion = oblique.making.result.lesions[0]
    regions = regions_of(lesion, oblique.tumor, oblique.ring, oblique.source.text("SeriesInstanceUID"))
    made = segmentation(oblique.making, list(regions.segments))
    path = tmp_path_factory.mktemp("sr") / "measures.dcm"
    structured_report(oblique.making, Numbered((regions,), made)).save_as(path)
    return highdicom.sr.srread(path)


def numbers(group) -> dict[tuple[str, ...], tuple[float, str]]:
    """Value and unit by code, with the derivation where there is one."""
    found = {}
    for one in group.get_measurements():
        derivation = () if one.derivation is None else (one.derivation.meaning,)
        found[(one.name.value, *derivation)] = (one.value, one.unit.value)
    return found


def answers(report) -> dict[str, object]:
    groups = report.content.get_image_measurement_groups()
    return {group.finding_type.value: group for group in groups}


def evaluations(group) -> list[tuple[str, str]]:
    rows = [(one.name.value, one.value.value) for one in group.get_qualitative_evaluations()]
    return [row for row in rows if row[0] in ("verdict", "call", "reason")]


def texts(group) -> str:
    return " ".join(str(item.TextValue) for item in group[0].ContentSequence if item.ValueType == "TEXT")


def test_the_measures_are_those_of_the_result(report):
    tumor, ring = report.content.get_volumetric_roi_measurement_groups()
    hounsfield = "[hnsf'U]"
    assert numbers(tumor) == {
        ("118565006",): (1.0625, "mL"),
        ("103339001",): (17.5, "mm"),
        ("112031", "Mean"): (-12.125, hounsfield),
        ("112031", "Standard Deviation"): (80.25, hounsfield),
        ("L0JK",): (21.5, "mm"),
        ("Q4LE",): (-12.125, hounsfield),
    }
    assert numbers(ring) == {
        ("118565006",): (0.8125, "mL"),
        ("112031", "Mean"): (-612.5, hounsfield),
        ("112031", "Standard Deviation"): (150.0, hounsfield),
        ("Q4LE",): (-612.5, hounsfield),
    }


def test_features_that_a_code_would_say_wrong_are_left_out(report):
    tumor, _ = report.content.get_volumetric_roi_measurement_groups()
    assert ("IPH6",) not in numbers(tumor)  # kurtosis without the 3 that IBSI subtracts


def test_each_region_names_its_segment(report):
    tumor, ring = report.content.get_volumetric_roi_measurement_groups()
    assert [g.referenced_segment.referenced_segment_numbers for g in (tumor, ring)] == [[1], [2]]


def test_an_answer_comes_with_its_numbers_verdict_and_model(report):
    group = answers(report)["PDL1"]
    assert numbers(group) == {
        ("PDL1.probability",): (0.625, "1"),
        ("PDL1.low",): (0.5, "1"),
        ("PDL1.high",): (0.75, "1"),
        ("PDL1.threshold",): (0.48, "1"),
    }
    assert evaluations(group) == [("verdict", "answered"), ("call", "PDL1.positive")]
    said = json.dumps(group[0].to_json_dict())
    assert "Tiny model" in said
    assert '"1.2"' in said
    assert "ab" * 32 in said
    assert "predicted positive" in texts(group)


def test_a_number_has_its_unit(report):
    assert numbers(answers(report)["TPS"])[("TPS.value",)] == (34.5, "%")


def test_what_is_withheld_has_a_reason_and_no_number(report):
    group = answers(report)["EGFR"]
    assert numbers(group) == {}
    assert evaluations(group) == [("verdict", "not_answered"), ("reason", "interval_too_wide")]
    assert "The interval reaches from 10 to 80 %." in texts(group)
    whole = json.dumps(report.to_json_dict())
    assert "0.4321" not in whole
    assert "43 %" not in whole
    assert "0.625" in whole  # of the one that is answered: what is looked for would be found


def test_the_report_says_what_it_is_for(report):
    assert "Research use only." in texts([report.content[0]])
    assert report.SeriesDescription.startswith("RESEARCH USE ONLY")
    assert report.VerificationFlag == "UNVERIFIED"


def test_the_whole_way_ends_with_the_same_numbers(filed):
    told = json.loads((filed / "result.json").read_text(encoding="utf-8"))["lesions"][0]
    content = highdicom.sr.srread(filed / "dicom" / "measures.dcm").content
    tumor, ring = (numbers(group) for group in content.get_volumetric_roi_measurement_groups())
    assert tumor[("118565006",)][0] == told["tumor"]["volume_ml"]
    assert tumor[("103339001",)][0] == told["tumor"]["longest_axial_diameter_mm"]
    assert ring[("112031", "Mean")][0] == told["ring"]["mean_hu"]
    assert tumor[("KE2A",)][0] == told["features"]["tumor_original_firstorder_Skewness"]
    assert ring[("ECT3",)] == (told["features"]["ring_original_firstorder_Variance"], "[hnsf'U]2")
    verdicts = {a["endpoint"]: a["verdict"]["status"] for a in told["endpoints"]}
    filed_verdicts = {
        group.finding_type.value: dict(evaluations(group))["verdict"]
        for group in content.get_image_measurement_groups()
    }
    assert filed_verdicts == verdicts
    data = pydicom.dcmread(filed / "dicom" / "measures.dcm")
    assert str(data.PatientName.ideographic) == "山田^太郎"
