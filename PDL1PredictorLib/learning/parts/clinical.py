"""Clinical values as inputs, missing ones estimated from the most similar training cases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.imputation import fit_imputer
from PDL1PredictorLib.learning.parts.part import NotOfFeatures, PartModel, SameEverywhere, Values
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.models.imputer import Imputer


@dataclass(frozen=True, eq=False)
class ClinicalValues(NotOfFeatures):
    """Numbered clinical values.

    Attributes:
        inputs: Their names, as in `Needs.clinical`.
        imputer: Of those that are not known, from the training cases.
    """

    inputs: tuple[str, ...]
    imputer: Imputer

    form: ClassVar[str] = "clinical"

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """(n, c), all known."""
        return self.imputer(cohort.clinical[rows])

    def names(self, endpoint: str) -> tuple[str, ...]:
        """As in `Needs.clinical`."""
        return self.inputs


class ClinicalLearner(SameEverywhere):
    """The part `clinical`.

    Args:
        inputs: Names, of the recipe's needs.
        shareable: Missing values are estimated from centroids of several patients, so that a bundle holds no patient's
            row; see `learning.imputation`.
    """

    title = "reading clinical values"

    def __init__(self, inputs: tuple[str, ...], shareable: bool = False) -> None:
        self._inputs, self._shareable = inputs, shareable

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> ClinicalValues:
        """The imputer of these rows."""
        values, patients = training.cohort.clinical[fit], training.patients[fit]
        return ClinicalValues(self._inputs, fit_imputer(values, patients, self._shareable))

    def kept(self, training: TrainingSet, models: Sequence[ClinicalValues], progress: Progress) -> ClinicalValues:
        """The imputer of all training cases."""
        return self.learn(training, training.rows, training.rows[:0], progress)


def imputer_of(parts: Mapping[str, PartModel]) -> Imputer | None:
    """The imputer that some of the parts read, as their attribute `imputer`; None where no part does."""
    found = (getattr(part, "imputer", None) for part in parts.values())
    return next((imputer for imputer in found if imputer is not None), None)
