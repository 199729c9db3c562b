"""A number's model: the simplest whose error is no more than a standard error above the smallest, or the asked one."""

from dataclasses import replace

import numpy as np
import pytest
from toy_recipe import LEAD, MEAN, SIZE, ToyRecipe

from PDL1PredictorLib.learning.recipe import roles_of
from PDL1PredictorLib.study.choosing import THE_LEAD, choose_model, chosen_models
from PDL1PredictorLib.study.outcome import EndpointOutcome, NumberModelOutcome

RECIPE = replace(ToyRecipe())
ORDER = {LEAD: 5, SIZE: 2, MEAN: 0}


class Ordered(ToyRecipe):
    """The toy with an order of its models."""

    models = tuple(replace(plan, order=ORDER[plan.name.title]) for plan in ToyRecipe().models)


class WithRival(ToyRecipe):
    """The toy whose second model is only compared with."""

    models = tuple(replace(plan, rival=plan.name.title == SIZE) for plan in Ordered.models)


LEARNED = {LEAD: True, SIZE: True, MEAN: False}


def outcome(noise: dict[str, float], n: int = 200, seed: int = 0) -> EndpointOutcome:
    """Values with an error of that SD for each model; the mean where none is said."""
    rng = np.random.default_rng(seed)
    truths = rng.uniform(0, 100, n)
    models = {}
    for title in roles_of(RECIPE):
        value = truths + rng.normal(0, noise[title], n) if title in noise else np.full(n, 50.0)
        models[title] = NumberModelOutcome(value[None], value, value - 9, value + 9, "ridge regression", {})
    return EndpointOutcome(
        key="TPS", cases=tuple(map(str, range(n))), labels=truths, folds=np.zeros((1, n), dtype=int),
        patients=tuple(map(str, range(n))), models=models, counts={"test": (n,)}, coefficients={}, selected_in={},
        input_names=(), inputs=np.zeros((n, 0)), contributions=None, prediction_sets=np.zeros((0, 2), dtype=bool),
        kind="number", roles=roles_of(RECIPE),
    )  # fmt: skip


def test_the_better_model_is_taken_where_the_simple_one_is_worse():
    found = choose_model(outcome({LEAD: 10, SIZE: 20}), Ordered(), LEARNED)
    assert (found.title, found.simpler) == (LEAD, "")
    assert "smallest squared error" in found.reason


def test_the_simple_model_is_taken_where_it_is_as_good():
    found = choose_model(outcome({LEAD: 20, SIZE: 19}), Ordered(), LEARNED)
    assert (found.title, found.role) == (SIZE, "part")
    assert "within one standard error" in found.reason or "smallest" in found.reason
    assert chosen_models({"TPS": found}) == (f"TPS: the endpoint's model is {SIZE}. {found.reason}",)


def test_the_lead_is_shipped_where_it_is_asked_for_and_the_simpler_one_is_named():
    case = outcome({LEAD: 20, SIZE: 19})
    found = choose_model(case, Ordered(), LEARNED, "lead")
    assert (found.title, found.role, found.simpler) == (LEAD, "lead", SIZE)
    alone = choose_model(outcome({LEAD: 10, SIZE: 30}), Ordered(), LEARNED, "lead")
    assert (alone.title, alone.simpler) == (LEAD, "")


def test_a_lead_that_learned_nothing_is_not_shipped():
    found = choose_model(outcome({SIZE: 20}), Ordered(), {**LEARNED, LEAD: False}, "lead")
    assert found.title == ""
    assert "learned nothing" in found.reason


def test_a_rival_is_never_an_endpoints_model():
    case = outcome({LEAD: 20, SIZE: 5})
    assert choose_model(case, Ordered(), LEARNED).title == SIZE
    assert choose_model(case, WithRival(), LEARNED).title == LEAD


def test_how_often_the_simple_model_wins_between_equals():
    chosen = [
        choose_model(outcome({LEAD: 20, SIZE: 20}, seed=seed), Ordered(), LEARNED).title == SIZE for seed in range(40)
    ]
    assert np.mean(chosen) == pytest.approx(0.84, abs=0.15)  # one standard error: 84 % of equals


def test_few_cases_leave_the_lead():
    assert choose_model(outcome({LEAD: 20, SIZE: 5}, n=6), Ordered(), LEARNED).reason == THE_LEAD
