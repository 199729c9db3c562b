"""Endpoints that are numbers: the document held against sums by hand, the page, the table, and what is refused."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from html_page import Page

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.study.outcome import EndpointOutcome, NumberModelOutcome
from PDL1PredictorLib.study.report.checklists import run_answers
from PDL1PredictorLib.study.report.document import schema, study_document
from PDL1PredictorLib.study.report.kinds import KINDS, kind_report
from PDL1PredictorLib.study.report.page import beside, to_html
from PDL1PredictorLib.study.report.write import write_predictions, write_study_report

VALIDATOR = jsonschema.Draft202012Validator(schema())
OBSERVED = np.array([0.0, 10.0, 20.0, 50.0])
NET, MEAN = "a net", "their mean"
ROLES: dict[str, Role] = {NET: "lead", MEAN: "baseline"}


def model(values, half=15.0):
    values = np.asarray(values, dtype=float)
    return NumberModelOutcome(values[None], values, values - half, values + half, "ridge", {"ridge": 21.0})


def nobody(n):
    return {"folds": np.zeros((1, n), int), "patients": tuple("abcd"[:n])}


def by_hand(**changes):
    """Four cases; the errors of the net are 10, 0, 10, -20, those of the mean 20, 10, 0, -30."""
    found = EndpointOutcome(
        key="TPS",
        cases=tuple("abcd"),
        labels=OBSERVED,
        folds=np.zeros((1, 4), int),
        patients=tuple("abcd"),
        models={NET: model([10, 10, 30, 30]), MEAN: model(np.full(4, 20.0))},
        counts={"training": (9,), "test": (4,)},
        coefficients={},
        selected_in={},
        input_names=(),
        inputs=np.empty((4, 0)),
        contributions=None,
        prediction_sets=np.empty((0, 2), bool),
        kind="number",
        roles=ROLES,
    )
    return replace(found, **changes)


@pytest.fixture
def whole(number_study):
    """A study of the endpoint by hand, to be changed."""

    def outcome(**changes):
        return replace(number_study, endpoints={"TPS": by_hand(**changes)}, roles=ROLES, gallery=())

    return outcome


@pytest.fixture
def one(whole):
    def document(**changes):
        content = study_document(whole(**changes))
        VALIDATOR.validate(content)
        return content["endpoints"]["TPS"]

    return document


def test_errors_and_shares_by_hand(one):
    net = one()["models"][NET]
    assert net["mse"]["value"] == 150
    assert net["rmse"]["value"] == pytest.approx(150**0.5)
    assert net["mae"]["value"] == 10
    assert net["r2"]["value"] == pytest.approx(1 - 600 / 1400)
    assert net["concordance"]["value"] == pytest.approx(300 / 450)
    assert net["calibration"] == pytest.approx({"slope": 1.5, "intercept": -10, "in_the_large": 0})
    assert net["limits"]["bias"] == 0


def test_the_constants_are_those_of_the_very_cases(one):
    numbers = one()
    assert numbers["constants"]["mse_of_mean"] == numbers["models"][MEAN]["mse"]["value"] == 350
    assert numbers["constants"]["mse_of_median"] == 375
    assert (numbers["observed"]["mean"], numbers["observed"]["median"]) == (20, 15)


def test_every_model_is_compared_with_every_baseline_and_a_baseline_with_none(one):
    models = one()["models"]
    assert models[MEAN]["against"] == {}
    assert models[NET]["against"][MEAN]["difference"] == 150 - 350
    assert models[NET]["against"][MEAN]["p_adjusted"] == models[NET]["against"][MEAN]["p"]  # the only test


def test_coverage_and_width_of_the_prediction_intervals(one):
    intervals = one()["models"][NET]["intervals"]
    assert (intervals["covered"]["cases"], intervals["covered"]["of"]) == (3, 4)  # 20 off, where 15 are allowed
    assert intervals["mean_width"] == intervals["median_width"] == 30


def test_a_constant_has_neither_slope_nor_rank_correlation(one):
    mean = one()["models"][MEAN]
    assert mean["calibration"]["slope"] is mean["spearman"]["value"] is None
    assert mean["r2"]["value"] == 0


def test_the_figures_data_are_in_the_document(one):
    numbers = one()
    assert numbers["observed"]["values"] == OBSERVED.tolist()
    assert numbers["models"][NET]["predicted"]["low"] == [-5, -5, 15, 15]
    assert sum(numbers["models"][NET]["residuals"]["counts"]) == 4


@pytest.mark.parametrize("n", [0, 1, 3])
def test_too_few_cases_are_told_and_not_measured(whole, one, n):
    few = {"cases": tuple("abcd"[:n]), "labels": OBSERVED[:n], **nobody(n), "inputs": np.empty((n, 0))}
    few["models"] = {title: model(np.full(n, 20.0)) for title in ROLES}
    numbers = one(**few)
    assert numbers["constants"] is numbers["models"][NET]["r2"] is numbers["models"][NET]["against"] is None
    outcome = whole(**few)
    text = Page(to_html(study_document(outcome), beside(outcome))).text
    assert f"Too few cases to measure a model: 4 are needed, there {'is' if n == 1 else 'are'} {n}." in text


def test_values_that_are_all_equal_have_no_share_of_variance_and_still_make_a_page(whole, one):
    same = {"labels": np.full(4, 30.0)}
    net = one(**same)["models"][NET]
    assert net["r2"]["value"] is net["spearman"]["value"] is None
    assert net["mae"]["value"] == 10
    outcome = whole(**same)
    assert "Bland-Altman" in Page(to_html(study_document(outcome), beside(outcome))).text


def test_without_a_baseline_nothing_is_compared(whole):
    outcome = whole(models={NET: model([10, 10, 30, 30])}, roles={NET: "lead"})
    outcome = replace(outcome, roles={NET: "lead"})
    text = Page(to_html(study_document(outcome), beside(outcome))).text
    assert "The study has no baseline to compare with." in text
    assert "what any model has to beat" not in text.partition("Checklists")[0].replace(
        "Outline without filling: what any model has to beat.", ""
    )


@pytest.mark.parametrize("design", [design for design in Design if design.trains])
def test_a_page_of_a_number_is_whole(make_study, design):
    outcome = make_study(design, (40,), ("TPS",))
    document = study_document(outcome)
    VALIDATOR.validate(document)
    html = to_html(document, beside(outcome))
    page = Page(html)
    assert page.open == []
    for drawing in html.split("<svg")[1:]:
        ET.fromstring("<svg" + drawing.partition("</svg>")[0] + "</svg>")
    parts = [
        "Share of the variance that is explained (R²)",
        "cases whose value is known, in each part",
        "tumor proportion score, in %.",
        "Observed by predicted",
        "Bland-Altman",
        "Residuals",
        "Performance with 95 % intervals",
        "for all cases their mean",
        "Paired test of the squared errors",
        "Prediction intervals at 90 % coverage",
        "Observed by predicted, every model",
        "Selected features",
        "right: towards a greater value",
        "Kinds of regression",
        "in its interval",
        "outside",
    ]
    places = [page.text.index(part) for part in parts[:-1]]
    places.append(page.text.rindex(parts[-1]))  # hard cases lie outside their intervals, too
    assert places == sorted(places)
    for absent in ("ROC", "DeLong", "probability"):
        assert absent not in page.text.partition("Settings of the recipe")[0].partition("Contents")[2]


def test_a_study_may_have_both_kinds(make_study, tmp_path: Path):
    outcome = make_study(Design.SPLIT, (40, 30), ("TPS", "PDL1"))
    write_study_report(outcome, tmp_path / "both")
    document = json.loads((tmp_path / "both" / "study.json").read_text(encoding="utf-8"))
    VALIDATOR.validate(document)
    text = Page((tmp_path / "both" / "report.html").read_text(encoding="utf-8")).text
    assert text.index("Share of the variance") < text.index("Area under the ROC curve")
    yes_no = document["endpoints"]["PDL1"]["models"].values()
    tests = [model[name] for model in yes_no for name in ("delong", "permutation") if model[name]]
    tests += [t for m in document["endpoints"]["TPS"]["models"].values() for t in m["against"].values()]
    assert max(tests, key=lambda test: test["p"])["p_adjusted"] == max(test["p"] for test in tests)
    smallest = min(tests, key=lambda test: test["p"])
    assert smallest["p_adjusted"] <= len(tests) * smallest["p"]
    rows = list(csv.DictReader((tmp_path / "both" / "predictions.csv").read_text(encoding="utf-8").splitlines()))
    assert {row["probability"] for row in rows if row["endpoint"] == "TPS"} == {""}
    assert {row["value"] for row in rows if row["endpoint"] == "PDL1"} == {""}
    answers = run_answers(outcome)
    assert "net benefit" in answers["measures"]
    assert "limits of agreement" in answers["measures"]


def test_predictions_of_a_number_come_back_exactly(whole):
    file = io.StringIO()
    write_predictions(whole(models={NET: model([0.1, 10, 30, 30]), MEAN: model(np.full(4, 20.0))}), file)
    rows = list(csv.DictReader(file.getvalue().splitlines()))
    assert list(rows[0]) == ["endpoint", "case", "label", "model", "value", "low", "high", "score", "fold"]
    assert [float(row["value"]) for row in rows if row["model"] == NET] == [0.1, 10, 30, 30]
    assert [float(row["label"]) for row in rows if row["model"] == MEAN] == OBSERVED.tolist()


def test_a_kind_that_nobody_knows_is_refused_in_words(whole):
    assert set(KINDS) == {"binary", "number", "time"}
    with pytest.raises(InputError, match="kinds binary, number, time, got word. Leave endpoints of that kind out"):
        kind_report("word")
    with pytest.raises(InputError, match="got word"):
        study_document(whole(kind="word"))


def test_the_schema_keeps_the_kinds_apart(whole):
    document = study_document(whole())
    document["endpoints"]["TPS"]["kind"] = "binary"
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)
