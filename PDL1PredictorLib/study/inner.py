"""What is seen inside a lead model that is a network over features: the share of each, attention, its training."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.learning.deep.table_shares import table_shares
from PDL1PredictorLib.learning.number import FittedNumber
from PDL1PredictorLib.learning.parts.network import NetworkAnswers
from PDL1PredictorLib.learning.parts.network_table import TableModel
from PDL1PredictorLib.learning.parts.part import PartModel
from PDL1PredictorLib.learning.recipe import ModelPlan, Recipe
from PDL1PredictorLib.learning.selection import fit_standardizer
from PDL1PredictorLib.study.insight import Epoch, TableInsight

MOST_COMPONENTS = 30


class Inner(NamedTuple):
    """A lead model's answers to some cases as sums over the features that its network is given.

    Attributes:
        names: Of the features, t of them.
        z: Standardized, (n, t).
        effects: What each moved the answer by before it was clipped, from that of the mean case, (n, t).
        attention: See `TableInsight`, (n, t).
    """

    names: tuple[str, ...]
    z: np.ndarray
    effects: np.ndarray
    attention: np.ndarray | None


def table_network(parts: Mapping[str, PartModel], plan: ModelPlan) -> TableModel | None:
    """The network over features that a model is made of alone; None of other models."""
    if len(plan.parts) != 1:
        return None
    part = parts[plan.parts[0]]
    return part.model if isinstance(part, NetworkAnswers) and isinstance(part.model, TableModel) else None


def inner_of(model: TableModel, fitted: FittedNumber, endpoint: str, rows: np.ndarray) -> Inner:
    """What the network makes of the features of some cases.

    Args:
        model: The network.
        fitted: The line on its answer.
        endpoint: Whose answer.
        rows: Of the network's cohort.
    """
    z = model.table.of(model.cohort, rows)
    output = model.cohort.endpoints.index(endpoint)
    per_answer = float(fitted.slope * fitted.linear.coefficients[0] / fitted.sd[0])
    effects = per_answer * table_shares(model.trained.network, z, output)
    return Inner(model.table.names, z, effects, model.attention(rows))


def insight_of(
    recipe: Recipe,
    cohort: PreparedCohort,
    parts: Mapping[str, PartModel],
    rows: np.ndarray,
    attention: np.ndarray | None,
) -> TableInsight:
    """What is told beside the effects.

    Args:
        recipe: Whose networks.
        cohort: All cases.
        parts: Of the training that is kept.
        rows: Its training cases.
        attention: Of the test cases.
    """
    networks = {plan.name.title: table_network(parts, plan) for plan in recipe.models}
    histories = {
        title: tuple(_epoch(one, model.scales[0].sd) for one in model.history)
        for title, model in networks.items()
        if model is not None and len(model.scales) == 1
    }
    return TableInsight(attention, explained_by_components(cohort, rows), histories)


def _epoch(losses: Mapping[str, float], sd: float) -> Epoch:
    return Epoch(losses["train"] * sd**2, losses["validation"] * sd**2, losses["validation_mae"] * sd)


def explained_by_components(cohort: PreparedCohort, rows: np.ndarray) -> tuple[float, ...]:
    """Cumulative share of the variance of the standardized features of some cases, component by component."""
    features = cohort.features[np.sort(rows)]
    standardizer = fit_standardizer(features)
    z = standardizer(features)[:, standardizer.varies]
    variances = np.linalg.svd(z - z.mean(axis=0), compute_uv=False) ** 2
    total = float(variances.sum())
    return tuple((np.cumsum(variances)[:MOST_COMPONENTS] / total).tolist()) if total > 0 else ()


def spread(values: np.ndarray, own: Sequence[str], names: Sequence[str]) -> np.ndarray:
    """Columns named `own` in those named `names`, 0 elsewhere."""
    if tuple(own) == tuple(names):
        return values
    found = np.zeros((len(values), len(names)))
    found[:, [list(names).index(name) for name in own]] = values
    return found
