"""A study from prepared cases to its outcome and the model that is kept: once split, or nested cross-validation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.running.processes import run_each
from PDL1PredictorLib.explain.shapley import exact_shapley
from PDL1PredictorLib.learning.crossfit import Inputs, Learned, TrainingSet, learn
from PDL1PredictorLib.learning.deep.learners import DeepLearner, FrozenNetwork, WholeNetwork
from PDL1PredictorLib.learning.deep.training import TrainedDeepCT
from PDL1PredictorLib.learning.fitting import FittedModel, Fitting, fit_model
from PDL1PredictorLib.learning.model_names import FUSED, MODELS, ROLES, VOLUME
from PDL1PredictorLib.learning.reference import reference_of
from PDL1PredictorLib.learning.trained import Trained, TrainedEndpoint
from PDL1PredictorLib.models.manifest import REGIONS
from PDL1PredictorLib.recipes.deepradscore import LEAST_PER_CLASS, StudyRecipe
from PDL1PredictorLib.statistics.conformal import prediction_set
from PDL1PredictorLib.statistics.discrimination import Auc, auc
from PDL1PredictorLib.study.outcome import EndpointOutcome, ModelOutcome

Models = dict[str, FittedModel]
"""By name, of `MODELS`."""
VOLUME_KINDS = ("logistic regression",)  # one input: what a reader would do


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
        start: Weights to start the backbone from; needed for a frozen network.
        test: Rows of the test cases where the cohort table fixes them; None draws them.
        checkpoints: Folder for the state of a training that was stopped.
        workers: Processes that fit classifiers; None takes one a core.
        bayes_auc: Endpoint to what no model can exceed, for synthetic cohorts.
    """

    cohort: PreparedCohort
    patients: Sequence[str]
    recipe: StudyRecipe
    device: str = "cpu"
    start: Path | None = None
    test: np.ndarray | None = None
    checkpoints: Path | None = None
    workers: int | None = None
    bayes_auc: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.recipe.network == "frozen" and self.start is None:
            raise InputError("A frozen network needs weights to start from: give --weights FILE (see pdl1 pretrain).")
        if self.cohort.endpoints != self.recipe.endpoints:
            raise InputError(
                f"The cases were prepared for the endpoints {', '.join(self.cohort.endpoints)}, the recipe is for "
                f"{', '.join(self.recipe.endpoints)}. Prepare them again."
            )

    def learner(self) -> DeepLearner:
        """Of the deep features."""
        if self.recipe.network == "frozen" and self.start is not None:
            return FrozenNetwork(self.cohort, self.recipe, self.device, self.start)
        return WholeNetwork(self.cohort, self.recipe, self.device, self.start, self.checkpoints)


def run_study(study: Study, progress: Progress = SILENT) -> StudyRun:
    """Train and measure.

    Raises:
        InputError: No endpoint has enough cases.
    """
    recipe = study.recipe
    splits = _splits(study)
    usable, left_out = usable_endpoints(study.cohort, [train for train, _ in splits])
    learner = study.learner()
    folds = []
    share = 1 / len(splits) if recipe.design == "split" else 0.8 / len(splits)
    for number, (train, test) in enumerate(splits):
        name = "training" if recipe.design == "split" else f"fold {number + 1} of {len(splits)}"
        with progress.part("study", number * share, (number + 1) * share, name) as part:
            folds.append(_run_fold(study, learner, train, test, usable, recipe.design == "split", part))
    if recipe.design == "split":
        kept = folds[0]
    else:
        everyone = np.arange(len(study.cohort))
        with progress.part("study", 0.8, 1.0, "training on all cases") as part:
            kept = _run_fold(study, learner, everyone, everyone[:0], usable, True, part)
    endpoints = {key: _outcome(study, key, tuple(folds), kept) for key in usable}
    run = StudyRun(tuple(folds), kept, endpoints, left_out, _trained(study, kept, endpoints, left_out))
    learner.forget()
    return run


