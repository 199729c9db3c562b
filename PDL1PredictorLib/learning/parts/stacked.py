"""The answer of a whole model as one input of another: its log-odds of cases that it was not fitted on.

The model within has inputs of its own, selected pooled features of a frozen backbone, and one of seven classifiers.
What stands on it learns from cross-fitted log-odds alone, so that a model that is sure of its own training cases is not
trusted for that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.classifiers import to_onnx_bytes
from PDL1PredictorLib.learning.deep.learners import DeepModel
from PDL1PredictorLib.learning.fitting import FittedModel, Fitting, fit_model
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.learning.lasso import Lasso, LassoPath, lasso_path
from PDL1PredictorLib.learning.parts.frozen import FrozenBackbone
from PDL1PredictorLib.learning.parts.part import NotOfFeatures, SameEverywhere, Values, values_for
from PDL1PredictorLib.learning.selection import Standardizer, fit_standardizer
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.networks.deep_ct import DeepCT

TINY_SD = 1e-6  # as in `fitting.fit_model`


@dataclass(frozen=True, eq=False)
class StackedAnswers(NotOfFeatures):
    """A model of every endpoint on selected pooled features.

    Attributes:
        title: Of the model.
        backbone: Whose features they are.
        standardizer: Of all pooled features, from the cases that were learned from.
        fitted: Endpoint to its model; its `columns` are those of the pooled features that it uses.
        rows: Cases that were learned from.
        endpoints: Of the cohort.
        refuted: Endpoints whose held-out cases were told apart no better than by chance: their input is 0.
        paths: Endpoint to the path of the LASSO on all cases that were learned from, for the report; none in folds.
    """

    title: str
    backbone: FrozenBackbone
    standardizer: Standardizer
    fitted: Mapping[str, FittedModel]
    rows: np.ndarray
    endpoints: tuple[str, ...]
    refuted: frozenset[str] = field(default_factory=frozenset)
    paths: Mapping[str, LassoPath] = field(default_factory=dict)
    form: ClassVar[str] = "stacked"

    @property
    def columns(self) -> np.ndarray:
        """Pooled features that some endpoint uses, ascending: the deep features of the shipped network."""
        return np.unique(np.concatenate([one.columns for one in self.fitted.values()]))

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """Endpoint to (n, 1)."""
        return self.of_standardized(self.standardizer(self.backbone.pooled[rows]))

    def of_standardized(self, z: np.ndarray) -> dict[str, np.ndarray]:
        """Endpoint to (n, 1) of standardized pooled features (n, c)."""
        return {
            key: (one.log_odds(one.standardized(z)) * (key not in self.refuted))[:, None]
            for key, one in self.fitted.items()
        }

    def seen(self, deep: np.ndarray, logits: np.ndarray) -> Values:
        """The same of what the shipped network gives: deep features (n, d)."""
        z = np.zeros((len(deep), len(self.standardizer.mean)))
        z[:, self.columns] = deep
        return self.of_standardized(z)

    def names(self, endpoint: str) -> tuple[str, ...]:
        """Its one name."""
        return ("stacked_logit",)

    @property
    def model(self) -> DeepModel:
        """The backbone as a network whose deep features are the selected ones, for the bundle."""
        columns = self.columns

        def network() -> DeepCT:
            mean, sd = self.standardizer.mean[columns], self.standardizer.sd[columns]
            return self.backbone.reading(columns.tolist(), mean, sd, len(self.endpoints))

        return DeepModel(
            known=self.rows,
            features=lambda rows: self.standardizer(self.backbone.pooled[rows])[:, columns],
            logits=lambda rows: np.zeros((len(rows), len(self.endpoints))),
            network=network,
            history=(),
            maps=False,
        )

    def entry(self, endpoint: str, chosen: Sequence[str]) -> dict[str, Any]:
        """The model within: which deep features it takes, their scale, its classifier and calibration."""
        one = self.fitted[endpoint]
        used = 0.0 if endpoint in self.refuted else 1.0
        return {
            "stacked": {
                "title": self.title,
                "columns": np.searchsorted(self.columns, one.columns).tolist(),
                "names": list(self.backbone.names(one.columns.tolist())),
                "input_mean": one.mean.tolist(),
                "input_sd": one.sd.tolist(),
                "model": {
                    "kind": one.chosen.kind,
                    "file": file_of(endpoint),
                    "cross_validated": one.chosen.mean_auc,
                },
                "calibration": {"slope": used * one.slope, "intercept": used * one.intercept},
            }
        }

    def files(self, endpoint: str) -> dict[str, bytes]:
        """The classifier as ONNX."""
        one = self.fitted[endpoint]
        return {file_of(endpoint): to_onnx_bytes(one.chosen.estimator, one.inputs)}


def file_of(endpoint: str) -> str:
    """Name of the file of the classifier within, in a bundle."""
    return f"classifiers/{endpoint}.stacked.onnx"


class StackedLearner(SameEverywhere):
    """The part `stacked`.

    Args:
        title: Of the model within.
        backbone: Frozen.
        how: How it is fitted in a fold.
        kept: How the one that is kept is fitted.
    """

    title = "selecting pooled features, choosing a classifier"
    effort = 10.0

    def __init__(self, title: str, backbone: FrozenBackbone, how: Fitting, kept: Fitting) -> None:
        self._title, self._backbone, self._how, self._kept = title, backbone, how, kept

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> StackedAnswers:
        """Standardize, select and choose on these rows alone."""
        return self._fitted(training, fit, self._how, progress)

    def kept(self, training: TrainingSet, models: Sequence[StackedAnswers], progress: Progress) -> StackedAnswers:
        """The same on all training cases."""
        found = self._fitted(training, training.rows, self._kept, progress)
        return replace(found, paths={key: path for key in found.fitted if (path := self._path(training, key))})

    def _path(self, training: TrainingSet, key: str) -> LassoPath | None:
        """As the selection of the kept model went; None where nothing entered the LASSO."""
        narrow = self._kept.narrow
        target = training.cohort.targets[key].take(training.rows)
        z, _ = self._standardized(training.rows)
        own = z[target.known]
        x, labels = (own - own.mean(0)) / np.maximum(own.std(0), TINY_SD), target.values[target.known].astype(int)
        columns = narrow.entering(x, labels, np.ptp(x, axis=0) > 0) if isinstance(narrow, Lasso) else np.array([])
        return lasso_path(x, labels, columns, training.seed) if len(columns) else None

    def _standardized(self, rows: np.ndarray) -> tuple[np.ndarray, Standardizer]:
        pooled = self._backbone.pooled[rows]
        standardizer = fit_standardizer(pooled)
        return standardizer(pooled) * standardizer.varies, standardizer

    def _fitted(self, training: TrainingSet, rows: np.ndarray, how: Fitting, progress: Progress) -> StackedAnswers:
        self._backbone.prepare(progress)
        z, standardizer = self._standardized(rows)
        fitted = {}
        for number, key in enumerate(training.endpoints):
            progress.step("selection", number / len(training.endpoints), key)
            target = training.cohort.targets[key].take(rows)
            labels = target.values[target.known].astype(int)
            every = np.ones(z.shape[1], dtype=bool)
            fitted[key] = fit_model(z[target.known], labels, how, training.seed, every)
        return StackedAnswers(self._title, self._backbone, standardizer, fitted, rows, training.cohort.endpoints)

    def checked(
        self, training: TrainingSet, rows: np.ndarray, kept: StackedAnswers, honest: Values, folds: np.ndarray
    ) -> tuple[StackedAnswers, Values]:
        """An answer that tells held-out cases apart no better than chance goes: a model on it would turn it around."""
        refuted, values = set(), {}
        for key in kept.fitted:
            target, own = training.cohort.targets[key].take(rows), values_for(honest, key)
            known = target.known
            keep = rules(target.kind).tells(target.values[known], own[known, 0], folds[known])
            refuted |= set() if keep else {key}
            values[key] = own * keep
        return replace(kept, refuted=frozenset(refuted)), values
