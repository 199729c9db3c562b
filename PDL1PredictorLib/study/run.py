"""A study from prepared cases to its outcome and the model that is kept: once split, or nested cross-validation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.running.processes import run_each
from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.crossfit import Inputs, Learned, learn
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.kinds import Answers, Fitted, Rules, rules
from PDL1PredictorLib.learning.parts.part import PartLearner, Place
from PDL1PredictorLib.learning.recipe import ModelPlan, Recipe, check_kinds, lead_plan, roles_of
from PDL1PredictorLib.learning.trained import Trained
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.study.answers import all_together, model_outcome, prediction_sets
from PDL1PredictorLib.study.keeping import regions_of, trained_of
from PDL1PredictorLib.study.outcome import EndpointOutcome

Models = dict[str, Fitted]
"""By title of the recipe's models."""


@dataclass(frozen=True, eq=False)
class Fold:
    """One training and its test cases.

    Attributes:
        learned: Of the training cases.
        models: Endpoint to its fitted models.
        test: Rows of the test cases.
        inputs: Of the test cases.
    """

    learned: Learned
    models: dict[str, Models]
    test: np.ndarray
    inputs: Inputs

    def input_names(self, plan: ModelPlan, key: str) -> tuple[str, ...]:
        """Of the inputs that a model uses."""
        names = self.learned.names(plan.parts, key)
        return tuple(names[column] for column in self.models[key][plan.name.title].columns)


@dataclass(frozen=True, eq=False)
class StudyRun:
    """What came out.

    Attributes:
        folds: One under `split`, several under nested cross-validation.
        kept: The training whose model is kept: the fold itself under `split`, one on all cases otherwise.
        endpoints: Outcome by key.
        left_out: Endpoint to the reason.
        trained: What the bundle is written from.
    """

    folds: tuple[Fold, ...]
    kept: Fold
    endpoints: dict[str, EndpointOutcome]
    left_out: dict[str, str]
    trained: Trained


@dataclass(frozen=True, eq=False)
class Study:
    """Prepared cases and how to learn from them.

    Attributes:
        cohort: All cases.
        patients: Of each case.
        recipe: How.
        device: Where the network runs.
        start: Weights to start a network from.
        test: Rows of the test cases where the cohort table fixes them; None draws them.
        checkpoints: Folder for the state of a training that was stopped.
        workers: Processes that fit models; None takes one a core.
        bayes_auc: Endpoint to what no model can exceed, for synthetic cohorts.

    Raises:
        InputError: The cases, the place and the recipe do not fit each other.
    """

    cohort: PreparedCohort
    patients: Sequence[str]
    recipe: Recipe
    device: str = "cpu"
    start: Path | None = None
    test: np.ndarray | None = None
    checkpoints: Path | None = None
    workers: int | None = None
    bayes_auc: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.recipe.require(self.place)
        if self.cohort.endpoints != self.recipe.endpoints:
            raise InputError(
                f"The cases were prepared for the endpoints {', '.join(self.cohort.endpoints)}, the recipe is for "
                f"{', '.join(self.recipe.endpoints)}. Prepare them again."
            )
        check_kinds(self.recipe, self.cohort)

    @property
    def place(self) -> Place:
        """Where is learned."""
        return Place(self.device, self.start, self.checkpoints)

    @property
    def once(self) -> bool:
        """Whether there is one training with test cases, which is kept."""
        return self.recipe.design == Design.SPLIT