def usable_endpoints(
    cohort: PreparedCohort, trainings: Sequence[np.ndarray], least: int = LEAST_PER_CLASS
) -> tuple[tuple[str, ...], dict[str, str]]:
    """Endpoints that have enough cases in every training, and the reasons of the others.

    Raises:
        InputError: There is none.
    """
    left_out = {}
    for column, key in enumerate(cohort.endpoints):
        labels = [cohort.labels[rows, column] for rows in trainings]
        positive, negative = (min(int((part == value).sum()) for part in labels) for value in (1, 0))
        if min(positive, negative) < least:
            left_out[key] = f"{positive} positive and {negative} negative cases in training; {least} of each are needed"
    usable = tuple(key for key in cohort.endpoints if key not in left_out)
    if not usable:
        reasons = "; ".join(f"{key}: {reason}" for key, reason in left_out.items())
        raise InputError(f"No endpoint can be learned. {reasons}. Add cases or labels.")
    return usable, left_out


def _splits(study: Study) -> list[tuple[np.ndarray, np.ndarray]]:
    """(training, test) rows of every fold."""
    recipe, everyone = study.recipe, np.arange(len(study.cohort))
    rng = np.random.default_rng([recipe.seed, 10])
    if recipe.design == "nested":
        shares = (1 / recipe.n_folds,) * recipe.n_folds
        tests = stratified_parts(study.patients, study.cohort.labels, shares, rng)
        return [(np.setdiff1d(everyone, test), test) for test in tests]
    if study.test is not None:
        return [(np.setdiff1d(everyone, study.test), study.test)]
    shares = (1 - recipe.test_share, recipe.test_share)
    train, test = stratified_parts(study.patients, study.cohort.labels, shares, rng)
    return [(train, test)]


def _run_fold(
    study: Study,
    learner: DeepLearner,
    train: np.ndarray,
    test: np.ndarray,
    endpoints: tuple[str, ...],
    kept: bool,
    progress: Progress,
) -> Fold:
    training = TrainingSet(study.cohort, np.asarray(study.patients), train, endpoints, study.recipe)
    with progress.part("learning", 0.0, 0.8) as part:
        learned = learn(training, learner, part)
    with progress.part("fusion", 0.8, 1.0, "choosing and fitting classifiers") as part:
        models = _fit_models(study, learned, endpoints, kept, part)
    return Fold(learned, models, test, learned.inputs(study.cohort, test) if len(test) else learned.honest)


def _fit_models(
    study: Study, learned: Learned, endpoints: tuple[str, ...], kept: bool, progress: Progress
) -> dict[str, Models]:
    how = study.recipe.fitting(kept)
    jobs = []
    for key in endpoints:
        labels = study.cohort.labels[learned.rows, study.cohort.endpoints.index(key)]
        known = np.isfinite(labels)
        y = labels[known].astype(int)
        inputs = {model: learned.honest.of(model, key)[known] for model in MODELS}
        jobs.append((inputs, y, how, study.recipe.seed))
    return dict(zip(endpoints, run_each(_fit_one, jobs, study.workers, progress, "fusion", "endpoints"), strict=True))


def _fit_one(inputs: dict[str, np.ndarray], labels: np.ndarray, how: Fitting, seed: int) -> Models:
    alone = replace(how, kinds=VOLUME_KINDS)
    return {model: fit_model(x, labels, alone if model == VOLUME else how, seed) for model, x in inputs.items()}


def _outcome(study: Study, key: str, folds: tuple[Fold, ...], kept: Fold) -> EndpointOutcome:
    """Test cases of all folds, each answered by its own fold's models."""
    cohort = study.cohort
    column = cohort.endpoints.index(key)
    known = [np.isfinite(cohort.labels[fold.test, column]) for fold in folds]
    rows = np.concatenate([fold.test[mask] for fold, mask in zip(folds, known, strict=True)])
    fused = [fold.models[key][FUSED] for fold in folds]
    standardized = [
        model.standardized(fold.inputs.of(FUSED, key)[mask])
        for model, fold, mask in zip(fused, folds, known, strict=True)
    ]
    sets = [
        prediction_set(p, model.conformal)
        for model, x in zip(fused, standardized, strict=True)
        for p in (1 / (1 + np.exp(-model.log_odds(x))) if len(x) else ())
    ]
    return EndpointOutcome(
        key=key,
        cases=tuple(cohort.names[row] for row in rows),
        labels=cohort.labels[rows, column].astype(int),
        models={model: _model_outcome(model, key, folds, known) for model in MODELS},
        counts=_counts(study, column, folds),
        coefficients=kept.learned.radscores.coefficients[key],
        selected_in=_selected_in(key, folds) if len(folds) > 1 else {},
        input_names=kept.inputs.names(FUSED),
        inputs=np.concatenate(standardized),
        contributions=np.concatenate([_contributions(m, x) for m, x in zip(fused, standardized, strict=True)]),
        prediction_sets=np.array([["negative" in s, "positive" in s] for s in sets], dtype=bool).reshape(-1, 2),
        bayes_auc=study.bayes_auc.get(key),
        roles=ROLES,
    )


