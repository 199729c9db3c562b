"""Training of Deep-CT on patches, with missing labels left out of the loss."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor
from torch.nn import functional

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.networks.deep_ct import DeepCT, input_channels
from PDL1PredictorLib.study.prepare import PreparedCohort


@dataclass(frozen=True)
class Stage:
    """One stretch of training.

    Attributes:
        epochs: Passes over the training cases.
        pixels: Edge of the centered crop that is seen; the whole patch when it equals the patch's.
        learning_rate: Peak of the one-cycle schedule.
    """

    epochs: int
    pixels: int
    learning_rate: float


@dataclass(frozen=True)
class DeepTraining:
    """How Deep-CT is trained.

    Attributes:
        stages: In order. Small crops first: most of the patch is lung, and a third of the pixels costs a third of the
            time.
        batch: Cases a step.
        weight_decay: Of AdamW.
        dropout: On the pooled features.
        shift_pixels: Greatest random shift of the crop.
        noise: SD of the Gaussian noise on the input channels.
        n_deep: Width of the penultimate layer.
    """

    stages: tuple[Stage, ...] = (Stage(20, 112, 2e-3), Stage(5, 160, 3e-4))
    batch: int = 16
    weight_decay: float = 0.02
    dropout: float = 0.2
    shift_pixels: int = 8
    noise: float = 0.03
    n_deep: int = 10


@dataclass(frozen=True, eq=False)
class TrainedDeepCT:
    """The network and how its loss went.

    Attributes:
        network: In evaluation mode, on the CPU.
        history: Per epoch: training loss and validation loss (mean binary cross-entropy over known labels).
    """

    network: DeepCT
    history: tuple[dict[str, float], ...] = field(default_factory=tuple)


def train_deep_ct(
    fit: PreparedCohort,
    validation: PreparedCohort,
    settings: DeepTraining,
    seed: int,
    device: str = "cpu",
    start: Path | None = None,
    progress: Progress = SILENT,
) -> TrainedDeepCT:
    """Train on `fit`; `validation` is only watched, so it stays usable for what comes after.

    Args:
        fit: Training cases.
        validation: Cases whose loss is reported each epoch.
        settings: How.
        seed: Of the start weights, the order, and the augmentation.
        device: Where.
        start: A torchvision DenseNet121 weight file (.safetensors, or .pth read as weights only) to start the
            backbone from.
        progress: Told after every step.
    """
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = DeepCT(len(fit.endpoints), settings.n_deep, settings.dropout).to(device)
        if start is not None:
            load_backbone(network, start)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on CPUs
        history: list[dict[str, float]] = []
        rng = np.random.default_rng(seed)
        total = sum(stage.epochs * stage.pixels**2 for stage in settings.stages)
        done = 0.0
        for stage in settings.stages:
            optimizer = torch.optim.AdamW(
                network.parameters(), weight_decay=settings.weight_decay, lr=stage.learning_rate
            )
            steps = stage.epochs * (len(fit) // settings.batch)
            schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, stage.learning_rate, total_steps=max(steps, 1))
            for _ in range(stage.epochs):
                loss = _one_epoch(network, optimizer, schedule, _batches(fit, stage, settings, rng), device)
                history.append(
                    {"train": loss, "validation": validation_loss(network, validation, device, stage.pixels)}
                )
                done += stage.pixels**2 / total
                losses = f"loss {loss:.3f}, validation {history[-1]['validation']:.3f}"
                progress.step("network", done, f"epoch {len(history)}: {losses}")
    return TrainedDeepCT(network.to("cpu").eval(), tuple(history))


def load_backbone(network: DeepCT, file: Path) -> None:
    """Start the convolutional part from a torchvision DenseNet121 weight file.

    Raises:
        InputError: The file is not such a file.
    """
    try:
        if file.suffix == ".safetensors":
            stored = safetensors.torch.load_file(file)
        else:
            stored = torch.load(file, map_location="cpu", weights_only=True)
        # torchvision's older files have names such as `denselayer1.norm.1.weight`
        named = {
            k.replace("norm.", "norm").replace("conv.", "conv") if "denselayer" in k else k: v
            for k, v in stored.items()
        }
        backbone = {k.removeprefix("features."): v for k, v in named.items() if k.startswith("features.")}
        network.features.load_state_dict(backbone)
    except Exception as error:  # whatever a damaged or foreign file raises
        raise InputError(f"{file} is not a DenseNet121 weight file of torchvision: {error}") from error


def _one_epoch(
    network: DeepCT,
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    batches: Iterator[tuple[Tensor, Tensor]],
    device: str,
) -> float:
    network.train()
    losses = []
    for x, labels in batches:
        optimizer.zero_grad()
        loss = masked_loss(network(x.to(device)).logits, labels.to(device))
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def masked_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean binary cross-entropy over the labels that are known (not NaN); both (n, e)."""
    known = ~torch.isnan(labels)
    loss = functional.binary_cross_entropy_with_logits(logits, torch.nan_to_num(labels), reduction="none")
    return (loss * known).sum() / known.sum().clamp(min=1)


