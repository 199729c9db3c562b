"""A backbone and a table joined in one layer: what is seen and what was measured, weighed together.

Source: paper 004 (deep learning with radiomics and clinical values): the pooled features of DenseNet121, selected
radiomic features and clinical values enter one fully connected layer, trained end to end.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional

from PDL1PredictorLib.networks.backbones import backbone as backbone_of
from PDL1PredictorLib.networks.output import AnsweringModule, Head, Output


class Joint(AnsweringModule):
    """The mean of the last feature maps, batch-normalized, beside the columns of a standardized table, in one layer.

    A thousand pooled numbers of any size would drown sixty columns: the batch norm brings them to the columns' scale.

    Args:
        n_columns: Of the table; 0: the picture alone.
        n_endpoints: Number of answers.
        dropout: On all that enters the layer, while training.
        backbone: One of `networks.names.BACKBONES`.

    Raises:
        ValueError: There is no such backbone.
    """

    kind = "joint"

    def __init__(self, n_columns: int, n_endpoints: int, dropout: float = 0.0, backbone: str = "densenet121") -> None:
        super().__init__()
        chosen = backbone_of(backbone)
        self.backbone, self.n_columns = backbone, n_columns
        self.features = chosen.build()
        self.pooled = nn.BatchNorm1d(chosen.channels)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(chosen.channels + n_columns, n_endpoints)
        nn.init.zeros_(self.classifier.weight)
        nn.init.zeros_(self.classifier.bias)

    def forward(self, picture: Tensor | None, table: Tensor | None) -> Output:
        """Answers of slices (n, 3, h, w) with their columns (n, t).

        Raises:
            ValueError: There is no slice, or the columns are not as many as the network has.
        """
        if picture is None or (0 if table is None else table.shape[1]) != self.n_columns:
            raise ValueError(f"slices and {self.n_columns} columns are needed")
        maps = functional.relu(self.features(picture))
        seen = self.pooled(maps.mean(dim=(2, 3)))
        joined = seen if table is None else torch.cat([seen, table], dim=1)
        return Output(self.classifier(self.dropout(joined)), maps)

    @torch.no_grad()
    def head(self) -> Head:
        """Batch norm and layer as one."""
        norm, layer = self.pooled, self.classifier
        parts = (norm.weight, norm.bias, norm.running_mean, norm.running_var)
        weight, bias, mean, variance = (value.double() for value in parts if value is not None)
        scale = weight / torch.sqrt(variance + norm.eps)
        seen, table = layer.weight.double()[:, : len(scale)], layer.weight.double()[:, len(scale) :]
        added = layer.bias.double() + seen @ (bias - mean * scale)
        return Head((seen * scale).numpy(), table.numpy(), added.numpy())
