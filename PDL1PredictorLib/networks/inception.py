"""Inception V3, with the parameter names of torchvision, so that its public weight files load as they are.

Without the auxiliary classifier, which served the original training only.

Source: Szegedy et al. 2016, Rethinking the Inception Architecture for Computer Vision, arXiv:1512.00567.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

from PDL1PredictorLib.networks.start import he_start

LAST_CHANNELS = 2048
Size = int | tuple[int, int]


class _Conv(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, channels: int, width: int, kernel: Size, stride: int = 1, padding: Size = 0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, width, kernel_size=kernel, stride=stride, padding=padding, bias=False)
        self.bn = nn.BatchNorm2d(width, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(self.bn(self.conv(x)))


def _pooled(x: Tensor) -> Tensor:
    return functional.avg_pool2d(x, kernel_size=3, stride=1, padding=1)


def _halved(x: Tensor) -> Tensor:
    return functional.max_pool2d(x, kernel_size=3, stride=2)


class _InceptionA(nn.Module):
    def __init__(self, channels: int, pool_width: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(channels, 64, 1)
        self.branch5x5_1 = _Conv(channels, 48, 1)
        self.branch5x5_2 = _Conv(48, 64, 5, padding=2)
        self.branch3x3dbl_1 = _Conv(channels, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, padding=1)
        self.branch_pool = _Conv(channels, pool_width, 1)

    def forward(self, x: Tensor) -> Tensor:
        five = self.branch5x5_2(self.branch5x5_1(x))
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch1x1(x), five, double, self.branch_pool(_pooled(x))], 1)


class _InceptionB(nn.Module):
    """Halves the maps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3 = _Conv(channels, 384, 3, stride=2)
        self.branch3x3dbl_1 = _Conv(channels, 64, 1)
        self.branch3x3dbl_2 = _Conv(64, 96, 3, padding=1)
        self.branch3x3dbl_3 = _Conv(96, 96, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        double = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), double, _halved(x)], 1)


class _InceptionC(nn.Module):
    """7 x 7 taken apart into 1 x 7 and 7 x 1."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        across: dict[str, Size] = {"kernel": (1, 7), "padding": (0, 3)}
        down: dict[str, Size] = {"kernel": (7, 1), "padding": (3, 0)}
        self.branch1x1 = _Conv(channels, 192, 1)
        self.branch7x7_1 = _Conv(channels, width, 1)
        self.branch7x7_2 = _Conv(width, width, **across)  # type: ignore[arg-type]
        self.branch7x7_3 = _Conv(width, 192, **down)  # type: ignore[arg-type]
        self.branch7x7dbl_1 = _Conv(channels, width, 1)
        self.branch7x7dbl_2 = _Conv(width, width, **down)  # type: ignore[arg-type]
        self.branch7x7dbl_3 = _Conv(width, width, **across)  # type: ignore[arg-type]
        self.branch7x7dbl_4 = _Conv(width, width, **down)  # type: ignore[arg-type]
        self.branch7x7dbl_5 = _Conv(width, 192, **across)  # type: ignore[arg-type]
        self.branch_pool = _Conv(channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        seven = self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x)))
        double = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        double = self.branch7x7dbl_5(self.branch7x7dbl_4(double))
        return torch.cat([self.branch1x1(x), seven, double, self.branch_pool(_pooled(x))], 1)


class _InceptionD(nn.Module):
    """Halves the maps."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch3x3_1 = _Conv(channels, 192, 1)
        self.branch3x3_2 = _Conv(192, 320, 3, stride=2)
        self.branch7x7x3_1 = _Conv(channels, 192, 1)
        self.branch7x7x3_2 = _Conv(192, 192, (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = _Conv(192, 192, (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = _Conv(192, 192, 3, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_2(self.branch3x3_1(x))
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([three, seven, _halved(x)], 1)


class _InceptionE(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.branch1x1 = _Conv(channels, 320, 1)
        self.branch3x3_1 = _Conv(channels, 384, 1)
        self.branch3x3_2a = _Conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3_2b = _Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch3x3dbl_1 = _Conv(channels, 448, 1)
        self.branch3x3dbl_2 = _Conv(448, 384, 3, padding=1)
        self.branch3x3dbl_3a = _Conv(384, 384, (1, 3), padding=(0, 1))
        self.branch3x3dbl_3b = _Conv(384, 384, (3, 1), padding=(1, 0))
        self.branch_pool = _Conv(channels, 192, 1)

    def forward(self, x: Tensor) -> Tensor:
        three = self.branch3x3_1(x)
        double = self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat(
            [
                self.branch1x1(x),
                self.branch3x3_2a(three),
                self.branch3x3_2b(three),
                self.branch3x3dbl_3a(double),
                self.branch3x3dbl_3b(double),
                self.branch_pool(_pooled(x)),
            ],
            1,
        )


def inception_v3_features() -> nn.Sequential:
    """The convolutional part: (n, 3, h, w), at least 75 x 75, to (n, 2048, h', w'), not negative.

    h' is 8 for the published 299 and 3 for 160: the first layers do not pad.
    """
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        Conv2d_1a_3x3=_Conv(3, 32, 3, stride=2),
        Conv2d_2a_3x3=_Conv(32, 32, 3),
        Conv2d_2b_3x3=_Conv(32, 64, 3, padding=1),
        maxpool1=nn.MaxPool2d(kernel_size=3, stride=2),
        Conv2d_3b_1x1=_Conv(64, 80, 1),
        Conv2d_4a_3x3=_Conv(80, 192, 3),
        maxpool2=nn.MaxPool2d(kernel_size=3, stride=2),
        Mixed_5b=_InceptionA(192, 32),
        Mixed_5c=_InceptionA(256, 64),
        Mixed_5d=_InceptionA(288, 64),
        Mixed_6a=_InceptionB(288),
        Mixed_6b=_InceptionC(768, 128),
        Mixed_6c=_InceptionC(768, 160),
        Mixed_6d=_InceptionC(768, 160),
        Mixed_6e=_InceptionC(768, 192),
        Mixed_7a=_InceptionD(768),
        Mixed_7b=_InceptionE(1280),
        Mixed_7c=_InceptionE(2048),
    )
    features = nn.Sequential(parts)
    he_start(features)
    return features
