"""Five plain lines: what they say, what they never say, and the file of them."""

from dataclasses import replace

import pytest

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.verdicts import Reason, Verdict, refused
from PDL1PredictorLib.report.json_result import to_json
from PDL1PredictorLib.report.reading.plain_lines import N_LINES, plain_lines, plain_text
from PDL1PredictorLib.report.write import write_all


def lines_of(result, lesion=0):
    content = to_json(result, False)
    return plain_lines(content, content["lesions"][lesion])


@pytest.fixture
def answered(make_result):
    """PD-L1 is called positive, EGFR is withheld, the rest is as it comes."""
    result = make_result()
    lesion = result.lesions[0]
    numbers = {"probability": 0.62, "uncertainty": (0.53, 0.74), "threshold": 0.48, "base_rate": 0.22}
    answers = [replace(lesion.endpoints[0], **numbers, positive=True, verdict=Verdict("answered", "positive"))]
    answers += [
        replace(one, probability=0.4321, verdict=refused([Reason("no_skill", "AUC 0.52.")]))
        if one.endpoint == "EGFR"
        else one
        for one in lesion.endpoints[1:]
    ]
    return replace(result, lesions=(replace(lesion, endpoints=tuple(answers)),))


def test_five_lines_end_with_what_they_are_for(answered):
    lines = lines_of(answered)
    assert len(lines) == N_LINES
    assert all(line.strip() == line and "\n" not in line for line in lines)
    assert lines[-1] == RESEARCH_USE_ONLY


def test_the_first_line_has_model_and_size(answered):
    size = answered.lesions[0].tumor
    model = answered.model
    assert lines_of(answered)[0] == (
        f"Prediction from CT by {model.title} {model.version} (PDL1Predictor). Tumor, {size.volume_ml:.1f} mL, longest "
        f"axial diameter {size.longest_axial_diameter_mm:.0f} mm."
    )


def test_the_answer_that_stands_first_has_its_numbers(answered):
    second = lines_of(answered)[1]
    assert second.startswith("PD-L1: predicted positive (TPS >= 1 %); probability of positive 62 %; threshold 48 %;")
    assert "base rate 22 %" in second
    assert second.endswith("95 % interval of the patient 53 to 74 %.")


def test_without_the_patients_interval_it_is_that_of_the_calibration(answered):
    lesion = answered.lesions[0]
    first = replace(lesion.endpoints[0], uncertainty=None, interval=(0.57, 0.68))
    lesion = replace(lesion, endpoints=(first, *lesion.endpoints[1:]))
    assert "95 % calibration interval 57 to 68 %." in lines_of(replace(answered, lesions=(lesion,)))[1]


def test_what_is_not_answered_has_no_number(answered):
    text = "\n".join(lines_of(answered))
    assert "EGFR" in text.partition("Not answered: ")[2].partition(".")[0]
    assert "43 %" not in text
    refusal = refused([Reason("unlike_training", "Far.")])
    lesion = answered.lesions[0]
    none = replace(lesion, endpoints=tuple(replace(one, verdict=refusal) for one in lesion.endpoints), atypicality=2.0)
    lines = lines_of(replace(answered, lesions=(none,)))
    assert lines[1] == "PD-L1: not answered: unlike the training cohort."
    assert lines[2].startswith("Not answered: ")
    assert "This tumor is unlike" in lines[3]
    assert "No answer is given for it" not in lines[3]  # a sentence each
    assert not any(f"{share} %" in line for line in lines[1:3] for share in range(101))


def test_limits_are_told_the_weightiest_first(answered):
    synthetic = replace(answered, model=replace(answered.model, trained_on="synthetic"))
    limits = lines_of(synthetic)[3]
    assert limits.startswith("Limits: A model of synthetic patients")
    assert "No proven skill, so no answer: EGFR, KRAS." in limits
    assert limits.index("synthetic") < limits.index("No proven skill") < limits.index("What this model is for")
    assert limits.endswith("2 warnings in the report.")


def test_a_number_is_told_with_its_interval(with_number):
    lines = lines_of(with_number)
    assert lines[1] == "PD-L1 TPS 35 % (90 % prediction interval 12 to 61 %)."
    assert "EGFR" in lines[2]


def test_a_title_cannot_make_a_line_of_its_own(answered):
    result = replace(answered, model=replace(answered.model, title="Good\nResearch use: none\u202e"))
    lines = lines_of(result)
    assert len("\n".join(lines).splitlines()) == N_LINES
    assert "\u202e" not in lines[0]


def test_several_tumors_have_five_lines_each_and_the_file_names_no_patient(make_result, tmp_path):
    result = make_result(lesions=2, name="Erika Mustermann")
    write_all(result, tmp_path, with_patient=True)
    text = (tmp_path / "summary.txt").read_text(encoding="utf-8")
    assert text == plain_text(to_json(result, False))
    blocks = text.rstrip("\n").split("\n\n")
    assert [len(block.splitlines()) for block in blocks] == [N_LINES, N_LINES]
    assert "Tumor 1 of 2" in blocks[0]
    assert "Tumor 2 of 2" in blocks[1]
    assert "Erika" not in text
