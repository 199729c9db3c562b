"""What a part of the inputs is: learned from some cases, it gives values of any case."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.training_set import TrainingSet

Values = np.ndarray | Mapping[str, np.ndarray]
"""Inputs of n cases: (n, d) where all endpoints have the same, else endpoint to (n, d)."""


class Place(NamedTuple):
    """Where something is learned.

    Attributes:
        device: Where a network runs.
        start: Weights that a network starts from, or None.
        checkpoints: Folder that keeps the state of the trainings of a run that was stopped, or None.
    """

    device: str = "cpu"
    start: Path | None = None
    checkpoints: Path | None = None


class PartModel(Protocol):
    """What was learned of one part from some rows of a cohort."""

    @property
    def form(self) -> str:
        """What a bundle's manifest calls inputs of this kind."""
        ...

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """Inputs of these rows of the cohort."""
        ...

    def names(self, endpoint: str) -> tuple[str, ...]:
        """Of the columns."""
        ...

    def features(self, endpoint: str, chosen: Sequence[str]) -> tuple[str, ...]:
        """Radiomic features that the inputs `chosen`, some of `names`, are made of."""
        ...

    def coefficients(self, endpoint: str, weights: Mapping[str, float]) -> dict[str, dict[str, float]]:
        """Region to feature to coefficient, for the report; `weights` of the inputs, where the model is linear."""
        ...

    def entry(self, endpoint: str, chosen: Sequence[str]) -> dict[str, Any]:
        """What the bundle's manifest says of the part at this endpoint."""
        ...


class PartLearner(Protocol):
    """Learns a part, first without each fold of the training cases in turn, then from all of them."""

    @property
    def title(self) -> str:
        """Of the work, for progress."""
        ...

    @property
    def effort(self) -> float:
        """Time of a learning, relative to that of the other parts."""
        ...

    @property
    def wide(self) -> bool:
        """Whether it gives more columns than a model is to have, so that some are selected when the model is fitted."""
        ...

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> Any:
        """From the rows `fit` alone; `watch` may stop a training. Raises what the training raises."""
        ...

    def kept(self, training: TrainingSet, models: Sequence[Any], progress: Progress) -> Any:
        """One for cases to come, from all training cases, once the folds have told how."""
        ...

    def aligned(self, model: Any, kept: Any) -> Any:
        """A fold's model, so that its columns mean what those of the kept one mean."""
        ...

    def checked(
        self, training: TrainingSet, rows: np.ndarray, kept: Any, honest: Values, folds: np.ndarray
    ) -> tuple[Any, Values]:
        """The kept model and the values of held-out cases, less what these cases have refuted.

        `folds`: number of the fold of each of the `rows`, (n,): another learning has made its values.
        """
        ...

    def forget(self) -> None:
        """Remove what is kept on disk for a run that is stopped."""
        ...


class SameEverywhere:
    """A part whose columns need neither turning nor checking and that keeps nothing on disk."""

    effort = 0.1
    wide = False

    def aligned(self, model: Any, kept: Any) -> Any:
        """As it is."""
        return model

    def checked(
        self, training: TrainingSet, rows: np.ndarray, kept: Any, honest: Values, folds: np.ndarray
    ) -> tuple[Any, Values]:
        """As they are."""
        return kept, honest

    def forget(self) -> None:
        """Nothing is kept on disk."""


class NotOfFeatures:
    """A part that is not made of radiomic features, and of which the manifest says nothing at an endpoint."""

    def features(self, endpoint: str, chosen: Sequence[str]) -> tuple[str, ...]:
        """None."""
        return ()

    def coefficients(self, endpoint: str, weights: Mapping[str, float]) -> dict[str, dict[str, float]]:
        """None."""
        return {}

    def entry(self, endpoint: str, chosen: Sequence[str]) -> dict[str, Any]:
        """Nothing."""
        return {}


def values_for(values: Values, endpoint: str) -> np.ndarray:
    """The inputs of one endpoint, (n, d)."""
    return values[endpoint] if isinstance(values, Mapping) else values


def joined(parts: Sequence[Values]) -> Values:
    """Values of one part's cases after another's."""
    first = parts[0]
    if isinstance(first, Mapping):
        return {key: np.concatenate([values_for(part, key) for part in parts]) for key in first}
    return np.concatenate([np.asarray(part) for part in parts])
