"""What a number in the window is of, in the words and colors of the report; whose the bundled models are."""

import copy
import json
import math
import re
from pathlib import Path

import pytest
import slicer
from PDL1PredictorGUI.background.batch import BatchRow
from PDL1PredictorGUI.background.batch_cases import BadCase
from PDL1PredictorGUI.scene import answers, charts, result_tables, results
from window_steps import judged

from PDL1PredictorLib.models.bundle import read_bundle
from PDL1PredictorLib.report import words
from PDL1PredictorLib.resources import find_model, model_names

ROOT = Path(__file__).resolve().parents[3]
WINDOW = (ROOT / "PDL1Predictor" / "Resources" / "UI" / "PDL1Predictor.ui").read_text(encoding="utf-8")


@pytest.fixture
def content(result_folder):
    return json.loads((result_folder / "result.json").read_text(encoding="utf-8"))


def endpoint(call="positive", *codes, **changes):
    """An EGFR answer as in `result.json`: 10.6 %, and called mutant all the same."""
    base = {"endpoint": "EGFR", "title": "EGFR", "definition": "EGFR mutation", "kind": "binary", "coverage": 0.9}
    base |= {"prediction_set": ["positive"], "contributions": [], "heat_map": None, "heat": None, "positive": True}
    base |= {"positive_word": "mutant", "negative_word": "wild type", "model": "Deep-RadScore", "role": "lead"}
    base |= {"probability": 0.106, "interval": [0.081, 0.203], "threshold": 0.08}
    base |= {"uncertainty": [0.085, 0.25], "stability": [0.09, 0.12], "base_rate": 0.22}
    base |= {"sensitivity": {"value": 0.71, "low": 0.55, "high": 0.83}, "specificity": None}
    return judged(base, call, *codes, **changes)


def a_number(call="value", *codes, **changes):
    """A TPS of 34.6 % as in `result.json`."""
    base = {"endpoint": "TPS", "title": "PD-L1 TPS", "definition": "tumor proportion score", "kind": "number"}
    base |= {"value": 34.6, "unit": "%", "interval": [11.8, 61.2], "coverage": 0.9, "heat_map": None, "heat": None}
    base |= {"contributions": [{"name": "log_volume", "value": 0.9, "effect": 8.25}]}
    return judged(base, call, *codes, **changes)


@pytest.fixture
def numbered(answered, content):
    """The window with a result of a number beside a yes or no, the number chosen."""
    content["lesions"][0]["endpoints"][0] = a_number()
    answered.results.result.main.SetText(json.dumps(content))
    results.restore(answered.results.result)
    answered.shared.parameters.endpoint = "TPS"
    answered.shared.refresh()
    return answered


def test_a_number_stands_beside_a_yes_or_no(numbered):
    table = numbered.ui.predictionsTable
    headers = [table.horizontalHeaderItem(n).text() for n in range(table.columnCount)]
    assert headers == ["Finding", "Answer", "Value", "Interval"]
    assert table.cellWidget(0, 2).accessibleName == "35 %"
    assert [table.item(0, n).text() for n in (1, 3)] == ["35 %", "12 to 61 %"]
    text = numbered.ui.endpointLabel.text
    assert "<b>PD-L1 TPS 35 % (90 % prediction interval 12 to 61 %)</b>" in text
    assert "PD-L1 TPS means tumor proportion score." in text


def test_the_window_says_what_ran_the_network(numbered, content):
    provenance = content["provenance"]
    assert f"network run by {provenance['network']} on cpu" in numbered.ui.endpointLabel.text
    content["provenance"]["network"] = "none"
    numbered.results.result.main.SetText(json.dumps(content))
    assert ", no network. " in numbered.results.result.made_by


def test_that_likeness_is_not_known_is_said(numbered, content):
    assert re.search(r"Atypicality \(limit 1\): \d+\.\d\d\.", numbered.results.result.made_by)
    content["lesions"][0]["atypicality"] = None
    numbered.results.result.main.SetText(json.dumps(content))
    assert numbered.results.result.made_by.endswith("Atypicality (limit 1): not known for this model.")


def test_a_result_of_before_answers_had_kinds_is_shown(answered, content):
    for row in content["lesions"][0]["endpoints"]:
        del row["kind"]
    del content["provenance"]["network"]
    answered.results.result.main.SetText(json.dumps(content))
    assert answered.results.result.damage == ""
    answered.shared.refresh()
    assert "network run by torch" in answered.ui.endpointLabel.text


