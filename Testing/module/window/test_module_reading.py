"""How a result is read in the window: what comes first, contributions in words, another base rate, copied lines."""

import json

import pytest
import qt
from PDL1PredictorGUI.scene import results
from PDL1PredictorGUI.scene.parameters import base_rate, set_base_rate
from slicerhost.user import click
from window_steps import judged

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.report.colors import NOTICES
from PDL1PredictorLib.report.html import contribution_rows
from PDL1PredictorLib.report.kinds import read_answer
from PDL1PredictorLib.report.reading.base_rate import base_rate_words
from PDL1PredictorLib.report.reading.contribution_groups import contribution_groups

BEHIND = [
    {"name": "tumor_original_glcm_Contrast", "share": 0.7},
    {"name": "tumor_original_shape_MeshVolume", "share": -0.3},
]


@pytest.fixture
def show(answered):
    """A function that changes the shown result: the model, the tumor, or each endpoint's entry; gives the window."""

    def put(change=lambda row: row, trained_on="patients", **lesion):
        main = answered.results.result.main
        content = json.loads(main.GetText())
        rows = [change(row) for row in content["lesions"][0]["endpoints"]]
        content["lesions"][0] |= {"endpoints": rows, **lesion}
        content["model"]["trained_on"] = trained_on
        main.SetText(json.dumps(content))
        results.restore(answered.results.result)
        answered.shared.refresh()
        return answered

    return put


def refused(code):
    return lambda row: judged(row, "none", code)


def top_of(widget, window):
    return widget.mapTo(window.ui.resultPanel, qt.QPoint(0, 0)).y()


# --- what comes first


def test_what_must_not_be_overlooked_stands_above_the_answers(show):
    unlike = {"unlike": {"p": 0.01, "parts": [], "flagged": True}, "atypicality": 3.0}
    window = show(refused("no_skill"), "synthetic", **unlike)
    ui = window.ui
    said = [ui.syntheticLabel, ui.unlikeLabel, ui.skillLabel, ui.purposeLabel]
    assert all(label.visible and label.text for label in said)
    tops = [top_of(widget, window) for widget in (*said, ui.predictionsTable, ui.endpointLabel, ui.warningsLabel)]
    assert tops[:-1] == sorted(tops[:-1])
    assert "synthetic patients" in ui.syntheticLabel.text
    assert "unlike" in ui.unlikeLabel.text
    assert ui.skillLabel.text.startswith("No proven skill")
    assert ui.purposeLabel.text.startswith("What this model is for: ")
    for label in said[:3]:
        assert NOTICES["strong"].ground in label.styleSheet
        assert "font-weight: bold" in label.styleSheet
    assert NOTICES["note"].ground in ui.purposeLabel.styleSheet


def test_where_there_is_nothing_to_warn_of_only_the_purpose_is_said(show):
    ui = show().ui
    assert not any(label.visible for label in (ui.syntheticLabel, ui.unlikeLabel, ui.skillLabel))
    assert ui.purposeLabel.visible


# --- contributions


def texts(item):
    """Both columns of an item and of all below it."""
    return [(item.text(0), item.text(1)), *(pair for n in range(item.childCount()) for pair in texts(item.child(n)))]


def test_contributions_stand_in_groups_with_the_features_behind(show):
    moved = [
        {"name": "radscore_tumor", "value": 1.0, "effect": 0.5, "behind": BEHIND},
        {"name": "deep_1", "value": 0.0, "effect": -0.25},
        {"name": "sex", "value": 0.0, "effect": 0.125},
    ]
    window = show(lambda row: row | {"contributions": moved})
    tree = window.ui.contributionsTree
    tops = [tree.topLevelItem(n) for n in range(tree.topLevelItemCount)]
    row = window.results.result.endpoint(window.shared.parameters.endpoint)
    groups = contribution_groups(read_answer(row))
    assert [item.text(0) for item in tops] == [group.title for group in groups]
    assert [item.text(0) for item in tops] == ["Tumor radiomics", "Network", "Clinical values"]
    assert texts(tops[0]) == [
        ("Tumor radiomics", f"+0.50, towards {row['positive_word']}"),
        ("RadScore, tumor", f"+0.50, towards {row['positive_word']}"),
        ("Contrast (GLCM), tumor", "70 % of it, raises it"),
        ("Mesh Volume (shape), tumor", "30 % of it, lowers it"),
    ]
    assert tree.headerItem().text(1) == "Effect in log-odds"
    assert "log-odds" in window.ui.contributionsNoteLabel.text


