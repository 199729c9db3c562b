"""Volumes of a cohort as a network sees them: channels made late, moved a little while it is trained."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.windows import LUNG, SOFT_TISSUE
from PDL1PredictorLib.imaging.volume import PADDING_HU, SUV_STEPS
from PDL1PredictorLib.learning.deep.volume.settings import VolumeTraining
from PDL1PredictorLib.networks.channels import in_window
from PDL1PredictorLib.networks.volume_channels import HIGHEST_SUV, volume_channels

AT_ONCE = 8  # volumes of one forward pass


@dataclass(frozen=True, eq=False)
class Volumes:
    """Volumes of n cases as they are kept.

    Attributes:
        hu: (n, d, h, w) int16.
        tumor: (n, d, h, w) bool.
        suv: (n, d, h, w) int16, SUV in hundredths, 0 of cases without PET; None where no PET is looked at.
        has_pet: (n,) bool.
        labels: (n, e), 0 or 1, NaN where not known.
        pool: One of `networks.names.POOLS`: where maps are pooled within the contour, it is the last channel.
    """

    hu: np.ndarray
    tumor: np.ndarray
    suv: np.ndarray | None
    has_pet: np.ndarray
    labels: np.ndarray
    pool: str = "picture"

    def __len__(self) -> int:
        return len(self.hu)

    @property
    def n_channels(self) -> int:
        """What is convolved: two windows and the tumor; SUV and whether there is one."""
        return 3 if self.suv is None else 5

    def channels(self, rows: np.ndarray) -> np.ndarray:
        """What the network is given of these cases in the end, (m, c, d, h, w) 32-bit."""
        n, parts = self.n_channels + (self.pool == "contour"), [self._of(row) for row in rows]
        return np.concatenate(parts) if parts else np.zeros((0, n, *self.hu.shape[1:]), np.float32)

    def _of(self, row: int) -> np.ndarray:
        suv = None if self.suv is None or not self.has_pet[row] else self.suv[[row]] / SUV_STEPS
        return volume_channels(self.hu[[row]], self.tumor[[row]], suv, self.suv is not None, self.pool)


def volumes_of(cohort: PreparedCohort, with_pet: bool, pool: str = "picture") -> Volumes:
    """The volumes of a cohort; without a look at the PET where none is wanted.

    Raises:
        InputError: The cases were prepared without.
    """
    has_pet = cohort.blocks.get("pet", np.zeros(len(cohort), dtype=bool))
    suv = cohort.block("volume_suv") if with_pet else None
    return Volumes(cohort.block("volume"), cohort.block("volume_tumor"), suv, has_pet, cohort.labels, pool)


def batches(
    cases: Volumes, rows: np.ndarray, settings: VolumeTraining, rng: np.random.Generator, device: str
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch in random order: channels (b, c, d, h, w), moved, and labels (b, e).

    What does not fill a batch waits for the next epoch: a batch of one breaks batch norm.
    """
    order = rng.permutation(rows)
    size = min(settings.batch, len(order))
    for number in range(len(order) // size):
        own = order[number * size : (number + 1) * size]
        labels = torch.from_numpy(cases.labels[own].astype(np.float32)).to(device)
        yield moved_channels(cases, own, settings, rng, device), labels


def moved_channels(
    cases: Volumes, rows: np.ndarray, settings: VolumeTraining, rng: np.random.Generator, device: str
) -> Tensor:
    """Channels of volumes that were turned, scaled and mirrored, with other contrast and a little noise."""

    def on(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values[rows])).to(device).float()[:, None]

    raw = [on(cases.hu) - PADDING_HU, on(cases.tumor)]  # so that 0 is air, and what comes in from outside is air
    raw += [] if cases.suv is None else [on(cases.suv) / SUV_STEPS]
    stacked = torch.cat(raw, dim=1)
    grid = functional.affine_grid(_moves(len(rows), settings, rng).to(device), list(stacked.shape), align_corners=False)
    moved = functional.grid_sample(stacked, grid, align_corners=False, padding_mode="zeros")
    hu, tumor = moved[:, 0] + PADDING_HU, (moved[:, 1] >= 0.5).float()
    windows = torch.stack([in_window(hu, LUNG), in_window(hu, SOFT_TISSUE)], dim=1)
    factor = rng.uniform(1 - settings.contrast, 1 + settings.contrast, (len(rows), 1, 1, 1, 1))
    windows = windows * torch.from_numpy(factor.astype(np.float32)).to(device)
    windows = windows + settings.noise * _noise(windows, rng)
    found = [windows[:, 0], windows[:, 1], windows[:, 1] * tumor]
    if cases.suv is not None:
        shown = cases.has_pet[rows] & (rng.random(len(rows)) >= settings.modality_dropout)
        seen = torch.from_numpy(shown.astype(np.float32)).to(device)[:, None, None, None]
        found += [(moved[:, 2] / HIGHEST_SUV).clamp(0, 1) * seen, seen.expand_as(tumor)]
    if cases.pool == "contour":
        found.append(tumor)
    return torch.stack(found, dim=1)


def _moves(n: int, settings: VolumeTraining, rng: np.random.Generator) -> Tensor:
    """Where each voxel of a moved volume comes from: (n, 3, 4), axes i, j, k as `affine_grid` has them."""
    turned = np.radians(rng.uniform(-settings.degrees, settings.degrees, n))
    size = 1 / rng.uniform(1 - settings.scale, 1 + settings.scale, n)
    draws = rng.random((n, 3)) < 0.5 if settings.mirror else np.zeros((n, 3), dtype=bool)
    found = np.zeros((n, 3, 4), np.float32)
    for move, angle, factor, (up, around, across) in zip(found, turned, size, draws, strict=True):
        c, s = math.cos(angle), math.sin(angle)
        plane = np.array([[c, -s], [s, c]]) * (-1 if around else 1)
        move[:2, :2] = factor * (plane[::-1] if across else plane)  # i and j exchanged: a mirror along the diagonal
        move[2, 2] = factor * (-1 if up else 1)
    return torch.from_numpy(found)


def _noise(like: Tensor, rng: np.random.Generator) -> Tensor:
    if like.device.type == "cpu":
        return torch.from_numpy(rng.standard_normal(tuple(like.shape), dtype=np.float32))
    return torch.randn_like(like)
