"""Clinical values as inputs, missing ones replaced by the mean of the training cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.parts.part import NotOfFeatures, SameEverywhere, Values
from PDL1PredictorLib.learning.training_set import TrainingSet


@dataclass(frozen=True, eq=False)
class ClinicalValues(NotOfFeatures):
    """Numbered clinical values.

    Attributes:
        inputs: Their names, of `core.needs.CLINICAL_INPUTS`.
        mean: Of the known values of the training cases, (c,); 0 where none is known.
    """

    inputs: tuple[str, ...]
    mean: np.ndarray

    form: ClassVar[str] = "clinical"

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """(n, c), all known."""
        found = cohort.clinical[rows]
        return np.where(np.isfinite(found), found, self.mean)

    def names(self, endpoint: str) -> tuple[str, ...]:
        """As in `Needs.clinical`."""
        return self.inputs


class ClinicalLearner(SameEverywhere):
    """The part `clinical`.

    Args:
        inputs: Names, of the recipe's needs.
    """

    title = "reading clinical values"

    def __init__(self, inputs: tuple[str, ...]) -> None:
        self._inputs = inputs

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> ClinicalValues:
        """The means of these rows."""
        found = training.cohort.clinical[fit]
        known = np.isfinite(found)
        mean = np.where(known, found, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        return ClinicalValues(self._inputs, mean)

    def kept(self, training: TrainingSet, models: Sequence[ClinicalValues], progress: Progress) -> ClinicalValues:
        """The means of all training cases."""
        return self.learn(training, training.rows, training.rows[:0], progress)
