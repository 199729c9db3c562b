"""A small network in three dimensions: four blocks, the mean over the volume, ten deep features, an answer each.

Source: paper 002 says 3 x 3 convolution, batch norm, dropout, pooling, fully connected layers, and neither depth nor
widths; these are ours, 73 thousand weights for some hundreds of cases.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from PDL1PredictorLib.networks.names import CNN3D_WIDTHS
from PDL1PredictorLib.networks.output import AnsweringModule, Head, Output

LEAST_VOXELS = 2 ** (len(CNN3D_WIDTHS) - 1)


class Cnn3d(AnsweringModule):
    """Each block is a convolution, batch norm and ReLU; between two blocks the largest of 2 x 2 x 2 voxels is kept.

    The means over the volume are batch-normalized. The last maps are not pooled, so that a heat map has an eighth of
    the volume's voxels along each axis.

    Args:
        n_channels: Of the volume.
        n_endpoints: Number of answers.
        n_deep: Width of the penultimate layer.
        dropout: On the pooled features, while training.
        widths: Channels of the blocks.
    """

    kind = "cnn3d"

    def __init__(
        self,
        n_channels: int,
        n_endpoints: int,
        n_deep: int = 10,
        dropout: float = 0.5,
        widths: Sequence[int] = CNN3D_WIDTHS,
    ) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for number, (before, width) in enumerate(zip((n_channels, *widths[:-1]), widths, strict=True)):
            if number:
                blocks.append(nn.MaxPool3d(2))
            blocks += [nn.Conv3d(before, width, 3, padding=1, bias=False), nn.BatchNorm3d(width), nn.ReLU()]
        self.features = nn.Sequential(*blocks)
        self.norm = nn.BatchNorm1d(widths[-1])  # a tumor fills a few percent: the means hardly differ without
        self.dropout = nn.Dropout(dropout)
        self.reduce = nn.Linear(widths[-1], n_deep)
        self.classifier = nn.Linear(n_deep, n_endpoints)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight)
        for layer in (self.reduce, self.classifier):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, picture: Tensor | None, table: Tensor | None) -> Output:
        """Answers of volumes (n, c, d, h, w), each edge at least `LEAST_VOXELS`; there is no table.

        Raises:
            ValueError: There is no volume.
        """
        if picture is None:
            raise ValueError("a volume is needed")
        maps = self.features(picture)
        deep = self.reduce(self.dropout(self.norm(maps.mean(dim=(2, 3, 4)))))
        return Output(self.classifier(deep), maps)

    @torch.no_grad()
    def head(self) -> Head:
        """All that comes after the mean as one layer."""
        outer, inner, norm = self.classifier, self.reduce, self.norm
        if norm.running_mean is None or norm.running_var is None:
            raise TypeError("the batch norm keeps its means")
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        whole = outer.weight @ inner.weight
        bias = outer.weight @ inner.bias + outer.bias + whole @ (norm.bias - scale * norm.running_mean)
        return Head((whole * scale).numpy(), whole.numpy()[:, :0], bias.numpy())