def run_study(study: Study, progress: Progress = SILENT) -> StudyRun:
    """Train and measure.

    Raises:
        InputError: No endpoint has enough cases.
    """
    splits = _splits(study)
    usable, left_out = usable_endpoints(study.cohort, [train for train, _ in splits], study.recipe.coverage)
    learners = study.recipe.learners(study.cohort, study.place)
    folds = []
    share = 1 / len(splits) if study.once else 0.8 / len(splits)
    for number, (train, test) in enumerate(splits):
        name = "training" if study.once else f"fold {number + 1} of {len(splits)}"
        with progress.part("study", number * share, (number + 1) * share, name) as part:
            folds.append(_run_fold(study, learners, train, test, usable, study.once, part))
    if study.once:
        kept = folds[0]
    else:
        everyone = np.arange(len(study.cohort))
        with progress.part("study", 0.8, 1.0, "training on all cases") as part:
            kept = _run_fold(study, learners, everyone, everyone[:0], usable, True, part)
    found = {key: _outcome(study, key, tuple(folds), kept) for key in usable}
    tests = {key: rules(outcome.kind).test(outcome.labels, answers) for key, (outcome, answers) in found.items()}
    trained = trained_of(study.cohort, study.recipe, kept.learned, kept.models, kept.test, tests, left_out)
    endpoints = {key: outcome for key, (outcome, _) in found.items()}
    for learner in learners.values():
        learner.forget()
    return StudyRun(tuple(folds), kept, endpoints, left_out, trained)


