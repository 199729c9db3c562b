"""A transformer over a row of features: every feature is a token, and a further token asks them all.

A token is a learned vector times the feature's value, plus a learned vector; the blocks normalize before they compute
(pre-norm). The answer is read off the mean of the tokens, and what a block adds is nothing at first: a training begins
as that of a sum over the features, and few cases seldom tell more.

Steps keep four lengths (cases, heads, tokens, width), so that the whole network is products, sums, ReLU, softmax and
layer norms: what it is exported as needs no operator that changes a shape by another tensor.

Source: Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data", arXiv 2106.11959 (FT-Transformer);
Vaswani et al. 2017, arXiv 1706.03762 (attention); the sizes of paper 000 stand in its recipe.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from PDL1PredictorLib.networks.tabular import Span, TableModule


class FeatureTokens(nn.Module):
    """(n, t) standardized features to (n, 1, t + 1, width): the first token belongs to no feature.

    Args:
        n_features: t.
        width: Of a token.
    """

    place: Tensor

    def __init__(self, n_features: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(1, n_features + 1, 1, width))
        self.bias = nn.Parameter(torch.empty(1, n_features + 1, 1, width))
        bound = 1 / math.sqrt(width)
        for parameter in (self.weight, self.bias):
            nn.init.uniform_(parameter, -bound, bound)
        place = torch.eye(n_features + 1)[:, 1:]  # a row a token: which feature it is given
        self.register_buffer("place", place.reshape(1, n_features + 1, n_features, 1).clone())

    def forward(self, table: Tensor) -> Tensor:
        """See the class."""
        tokens = torch.matmul(table, self.place) * self.weight + self.bias  # (1, t + 1, n, width)
        return tokens.permute(2, 0, 1, 3)


class Attention(nn.Module):
    """Every token asks all tokens, by several heads whose findings are averaged.

    Args:
        width: Of a token.
        heads: How many; they share the width.
        dropout: Of the shares, while training.
    """

    scale: Tensor

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        own = width // heads
        bound = math.sqrt(6 / (width + width))
        self.query, self.key, self.value = (_uniform((heads, width, own), bound) for _ in range(3))
        self.query_bias, self.key_bias, self.value_bias = (nn.Parameter(torch.zeros(heads, 1, own)) for _ in range(3))
        self.out = nn.Parameter(torch.zeros(heads, own, width))
        self.out_bias = nn.Parameter(torch.zeros(width))
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("scale", torch.tensor([1 / math.sqrt(own)]))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 1, s, width) to the same, and the shares (n, heads, s, s): whom each token asked how much."""
        query, key, value = (
            torch.matmul(x, weight) + bias
            for weight, bias in (
                (self.query, self.query_bias),
                (self.key, self.key_bias),
                (self.value, self.value_bias),
            )
        )
        shares = torch.softmax(torch.matmul(query * self.scale, key.transpose(2, 3)), dim=3)
        found = torch.matmul(torch.matmul(self.dropout(shares), value), self.out).mean(dim=1, keepdim=True)
        return found + self.out_bias, shares


class Block(nn.Module):
    """One layer of the encoder.

    Args:
        width: Of a token.
        heads: Of the attention.
        feedforward: Width between the two products that every token goes through by itself.
        dropout: While training.
    """

    def __init__(self, width: int, heads: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.widen = _uniform((width, feedforward), math.sqrt(6 / (width + feedforward)))
        self.widen_bias = nn.Parameter(torch.zeros(feedforward))
        self.narrow = nn.Parameter(torch.zeros(feedforward, width))
        self.narrow_bias = nn.Parameter(torch.zeros(width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 1, s, width) to the same, and the attention's shares."""
        found, shares = self.attention(self.before(x))
        x = x + self.dropout(found)
        wide = functional.relu(torch.matmul(self.between(x), self.widen) + self.widen_bias)
        return x + self.dropout(torch.matmul(self.dropout(wide), self.narrow) + self.narrow_bias), shares


class FeatureTransformer(TableModule):
    """See the page.

    Args:
        n_features: Columns of the table.
        spans: Of the answers, one each.
        width: Of a token, a multiple of `heads`.
        heads: Of the attention.
        layers: Of the encoder.
        feedforward: Inner width of a layer.
        dropout: While training.

    Raises:
        ValueError: The width is no multiple of the heads.
    """

    kind = "transformer"
    first: Tensor
    others: Tensor

    def __init__(
        self,
        n_features: int,
        spans: Span,
        width: int = 64,
        heads: int = 4,
        layers: int = 6,
        feedforward: int = 1024,
        dropout: float = 0.4,
    ) -> None:
        super().__init__()
        if width % heads:
            raise ValueError(f"A width of {width} cannot be shared by {heads} heads.")
        self.tokens = FeatureTokens(n_features, width)
        self.blocks = nn.ModuleList(Block(width, heads, feedforward, dropout) for _ in range(layers))
        self.classifier = nn.Linear(width, len(spans))
        self.spans = spans
        which = torch.eye(n_features + 1)
        self.register_buffer("first", which[:1].clone())
        self.register_buffer("others", which[:, 1:].clone())

    def read(self, table: Tensor) -> tuple[Tensor, Tensor | None]:
        """See `TableModule`.

        The attention is that of the first layer: how much the answer's token asked each feature, mean over the heads.
        """
        x, asked = self.tokens(table), None
        for block in self.blocks:
            x, shares = block(x)
            asked = shares if asked is None else asked
        own = x.mean(dim=(1, 2))
        return own, None if asked is None else _of_first(asked, self.first, self.others)


def _of_first(shares: Tensor, first: Tensor, others: Tensor) -> Tensor:
    """(n, heads, s, s) to the first token's shares of the features, (n, t), mean over the heads."""
    return torch.matmul(torch.matmul(first, shares.mean(dim=1)), others).mean(dim=1)


def _uniform(shape: tuple[int, ...], bound: float) -> nn.Parameter:
    return nn.Parameter(nn.init.uniform_(torch.empty(shape), -bound, bound))
