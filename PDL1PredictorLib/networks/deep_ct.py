"""Deep-CT of Deep-RadScore: a backbone with two new fully connected layers, ten deep features between them.

Source: paper "Deep learning radiomics ... molecular alterations in NSCLC", section "Deep learning radiomics
architecture": DenseNet121, the 1000-way layer replaced by two fully connected layers with Xavier start; the
penultimate layer's output is the deep feature vector. The paper compares it with four other backbones.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from PDL1PredictorLib.core.windows import LUNG, SOFT_TISSUE
from PDL1PredictorLib.networks.backbones import backbone as backbone_of
from PDL1PredictorLib.networks.channels import in_window
from PDL1PredictorLib.networks.names import POOLED_WITHIN
from PDL1PredictorLib.networks.pooling import WithinContour


class DeepCTOutput(NamedTuple):
    """What one forward pass gives.

    Attributes:
        maps: Activations of the last convolutional layer after ReLU; with DenseNet121 (n, 1024, h // 32, w // 32).
        deep: Deep features, (n, n_deep).
        logits: One per endpoint, (n, n_endpoints).
    """

    maps: Tensor
    deep: Tensor
    logits: Tensor


def input_channels(patch_hu: Tensor, tumor: Tensor) -> Tensor:
    """The three channels that Deep-CT sees.

    Args:
        patch_hu: (n, h, w) in HU.
        tumor: (n, h, w), 1 inside the contour.

    Returns:
        (n, 3, h, w), each in -1 to 1: lung window; soft-tissue window; soft-tissue window inside the contour, 0
        outside it.
    """
    lung, soft = in_window(patch_hu, LUNG), in_window(patch_hu, SOFT_TISSUE)
    return torch.stack([lung, soft, soft * tumor.to(soft.dtype)], dim=1)


class DeepCT(nn.Module):
    """Deep-CT with one output per endpoint on a shared backbone.

    Args:
        n_endpoints: Number of outputs.
        n_deep: Width of the penultimate layer.
        dropout: On the pooled features, while training.
        backbone: One of `networks.names.BACKBONES`.
        pool: One of `networks.names.POOLS`: the mean of each feature map over the slice, or its mean and spread within
            the contour, which is then given beside the channels.

    Raises:
        ValueError: There is no such backbone, or its maps cannot be pooled so.
    """

    def __init__(
        self,
        n_endpoints: int,
        n_deep: int = 10,
        dropout: float = 0.0,
        backbone: str = "densenet121",
        pool: str = "picture",
    ) -> None:
        super().__init__()
        chosen = backbone_of(backbone)
        self.backbone, self.pool = backbone, pool
        self.features = chosen.build()
        self.within = within_contour(backbone) if pool == "contour" else None
        self.dropout = nn.Dropout(dropout)
        self.reduce = nn.Linear(chosen.channels * (1 if self.within is None else 2), n_deep)
        self.classifier = nn.Linear(n_deep, n_endpoints)
        for layer in (self.reduce, self.classifier):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, contour: Tensor | None = None) -> DeepCTOutput:
        """Run on input channels (n, 3, h, w).

        Args:
            x: Channels.
            contour: (n, 1, h, w), 1 inside; needed where the maps are pooled within it, else not looked at.

        Raises:
            ValueError: The input is smaller than the backbone can see, or the contour is needed and not given.
        """
        least = backbone_of(self.backbone).least_pixels
        if min(x.shape[2:]) < least:
            raise ValueError(f"{self.backbone} needs patches of at least {least} pixels, got {tuple(x.shape[2:])}.")
        return self.answer(x, contour)

    def answer(self, x: Tensor, contour: Tensor | None = None) -> DeepCTOutput:
        """The steps alone, for input channels that are known to be large enough: what is exported as a graph."""
        maps = functional.relu(self.features(x))  # changes nothing where the backbone ends in one
        deep = self.reduce(self.dropout(self.pooled(maps, contour)))
        return DeepCTOutput(maps, deep, self.classifier(deep))

    def pooled(self, maps: Tensor, contour: Tensor | None = None) -> Tensor:
        """What the last two layers are given of the last feature maps (n, c, h', w'): (n, c), or (n, 2 c).

        Raises:
            ValueError: The contour is needed and not given.
        """
        if self.within is None:
            return maps.mean(dim=(2, 3))
        if contour is None:
            raise ValueError("The maps of this network are pooled within the contour, which was not given.")
        pooled: Tensor = self.within(maps, contour)
        return pooled


def within_contour(backbone: str) -> WithinContour:
    """How the maps of a backbone are pooled within the contour.

    Raises:
        ValueError: There is no such backbone, or its windows lie otherwise.
    """
    halvings = backbone_of(backbone).halvings
    if halvings is None:
        raise ValueError(
            f"The maps of {backbone} cannot be pooled within the contour; take one of {', '.join(POOLED_WITHIN)}."
        )
    return WithinContour(halvings)
