"""Figures of a shipped model: from its own outcome, with design, repetitions, p and the calls that were made."""

from dataclasses import replace

import numpy as np
import pytest
from nested_cases import outcome_of
from simulated_cases import repeated

from PDL1PredictorLib.study.outcome import NumberModelOutcome
from PDL1PredictorLib.study.report.number.measures import headline
from PDL1PredictorLib.study.shipped_figures import shipped_figures

LABELS = np.repeat([1, 0], [8, 12])


def one_split(scores=None, **changes):
    outcome = outcome_of(LABELS, np.linspace(1, 0, 20)[None] if scores is None else scores, np.zeros((1, 20), int))
    model = replace(outcome.models["line"], **changes)
    return replace(outcome, models={"line": model})


def test_a_split_tells_area_counts_and_calls_by_hand():
    found = shipped_figures(one_split(positive=np.arange(20) < 10), "line")
    assert (found["auc"], found["n_positive"], found["n_negative"]) == (1.0, 8, 12)
    assert (found["design"], found["repeats"]) == ("split", 1)
    assert found["p"] == pytest.approx(0.001)
    assert (found["sensitivity"]["value"], found["specificity"]["value"]) == (1.0, 10 / 12)
    assert found["low"] < 1 == found["high"]


def test_cases_without_a_call_are_in_no_rate():
    called = np.arange(20) % 2 == 0
    found = shipped_figures(one_split(positive=called & (np.arange(20) < 4), called=called), "line")
    assert found["sensitivity"]["value"] == 2 / 4
    none = shipped_figures(one_split(called=np.zeros(20, bool)), "line")
    assert none["sensitivity"] is none["specificity"] is None
    assert none["auc"] == 1.0  # the ranking is there all the same


def test_nested_cross_validation_says_so_and_how_often():
    labels, scores, folds = repeated(0.7, 15, 20, 3, np.random.default_rng(0))
    found = shipped_figures(outcome_of(labels, scores, folds), "line")
    assert (found["design"], found["repeats"]) == ("nested", 3)
    assert found["low"] < found["auc"] < found["high"]


def test_cases_of_one_answer_have_no_figures():
    assert shipped_figures(replace(one_split(), labels=np.ones(20, int)), "line") is None


def number(values, truths):
    outcome = (
        outcome_of(LABELS, np.zeros((1, len(truths))), np.zeros((1, len(truths)), int)) if len(truths) == 20 else None
    )
    values = np.asarray(values, dtype=float)
    model = NumberModelOutcome(values[None], values, values, values, "ridge", {})
    return replace(outcome, labels=truths, models={"line": model}, kind="number", key="TPS")


def test_figures_of_a_number():
    truths = np.arange(20.0)
    found = shipped_figures(number(truths + 1, truths), "line")
    assert (found["n"], found["mse"], found["mae"]) == (20, 1.0, 1.0)
    assert found["mse_of_mean"] == pytest.approx(33.25)
    assert found["r2"] == pytest.approx(1 - 1 / 33.25)
    assert found["r2_low"] <= found["r2"] <= found["r2_high"]
    assert shipped_figures(number(truths, np.full(20, 3.0)), "line") is None


def test_a_numbers_interval_is_that_of_the_card_to_the_last_digit():
    truths = np.arange(20.0)
    outcome = number(truths + np.resize([3.0, -2.0, 0.5], 20), truths)
    found, told = shipped_figures(outcome, "line"), headline(outcome, "line")
    assert told is not None
    assert (found["r2"], found["r2_low"], found["r2_high"]) == tuple(told[0][name] for name in ("value", "low", "high"))
    other = replace(outcome, labels=truths[::-1] * 0.5)
    assert shipped_figures(other, "line")["r2_low"] != found["r2_low"]
