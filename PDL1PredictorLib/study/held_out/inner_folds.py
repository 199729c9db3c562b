"""How a network did on each part of the training cases that it had not seen: the folds beside the hold-out."""

import numpy as np

from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.learning.recipe import ModelPlan
from PDL1PredictorLib.study.folds import Fold


def figures_of_folds(
    fold: Fold, plans: tuple[ModelPlan, ...], target: Target, key: str
) -> dict[str, tuple[float, ...]]:
    """The figure by which cases are ranked (of a yes/no endpoint the AUC), by fold, of every model that is a network.

    The part that is held out stops the training, so that its figure is a little too good; that of the hold-out is not.

    Args:
        fold: A training, such as the one that is kept.
        plans: Its models.
        target: Of all cases.
        key: Of the endpoint.

    Returns:
        Title to a figure a fold, NaN where it cannot be had.
    """
    learned = fold.learned
    found = {}
    for plan in plans:
        if [learned.parts[part].form for part in plan.parts] == ["network"]:
            answers = learned.honest.of(plan.parts, key)[:, 0]
            parts = [np.isin(learned.rows, held) & target.known[learned.rows] for _, held in learned.held_out]
            found[plan.name.title] = tuple(_figure(target, learned.rows[part], answers[part]) for part in parts)
    return found


def _figure(target: Target, rows: np.ndarray, answers: np.ndarray) -> float:
    kind = rules(target.kind)
    values = target.values[rows]
    if len(np.unique(values)) < 2:
        return float("nan")
    return float(kind.figure(kind.truths(values), answers[None], np.zeros((1, len(rows)), dtype=int)))
