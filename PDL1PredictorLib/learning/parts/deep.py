"""Deep features as inputs: a network's penultimate layer, each fold's turned onto those of the network that is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol, cast

import numpy as np
from scipy.linalg import orthogonal_procrustes

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.deep.learners import DeepLearner, DeepModel
from PDL1PredictorLib.learning.parts.part import NotOfFeatures, PartModel, SameEverywhere, Values
from PDL1PredictorLib.learning.training_set import TrainingSet


@dataclass(frozen=True, eq=False)
class DeepFeatures(NotOfFeatures):
    """Deep features of a network.

    Attributes:
        model: The network.
        n_deep: Width of the penultimate layer.
    """

    model: DeepModel
    n_deep: int
    form: ClassVar[str] = "deep"

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """(n, n_deep)."""
        return self.model.features(rows)

    def seen(self, deep: np.ndarray, logits: np.ndarray) -> Values:
        """(n, n_deep): as they are."""
        return deep

    def names(self, endpoint: str) -> tuple[str, ...]:
        """Numbered from 1."""
        return tuple(f"deep_{i + 1}" for i in range(self.n_deep))


class DeepFeatureLearner(SameEverywhere):
    """The part `deep`.

    Args:
        learner: Of the network.
        n_deep: Width of its penultimate layer.
    """

    title = "training the network"
    effort = 17.0

    def __init__(self, learner: DeepLearner, n_deep: int) -> None:
        self._learner, self._n_deep = learner, n_deep

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> DeepFeatures:
        """Train a network on `fit`; `watch` may stop it."""
        return DeepFeatures(self._learner.learn(fit, watch, progress), self._n_deep)

    def kept(self, training: TrainingSet, models: Sequence[DeepFeatures], progress: Progress) -> DeepFeatures:
        """The network for cases to come."""
        kept = self._learner.kept(training.rows, [model.model for model in models], progress)
        return DeepFeatures(kept, self._n_deep)

    def aligned(self, model: DeepFeatures, kept: DeepFeatures) -> DeepFeatures:
        """See `turned`."""
        return replace(model, model=turned(model.model, kept.model))

    def forget(self) -> None:
        """The trainings' states are not needed any more."""
        self._learner.forget()


def turned(model: DeepModel, target: DeepModel) -> DeepModel:
    """The same deep features, shifted and rotated onto those of `target`.

    The deep features of two networks need not mean the same. By least squares over the cases that both were fitted on.
    Source: Schoenemann 1966, doi 10.1007/BF02289451 (orthogonal Procrustes problem).
    """
    if model is target:
        return model
    shared = np.intersect1d(model.known, target.known)
    own, wanted = model.features(shared), target.features(shared)
    rotation, _ = orthogonal_procrustes(own - own.mean(0), wanted - wanted.mean(0))

    def features(rows: np.ndarray) -> np.ndarray:
        return np.asarray((model.features(rows) - own.mean(0)) @ rotation + wanted.mean(0))

    return replace(model, features=features)


@dataclass(frozen=True, eq=False)
class DeepLogit(NotOfFeatures):
    """The network's own answer: its logit of the endpoint, one column.

    Attributes:
        model: The network.
        endpoints: Of the cohort, in the order of its logits.
    """

    model: DeepModel
    endpoints: tuple[str, ...]
    form: ClassVar[str] = "deep_logit"

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """Endpoint to (n, 1)."""
        return self.of_logits(self.model.logits(rows))

    def seen(self, deep: np.ndarray, logits: np.ndarray) -> Values:
        """Endpoint to (n, 1)."""
        return self.of_logits(logits)

    def of_logits(self, logits: np.ndarray) -> Values:
        """Logits (n, e) as `values` gives them."""
        return {key: logits[:, [column]] for column, key in enumerate(self.endpoints)}

    def names(self, endpoint: str) -> tuple[str, ...]:
        """Its one name."""
        return ("network_logit",)

    def entry(self, endpoint: str, chosen: Sequence[str]) -> dict[str, Any]:
        """The logit as a sum of deep features: their weights and what is added."""
        layer, row = self.model.network().classifier, self.endpoints.index(endpoint)
        linear = {"coefficients": layer.weight[row].detach().double().tolist(), "intercept": layer.bias[row].item()}
        return {"deep_logit": {"linear": linear}}


class DeepLogitLearner(SameEverywhere):
    """The part `deep_logit`.

    Args:
        learner: Of the network; shared with the part `deep`, where both are learned.
    """

    title = "reading the network's logit"

    def __init__(self, learner: DeepLearner) -> None:
        self._learner = learner

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> DeepLogit:
        """Train a network on `fit`; `watch` may stop it."""
        return DeepLogit(self._learner.learn(fit, watch, progress), training.cohort.endpoints)

    def kept(self, training: TrainingSet, models: Sequence[DeepLogit], progress: Progress) -> DeepLogit:
        """The network for cases to come."""
        kept = self._learner.kept(training.rows, [model.model for model in models], progress)
        return DeepLogit(kept, training.cohort.endpoints)

    def forget(self) -> None:
        """The trainings' states are not needed any more."""
        self._learner.forget()


class Reading(Protocol):
    """A part that reads a network: its `model` is a `DeepModel`."""

    def seen(self, deep: np.ndarray, logits: np.ndarray) -> Values:
        """Its values, of deep features (n, n_deep) and logits (n, e)."""
        ...


def network_of(parts: Mapping[str, PartModel]) -> DeepModel | None:
    """The network that some of the parts read; None where no part does."""
    found = (getattr(part, "model", None) for part in parts.values())
    return next((model for model in found if isinstance(model, DeepModel)), None)


def seen_by(parts: Mapping[str, PartModel], deep: np.ndarray, logits: np.ndarray) -> dict[str, Values]:
    """Values of the parts that read the network, of what a network gave: (n, n_deep) and (n, e)."""
    reading = {name: part for name, part in parts.items() if isinstance(getattr(part, "model", None), DeepModel)}
    return {name: cast(Reading, part).seen(deep, logits) for name, part in reading.items()}
