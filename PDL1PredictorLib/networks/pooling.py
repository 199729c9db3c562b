"""Feature maps as numbers within the contour: of each map its mean and its spread over the tumor alone.

Over the whole slice a tumor is a small part of the mean, and what lies around it is most. How a texture varies within
the tumor is told by the spread.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

LEAST_VARIANCE = 1e-4  # of a map in a region: its root has a gradient even where a map is the same everywhere
LEAST = 2.0**-24  # a share of the slice, smaller than one pixel of any: an empty contour makes zeros; 16 bits hold it


class WithinContour(nn.Module):
    """Weighted mean and standard deviation of every feature map.

    A map is seldom as fine as the contour. The contour goes the way of the maps: one average over 3 x 3 pixels in steps
    of two for each time that the network halves its input, whose middles are those of the network's own windows. So
    every pixel of the contour counts, and a place of the map counts by how much of its surroundings is tumor.

    Args:
        halvings: How often the network halves its input, each time by windows around every other pixel.
    """

    least: Tensor

    def __init__(self, halvings: int) -> None:
        super().__init__()
        self.halvings = halvings
        self.register_buffer("least", torch.tensor([LEAST]))

    def forward(self, maps: Tensor, contour: Tensor) -> Tensor:
        """Numbers of feature maps.

        Args:
            maps: (n, c, h', w').
            contour: (n, 1, h, w), 1 inside.

        Returns:
            (n, 2 c): the means of all maps, then their standard deviations; 0 where the contour is empty.
        """
        share = contour
        for _ in range(self.halvings):
            share = functional.avg_pool2d(share, kernel_size=3, stride=2, padding=1)
        whole = share.mean(dim=(2, 3)) + self.least
        mean = (maps * share).mean(dim=(2, 3)) / whole
        middle = (maps * share).mean(dim=(2, 3), keepdim=True) / (share.mean(dim=(2, 3), keepdim=True) + self.least)
        away = maps - middle
        return torch.cat([mean, torch.sqrt((away * away * share).mean(dim=(2, 3)) / whole)], dim=1)


class WithinRegions(nn.Module):
    """Mean and standard deviation of every map of several blocks of a volume, in the tumor and in a ring about it.

    Args:
        ring: How many voxels the ring about the contour is wide; 0 takes no ring.
    """

    def __init__(self, ring: int) -> None:
        super().__init__()
        self.ring = ring

    @property
    def per_map(self) -> int:
        """How many numbers a map gives."""
        return 4 if self.ring else 2

    def forward(self, blocks: Sequence[Tensor], halvings: Sequence[int], contour: Tensor) -> Tensor:
        """The numbers alone, by few products: for training.

        Args:
            blocks: Maps of each block, (n, c, d, h, w), the last ones the coarsest.
            halvings: How often the network had halved its input, rounded down, before each of them.
            contour: (n, 1, d, h, w), 1 inside, as fine as the input.

        Returns:
            (n, per_map * c of all): means in the contour, then their deviations, block by block, then those of the
            ring; 0 where the region is empty.
        """
        found: list[list[Tensor]] = [[] for _ in range(self.per_map // 2)]
        last, regions = halvings[-1], self._regions(contour, _quickly_widened)
        for maps, halved in zip(blocks, halvings, strict=True):
            x = _places(_whole_cubes(maps, last - halved))
            weights = torch.cat([_whole_cubes(_coarser(region, halved), last - halved) for region in regions], dim=1)
            weights = weights.flatten(2)
            weights = weights / (weights.sum(dim=2, keepdim=True) + LEAST * weights.shape[2])
            first, square, own = weights @ x, weights @ (x * x), weights.sum(dim=2, keepdim=True)
            deviation = _root((square - (2 - own) * first * first).clamp_min(0))
            for region, numbers in enumerate(found):
                numbers += [first[:, region], deviation[:, region]]
        return torch.cat([numbers for region in found for numbers in region], dim=1)

    def maps(self, blocks: Sequence[Tensor], halvings: Sequence[int], contour: Tensor) -> Tensor:
        """Maps, on the last block's places, whose plain means over all places are the numbers.

        So whatever is linear in the numbers is linear in the means of maps, and what each place adds can be shown.

        Returns:
            (n, per_map * c of all, d', h', w') in the order of the numbers.
        """
        found: list[Tensor] = []
        last = halvings[-1]
        for region in self._regions(contour, _widened):
            whole = _coarser(region, last).mean(dim=(2, 3, 4), keepdim=True) + LEAST
            for maps, halved in zip(blocks, halvings, strict=True):
                found += _mean_and_deviation(maps, _coarser(region, halved), whole, last - halved)
        return torch.cat(found, dim=1)

    def _regions(self, contour: Tensor, widened: Callable[[Tensor, int], Tensor]) -> list[Tensor]:
        return [contour, widened(contour, self.ring) - contour] if self.ring else [contour]


def _mean_and_deviation(maps: Tensor, share: Tensor, whole: Tensor, halvings: int) -> tuple[Tensor, Tensor]:
    """Maps, `halvings` coarser, whose means are mean and standard deviation over the places that `share` weighs."""
    first = _coarser(maps * share, halvings) / whole
    away = maps - first.mean(dim=(2, 3, 4), keepdim=True)
    second = _coarser(away * away * share, halvings) / whole
    variance = second.mean(dim=(2, 3, 4), keepdim=True)
    return first, second / torch.sqrt(variance + LEAST_VARIANCE)


def _root(variance: Tensor) -> Tensor:
    """The standard deviation, but for what keeps its gradient finite."""
    return variance / torch.sqrt(variance + LEAST_VARIANCE)


def _widened(contour: Tensor, voxels: int) -> Tensor:
    """The contour and all within so many voxels of it along each axis, by operators that a bundle may hold."""
    for axis in range(3):
        size, padding = [1, 1, 1], [0, 0, 0]
        size[axis], padding[axis] = 2 * voxels + 1, voxels
        contour = functional.max_pool3d(contour, size, stride=1, padding=padding)
    return contour


def _quickly_widened(contour: Tensor, voxels: int) -> Tensor:
    """The same, ten times as fast: the highest of two neighbors, of two such, and so on."""
    for axis in (2, 3, 4):
        wanted, size = 2 * voxels + 1, 1
        pads = [0] * 6
        pads[2 * (4 - axis)] = pads[2 * (4 - axis) + 1] = voxels
        contour = functional.pad(contour, pads)
        while size < wanted:
            step, length = min(size, wanted - size), contour.shape[axis]
            contour = torch.maximum(contour.narrow(axis, 0, length - step), contour.narrow(axis, step, length - step))
            size += step
    return contour


def _coarser(maps: Tensor, halvings: int) -> Tensor:
    """Means over cubes of places; what fills none at the far edges is left out, as the network's own pooling does."""
    return functional.avg_pool3d(maps, 2**halvings) if halvings else maps


def _whole_cubes(maps: Tensor, halvings: int) -> Tensor:
    """Without the places at the far edges that `_coarser` leaves out."""
    d, h, w = (length >> halvings << halvings for length in maps.shape[2:])
    return maps[:, :, :d, :h, :w]


def _places(maps: Tensor) -> Tensor:
    """(n, places, c): no copy where the channels lie last in memory."""
    return maps.permute(0, 2, 3, 4, 1).flatten(1, 3)
