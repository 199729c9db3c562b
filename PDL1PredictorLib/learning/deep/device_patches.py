"""Training patches that stay on the device and are moved there: in distribution what `augmentation` does on the CPU.

All moves of a case are one look-up: where each pixel of the result lies in the stored patch. A rotation alone mixes
pixels.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.learning.deep.augmentation import batches_per_epoch
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.networks.deep_ct import input_channels

AT_ONCE = 128  # cases: launches are few, and the look-up tables of 160 pixels take about 300 MB


class Moves(NamedTuple):
    """What is done to each of n cases; everything on one device.

    Attributes:
        slices: (n,) int64, which slice is seen.
        degrees: (n,) float64, rotation about the patch's center; None where nothing is rotated.
        shift: (n, 2) int64, pixels by row and column.
        turned: (n,) bool, by 180 degrees.
        transposed: (n,) bool, after that.
        mirrored: (n,) bool, rows in reverse, after that.
    """

    slices: Tensor
    degrees: Tensor | None
    shift: Tensor
    turned: Tensor
    transposed: Tensor
    mirrored: Tensor


def draw_moves(n: int, n_slices: int, settings: DeepTraining, generator: torch.Generator) -> Moves:
    """Draw the moves of n cases, each on its own, with the odds of `augmentation.augment`.

    Args:
        n: Cases.
        n_slices: Stored slices of each.
        settings: Which moves, and how far.
        generator: Its device is where the moves lie.
    """
    device = generator.device

    def coins() -> Tensor:
        return torch.rand(n, generator=generator, device=device) < 0.5

    reach, degrees = settings.shift_pixels, None
    if settings.rotation_degrees > 0:
        share = torch.rand(n, generator=generator, device=device, dtype=torch.float64)
        degrees = (2 * share - 1) * settings.rotation_degrees
    return Moves(
        slices=torch.randint(n_slices, (n,), generator=generator, device=device),
        degrees=degrees,
        shift=torch.randint(-reach, reach + 1, (n, 2), generator=generator, device=device),
        turned=coins(),
        transposed=coins(),
        mirrored=coins() if settings.moves == "all" else torch.zeros(n, dtype=torch.bool, device=device),
    )


class DevicePatches:
    """The training cases of a cohort, kept on a device as they are stored: int16 HU, bool tumor.

    Args:
        cohort: n cases.
        device: Where.
    """

    def __init__(self, cohort: PreparedCohort, device: str) -> None:
        self.hu = torch.from_numpy(np.ascontiguousarray(cohort.patches_hu)).to(device)
        self.tumor = torch.from_numpy(np.ascontiguousarray(cohort.patches_tumor)).to(device)
        self.labels = torch.from_numpy(cohort.labels.astype(np.float32)).to(device)

    def __len__(self) -> int:
        return len(self.hu)

    def batches(
        self, stage: Stage, settings: DeepTraining, generator: torch.Generator
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """One epoch in random order: input channels (b, 3, pixels, pixels) and labels (b, e).

        Args:
            stage: Its crop.
            settings: Batch size, moves and noise.
            generator: Of the patches' device; everything is drawn from it.
        """
        batch = min(settings.batch, len(self))
        order = torch.randperm(len(self), generator=generator, device=generator.device)
        used, at_once = batches_per_epoch(len(self), batch) * batch, max(AT_ONCE // batch, 1) * batch
        for first in range(0, used, at_once):
            rows = order[first : min(first + at_once, used)]
            moves = draw_moves(len(rows), self.hu.shape[1], settings, generator)
            x = input_channels(*self.moved(rows, moves, stage.pixels, settings.shift_pixels))
            noise = torch.randn(x.shape, generator=generator, device=generator.device)
            x, labels = x + settings.noise * noise, self.labels[rows]
            for start in range(0, len(rows), batch):
                yield x[start : start + batch], labels[start : start + batch]

    def moved(self, rows: Tensor, moves: Moves, pixels: int, reach: int) -> tuple[Tensor, Tensor]:
        """Rotate, shift, crop, turn and mirror.

        Args:
            rows: (n,) cases.
            moves: Of these cases.
            pixels: Edge of the crop.
            reach: Greatest shift of the training: where the margin around the crop is smaller, the patch is rolled.

        Returns:
            HU and tumor, (n, pixels, pixels) float32 each.
        """
        edge = self.hu.shape[-1]
        i, j = _before_the_flips(moves, pixels)
        margin = (edge - pixels) // 2
        down, right = (moves.shift[:, axis, None, None] for axis in (0, 1))
        if margin < reach:
            i, j = (i + margin - down) % edge, (j + margin - right) % edge
        else:
            i, j = i + margin + down, j + margin + right
        first = ((rows * self.hu.shape[1] + moves.slices) * edge**2)[:, None, None]  # of each case's slice
        if moves.degrees is None:
            index = first + i * edge + j
            return self.hu.take(index).float(), self.tumor.take(index).float()
        y, x = _before_the_rotation(i, j, moves.degrees, edge)
        return self._hu_between(first, y, x), self._tumor_nearest(first, y, x)

    def _hu_between(self, first: Tensor, y: Tensor, x: Tensor) -> Tensor:
        """HU by linear interpolation; beyond the patch its edge goes on."""
        edge = self.hu.shape[-1]
        y, x = y.clamp(0, edge - 1), x.clamp(0, edge - 1)
        i, j = y.long(), x.long()
        below, beside = (i + 1).clamp(max=edge - 1), (j + 1).clamp(max=edge - 1)
        down, right = y - i, x - j

        def along(row: Tensor) -> Tensor:
            start = first + row * edge
            return self.hu.take(start + j) * (1 - right) + self.hu.take(start + beside) * right

        return (along(i) * (1 - down) + along(below) * down).float()

    def _tumor_nearest(self, first: Tensor, y: Tensor, x: Tensor) -> Tensor:
        """The contour by the nearest pixel; beyond the patch there is none."""
        last = self.hu.shape[-1] - 1
        inside = (y >= 0) & (y <= last) & (x >= 0) & (x <= last)
        i, j = (axis.clamp(0, last).add(0.5).long() for axis in (y, x))
        return (self.tumor.take(first + i * (last + 1) + j) & inside).float()


def _before_the_flips(moves: Moves, pixels: int) -> tuple[Tensor, Tensor]:
    """Row and column in the crop of each pixel of the result, (n, pixels, pixels); the last move is undone first."""
    line, last = torch.arange(pixels, device=moves.shift.device), pixels - 1
    turned, transposed, mirrored = (coin[:, None, None] for coin in (moves.turned, moves.transposed, moves.mirrored))
    i, j = torch.where(mirrored, last - line[:, None], line[:, None]), line[None, None, :]
    i, j = torch.where(transposed, j, i), torch.where(transposed, i, j)
    return torch.where(turned, last - i, i), torch.where(turned, last - j, j)


def _before_the_rotation(i: Tensor, j: Tensor, degrees: Tensor, edge: int) -> tuple[Tensor, Tensor]:
    """Where `scipy.ndimage.rotate` looks for the values of row i and column j, float64, on patches of that edge."""
    angle, center = torch.deg2rad(degrees)[:, None, None], (edge - 1) / 2
    cos, sin = torch.cos(angle), torch.sin(angle)
    y = center - (cos + sin) * center + cos * i + sin * j
    x = center - (cos - sin) * center - sin * i + cos * j
    return y, x
