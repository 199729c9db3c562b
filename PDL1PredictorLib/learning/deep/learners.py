"""The two ways to deep features: a network trained whole, or its last two layers on a frozen one."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.deep.heads import Head, HeadTraining, head_of, into_network, train_head
from PDL1PredictorLib.learning.deep.inference import embed
from PDL1PredictorLib.learning.deep.settings import DeepTraining, best_epochs
from PDL1PredictorLib.learning.deep.training import train_deep_ct
from PDL1PredictorLib.learning.deep.weights import load_backbone, with_weights_of_a_bundle
from PDL1PredictorLib.networks.deep_ct import DeepCT


@dataclass(frozen=True, eq=False)
class DeepModel:
    """Deep features that were learned from some rows of a cohort.

    Attributes:
        known: Those rows.
        features: Rows of the cohort (n,) to deep features (n, n_deep).
        logits: Rows to logits (n, e), e endpoints of the cohort.
        network: Gives the whole network, in evaluation mode on the CPU.
        history: Loss per epoch.
        maps: Whether its logits tell where it looked.
    """

    known: np.ndarray
    features: Callable[[np.ndarray], np.ndarray]
    logits: Callable[[np.ndarray], np.ndarray]
    network: Callable[[], DeepCT]
    history: tuple[dict[str, float], ...]
    maps: bool = True


class DeepLearner(Protocol):
    """Learns deep features."""

    def learn(self, fit: np.ndarray, validation: np.ndarray, progress: Progress = SILENT) -> DeepModel:
        """From the rows `fit`; `validation` may stop the training. Raises what the training raises."""
        ...

    def kept(self, train: np.ndarray, models: Sequence[DeepModel], progress: Progress = SILENT) -> DeepModel:
        """One for cases to come, from all rows `train`, once the folds have told how."""
        ...

    def forget(self) -> None:
        """Remove what is kept on disk for a run that is stopped."""
        ...


class _OfRows:
    """What a network says of rows, kept: two parts of the inputs ask for it."""

    def __init__(self, run: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]) -> None:
        self._run = run
        self._found: dict[bytes, tuple[np.ndarray, np.ndarray]] = {}

    def __call__(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        key = np.asarray(rows).tobytes()
        if key not in self._found:
            self._found[key] = self._run(rows)
        return self._found[key]


class OneTraining:
    """A learner whose last training serves every part that asks for the same: deep features, and the logit.

    Args:
        learner: Of the network.
    """

    def __init__(self, learner: DeepLearner) -> None:
        self._learner = learner
        self._last: dict[str, tuple[bytes, DeepModel]] = {}

    def learn(self, fit: np.ndarray, validation: np.ndarray, progress: Progress = SILENT) -> DeepModel:
        """The last one where it was of these rows, else a new one."""
        key = fit.tobytes() + validation.tobytes()
        return self._same("fold", key, lambda: self._learner.learn(fit, validation, progress))

    def kept(self, train: np.ndarray, models: Sequence[DeepModel], progress: Progress = SILENT) -> DeepModel:
        """Likewise."""
        return self._same("kept", train.tobytes(), lambda: self._learner.kept(train, models, progress))

    def forget(self) -> None:
        """Likewise; what is on disk, too."""
        self._last.clear()
        self._learner.forget()

    def _same(self, name: str, key: bytes, make: Callable[[], DeepModel]) -> DeepModel:
        if name not in self._last or self._last[name][0] != key:
            self._last[name] = (key, make())
        return self._last[name][1]


class WholeNetwork:
    """All layers are trained: by fold, each training stopped by the fold that it does not see, and on all in the end.

    Args:
        cohort: All cases.
        deep: How.
        seed: Of the trainings.
        device: Where.
        start: Weights to start the backbone from, or None.
        checkpoints: Folder that keeps the state of the trainings of a run that was stopped, or None.
    """

    def __init__(
        self,
        cohort: PreparedCohort,
        deep: DeepTraining,
        seed: int,
        device: str = "cpu",
        start: Path | None = None,
        checkpoints: Path | None = None,
    ) -> None:
        self._cohort, self._deep, self._seed, self._device, self._start = cohort, deep, seed, device, start
        self._checkpoints = checkpoints
        self._files: list[Path] = []

    def learn(self, fit: np.ndarray, validation: np.ndarray, progress: Progress = SILENT) -> DeepModel:
        """Train from the start weights, or go on where a run that was stopped has left this training."""
        return self._train(fit, validation, self._deep, progress)

    def kept(self, train: np.ndarray, models: Sequence[DeepModel], progress: Progress = SILENT) -> DeepModel:
        """Trained on all, every stage as long as was best in the folds on average; its weights rounded as in a bundle.

        Its history is that of the first fold, which has cases to watch.
        """
        deep = self._deep
        best = np.mean([best_epochs(deep, model.history) for model in models], axis=0).round().astype(int)
        stages = tuple(replace(stage, epochs=int(n)) for stage, n in zip(deep.stages, best, strict=True))
        model = self._train(train, train[:0], replace(deep, stages=stages, patience=None), progress, kept=True)
        return replace(model, history=models[0].history)

    def _train(
        self, fit: np.ndarray, validation: np.ndarray, deep: DeepTraining, progress: Progress, kept: bool = False
    ) -> DeepModel:
        parts = self._cohort.take(fit), self._cohort.take(validation)
        trained = train_deep_ct(*parts, deep, self._seed, self._device, self._start, progress, self._checkpoint(fit))
        if kept:
            trained = replace(trained, network=with_weights_of_a_bundle(trained.network))
        seen = _OfRows(lambda rows: trained.deep_features(self._cohort.take(rows)))
        return DeepModel(
            known=fit,
            features=lambda rows: seen(rows)[0],
            logits=lambda rows: seen(rows)[1],
            network=lambda: trained.network,
            history=trained.history,
        )

    def forget(self) -> None:
        """The trainings' states are not needed any more."""
        for file in self._files:
            file.unlink(missing_ok=True)

    def _checkpoint(self, fit: np.ndarray) -> Path | None:
        """One file per set of training cases."""
        if self._checkpoints is None:
            return None
        self._checkpoints.mkdir(parents=True, exist_ok=True)
        cases = hashlib.sha256(",".join(self._cohort.names[row] for row in fit).encode()).hexdigest()
        self._files.append(self._checkpoints / f"network-{cases[:12]}.safetensors")
        return self._files[-1]


