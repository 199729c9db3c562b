"""How many inputs the cases of an endpoint carry: where they are few, a recipe's models take fewer inputs."""

from dataclasses import replace

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.roles import lead_of
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.recipe import ModelPlan, Recipe, roles_of
from PDL1PredictorLib.statistics.sample_size import cox_snell_r2, parameters_carried

ANTICIPATED_AUC = 0.75
"""What a modest radiomic model reaches in new patients. Published figures of 0.85 and more come from small tests, and
would let a model have inputs that its cases do not carry."""
RULE = (
    "By the criteria of Riley et al. 2020 (doi 10.1136/bmj.m441), for an anticipated AUC of "
    f"{ANTICIPATED_AUC} (Cox-Snell R2 from it and the share of positives, Riley et al. 2021, doi 10.1002/sim.8806), "
    "counting the cases of a training of the study"
)


def inputs_carried(n: int, prevalence: float) -> int:
    """Inputs that a model of n cases may have.

    The criteria of shrinkage (coefficients keep 0.9 of their size), of optimism (0.05 of Nagelkerke's R2) and of the
    average error of a probability (0.05) decide. The one of the overall risk does not depend on the inputs; 385 cases
    or fewer never meet it at a share of one half, however simple the model.

    Args:
        n: Cases, >= 1.
        prevalence: Share of positives, between 0 and 1.
    """
    found = parameters_carried(n, prevalence, cox_snell_r2(ANTICIPATED_AUC, prevalence))
    return min(found.shrinkage, found.optimism, found.mean_error)


def plans_of(recipe: Recipe, cohort: PreparedCohort, key: str) -> tuple[ModelPlan, ...]:
    """The recipe's models as they are fitted for an endpoint, in every fold alike: it depends on counts alone.

    Args:
        recipe: Its models, and how cases are divided.
        cohort: All cases.
        key: Of the endpoint.
    """
    carried = _carried(recipe, cohort.targets[key])
    return tuple(_fitting(plan, carried) for plan in recipe.models)


def lead_of_plans(recipe: Recipe, cohort: PreparedCohort, key: str) -> ModelPlan:
    """The lead model among them."""
    title = lead_of(roles_of(recipe))
    return next(plan for plan in plans_of(recipe, cohort, key) if plan.name.title == title)


def _carried(recipe: Recipe, target: Target) -> float:
    """Infinite where nothing is counted: for numbers, and for endpoints with one class, which get no model."""
    known = target.labels[np.isfinite(target.labels)]
    if not 0 < known.sum() < len(known):
        return np.inf
    share = 1 - recipe.test_share if recipe.design == Design.SPLIT else 1 - 1 / recipe.n_folds
    return inputs_carried(max(1, round(share * len(known))), float(known.mean()))


def _fitting(plan: ModelPlan, carried: float) -> ModelPlan:
    if plan.smaller is None or carried >= plan.smaller.below:
        return plan
    return replace(plan, parts=plan.smaller.parts, fit=plan.smaller.fit, smaller=None)