def test_the_tree_grows_with_what_is_opened(show):
    window = show()
    tree = window.ui.contributionsTree
    before = tree.height
    tree.topLevelItem(0).setExpanded(True)
    assert tree.height > before
    tree.topLevelItem(0).setExpanded(False)
    assert tree.height == before


def test_the_groups_hold_every_input_of_the_report(show):
    window = show()
    answer = read_answer(window.results.result.endpoint(window.shared.parameters.endpoint))
    in_groups = {line.title for group in contribution_groups(answer) for line in group.lines}
    named = [row for row in contribution_rows(answer.contributions) if row.value is not None]
    assert len(named) >= 2
    assert {row.title for row in named} <= in_groups
    assert len(in_groups) == len(answer.contributions)


def test_what_moved_a_withheld_number_is_hidden_with_it(show):
    window = show(refused("no_skill"))
    assert not window.ui.contributionsTree.visible
    assert "not answered" in window.ui.contributionsNoteLabel.text
    click(window.ui.predictionsTable.cellWidget(0, 2))
    assert window.ui.contributionsTree.visible
    assert window.ui.contributionsTree.topLevelItemCount > 0


# --- another base rate


def test_another_base_rate_is_told_beside_the_models_own_and_the_call_stays(show):
    numbers = {"probability": 0.6, "interval": [0.5, 0.7], "uncertainty": [0.5, 0.7], "base_rate": 0.5}
    window = show(lambda row: row | numbers)
    ui, key = window.ui, window.shared.parameters.endpoint
    before = ui.predictionsTable.item(0, 1).text(), ui.endpointLabel.text
    assert not ui.baseRateLabel.visible
    ui.baseRateSpinBox.value = 20.0
    answer = read_answer(window.results.result.endpoint(key))
    assert ui.baseRateLabel.text.replace("\u00a0", " ") == base_rate_words(answer, 0.2)
    assert "27\u00a0%" in ui.baseRateLabel.text  # odds 1.5 / 4
    assert "60\u00a0%" in ui.baseRateLabel.text
    assert (ui.predictionsTable.item(0, 1).text(), ui.endpointLabel.text) == before
    ui.baseRateSpinBox.value = 0.0
    assert not ui.baseRateLabel.visible


def test_each_finding_keeps_its_own_base_rate(show):
    window = show(lambda row: row | {"base_rate": 0.5})
    first, second = window.results.result.endpoints
    parameters = window.shared.parameters
    parameters.endpoint = first
    window.ui.baseRateSpinBox.value = 20.0
    parameters.endpoint = second
    assert window.ui.baseRateSpinBox.value == 0.0
    parameters.endpoint = first
    assert window.ui.baseRateSpinBox.value == pytest.approx(20.0)
    assert base_rate(parameters, first) == pytest.approx(0.2)
    set_base_rate(parameters, first, None)
    assert parameters.base_rates == ""
    parameters.base_rates = "no JSON"
    assert base_rate(parameters, first) is None


def test_where_it_cannot_be_recalculated_the_control_is_off_and_says_why(show):
    window = show(lambda row: row | {"base_rate": None})
    assert not window.ui.baseRateSpinBox.enabled
    assert "does not say how frequent" in window.ui.baseRateSpinBox.toolTip
    window = show(refused("no_skill"))
    assert "is not answered" in window.ui.baseRateSpinBox.toolTip


# --- copied lines


def test_copy_puts_the_librarys_lines_onto_the_clipboard(show):
    window = show()
    click(window.ui.copyButton)
    lines = qt.QApplication.clipboard().text().splitlines()
    assert len(lines) == 5
    assert lines[-1] == RESEARCH_USE_ONLY
    assert window.results.result.lesion["endpoints"][0]["title"] in lines[1]
