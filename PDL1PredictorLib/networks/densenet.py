"""DenseNet121, with the parameter names of torchvision, so that its public weight files load as they are.

Written here, not imported: torchvision's wheel works with one build of torch only (CPU, or one CUDA version), and
inside 3D Slicer torch comes from another extension.

Source: Huang et al. 2017, Densely Connected Convolutional Networks, arXiv:1608.06993.
"""

from collections import OrderedDict

import torch
from torch import Tensor, nn
from torch.nn import functional

GROWTH = 32
BOTTLENECK = 4 * GROWTH
BLOCKS = (6, 12, 24, 16)
STEM = 64
LAST_CHANNELS = 1024


class _DenseLayer(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, BOTTLENECK, kernel_size=1, bias=False)
        self.norm2 = nn.BatchNorm2d(BOTTLENECK)
        self.conv2 = nn.Conv2d(BOTTLENECK, GROWTH, kernel_size=3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        narrow: Tensor = self.conv1(functional.relu(self.norm1(x)))
        new: Tensor = self.conv2(functional.relu(self.norm2(narrow)))
        return torch.cat([x, new], 1)


def _dense_block(channels: int, n_layers: int) -> nn.Sequential:
    layers = ((f"denselayer{i + 1}", _DenseLayer(channels + i * GROWTH)) for i in range(n_layers))
    return nn.Sequential(OrderedDict(layers))


def _transition(channels: int) -> nn.Sequential:
    return nn.Sequential(
        OrderedDict(
            norm=nn.BatchNorm2d(channels),
            relu=nn.ReLU(),
            conv=nn.Conv2d(channels, channels // 2, kernel_size=1, bias=False),
            pool=nn.AvgPool2d(kernel_size=2, stride=2),
        )
    )


def densenet121_features() -> nn.Sequential:
    """The convolutional part: (n, 3, h, w) to (n, 1024, h // 32, w // 32), before the last ReLU.

    Convolutions start with He's normal distribution, batch norms as identity.
    """
    parts: OrderedDict[str, nn.Module] = OrderedDict(
        conv0=nn.Conv2d(3, STEM, kernel_size=7, stride=2, padding=3, bias=False),
        norm0=nn.BatchNorm2d(STEM),
        relu0=nn.ReLU(),
        pool0=nn.MaxPool2d(kernel_size=3, stride=2, padding=1),
    )
    channels = STEM
    for i, n_layers in enumerate(BLOCKS, start=1):
        parts[f"denseblock{i}"] = _dense_block(channels, n_layers)
        channels += n_layers * GROWTH
        if i < len(BLOCKS):
            parts[f"transition{i}"] = _transition(channels)
            channels //= 2
    parts["norm5"] = nn.BatchNorm2d(channels)
    features = nn.Sequential(parts)
    for module in features.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
    return features
