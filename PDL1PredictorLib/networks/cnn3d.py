"""A small network in three dimensions: four blocks, the mean over the volume, ten deep features, an answer each.

Source: paper 002 says 3 x 3 convolution, batch norm, dropout, pooling, fully connected layers, and neither depth nor
widths; these are ours, 73 thousand weights for some hundreds of cases.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from PDL1PredictorLib.networks.names import CNN3D_WIDTHS
from PDL1PredictorLib.networks.output import AnsweringModule, Head, Output
from PDL1PredictorLib.networks.pooling import WithinRegions

LEAST_VOXELS = 2 ** (len(CNN3D_WIDTHS) - 1)


class Cnn3d(AnsweringModule):
    """Each block is a convolution, batch norm and ReLU; between two blocks the largest of 2 x 2 x 2 voxels is kept.

    Maps become numbers in one of two ways. `picture`: the mean of each of the last maps over the volume. `contour`:
    mean and standard deviation of the maps of some blocks, within the contour and within a ring about it, each alone
    (`networks.pooling.WithinRegions`). The numbers are batch-normalized. The last maps are not pooled, so that a heat
    map has an eighth of the volume's voxels along each axis.

    Args:
        n_channels: Of the volume that is convolved.
        n_endpoints: Number of answers.
        n_deep: Width of the penultimate layer.
        dropout: On the pooled features, while training.
        widths: Channels of the blocks.
        pool: One of `networks.names.POOLS`. For `contour` the volume has a last channel more, the contour.
        ring: Voxels of the ring about the contour; 0 takes none. Of `contour` alone.
        pooled: Which blocks are pooled within the contour, from 0, the last one among them; None takes all.
    """

    kind = "cnn3d"

    def __init__(
        self,
        n_channels: int,
        n_endpoints: int,
        n_deep: int = 10,
        dropout: float = 0.5,
        widths: Sequence[int] = CNN3D_WIDTHS,
        pool: str = "picture",
        ring: int = 0,
        pooled: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        for number, (before, width) in enumerate(zip((n_channels, *widths[:-1]), widths, strict=True)):
            if number:
                blocks.append(nn.MaxPool3d(2))
            blocks += [nn.Conv3d(before, width, 3, padding=1, bias=False), nn.BatchNorm3d(width), nn.ReLU()]
        self.features = nn.Sequential(*blocks)
        self.pool = pool
        self.within = WithinRegions(ring)
        self.pooled = tuple(range(len(widths)) if pooled is None else pooled)
        of_blocks = self.within.per_map * sum(widths[block] for block in self.pooled)
        numbers = widths[-1] if pool == "picture" else of_blocks
        self.norm = nn.BatchNorm1d(numbers)  # a tumor fills a few percent: the means hardly differ without
        self.dropout = nn.Dropout(dropout)
        self.reduce = nn.Linear(numbers, n_deep)
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
        if self.training and self.pool == "contour":  # nobody looks at its maps, which take most of the time
            blocks = self._blocks(picture)
            with torch.autocast(picture.device.type, enabled=False):  # a deviation of 16 bits would be noise
                return Output(self._answers(self.within(*blocks)))
        maps = self.maps(picture)
        return Output(self._answers(maps.mean(dim=(2, 3, 4))), maps)

    def maps(self, picture: Tensor) -> Tensor:
        """The maps from whose means over all places the answers follow.

        They are the last ones, or what each place adds to a mean or a deviation within the contour.
        """
        found: Tensor = self.features(picture) if self.pool == "picture" else self.within.maps(*self._blocks(picture))
        return found

    def _answers(self, numbers: Tensor) -> Tensor:
        answers: Tensor = self.classifier(self.reduce(self.dropout(self.norm(numbers))))
        return answers

    def _blocks(self, picture: Tensor) -> tuple[list[Tensor], tuple[int, ...], Tensor]:
        """Maps of the blocks that are pooled within the contour, how often each was halved, and the contour."""
        blocks, x = [], picture[:, :-1]
        for layer in self.features:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                blocks.append(x)
        kept = [blocks[block] for block in self.pooled]
        kept = [maps if maps.dtype == torch.float32 else maps.float() for maps in kept]
        return kept, self.pooled, picture[:, -1:]

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
