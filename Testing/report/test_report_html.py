"""The page: whole, self-contained, escaped, and saying what the result says."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from html_page import Page

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.answer_parts import Contribution
from PDL1PredictorLib.core.results import CaseWarning, HeatMap
from PDL1PredictorLib.report.html import contribution_rows, number, pretty, significant, to_html
from PDL1PredictorLib.report.svg import answer_scale, effect_bar, scale_bar_mm


@pytest.fixture(scope="module")
def html(make_result):
    return to_html(make_result(), with_patient=False)


def test_every_tag_is_closed(html):
    assert Page(html).open == []


def test_nothing_is_asked_from_outside_and_nothing_runs(html):
    for tag, attributes in Page(html).tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "img"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "xlink:href", "action", "data"}:
                assert value.startswith(("data:image/png;base64,", "#"))
    assert "url(http" not in html
    assert "@import" not in html


def test_every_drawing_is_sound_xml(html):
    drawings = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert len(drawings) > 20
    for drawing in drawings:
        ET.fromstring(drawing)


def test_the_page_stays_small(make_result):
    assert len(to_html(make_result(lesions=2), with_patient=True).encode()) < 1_500_000


def test_the_research_line_stands_at_top_and_bottom(html):
    text = Page(html).text
    assert text.count(RESEARCH_USE_ONLY) == 2
    assert text.endswith(RESEARCH_USE_ONLY)
    assert text.index(RESEARCH_USE_ONLY) < text.index("PD-L1")


def test_the_answer_its_interval_and_its_meaning_are_said(html):
    text = Page(html).text
    assert "62 %" in text
    assert "95 % interval of the patient 52 to 73 %" in text
    assert "95 % calibration interval 48 to 74 %" in text
    assert "Base rate 33 %" in text
    assert "Sensitivity 78 % (64 to 88 %)" in text
    assert "predicted positive (TPS ≥ 1 %)" in text
    assert "tumor proportion score (TPS) of 1 % or more" in text
    assert "AUC 0.74 (95 % interval 0.63 to 0.83), 40 positive and 80 negative" in text


def test_a_number_stands_with_its_unit_interval_scale_and_effects_beside_a_yes_or_no(with_number):
    page = to_html(with_number, with_patient=False)
    text = Page(page).text.replace("\u00a0", " ")
    assert "PD-L1 TPS 35 % (90 % prediction interval 12 to 61 %)" in text
    assert "Expected value of the tumor proportion score." in text
    assert "R² 0.23 (95 % interval 0.10 to 0.35), mean absolute error 16.2 %" in text
    assert "root mean squared error 21 % (24 % if always the mean were answered), 96 cases" in text
    assert "Effect (percentage points)" in text
    assert "← towards “lower”" in text
    assert "+8.25" in text
    assert "radiomic features together–" in text.replace(" –", "–")
    assert "AUC 0.74" in text
    assert "Atypicality (limit 1) not known for this model" in " ".join(text.split())
    assert "none, this model sees no picture" in text
    assert page.count('class="card answer"') == 1  # not grayed: that likeness is not known is no verdict
    assert 'class="verdict value"' in page


def test_the_report_says_what_ran_the_network(html):
    assert "run by onnxruntime on cpu" in Page(html).text


def test_what_the_model_is_for_is_said_before_any_answer(html, make_result):
    assert html.index(f"What this model is for: {make_result().model.intended_use}") < html.index(
        "Calibrated probability"
    )


def test_warnings_stand_above_the_answers(html):
    text = Page(html).text
    for warning in ("The CT's slices are 5 mm thick", "A third of the ring lies in the chest wall."):
        assert text.index(warning) < text.index("predicted positive")


def test_an_unlike_case_is_told_before_its_answers(make_result):
    result = make_result(lesions=2)
    text = Page(to_html(replace(result, lesions=result.lesions[1:]), with_patient=False)).text
    assert text.index("mean density of the tumor 9 SD above the training cohort") < text.index("not answered")
    assert "unlike those" not in Page(to_html(make_result(), with_patient=False)).text


def test_the_number_of_what_is_not_answered_stands_behind_a_fold_and_without_color(make_result):
    result = make_result(lesions=2)
    page = to_html(replace(result, lesions=result.lesions[1:], lesions_found=1), with_patient=False)
    shown = re.sub(r"<details.*?</details>", "", page, flags=re.DOTALL)
    assert 'class="verdict none"' in shown
    assert "69\u00a0%" in page
    assert "69\u00a0%" not in shown
    for color in ("positive", "negative"):
        assert f'class="verdict {color}"' not in page
        assert f'class="tag {color}"' not in page


def test_one_answer_that_is_not_given_stands_among_the_others(html):
    shown = re.sub(r"<details.*?</details>", "", html, flags=re.DOTALL)
    row = shown[shown.index(">KRAS") :].partition("</tr>")[0]
    assert "not answered" in row
    assert "no proven skill" in row
    assert "24\u00a0%" not in row
    assert "24\u00a0%" in html


def test_the_first_line_says_that_a_model_is_synthetic(make_result):
    result = make_result()
    page = Page(to_html(replace(result, model=replace(result.model, trained_on="synthetic")), with_patient=False))
    assert page.text.split("</title>")[-1].index("A model of synthetic patients") < page.text.index(RESEARCH_USE_ONLY)
    assert "A model of synthetic patients" not in Page(to_html(result, with_patient=False)).text


def test_the_share_of_the_heat_in_the_tumor_stands_under_the_map(html):
    assert "31 % of the heat lies inside tumor and ring" in Page(html).text.replace("\u00a0", " ")


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
def test_names_and_texts_from_outside_are_only_text(make_result, evil):
    result = make_result(name=f"Müller 患者 {evil}")
    result = replace(
        result,
        warnings=(CaseWarning("x", evil),),
        model=replace(result.model, title=evil, cohort=evil, limitations=(evil,)),
        provenance=replace(result.provenance, settings={evil: evil}, versions={evil: evil}),
    )
    first = result.lesions[0].endpoints[0]
    lesion = replace(
        result.lesions[0],
        endpoints=(replace(first, contributions=(Contribution(evil, 1.0, 0.5),)), *result.lesions[0].endpoints[1:]),
    )
    html = to_html(replace(result, lesions=(lesion,)), with_patient=True)
    page = Page(html)
    assert not {"script", "img"} & {tag for tag, _ in page.tags}
    assert f"Müller 患者 {evil}" in page.text


def test_without_the_patient_neither_name_nor_clinical_values_are_shown(make_result):
    result = make_result(name="Erika Mustermann")
    assert "Erika" not in to_html(result, with_patient=False)
    assert "67 years" not in Page(to_html(result, with_patient=False)).text
    with_patient = Page(to_html(result, with_patient=True)).text
    assert "Erika Mustermann" in with_patient
    assert "67 years" in with_patient


def test_several_tumors_get_an_overview_and_a_section_each(make_result):
    page = Page(to_html(make_result(lesions=2, tilt_degrees=12), with_patient=False))
    ids = [attributes["id"] for tag, attributes in page.tags if tag == "section" and "id" in attributes]
    assert ids == ["tumor-1", "tumor-2"]
    assert "Overview" in page.text
    assert page.text.count("Tumor 2 of 2") == 2
    assert "tilted by up to" in page.text


def test_one_tumor_needs_no_overview(html):
    assert "Overview" not in Page(html).text
    assert "tilted" not in Page(html).text


def test_a_result_without_answers_or_maps_still_makes_a_page(make_result):
    result = make_result(heat_maps=False)
    bare = replace(result.lesions[0], endpoints=())
    text = Page(to_html(replace(result, lesions=(bare,)), with_patient=False)).text
    assert "Where it is" in text
    assert "Heat map" not in text


def test_an_empty_heat_map_is_said_to_be_empty(make_result):
    result = make_result()
    lesion = result.lesions[0]
    image = sitk.GetImageFromArray(np.zeros((1, 80, 80), np.float32))
    image.CopyInformation(lesion.heat_maps[0].image)
    cold = replace(result, lesions=(replace(lesion, heat_maps=(HeatMap("PDL1", image),)),))
    assert "The map is empty" in to_html(cold, with_patient=False)
    assert "The map is empty" not in to_html(result, with_patient=False)


def test_what_does_not_fit_the_chart_is_summed_up():
    rows = contribution_rows([Contribution(f"deep_{n}", 0.0, 0.5 - 0.05 * n) for n in range(10)])
    assert len(rows) == 9
    assert rows[-1].title == "2 others together"
    assert sum(row.effect for row in rows) == pytest.approx(sum(0.5 - 0.05 * n for n in range(10)))


def test_bars_point_to_the_side_of_their_effect():
    right, left = (ET.fromstring(effect_bar(effect, 2.0, "log-odds")).find("rect").attrib for effect in (1.0, -2.0))
    assert (right["class"], float(right["x"]), float(right["width"])) == ("towards", 100.0, 49.0)
    assert (left["class"], float(left["x"]), float(left["width"])) == ("away", 2.0, 98.0)


def test_the_scale_marks_probability_interval_and_threshold_in_proportion(make_result):
    first = make_result().lesions[0].endpoints[0]
    prediction = replace(first, probability=0.5, uncertainty=(0.25, 0.75), stability=(0.375, 0.625), threshold=1.0)
    drawing = ET.fromstring(answer_scale(prediction))
    track, interval = drawing.findall("rect")
    start, width = float(track.get("x")), float(track.get("width"))
    assert float(interval.get("x")) == start + width / 4
    assert float(interval.get("width")) == width / 2
    assert float(drawing.find("circle").get("cx")) == start + width / 2
    left, right = start + 0.375 * width, start + 0.625 * width
    assert drawing.find("path[@class='moved']").get("d") == f"M{left} 34v10m0 -5H{right}m0 -5v10"
    assert float(drawing.find("line[@class='threshold']").get("x1")) == start + width


@pytest.mark.parametrize(("field_mm", "bar_mm"), [(8.0, 5), (79.0, 10), (80.0, 20), (200.0, 50)])
def test_the_scale_bar_fills_at_most_a_quarter(field_mm, bar_mm):
    assert scale_bar_mm(field_mm) == bar_mm


def test_numbers_and_units_are_typeset():
    assert number(-3.14159, 2) == "−3.14"
    assert number(float("nan")) == number(None) == "–"
    assert number(0.5, 1, signed=True) == "+0.5"


@pytest.mark.parametrize(
    ("value", "shown", "plain"),
    [
        (1493.4, "1493", "1493"),
        (-26.08, "−26.1", "−26.1"),
        (20.0, "20.0", "20"),
        (0.0512, "0.0512", "0.0512"),
        (0.0, "0", "0"),
        (None, "–", "–"),
    ],
)
def test_three_digits_count(value, shown, plain):
    assert significant(value) == shown
    assert significant(value, zeros=False) == plain
    assert pretty("TPS >= 1 %") == "TPS ≥ 1\u00a0%"


def test_text_from_outside_is_shown_and_not_obeyed(make_result):
    result = make_result(name="<b>case</b> \x1b[2J\x00\u202e7")
    warning = CaseWarning("thick_slices", "The segment 'x\u2066\u200b\x9b' <em> was read.")
    page = to_html(replace(result, warnings=(warning,)), with_patient=True)
    assert "&lt;b&gt;case&lt;/b&gt; ?[2J??7" in page
    assert "x??\\x9b" in page
    assert "<em>" not in page
    assert not set("\x00\x1b\x9b\u202e\u2066\u200b") & set(page)
