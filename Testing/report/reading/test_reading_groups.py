"""Contributions by groups, with the features behind them."""

from dataclasses import replace

import pytest

from PDL1PredictorLib.core.answer_parts import Behind, Contribution
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.report.json_result import schema, to_json
from PDL1PredictorLib.report.kinds import read_answer
from PDL1PredictorLib.report.reading.contribution_groups import contribution_groups, group_of

jsonschema = pytest.importorskip("jsonschema")
BEHIND = (Behind("tumor_wavelet-LLH_glcm_Contrast", -0.6), Behind("tumor_original_shape_MeshVolume", 0.4))


@pytest.fixture
def answer(make_result):
    """EGFR, moved by two networks' features, both RadScores, and the age."""
    found = next(one for one in make_result().lesions[0].endpoints if one.endpoint == "EGFR")
    moved = (
        Contribution("deep_1", 0.3, 0.5),
        Contribution("deep_2", 0.1, -0.75),
        Contribution("radscore_tumor", 1.2, 0.5, BEHIND),
        Contribution("radscore_ring", -0.4, -0.125),
        Contribution("age_years", 0.1, 0.002),
    )
    return replace(found, contributions=moved)


def test_groups_are_summed_and_ordered_by_their_size(answer):
    groups = contribution_groups(answer)
    sums = {group.title: group.effect for group in groups}
    assert sums == pytest.approx(
        {"Tumor radiomics": 0.5, "Network": -0.25, "Ring radiomics": -0.125, "Clinical values": 0.002}
    )
    assert list(sums) == ["Tumor radiomics", "Network", "Ring radiomics", "Clinical values"]
    assert sum(sums.values()) == pytest.approx(sum(one.effect for one in answer.contributions))
    words = endpoint("EGFR")
    assert groups[0].said == f"+0.50, towards {words.positive}"
    assert groups[1].said == f"-0.25, towards {words.negative}"
    assert groups[3].said == "0.00"
    assert [line.title for line in groups[1].lines] == ["deep feature 2", "deep feature 1"]


def test_the_features_behind_an_input_have_their_names_and_shares(answer):
    (line,) = contribution_groups(answer)[0].lines
    assert line.title == "RadScore, tumor"
    assert [(part.title, part.effect) for part in line.behind] == [
        ("Contrast (GLCM, wavelet LLH), tumor", "60 % of it, lowers it"),
        ("Mesh Volume (shape), tumor", "40 % of it, raises it"),
    ]


@pytest.mark.parametrize(
    ("name", "group"),
    [
        ("tumor_original_glcm_Contrast", "Tumor radiomics"),
        ("ring_original_firstorder_Mean", "Ring radiomics"),
        ("selected_features", "Radiomics of tumor and ring"),
        ("l2_score", "Radiomics of tumor and ring"),
        ("network_answer", "Network"),
        ("network_logit", "Network"),
        ("stacked_logit", "Network"),
        ("deep_features", "Network"),
        ("log_volume", "Tumor size"),
        ("sex", "Clinical values"),
        ("ECOG", "Clinical values"),
    ],
)
def test_every_input_has_its_group(name, group):
    assert group_of(name) == group


def test_numbers_are_told_in_their_unit_and_unknown_effects_as_such(with_number):
    number = with_number.lesions[0].endpoints[0]
    groups = contribution_groups(number)
    assert groups[0].said == "+8.25, towards higher"
    odd = replace(number, contributions=(Contribution("log_volume", 0.0, float("nan")),))
    assert contribution_groups(odd)[0].lines[0].effect == "not known"


def test_what_is_behind_goes_through_the_file_and_its_schema(make_result, answer):
    result = make_result()
    lesion = replace(result.lesions[0], endpoints=(answer,))
    content = to_json(replace(result, lesions=(lesion,)), False)
    jsonschema.validate(content, schema())
    row = content["lesions"][0]["endpoints"][0]
    assert read_answer(row).contributions == answer.contributions
    assert "behind" not in row["contributions"][0]
    row["contributions"][2]["behind"][0]["share"] = 3
    with pytest.raises(ValueError, match="share is 3"):
        read_answer(row)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content, schema())
    row["contributions"][2]["behind"] = "many"
    with pytest.raises(TypeError, match="behind"):
        read_answer(row)
