"""A network over radiomic features, trained end to end for numbers: which features it is given, and its training.

What it gives of a case is the standardized number; a line on answers of cases that it had not seen makes the answer of
it, as of any part.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.targets import Target
from PDL1PredictorLib.learning.deep.table_settings import TableTraining, best_epoch
from PDL1PredictorLib.learning.deep.table_training import Cases, TrainedTable, run_table, train_table
from PDL1PredictorLib.learning.selection import by_rank, candidates, fit_standardizer
from PDL1PredictorLib.learning.trained import EndToEnd
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.models.network.graph import TABLE
from PDL1PredictorLib.models.network.weights import restored, rounded
from PDL1PredictorLib.models.schema.network import NetworkInputs
from PDL1PredictorLib.networks.tabular import Bounds, TableModule

TUMOR = "tumor_"  # begins the names of its features
LARGE = 150_000  # weights: with more, a bundle holds them in 16 bits


class Seen(Protocol):
    """What a network is given of a case, once that was learned."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of what it is given."""
        ...

    def of(self, cohort: PreparedCohort, rows: np.ndarray) -> np.ndarray:
        """Standardized, see `table_training.Cases`."""
        ...


class Inputs(Protocol):
    """Learns on cases that teach what networks are given."""

    def of(self, training: TrainingSet, fit: np.ndarray) -> Seen:
        """From the rows `fit`."""
        ...


@dataclass(frozen=True, eq=False)
class Columns:
    """The features that a network is given, standardized.

    Attributes:
        names: Of the features, t of them.
        places: Of them among all features of the cohort, (t,).
        mean: Over the training cases, (t,).
        sd: Likewise.
    """

    names: tuple[str, ...]
    places: np.ndarray
    mean: np.ndarray
    sd: np.ndarray

    def of(self, cohort: PreparedCohort, rows: np.ndarray) -> np.ndarray:
        """(n, t) z-scores; 0, the mean, where a value is undefined."""
        z = (cohort.features[np.ix_(rows, self.places)] - self.mean) / self.sd
        return np.where(np.isfinite(z), z, 0.0)


@dataclass(frozen=True, eq=False)
class Scale:
    """The scale on which the values of an endpoint are learned.

    Attributes:
        mean: Of the training cases.
        sd: Likewise.
        bounds: Of the endpoint, on that scale.
    """

    mean: float
    sd: float
    bounds: Bounds

    def of(self, values: np.ndarray) -> np.ndarray:
        """Values (n,) on it."""
        return (values - self.mean) / self.sd


def scale_of(target: Target) -> Scale:
    """Mean and SD of the values that are known."""
    known = target.values[target.known]
    mean, sd = float(known.mean()), max(float(known.std()), 1e-9)
    return Scale(mean, sd, Bounds(*(None if end is None else (end - mean) / sd for end in (target.low, target.high))))


class TableInputs:
    """Which features networks are given: those that go with an endpoint, found on the cases that teach.

    Args:
        most: Features, at most; None takes all of the tumor that vary, without looking at an endpoint.
    """

    def __init__(self, most: int | None) -> None:
        self._most = most
        self._found: dict[bytes, Columns] = {}

    def of(self, training: TrainingSet, fit: np.ndarray) -> Columns:
        """The same for every network that learns from these rows."""
        key = fit.tobytes()
        if key not in self._found:
            self._found = {**dict(list(self._found.items())[-8:]), key: self._chosen(training, fit)}
        return self._found[key]

    def _chosen(self, training: TrainingSet, fit: np.ndarray) -> Columns:
        cohort = training.cohort
        standardizer = fit_standardizer(cohort.features[fit])
        usable = standardizer.varies & training.stability.stable
        if self._most is None:
            of_tumor = np.array([name.startswith(TUMOR) for name in cohort.feature_names])
            places = np.flatnonzero(standardizer.varies & of_tumor)
        else:
            values = np.column_stack([target.values[fit] for target in cohort.targets.values()])
            places = ranked(standardizer(cohort.features[fit]), values, usable)[: self._most]
        names = tuple(cohort.feature_names[place] for place in places)
        return Columns(names, places, standardizer.mean[places], standardizer.sd[places])


def ranked(z: np.ndarray, values: np.ndarray, usable: np.ndarray) -> np.ndarray:
    """Columns of z-scores (n, f) that go with some endpoint (n, e), the most significant first; the best one at least.

    An endpoint's cases are those whose value is known. Of columns that say the same, the better one is kept.
    """

    def smallest_p(some: np.ndarray, truths: np.ndarray) -> np.ndarray:
        known = [np.isfinite(column) for column in truths.T]
        each = [by_rank(some[own], column[own]) for own, column in zip(known, truths.T, strict=True) if own.sum() > 2]
        return np.asarray(np.min(each, axis=0))

    found = candidates(z, values, usable, smallest_p)
    if len(found):
        return found
    columns = np.flatnonzero(usable) if usable.any() else np.arange(z.shape[1])
    return columns[[int(np.argmin(smallest_p(z[:, columns], values)))]]


