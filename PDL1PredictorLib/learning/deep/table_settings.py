"""How a network over a row of features is trained: the settings alone, without what is done with them."""

import math
from dataclasses import dataclass

from PDL1PredictorLib.core.errors import InputError

RECURRENT = ("rnn", "lstm", "gru")
"""Those that can read the slabs of a tumor, too."""
ARCHITECTURES = ("transformer", "ann", "cnn", *RECURRENT)
LOSSES = ("squares", "shares")


@dataclass(frozen=True)
class TableTraining:
    """How it is built and trained.

    Attributes:
        network: One of `ARCHITECTURES`.
        epochs: Passes over the training cases, at most.
        patience: The training ends when so many epochs in a row have not lowered the loss of the watched cases, and
            takes the weights of the best epoch. None trains all epochs and keeps the last weights.
        learning_rate: Of AdamW.
        weight_decay: Of AdamW.
        batch: Cases a step.
        clip_norm: Longest gradient.
        dropout: While training.
        noise: SD of Gaussian noise on the standardized features while training: of inputs that say nearly the same,
            none can be trusted much more than the others, as in ridge regression.
        width: Of a transformer's token.
        heads: Of its attention.
        layers: Of its encoder.
        feedforward: Inner width of such a layer.
        bounded: Whether answers of an endpoint with two bounds come from a logistic curve between them.
        loss: `squares`, or `shares`: of an endpoint with two bounds the cross-entropy of the share of the way between
            them (a fractional logit), of others the squares.
        line: Whether a penalized line on the same features, fitted beforehand, stands beside the network, which then
            learns what the line leaves.

    Raises:
        InputError: A value is impossible.
    """

    network: str = "transformer"
    epochs: int = 1000
    patience: int | None = 50
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    batch: int = 32
    clip_norm: float = 5.0
    dropout: float = 0.4
    noise: float = 0.0
    width: int = 64
    heads: int = 4
    layers: int = 6
    feedforward: int = 1024
    bounded: bool = True
    loss: str = "squares"
    line: bool = False

    def __post_init__(self) -> None:
        if self.network not in ARCHITECTURES:
            raise InputError(f"The network must be one of {', '.join(ARCHITECTURES)}, got {self.network!r}.")
        if self.loss not in LOSSES:
            raise InputError(f"The loss must be one of {', '.join(LOSSES)}, got {self.loss!r}.")
        if self.loss == "shares" and not self.bounded:
            raise InputError("The loss of shares needs answers within bounds.")
        counts = (self.epochs, self.batch, self.width, self.heads, self.layers, self.feedforward)
        if min(counts) < 1 or (self.patience is not None and self.patience < 1):
            raise InputError(f"Epochs, patience, batch and sizes of a network must be at least 1, got {self}.")
        if self.width % self.heads:
            raise InputError(f"A token's width must be a multiple of the heads, got {self.width} and {self.heads}.")
        rates = (self.learning_rate, self.clip_norm)
        if not all(math.isfinite(rate) and rate > 0 for rate in rates) or not self.weight_decay >= 0:
            raise InputError(f"Learning rate and longest gradient must be above 0, weight decay not below; got {self}.")
        if not (0 <= self.dropout < 1 and 0 <= self.noise <= 10):
            raise InputError(f"dropout must lie from 0 to below 1, noise from 0 to 10; got {self}.")


def best_epoch(history: tuple[dict[str, float], ...]) -> int:
    """The epoch, from 1 on, after which the watched loss was lowest."""
    losses = [epoch["validation"] for epoch in history]
    return 1 + losses.index(min(losses))
