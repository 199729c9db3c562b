"""The outcome of every endpoint from the folds of a study: each case answered by models that had not seen it."""

from typing import NamedTuple

import numpy as np

from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.carried import lead_of_plans, plans_of
from PDL1PredictorLib.learning.kinds import Rules, rules
from PDL1PredictorLib.learning.number import FittedNumber
from PDL1PredictorLib.learning.recipe import ModelPlan, roles_of
from PDL1PredictorLib.study.answers import all_together, model_outcome, prediction_sets
from PDL1PredictorLib.study.folds import Fold
from PDL1PredictorLib.study.held_out.inner_folds import figures_of_folds
from PDL1PredictorLib.study.held_out.redivisions import redivisions_of
from PDL1PredictorLib.study.inner import inner_of, insight_of, spread, table_network
from PDL1PredictorLib.study.keeping import regions_of
from PDL1PredictorLib.study.outcome import EndpointOutcome
from PDL1PredictorLib.study.setup import Study
from PDL1PredictorLib.study.within.making import within_of


class Scores:
    """What the models of every repetition ranked their test cases by: all that is kept of further repetitions.

    Args:
        study: What was asked.
        endpoints: Keys of those that have models.

    Attributes:
        folds: Number of the fold that each case of the cohort was tested in, by repetition, (r, n); -1 where in none.
        values: Endpoint to model to scores, (r, n); NaN where a case was not tested.
    """

    def __init__(self, study: Study, endpoints: tuple[str, ...]) -> None:
        shape = study.repeats, len(study.cohort)
        titles = [plan.name.title for plan in study.recipe.models]
        self.folds = np.full(shape, -1)
        self.values = {key: {title: np.full(shape, np.nan) for title in titles} for key in endpoints}

    def add(self, study: Study, repetition: int, number: int, fold: Fold) -> None:
        """Take what a fold's models say of its test cases; `number` of the fold within its repetition."""
        self.folds[repetition, fold.test] = number
        for key, of_models in self.values.items():
            target = study.cohort.targets[key]
            rows = fold.test[target.known[fold.test]]
            for plan in plans_of(study.recipe, study.cohort, key):
                of_models[plan.name.title][repetition, rows] = fold.answers(plan, target, key).score


def endpoint_outcome(study: Study, key: str, folds: tuple[Fold, ...], scores: Scores, kept: Fold) -> EndpointOutcome:
    """Test cases of all folds, each answered by its own fold's models.

    Args:
        study: What was asked.
        key: Of the endpoint.
        folds: Of the first repetition.
        scores: Of all repetitions.
        kept: The training whose model is kept.
    """
    recipe, target = study.recipe, study.cohort.targets[key]
    kind, lead = rules(target.kind), lead_of_plans(recipe, study.cohort, key)
    plans = plans_of(recipe, study.cohort, key)
    rows = np.concatenate([fold.test[target.known[fold.test]] for fold in folds])
    answers = {plan.name.title: all_together([fold.answers(plan, target, key) for fold in folds]) for plan in plans}
    told = _explained(kind, lead, key, folds, target, kept)
    networks = table_network(kept.learned.parts, lead) is not None
    return EndpointOutcome(
        key=key,
        cases=tuple(study.cohort.names[row] for row in rows),
        labels=kind.truths(target.truths[rows]),
        folds=scores.folds[:, rows],
        patients=tuple(study.patients[row] for row in rows),
        models={
            title: model_outcome(
                kind, [fold.models[key][title] for fold in folds], found, scores.values[key][title][:, rows]
            )
            for title, found in answers.items()
        },
        counts=_counts(kind, target, folds),
        coefficients=regions_of(kept.learned, kind, kept.models[key][lead.name.title], lead, key),
        selected_in=_selected_in(lead, key, folds) if len(folds) > 1 else {},
        input_names=told.names,
        inputs=told.inputs,
        contributions=told.contributions,
        prediction_sets=prediction_sets(answers[lead.name.title]),
        bayes_auc=study.bayes_auc.get(key),
        kind=target.kind,
        roles=roles_of(recipe),
        groups={factor: tuple(levels[row] for row in rows) for factor, levels in study.groups.items()},
        insight=insight_of(recipe, study.cohort, kept.learned.parts, kept.learned.rows, told.attention)
        if networks
        else None,
        inner_folds=figures_of_folds(kept, plans, target, key),
        within=within_of(kept, lead, key, recipe.needs.columns),
        redivisions=redivisions_of(study, key, kept),
    )


