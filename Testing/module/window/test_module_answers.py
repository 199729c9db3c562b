"""What each verdict looks like: a call in color, doubt in words, and no number where there is no answer."""

import html
import json

import pytest
from PDL1PredictorGUI.scene import answers, results
from PDL1PredictorGUI.window import answer_table
from PDL1PredictorGUI.window.answer_bar import BODY, HEIGHT, INK, TRIANGLE, WORDS, Bar, bar_of, draw, legend
from PDL1PredictorGUI.window.answer_text import QUIET, details
from slicerhost.user import click, click_cell
from window_steps import judged

from PDL1PredictorLib.report.colors import ANSWERS
from PDL1PredictorLib.report.kinds import read_answer, renderer
from PDL1PredictorLib.report.words import percent

WIDTH = 100


@pytest.fixture
def row(result_folder):
    """EGFR, of which every figure is known, and none of which rounds to another's."""
    content = json.loads((result_folder / "result.json").read_text(encoding="utf-8"))
    numbers = {"probability": 0.62, "interval": [0.57, 0.68], "uncertainty": [0.53, 0.74], "stability": [0.6, 0.65]}
    measured = {"sensitivity": {"value": 0.71, "low": 0.56, "high": 0.83}, "base_rate": 0.22, "threshold": 0.48}
    changes = numbers | measured | {"prediction_set": ["positive"], "positive": True}
    return content["lesions"][0]["endpoints"][1] | changes


@pytest.fixture
def show(answered):
    """A function that shows a result of these endpoints in the window; gives the window."""

    def put(*rows, **lesion):
        main = answered.results.result.main
        content = json.loads(main.GetText())
        content["lesions"][0] |= {"endpoints": list(rows), **lesion}
        content["model"]["trained_on"] = lesion.get("trained_on", "patients")
        main.SetText(json.dumps(content))
        results.restore(answered.results.result)
        answered.shared.parameters.endpoint = rows[0]["endpoint"]
        answered.shared.refresh()
        return answered

    return put


def read_by_the_eye(window):
    """Every text of the results that needs no click, tooltips among them."""
    ui, table = window.ui, window.ui.predictionsTable
    texts = [ui.endpointLabel.text, ui.barLegendLabel.text, ui.syntheticLabel.text, ui.unlikeLabel.text]
    for number in range(table.rowCount):
        items = [table.item(number, column) for column in range(table.columnCount)]
        texts += [text for item in items for text in (item.text(), item.toolTip())]
        cell = table.cellWidget(number, answer_table.NUMBER)
        texts += [cell.text, cell.toolTip]
    return "\n".join(texts)


# --- the words and the colors


@pytest.mark.parametrize(
    ("call", "codes", "word"),
    [
        ("positive", (), "mutant"),
        ("borderline", (), "borderline"),
        ("undecided", (), "undecided"),
        ("none", ("no_skill",), "not answered"),
        ("none", ("unlike_training", "synthetic_model"), "not answered"),
    ],
)
def test_every_verdict_has_its_word_and_the_color_of_the_report(show, row, call, codes, word):
    prediction_set = ["negative", "positive"] if call == "undecided" else ["positive"]
    window = show(judged(row, call, *codes, prediction_set=prediction_set))
    cell = window.ui.predictionsTable.item(0, answer_table.ANSWER)
    assert cell.text() == word == renderer(read_answer(row)).verdict(read_answer(judged(row, call, *codes))).short
    assert cell.foreground().color().name() == ANSWERS[call].ink
    assert cell.background().color().name() == ANSWERS[call].ground


def test_only_a_call_is_colored():
    def saturation(color):
        parts = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
        return max(parts) - min(parts)

    for call in ("undecided", "borderline", "none"):
        assert max(map(saturation, ANSWERS[call])) < 35, call
    for call in ("positive", "negative"):
        assert saturation(ANSWERS[call].ink) > 80, call


def contrast(one, other):
    def light(color):
        parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


def test_words_and_marks_can_be_told_from_their_ground():
    for ink, ground, bar in ANSWERS.values():
        assert contrast(ink, ground) >= 4.5  # WCAG AA
        assert contrast(INK, bar) >= 4.5  # the threshold's mark on it
    for gray in (answer_table.GRAY, QUIET):
        assert contrast(gray, "#ffffff") >= 4.5
        assert contrast(gray, "#efefef") >= 4.5  # the window


