"""Pooled features of a backbone that stays as it is: nothing of it is learned from the cohort."""

from collections.abc import Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.deep.inference import embed
from PDL1PredictorLib.learning.deep.weights import load_backbone, with_weights_of_a_bundle
from PDL1PredictorLib.networks.backbones import backbone
from PDL1PredictorLib.networks.deep_ct import DeepCT
from PDL1PredictorLib.networks.names import POOLED_WITHIN, POOLS

TRIED = 4  # cases that tell how long all take


class FrozenBackbone:
    """A backbone with its start weights, and what it makes of every case of a cohort; made when first asked for.

    Args:
        cohort: All cases.
        name: One of `networks.names.BACKBONES`.
        start: Weight file; None leaves the weights as they were drawn, which tells nothing of any picture.
        seed: Of the drawn weights.
        device: Where it runs.
        pool: One of `networks.names.POOLS`: how its maps become numbers.
    """

    def __init__(
        self, cohort: PreparedCohort, name: str, start: Path | None, seed: int, device: str, pool: str = "picture"
    ) -> None:
        self._cohort, self._name, self._start, self._seed, self._device = cohort, name, start, seed, device
        self._pool = pool
        self._pooled: np.ndarray | None = None

    @property
    def pooled(self) -> np.ndarray:
        """(n, c): last feature maps, mean over each slice, or mean and SD within its contour; mean over the slices."""
        if self._pooled is None:
            self._pooled = embed(self.network(1, 1), self._cohort, self._device).astype(np.float64)
        return self._pooled

    def names(self, columns: Sequence[int]) -> tuple[str, ...]:
        """What pooled features are called: by their map, from 1, and by what was taken of it within the contour."""
        if self._pool == "picture":
            return tuple(f"pooled_{column + 1}" for column in columns)
        n_maps = backbone(self._name).channels
        kinds = ("mean", "sd")
        return tuple(f"pooled_{kinds[column // n_maps]}_{column % n_maps + 1}" for column in columns)

    def prepare(self, progress: Progress) -> None:
        """Make the pooled features where they are not there yet, and say beforehand how long that takes."""
        if self._pooled is not None:
            return
        n, tried = len(self._cohort), np.arange(min(TRIED, len(self._cohort)))
        started = perf_counter()
        embed(self.network(1, 1), self._cohort.take(tried), self._device)
        seconds = (perf_counter() - started) / len(tried) * n
        told = f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
        progress.step("network", 0.0, f"pooled features of {n} cases, about {told}")
        network = self.network(1, 1)
        self._pooled = embed(network, self._cohort, self._device, progress=progress).astype(np.float64)

    def network(self, n_deep: int, n_endpoints: int) -> DeepCT:
        """The network, its weights rounded as in a bundle; its two last layers are to be filled in."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self._seed)
            network = DeepCT(n_endpoints, n_deep, backbone=self._name, pool=self._pool)
        if self._start is not None:
            load_backbone(network, self._start)
        return with_weights_of_a_bundle(network)

    def reading(self, columns: Sequence[int], mean: np.ndarray, sd: np.ndarray, n_endpoints: int) -> DeepCT:
        """A network whose deep features are these columns, standardized.

        Args:
            columns: Of the pooled features, (d,).
            mean: Of each, (d,).
            sd: Of each, (d,).
            n_endpoints: Answers, all of which are 0: a classifier beside it makes them.
        """
        network = self.network(len(columns), n_endpoints)
        with torch.no_grad():
            network.reduce.weight.zero_()
            network.reduce.weight[torch.arange(len(columns)), torch.tensor(list(columns))] = torch.tensor(
                1 / sd, dtype=torch.float32
            )
            network.reduce.bias.copy_(torch.tensor(-mean / sd, dtype=torch.float32))
            network.classifier.weight.zero_()
            network.classifier.bias.zero_()
        return network.eval()


def usual_pool(name: str) -> str:
    """How the maps of a backbone become numbers unless somebody says otherwise: within the contour where it can be."""
    return "contour" if name in POOLED_WITHIN else "picture"


def check_pool(name: str, pool: str) -> None:
    """Refuse what cannot be.

    Args:
        name: Of the backbone.
        pool: How its maps are to become numbers.

    Raises:
        InputError: There is no such way, or not for this backbone.
    """
    if pool not in POOLS:
        raise InputError(f"The maps are pooled within one of {', '.join(POOLS)}, got {pool!r}.")
    if pool == "contour" and name not in POOLED_WITHIN:
        raise InputError(
            f"The maps of {name} cannot be pooled within the contour. Take --pool picture, or one of "
            f"{', '.join(POOLED_WITHIN)}."
        )
