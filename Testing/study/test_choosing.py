"""The endpoint's model: the simplest that is no worse than the best, and what the choice costs."""

from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.recipes.deepradscore import DeepRadScoreRecipe
from PDL1PredictorLib.study.choosing import choose_model
from PDL1PredictorLib.study.discrimination import p_of_best
from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome

RECIPE = DeepRadScoreRecipe(("PDL1",), clinical=("age_years",))
ROLES: dict[str, Role] = {plan.name.title: plan.name.role for plan in RECIPE.models}
VOLUME, CLINICAL, L2, SCORES, DEEP, LEAD, COMBINED = (
    plan.name.title for plan in sorted(RECIPE.models, key=lambda plan: plan.order)
)
ALL = dict.fromkeys(ROLES, True)


def outcome(strengths: dict[str, float], n: int = 200, seed: int = 0, repeats: int = 1) -> EndpointOutcome:
    """Scores of each model: its strength times the truth, noise of their own; strength 0 is chance."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % 2).astype(int)
    models = {}
    for title in ROLES:
        score = strengths.get(title, 0.0) * labels + rng.normal(size=(repeats, n))
        half = np.full(n, 0.5)
        models[title] = ModelOutcome(score, half, half > 1, np.ones(n, dtype=bool), "logistic regression", {}, {})
    folds = np.array([rng.permutation(n) % 5 for _ in range(repeats)]) if repeats > 1 else np.zeros((1, n), dtype=int)
    return EndpointOutcome(
        key="PDL1",
        cases=tuple(map(str, range(n))),
        labels=labels,
        folds=folds,
        patients=tuple(map(str, range(n))),
        models=models,
        counts={"test": (n // 2, n // 2)},
        coefficients={},
        selected_in={},
        input_names=(),
        inputs=np.zeros((n, 0)),
        contributions=None,
        prediction_sets=np.zeros((n, 2), dtype=bool),
        roles=ROLES,
    )


def test_the_order_is_from_the_volume_to_everything_together():
    assert VOLUME == "Tumor volume"
    assert (CLINICAL, L2, LEAD, COMBINED) == ("Clinical", "Radiomics L2", "Deep-RadScore", "Combined")


def test_the_best_is_taken_where_nothing_simpler_comes_near():
    found = choose_model(outcome({LEAD: 2.0, SCORES: 0.8, VOLUME: 0.3}), RECIPE, ALL)
    assert (found.title, found.role) == (LEAD, "lead")
    assert "the best AUC" in found.reason
    assert found.p == pytest.approx(0.001)


@pytest.mark.parametrize("repeats", [1, 3])
def test_a_simpler_model_that_is_as_good_is_taken_and_says_so(repeats: int):
    found = choose_model(outcome({LEAD: 1.05, VOLUME: 1.0}, repeats=repeats, seed=2), RECIPE, ALL)
    assert (found.title, found.role) == (VOLUME, "baseline")
    assert "within one standard error" in found.reason or "best AUC" in found.reason
    assert found.candidates[0].title == VOLUME
    assert all(one.low <= one.auc <= one.high for one in found.candidates)


def test_a_simple_model_without_skill_gives_way_to_one_with_skill():
    """With few cases both lie within an error of each other, but only one of them is told from chance."""
    strengths = {LEAD: 1.3, VOLUME: 0.5}
    seen = set()
    for seed in range(30):
        case = outcome(strengths, n=24, seed=seed)
        found = choose_model(case, RECIPE, {**dict.fromkeys(ROLES, False), LEAD: True, VOLUME: True})
        skilled = [one.title for one in found.candidates if one.low > 0.5]
        assert found.title in skilled or not skilled
        seen.add((found.title, tuple(skilled)))
    assert (LEAD, (LEAD,)) in seen
    assert any(title == VOLUME for title, _ in seen)


def test_a_model_that_learned_nothing_is_no_candidate():
    case = outcome({LEAD: 2.0, VOLUME: 2.0})
    found = choose_model(case, RECIPE, {**ALL, VOLUME: False})
    assert VOLUME not in [one.title for one in found.candidates]
    assert found.title == LEAD
    silent = replace(case.models[VOLUME], called=np.arange(200) < 80)  # in most folds nothing was learned
    found = choose_model(replace(case, models={**case.models, VOLUME: silent}), RECIPE, ALL)
    assert VOLUME not in [one.title for one in found.candidates]


def test_where_nothing_was_learned_there_is_no_model_and_a_reason():
    found = choose_model(outcome({}), RECIPE, dict.fromkeys(ROLES, False))
    assert (found.title, found.candidates, found.p) == ("", (), None)
    assert found.reason.startswith("No model learned anything")


def test_the_p_pays_for_the_choice_among_many():
    """Of noise, the best of seven has a small p by itself; by the maximum it is uniform."""
    p = [choose_model(outcome({}, n=60, seed=seed), RECIPE, ALL).p for seed in range(40)]
    assert sum(one <= 0.1 for one in p) <= 9  # 4 are expected, and of 40 at most 9 in 99 of 100
    assert np.mean(p) == pytest.approx(0.5, abs=0.15)


def test_the_first_model_pays_for_itself_and_a_later_one_for_those_before_it():
    first = outcome({VOLUME: 0.9}, n=60, seed=3)
    found = choose_model(first, RECIPE, ALL)
    assert (found.title, found.p) == (VOLUME, p_of_best(first, [VOLUME]))
    dearer = 0
    for seed in range(12):
        last = outcome({COMBINED: 0.6}, n=60, seed=seed)
        found = choose_model(last, RECIPE, ALL)
        if found.title == COMBINED:
            alone, paid = p_of_best(last, [COMBINED]), p_of_best(last, [one.title for one in found.candidates])
            assert found.p == paid >= alone
            dearer += paid > alone
    assert dearer >= 2
