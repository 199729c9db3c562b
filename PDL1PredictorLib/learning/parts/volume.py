"""The tumor's volume as an input: what any model has to beat."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.parts.part import NotOfFeatures, SameEverywhere, Values
from PDL1PredictorLib.learning.training_set import TrainingSet


@dataclass(frozen=True)
class LogVolume(NotOfFeatures):
    """The logarithm of the volume in mL; there is nothing to learn."""

    form: ClassVar[str] = "volume"

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """(n, 1)."""
        return np.asarray(np.log(cohort.volumes_ml[rows])[:, None])

    def names(self, endpoint: str) -> tuple[str, ...]:
        """Its one name."""
        return ("log_volume",)


class VolumeLearner(SameEverywhere):
    """The part `volume`."""

    title = "measuring volumes"

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> LogVolume:
        """There is nothing to learn."""
        return LogVolume()

    def kept(self, training: TrainingSet, models: Sequence[LogVolume], progress: Progress) -> LogVolume:
        """There is nothing to learn."""
        return LogVolume()
