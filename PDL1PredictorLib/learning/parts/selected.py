"""Radiomic features themselves as inputs, standardized; which of them a model gets is selected when it is fitted.

The selection is part of the fit so that answers of held-out cases, from which the calibration is learned, come from a
selection without these cases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.learning.parts.part import SameEverywhere, Values
from PDL1PredictorLib.learning.selection import Standardizer, fit_standardizer
from PDL1PredictorLib.learning.training_set import TrainingSet


@dataclass(frozen=True, eq=False)
class StandardizedFeatures:
    """All features.

    Attributes:
        standardizer: Of the training cases.
        feature_names: Of its columns.
    """

    standardizer: Standardizer
    feature_names: tuple[str, ...]

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """(n, f) z-scores; 0 where a value is undefined or a feature did not vary in training."""
        return np.where(self.standardizer.varies, self.standardizer(cohort.features[rows]), 0.0)

    def names(self, endpoint: str) -> tuple[str, ...]:
        """Of the features."""
        return self.feature_names

    def features(self, endpoint: str, chosen: Sequence[str]) -> tuple[str, ...]:
        """Those that were chosen."""
        return tuple(name for name in chosen if name in set(self.feature_names))

    def coefficients(self, endpoint: str, weights: Mapping[str, float]) -> dict[str, dict[str, float]]:
        """Weights of the chosen features by region."""
        own = set(self.feature_names)
        return {
            region: {n: w for n, w in weights.items() if n in own and n.startswith(f"{region}_")} for region in REGIONS
        }

    def entry(self, endpoint: str, chosen: Sequence[str]) -> dict[str, Any]:
        """The names of those that were chosen."""
        return {"selected": list(self.features(endpoint, chosen))}


class SelectedLearner(SameEverywhere):
    """The part `selected`."""

    title = "standardizing features"
    wide = True

    def learn(
        self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress
    ) -> StandardizedFeatures:
        """Mean and SD of these rows."""
        cohort = training.cohort
        return StandardizedFeatures(fit_standardizer(cohort.features[fit]), cohort.feature_names)

    def kept(
        self, training: TrainingSet, models: Sequence[StandardizedFeatures], progress: Progress
    ) -> StandardizedFeatures:
        """Mean and SD of all training cases."""
        return self.learn(training, training.rows, training.rows[:0], progress)
