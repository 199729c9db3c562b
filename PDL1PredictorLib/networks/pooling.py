"""Feature maps as numbers within the contour: of each map its mean and its spread over the tumor alone.

Over the whole slice a tumor is a small part of the mean, and what lies around it is most. How a texture varies within
the tumor is told by the spread.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

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
