"""Training of Deep-CT on patches, with missing labels left out of the loss."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.deep.checkpoints import Snapshot, fingerprint, read_checkpoint, write_checkpoint
from PDL1PredictorLib.learning.deep.device_trainer import first_line
from PDL1PredictorLib.learning.deep.inference import deep_features, embed, masked_loss, validation_loss
from PDL1PredictorLib.learning.deep.run import DeepRun
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage, identity
from PDL1PredictorLib.learning.deep.weights import load_backbone
from PDL1PredictorLib.models.device import is_device_failure
from PDL1PredictorLib.networks.backbones import backbone
from PDL1PredictorLib.networks.deep_ct import DeepCT

__all__ = [
    "DeepTraining",
    "Stage",
    "TrainedDeepCT",
    "deep_features",
    "embed",
    "load_backbone",
    "masked_loss",
    "train_deep_ct",
    "validation_loss",
]


@dataclass(frozen=True, eq=False)
class TrainedDeepCT:
    """The network and how its loss went.

    Attributes:
        network: In evaluation mode, on the CPU.
        history: Per epoch: training loss and validation loss (mean binary cross-entropy over known labels, weighted
            where the training weighs classes).
        device: Where the last epoch was trained.
        warnings: What the reader must know, such as a GPU that was lost.
    """

    network: DeepCT
    history: tuple[dict[str, float], ...] = field(default_factory=tuple)
    device: str = "cpu"
    warnings: tuple[str, ...] = ()

    def deep_features(self, cohort: PreparedCohort, pixels: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """See `inference.deep_features`: computed where the network was trained, or on the CPU if that fails."""
        if self.device != "cpu":
            with _unless_the_device_fails():
                there = deepcopy(self.network).to(self.device)  # a device that fails takes what lies on it
                return deep_features(there, cohort, self.device, pixels)
        return deep_features(self.network, cohort, pixels=pixels)


def train_deep_ct(
    fit: PreparedCohort,
    validation: PreparedCohort,
    settings: DeepTraining,
    seed: int,
    device: str = "cpu",
    start: Path | None = None,
    progress: Progress = SILENT,
    checkpoint: Path | None = None,
) -> TrainedDeepCT:
    """Train on `fit`; `validation` is only watched unless `settings.patience` lets it decide when to stop.

    Without patience there need be no validation cases; the history then tells the training loss alone.

    The same arguments give the same weights on the same CPU, also when the training was killed and went on from its
    checkpoint. The CPU's global random state is left as it was.

    Args:
        fit: Training cases.
        validation: Cases whose loss is reported each epoch.
        settings: How.
        seed: Of the start weights, the order, and the augmentation.
        device: Where. When it fails on the way (lost, or out of memory), the training goes on from the last whole
            epoch on the CPU and says so.
        start: A torchvision weight file of the backbone (.safetensors, or .pth read as weights only) to start from.
        progress: Told after every step.
        checkpoint: File that keeps the state after every epoch. If it exists, the training goes on from there, or
            is over at once where it was finished; who made it removes it.

    Raises:
        InputError: Too few cases, a crop that the patches or the backbone do not allow, an unfit start file, or a
            checkpoint of another training.
        OutputError: The checkpoint cannot be written.
        CancelledError: Through `progress`; the checkpoint stays.
    """
    _check(fit, validation, settings)
    keeper = _Keeper(checkpoint, fit, validation, settings, seed, start)
    begin = partial(DeepRun, fit, validation, settings, seed, start)
    warnings: list[str] = []
    with torch.random.fork_rng(devices=[]):  # a GPU's state is not kept: reading it would fail once the GPU is lost
        try:
            run = _trained(begin, device, keeper, progress)
        except RuntimeError as error:
            if device == "cpu" or not is_device_failure(error):
                raise
            warnings.append(_lost_text(device, error, keeper.last))
            device = "cpu"
        if warnings:  # outside the except clause: the failed run and its memory are released with it
            with suppress(RuntimeError):
                torch.cuda.empty_cache()
            progress.step("network", 0.0 if keeper.last is None else keeper.last.facts["done"], warnings[0])
            run = _trained(begin, device, keeper, progress)
    run.network.zero_grad()  # nobody needs the last gradients
    return TrainedDeepCT(run.network.to("cpu").eval(), tuple(run.history), device, (*warnings, *run.warnings))


@contextmanager
def _unless_the_device_fails() -> Iterator[None]:
    """Leave the block where the device fails in it."""
    try:
        yield
    except RuntimeError as error:
        if not is_device_failure(error):
            raise


def _trained(begin: Callable[[str], DeepRun], device: str, keeper: "_Keeper", progress: Progress) -> DeepRun:
    run = begin(device)
    if keeper.last is not None:
        run.restore(keeper.last)
    while run.stages_left:
        run.one_epoch(progress)
        if keeper.wanted(device):
            keeper.keep(run.snapshot())
    return run


class _Keeper:
    """The state after the last whole epoch: in memory, and in the checkpoint's file where there is one."""

    def __init__(
        self,
        file: Path | None,
        fit: PreparedCohort,
        validation: PreparedCohort,
        settings: DeepTraining,
        seed: int,
        start: Path | None,
    ) -> None:
        self._file = file
        self.last: Snapshot | None = None
        if file is None:
            return
        self._training = fingerprint({"settings": identity(settings), "seed": seed}, (fit, validation), start)
        if file.exists():
            self.last = read_checkpoint(file, self._training)

    def wanted(self, device: str) -> bool:
        """A CPU without a checkpoint has nothing to come back to."""
        return self._file is not None or device != "cpu"

    def keep(self, snapshot: Snapshot) -> None:
        self.last = snapshot
        if self._file is not None:
            write_checkpoint(self._file, snapshot, self._training)


def _check(fit: PreparedCohort, validation: PreparedCohort, settings: DeepTraining) -> None:
    if len(fit) < 2 or (len(validation) < 1 and settings.patience is not None):
        raise InputError(
            "The network needs at least 2 cases to train on, and 1 to watch where patience may end the training; got "
            f"{len(fit)} and {len(validation)}."
        )
    edge, least = fit.patches_hu.shape[-1], backbone(settings.backbone).least_pixels
    for stage in settings.stages:
        if not least <= stage.pixels <= edge:
            raise InputError(
                f"{settings.backbone} can be trained on crops of {least} to {edge} pixels of these patches, "
                f"got {stage.pixels}."
            )


def _lost_text(device: str, error: RuntimeError, last: Snapshot | None) -> str:
    epoch = 1 if last is None else len(last.facts["history"]) + 1
    reason = first_line(error)
    return f"The device {device} failed ({reason}); the training goes on from epoch {epoch} on the CPU, more slowly."
