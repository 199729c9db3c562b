"""What every network gives that answers by itself, and what it can be asked for besides."""

from collections.abc import Sequence
from copy import deepcopy
from typing import NamedTuple, Self

import numpy as np
import torch
from torch import Tensor, nn


class Output(NamedTuple):
    """What one forward pass gives of n cases.

    Attributes:
        answers: One of each endpoint, (n, e): the log-odds of a yes/no question, a number that was standardized, or a
            risk score.
        maps: Last feature maps, (n, c, h, w) or (n, c, d, h, w); None exactly where no picture is seen.
        deep: Deep features, (n, n_deep).
        attention: What was attended to, (n, ...).
    """

    answers: Tensor
    maps: Tensor | None = None
    deep: Tensor | None = None
    attention: Tensor | None = None

    def named(self) -> dict[str, Tensor]:
        """What there is, by the names and in the order of a bundle's graph; the answers last."""
        found = {"maps": self.maps, "deep": self.deep, "attention": self.attention, "answers": self.answers}
        return {name: value for name, value in found.items() if value is not None}


class Head(NamedTuple):
    """How answers follow from the means of the feature maps and from the table, where they do so linearly.

    Attributes:
        maps: What each map's mean counts for each answer, (e, c).
        table: What each column counts, (e, t).
        bias: What is added, (e,).
    """

    maps: np.ndarray
    table: np.ndarray
    bias: np.ndarray


class AnsweringModule(nn.Module):
    """A network that answers by itself; its last layer is called `classifier`, one output an endpoint.

    `forward(picture, table)` takes pictures (n, c, ...) or None, and standardized columns (n, t) or None, and gives an
    `Output`.
    """

    kind = ""  # one of networks.names.NETWORKS
    pool = "picture"  # one of networks.names.POOLS
    classifier: nn.Linear

    def head(self) -> Head | None:
        """How its answers follow from its feature maps; None where they do not linearly: then there is no heat map."""
        return None

    def with_outputs(self, outputs: Sequence[int]) -> Self:
        """A copy, in evaluation mode, that has only some of its answers, in this order."""
        kept = deepcopy(self)
        rows = torch.tensor(list(outputs))
        kept.classifier = nn.Linear(self.classifier.in_features, len(outputs))
        with torch.no_grad():
            kept.classifier.weight.copy_(self.classifier.weight[rows])
            kept.classifier.bias.copy_(self.classifier.bias[rows])
        return kept.eval()