# --- the numbers beside a call


def test_beside_a_call_stands_what_it_is_to_be_held_against(show, row):
    text = show(judged(row, "positive")).ui.endpointLabel.text
    for name, number in (
        *(("EGFR: mutant", "62 %"), ("Threshold", "48 %"), ("Base rate", "22 %"), ("Sensitivity", "71 % (56 to 83 %)")),
        *(("95 % interval of the patient", "53 to 74 %"), ("95 % calibration interval", "57 to 68 %")),
        *(("Contour moved by 1 mm", "60 to 65 %"), ("Model", "Deep-RadScore")),
    ):
        assert f"{name}</td><td>{number}</td>" in text.replace(" style='padding-right: 12px'", ""), name
    assert "Specificity" not in text  # it was not measured


def test_a_simpler_model_that_answers_says_so(row):
    text = details(judged(row, "positive", model="Tumor volume alone", role="baseline"), True, "")
    assert "Tumor volume alone, a simple model that is as good" in text
    refused = judged(row, "none", "no_skill", model="Tumor volume alone", role="baseline")
    assert "Tumor volume alone" in details(refused, with_numbers=False, made_by="")


def test_what_is_borderline_says_across_what(row):
    text = details(judged(row, "borderline", uncertainty=[0.4, 0.7]), True, "")
    assert "borderline: the interval of the patient reaches across the threshold" in text


# --- no answer, no number


def test_a_number_that_is_no_answer_is_nowhere_until_it_is_asked_for(show, row):
    window = show(judged(row, "none", "no_skill"))
    text = read_by_the_eye(window)
    for number in ("62 %", "53", "74 %", "57", "68 %", "60 to", "65 %"):
        assert number not in text, number
    assert "A sentence about no_skill." in text
    assert "not answered: no proven skill" in text
    button = window.ui.predictionsTable.cellWidget(0, answer_table.NUMBER)
    assert button.text == "Show the number"
    assert answer_table.GRAY in button.styleSheet
    click(button)
    assert button.text == "mutant: 62 %"
    assert "53 to 74 %" in window.ui.endpointLabel.text
    assert f"<span style='color: {QUIET}'><table" in window.ui.endpointLabel.text
    click(button)
    assert "62 %" not in read_by_the_eye(window)


def test_what_moved_a_number_is_shown_where_the_number_is(show, row):
    window = show(judged(row, "none", "no_skill"))
    assert window.ui.contributionChartButton.toolTip.startswith("Off: this finding is not answered.")
    click(window.ui.predictionsTable.cellWidget(0, answer_table.NUMBER))
    assert window.ui.contributionChartButton.enabled


def test_asking_for_one_number_shows_no_other(show, row, result_folder):
    content = json.loads((result_folder / "result.json").read_text(encoding="utf-8"))
    other = judged(content["lesions"][0]["endpoints"][0], "none", "no_skill")
    window = show(judged(row, "none", "no_skill"), other)
    click(window.ui.predictionsTable.cellWidget(0, answer_table.NUMBER))
    assert window.ui.predictionsTable.cellWidget(1, answer_table.NUMBER).text == "Show the number"
    click_cell(window.ui.predictionsTable, 1)
    assert percent(other["probability"]) not in window.ui.endpointLabel.text


def test_a_result_of_before_answers_were_judged_is_none(show, row):
    window = show({**row, "verdict": "positive"})
    assert window.results.result.damage == ""
    assert window.ui.predictionsTable.item(0, answer_table.ANSWER).text() == "not answered"
    assert "from before answers were judged. Predict again." in window.ui.endpointLabel.text


def test_what_the_library_refuses_is_shown_as_it_says_it(answered, refused_folder):
    stored = results.store(refused_folder, answered.shared.request())
    answered.results.show(stored)
    said = stored.endpoint("EGFR")["verdict"]["reasons"][0]["text"]
    click_cell(answered.ui.predictionsTable, 1)
    assert said in html.unescape(answered.ui.endpointLabel.text)
    assert answered.ui.unlikeLabel.visible
    farthest = stored.lesion["unlike"]["parts"][0]
    assert farthest["p"] <= 0.05
    assert farthest["text"] in answered.ui.unlikeLabel.text


# --- what stands above and below