def _batches(
    cohort: PreparedCohort, stage: Stage, settings: DeepTraining, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    order = rng.permutation(len(cohort))
    n_batches = len(cohort) // settings.batch  # the rest waits for the next epoch: a batch of one breaks batch norm
    for rows in np.array_split(order[: n_batches * settings.batch], n_batches):
        hu = np.stack([_augment(*_any_slice(cohort, row, rng), stage, settings, rng) for row in rows])
        x = input_channels(torch.from_numpy(hu[:, 0]), torch.from_numpy(hu[:, 1]))
        noise = rng.normal(0.0, settings.noise, x.shape).astype(np.float32)
        labels = torch.from_numpy(cohort.labels[rows].astype(np.float32))
        yield (x + torch.from_numpy(noise)).to(memory_format=torch.channels_last), labels


def _any_slice(cohort: PreparedCohort, row: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One of the slices of a case, in HU, and the tumor in it."""
    chosen = rng.integers(cohort.patches_hu.shape[1])
    return cohort.patches_hu[row, chosen], cohort.patches_tumor[row, chosen]


def _augment(
    hu: np.ndarray, tumor: np.ndarray, stage: Stage, settings: DeepTraining, rng: np.random.Generator
) -> np.ndarray:
    """Shift, crop, half turn and mirror along a diagonal: moves that keep a diagonal direction what it is. (2, p.

    P).
    """
    both = np.stack([hu, tumor]).astype(np.float32)
    margin = (hu.shape[0] - stage.pixels) // 2
    reach = settings.shift_pixels
    shift = rng.integers(-reach, reach + 1, size=2)
    if margin < reach:
        both = np.roll(both, tuple(shift), axis=(1, 2))
        corner = np.array([margin, margin])
    else:
        corner = margin + shift
    both = both[:, corner[0] : corner[0] + stage.pixels, corner[1] : corner[1] + stage.pixels]
    if rng.random() < 0.5:
        both = both[:, ::-1, ::-1]
    if rng.random() < 0.5:
        both = both.transpose(0, 2, 1)
    return both


@torch.no_grad()
def validation_loss(network: DeepCT, cohort: PreparedCohort, device: str, pixels: int) -> float:
    """Mean binary cross-entropy over the known labels, on the central `pixels` x `pixels` of the patches."""
    logits = [output for _, output in _evaluate(network, cohort, device, pixels)]
    return float(masked_loss(torch.cat(logits), torch.from_numpy(cohort.labels.astype(np.float32))))


@torch.no_grad()
def deep_features(network: DeepCT, cohort: PreparedCohort, device: str = "cpu") -> tuple[np.ndarray, np.ndarray]:
    """Deep features (n, n_deep) and logits (n, e) of whole patches."""
    pairs = list(_evaluate(network, cohort, device, cohort.patches_hu.shape[-1]))
    deep, logits = (torch.cat(part).double().numpy() for part in zip(*pairs, strict=True))
    return deep, logits


def _evaluate(
    network: DeepCT, cohort: PreparedCohort, device: str, pixels: int, batch: int = 16
) -> Iterator[tuple[Tensor, Tensor]]:
    network.eval()
    margin = (cohort.patches_hu.shape[-1] - pixels) // 2
    center = slice(margin, margin + pixels)
    for first in range(0, len(cohort), batch):
        rows = slice(first, first + batch)
        hu = torch.from_numpy(cohort.patches_hu[rows, 0, center, center].astype(np.float32))
        tumor = torch.from_numpy(cohort.patches_tumor[rows, 0, center, center].astype(np.float32))
        output = network(input_channels(hu, tumor).to(device))
        yield output.deep.cpu(), output.logits.cpu()
