"""RadScores of tumor and ring as inputs: features selected and weighed for each endpoint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.settings import REGIONS
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.learning.parts.part import Values, values_for
from PDL1PredictorLib.learning.selection import Standardizer, fit_standardizer
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.statistics.scores import radscore

Weights = dict[str, dict[str, dict[str, float]]]
"""Endpoint to region to feature name to coefficient."""


@dataclass(frozen=True, eq=False)
class RadScores:
    """Feature selection and RadScores of every endpoint, learned from some cases.

    Attributes:
        standardizer: Of all features.
        weights: Of the selected ones.
        feature_names: Of all features.
    """

    standardizer: Standardizer
    weights: Weights
    feature_names: tuple[str, ...]

    form: ClassVar[str] = "radscore"

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """Endpoint to (n, 2), tumor and ring."""
        z = self.standardizer(cohort.features[rows])
        return {
            key: np.column_stack([radscore(z, self.feature_names, regions[region]) for region in REGIONS])
            for key, regions in self.weights.items()
        }

    def names(self, endpoint: str) -> tuple[str, ...]:
        """One a region."""
        return tuple(f"radscore_{region}" for region in REGIONS)

    def features(self, endpoint: str, chosen: Sequence[str]) -> tuple[str, ...]:
        """Those with a coefficient."""
        return tuple(name for region in REGIONS for name in self.weights[endpoint][region])

    def coefficients(self, endpoint: str, weights: Mapping[str, float]) -> dict[str, dict[str, float]]:
        """Those of the LASSO."""
        return self.weights[endpoint]

    def entry(self, endpoint: str, chosen: Sequence[str]) -> dict[str, Any]:
        """The same."""
        return {"radscore": self.weights[endpoint]}


class RadScoreLearner:
    """The part `radscore`."""

    title = "selecting features"
    effort = 3.0
    wide = False

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> RadScores:
        """Features selected and weighed on these rows alone."""
        stable = training.stability.stable
        return fit_radscores(training.cohort, fit, training.endpoints, training.seed, progress, stable)

    def kept(self, training: TrainingSet, models: Sequence[RadScores], progress: Progress) -> RadScores:
        """The same on all training cases."""
        return self.learn(training, training.rows, training.rows[:0], progress)

    def aligned(self, model: RadScores, kept: RadScores) -> RadScores:
        """As it is: a RadScore means the same whoever fitted it."""
        return model

    def checked(
        self, training: TrainingSet, rows: np.ndarray, kept: RadScores, honest: Values, folds: np.ndarray
    ) -> tuple[RadScores, Values]:
        """See `without_failed`."""
        return without_failed(training.cohort, rows, kept, honest, folds)

    def forget(self) -> None:
        """Nothing is kept on disk."""


def fit_radscores(
    cohort: PreparedCohort,
    rows: np.ndarray,
    endpoints: tuple[str, ...],
    seed: int,
    progress: Progress = SILENT,
    stable: np.ndarray | None = None,
) -> RadScores:
    """Standardize, select and weigh features on `rows` alone, for every endpoint and region.

    Args:
        cohort: All cases.
        rows: Training cases.
        endpoints: Keys.
        seed: Of the folds of the LASSO.
        progress: Told before every region of every endpoint.
        stable: Features that may be candidates, (f,) bool; None lets all.
    """
    names = cohort.feature_names
    standardizer = fit_standardizer(cohort.features[rows])
    z = standardizer(cohort.features[rows])
    usable = standardizer.varies if stable is None else standardizer.varies & stable
    of_region = {region: np.array([name.startswith(f"{region}_") for name in names]) for region in REGIONS}
    weights: Weights = {}
    each = [(key, region) for key in endpoints for region in REGIONS]
    for key, region in progress.each("selection", each, lambda one: f"{one[0]}, {one[1]}"):
        target = cohort.targets[key].take(rows)
        known, candidates = target.known, usable & of_region[region]
        score = rules(target.kind).score(z[known], target.truths[known], names, candidates, seed)
        weights.setdefault(key, {})[region] = score
    return RadScores(standardizer, weights, names)


def without_failed(
    cohort: PreparedCohort, rows: np.ndarray, radscores: RadScores, honest: Values, folds: np.ndarray
) -> tuple[RadScores, Values]:
    """Drop every RadScore that tells held-out cases apart no better than chance: its coefficients go, its values are 0.

    A RadScore is high for high answers by construction. In few cases without signal, one that was fitted on most of
    them tends to be low for the rest, and a classifier would learn to turn it around.

    Args:
        cohort: All cases.
        rows: Cases with honest values.
        radscores: Of all training cases.
        honest: Cross-fitted values of `rows`.
        folds: Of each of the rows, (n,): only values of one fold, which one selection has made, are compared.
    """
    weights, values = dict(radscores.weights), {}
    for key, regions in radscores.weights.items():
        target = cohort.targets[key].take(rows)
        own = values_for(honest, key)
        kept = [
            rules(target.kind).tells(target.truths[target.known], own[target.known, column], folds[target.known])
            for column in range(len(REGIONS))
        ]
        weights[key] = {region: regions[region] if keep else {} for region, keep in zip(REGIONS, kept, strict=True)}
        values[key] = own * kept
    return replace(radscores, weights=weights), values