def test_a_synthetic_model_is_the_first_line_of_the_results(show, row):
    assert not show(judged(row, "positive")).ui.syntheticLabel.visible
    window = show(judged(row, "none", "synthetic_model"), trained_on="synthetic")
    assert window.ui.syntheticLabel.text.startswith("A model of synthetic patients")
    tops = [widget.mapTo(window.ui.resultPanel, widget.rect.topLeft()).y() for widget in above(window)]
    assert tops == sorted(tops)


def above(window):
    ui = window.ui
    return ui.syntheticLabel, ui.resultComboBox, ui.predictionsTable, ui.endpointLabel


def test_a_tumor_that_is_like_the_cohort_has_no_such_line(show, row):
    assert not show(judged(row, "positive")).ui.unlikeLabel.visible


@pytest.mark.parametrize(
    ("heat", "text"),
    [
        (
            {"share": 0.12, "area_share": 0.1, "outside": False},
            "12 % of the heat lies inside tumor and ring, which fill 10 % of what the network saw.",
        ),
        (
            {"share": 0.04, "area_share": 0.1, "outside": True},
            "4 % of the heat lies inside tumor and ring, which fill 10 % of what the network saw: the network looks "
            "outside the tumor.",
        ),
        ({"share": None, "area_share": 0.1, "outside": False}, ""),
        (None, ""),
    ],
)
def test_where_the_heat_lies_is_told_beside_the_map(show, row, heat, text):
    window = show(judged(row, "positive", heat=heat))
    assert window.ui.heatMapNoteLabel.text == text


def test_the_map_of_a_finding_that_is_not_answered_says_so(show, row):
    heat = {"share": 0.12, "area_share": 0.1, "outside": False}
    text = show(judged(row, "none", "no_skill", heat=heat)).ui.heatMapNoteLabel.text
    assert text.startswith("This finding is not answered: its map says only where the network looked. 12 % of the heat")


# --- the bar


def pixels(bar):
    """Of the drawn bar: a function of column and row that gives `#rrggbb`."""
    image = draw(bar, WIDTH).toImage()
    return lambda x, y: image.pixelColor(x, y).name()


def test_a_bar_reaches_its_value_and_carries_its_marks():
    bar = Bar("", 0.6, "#a9c6e2", (0.5, 0.9), "band", threshold=0.3, base_rate=0.2, stability=(0.55, 0.65))
    at = pixels(bar)
    middle, band = WORDS + TRIANGLE + BODY // 2, HEIGHT - 4
    assert (at(58, middle), at(63, middle)) == ("#a9c6e2", "#ffffff")
    assert at(29, middle) == INK  # the threshold crosses the bar
    assert at(20, WORDS) == INK  # the base rate's triangle stands above it
    assert at(20, WORDS - 1) == "#ffffff"
    assert [at(x, band) for x in (48, 52, 88, 92)] == ["#ffffff", INK, INK, "#ffffff"]
    assert [at(x, band - 2) for x in (52, 60)] == ["#ffffff", INK]  # the thick band is thicker


def test_no_mark_crosses_the_words():
    bar = Bar("", 1.0, "#a9c6e2", (0.0, 1.0), "band", threshold=0.5, base_rate=0.5, stability=(0.0, 1.0))
    at = pixels(bar)
    assert {at(x, y) for x in range(WIDTH) for y in range(WORDS)} == {"#ffffff"}


def test_a_bar_shows_the_answers_figures(row):
    bar = bar_of(judged(row, "positive"))
    assert (bar.value, bar.threshold, bar.base_rate, bar.stability) == (0.62, 0.48, 0.22, (0.6, 0.65))
    assert (bar.band, bar.band_name) == ((0.53, 0.74), "95 % interval of the patient")
    assert legend([bar]) == "│ threshold   ▼ base rate   ─ 95 % interval of the patient   ━ contour moved by 1 mm"


def test_where_the_patients_interval_is_not_known_the_calibrations_is_named_so(row):
    bare = judged(row, "positive", uncertainty=None, stability=None, base_rate=None)
    bar = bar_of(bare)
    assert (bar.band, bar.band_name) == ((0.57, 0.68), "95 % calibration interval")
    assert legend([bar]) == "│ threshold   ─ 95 % calibration interval"
    assert answers.span_title(bare) == "95 % calibration"
