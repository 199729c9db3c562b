"""The structured report says what result.json says; what is withheld has a reason in it, and no number."""

import json
import shutil
import subprocess
from dataclasses import replace

import highdicom
import pydicom
import pytest
from filed_result import FEATURES

from PDL1PredictorLib.core.answer_parts import Behind, Contribution
from PDL1PredictorLib.core.results import BinaryAnswer
from PDL1PredictorLib.filing import codes
from PDL1PredictorLib.filing.measures import MOST_TEXTURES, textures_behind
from PDL1PredictorLib.filing.segmentation import regions_of, segmentation
from PDL1PredictorLib.filing.structured_report import Numbered, structured_report
from PDL1PredictorLib.radiomics.table import features_of

TEXTURES = {
    "tumor_original_glcm_Contrast": 1.5,
    "tumor_wavelet-LLH_glcm_Contrast": 3.5,
    "tumor_original_glcm_JointEntropy": 9.0,  # on which no answer rests
    "ring_original_glszm_ZonePercentage": 0.25,
}
BEHIND = (
    Contribution("radscore_tumor", 1.0, -1.0, (Behind("tumor_wavelet-LLH_glcm_Contrast", -0.9),)),
    Contribution("tumor_original_glcm_Contrast", 1.0, 0.4),
    Contribution("radscore_ring", 1.0, 0.2, (Behind("ring_original_glszm_ZonePercentage", 1.0),)),
    Contribution("log_volume", 1.0, 2.0),
)


def _moved(*contributions: Contribution) -> BinaryAnswer:
    """An answer with what moved it."""
    return BinaryAnswer("PDL1", 0.6, (0.5, 0.7), 0.5, True, ("positive",), 0.9, contributions)


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


def test_textures_that_the_answers_rest_on_come_with_code_and_method(oblique, tmp_path):
    making = oblique.making
    lesion = replace(making.result.lesions[0], features={**FEATURES, **TEXTURES}, endpoints=(_moved(*BEHIND),))
    how = replace(making.result.provenance, settings={"features": {"bin_width": 25.0, "wavelet": "coif1"}})
    told = replace(making, result=replace(making.result, lesions=(lesion,), provenance=how))
    regions = regions_of(lesion, oblique.tumor, oblique.ring, oblique.source.text("SeriesInstanceUID"))
    made = structured_report(told, Numbered((regions,), segmentation(told, list(regions.segments))))
    made.save_as(tmp_path / "measures.dcm")
    report = highdicom.sr.srread(tmp_path / "measures.dcm")
    if shutil.which("dciodvfy"):
        checked = subprocess.run(
            ["dciodvfy", "-new", tmp_path / "measures.dcm"], capture_output=True, text=True, check=False
        )
        assert [line for line in (checked.stdout + checked.stderr).splitlines() if line.startswith("Error")] == []
    tumor, ring = report.content.get_volumetric_roi_measurement_groups()
    found = [(one.name.value, one.value, one.method.meaning) for one in tumor.get_measurements() if one.method]
    assert found == [  # the sum of its effects over the answers: 0.9, 0.4
        ("ACUI", 3.5, "coif1 wavelet-LLH, gray levels of 25 HU"),
        ("ACUI", 1.5, "unfiltered, gray levels of 25 HU"),
    ]
    assert [one.name.value for one in ring.get_measurements() if one.method] == ["P30P"]
    assert {one.name.scheme_designator for one in tumor.get_measurements() if one.method} == {"IBSI"}


def test_what_no_answer_rests_on_and_what_has_no_value_is_no_texture_of_the_report(oblique):
    lesion = replace(oblique.making.result.lesions[0], features={**FEATURES, **TEXTURES})
    assert textures_behind(lesion, "tumor") == {}  # no answer says what moved it
    lacking = {**TEXTURES, "tumor_original_glcm_Contrast": float("nan")}
    moved = replace(lesion, features={**FEATURES, **lacking}, endpoints=(_moved(*BEHIND),))
    assert list(textures_behind(moved, "tumor")) == ["tumor_wavelet-LLH_glcm_Contrast"]


def test_of_many_textures_the_weightiest_are_told(oblique):
    names = [
        f"tumor_original_{row.family}_{row.name}" for row in (*features_of("glcm"), *features_of("glszm")) if row.ibsi
    ]
    moved = _moved(*(Contribution(name, 0.0, 0.1 * (n + 1)) for n, name in enumerate(names)))
    lesion = replace(oblique.making.result.lesions[0], features=dict.fromkeys(names, 1.0), endpoints=(moved,))
    assert list(textures_behind(lesion, "tumor")) == names[::-1][:MOST_TEXTURES]


def test_how_a_texture_was_measured_is_said_in_few_letters():
    method = codes.texture_method("log-sigma-2-0-mm-3D", "", None, 64)
    assert (method.value, method.meaning) == ("log-sigma-2-0-mm-3D.n64", "log-sigma-2-0-mm-3D, 64 gray levels")
    assert codes.texture_method("original", "", 25.0, None).value == "original.w25"


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
