"""A small U-Net in three dimensions: a cube about a click in, the log-odds that a voxel is tumor out.

Four levels, two convolutions each, 1.2 million weights. Already the finest level has half of the cube's voxels along
each edge: a level of all voxels would take most of the time. So the network sees 2 x 2 x 2 voxels at once, and its last
convolution answers for each of these eight. Larger maps are made by repeating voxels, through shapes alone, so that the
exported graph needs no operator that a bundle's reader does not know.

Source: the form, Cicek et al. 2016, doi 10.1007/978-3-319-46723-8_49; eight answers a place, Shi et al. 2016, doi
10.1109/CVPR.2016.207; widths are ours.
"""

from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

WIDTHS = (16, 32, 64, 96)
LEAST_VOXELS = 2 ** len(WIDTHS)


class Voxels(NamedTuple):
    """What the network gives of n cubes.

    Attributes:
        answers: Mean log-odds of each cube, (n, 1); the graph of a bundle has an answer a case, nobody reads it.
        maps: Log-odds of each voxel, (n, 1, k, j, i).
    """

    answers: Tensor
    maps: Tensor

    def named(self) -> dict[str, Tensor]:
        """By the names and in the order of the graph."""
        return {"maps": self.maps, "answers": self.answers}


class SegmenterNetwork(nn.Module):
    """The network.

    Args:
        channels: Of the cube, see `segmentation.shown`.
        widths: Maps at each level, the finest first, which has half of the cube's voxels along each edge.
    """

    kind = "segmenter"

    def __init__(self, channels: int = 4, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        self.first = nn.Conv3d(channels, widths[0], 2, stride=2)
        sizes = (widths[0], *widths)
        self.down = nn.ModuleList(_block(a, b) for a, b in pairwise(sizes))
        pairs = list(pairwise(widths))[::-1]
        self.up = nn.ModuleList(_block(fine + coarse, fine) for fine, coarse in pairs)
        self.pool = nn.MaxPool3d(2)
        self.last = nn.Conv3d(widths[0], 8, 3, padding=1)

    def forward(self, volume: Tensor | None, table: Tensor | None = None) -> Voxels:
        """Log-odds of each voxel.

        Args:
            volume: (n, channels, k, j, i), edges divisible by `LEAST_VOXELS`.
            table: Nothing; the exporter's way of calling names it.

        Raises:
            ValueError: There is no volume, or one of another size.
        """
        if volume is None or volume.ndim != 5 or any(n % LEAST_VOXELS for n in volume.shape[2:]):
            raise ValueError(f"A volume whose edges are divisible by {LEAST_VOXELS} is needed.")
        kept: list[Tensor] = []
        x = self.first(volume)
        for level, block in enumerate(self.down):
            x = block(self.pool(x) if level else x)
            kept.append(x)
        for block, finer in zip(self.up, kept[-2::-1], strict=True):
            x = block(torch.cat([doubled(x), finer], dim=1))
        maps = spread_out(self.last(x))
        return Voxels(maps.mean(dim=(2, 3, 4)), maps)


def _block(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv3d(before, after, 3, padding=1, bias=False),
        nn.BatchNorm3d(after),
        nn.ReLU(),
        nn.Conv3d(after, after, 3, padding=1, bias=False),
        nn.BatchNorm3d(after),
        nn.ReLU(),
    )


def doubled(x: Tensor) -> Tensor:
    """Each voxel becomes 2 x 2 x 2 of its value, (n, c, k, j, i) to (n, c, 2 k, 2 j, 2 i); shapes of five at most."""
    n, c, k, j, i = (int(length) for length in x.shape)
    rows = x.reshape(n * c, k * j, i, 1).expand(n * c, k * j, i, 2).reshape(n * c, k * j, 2 * i)
    planes = rows.reshape(n * c, k * j, 1, 2 * i).expand(n * c, k * j, 2, 2 * i).reshape(n * c, k, 4 * j * i)
    volumes = planes.reshape(n * c, k, 1, 4 * j * i).expand(n * c, k, 2, 4 * j * i)
    return volumes.reshape(n, c, 2 * k, 2 * j, 2 * i)


def spread_out(x: Tensor) -> Tensor:
    """Eight numbers a place become 2 x 2 x 2 voxels, (n, 8, k, j, i) to (n, 1, 2 k, 2 j, 2 i); five axes at most."""
    n, _, k, j, i = (int(length) for length in x.shape)
    rows = x.reshape(n * 4, 2, k * j, i).transpose(1, 2).transpose(2, 3).reshape(n * 2, 2, k, j, 2 * i)
    planes = rows.transpose(1, 2).transpose(2, 3).reshape(n, 2, k, 4 * j * i)
    return planes.transpose(1, 2).reshape(n, 1, 2 * k, 2 * j, 2 * i)
