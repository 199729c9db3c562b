"""The sum of an L2 model of the unfiltered image's features as one input: what many features say, none selected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.learning.parts.part import Values, values_for
from PDL1PredictorLib.learning.parts.selected import ORIGINAL
from PDL1PredictorLib.learning.selection import Standardizer, fit_standardizer
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.statistics.scores import radscore


@dataclass(frozen=True, eq=False)
class L2Scores:
    """The weights of every endpoint, learned from some cases.

    Attributes:
        standardizer: Of all features.
        weights: Endpoint to feature name to coefficient; empty where held-out cases have refuted them.
        feature_names: Of all features.
    """

    standardizer: Standardizer
    weights: Mapping[str, dict[str, float]]
    feature_names: tuple[str, ...]
    form: ClassVar[str] = "l2"

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """Endpoint to (n, 1)."""
        z = self.standardizer(cohort.features[rows])
        return {key: radscore(z, self.feature_names, own)[:, None] for key, own in self.weights.items()}

    def names(self, endpoint: str) -> tuple[str, ...]:
        """Its one name."""
        return ("l2_score",)

    def features(self, endpoint: str, chosen: Sequence[str]) -> tuple[str, ...]:
        """Those with a weight."""
        return tuple(self.weights[endpoint])

    def coefficients(self, endpoint: str, weights: Mapping[str, float]) -> dict[str, dict[str, float]]:
        """None: the report shows those that were selected."""
        return {}

    def entry(self, endpoint: str, chosen: Sequence[str]) -> dict[str, Any]:
        """The weights."""
        return {"l2": self.weights[endpoint]}


class L2ScoreLearner:
    """The part `l2score`."""

    title = "weighing features"
    effort = 1.0
    wide = False

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> L2Scores:
        """Standardize and weigh the features of the unfiltered image on these rows alone."""
        cohort = training.cohort
        standardizer = fit_standardizer(cohort.features[fit])
        usable = standardizer.varies & np.array([ORIGINAL in name for name in cohort.feature_names])
        names = [name for name, use in zip(cohort.feature_names, usable, strict=True) if use]
        z = standardizer(cohort.features[fit])[:, usable]
        weights = {}
        for number, key in enumerate(training.endpoints):
            progress.step("selection", number / len(training.endpoints), key)
            target = cohort.targets[key].take(fit)
            found = rules(target.kind).many(z[target.known], target.truths[target.known], training.seed)
            weights[key] = dict(zip(names, found.tolist(), strict=True))
        return L2Scores(standardizer, weights, cohort.feature_names)

    def kept(self, training: TrainingSet, models: Sequence[L2Scores], progress: Progress) -> L2Scores:
        """The same on all training cases."""
        return self.learn(training, training.rows, training.rows[:0], progress)

    def aligned(self, model: L2Scores, kept: L2Scores) -> L2Scores:
        """As it is: a sum means the same whoever weighed it."""
        return model

    def checked(
        self, training: TrainingSet, rows: np.ndarray, kept: L2Scores, honest: Values, folds: np.ndarray
    ) -> tuple[L2Scores, Values]:
        """A sum that tells held-out cases apart no better than chance goes, as a RadScore does."""
        weights, values = dict(kept.weights), {}
        for key in kept.weights:
            target, own = training.cohort.targets[key].take(rows), values_for(honest, key)
            known = target.known
            keep = rules(target.kind).tells(target.truths[known], own[known, 0], folds[known])
            weights[key] = kept.weights[key] if keep else {}
            values[key] = own * keep
        return replace(kept, weights=weights), values

    def forget(self) -> None:
        """Nothing is kept on disk."""
