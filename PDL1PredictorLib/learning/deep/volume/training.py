"""Training of a network of volumes, with missing labels left out of the loss."""

import math
from copy import deepcopy
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.explain.class_activation import class_activation_maps, scaled_to_one
from PDL1PredictorLib.learning.deep.descent import begin_at_shares, descend, laid_out, time_words
from PDL1PredictorLib.learning.deep.inference import masked_loss
from PDL1PredictorLib.learning.deep.volume.cases import AT_ONCE, Volumes, batches, moved_channels
from PDL1PredictorLib.learning.deep.volume.settings import VolumeTraining
from PDL1PredictorLib.networks.cnn3d import Cnn3d

TIMED = 4  # cases that the time of an epoch is told from, before the first one
FAST = torch.channels_last_3d  # how weights and volumes lie in memory while training: two thirds of the time on a CPU


@dataclass(frozen=True, eq=False)
class TrainedVolume:
    """The network and how its loss went.

    Attributes:
        network: In evaluation mode, on the CPU.
        history: Per epoch: `train`, and where cases were watched `validation`: mean binary cross-entropy.
    """

    network: Cnn3d
    history: tuple[dict[str, float], ...]


def train_volume(
    cases: Volumes,
    fit: np.ndarray,
    watch: np.ndarray,
    settings: VolumeTraining,
    seed: int,
    device: str = "cpu",
    progress: Progress = SILENT,
) -> TrainedVolume:
    """Train on the rows `fit`; the loss of `watch` stops the training where the settings have patience.

    The same arguments give the same weights on the same CPU; torch's global random state is left as it was.

    Args:
        cases: All cases.
        fit: Rows that teach.
        watch: Rows whose loss is watched; may be none without patience.
        settings: How.
        seed: Of start weights, order, moves and dropout.
        device: Where.
        progress: Told after every epoch.

    Raises:
        InputError: Too few cases.
        CancelledError: Through `progress`.
    """
    if len(fit) < 2 or (settings.patience is not None and not len(watch)):
        raise InputError(
            "A network needs at least 2 cases to train on, and 1 to watch where patience may end the training; got "
            f"{len(fit)} and {len(watch)}."
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        run = _Run(cases, fit, watch, settings, seed, device)
        for epoch in range(1, settings.epochs + 1):
            losses = run.epoch()
            told = ", ".join(f"{part} {value:.3f}" for part, value in losses.items())
            progress.step("network", epoch / settings.epochs, f"epoch {epoch}: {told}")
            if run.over:
                break
        return run.trained()


class _Run:
    """A training between two epochs."""

    def __init__(
        self,
        cases: Volumes,
        fit: np.ndarray,
        watch: np.ndarray,
        settings: VolumeTraining,
        seed: int,
        device: str,
    ) -> None:
        self._cases, self._fit, self._watch, self._settings, self._device = cases, fit, watch, settings, device
        self._rng = np.random.default_rng([seed, 31])
        self._network = laid_out(build_network(cases, fit, settings).to(device), FAST)
        self._optimizer = torch.optim.AdamW(
            self._network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.CosineAnnealingLR(self._optimizer, settings.epochs)
        self._history: list[dict[str, float]] = []
        self._best, self._lowest, self._weights = 0, math.inf, dict[str, Tensor]()

    @property
    def over(self) -> bool:
        """Whether patience has ended."""
        patience = self._settings.patience
        return patience is not None and len(self._history) - self._best >= patience

    def epoch(self) -> dict[str, float]:
        """One pass; the losses after it."""
        losses = {"train": self._pass()}
        if len(self._watch):
            losses["validation"] = loss_of(self._network, self._cases, self._watch, self._device)
        self._history.append(losses)
        self._schedule.step()
        if self._settings.patience is not None and losses["validation"] < self._lowest:
            self._best, self._lowest = len(self._history), losses["validation"]
            self._weights = deepcopy(self._network.state_dict())
        return losses

    def _pass(self) -> float:
        self._network.train()
        losses = []
        for channels, labels in batches(self._cases, self._fit, self._settings, self._rng, self._device):
            losses.append(step(self._network, self._optimizer, channels, labels, self._settings.cpu_bfloat16))
        return float(np.mean(losses))

    def trained(self) -> TrainedVolume:
        """The network of the best epoch, or of the last."""
        if self._weights:
            self._network.load_state_dict(self._weights)
        self._network.zero_grad()  # nobody needs the last gradients
        network = laid_out(self._network.to("cpu"), torch.contiguous_format)
        return TrainedVolume(network.eval(), tuple(self._history))


def build_network(cases: Volumes, fit: np.ndarray, settings: VolumeTraining) -> Cnn3d:
    """A network whose first answers are about the log-odds of the training cases."""
    network = Cnn3d(
        cases.n_channels,
        cases.labels.shape[1],
        settings.n_deep,
        settings.dropout,
        settings.widths,
        settings.pool,
        settings.ring,
        settings.pooled,
    )
    begin_at_shares(network.classifier, cases.labels[fit])
    return network


def step(
    network: Cnn3d, optimizer: torch.optim.Optimizer, channels: Tensor, labels: Tensor, sixteen_bits: bool = False
) -> float:
    """One step of the training, on a CPU in 16 bits where it is safe if asked for; its loss."""
    with torch.autocast("cpu", torch.bfloat16, enabled=sixteen_bits and channels.device.type == "cpu"):
        answers = network(channels.contiguous(memory_format=FAST), None).answers
    return descend(network, optimizer, masked_loss(answers.float(), labels))


@torch.no_grad()
def answers_of(network: Cnn3d, cases: Volumes, rows: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Answers of rows, (n, e), 64-bit; the network is put into evaluation mode."""
    network.eval()
    found = [np.zeros((0, network.classifier.out_features))]
    for first in range(0, len(rows), AT_ONCE):
        channels = torch.from_numpy(cases.channels(rows[first : first + AT_ONCE])).to(device)
        found.append(network(channels, None).answers.double().cpu().numpy())
    return np.concatenate(found)


@torch.no_grad()
def maps_of(network: Cnn3d, cases: Volumes, rows: np.ndarray) -> np.ndarray:
    """Class activation maps of rows, (n, e, d, h, w), each scaled to 0 to 1."""
    head = network.eval().head().maps
    found = []
    for row in rows:
        maps = network.maps(torch.from_numpy(cases.channels(np.array([row]))))[0].numpy()
        found.append(scaled_to_one(class_activation_maps(maps, head)))
    return np.stack(found) if found else np.zeros((0, len(head), 1, 1, 1))


def loss_of(network: Cnn3d, cases: Volumes, rows: np.ndarray, device: str) -> float:
    """Mean binary cross-entropy of rows over their known labels."""
    answers = torch.from_numpy(answers_of(network, cases, rows, device))
    return float(masked_loss(answers, torch.from_numpy(cases.labels[rows].astype(np.float64))))


def seconds_per_epoch(cases: Volumes, fit: np.ndarray, settings: VolumeTraining, device: str) -> float:
    """What an epoch will take here, told from one step on a few cases; leaves no trace in a random state."""
    rows = fit[:TIMED]
    with torch.random.fork_rng(devices=[]):
        network = build_network(cases, fit, settings).to(device).train()
        optimizer = torch.optim.AdamW(network.parameters())
        labels = torch.from_numpy(cases.labels[rows].astype(np.float32)).to(device)
        started = perf_counter()
        for _ in range(2):  # the first brings what is loaded once
            began = perf_counter()
            channels = moved_channels(cases, rows, settings, np.random.default_rng(0), device)
            step(network, optimizer, channels, labels, settings.cpu_bfloat16)
        taken = min(perf_counter() - began, (perf_counter() - started) / 2)
    return taken / len(rows) * len(fit)


def estimate_text(seconds: float, settings: VolumeTraining, trainings: int) -> str:
    """What all trainings of a study will take at most, in words."""
    total = time_words(seconds * settings.epochs * trainings)
    return (
        f"an epoch takes about {seconds:.0f} s here; {trainings} trainings of up to {settings.epochs} epochs take at "
        f"most {total}"
    )
