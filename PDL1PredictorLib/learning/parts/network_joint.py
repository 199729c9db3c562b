"""A network of slices, selected features and clinical values in one layer, as a part; or of the slices alone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.settings import FrameSettings
from PDL1PredictorLib.learning.deep.joint.cases import Framed, framed_of
from PDL1PredictorLib.learning.deep.joint.settings import JointTraining, best_epoch, shortened
from PDL1PredictorLib.learning.deep.joint.training import (
    TrainedJoint,
    answers_of,
    estimate_text,
    seconds_per_epoch,
    train_joint,
)
from PDL1PredictorLib.learning.deep.weights import with_weights_of_a_bundle
from PDL1PredictorLib.learning.imputation import fit_imputer
from PDL1PredictorLib.learning.selection import P_LIMIT, by_class, candidates, fit_standardizer
from PDL1PredictorLib.learning.trained import EndToEnd
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.models.imputer import Imputer
from PDL1PredictorLib.models.network.graph import INPUT, TABLE
from PDL1PredictorLib.models.schema.network import NetworkInputs
from PDL1PredictorLib.networks.backbones import backbone
from PDL1PredictorLib.networks.joint import Joint

BITS = 8  # of a weight in a bundle


def check_frame(frame: FrameSettings, settings: JointTraining) -> None:
    """Refuse a frame that the backbone cannot see.

    Raises:
        InputError: It is too small.
    """
    least = backbone(settings.backbone).least_pixels
    if frame.pixels < least:
        raise InputError(f"{settings.backbone} needs frames of at least {least} pixels, got {frame.pixels}.")


@dataclass(frozen=True, eq=False)
class JointColumns:
    """The columns beside the slices: radiomic features, then clinical values.

    Attributes:
        names: Of the columns.
        places: Of the features among those of the cohort.
        mean: Of each column, over the training cases.
        sd: Likewise.
        imputer: Of clinical values; None where there are none.
    """

    names: tuple[str, ...]
    places: np.ndarray
    mean: np.ndarray
    sd: np.ndarray
    imputer: Imputer | None

    def of(self, cohort: PreparedCohort) -> np.ndarray:
        """(n, t) z-scores of all cases; 0, the mean, where a feature is undefined."""
        raw = [cohort.features[:, self.places]] if len(self.places) else []
        raw += [] if self.imputer is None else [self.imputer(cohort.clinical)]
        if not raw:
            return np.zeros((len(cohort), 0))
        z = (np.concatenate(raw, axis=1) - self.mean) / self.sd
        return np.where(np.isfinite(z), z, 0.0)


@dataclass(frozen=True)
class JointTable:
    """What stands beside the slices.

    Attributes:
        features: Whether radiomic features do.
        pruned: Of features that say the same only the best is kept, `MOST_CANDIDATES` of them at most; else all that
            go with an endpoint at p < 0.05.
        clinical: Names of the clinical values, of the recipe's needs.
        shareable: Missing values are estimated from centroids of several patients.
    """

    features: bool = True
    pruned: bool = True
    clinical: tuple[str, ...] = ()
    shareable: bool = False

    def learn(self, training: TrainingSet, fit: np.ndarray) -> JointColumns:
        """From the rows `fit` alone."""
        cohort = training.cohort
        places, mean, sd = np.zeros(0, dtype=int), np.zeros(0), np.zeros(0)
        names: tuple[str, ...] = ()
        if self.features:
            standardizer = fit_standardizer(cohort.features[fit])
            places = self._selected(training, fit, standardizer(cohort.features[fit]), standardizer.varies)
            mean, sd = standardizer.mean[places], standardizer.sd[places]
            names = tuple(cohort.feature_names[place] for place in places)
        if not self.clinical:
            return JointColumns(names, places, mean, sd, None)
        imputer = fit_imputer(cohort.clinical[fit], training.patients[fit], self.shareable)
        known = imputer(cohort.clinical[fit])
        spread = known.std(axis=0)
        mean = np.concatenate([mean, known.mean(axis=0)])
        sd = np.concatenate([sd, np.where(spread > 0, spread, 1.0)])
        return JointColumns((*names, *self.clinical), places, mean, sd, imputer)

    def _selected(self, training: TrainingSet, fit: np.ndarray, z: np.ndarray, varies: np.ndarray) -> np.ndarray:
        """Columns that go with an endpoint (Mann-Whitney), the most significant first; the best one at least."""
        labels = training.cohort.labels[fit]
        usable = varies & training.stability.stable if self.pruned else varies

        def smallest_p(some: np.ndarray, truths: np.ndarray) -> np.ndarray:
            found = [np.ones(some.shape[1])]
            for column in truths.T:
                known = np.isfinite(column)
                if len(set(column[known])) == 2:
                    found.append(by_class(some[known], column[known]))
            return np.asarray(np.nanmin(found, axis=0))

        if not self.pruned:
            columns = np.flatnonzero(usable)
            p = smallest_p(z[:, columns], labels)
            order = np.argsort(p, kind="stable")
            chosen = columns[order[p[order] < P_LIMIT]]
        else:
            chosen = candidates(z, labels, usable, smallest_p)
        if len(chosen):
            return np.asarray(chosen)
        columns = np.flatnonzero(usable) if usable.any() else np.arange(z.shape[1])
        return columns[[int(np.argmin(smallest_p(z[:, columns], labels)))]]


@dataclass(frozen=True, eq=False)
class JointModel:
    """A network that was trained on some rows; see `learning.parts.network.EndToEndModel`.

    Attributes:
        cases: All cases beside the columns of this network.
        table: The columns.
        trained: The network.
        history: Of its training, or of the first of those that told how long.
        frame: How the slices are cut.
        device: Where it answers.
    """

    cases: Framed
    table: JointColumns
    trained: TrainedJoint
    history: tuple[dict[str, float], ...]
    frame: FrameSettings
    device: str = "cpu"

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns beside the slices."""
        return self.table.names

    @property
    def imputer(self) -> Imputer | None:
        """Of its clinical values."""
        return self.table.imputer

    def column_weights(self, output: int) -> dict[str, float]:
        """What a standard deviation of each column adds to one of the answers, by the column's name."""
        return dict(zip(self.columns, self.trained.network.head().table[output].tolist(), strict=True))

    def answers(self, rows: np.ndarray) -> np.ndarray:
        """Log-odds, mean over the slices, (n, e)."""
        return answers_of(self.trained.network, self.cases, rows)

    def end_to_end(self, outputs: Sequence[int], rows: np.ndarray) -> EndToEnd:
        """What a bundle is written from; its weights were rounded before anything was measured."""
        mean, sd = (tuple(float(value) for value in part) for part in (self.table.mean, self.table.sd))
        shown = {INPUT: self.cases.channels(rows, 0)}
        if self.columns:
            shown[TABLE] = self.cases.columns(rows)
        return EndToEnd(
            module=self.trained.network.with_outputs(outputs),
            inputs=NetworkInputs("slices", self.columns, mean, sd, self.frame),
            shown=shown,
            history=self.history,
            bits=BITS,
            slices=self.cases.slices,
        )


