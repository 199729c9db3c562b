"""The figures: what they say in words, that they stay drawings of the page, and where dots go."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from PDL1PredictorLib.study.report import figures
from PDL1PredictorLib.study.report.binary import figures as binary_figures
from PDL1PredictorLib.study.report.document import study_document
from PDL1PredictorLib.study.report.dots import dots_of
from PDL1PredictorLib.study.report.flow_chart import arrange, cases_used, flow_chart
from PDL1PredictorLib.study.report.gallery import gallery
from PDL1PredictorLib.study.report.kinds import kind_report
from PDL1PredictorLib.study.report.looks import looks_of
from PDL1PredictorLib.study.report.number import figures as number_figures

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def numbers(study):
    """Of the first endpoint."""
    return study_document(study)["endpoints"]["PDL1"]


@pytest.fixture(scope="module")
def looks(study):
    return looks_of(study.roles)


@pytest.fixture(scope="module")
def amounts(number_study):
    """Of an endpoint that is a number."""
    return study_document(number_study)["endpoints"]["TPS"]


def texts(svg):
    return [text for element in ET.fromstring(svg).iter() if (text := (element.text or "").strip())]


def test_a_curve_is_labeled_with_its_model_area_and_interval(numbers, looks):
    area = numbers["models"]["Picture net"]["auc"]
    label = f"Picture net {area['value']:.2f} ({area['low']:.2f}–{area['high']:.2f})"
    assert label in texts(binary_figures.roc_curves("roc", numbers, looks))


def test_a_missing_model_is_not_drawn(numbers, looks):
    alone = {**numbers, "models": {"Picture net": numbers["models"]["Picture net"]}}
    words = texts(binary_figures.decision_curves("decision", alone, looks))
    assert "Picture net" in words
    assert "Two-eyes" not in words


def test_confusion_tables_show_every_count(numbers, looks):
    words = texts(binary_figures.confusion_tables("confusion", numbers, looks))
    for model in numbers["models"].values():
        assert {str(count) for count in model["confusion"].values()} <= set(words)


def test_selection_shares_are_drawn_only_where_there_are_folds(numbers, folded_study):
    folded = study_document(folded_study)["endpoints"]["PDL1"]
    assert "% of folds that selected it" in texts(figures.selected_features("features", folded))
    assert "% of folds that selected it" not in texts(figures.selected_features("features", numbers))


def test_without_selected_features_the_figure_says_so(numbers):
    bare = {**numbers, "coefficients": {"tumor": [], "ring": []}}
    assert "No feature was selected." in texts(figures.selected_features("features", bare))


def test_the_heat_map_tells_every_correlation(numbers):
    numbers = {**numbers, "correlation": {"inputs": ["deep_0", "deep_1"], "matrix": [[1, -0.123], [-0.123, 1]]}}
    words = texts(figures.correlation_map("correlation", numbers))
    assert words.count("−.12") == 2
    assert {"deep 0", "deep 1"} <= set(words)


def test_a_correlation_that_cannot_be_had_is_left_empty(numbers):
    numbers = {**numbers, "correlation": {"inputs": ["deep_0", "deep_1"], "matrix": [[1, None], [None, 1]]}}
    assert [word for word in texts(figures.correlation_map("correlation", numbers)) if word == "nan"] == []


def test_contributions_are_ordered_by_their_mean(study):
    words = texts(
        figures.contribution_swarm(
            "swarm",
            dots_of(study)["PDL1"],
            {name: float(n) for n, name in enumerate(study.endpoints["PDL1"].input_names)},
            "Shapley value",
            "log-odds of positive",
        )
    )
    assert words.index("RadScore, ring  11.00") < words.index("deep 0  0.00")


def test_the_lowest_validation_loss_is_marked():
    history = [{"train": 1.0, "validation": 0.9}, {"train": 0.5, "validation": 0.4}, {"train": 0.1, "validation": 0.8}]
    assert "lowest: epoch 2" in texts(figures.learning_curves("learning", history))
    assert not any("lowest" in word for word in texts(figures.learning_curves("learning", [{"train": 1.0}])))


def test_the_overview_reaches_down_to_the_lowest_interval(study, looks):
    endpoints = study_document(study)["endpoints"]
    words = texts(binary_figures.auc_overview("auc", endpoints, looks))
    assert {"PD-L1", "Lymphovascular invasion", "EGFR", "Bayes AUC", *study.roles} <= set(words)
    unbounded = {key: {**numbers, "bayes_auc": None} for key, numbers in endpoints.items()}
    assert "Bayes AUC" not in texts(binary_figures.auc_overview("auc", unbounded, looks))


def test_a_dollar_sign_is_no_formula(numbers):
    odd = {"tumor": [{"feature": "a$b$c<&>", "coefficient": 1.0, "selected_in": None}]}
    assert "a$b$c<&>" in texts(figures.selected_features("features", {**numbers, "coefficients": odd}))


def test_inner_names_differ_between_drawings_and_nothing_lies_outside(numbers, looks):
    first, second = (binary_figures.roc_curves(name, numbers, looks) for name in ("one", "two"))
    ids = [re.findall(r' id="([^"]*)"', drawing) for drawing in (first, second)]
    assert ids[0]
    assert not set(ids[0]) & set(ids[1])
    for drawing in (first, second):
        used = set(re.findall(r'(?:href="|url\()#([^")]+)', drawing))
        assert used <= set(re.findall(r' id="([^"]*)"', drawing))


def test_the_same_numbers_give_the_same_bytes(numbers, study):
    contributions = numbers["contributions"]
    dots = dots_of(study)["PDL1"]
    drawings = [figures.contribution_swarm("a", dots, contributions, "Shapley value", "log-odds") for _ in range(2)]
    assert drawings[0] == drawings[1]
    assert "202" not in re.sub(r"<image.*?/>|[\d.]{4,}", "", drawings[0], flags=re.DOTALL)  # no date


def test_models_differ_in_color_line_and_mark(looks):
    for what in ("color", "line", "mark"):
        assert len({str(getattr(look, what)) for look in looks.values()}) == len(looks)


def test_looks_follow_the_role_and_no_name():
    looks = looks_of({"a": "baseline", "b": "part", "c": "part", "d": "lead"})
    assert list(looks) == ["d", "c", "b", "a"]  # the lead first, what any model has to beat last
    assert looks["d"].width > looks["c"].width
    swapped = looks_of({"d": "baseline", "b": "part", "c": "part", "a": "lead"})
    assert (swapped["a"], swapped["d"]) == (looks["d"], looks["a"])


def test_many_models_never_look_alike():
    roles = {"lead": "lead"} | {f"part {n}": "part" for n in range(9)} | {f"base {n}": "baseline" for n in range(4)}
    assert len({(look.color, look.mark) for look in looks_of(roles).values()}) == len(roles)


def test_every_model_has_its_panel_however_many_there_are(numbers):
    roles = {"lead": "lead"} | {f"part {n}": "part" for n in range(6)}
    one = numbers["models"]["Two-eyes"]
    many = {**numbers, "models": dict.fromkeys(roles, one)}
    for draw in (binary_figures.confusion_tables, binary_figures.roc_curves, binary_figures.decision_curves):
        words = " ".join(texts(draw("many", many, looks_of(roles))))
        assert all(title in words for title in roles)


def test_predicted_against_observed_tells_every_model_with_its_share_of_variance(amounts, looks):
    words = texts(number_figures.scatters("scatters", amounts, looks))
    for title, model in amounts["models"].items():
        assert title in words
        assert f"R² {model['r2']['value']:.2f}" in words
    assert "predicted (%)" in words
    assert "observed (%)" in words


def test_only_the_lead_model_stands_in_the_large_scatter(amounts, looks):
    drawing = number_figures.lead_scatter("one", amounts, looks)
    assert looks["Two-eyes"].color in drawing
    assert not any(look.color in drawing for look in looks.values() if look.role != "lead")


def test_bland_altman_tells_bias_and_limits(amounts, looks):
    limits = {**amounts["models"]["Two-eyes"]["limits"], "bias": -1.5, "low": -11.3, "high": 8.3}
    lead = {**amounts["models"]["Two-eyes"], "limits": limits}
    words = texts(number_figures.bland_altman("ba", {**amounts, "models": {"Two-eyes": lead}}, looks))
    assert {"bias −1.50", "+1.96 SD 8.30", "−1.96 SD −11.3"} <= set(words)


def test_the_residuals_of_parts_are_left_to_the_table(amounts, looks):
    words = texts(number_figures.residual_histogram("residuals", amounts, looks))
    assert {"Two-eyes", "Size alone"} <= set(words)
    assert "Picture net" not in words


def test_the_overview_of_numbers_is_cut_where_nothing_can_be_read(amounts, looks):
    worst = {"value": -7.0, "low": -9.0, "high": -5.0}
    models = {**amounts["models"], "Size alone": {**amounts["models"]["Size alone"], "r2": worst}}
    words = texts(number_figures.r2_overview("r2", {"TPS": {**amounts, "models": models}}, looks))
    assert {"−1.00", "1.00"} <= set(words)
    assert not any(word.startswith(("−1.2", "−2", "−7")) for word in words)


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=80))
def test_dots_stay_in_their_lane_and_are_spread_evenly_about_its_middle(values):
    offsets = figures.swarm(np.array(values))
    assert (np.abs(offsets) <= 0.38 + 1e-9).all()
    assert offsets.sum() == pytest.approx(0, abs=1e-9)


def test_equal_values_lie_side_by_side():
    offsets = figures.swarm(np.array([1.0, 1.0, 1.0, 5.0]))
    assert len(set(offsets[:3])) == 3
    assert offsets[3] == 0


def told(outcome):
    """As much of the study's document as the flow chart asks for."""
    flow = [{"step": words, "cases": number} for words, number in outcome.flow]
    endpoints = {
        key: {"kind": found.kind, **kind_report(found.kind).numbers(found, outcome.coverage)}
        for key, found in {one.key: one for one in outcome.endpoints.values()}.items()
    }
    numbers = {key: endpoints[found.key] for key, found in outcome.endpoints.items()}
    return {
        "design": outcome.design.words,
        "cohort": {"flow": flow},
        "left_out": outcome.left_out,
        "endpoints": numbers,
    }


