"""Radiomic features themselves as inputs, standardized.

Which of them a model gets is selected when it is fitted (`selected`), so that answers of held-out cases, from which the
calibration is learned, come from a selection without these cases; or it gets those of the unfiltered image, all of them
(`original`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.learning.parts.part import SameEverywhere, Values
from PDL1PredictorLib.learning.selection import Standardizer, fit_standardizer
from PDL1PredictorLib.learning.training_set import TrainingSet

ORIGINAL = "_original_"  # in the names of features of the unfiltered image


@dataclass(frozen=True, eq=False)
class StandardizedFeatures:
    """Some of the features, or all.

    Attributes:
        standardizer: Of the training cases; of these features.
        feature_names: Of its columns.
        columns: Of them among all features of a cohort.
    """

    standardizer: Standardizer
    feature_names: tuple[str, ...]
    columns: np.ndarray
    form: ClassVar[str] = "selected"

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """(n, f) z-scores; 0 where a value is undefined or a feature did not vary in training."""
        z = self.standardizer(cohort.features[np.ix_(rows, self.columns)])
        return np.where(self.standardizer.varies, z, 0.0)

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
        found = _standardized(training.cohort, fit, np.arange(len(training.cohort.feature_names)))
        stable = found.standardizer.varies & training.stability.stable
        return replace(found, standardizer=replace(found.standardizer, varies=stable))

    def kept(
        self, training: TrainingSet, models: Sequence[StandardizedFeatures], progress: Progress
    ) -> StandardizedFeatures:
        """Mean and SD of all training cases."""
        return self.learn(training, training.rows, training.rows[:0], progress)


class OriginalLearner(SameEverywhere):
    """The part `original`: the features of the unfiltered image, of both regions; about 200, of which none is selected.

    Wavelets multiply the features by nine without telling much that these do not; a penalty can hold 200 back in a
    cohort in which it cannot hold back 1700.
    """

    title = "standardizing features"

    def learn(
        self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress
    ) -> StandardizedFeatures:
        """Mean and SD of these rows."""
        columns = np.flatnonzero([ORIGINAL in name for name in training.cohort.feature_names])
        return _standardized(training.cohort, fit, columns)

    def kept(
        self, training: TrainingSet, models: Sequence[StandardizedFeatures], progress: Progress
    ) -> StandardizedFeatures:
        """Mean and SD of all training cases."""
        return self.learn(training, training.rows, training.rows[:0], progress)


def _standardized(cohort: PreparedCohort, fit: np.ndarray, columns: np.ndarray) -> StandardizedFeatures:
    names = tuple(cohort.feature_names[column] for column in columns)
    return StandardizedFeatures(fit_standardizer(cohort.features[np.ix_(fit, columns)]), names, columns)
