"""A network of volumes as a part: trained end to end on the cube about the tumor, with or without the PET."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.deep.volume.cases import Volumes, volumes_of
from PDL1PredictorLib.learning.deep.volume.settings import VolumeTraining, best_epoch
from PDL1PredictorLib.learning.deep.volume.training import (
    TrainedVolume,
    answers_of,
    estimate_text,
    maps_of,
    seconds_per_epoch,
    train_volume,
)
from PDL1PredictorLib.learning.parts.network import NetworkAnswers
from PDL1PredictorLib.learning.parts.part import PartModel
from PDL1PredictorLib.learning.trained import EndToEnd
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.models.schema.network import NetworkInputs


@dataclass(frozen=True, eq=False)
class VolumeModel:
    """A network that was trained on some rows; see `learning.parts.network.EndToEndModel`.

    Attributes:
        cases: All cases.
        trained: The network.
        history: Of its training, or of the first of those that told how long.
    """

    cases: Volumes
    trained: TrainedVolume
    history: tuple[dict[str, float], ...]
    columns: ClassVar[tuple[str, ...]] = ()

    @property
    def with_pet(self) -> bool:
        """Whether it looks at a PET."""
        return self.cases.suv is not None

    def answers(self, rows: np.ndarray) -> np.ndarray:
        """Log-odds, (n, e)."""
        return answers_of(self.trained.network, self.cases, rows)

    def maps(self, rows: np.ndarray) -> np.ndarray:
        """Class activation maps, (n, e, d, h, w), each scaled to 0 to 1."""
        return maps_of(self.trained.network, self.cases, rows)

    def end_to_end(self, outputs: Sequence[int], rows: np.ndarray) -> EndToEnd:
        """Its weights as they are, 32-bit: a few hundred kilobytes."""
        return EndToEnd(
            module=self.trained.network.with_outputs(outputs),
            inputs=NetworkInputs("volume"),
            shown={"volume": self.cases.channels(rows)},
            history=self.history,
        )


class VolumeNetworkLearner:
    """Trains it: on each fold's cases, stopped by the fold; in the end on all, as long as was best on average.

    Args:
        cohort: All cases.
        settings: How.
        seed: Of everything that is drawn.
        device: Where.
        with_pet: Whether the network looks at a PET.
        trainings: How many a study makes, for the estimate of the time.
    """

    def __init__(
        self,
        cohort: PreparedCohort,
        settings: VolumeTraining,
        seed: int,
        device: str,
        with_pet: bool,
        trainings: int = 1,
    ) -> None:
        self._cases, self._settings, self._seed = volumes_of(cohort, with_pet, settings.pool), settings, seed
        self._device, self._trainings, self._told = device, trainings, False

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> VolumeModel:
        """On `fit`, stopped by `watch`; before the first training it is told how long all will take."""
        own = self._of(training.cohort)
        if not self._told:
            self._told = True
            seconds = seconds_per_epoch(own, fit, self._settings, self._device)
            progress.step("network", 0.0, estimate_text(seconds, self._settings, self._trainings))
        trained = train_volume(own, fit, watch, self._settings, self._seed, self._device, progress)
        return VolumeModel(own, trained, trained.history)

    def kept(self, training: TrainingSet, models: Sequence[Any], progress: Progress) -> VolumeModel:
        """On all training cases, for as many epochs as were best in the folds on average; for all without patience."""
        own = self._of(training.cohort)
        settings = self._settings
        if settings.patience is not None:
            epochs = max(1, round(float(np.mean([best_epoch(model.history) for model in models]))))
            settings = replace(settings, epochs=epochs, patience=None)
        none = training.rows[:0]
        trained = train_volume(own, training.rows, none, settings, self._seed, self._device, progress)
        return VolumeModel(own, trained, models[0].history)

    def _of(self, cohort: PreparedCohort) -> Volumes:
        """The volumes with the labels of this training: a leak test shuffles them."""
        return replace(self._cases, labels=cohort.labels)

    def forget(self) -> None:
        """Nothing is kept on disk."""


def volume_network(parts: Mapping[str, PartModel]) -> VolumeModel | None:
    """The first network of volumes among the parts; None where there is none."""
    networks = (part.model for part in parts.values() if isinstance(part, NetworkAnswers))
    return next((model for model in networks if isinstance(model, VolumeModel)), None)
