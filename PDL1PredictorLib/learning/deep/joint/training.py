"""Training of a network of slices and a table, with missing labels left out of the loss."""

import math
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import torch
from torch import Tensor

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.deep.descent import begin_at_shares, descend, laid_out, time_words
from PDL1PredictorLib.learning.deep.inference import masked_loss
from PDL1PredictorLib.learning.deep.joint.cases import Framed, batches
from PDL1PredictorLib.learning.deep.joint.settings import JointStage, JointTraining
from PDL1PredictorLib.learning.deep.weights import load_backbone
from PDL1PredictorLib.networks.joint import Joint

AT_ONCE = 16  # slices of one forward pass
TIMED = 4  # slices that the time of an epoch is told from, before the first one
FAST = torch.channels_last  # how weights and slices lie in memory while training: a fifth less time on a CPU


@dataclass(frozen=True, eq=False)
class TrainedJoint:
    """The network and how its loss went.

    Attributes:
        network: In evaluation mode, on the CPU.
        history: Per epoch: `train`, and where cases were watched `validation`: mean binary cross-entropy.
    """

    network: Joint
    history: tuple[dict[str, float], ...]


def train_joint(
    cases: Framed,
    fit: np.ndarray,
    watch: np.ndarray,
    settings: JointTraining,
    seed: int,
    device: str = "cpu",
    start: Path | None = None,
    progress: Progress = SILENT,
) -> TrainedJoint:
    """Train on the rows `fit`; of `watch`, where there are some, the best epoch is taken.

    The same arguments give the same weights on the same CPU; torch's global random state is left as it was.

    Args:
        cases: All cases.
        fit: Rows that teach.
        watch: Rows whose loss is watched; may be none: then the last weights are kept.
        settings: How.
        seed: Of start weights, order, moves and dropout.
        device: Where.
        start: Weight file of the backbone; None starts it by chance.
        progress: Told after every epoch.

    Raises:
        InputError: Too few cases, or the file is no such file.
        CancelledError: Through `progress`.
    """
    if len(fit) < 2:
        raise InputError(f"A network needs at least 2 cases to train on, got {len(fit)}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        run = _Run(cases, fit, watch, settings, seed, device, start)
        for stage in settings.stages:
            run.begin(stage)
            for _ in range(stage.epochs):
                losses = run.epoch()
                told = ", ".join(f"{part} {value:.3f}" for part, value in losses.items())
                done = len(run.history)
                progress.step("network", done / settings.epochs, f"epoch {done}: {told}")
            run.end()
        return run.trained()


class _Run:
    """A training between two epochs."""

    def __init__(
        self,
        cases: Framed,
        fit: np.ndarray,
        watch: np.ndarray,
        settings: JointTraining,
        seed: int,
        device: str,
        start: Path | None,
    ) -> None:
        self._cases, self._fit, self._watch, self._settings, self._device = cases, fit, watch, settings, device
        self._rng = np.random.default_rng([seed, 41])
        self._network = laid_out(build_network(cases, fit, settings, start).to(device), FAST)
        self._sixteen_bits = in_sixteen_bits(settings, device)
        self._lowest, self._weights = math.inf, dict[str, Tensor]()
        self.history: list[dict[str, float]] = []

    def begin(self, stage: JointStage) -> None:
        """A new optimizer."""
        self._optimizer = torch.optim.AdamW(
            self._network.parameters(), lr=stage.learning_rate, weight_decay=self._settings.weight_decay
        )

    def end(self) -> None:
        """Back to the best weights so far."""
        if self._weights:
            self._network.load_state_dict(self._weights)

    def epoch(self) -> dict[str, float]:
        """One pass; the losses after it."""
        self._network.train()
        steps = [
            step(self._network, self._optimizer, [part.to(self._device) for part in batch], self._sixteen_bits)
            for batch in batches(self._cases, self._fit, self._settings, self._rng)
        ]
        losses = {"train": float(np.mean(steps))}
        if len(self._watch):
            with torch.autocast("cpu", torch.bfloat16, enabled=self._sixteen_bits):
                losses["validation"] = loss_of(self._network, self._cases, self._watch, self._device)
            if losses["validation"] < self._lowest:
                self._lowest, self._weights = losses["validation"], deepcopy(self._network.state_dict())
        self.history.append(losses)
        return losses

    def trained(self) -> TrainedJoint:
        """The network of the best epoch, or of the last."""
        self._network.zero_grad()  # nobody needs the last gradients
        network = laid_out(self._network.to("cpu"), torch.contiguous_format)
        return TrainedJoint(network.eval(), tuple(self.history))


def build_network(cases: Framed, fit: np.ndarray, settings: JointTraining, start: Path | None = None) -> Joint:
    """A network whose first answers are about the log-odds of the training cases."""
    network = Joint(cases.table.shape[1], cases.labels.shape[1], settings.dropout, settings.backbone)
    if start is not None:
        load_backbone(network, start)
    begin_at_shares(network.classifier, cases.labels[fit])
    return network


def in_sixteen_bits(settings: JointTraining, device: str) -> bool:
    """Whether a training computes in bfloat16 there."""
    return settings.cpu_bfloat16 and torch.device(device).type == "cpu"


def step(network: Joint, optimizer: torch.optim.Optimizer, batch: Sequence[Tensor], sixteen_bits: bool) -> float:
    """One step of the training on channels, columns and labels; its loss."""
    x, table, labels = batch
    with torch.autocast("cpu", torch.bfloat16, enabled=sixteen_bits):
        answers = network(x.contiguous(memory_format=FAST), table if table.shape[1] else None).answers
    return descend(network, optimizer, masked_loss(answers.float(), labels))


@torch.no_grad()
def answers_of(network: Joint, cases: Framed, rows: np.ndarray, device: str = "cpu") -> np.ndarray:
    """Mean over the slices of the log-odds of rows, (n, e), 64-bit; the network is put into evaluation mode."""
    network.eval()
    found = [np.zeros((0, network.classifier.out_features))]
    for first in range(0, len(rows), AT_ONCE):
        own = rows[first : first + AT_ONCE]
        table = torch.from_numpy(cases.columns(own)).to(device) if network.n_columns else None
        slices = [
            network(torch.from_numpy(cases.channels(own, index)).to(device), table).answers.double().cpu().numpy()
            for index in range(cases.slices)
        ]
        found.append(np.mean(slices, axis=0))
    return np.concatenate(found)


def loss_of(network: Joint, cases: Framed, rows: np.ndarray, device: str) -> float:
    """Mean binary cross-entropy of rows over their known labels."""
    answers = torch.from_numpy(answers_of(network, cases, rows, device))
    return float(masked_loss(answers, torch.from_numpy(cases.labels[rows].astype(np.float64))))


def seconds_per_epoch(cases: Framed, fit: np.ndarray, settings: JointTraining, device: str) -> float:
    """What an epoch will take here, told from one step on a few slices; leaves no trace in a random state."""
    rows = fit[:TIMED]
    with torch.random.fork_rng(devices=[]):
        network = laid_out(build_network(cases, fit, settings).to(device), FAST).train()
        optimizer = torch.optim.AdamW(network.parameters())
        given = (cases.channels(rows, 0), cases.columns(rows), cases.labels[rows].astype(np.float32))
        taken = math.inf
        for _ in range(2):  # the first brings what is loaded once
            began = perf_counter()
            step(
                network,
                optimizer,
                [torch.from_numpy(part).to(device) for part in given],
                in_sixteen_bits(settings, device),
            )
            taken = min(taken, perf_counter() - began)
    return taken / len(rows) * len(fit) * (cases.slices if settings.all_slices else 1)


def estimate_text(seconds: float, settings: JointTraining, trainings: int) -> str:
    """What all trainings of a study will take, in words."""
    total = time_words(seconds * settings.epochs * trainings)
    return f"an epoch takes about {seconds:.0f} s here; {trainings} trainings of {settings.epochs} epochs take {total}"
