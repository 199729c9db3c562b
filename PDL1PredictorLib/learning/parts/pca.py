"""Principal components of the radiomic features as inputs: as many as hold a share of the variance in training."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.parts.part import SameEverywhere, Values
from PDL1PredictorLib.learning.selection import Standardizer, fit_standardizer
from PDL1PredictorLib.learning.training_set import TrainingSet

SHARE = 0.95


@dataclass(frozen=True, eq=False)
class Components:
    """Directions in the space of the standardized features.

    Attributes:
        standardizer: Of all features.
        directions: (f, c), unit columns, the widest first; 0 for features that did not vary.
        feature_names: Of all features.
    """

    standardizer: Standardizer
    directions: np.ndarray
    feature_names: tuple[str, ...]
    form: ClassVar[str] = "pca"

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """(n, c)."""
        return np.asarray(self.standardizer(cohort.features[rows]) @ self.directions)

    def names(self, endpoint: str) -> tuple[str, ...]:
        """Numbered from 1."""
        return tuple(f"component_{number + 1}" for number in range(self.directions.shape[1]))

    def features(self, endpoint: str, chosen: Sequence[str]) -> tuple[str, ...]:
        """All that vary."""
        used = np.abs(self.directions).any(axis=1)
        return tuple(name for name, one in zip(self.feature_names, used, strict=True) if one)

    def coefficients(self, endpoint: str, weights: Mapping[str, float]) -> dict[str, dict[str, float]]:
        """None: every component is made of every feature."""
        return {}

    def entry(self, endpoint: str, chosen: Sequence[str]) -> dict[str, Any]:
        """Nothing: a model of components is compared with, and not shipped."""
        return {}


class PcaLearner(SameEverywhere):
    """The part `pca`.

    Args:
        share: Of the variance of the training cases that the components hold together.
    """

    title = "finding components"

    def __init__(self, share: float = SHARE) -> None:
        self._share = share

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> Components:
        """Of these rows."""
        features = training.cohort.features[fit]
        standardizer = fit_standardizer(features)
        z = standardizer(features) * standardizer.varies
        _, sizes, directions = np.linalg.svd(z - z.mean(axis=0), full_matrices=False)
        held = np.cumsum(sizes**2) / max(float((sizes**2).sum()), 1e-12)
        count = min(int(np.searchsorted(held, self._share)) + 1, len(sizes))
        return Components(standardizer, directions[:count].T, training.cohort.feature_names)

    def aligned(self, model: Components, kept: Components) -> Components:
        """What a fold's components hold, told in the directions of the kept ones: their number and sense are those."""
        return replace(model, directions=model.directions @ (model.directions.T @ kept.directions))

    def kept(self, training: TrainingSet, models: Sequence[Any], progress: Progress) -> Components:
        """Of all training cases."""
        return self.learn(training, training.rows, training.rows[:0], progress)
