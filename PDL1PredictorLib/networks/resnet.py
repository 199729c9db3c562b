"""ResNet50 and ResNet101, with the parameter names of torchvision, so that its public weight files load as they are.

The stride of a bottleneck lies on its 3 x 3 convolution, as in torchvision's weights ("ResNet V1.5").

Source: He et al. 2016, Deep Residual Learning for Image Recognition, arXiv:1512.03385.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from PDL1PredictorLib.networks.start import he_start

STEM = 64
EXPANSION = 4
WIDTHS = (64, 128, 256, 512)
LAST_CHANNELS = WIDTHS[-1] * EXPANSION


class _Bottleneck(nn.Module):
    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        wide = width * EXPANSION
        self.conv1 = nn.Conv2d(channels, width, kernel_size=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, kernel_size=3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, wide, kernel_size=1, bias=False)
        self.bn3 = nn.BatchNorm2d(wide)
        self.downsample: nn.Sequential | None = None
        if stride != 1 or channels != wide:
            self.downsample = nn.Sequential(
                nn.Conv2d(channels, wide, kernel_size=1, stride=stride, bias=False), nn.BatchNorm2d(wide)
            )

    def forward(self, x: Tensor) -> Tensor:
        new = functional.relu(self.bn1(self.conv1(x)))
        new = functional.relu(self.bn2(self.conv2(new)))
        new = self.bn3(self.conv3(new))
        return functional.relu(new + (x if self.downsample is None else self.downsample(x)))


def resnet50_features(last: int = 4, fine: bool = False) -> nn.Sequential:
    """The convolutional part of ResNet50: (n, 3, h, w) to (n, 2048, ceil(h / 32), ceil(w / 32)), not negative.

    Args:
        last: Layer, of four, after which it ends: with each one less there are half as many channels, twice as long
            and wide.
        fine: Whether it sees the picture twice enlarged, see `fine_stem`; the maps are twice as long and wide.
    """
    return _features((3, 4, 6, 3)[:last], fine)


def fine_stem(kernels: Tensor) -> Tensor:
    """The first kernels as they are on a picture that is not enlarged: (n, c, 7, 7) to (n, c, 5, 5).

    What 7 x 7 kernels in steps of two make of a picture enlarged twice by bilinear interpolation, these make of the
    picture itself in steps of one, the same numbers everywhere but at its border.
    """
    places = torch.arange(-3, 4) / 2 - 0.25  # of the kernel's pixels, in pixels of the picture
    onto = (1 - (places[:, None] - torch.arange(-2, 3)).abs()).clamp(min=0)
    return torch.einsum("ncij,ik,jl->nckl", kernels, onto, onto)


def channels_after(last: int) -> int:
    """Of the maps after a layer, of four."""
    return WIDTHS[last - 1] * EXPANSION


def resnet101_features() -> nn.Sequential:
    """The convolutional part of ResNet101: (n, 3, h, w) to (n, 2048, ceil(h / 32), ceil(w / 32)), not negative."""
    return _features((3, 4, 23, 3))


def _features(depths: tuple[int, ...], fine: bool = False) -> nn.Sequential:
    kernel, stride, padding = (5, 1, 2) if fine else (7, 2, 3)
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        conv1=nn.Conv2d(3, STEM, kernel, stride, padding, bias=False),
        bn1=nn.BatchNorm2d(STEM),
        relu=nn.ReLU(),
        maxpool=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
    )
    channels = STEM
    for number, (width, depth) in enumerate(zip(WIDTHS, depths, strict=False), start=1):
        parts[f"layer{number}"] = _layer(channels, width, depth, stride=1 if number == 1 else 2)
        channels = width * EXPANSION
    features = nn.Sequential(parts)
    he_start(features)
    return features


def _layer(channels: int, width: int, depth: int, stride: int) -> nn.Sequential:
    rest = (_Bottleneck(width * EXPANSION, width, stride=1) for _ in range(depth - 1))
    return nn.Sequential(_Bottleneck(channels, width, stride), *rest)
