"""A network trained end to end as a part: its answer of the endpoint is the input, one column, cross-fitted like any.

What trains the network is an `EndToEndLearner`; this page makes a part learner of it, so that calibration, verdict,
choice of the model, report and bundle are the same for every network.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.parts.part import PartModel, SameEverywhere, Values
from PDL1PredictorLib.learning.trained import EndToEnd
from PDL1PredictorLib.learning.training_set import TrainingSet
from PDL1PredictorLib.models.imputer import Imputer
from PDL1PredictorLib.models.schema.voxel_maps import MOST_MAPS, mappable


class EndToEndModel(Protocol):
    """A network that was trained on some rows of a cohort."""

    @property
    def history(self) -> tuple[dict[str, float], ...]:
        """Per epoch: `train` and, where cases were watched, `validation` loss."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns of its table: radiomic features, clinical values, `log_volume`; none of most."""
        ...

    def answers(self, rows: np.ndarray) -> np.ndarray:
        """Of rows of the cohort, (n, e), e endpoints of the cohort in their order."""
        ...

    def end_to_end(self, outputs: Sequence[int], rows: np.ndarray) -> EndToEnd:
        """What a bundle is written from.

        Args:
            outputs: Which of the answers are kept, in this order.
            rows: Some cases, at least one, of which it is shown what the network sees.
        """
        ...


class EndToEndLearner(Protocol):
    """Trains networks of one kind."""

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> EndToEndModel:
        """On the rows `fit`; `watch` may stop the training."""
        ...

    def kept(self, training: TrainingSet, models: Sequence[Any], progress: Progress) -> EndToEndModel:
        """One for cases to come, from all training rows, once the folds have told how long.

        Its weights are those that its bundle gives back (`EndToEnd.bits`): round them before anything is measured.
        """
        ...

    def forget(self) -> None:
        """Remove what is kept on disk for a run that is stopped."""
        ...


@dataclass(frozen=True, eq=False)
class NetworkAnswers:
    """The answers of a network.

    Attributes:
        model: The network.
        endpoints: Of the cohort, in the order of its answers.
    """

    model: EndToEndModel
    endpoints: tuple[str, ...]
    form: ClassVar[str] = "network"

    @property
    def imputer(self) -> Imputer | None:
        """Of the clinical values among the columns of its table; None where it has none."""
        found: Imputer | None = getattr(self.model, "imputer", None)
        return found

    def values(self, cohort: PreparedCohort, rows: np.ndarray) -> Values:
        """Endpoint to (n, 1)."""
        found = self.model.answers(rows)
        return {key: found[:, [column]] for column, key in enumerate(self.endpoints)}

    def names(self, endpoint: str) -> tuple[str, ...]:
        """Its one name."""
        return ("network_answer",)

    def features(self, endpoint: str, chosen: Sequence[str]) -> tuple[str, ...]:
        """Radiomic features among the columns of its table."""
        return tuple(name for name in self.model.columns if name.startswith(("tumor_", "ring_")))

    def coefficients(self, endpoint: str, weights: Mapping[str, float]) -> dict[str, dict[str, float]]:
        """None."""
        return {}

    def mapped(self, endpoint: str) -> tuple[str, ...]:
        """Features to be mapped over the tumor: those textures of it that count most, of a network linear in them.

        Networks that are not, or that see no picture beside, have none.
        """
        weigh = getattr(self.model, "column_weights", None)
        if weigh is None:
            return ()
        weights: dict[str, float] = weigh(self.endpoints.index(endpoint))
        own = [name for name in self.features(endpoint, ()) if mappable(name) and weights[name]]
        return tuple(sorted(own, key=lambda name: (-abs(weights[name]), name))[:MOST_MAPS])

    def entry(self, endpoint: str, chosen: Sequence[str]) -> dict[str, Any]:
        """Nothing: the manifest's `network` says it."""
        return {}


class NetworkLearner(SameEverywhere):
    """The part `network`.

    Args:
        learner: Trains the network.
    """

    title = "training the network"
    effort = 17.0

    def __init__(self, learner: EndToEndLearner) -> None:
        self._learner = learner

    def learn(self, training: TrainingSet, fit: np.ndarray, watch: np.ndarray, progress: Progress) -> NetworkAnswers:
        """Train a network on `fit`; `watch` may stop it."""
        return NetworkAnswers(self._learner.learn(training, fit, watch, progress), training.cohort.endpoints)

    def kept(self, training: TrainingSet, models: Sequence[NetworkAnswers], progress: Progress) -> NetworkAnswers:
        """The network for cases to come."""
        kept = self._learner.kept(training, [model.model for model in models], progress)
        return NetworkAnswers(kept, training.cohort.endpoints)

    def forget(self) -> None:
        """The trainings' states are not needed any more."""
        self._learner.forget()


def answering_of(parts: Mapping[str, PartModel]) -> EndToEndModel | None:
    """The network that answers by itself among the parts; None where there is none."""
    return next((part.model for part in parts.values() if isinstance(part, NetworkAnswers)), None)
