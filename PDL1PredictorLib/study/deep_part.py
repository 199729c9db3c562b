"""The two ways to deep features: a network trained whole, or its last two layers on a frozen one."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.study.backbone_weights import load_backbone
from PDL1PredictorLib.study.deep_inference import deep_features, embed
from PDL1PredictorLib.study.deep_training import train_deep_ct
from PDL1PredictorLib.study.deepradscore import StudyRecipe
from PDL1PredictorLib.study.heads import into_network, train_head
from PDL1PredictorLib.study.prepare import PreparedCohort


@dataclass(frozen=True, eq=False)
class DeepModel:
    """Deep features that were learned from some rows of a cohort.

    Attributes:
        features: Rows of the cohort (n,) to deep features (n, n_deep).
        network: Gives the whole network, in evaluation mode on the CPU.
        history: Loss per epoch.
    """

    features: Callable[[np.ndarray], np.ndarray]
    network: Callable[[], DeepCT]
    history: tuple[dict[str, float], ...]


class DeepLearner(Protocol):
    """Learns deep features."""

    def learn(self, fit: np.ndarray, validation: np.ndarray, progress: Progress = SILENT) -> DeepModel:
        """From the rows `fit`; `validation` may stop the training. Raises what the training raises."""
        ...


class WholeNetwork:
    """All layers are trained.

    Args:
        cohort: All cases.
        recipe: How.
        device: Where.
        start: Weights to start the backbone from, or None.
        checkpoints: Folder that keeps the state of a training that was stopped, or None.
    """

    def __init__(
        self, cohort: PreparedCohort, recipe: StudyRecipe, device: str, start: Path | None, checkpoints: Path | None
    ) -> None:
        self._cohort, self._recipe, self._device, self._start = cohort, recipe, device, start
        self._checkpoints = checkpoints

    def learn(self, fit: np.ndarray, validation: np.ndarray, progress: Progress = SILENT) -> DeepModel:
        """Train from the start weights."""
        parts = self._cohort.take(fit), self._cohort.take(validation)
        trained = train_deep_ct(
            *parts, self._recipe.deep, self._recipe.seed, self._device, self._start, progress, self._checkpoint(fit)
        )
        return DeepModel(
            features=lambda rows: deep_features(trained.network, self._cohort.take(rows))[0],
            network=lambda: trained.network,
            history=trained.history,
        )

    def _checkpoint(self, fit: np.ndarray) -> Path | None:
        """One file per set of training cases."""
        if self._checkpoints is None:
            return None
        self._checkpoints.mkdir(parents=True, exist_ok=True)
        cases = hashlib.sha256(",".join(self._cohort.names[row] for row in fit).encode()).hexdigest()
        return self._checkpoints / f"network-{cases[:12]}.safetensors"


class FrozenNetwork:
    """The convolutional part stays as the start weights have it; the two new layers are trained on its pooled maps.

    Args:
        cohort: All cases, whose pooled maps are computed once.
        recipe: How.
        device: Where.
        start: Weights of the backbone.
    """

    def __init__(self, cohort: PreparedCohort, recipe: StudyRecipe, device: str, start: Path) -> None:
        self._cohort, self._recipe, self._start = cohort, recipe, start
        self._embeddings = embed(self._backbone(), cohort, device, slices="first")

    def _backbone(self) -> DeepCT:
        deep = self._recipe.deep
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._recipe.seed)
            network = DeepCT(len(self._recipe.endpoints), deep.n_deep, backbone=deep.backbone)
        load_backbone(network, self._start)
        return network.eval()

    def learn(self, fit: np.ndarray, validation: np.ndarray, progress: Progress = SILENT) -> DeepModel:
        """Train the two layers, always from the same start, for a fixed number of steps."""
        recipe = self._recipe
        head = train_head(self._embeddings[fit], self._cohort.labels[fit], recipe.deep.n_deep, recipe.head, recipe.seed)
        progress.step("network", 1.0)

        def network() -> DeepCT:
            whole = self._backbone()
            into_network(whole, head)
            return whole

        return DeepModel(lambda rows: head.deep(self._embeddings[rows]), network, head.history)
