"""Networks over a row of features: a perceptron, a convolution along the row, and three kinds of recurrent network.

A row of features has no order and no neighbors. The convolution and the recurrent networks read one into it, as paper
000 does; they are here to be compared with. The slabs of a tumor have an order, and recurrent networks can read these.

Source: paper 000, section 3.4 names the architectures; their sizes are ours.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from PDL1PredictorLib.networks.output import AnsweringModule, Output

FARTHEST = 4.0  # SD: what lies beyond is drawn in, see `drawn_in`


class Bounds(NamedTuple):
    """Where the answers of one endpoint lie, on the scale on which they are learned; None without a bound."""

    low: float | None = None
    high: float | None = None


class Span(nn.Module):
    """Answers (n, e) kept within their bounds: where an endpoint has both, by a logistic curve between them.

    Args:
        bounds: Of each of e endpoints.
    """

    slope: Tensor
    height: Tensor
    start: Tensor

    def __init__(self, bounds: Sequence[Bounds]) -> None:
        super().__init__()
        both = [b.low is not None and b.high is not None for b in bounds]
        ends = [(b.low or 0.0, b.high or 0.0) if own else (0.0, 0.0) for b, own in zip(bounds, both, strict=True)]
        self.register_buffer("slope", torch.tensor([0.0 if own else 1.0 for own in both]))
        self.register_buffer("height", torch.tensor([high - low for low, high in ends]))
        self.register_buffer("start", torch.tensor([low for low, _ in ends]))

    def __len__(self) -> int:
        return len(self.slope)

    def of(self, places: Sequence[int]) -> "Span":
        """Of some of the answers, in this order."""
        kept, rows = Span([Bounds()] * len(places)), torch.tensor(list(places))
        kept.slope, kept.height, kept.start = self.slope[rows], self.height[rows], self.start[rows]
        return kept

    def raw_of_zero(self) -> Tensor:
        """What becomes an answer of 0, (e,); 0 where no answer does."""
        inside = (self.start < 0) & (self.start + self.height > 0)
        share = torch.where(inside, -self.start / self.height.clamp(min=1e-6), 0.5)
        return torch.logit(share)

    def shares_of(self, answers: Tensor) -> Tensor:
        """Answers within their bounds to shares of the way from the lower to the upper, (n, e); 0 without bounds."""
        both = self.height > 0
        return torch.where(both, (answers - self.start) / torch.where(both, self.height, 1.0), 0.0).clamp(0, 1)

    def forward(self, raw: Tensor) -> Tensor:
        """See the class."""
        return raw * self.slope + torch.sigmoid(raw) * self.height + self.start


class TableModule(AnsweringModule):
    """A network over rows of features.

    Attributes:
        spans: Of its answers.
        line: A weighted sum of the features that is added before the answers are brought within their bounds; None
            without one.
    """

    spans: Span

    def __init__(self) -> None:
        super().__init__()
        self.line: nn.Linear | None = None

    def forward(self, picture: Tensor | None, table: Tensor | None) -> Output:
        """Run on standardized features (n, t), or of a `Recurrent` of slabs (n, s, g); there is no picture.

        Raises:
            ValueError: There is one, or no table.
        """
        if picture is not None or table is None:
            raise ValueError("This network is given a table and no picture.")
        raw, attention = self.raw(table)
        return Output(self.spans(raw), attention=attention)

    def raw(self, table: Tensor) -> tuple[Tensor, Tensor | None]:
        """Standardized features (n, t) to answers before `spans`, (n, e), and the attention where there is one."""
        seen = drawn_in(table)
        own, attention = self.read(seen)
        found = self.classifier(own)
        return found if self.line is None else found + self.line(seen), attention

    def put_beside(self, weights: Tensor, bias: Tensor) -> None:
        """Add a line that no training changes; the network begins at nothing, so that the line is its first answer.

        Args:
            weights: Of the features, as `drawn_in` gives them, (e, t).
            bias: (e,).
        """
        self.put_line(weights, bias)
        with torch.no_grad():
            for parameter in self.classifier.parameters():
                parameter.zero_()

    def put_line(self, weights: Tensor, bias: Tensor) -> None:
        """The line alone, see `put_beside`; the rest of the network stays as it is."""
        line = nn.Linear(weights.shape[1], len(weights)).requires_grad_(False)
        line.weight.copy_(weights)
        line.bias.copy_(bias)
        self.line = line

    def read(self, table: Tensor) -> tuple[Tensor, Tensor | None]:
        """Features (n, t) to what the last layer is given, (n, d), and the attention (n, t) where there is one."""
        raise NotImplementedError

    def with_outputs(self, outputs: Sequence[int]) -> Self:
        """See `AnsweringModule`; each answer keeps its bounds."""
        kept = super().with_outputs(outputs)
        kept.spans = self.spans.of(outputs)
        if self.line is not None:
            rows = torch.tensor(list(outputs))
            kept.put_line(self.line.weight[rows], self.line.bias[rows])
        return kept.eval()


def drawn_in(table: Tensor) -> Tensor:
    """Standardized features of which no one goes beyond `FARTHEST`; those about 0 stay as they are.

    Some radiomic features have long tails, and one value of 15 SD would decide an answer alone.
    """
    return FARTHEST * torch.tanh(table / FARTHEST)


class Perceptron(TableModule):
    """Fully connected layers.

    Args:
        n_features: Columns of the table.
        spans: Of the answers.
        widths: Of the hidden layers.
        dropout: While training.
    """

    def __init__(self, n_features: int, spans: Span, widths: Sequence[int] = (64, 32), dropout: float = 0.4) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = n_features
        for width in widths:
            layers += [nn.Linear(before, width), nn.ReLU(), nn.Dropout(dropout)]
            before = width
        self.layers = nn.Sequential(*layers)
        self.classifier = nn.Linear(before, len(spans))
        self.spans = spans

    def read(self, table: Tensor) -> tuple[Tensor, Tensor | None]:
        """See `TableModule`."""
        return self.layers(table), None


class RowConvolution(TableModule):
    """Two convolutions along the row, and a layer on all that they give.

    Args:
        n_features: Columns of the table.
        spans: Of the answers.
        channels: Of the two convolutions.
        dropout: While training.
    """

    def __init__(
        self, n_features: int, spans: Span, channels: tuple[int, int] = (16, 32), dropout: float = 0.4
    ) -> None:
        super().__init__()
        first, second = channels
        self.first, self.second = nn.Conv1d(1, first, 3, padding=1), nn.Conv1d(first, second, 3, padding=1)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(second * n_features, len(spans))
        self.spans = spans

    def read(self, table: Tensor) -> tuple[Tensor, Tensor | None]:
        """See `TableModule`."""
        x = functional.relu(self.second(functional.relu(self.first(table[:, None]))))
        return self.dropout(x.flatten(1)), None


class Recurrent(TableModule):
    """A recurrent network that reads a row from left to right, or slabs one after the other; its last state answers.

    Args:
        n_features: Columns of the table, (n, t), of which any number can be read; of slabs those of each, (n, s, g).
        spans: Of the answers.
        cell: `rnn`, `lstm` or `gru`.
        width: Of the state.
        dropout: Of the last state, while training.
        slabs: Whether it reads slabs, of which any number can be read.
    """

    def __init__(
        self,
        n_features: int,
        spans: Span,
        cell: str = "rnn",
        width: int = 32,
        dropout: float = 0.4,
        slabs: bool = False,
    ) -> None:
        super().__init__()
        build: Callable[..., nn.RNNBase] = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.cell = build(n_features if slabs else 1, width, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, len(spans))
        self.spans = spans

    def read(self, table: Tensor) -> tuple[Tensor, Tensor | None]:
        """See `TableModule`; slabs that are NaN are skipped, and of none at all the state stays at its start, 0."""
        if table.ndim == 2:
            states, _ = self.cell(table[:, :, None])
            return self.dropout(states[:, -1]), None
        steps, lengths = _present_first(table)
        states, _ = self.cell(steps)
        last = states[torch.arange(len(states)), (lengths - 1).clamp(min=0)]
        return self.dropout(last * (lengths > 0)[:, None]), None


def _present_first(slabs: Tensor) -> tuple[Tensor, Tensor]:
    """Slabs (n, s, g) with those that are NaN moved to the end as zeros, and how many are not NaN, (n,)."""
    lacking = slabs.isnan().any(dim=2)
    order = lacking.to(torch.uint8).argsort(dim=1, stable=True)
    found = torch.where(lacking[:, :, None], 0.0, slabs)
    return found.gather(1, order[:, :, None].expand_as(found)), (~lacking).sum(dim=1)