def usable_endpoints(
    cohort: PreparedCohort, trainings: Sequence[np.ndarray], coverage: float = 0.9
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Endpoints that have enough cases in every training, and the reasons of the others.

    Raises:
        InputError: There is none.
    """
    reasons = {
        key: rules(target.kind).too_few([target.values[rows] for rows in trainings], coverage)
        for key, target in cohort.targets.items()
    }
    left_out = {key: reason for key, reason in reasons.items() if reason}
    usable = tuple(key for key in cohort.endpoints if key not in left_out)
    if not usable:
        told = "; ".join(f"{key}: {reason}" for key, reason in left_out.items())
        raise InputError(f"No endpoint can be learned. {told}. Add cases or labels.")
    return usable, left_out


def _splits(study: Study) -> list[tuple[np.ndarray, np.ndarray]]:
    """(training, test) rows of every fold."""
    recipe, everyone = study.recipe, np.arange(len(study.cohort))
    rng = np.random.default_rng([recipe.seed, 10])
    if not study.once:
        shares = (1 / recipe.n_folds,) * recipe.n_folds
        tests = stratified_parts(study.patients, study.cohort.strata, shares, rng)
        return [(np.setdiff1d(everyone, test), test) for test in tests]
    if study.test is not None:
        return [(np.setdiff1d(everyone, study.test), study.test)]
    shares = (1 - recipe.test_share, recipe.test_share)
    train, test = stratified_parts(study.patients, study.cohort.strata, shares, rng)
    return [(train, test)]


def _run_fold(
    study: Study,
    learners: Mapping[str, PartLearner],
    train: np.ndarray,
    test: np.ndarray,
    endpoints: tuple[str, ...],
    kept: bool,
    progress: Progress,
) -> Fold:
    training = TrainingSet(study.cohort, np.asarray(study.patients), train, endpoints, study.recipe.seed)
    with progress.part("learning", 0.0, 0.8) as part:
        learned = learn(training, learners, study.recipe.n_inner_folds, part)
    with progress.part("fusion", 0.8, 1.0, "choosing and fitting models") as part:
        models = _fit_models(study, learned, endpoints, kept, part)
    return Fold(learned, models, test, learned.inputs(study.cohort, test) if len(test) else learned.honest)


Job = tuple[str, str, np.ndarray, np.ndarray]
"""Title of a model, how it is fitted, its inputs, and of which of them some are selected."""


def _fit_models(
    study: Study, learned: Learned, endpoints: tuple[str, ...], kept: bool, progress: Progress
) -> dict[str, Models]:
    how = study.recipe.fitting(kept)
    tasks = []
    for key in endpoints:
        target = study.cohort.targets[key].take(learned.rows)
        jobs = [
            (
                plan.name.title,
                plan.fit,
                learned.honest.of(plan.parts, key)[target.known],
                learned.to_select(plan.parts, key),
            )
            for plan in study.recipe.models
        ]
        tasks.append((jobs, target.take(target.known), how, study.recipe.seed))
    return dict(zip(endpoints, run_each(_fit_one, tasks, study.workers, progress, "fusion", "endpoints"), strict=True))


def _fit_one(jobs: list[Job], target: Target, how: Fitting, seed: int) -> Models:
    kind = rules(target.kind)
    return {title: kind.fit(x, target, fit, how, seed, to_select) for title, fit, x, to_select in jobs}


def _outcome(study: Study, key: str, folds: tuple[Fold, ...], kept: Fold) -> tuple[EndpointOutcome, Answers]:
    """Test cases of all folds, each answered by its own fold's models; and the lead model's answers."""
    recipe, target = study.recipe, study.cohort.targets[key]
    kind, lead = rules(target.kind), lead_plan(recipe)
    known = [target.known[fold.test] for fold in folds]
    rows = np.concatenate([fold.test[mask] for fold, mask in zip(folds, known, strict=True)])
    answers = {plan.name.title: _answers(kind, plan, key, folds, known) for plan in recipe.models}
    names, inputs, contributions = _explained(kind, lead, key, folds, known, kept)
    return EndpointOutcome(
        key=key,
        cases=tuple(study.cohort.names[row] for row in rows),
        labels=kind.truths(target.values[rows]),
        models={
            title: model_outcome(kind, [fold.models[key][title] for fold in folds], found)
            for title, found in answers.items()
        },
        counts=_counts(kind, target, folds),
        coefficients=regions_of(kept.learned, kind, kept.models[key][lead.name.title], lead, key),
        selected_in=_selected_in(lead, key, folds) if len(folds) > 1 else {},
        input_names=names,
        inputs=inputs,
        contributions=contributions,
        prediction_sets=prediction_sets(answers[lead.name.title]),
        bayes_auc=study.bayes_auc.get(key),
        kind=target.kind,
        roles=roles_of(recipe),
    ), answers[lead.name.title]


def _answers(kind: Rules, plan: ModelPlan, key: str, folds: tuple[Fold, ...], known: list[np.ndarray]) -> Answers:
    return all_together(
        [
            kind.answers(fold.models[key][plan.name.title], fold.inputs.of(plan.parts, key)[mask])
            for fold, mask in zip(folds, known, strict=True)
        ]
    )


def _explained(
    kind: Rules, lead: ModelPlan, key: str, folds: tuple[Fold, ...], known: list[np.ndarray], kept: Fold
) -> tuple[tuple[str, ...], np.ndarray, np.ndarray | None]:
    """Names of the lead model's inputs, their standardized values (n, d), and their contributions.

    Folds that selected other inputs than the model that is kept: all inputs of all folds, 0 where one is not used.
    """
    own_names = [fold.input_names(lead, key) for fold in folds]
    names = tuple(dict.fromkeys((*kept.input_names(lead, key), *(name for own in own_names for name in own))))
    inputs, shares = [], []
    for fold, mask, own in zip(folds, known, own_names, strict=True):
        model = fold.models[key][lead.name.title]
        z = model.standardized(fold.inputs.of(lead.parts, key)[mask])
        moved = kind.contributions(model, z)
        inputs.append(_spread(z, own, names))
        shares.append(None if moved is None else _spread(moved, own, names))
    found = [share for share in shares if share is not None]
    return names, np.concatenate(inputs), np.concatenate(found) if len(found) == len(folds) else None


def _spread(values: np.ndarray, own: tuple[str, ...], names: tuple[str, ...]) -> np.ndarray:
    """Columns named `own` in those named `names`, 0 elsewhere."""
    if own == names:
        return values
    spread = np.zeros((len(values), len(names)))
    spread[:, [names.index(name) for name in own]] = values
    return spread


def _counts(kind: Rules, target: Target, folds: tuple[Fold, ...]) -> dict[str, tuple[int, ...]]:
    if len(folds) > 1:
        return {"all": kind.counts(target.values)}
    training, test = folds[0].learned.rows, folds[0].test
    return {"training": kind.counts(target.values[training]), "test": kind.counts(target.values[test])}


def _selected_in(lead: ModelPlan, key: str, folds: tuple[Fold, ...]) -> dict[str, dict[str, float]]:
    """Region to feature to the share of the folds whose lead model rests on it."""
    used = [fold.learned.features(lead.parts, key, fold.input_names(lead, key)) for fold in folds]
    shares = {name: sum(name in own for own in used) / len(folds) for name in sorted({n for own in used for n in own})}
    if not shares:
        return {}
    return {r: {name: share for name, share in shares.items() if name.startswith(f"{r}_")} for r in REGIONS}
