"""What trainings of networks that answer yes or no share: layout in memory, first answers, a step, words for time."""

from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from PDL1PredictorLib.learning.deep.capture import CLIP_NORM

Network = TypeVar("Network", bound=nn.Module)


def laid_out(network: Network, layout: torch.memory_format) -> Network:
    """The network, its weights lying in memory as asked for: with channels last, convolutions on a CPU are faster.

    A network whose weights are written to a file has them contiguous, since a file holds memory as it lies.
    """
    network.to(memory_format=layout)  # type: ignore[call-overload]
    return network


def begin_at_shares(classifier: nn.Linear, labels: np.ndarray) -> None:
    """Let the first answers be about the log-odds of the training cases.

    Args:
        classifier: The last layer, changed in place.
        labels: (n, e), 0 or 1, NaN where missing.
    """
    known = np.isfinite(labels)
    positive = (np.nan_to_num(labels) * known).sum(axis=0)
    share = (positive + 1) / (known.sum(axis=0) + 2)
    with torch.no_grad():
        classifier.bias.copy_(torch.from_numpy(np.log(share / (1 - share)).astype(np.float32)))


def descend(network: nn.Module, optimizer: torch.optim.Optimizer, loss: Tensor) -> float:
    """One step down the gradient of a loss, whose norm is bounded; the loss."""
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
    optimizer.step()
    return float(loss.detach())


def time_words(seconds: float) -> str:
    """Hours where there is one, else minutes."""
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours >= 1 else f"{max(1, round(60 * hours))} min"
