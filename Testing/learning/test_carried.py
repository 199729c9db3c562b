"""How many inputs the cases carry, and that a model's inputs depend on counts alone."""

from dataclasses import replace

import numpy as np
import pytest

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.carried import inputs_carried, lead_of_plans, plans_of
from PDL1PredictorLib.recipes.deepradscore import FEW, FUSED, LEAD, DeepRadScoreRecipe
from PDL1PredictorLib.statistics.sample_size import cox_snell_r2, sample_size


def cohort(n: int, n_positive: int, unknown: int = 0) -> PreparedCohort:
    values = np.concatenate([np.ones(n_positive), np.zeros(n - n_positive), np.full(unknown, np.nan)])
    return PreparedCohort(tuple(map(str, range(n + unknown))), {"PDL1": Target("binary", values)}, {})


RECIPE = DeepRadScoreRecipe(("PDL1",))


@pytest.mark.parametrize(("n", "prevalence"), [(200, 0.3), (418, 0.47), (2000, 0.1)])
def test_so_many_inputs_need_no_more_cases_and_one_more_would(n: int, prevalence: float):
    carried, r2 = inputs_carried(n, prevalence), cox_snell_r2(0.75, prevalence)
    needed = sample_size(carried, prevalence, r2)
    assert max(needed.shrinkage, needed.optimism, needed.mean_error) <= n
    needed = sample_size(carried + 1, prevalence, r2)
    assert max(needed.shrinkage, needed.optimism, needed.mean_error) > n


def test_small_cohorts_fuse_four_inputs_and_large_ones_twelve():
    few, many = (lead_of_plans(RECIPE, cohort(n, n // 2), "PDL1") for n in (600, 1200))
    assert (few.parts, few.fit) == (FEW, "linear")
    assert (many.parts, many.fit) == (FUSED, "choose")
    assert few.name.title == many.name.title == LEAD


def test_cases_without_a_label_do_not_count():
    assert lead_of_plans(RECIPE, cohort(600, 300, unknown=900), "PDL1").parts == FEW


def test_the_share_that_is_trained_on_counts():
    nested = replace(RECIPE, design=Design.NESTED, n_folds=10)
    assert inputs_carried(630, 0.5) < 12 <= inputs_carried(810, 0.5)
    assert lead_of_plans(RECIPE, cohort(900, 450), "PDL1").parts == FEW
    assert lead_of_plans(nested, cohort(900, 450), "PDL1").parts == FUSED


def test_which_cases_are_positive_changes_nothing():
    one = cohort(300, 100)
    labels = np.random.default_rng(0).permutation(one.targets["PDL1"].values)
    other = one.with_targets({"PDL1": Target("binary", labels)})
    assert plans_of(RECIPE, one, "PDL1") == plans_of(RECIPE, other, "PDL1")


def test_clinical_columns_add_two_models_and_are_asked_for():
    assert RECIPE.needs.clinical == ()
    asked = replace(RECIPE, clinical=("age_years", "sex"))
    assert asked.needs.clinical == ("age_years", "sex")
    added = {plan.name.title: plan for plan in plans_of(asked, cohort(200, 80), "PDL1")[len(RECIPE.models) :]}
    assert set(added) == {"Clinical", "Combined"}
    assert added["Combined"].parts == (*FEW, "clinical")
