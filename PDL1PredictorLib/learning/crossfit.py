"""Inputs of the models, part by part, honest where the models learn.

A network's deep features, and a LASSO's score, look better on the cases they were fitted on than on the next patient.
Models that were fitted on such inputs would trust them too much. Here they only ever see cross-fitted inputs: each
training case's come from a learning that has not seen it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.parts.part import PartLearner, PartModel, Values, joined, values_for
from PDL1PredictorLib.learning.stability import Stability
from PDL1PredictorLib.learning.training_set import TrainingSet


@dataclass(frozen=True, eq=False)
class Inputs:
    """Inputs of n cases.

    Attributes:
        n: How many.
        values: Of every part, by its name.
    """

    n: int
    values: Mapping[str, Values]

    def of(self, parts: Sequence[str], endpoint: str) -> np.ndarray:
        """What a model of these parts is given, in their order, (n, d)."""
        return np.column_stack([np.zeros((self.n, 0)), *(values_for(self.values[part], endpoint) for part in parts)])


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned from training cases, and the honest inputs that follow.

    Attributes:
        rows: Training cases, rows of the cohort in the order of `honest`, (n,).
        honest: Their inputs.
        parts: For cases to come, by name.
        wide: Names of the parts of whose columns a model selects some.
        held_out: Pairs of rows: what a distance to the cohort may be learned from, and measured on.
        stability: Which features could be candidates.
    """

    rows: np.ndarray
    honest: Inputs
    parts: Mapping[str, PartModel]
    wide: frozenset[str]
    held_out: tuple[tuple[np.ndarray, np.ndarray], ...]
    stability: Stability

    def inputs(self, cohort: PreparedCohort, rows: np.ndarray) -> Inputs:
        """Inputs of cases that nothing here was fitted on."""
        return Inputs(len(rows), {name: part.values(cohort, rows) for name, part in self.parts.items()})

    def names(self, parts: Sequence[str], endpoint: str) -> tuple[str, ...]:
        """Of the columns of `Inputs.of`."""
        return tuple(name for part in parts for name in self.parts[part].names(endpoint))

    def features(self, parts: Sequence[str], endpoint: str, chosen: Sequence[str]) -> tuple[str, ...]:
        """Radiomic features that the inputs `chosen` of a model of these parts are made of."""
        return tuple(name for part in parts for name in self.parts[part].features(endpoint, chosen))

    def to_select(self, parts: Sequence[str], endpoint: str) -> np.ndarray:
        """(d,) bool: columns of `Inputs.of` of which a model selects some."""
        return np.array([part in self.wide for part in parts for _ in self.parts[part].names(endpoint)], dtype=bool)


def learn(
    training: TrainingSet, learners: Mapping[str, PartLearner], n_folds: int, progress: Progress = SILENT
) -> Learned:
    """Learn fold by fold, so that every training case gets inputs from a learning without it.

    What is kept for cases to come is learned from all training cases in the end.

    Args:
        training: Cases.
        learners: Of the parts, by name.
        n_folds: Parts of the training cases that are held out in turn.
        progress: Told on the way.

    Raises:
        InputError: Fewer patients than folds, or what a learner raises.
    """
    cohort, folds = training.cohort, training.folds(n_folds)
    held_out = tuple((np.setdiff1d(training.rows, fold), fold) for fold in folds)
    by_fold: dict[str, list[PartModel]] = {name: [] for name in learners}
    share = 1 / (len(folds) + 1)
    for number, (others, fold) in enumerate(held_out):
        with progress.part("fold", number * share, (number + 1) * share, f"fold {number + 1} of {len(folds)}") as part:
            for name, learner, own in _shares(learners, part):
                by_fold[name].append(learner.learn(training, others, fold, own))
    with progress.part("kept", 1 - share, 1 - share / 4, "all training cases") as part:
        kept = {name: learner.kept(training, by_fold[name], own) for name, learner, own in _shares(learners, part)}
    rows = np.concatenate(folds)
    fold_of = np.repeat(np.arange(len(folds)), [len(fold) for fold in folds])
    honest: dict[str, Values] = {}
    for name in progress.each("held out", list(learners), lambda name: learners[name].title, 1 - share / 4):
        learner = learners[name]
        turned = [learner.aligned(model, kept[name]) for model in by_fold[name]]
        values = joined([model.values(cohort, fold) for model, fold in zip(turned, folds, strict=True)])
        kept[name], honest[name] = learner.checked(training, rows, kept[name], values, fold_of)
    wide = frozenset(name for name, learner in learners.items() if learner.wide)
    return Learned(rows, Inputs(len(rows), honest), kept, wide, held_out, training.stability)


def _shares(learners: Mapping[str, PartLearner], progress: Progress) -> Iterator[tuple[str, PartLearner, Progress]]:
    """Every learner with its share of the progress."""
    total, done = sum(learner.effort for learner in learners.values()), 0.0
    for name, learner in learners.items():
        with progress.part(name, done / total, (done + learner.effort) / total, learner.title) as own:
            yield name, learner, own
        done += learner.effort