class JointNetworkLearner:
    """Trains it: on each fold's cases, the fold tells the best epoch; in the end on all, for as long as was best.

    Args:
        cohort: All cases.
        settings: How.
        frame: How slices are cut.
        table: What stands beside them.
        seed: Of everything that is drawn.
        device: Where.
        start: Weight file of the backbone, or None.
        trainings: How many a study makes, for the estimate of the time.
    """

    def __init__(
        self,
        cohort: PreparedCohort,
        settings: JointTraining,
        frame: FrameSettings,
        table: JointTable,
        seed: int,
        device: str,
        start: Path | None = None,
        trainings: int = 1,
    ) -> None:
        self._cases, self._settings, self._frame, self._table = framed_of(cohort, frame), settings, frame, table
        self._seed, self._device, self._start = seed, device, start
        self._trainings, self._told = trainings, False

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> JointModel:
        """On `fit`; before the first training it is told how long all will take."""
        return self._train(training, fit, watch, self._settings, progress)

    def kept(self, training: TrainingSet, models: Sequence[Any], progress: Progress) -> JointModel:
        """On all training cases, as many epochs as were best in the folds on average, rounded as its bundle is."""
        epochs = round(float(np.mean([best_epoch(model.history) for model in models])))
        settings = shortened(self._settings, epochs)
        model = self._train(training, training.rows, training.rows[:0], settings, progress)
        network: Joint = with_weights_of_a_bundle(model.trained.network, BITS)
        return replace(model, trained=replace(model.trained, network=network), history=models[0].history)

    def _train(
        self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, settings: JointTraining, progress: Progress
    ) -> JointModel:
        table = self._table.learn(training, fit)
        # the labels of this training: a leak test shuffles them
        cases = replace(self._cases, labels=training.cohort.labels, table=table.of(training.cohort))
        if not self._told:
            self._told = True
            seconds = seconds_per_epoch(cases, fit, settings, self._device)
            progress.step("network", 0.0, estimate_text(seconds, settings, self._trainings))
        trained = train_joint(cases, fit, watch, settings, self._seed, self._device, self._start, progress)
        return JointModel(cases, table, trained, trained.history, self._frame, self._device)

    def forget(self) -> None:
        """Nothing is kept on disk."""