class FrozenNetwork:
    """The convolutional part stays as the start weights have it; the two new layers are trained on its pooled maps.

    Args:
        cohort: All cases, whose pooled maps are computed once.
        deep: Backbone and number of deep features.
        head: How the two layers are trained.
        seed: Of the trainings.
        device: Where.
        start: Weights of the backbone.
    """

    def __init__(
        self, cohort: PreparedCohort, deep: DeepTraining, head: HeadTraining, seed: int, device: str, start: Path
    ) -> None:
        self._cohort, self._deep, self._head, self._seed, self._start = cohort, deep, head, seed, start
        self._embeddings = embed(self._backbone(), cohort, device)

    def _backbone(self) -> DeepCT:
        deep = self._deep
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            network = DeepCT(len(self._cohort.endpoints), deep.n_deep, backbone=deep.backbone)
        load_backbone(network, self._start)
        return with_weights_of_a_bundle(network)

    def learn(self, fit: np.ndarray, validation: np.ndarray, progress: Progress = SILENT) -> DeepModel:
        """Train the two layers, always from the same start, for a fixed number of steps."""
        labels = self._cohort.labels[fit]
        head = train_head(self._embeddings[fit], labels, self._deep.n_deep, self._head, self._seed)
        progress.step("network", 1.0)
        return self._with(head, fit)

    def _with(self, head: Head, fit: np.ndarray) -> DeepModel:
        def network() -> DeepCT:
            whole = self._backbone()
            into_network(whole, head)
            return whole.eval()

        return DeepModel(
            known=fit,
            features=lambda rows: head.deep(self._embeddings[rows]),
            logits=lambda rows: head.logits(self._embeddings[rows]),
            network=network,
            history=head.history,
        )

    def kept(self, train: np.ndarray, models: Sequence[DeepModel], progress: Progress = SILENT) -> DeepModel:
        """As the folds were, on all training cases; its weights rounded as in a bundle."""
        model = self.learn(train, train[:0], progress)
        return self._with(head_of(with_weights_of_a_bundle(model.network()), model.history), train)

    def forget(self) -> None:
        """Nothing is kept on disk."""
