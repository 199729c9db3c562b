"""Training batches: a random slice of each case, moved, cropped and given a little noise."""

from collections.abc import Iterator

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.networks.deep_ct import input_channels


def batches_per_epoch(n_cases: int, batch: int) -> int:
    """Steps of one epoch; what does not fill a batch waits for the next: a batch of one breaks batch norm."""
    return n_cases // min(batch, n_cases)


def batches(
    cohort: PreparedCohort, stage: Stage, settings: DeepTraining, rng: np.random.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch in random order: input channels (b, 3, pixels, pixels) and labels (b, e), NaN where missing.

    Args:
        cohort: At least one case; fewer than a batch make one smaller batch.
        stage: Its crop.
        settings: Batch size, moves and noise.
        rng: Everything is drawn from it.
    """
    order = rng.permutation(len(cohort))
    n_batches = batches_per_epoch(len(cohort), settings.batch)
    for rows in np.array_split(order[: n_batches * min(settings.batch, len(cohort))], n_batches):
        hu = np.stack([augment(*_any_slice(cohort, row, rng), stage, settings, rng) for row in rows])
        x = input_channels(torch.from_numpy(hu[:, 0]), torch.from_numpy(hu[:, 1]))
        noise = rng.normal(0.0, settings.noise, x.shape).astype(np.float32)
        labels = torch.from_numpy(cohort.labels[rows].astype(np.float32))
        yield (x + torch.from_numpy(noise)).to(memory_format=torch.channels_last), labels


def _any_slice(cohort: PreparedCohort, row: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """One of the slices of a case, in HU, and the tumor in it."""
    chosen = rng.integers(cohort.patches_hu.shape[1])
    return cohort.patches_hu[row, chosen], cohort.patches_tumor[row, chosen]


def augment(
    hu: np.ndarray, tumor: np.ndarray, stage: Stage, settings: DeepTraining, rng: np.random.Generator
) -> np.ndarray:
    """Rotate, shift, crop, turn and mirror a patch.

    Args:
        hu: (rows, columns), square.
        tumor: The same shape, 1 inside.
        stage: Its crop.
        settings: Which moves, and how far.
        rng: A move that is switched off draws nothing.

    Returns:
        float32 (2, pixels, pixels): HU and tumor.
    """
    both = np.stack([hu, tumor]).astype(np.float32)
    if settings.rotation_degrees > 0:
        both = _rotated(both, rng.uniform(-settings.rotation_degrees, settings.rotation_degrees))
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
    if settings.moves == "all" and rng.random() < 0.5:
        both = both[:, ::-1]  # with the two above: all eight ways to lay down a square
    return both


def _rotated(both: np.ndarray, degrees: float) -> np.ndarray:
    hu, tumor = both
    turned_hu = ndimage.rotate(hu, degrees, reshape=False, order=1, mode="nearest")
    turned_tumor = ndimage.rotate(tumor, degrees, reshape=False, order=0, mode="constant")
    return np.stack([turned_hu, turned_tumor])