def test_the_flow_chart_tells_steps_parts_and_endpoints(study):
    words = texts(flow_chart(told(study)))
    assert words.index("Tumors in the cohort") < words.index("could not be used: n = 2") < words.index("n = 204")
    assert words.index("n = 204") < words.index("Training") < words.index("n = 144") < words.index("PD-L1")
    assert "test: 48 / 72" in words
    assert any("ROS1" in word for word in words)


def test_what_adds_up_are_parts_and_what_is_fewer_than_a_later_step_has_left():
    flow = [
        ("table", 100),
        ("no image", 7),
        ("no label", 3),
        ("prepared", 90),
        ("fit", 50),
        ("choose", 15),
        ("test", 25),
    ]
    steps, parts = arrange(flow, True)
    assert [(step.words, step.gone) for step in steps] == [
        ("table", [("no image", 7), ("no label", 3)]),
        ("prepared", []),
    ]
    assert [step.words for step in parts] == ["fit", "choose", "test"]
    assert cases_used(flow, True) == 90


def test_a_flow_that_only_shrinks_is_a_plain_chain():
    steps, parts = arrange([("a", 10), ("b", 8), ("c", 8)], True)
    assert [step.words for step in steps] == ["a", "b", "c"]
    assert (parts, cases_used([], True)) == ([], None)


