"""What a trained network says of a prepared cohort: deep features, logits, loss, pooled backbone features."""

from collections.abc import Iterator
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.networks.deep_ct import DeepCT, DeepCTOutput, input_channels

BATCH, BATCH_ON_GPU = 16, 128  # the latter take about 1 GB of a GPU's memory
Slices = Literal["all", "first"]
"""Which of the stored slices of a case the network sees."""


def masked_loss(logits: Tensor, labels: Tensor, positive_weights: Tensor | None = None) -> Tensor:
    """Mean binary cross-entropy over the labels that are known (not NaN); both (n, e).

    Args:
        logits: (n, e).
        labels: (n, e), 0 or 1, NaN where missing.
        positive_weights: What a positive case of each endpoint counts, (e,); None counts all cases once.
    """
    known = ~torch.isnan(labels)
    loss = functional.binary_cross_entropy_with_logits(
        logits, torch.nan_to_num(labels), reduction="none", pos_weight=positive_weights
    )
    return (loss * known).sum() / known.sum().clamp(min=1)


def positive_weights(labels: np.ndarray) -> np.ndarray:
    """Negative over positive cases of every endpoint, 1 where a class is missing: (n, e), NaN missing, to (e,)."""
    positive, negative = (labels == 1).sum(axis=0), (labels == 0).sum(axis=0)
    balanced = negative / np.maximum(positive, 1)
    return np.where((positive > 0) & (negative > 0), balanced, 1.0)


@torch.no_grad()
def validation_loss(
    network: DeepCT, cohort: PreparedCohort, device: str, pixels: int, weights: Tensor | None = None
) -> float:
    """Mean binary cross-entropy over the known labels, on the central `pixels` x `pixels` of the patches."""
    logits = [output.logits.cpu() for output in _evaluate(network, cohort, device, pixels)]
    labels = torch.from_numpy(cohort.labels.astype(np.float32))
    return float(masked_loss(torch.cat(logits), labels, None if weights is None else weights.cpu()))


@torch.no_grad()
def deep_features(
    network: DeepCT,
    cohort: PreparedCohort,
    device: str = "cpu",
    pixels: int | None = None,
    slices: Slices = "all",
) -> tuple[np.ndarray, np.ndarray]:
    """Deep features (n, n_deep) and logits (n, e), mean over the slices of each case.

    A trait that lies in the texture shows in every slice, and what the network makes of it varies from slice to slice.
    A tumor with fewer slices has the first one stored in place of those that it lacks: that one then counts for them.

    Args:
        network: Evaluated as it is, on `device`.
        cohort: n cases.
        device: Where the network lies.
        pixels: Edge of the centered crop; None takes whole patches.
        slices: All that are stored, or the first alone, where the area of the tumor is largest.
    """
    edge = pixels or cohort.patches_hu.shape[-1]
    deep, logits = [], []
    for index in _numbers(cohort, slices):
        outputs = list(_evaluate(network, cohort, device, edge, index))
        deep.append(torch.cat([output.deep.cpu() for output in outputs]).double().numpy())
        logits.append(torch.cat([output.logits.cpu() for output in outputs]).double().numpy())
    return np.mean(deep, axis=0), np.mean(logits, axis=0)


def channels_of(cohort: PreparedCohort) -> np.ndarray:
    """What the network is given of each case's first slice, (n, 3, rows, columns) 32-bit."""
    hu = torch.from_numpy(cohort.patches_hu[:, 0].astype(np.float32))
    tumor = torch.from_numpy(cohort.patches_tumor[:, 0].astype(np.float32))
    return np.asarray(input_channels(hu, tumor).numpy(), dtype=np.float32)


def contours_of(cohort: PreparedCohort) -> np.ndarray:
    """The contour on each case's first slice, (n, 1, rows, columns) 32-bit."""
    return cohort.patches_tumor[:, :1].astype(np.float32)


@torch.no_grad()
def embed(
    network: DeepCT,
    cohort: PreparedCohort,
    device: str = "cpu",
    slices: Slices = "all",
    pixels: int | None = None,
    progress: Progress = SILENT,
) -> np.ndarray:
    """Pooled features of the backbone, what the two fully connected layers are trained on.

    Args:
        network: Moved to `device` and evaluated as it is.
        cohort: n cases.
        device: Where.
        slices: Mean over all slices of a case, or its first.
        pixels: Edge of the centered crop; None takes whole patches.
        progress: Told batch by batch.

    Returns:
        (n, channels) float32; (n, 2 channels) of a network that pools within the contour.
    """
    network.to(device)
    edge = pixels or cohort.patches_hu.shape[-1]
    chosen = _numbers(cohort, slices)
    total = sum(_pooled(network, cohort, device, edge, index, progress) for index in chosen)
    return np.asarray(total / len(chosen), dtype=np.float32)


def _numbers(cohort: PreparedCohort, slices: Slices) -> range:
    return range(cohort.patches_hu.shape[1] if slices == "all" else 1)


def _pooled(
    network: DeepCT, cohort: PreparedCohort, device: str, pixels: int, index: int, progress: Progress
) -> np.ndarray:
    n_slices, parts = len(_numbers(cohort, "all")), []
    done = 0
    for x, contour in _shown(network, cohort, device, pixels, index):
        parts.append(network.pooled(network(x, contour).maps, contour).cpu())
        done += len(parts[-1])
        share = (index + done / len(cohort)) / n_slices
        progress.step("network", share, f"slice {index + 1} of {n_slices}: {done} of {len(cohort)} cases")
    return torch.cat(parts).double().numpy()


def _evaluate(
    network: DeepCT, cohort: PreparedCohort, device: str, pixels: int, index: int = 0
) -> Iterator[DeepCTOutput]:
    for x, contour in _shown(network, cohort, device, pixels, index):
        yield network(x, contour)


def _shown(
    network: DeepCT, cohort: PreparedCohort, device: str, pixels: int, index: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """Channels and contour, batch by batch, for a network that is then in evaluation mode."""
    network.eval()
    margin = (cohort.patches_hu.shape[-1] - pixels) // 2
    center = slice(margin, margin + pixels)
    batch = BATCH if device == "cpu" else BATCH_ON_GPU
    for first in range(0, len(cohort), batch):
        rows = slice(first, first + batch)
        stored = (block[rows, index, center, center] for block in (cohort.patches_hu, cohort.patches_tumor))
        hu, tumor = (torch.from_numpy(np.ascontiguousarray(part)).to(device).float() for part in stored)
        yield input_channels(hu, tumor), tumor[:, None]
