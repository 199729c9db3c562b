"""The report's folder and page: whole, self-contained, escaped, and saying what the document says."""

import csv
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from html_page import Page

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError, OutputError
from PDL1PredictorLib.core.results import CaseWarning
from PDL1PredictorLib.report.words import p_value
from PDL1PredictorLib.study.report.checklist_items import CHECKLISTS
from PDL1PredictorLib.study.report.checklists import filled_checklists, run_answers
from PDL1PredictorLib.study.report.document import schema, study_document
from PDL1PredictorLib.study.report.page import (
    beside,
    cell,
    columns_of,
    columns_of_results,
    estimate,
    flat,
    is_words,
    to_html,
)
from PDL1PredictorLib.study.report.write import write_predictions, write_study_report

LEAD, BASELINE = "Two-eyes", "Size alone"
EVIL = '"><script>alert(1)</script>{{ 7 * 7 }}'


@pytest.fixture(scope="module")
def folder(study, tmp_path_factory):
    """The report of a study of three endpoints, at a path with a space and letters beyond ASCII."""
    target = tmp_path_factory.mktemp("reports") / "Übersicht 報告"
    assert write_study_report(study, target) == target / "report.html"
    return target


@pytest.fixture(scope="module")
def html(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


@pytest.fixture
def small(make_study):
    return make_study(keys=("PDL1",), sizes=(24,))


def page_of(outcome):
    return Page(to_html(study_document(outcome), beside(outcome)))


def test_four_files_are_written_and_nothing_else(folder):
    names = ["contributions.safetensors", "predictions.csv", "report.html", "study.json"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_the_json_is_the_document_and_keeps_its_schema(folder, study):
    content = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator(schema()).validate(content)
    assert content == study_document(study)


def test_the_same_outcome_gives_the_same_bytes(small, make_study, tmp_path):
    write_study_report(small, tmp_path / "a")
    write_study_report(make_study(keys=("PDL1",), sizes=(24,)), tmp_path / "b")
    for name in ("report.html", "study.json", "predictions.csv", "contributions.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_predictions_come_back_exactly(folder, study):
    with (folder / "predictions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 4 * 120 + 3 * 180 + 4 * 60
    found = study.endpoints["LVI"]
    fused = [row for row in rows if row["endpoint"] == "LVI" and row["model"] == LEAD]
    assert [row["case"] for row in fused] == list(found.cases)
    assert [float(row["probability"]) for row in fused] == found.models[LEAD].probability.tolist()
    assert [row["label"] for row in fused] == [str(label) for label in found.labels]
    words = {(True, False): "negative", (False, True): "positive", (True, True): "both", (False, False): "none"}
    assert [row["prediction_set"] for row in fused] == [words[tuple(pair)] for pair in found.prediction_sets.tolist()]
    assert {row["prediction_set"] for row in rows if row["model"] != LEAD} == {""}


def test_an_existing_report_is_kept_unless_it_may_be_replaced(small, tmp_path):
    target = tmp_path / "report"
    target.mkdir()
    (target / "mine.txt").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_study_report(small, target)
    assert [path.name for path in target.iterdir()] == ["mine.txt"]
    write_study_report(small, target, overwrite=True)
    assert not (target / "mine.txt").exists()


def test_a_report_that_cannot_be_finished_leaves_nothing(small, tmp_path):
    odd = replace(small, endpoints={"HER2": replace(small.endpoints["PDL1"], key="HER2")})
    with pytest.raises(InputError, match="HER2"):
        write_study_report(odd, tmp_path / "report")
    assert list(tmp_path.iterdir()) == []


def test_every_tag_is_closed_and_every_drawing_is_sound(html):
    assert Page(html).open == []
    drawings = re.findall(r"<svg.*?</svg>", html, flags=re.DOTALL)
    assert len(drawings) == 1 + 1 + 3 * 8 + 1 + 2 * 4 + 1  # overview, flow, endpoints, heat legend, gallery, learning
    for drawing in drawings:
        ET.fromstring(drawing)


def test_nothing_is_asked_from_outside_and_nothing_runs(html):
    for tag, attributes in Page(html).tags:
        assert tag not in {"script", "link", "iframe", "object", "embed", "base", "img"}
        for name, value in attributes.items():
            assert not name.startswith("on")
            if name in {"src", "href", "xlink:href", "action", "data"}:
                assert value.startswith(("data:image/png;base64,", "#"))
    assert "@import" not in html
    assert set(re.findall(r"https?://[^\"' <]+", html)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }  # names of languages, not addresses that are asked


def test_every_place_that_is_pointed_at_exists_once(html):
    ids = re.findall(r'\sid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#([^")]+)', html)) <= set(ids)


def test_the_research_line_stands_at_top_and_bottom(html):
    text = Page(html).text
    assert text.count(RESEARCH_USE_ONLY) == 2
    assert text.index(RESEARCH_USE_ONLY) < text.index("Results")
    assert text.endswith(RESEARCH_USE_ONLY)


def test_text_stays_text(html):
    assert "Pearson correlation of the inputs" in Page(html).text


def test_the_headline_table_tells_the_documents_areas(html, study):
    text = Page(html).text
    for numbers in study_document(study)["endpoints"].values():
        area = numbers["models"][LEAD]["auc"]
        assert f"{area['value']:.2f} ( {area['low']:.2f} to {area['high']:.2f} )".replace("( ", "(").replace(
            " )", ")"
        ) in (text)


def test_every_part_of_the_report_is_there(html):
    text = Page(html).text
    parts = [
        "Before you read on",
        "The cohort is made up",
        "Area under the ROC curve",
        "no model: only 4 positive cases in training",
        "Flow of cases",
        "could not be used: n = 2",
        "image and mask lie on different grids",
        "Table 1: the cohort",
        "chi-square",
        "Performance with 95 % intervals",
        "DeLong's test against Two-eyes",
        "Prediction sets at 90 % coverage",
        "Confusion matrices",
        "Selected features",
        "What goes into Two-eyes",
        "Contributions; number: mean |value|",
        "Grad-CAM of the network",
        "Learning curves",
        "Backbones compared",
        "Method of the recipe two-eyes",
        "near-zero variance dropped",
        "pdl1 train --recipe two-eyes",
        "settings.deep.seed = 7",
        "regions.ring_mm",
        "CLEAR: 35 of 58 items",
        "METRICS: 17 of 30 items",
        "TRIPOD+AI: 23 of 52 items",
    ]
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.count("for the authors") > 58 + 30 + 52 - 35 - 17 - 23


def test_the_design_is_said_where_it_matters(html, make_study):
    split = Page(html).text
    folded = page_of(make_study(Design.NESTED, keys=("PDL1",), sizes=(24,))).text
    assert "On test cases that nothing had seen" in split
    assert "among the cases of its fold; mean over 2 divisions into 3 folds" in folded
    assert "on 67 % of the cases" in folded
    assert "On test cases that nothing had seen" not in folded
    assert "% of folds that selected it" in folded
    assert "each fold's own" in folded


def test_names_and_texts_from_outside_are_only_text(small):
    found = small.endpoints["PDL1"]
    found = replace(
        found,
        cases=(EVIL, *found.cases[1:]),
        models={name: replace(model, classifier=EVIL) for name, model in found.models.items()},
        input_names=(EVIL, *found.input_names[1:]),
        coefficients={"tumor": {EVIL: 1.0}},
        counts={EVIL: (1, 2)},
    )
    odd = replace(
        small,
        title=EVIL,
        command=EVIL,
        recipe=EVIL,
        method=f"{EVIL}\n\n- {EVIL}",
        settings={EVIL: EVIL},
        provenance={EVIL: EVIL},
        table_1=[{EVIL: EVIL}],
        flow=[(EVIL, 1)],
        failed={EVIL: EVIL},
        case_warnings={EVIL: (CaseWarning(EVIL, EVIL),)},
        left_out={"ALK": EVIL},
        backbones=[{EVIL: EVIL}],
        notes=(EVIL,),
        endpoints={"PDL1": found},
        gallery=(replace(small.gallery[0], case=EVIL),),
    )
    page = page_of(odd)
    assert "script" not in {tag for tag, _ in page.tags}
    assert page.text.count(EVIL) > 15
    assert "49" not in re.findall(r"alert\(1\)</script>(.*?)7", page.text)


def test_the_page_tells_which_cases_were_used_with_a_warning(small):
    told = {"case_007": (CaseWarning("ring_cut", "The field of view cuts 3 % of the ring."),)}
    assert "Cases that were used with a warning" not in page_of(small).text
    text = page_of(replace(small, case_warnings=told)).text
    assert "Cases that were used with a warning (1)" in text
    assert "The field of view cuts 3 % of the ring." in text


def test_the_page_tells_whose_learning_curves_they_are(small):
    first = "Of the first training that held out a part of the training cases"
    assert first not in page_of(small).text
    assert first in page_of(replace(small, settings={**small.settings, "network": "trained"})).text


def test_a_bare_study_still_makes_a_page(small):
    found = replace(
        small.endpoints["PDL1"], labels=np.ones(24, int), coefficients={}, contributions=None, bayes_auc=None, counts={}
    )
    bare = replace(
        small,
        endpoints={"PDL1": found},
        settings={},
        provenance={},
        table_1=[],
        flow=[],
        failed={},
        left_out={},
        history=(),
        backbones=[],
        gallery=(),
        notes=(),
    )
    text = page_of(bare).text
    assert "Cases of both kinds are needed to measure a model; these are not." in text
    for absent in ("Table 1: the cohort", "Heat maps", "Learning curves", "Before you read on", "Bayes AUC", "Seeds:"):
        assert absent not in text


def test_a_study_of_left_out_endpoints_alone_says_why(small):
    text = page_of(replace(small, endpoints={}, gallery=())).text
    assert "ROS1 no model: only 4 positive cases in training; 10 are needed" in text


def test_a_model_that_is_missing_is_a_dash(study, html):
    assert BASELINE not in study.endpoints["LVI"].models
    row = re.search(r'<td><a href="#endpoint-LVI">.*?</tr>', html, flags=re.DOTALL)
    assert row is not None
    assert re.findall(r'<td class="num">–</td>', row[0]) == ['<td class="num">–</td>']


@pytest.mark.parametrize(
    ("column", "value", "shown"),
    [
        ("p", 0.0004, "< 0.001"),
        ("p", 0.04213, "0.042"),
        ("auc", 0.79123, "0.791"),
        ("seconds", 1234.5, "1.23e+03"),
        ("change", -0.5, "−0.500"),
        ("parameters", 7978856, "7\u202f978\u202f856"),
        ("done", True, "yes"),
        ("x", None, "–"),
        ("x", float("nan"), "–"),
        ("sizes", [1, 2], "1, 2"),
        ("name", "p", "p"),
    ],
)
def test_values_of_unknown_columns_are_shown_plainly(column, value, shown):
    assert cell(column, value) == shown


def test_too_many_models_for_a_page_leave_lead_and_baselines_in_the_table_of_results():
    few = {"a": "part", "b": "lead", "c": "baseline"}
    assert columns_of_results(few) == ["a", "b", "c"]
    assert columns_of_results({"n": "part", "m": "part", "k": "part", **few}) == ["b", "c"]


def test_columns_without_content_are_left_out_and_words_are_told_from_numbers(study):
    columns = ["variable", "level", "all", "positive", "negative", "p", "test"]
    assert columns_of(study.table_1) == columns
    assert [is_words(study.table_1, column) for column in columns] == [True, True, False, False, False, False, True]


def test_a_variable_is_named_once_for_all_its_levels(html):
    rows = re.findall(r'<td( class="again")?>Sex</td>', html)
    assert rows == ["", ' class="again"']


def test_estimates_and_p_without_a_value_are_dashes():
    assert estimate(None) == estimate({"value": None, "low": 0.0, "high": 1.0}) == "–"
    assert "(0.25 to 0.75)" in estimate({"value": 0.5, "low": 0.25, "high": 0.75})
    assert p_value(None) == "–"


def test_nested_settings_become_lines():
    assert flat({"a": {"b": 1e-5, "c": {"d": [1, 2]}}, "e": None}) == {"a.b": "1e-05", "a.c.d": "1, 2", "e": "–"}


def test_the_checklists_are_whole():
    numbers = {checklist.name: [item.number for item in checklist.items] for checklist in CHECKLISTS}
    assert numbers["CLEAR"] == [str(n) for n in range(1, 59)]
    assert numbers["METRICS"] == [str(n) for n in range(1, 31)]
    tripod = numbers["TRIPOD+AI"]
    assert len(tripod) == len(set(tripod)) == 52
    assert sorted({int(re.sub(r"\D", "", number)) for number in tripod}) == list(range(1, 28))


def test_every_answer_belongs_to_an_item_and_every_item_asks_for_one_that_exists(study):
    asked = {item.answer for checklist in CHECKLISTS for item in checklist.items} - {""}
    assert asked == set(run_answers(study))


def test_what_a_run_does_not_know_is_left_to_the_authors(small):
    answers = {
        item["item"]: item["answer"]
        for item in filled_checklists(replace(small, notes=(), flow=[], table_1=[], provenance={}))[0]["items"]
    }
    assert answers["8"] is None  # ethics
    assert answers["13"] is answers["44"] is answers["45"] is answers["56"] is None
    assert answers["33"] == "On training cases alone; steps: Method."


def test_the_split_is_answered_by_design(study, folded_study):
    assert "test cases were used once" in run_answers(study)["split"]
    assert "inside the training folds" in run_answers(folded_study)["split"]


def test_predictions_are_written_row_by_row(small, tmp_path):
    with (tmp_path / "p.csv").open("w", encoding="utf-8", newline="") as file:
        write_predictions(small, file)
    lines = (tmp_path / "p.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "endpoint,case,label,model,probability,positive,called,prediction_set,score,fold"
    assert len(lines) == 1 + 4 * 24
