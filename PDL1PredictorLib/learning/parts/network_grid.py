"""A grid search around the training of a network over features, within the cases that teach.

Source: paper 000, "Hyperparameter tuning": a grid over learning rate, layers and dropout; its points are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from PDL1PredictorLib.cohort.splits import stratified_parts
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.deep.table_settings import TableTraining, best_epoch
from PDL1PredictorLib.learning.deep.table_training import TrainedTable
from PDL1PredictorLib.learning.parts.network_table import TableInputs, TableModel, TableNetworkLearner, as_in_a_bundle
from PDL1PredictorLib.learning.training_set import TrainingSet

N_FOLDS = 3
RATES, LAYERS, DROPOUTS = (2e-4, 1e-3), (1, 2, 3), (0.2, 0.4)


def grid_of(how: TableTraining) -> tuple[TableTraining, ...]:
    """The twelve points about the settings."""
    return tuple(
        replace(how, learning_rate=rate, layers=layers, dropout=dropout)
        for rate, layers, dropout in product(RATES, LAYERS, DROPOUTS)
    )


@dataclass(frozen=True, eq=False)
class FoundModel(TableModel):
    """A network whose settings were found.

    Attributes:
        losses: Mean squared error of the inner folds of every point of the grid, on the standardized scale.
        epochs: Of every point, best on average.
    """

    losses: tuple[float, ...] = ()
    epochs: tuple[float, ...] = ()


class GridLearner:
    """As `TableNetworkLearner`, with the settings found by folds of the rows that teach; the held-out ones stay unseen.

    Args:
        how: Settings that the grid lies about.
        inputs: Which features.
        seed: Of the folds and the trainings.
    """

    def __init__(self, how: TableTraining, inputs: TableInputs, seed: int) -> None:
        self._how, self._inputs, self._seed = how, inputs, seed
        self._points = grid_of(how)

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> FoundModel:
        """Find the settings within `fit`, then train on all of it; `watch` stops that training."""
        parts = stratified_parts(
            training.patients[fit],
            training.cohort.take(fit).strata,
            (1 / N_FOLDS,) * N_FOLDS,
            np.random.default_rng([self._seed, 13]),
        )
        tried = np.zeros((len(self._points), N_FOLDS, 2))
        share = 1 / (tried.shape[0] * N_FOLDS + 1)
        for place, point in enumerate(self._points):
            for number, part in enumerate(parts):
                done = (place * N_FOLDS + number) * share
                with progress.part("network", done, done + share, f"point {place + 1} of {len(self._points)}") as own:
                    held = fit[part]
                    model = self._of(point).learn(training, np.setdiff1d(fit, held), held, own)
                best = best_epoch(model.history)
                tried[place, number] = model.history[best - 1]["validation"], best
        losses, epochs = tried.mean(axis=1).T
        with progress.part("network", 1 - share, 1.0, "the best point") as own:
            model = self._of(self._points[int(losses.argmin())]).learn(training, fit, watch, own)
        return FoundModel(
            model.cohort, model.table, model.scales, model.trained, tuple(losses.tolist()), tuple(epochs.tolist())
        )

    def kept(self, training: TrainingSet, models: Sequence[FoundModel], progress: Progress) -> TableModel:
        """On all, with the settings that were best over all folds, as long as was best for them."""
        point = int(np.mean([model.losses for model in models], axis=0).argmin())
        epochs = max(round(float(np.mean([model.epochs[point] for model in models]))), 1)
        how = replace(self._points[point], epochs=epochs, patience=None)
        found = self._of(how).learn(training, training.rows, training.rows[:0], progress)
        return replace(found, trained=TrainedTable(as_in_a_bundle(found.trained.network), models[0].history))

    def forget(self) -> None:
        """Nothing is kept on disk."""

    def _of(self, how: TableTraining) -> TableNetworkLearner:
        return TableNetworkLearner(how, self._inputs, self._seed)