def test_the_chart_puts_a_number_on_its_own_scale(numbered):
    chart = charts.probability_chart(numbered.results.result)
    bars = chart.GetNthPlotSeriesNode(0)
    assert bars.GetName() == "Answer"
    table = bars.GetTableNode().GetTable()
    assert table.GetColumnByName("probability").GetValue(0) == pytest.approx(0.346)
    assert math.isnan(table.GetColumnByName("threshold").GetValue(0))
    assert chart.GetXAxisTitle().startswith("1 PD-L1 TPS (0 % to 100 %)")
    assert chart.GetYAxisTitle() == "Probability, or share of the scale"
    why = charts.contribution_chart(numbered.results.result, "TPS")
    assert why.GetYAxisTitle() == "Change in percentage points"
    assert why.GetNthPlotSeriesNode(0).GetName() == "up: towards higher, down: towards lower"


def test_the_tables_of_a_number_and_a_yes_or_no_have_the_columns_of_both(content):
    lesion = {"endpoints": [a_number(), content["lesions"][0]["endpoints"][1]]}
    columns = {column.name: column for column in result_tables.prediction_columns(lesion)}
    assert list(columns)[:6] == ["endpoint", "status", "answer", "reasons", "probability", "value"]
    assert {"interval_low", "interval_high", "uncertainty_low", "unit", "threshold", "base_rate"} <= columns.keys()
    assert columns["value"].values[0] == 34.6
    assert math.isnan(columns["value"].values[1])
    assert math.isnan(columns["probability"].values[0])
    assert columns["unit"].values == ["%", ""]
    assert columns["interval_low"].title == "Calibration or prediction interval, from"
    (_, _, effect) = result_tables.contribution_columns(a_number())
    assert effect.title == "Effect (percentage points)"


def test_a_low_probability_of_a_called_answer_cannot_be_misread():
    said = answers.what_the_number_is(endpoint())
    assert said == "Probability of “mutant”: 11 %, 95 % calibration interval 8 to 20 %. Called mutant from 8 %."


def test_the_table_names_the_answer_whose_probability_it_shows(answered):
    ui = answered.ui
    headers = [ui.predictionsTable.horizontalHeaderItem(n).text() for n in range(ui.predictionsTable.columnCount)]
    assert headers == ["Finding", "Answer", "Probability of", "95 % range"]
    for number, row in enumerate(answered.results.result.lesion["endpoints"]):
        bar = ui.predictionsTable.cellWidget(number, 2)
        assert bar.accessibleName == f"{row['positive_word']}: {words.percent(row['probability'])}"
        assert f"Threshold: {words.percent(row['threshold'])}" in bar.toolTip
        assert f"Base rate: {words.percent(row['base_rate'])}" in ui.predictionsTable.item(number, 0).toolTip()
        assert ui.predictionsTable.item(number, 1).text() == answers.answer(row)


