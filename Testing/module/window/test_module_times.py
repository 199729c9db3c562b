"""A time until an event in the window: a chance with its months, a bar of it, and all months where there is room."""

import json

import pytest
from PDL1PredictorGUI.scene import answers, results
from PDL1PredictorGUI.window import answer_table
from PDL1PredictorGUI.window.answer_text import details

ENTRY = {
    "kind": "time",
    "endpoint": "PFS",
    "title": "Progression-free survival",
    "definition": "time to progression or death",
    "at": [
        {"days": 182.625, "survival": 0.81, "interval": [0.7, 0.9], "stability": [0.8, 0.83]},
        {"days": 365.25, "survival": 0.62, "interval": [0.48, 0.74], "stability": [0.6, 0.65]},
        {"days": 730.5, "survival": 0.37, "interval": [0.21, 0.53], "stability": [0.35, 0.4]},
    ],
    "log_hazard": 0.4,
    "unit": "days",
    "verdict": {"status": "answered", "call": "value", "reasons": []},
    "verdict_text": "",
    "model": "Radiomics L2",
    "role": "part",
    "contributions": [{"name": "log_volume", "value": 1.2, "effect": 0.4}],
    "heat_map": None,
    "heat": None,
}


@pytest.fixture
def window(answered):
    """With a yes or no and a time."""
    main = answered.results.result.main
    content = json.loads(main.GetText())
    content["lesions"][0]["endpoints"] = [content["lesions"][0]["endpoints"][0], ENTRY]
    content["model"]["trained_on"] = "patients"
    main.SetText(json.dumps(content))
    results.restore(answered.results.result)
    answered.shared.parameters.endpoint = "PFS"
    answered.shared.refresh()
    return answered


def test_the_table_tells_the_chance_at_a_year(window):
    table = window.ui.predictionsTable
    row = next(n for n in range(table.rowCount) if table.item(n, 0).text() == "Progression-free survival")
    assert table.item(row, answer_table.ANSWER).text() == "62 % at 12 months"
    assert "48 to 74 %" in table.item(row, answer_table.SPAN).text()


def test_what_stands_below_tells_every_month(window):
    text = window.ui.endpointLabel.text
    for words in ("81 % at 6 months", "62 % at 12 months", "37 % at 24 months"):
        assert words in text


def test_facts_and_ranges_of_a_time_are_told():
    facts = {fact.name: fact.text for fact in answers.facts(ENTRY)}
    assert facts["Free of it at 24 months"] == "37 % (21 to 53 %)"
    assert answers.span(ENTRY, "stability") == "60 to 65 %"
    assert answers.span(ENTRY, "uncertainty") == ""
    assert answers.main_span(ENTRY) == "interval"
    assert answers.number(ENTRY) == "62 % at 12 months"
    assert "Radiomics L2" in details(ENTRY, with_numbers=True, made_by="")


def test_a_time_that_is_not_answered_shows_no_chance(window):
    refused = {"status": "not_answered", "call": "none", "reasons": [{"code": "no_skill", "text": "C 0.5."}]}
    row = {**ENTRY, "verdict": refused}
    assert answers.answer(row) == "not answered"
    assert not answers.answered(row)
    assert "62 %" not in details(row, with_numbers=False, made_by="")
