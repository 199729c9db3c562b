"""One training of a study: inputs learned, models fitted, and the inputs of its test cases."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.running.processes import run_each
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.carried import plans_of
from PDL1PredictorLib.learning.crossfit import Inputs, Learned, learn
from PDL1PredictorLib.learning.fitting import Fitting
from PDL1PredictorLib.learning.kinds import Answers, Fitted, rules
from PDL1PredictorLib.learning.parts.part import PartLearner
from PDL1PredictorLib.learning.recipe import ModelPlan
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.study.setup import Study

Models = dict[str, Fitted]
"""By title of the recipe's models."""
Job = tuple[str, str, np.ndarray, np.ndarray]
"""Title of a model, how it is fitted, its inputs, and of which of them some are selected."""


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

    def answers(self, plan: ModelPlan, target: Target, key: str) -> Answers:
        """Of a model to those of its test cases whose value is known."""
        x = self.inputs.of(plan.parts, key)[target.known[self.test]]
        found: Answers = rules(target.kind).answers(self.models[key][plan.name.title], x)
        return found


def run_fold(
    study: Study,
    learners: Mapping[str, PartLearner],
    train: np.ndarray,
    test: np.ndarray,
    endpoints: tuple[str, ...],
    kept: bool,
    progress: Progress,
) -> Fold:
    """Learn from some cases, and make the inputs of others.

    Args:
        study: What was asked.
        learners: Of the recipe's parts.
        train: Rows that teach.
        test: Rows that test; may be none.
        endpoints: Keys of those that get models.
        kept: Whether its models are kept, see `Recipe.fitting`.
        progress: Told on the way.
    """
    training = TrainingSet(study.cohort, np.asarray(study.patients), train, endpoints, study.recipe.seed)
    with progress.part("learning", 0.0, 0.8) as part:
        learned = learn(training, learners, study.recipe.n_inner_folds, part)
    with progress.part("fusion", 0.8, 1.0, "choosing and fitting models") as part:
        models = _fit_models(study, learned, endpoints, kept, part)
    return Fold(learned, models, test, learned.inputs(study.cohort, test) if len(test) else learned.honest)


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
            for plan in plans_of(study.recipe, study.cohort, key)
        ]
        tasks += [(key, job, target.take(target.known), how, study.recipe.seed) for job in jobs]
    workers = study.workers if len(endpoints) > 1 else 1  # processes start more slowly than it is fitted
    models: dict[str, Models] = {key: {} for key in endpoints}
    fitted = run_each(_fit_one, [task[1:] for task in tasks], workers, progress, "fusion", "models")
    for (key, (title, *_), *_), model in zip(tasks, fitted, strict=True):
        models[key][title] = model
    return models


def _fit_one(job: Job, target: Target, how: Fitting, seed: int) -> Fitted:
    _, fit, x, to_select = job
    fitted: Fitted = rules(target.kind).fit(x, target, fit, how, seed, to_select)
    return fitted
