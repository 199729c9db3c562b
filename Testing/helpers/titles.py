"""Titles of the models of the recipe `deepradscore`, as its table has them."""

from PDL1PredictorLib.core.roles import Role
from PDL1PredictorLib.recipes.deepradscore import MODELS as PLANS

MODELS = tuple(plan.name.title for plan in PLANS)
RADIOMICS, DEEP, FUSED, PENALIZED, VOLUME = MODELS
ROLES: dict[str, Role] = {plan.name.title: plan.name.role for plan in PLANS}