class Explained(NamedTuple):
    """The lead model's inputs of the test cases, and what each moved the answer by.

    Attributes:
        names: Of the inputs, d of them; those of all folds.
        inputs: Standardized, (n, d); 0 where a fold does not use one.
        contributions: (n, d); None where they were not asked for.
        attention: See `insight.TableInsight`, (n, d).
    """

    names: tuple[str, ...]
    inputs: np.ndarray
    contributions: np.ndarray | None
    attention: np.ndarray | None = None


def _explained(
    kind: Rules, lead: ModelPlan, key: str, folds: tuple[Fold, ...], target: Target, kept: Fold
) -> Explained:
    """The model's inputs, or where it is a network over features these.

    Folds that selected other inputs than the model that is kept: all inputs of all folds, 0 where one is not used.
    """
    if table_network(kept.learned.parts, lead) is not None:
        return _inside(lead, key, folds, target)
    own_names = [fold.input_names(lead, key) for fold in folds]
    names = tuple(dict.fromkeys((*kept.input_names(lead, key), *(name for own in own_names for name in own))))
    inputs, shares = [], []
    for fold, own in zip(folds, own_names, strict=True):
        model = fold.models[key][lead.name.title]
        z = model.standardized(fold.inputs.of(lead.parts, key)[target.known[fold.test]])
        moved = kind.contributions(model, z)
        inputs.append(spread(z, own, names))
        shares.append(None if moved is None else spread(moved, own, names))
    found = [share for share in shares if share is not None]
    return Explained(names, np.concatenate(inputs), np.concatenate(found) if len(found) == len(folds) else None)


def _inside(lead: ModelPlan, key: str, folds: tuple[Fold, ...], target: Target) -> Explained:
    """Features of the networks of all folds."""
    found = []
    for fold in folds:
        network = table_network(fold.learned.parts, lead)
        fitted = fold.models[key][lead.name.title]
        if network is None or not isinstance(fitted, FittedNumber):
            raise TypeError("a network over features answers numbers, in every fold")
        found.append(inner_of(network, fitted, key, fold.test[target.known[fold.test]]))
    names = tuple(dict.fromkeys(name for one in found for name in one.names))
    asked = [spread(one.attention, one.names, names) for one in found if one.attention is not None]
    return Explained(
        names,
        np.concatenate([spread(one.z, one.names, names) for one in found]),
        np.concatenate([spread(one.effects, one.names, names) for one in found]),
        np.concatenate(asked) if len(asked) == len(found) else None,
    )


def _counts(kind: Rules, target: Target, folds: tuple[Fold, ...]) -> dict[str, tuple[int, ...]]:
    if len(folds) > 1:
        return {"all": kind.counts(target.truths)}
    training, test = folds[0].learned.rows, folds[0].test
    return {"training": kind.counts(target.truths[training]), "test": kind.counts(target.truths[test])}


def _selected_in(lead: ModelPlan, key: str, folds: tuple[Fold, ...]) -> dict[str, dict[str, float]]:
    """Region to feature to the share of the folds whose lead model rests on it."""
    parts = [part for part in lead.parts if folds[0].learned.parts[part].form != "l2"]  # which selects nothing
    used = [fold.learned.features(parts, key, fold.input_names(lead, key)) for fold in folds]
    shares = {name: sum(name in own for own in used) / len(folds) for name in sorted({n for own in used for n in own})}
    if not shares:
        return {}
    return {r: {name: share for name, share in shares.items() if name.startswith(f"{r}_")} for r in REGIONS}