@dataclass(frozen=True, eq=False)
class TableModel:
    """A network over features of a cohort; see `parts.network.EndToEndModel`.

    Attributes:
        cohort: All cases.
        table: What it is given.
        scales: Of the endpoints.
        trained: The network.
    """

    cohort: PreparedCohort
    table: Seen
    scales: tuple[Scale, ...]
    trained: TrainedTable

    @property
    def history(self) -> tuple[dict[str, float], ...]:
        """Of the training, see `TrainedTable`."""
        return self.trained.history

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the features."""
        return self.table.names

    def answers(self, rows: np.ndarray) -> np.ndarray:
        """Standardized numbers, (n, e)."""
        return self.trained.answers(self.table.of(self.cohort, rows))

    def attention(self, rows: np.ndarray) -> np.ndarray | None:
        """Share of each feature in what the answer's token asked in the first layer, (n, t); None of most networks."""
        return run_table(self.trained.network, self.table.of(self.cohort, rows))[1]

    def end_to_end(self, outputs: Sequence[int], rows: np.ndarray) -> EndToEnd:
        """What a bundle is written from.

        Raises:
            InputError: The network reads slabs, which no bundle gives it.
        """
        if not isinstance(self.table, Columns):
            raise InputError("A network over slabs is compared with; it cannot be written into a bundle.")
        module = self.trained.network.with_outputs(outputs)
        mean, sd = (tuple(float(value) for value in part) for part in (self.table.mean, self.table.sd))
        return EndToEnd(
            module=module,
            inputs=NetworkInputs("none", self.table.names, mean, sd),
            shown={TABLE: self.table.of(self.cohort, rows).astype(np.float32)},
            history=self.history,
            bits=bits_of(module),
        )


def bits_of(module: TableModule) -> int:
    """Of a weight in a bundle."""
    return 16 if sum(weight.numel() for weight in module.parameters()) > LARGE else 32


class TableNetworkLearner:
    """Trains a network over features: by fold, each stopped by the fold that it does not see, and on all in the end.

    Args:
        how: Its settings.
        inputs: What they are given; shared by the networks of a recipe.
        seed: Of the trainings.
    """

    def __init__(self, how: TableTraining, inputs: Inputs, seed: int) -> None:
        self._how, self._inputs, self._seed = how, inputs, seed

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> TableModel:
        """On the rows `fit`; `watch` stops the training."""
        return self._train(training, fit, watch, self._how, progress)

    def kept(self, training: TrainingSet, models: Sequence[TableModel], progress: Progress) -> TableModel:
        """On all, for as many epochs as were best in the folds on average; its weights as a bundle gives them back.

        Its history is that of the first fold, which has cases to watch.
        """
        epochs = round(float(np.mean([best_epoch(model.history) for model in models])))
        how = replace(self._how, epochs=max(epochs, 1), patience=None)
        model = self._train(training, training.rows, training.rows[:0], how, progress)
        return replace(model, trained=TrainedTable(as_in_a_bundle(model.trained.network), models[0].history))

    def _train(
        self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, how: TableTraining, progress: Progress
    ) -> TableModel:
        cohort = training.cohort
        table = self._inputs.of(training, fit)
        scales = {key: scale_of(target.take(fit)) for key, target in cohort.targets.items()}
        parts = [Cases(table.of(cohort, rows), _values(cohort.targets, scales, rows)) for rows in (fit, watch)]
        bounds = [scale.bounds for scale in scales.values()]
        trained = train_table(parts[0], parts[1], bounds, how, self._seed, progress)
        return TableModel(cohort, table, tuple(scales.values()), trained)

    def forget(self) -> None:
        """Nothing is kept on disk."""


def _values(targets: Mapping[str, Target], scales: Mapping[str, Scale], rows: np.ndarray) -> np.ndarray:
    return np.column_stack([scales[key].of(target.values[rows]) for key, target in targets.items()])


def as_in_a_bundle(network: TableModule) -> TableModule:
    """The same network with the weights that a bundle gives back, so that what is measured is what is shipped."""
    bits = bits_of(network)
    if bits == 32:
        return network
    state = {name: value.detach().numpy() for name, value in network.state_dict().items()}
    network.load_state_dict({name: torch.from_numpy(value) for name, value in restored(rounded(state, bits)).items()})
    return network.eval()
