"""The document's numbers, held against sums that can be done by hand."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome
from PDL1PredictorLib.study.report.document import schema, seeds_in, study_document

DEEP, FUSED = "one eye", "both eyes"
ROLES: dict[str, Role] = {DEEP: "part", FUSED: "lead"}
VALIDATOR = jsonschema.Draft202012Validator(schema())
LABELS = np.array([1, 1, 1, 1, 0, 0, 0, 0])
FUSED_P = np.array([0.9, 0.8, 0.7, 0.3, 0.6, 0.2, 0.2, 0.1])  # 15 of the 16 pairs stand right
DEEP_P = np.array([0.9, 0.8, 0.4, 0.3, 0.7, 0.6, 0.2, 0.1])  # 12 of 16


def model(probability, called_from=0.5, thresholds=None):
    probability = np.asarray(probability, dtype=float)
    return ModelOutcome(
        probability[None],
        probability,
        probability >= called_from,
        np.ones(len(probability), bool),
        "naive Bayes",
        {"naive Bayes": 0.7},
        thresholds or {},
    )


def by_hand(**changes):
    """Eight cases, two models, two inputs."""
    inputs = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0], [1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0]])
    found = EndpointOutcome(
        key="PDL1",
        cases=tuple("abcdefgh"),
        labels=LABELS,
        folds=np.zeros((1, 8), int),
        patients=tuple("abcdefgh"),
        models={DEEP: model(DEEP_P), FUSED: model(FUSED_P)},
        counts={"all": (4, 4)},
        coefficients={"tumor": {"tumor_a": -0.5, "tumor_b": 0.2}},
        selected_in={"tumor": {"tumor_a": 1.0, "tumor_c": 0.4}},
        input_names=("deep_0", "radscore_ring"),
        inputs=inputs,
        contributions=np.column_stack([np.array([1, -1] * 4), np.array([0.5, 0.5, -1.5, 0.5] * 2)]),
        prediction_sets=np.array([[0, 1]] * 3 + [[1, 0]] + [[1, 0]] * 2 + [[1, 1], [0, 0]], dtype=bool),
        roles=ROLES,
    )
    return replace(found, **changes)


@pytest.fixture
def one(make_study):
    """A study of the endpoint by hand, to be changed."""

    def document(**changes):
        whole = replace(
            make_study(keys=("PDL1",), sizes=(20,)), endpoints={"PDL1": by_hand(**changes)}, roles=ROLES, gallery=()
        )
        content = study_document(whole)
        VALIDATOR.validate(content)
        return content["endpoints"]["PDL1"]

    return document


def test_the_auc_is_the_share_of_pairs_that_stand_right(one):
    models = one()["models"]
    assert models[FUSED]["auc"]["value"] == 15 / 16
    assert models[DEEP]["auc"]["value"] == 12 / 16
    assert models[FUSED]["auc"]["low"] < 15 / 16 < models[FUSED]["auc"]["high"]


def test_delong_compares_every_other_model_with_the_fused_one(one):
    models = one()["models"]
    assert models[FUSED]["delong"] is None
    assert models[DEEP]["delong"]["against"] == FUSED
    assert models[DEEP]["delong"]["difference"] == pytest.approx(12 / 16 - 15 / 16)
    assert models[DEEP]["delong"]["z"] < 0


@pytest.fixture(scope="module")
def whole_document(study):
    return study_document(study)


@pytest.fixture
def document(whole_document):
    """Of three endpoints, to be changed."""
    return deepcopy(whole_document)


def test_p_is_adjusted_over_all_tests_of_the_study(document):
    models = [model for e in document["endpoints"].values() for model in e["models"].values()]
    tests = [model["delong"] for model in models if model["delong"]]
    assert len(tests) == 8  # three endpoints, three models against the fused one, one model missing
    tests += [model["permutation"] for model in models]
    assert len(tests) == 19
    largest = max(tests, key=lambda test: test["p"])
    smallest = min(tests, key=lambda test: test["p"])
    assert largest["p_adjusted"] == pytest.approx(largest["p"])
    assert smallest["p_adjusted"] == pytest.approx(19 * smallest["p"])


def test_the_table_of_calls_and_its_rates(one):
    fused = one()["models"][FUSED]
    assert fused["confusion"] == {"true_positive": 3, "false_positive": 1, "true_negative": 3, "false_negative": 1}
    rates = {name: measure["value"] for name, measure in fused["measures"].items()}
    assert rates == {
        "accuracy": 6 / 8,
        "recall": 3 / 4,
        "precision": 3 / 4,
        "specificity": 3 / 4,
        "ppv": 3 / 4,
        "npv": 3 / 4,
        "f1": 6 / 8,
    }


def test_calls_are_those_of_the_folds_and_not_of_one_threshold(one):
    positive = np.array([1, 0, 1, 0, 1, 0, 0, 1], bool)
    fused = replace(model(FUSED_P), positive=positive)
    table = one(models={FUSED: fused})["models"][FUSED]["confusion"]
    assert table == {"true_positive": 2, "false_positive": 2, "true_negative": 2, "false_negative": 2}


def test_wilsons_interval_of_three_out_of_four(one):
    recall = one()["models"][FUSED]["measures"]["recall"]
    z2 = 1.959963984540054**2
    middle, half = (3 + z2 / 2) / (4 + z2), np.sqrt(z2 * (3 * 1 / 4 + z2 / 4)) / (4 + z2)
    assert (recall["low"], recall["high"]) == pytest.approx((middle - half, middle + half))


def test_brier_and_net_benefit(one):
    numbers = one()
    fused = numbers["models"][FUSED]
    assert fused["brier"] == pytest.approx((0.01 + 0.04 + 0.09 + 0.49 + 0.36 + 0.04 + 0.04 + 0.01) / 8)
    at = fused["decision_curve"]["threshold"].index(0.5)
    assert fused["decision_curve"]["net_benefit"][at] == pytest.approx((3 - 1) / 8)
    assert numbers["decision_reference"]["treat_all"][at] == pytest.approx(0.0)


def test_a_probability_that_separates_the_labels_has_no_slope(one):
    fused = one(models={FUSED: model(0.2 + 0.6 * LABELS)})["models"][FUSED]
    assert fused["calibration"]["slope"]["value"] is None
    assert fused["calibration"]["slope"]["high"] is None  # without limit
    assert fused["calibration"]["slope"]["low"] > 0
    assert None not in fused["calibration"]["in_the_large"].values()


def test_observed_coverage_of_the_prediction_sets(one):
    sets = one()["prediction_sets"]
    assert (sets["observed"]["all"]["cases"], sets["observed"]["all"]["of"]) == (6, 8)
    assert sets["observed"]["positive"]["value"] == 3 / 4
    assert sets["observed"]["negative"]["value"] == 3 / 4
    assert [sets[kind]["cases"] for kind in ("one_answer", "both_answers", "no_answer")] == [6, 1, 1]
    assert (sets["right_where_one"]["cases"], sets["right_where_one"]["of"]) == (5, 6)
    assert sets["stated"] == 0.9


def test_one_input_twice_the_other_correlates_wholly(one):
    correlation = one()["correlation"]
    assert correlation["matrix"][0][1] == pytest.approx(1)
    assert correlation["mean_absolute"] == pytest.approx(1)


def test_the_diagonal_is_no_part_of_the_mean_correlation(one):
    alternating = np.array([1.0, -1.0] * 4)
    inputs = np.column_stack([alternating, np.repeat([1.0, -1.0], 4)])
    correlation = one(inputs=inputs)["correlation"]
    assert correlation["mean_absolute"] == pytest.approx(0)
    assert correlation["matrix"][0][0] == 1


def test_a_constant_input_correlates_with_nothing(one):
    correlation = one(inputs=np.column_stack([np.ones(8), np.arange(8.0)]))["correlation"]
    assert correlation["matrix"] == [[1, None], [None, 1]]
    assert correlation["mean_absolute"] is None


def test_contributions_are_mean_absolute_values(one):
    assert one()["contributions"] == {"deep_0": 1.0, "radscore_ring": 0.75}
    assert one(contributions=None)["contributions"] is None


def test_features_are_told_by_strength_then_those_that_only_folds_selected(one):
    assert one()["coefficients"]["tumor"] == [
        {"feature": "tumor_a", "coefficient": -0.5, "selected_in": 1.0},
        {"feature": "tumor_b", "coefficient": 0.2, "selected_in": 0.0},
        {"feature": "tumor_c", "coefficient": 0.0, "selected_in": 0.4},
    ]
    assert {row["selected_in"] for row in one(selected_in={})["coefficients"]["tumor"]} == {None}


@pytest.mark.parametrize("labels", [np.ones(8, int), np.zeros(8, int)])
def test_cases_of_one_kind_cannot_be_measured_but_are_told(one, labels):
    numbers = one(labels=labels)
    assert numbers["cases"] == 8
    fused = numbers["models"][FUSED]
    assert {fused[name] for name in ("auc", "measures", "brier", "roc", "decision_curve")} == {None}
    assert numbers["prediction_sets"]["observed"]["all"]["of"] == 8


def test_an_endpoint_without_any_known_test_label_is_told_as_well(one):
    nothing = np.empty(0)
    numbers = one(
        cases=(),
        labels=nothing.astype(int),
        folds=np.zeros((1, 0), int),
        patients=(),
        models={FUSED: model(nothing)},
        inputs=np.empty((0, 2)),
        contributions=np.empty((0, 2)),
        prediction_sets=np.empty((0, 2), bool),
    )
    assert numbers["prediction_sets"]["observed"]["all"]["value"] is None
    assert numbers["contributions"] is None


def test_a_single_positive_case_gives_an_area_but_no_test(one):
    numbers = one(labels=np.array([1, 0, 0, 0, 0, 0, 0, 0]))
    assert numbers["models"][FUSED]["auc"]["value"] == 1
    assert numbers["models"][DEEP]["delong"] is None
    assert numbers["models"][FUSED]["roc_band"] is None


def test_without_the_fused_model_nothing_is_compared(one):
    models = one(models={DEEP: model(DEEP_P)})["models"]
    assert list(models) == [DEEP]
    assert models[DEEP]["delong"] is None


def test_a_model_that_is_missing_is_simply_absent(document):
    assert "Size alone" not in document["endpoints"]["LVI"]["models"]
    assert list(document["endpoints"]["PDL1"]["models"]) == list(document["roles"])


@pytest.mark.parametrize("design", [design for design in Design if design.trains])
def test_both_designs_keep_the_schema_and_hold_no_nan(make_study, design):
    odd = replace(
        make_study(design, sizes=(12,), keys=("PDL1",)),
        settings={"rate": float("nan"), "path": Path("a"), "count": np.int64(3)},
        history=({"train": float("inf"), "validation": 0.5},),
    )
    document = study_document(odd)
    VALIDATOR.validate(document)
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert document["settings"] == {"rate": None, "path": "a", "count": 3}
    assert document["history"][0]["train"] is None


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("schema_version",), "0"),
        (("endpoints", "PDL1", "models", "Two-eyes", "brier"), 1.5),
        (("endpoints", "PDL1", "kind"), "number"),
        (("roles", "Two-eyes"), "winner"),
        (("endpoints", "PDL1", "prediction_sets", "stated"), "0.9"),
        (("checklists", 0, "items", 0, "answer"), 3),
        (("something",), 1),
    ],
)
def test_the_schema_refuses_what_it_does_not_describe(document, path, value):
    VALIDATOR.validate(document)
    *way, last = path
    place = document
    for step in way:
        place = place[step]
    place[last] = value
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(document)


def test_the_band_holds_the_curve_and_is_all_of_it_where_nothing_varies(one):
    numbers = one(models={FUSED: model(0.2 + 0.6 * LABELS), DEEP: model(DEEP_P)})["models"]
    assert set(numbers[FUSED]["roc_band"]["low"]) == set(numbers[FUSED]["roc_band"]["high"]) == {1.0}
    roc, band = numbers[DEEP]["roc"], numbers[DEEP]["roc_band"]
    sensitivity = np.interp(band["false_positive_rate"], roc["false_positive_rate"], roc["true_positive_rate"])
    assert (np.array(band["low"]) <= sensitivity).all()
    assert (sensitivity <= np.array(band["high"])).all()
    assert min(band["low"]) < 0.5 < max(band["low"])


def test_the_schema_itself_is_sound():
    jsonschema.Draft202012Validator.check_schema(schema())


def test_an_unknown_endpoint_is_refused(make_study):
    whole = make_study(keys=("PDL1",), sizes=(20,))
    unknown = replace(by_hand(), key="HER2")
    with pytest.raises(InputError, match="Endpoint 'HER2' is not known"):
        study_document(replace(whole, endpoints={"HER2": unknown}))


def test_every_seed_is_found_wherever_it_stands():
    assert seeds_in({"seed": 1, "deep": {"Seed": 2, "rate": 3}, "folds": {"outer": {"seed_of_folds": 4}}}) == {
        "seed": 1,
        "deep.Seed": 2,
        "folds.outer.seed_of_folds": 4,
    }


def test_the_same_outcome_gives_the_same_document(make_study):
    first, second = (study_document(make_study(keys=("PDL1",), sizes=(30,))) for _ in range(2))
    assert first == second


def test_cases_without_a_call_are_left_out_of_calls_and_probabilities_alone(one):
    called = np.array([1, 1, 1, 0, 1, 1, 1, 0], bool)
    whole, part = (one(models={FUSED: m})["models"][FUSED] for m in (model(FUSED_P), silent(called)))
    assert (part["answered"]["cases"], part["answered"]["of"]) == (6, 8)
    assert part["confusion"] == {"true_positive": 3, "false_positive": 1, "true_negative": 2, "false_negative": 0}
    assert part["brier"] == pytest.approx((0.01 + 0.04 + 0.09 + 0.36 + 0.04 + 0.04) / 6)
    assert part["auc"] == whole["auc"]


def test_a_model_that_learned_nothing_is_ranked_and_calls_nothing(one):
    nothing = one(models={FUSED: silent(np.zeros(8, bool))})["models"][FUSED]
    assert {nothing[name] for name in ("measures", "confusion", "brier", "calibration", "decision_curve")} == {None}
    assert nothing["auc"]["value"] == 15 / 16


def silent(called):
    """The fused model, without a call for some cases."""
    whole = model(FUSED_P)
    return replace(whole, called=called, positive=whole.positive & called)


def test_the_sample_size_is_told_by_hoped_for_area(one):
    found = one()["sample_size"]
    assert (found["cases"], found["positive"], found["inputs"], found["overall_risk"]) == (8, 4, 2, False)
    assert [row["auc"] for row in found["hoped"]] == [0.65, 0.7, 0.8]
    assert [row["parameters"] for row in found["hoped"]] == [0, 0, 0]
    shrinkage = [row["shrinkage"] for row in found["hoped"]]
    assert shrinkage == sorted(shrinkage)
    assert min(row["cases_needed"] for row in found["hoped"]) == 385  # 0.25 (1.96 / 0.05)^2, the share of positives


def test_the_document_says_what_its_figures_are_estimates_of(folded_study, document):
    folded = study_document(folded_study)
    assert folded["folds"] == {"folds": 3, "repeats": 2}
    assert document["folds"] == {"folds": 1, "repeats": 1}
    assert "on 67 % of the cases" in folded["estimates"][0]["of"]
    assert "no call" not in str(folded["estimates"])