def _model_outcome(model: str, key: str, folds: tuple[Fold, ...], known: list[np.ndarray]) -> ModelOutcome:
    fitted = [fold.models[key][model] for fold in folds]
    answers = [
        one.probability(fold.inputs.of(model, key)[mask]) if mask.any() else np.zeros(0)
        for one, fold, mask in zip(fitted, folds, known, strict=True)
    ]
    kinds = list(fitted[0].chosen.mean_auc)
    return ModelOutcome(
        probability=np.concatenate(answers),
        positive=np.concatenate([p >= one.threshold for p, one in zip(answers, fitted, strict=True)]),
        classifier=", ".join(one.chosen.kind for one in fitted),
        mean_auc={kind: float(np.mean([one.chosen.mean_auc[kind] for one in fitted])) for kind in kinds},
        thresholds=dict(fitted[0].thresholds) if len(folds) == 1 else {},
    )


def _contributions(model: FittedModel, standardized: np.ndarray) -> np.ndarray:
    """Shapley values in log-odds of every case, against the mean case."""
    mean = np.zeros(standardized.shape[1])
    shares = [exact_shapley(model.log_odds, row, mean).values for row in standardized]
    return np.array(shares).reshape(standardized.shape)


def _counts(study: Study, column: int, folds: tuple[Fold, ...]) -> dict[str, tuple[int, int]]:
    labels = study.cohort.labels[:, column]

    def count(rows: np.ndarray) -> tuple[int, int]:
        return int((labels[rows] == 1).sum()), int((labels[rows] == 0).sum())

    if len(folds) > 1:
        return {"all": count(np.arange(len(labels)))}
    return {"training": count(folds[0].learned.rows), "test": count(folds[0].test)}


def _selected_in(key: str, folds: tuple[Fold, ...]) -> dict[str, dict[str, float]]:
    chosen = [fold.learned.radscores.coefficients[key] for fold in folds]
    return {
        region: {
            name: sum(name in one[region] for one in chosen) / len(folds)
            for name in sorted({name for one in chosen for name in one[region]})
        }
        for region in REGIONS
    }


def _trained(study: Study, kept: Fold, endpoints: dict[str, EndpointOutcome], left_out: dict[str, str]) -> Trained:
    learned, cohort = kept.learned, study.cohort
    return Trained(
        recipe=study.recipe,
        created_utc=datetime.now(UTC).isoformat(timespec="seconds"),
        deep=TrainedDeepCT(learned.deep.network(), learned.deep.history),
        standardizer=learned.radscores.standardizer,
        feature_names=cohort.feature_names,
        endpoints={
            key: TrainedEndpoint(
                learned.radscores.coefficients[key],
                kept.models[key][FUSED],
                _measured(outcome),
            )
            for key, outcome in endpoints.items()
        },
        left_out=left_out,
        reference=reference_of(learned.radscores, cohort.features, learned.held_out),
        n_fit=len(learned.rows),
        n_validation=0,
        n_test=len(kept.test),
    )


def _measured(outcome: EndpointOutcome) -> Auc | None:
    """Of the lead model; None where not both answers occur."""
    if not 0 < outcome.labels.mean() < 1:
        return None
    return auc(outcome.labels, outcome.binary_models()[outcome.lead].probability)