def test_that_maps_are_scaled_by_themselves_is_said_beside_the_legend_and_in_the_section(answered):
    assert "Each map is scaled by itself" in answered.ui.heatMapScaleLabel.text
    answered.shared.parameters.endpoint = next(iter(answered.results.result.heat_maps))
    answered.shared.refresh()
    shown = [node for node in slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode") if node.GetVisibility()]
    assert [node.GetTitleText().split("\n")[1] for node in shown] == ["1 = its own maximum"]


# --- warnings


def test_every_warning_of_a_result_is_shown_also_those_of_codes_that_are_new(answered, content, result_folder):
    content["warnings"].append({"code": "slices_interpolated", "text": "2 slices were filled in: 1.3 mL."})
    content["lesions"][0]["warnings"].append({"code": "parts_left_out", "text": "0.4 mL were left out."})
    answered.results.result.main.SetText(json.dumps(content))
    results.restore(answered.results.result)
    answered.shared.refresh()
    text = answered.ui.warningsLabel.text
    for warning in [*content["warnings"], *content["lesions"][0]["warnings"]]:
        assert warning["text"] in text


# --- the batch


def tell(window, content, problem=""):
    """A row of a batch has come; gives the table's texts, and the first tooltip."""
    window.batch._cases = [BadCase("a", "")]
    window.batch._list()
    window.batch.on_row(0, BatchRow("a", Path("a") if content else None, content, problem))
    table = window.ui.batchTable
    return [table.item(0, column).text() for column in range(3)], table.item(0, 1).toolTip()


def test_the_batchs_column_is_pd_l1_where_the_model_predicts_it(shown, content):
    (_name, answer, _status), tip = tell(shown, content)
    first = content["lesions"][0]["endpoints"][0]
    assert shown.ui.batchTable.horizontalHeaderItem(1).text() == "PD-L1: positive"
    assert answer.startswith(f"{words.percent(first['probability'])}, ")
    assert tip.startswith("PD-L1: Probability of “positive”")


def test_the_batchs_column_follows_a_model_that_does_not_predict_pd_l1(shown, content):
    other = copy.deepcopy(content)
    other["lesions"][0]["endpoints"] = [endpoint()]
    (_name, answer, _status), tip = tell(shown, other)
    assert shown.ui.batchTable.horizontalHeaderItem(1).text() == "EGFR: mutant"
    assert answer == "11 %, called mutant"
    assert "Called mutant from 8 %" in tip


def test_the_batchs_column_holds_no_number_where_there_is_no_answer(shown, content):
    other = copy.deepcopy(content)
    other["lesions"][0]["endpoints"] = [endpoint("none", "no_skill")]
    (_name, answer, _status), tip = tell(shown, other)
    assert answer == "not answered: no proven skill"
    assert tip.startswith("EGFR: A sentence about no_skill.")
    assert "%" not in answer + tip


def test_the_batchs_column_holds_a_number_where_that_leads(shown, content):
    other = copy.deepcopy(content)
    other["lesions"][0]["endpoints"] = [a_number()]
    (_name, answer, _status), tip = tell(shown, other)
    assert shown.ui.batchTable.horizontalHeaderItem(1).text() == "PD-L1 TPS"
    assert answer == "35 % (12 to 61 %)"
    assert tip.startswith("PD-L1 TPS: Expected value 35 %, 90 % prediction interval 12 to 61 %.")


def test_a_case_without_an_answer_leaves_the_column_empty(shown):
    texts, tip = tell(shown, {}, "There is no mask.")
    assert texts == ["a", "", "There is no mask."]
    assert tip == "There is no mask."


@pytest.mark.parametrize(
    ("of_case", "of_lesion", "status"),
    [
        ([], [], "done"),
        (["thick_slices"], [], "done, 1 warning: thick_slices"),
        (["thick_slices"], ["ring_cut", "thick_slices"], "done, 3 warnings: thick_slices, ring_cut"),
    ],
)
def test_a_batchs_row_names_its_warnings(shown, content, of_case, of_lesion, status):
    content["warnings"] = [{"code": code, "text": f"{code} in words"} for code in of_case]
    content["lesions"][0]["warnings"] = [{"code": code, "text": f"{code} in words"} for code in of_lesion]
    texts, tip = tell(shown, content)
    assert texts[2] == status
    assert all(f"{code}: {code} in words" in tip for code in (*of_case, *of_lesion))


# --- the bundled models


def test_the_about_box_tells_the_models_apart_and_names_the_cohorts(shown):
    text = slicer.modules.pdl1predictor.acknowledgementText
    for part in (
        "Of the bundled models",
        "end in -demo",
        "synthetic patients only",
        "Bakr et al. 2018",
        "10.1038/sdata.2018.202",
    ):
        assert part in text
    for part in ("The Cancer Imaging Archive", "CC BY 3.0", "makes no call on PD-L1"):
        assert part in text


def test_no_tooltip_speaks_of_one_bundled_model():
    assert not re.search(r"[Tt]he bundled model\b(?!s)", WINDOW)


def test_a_case_that_an_earlier_run_had_done_says_so(shown, content):
    content["warnings"], content["lesions"][0]["warnings"] = [], []
    window = shown
    window.batch._cases = [BadCase("a", "")]
    window.batch._list()
    window.batch.on_row(0, BatchRow("a", Path("a"), content, "", reused=True))
    assert window.ui.batchTable.item(0, 2).text() == "done earlier"


@pytest.mark.parametrize("name", model_names())
def test_what_the_tooltips_say_of_the_bundled_models_is_so(name):
    regions = read_bundle(find_model(name)).manifest["regions"]
    assert "The bundled models were trained with 3 mm" in WINDOW
    assert regions["ring_mm"] == 3.0
    assert not regions["exclude_air"]  # "trained with it": air and bone were part of the ring
    assert not regions["exclude_bone"]


def test_the_module_says_whose_logics_it_uses(shown):
    assert {"Segmentations", "Colors", "Plots"} <= set(slicer.modules.pdl1predictor.dependencies)