def test_cross_validation_divides_no_cases(folded_study):
    steps, parts = arrange(folded_study.flow, False)
    assert [(step.words, step.gone) for step in steps] == [
        ("tumors in the cohort", [("could not be used", 2)]),
        ("prepared", []),
    ]
    assert (parts, cases_used(folded_study.flow, False)) == ([], 204)


def test_the_flow_chart_of_many_endpoints_stays_within_its_width(study):
    keys = ("PDL1", "LVI", "PI", "T4", "EGFR", "KRAS", "ALK", "TP53", "PIK3CA", "ROS1")
    many = replace(study, endpoints=dict.fromkeys(keys, study.endpoints["PDL1"]), failed={}, left_out={})
    boxes = [element for element in ET.fromstring(flow_chart(told(many))).iter() if element.tag.endswith("rect")]
    assert len(boxes) == len(many.flow) + len(keys)  # what left stands in a box as well
    assert all(float(box.get("x")) >= 0 and float(box.get("x")) + float(box.get("width")) <= 960 for box in boxes)
    assert len({box.get("y") for box in boxes[-10:]}) == 2


def test_names_in_the_flow_chart_are_only_text(study):
    odd = replace(study, flow=[("<script>alert(1)</script>", 3)])
    assert "<script>" not in flow_chart(told(odd))
    assert "<script>alert(1)</script>" in texts(flow_chart(told(odd)))


def test_the_gallery_shows_right_cases_first_and_says_what_was_called(study):
    shown = gallery(study.gallery, study.settings)["PDL1"]
    assert [case.right for case in shown] == [True, True, True, False]
    wrong = next(case for case in study.gallery if case.positive != bool(case.label))
    assert shown[-1].said.startswith(f"true: {'positive' if wrong.label else 'negative'}; called: ")


def test_the_gallery_of_a_number_says_what_was_predicted(number_study):
    shown = gallery(number_study.gallery, number_study.settings)["TPS"]
    assert [case.tag for case in shown] == ["in its interval"] * 3 + ["outside"]
    case = next(one for one in number_study.gallery if one.case == shown[-1].case)
    assert shown[-1].said.startswith(f"true: {case.label:.0f} %; predicted: ")


def test_a_number_has_one_count_in_the_flow_chart(number_study):
    assert {"training: 192", "test: 150"} <= set(texts(flow_chart(told(number_study))))


def test_the_scale_bar_follows_the_pixels_edge(study):
    one, half = (
        str(gallery(study.gallery[:1], {"regions": {"spacing_mm": mm}})["PDL1"][0].pictures[0]) for mm in (1.0, 0.5)
    )
    assert "20 mm" in one  # a quarter of 160 mm is 40: the longest round length below is 20
    assert "20 mm" in half
    assert one != half
    assert str(gallery(study.gallery[:1], {})["PDL1"][0].pictures[0]) == one
