"""Training of a network over rows of features, with missing values left out of the loss."""

import math
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from time import perf_counter

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.deep.table_settings import RECURRENT, TableTraining
from PDL1PredictorLib.learning.numbers.fractional import fractional_line, ridge_line
from PDL1PredictorLib.networks.tabular import (
    Bounds,
    Perceptron,
    Recurrent,
    RowConvolution,
    Span,
    TableModule,
    drawn_in,
)
from PDL1PredictorLib.networks.transformer import FeatureTransformer

AT_ONCE = 256  # rows of one forward pass


@dataclass(frozen=True, eq=False)
class TrainedTable:
    """The network and how its loss went.

    Attributes:
        network: In evaluation mode, on the CPU.
        history: Per epoch: `train`, mean squared error on the standardized scale over the epoch's steps, whatever loss
            they follow; where cases were watched also `validation`, the same of them, and `validation_mae`, their mean
            absolute error.
    """

    network: TableModule
    history: tuple[dict[str, float], ...]

    def answers(self, table: np.ndarray) -> np.ndarray:
        """Of standardized features, (n, t), or of slabs (n, s, g): (n, e), on the standardized scale."""
        return run_table(self.network, table)[0]


class Cases:
    """Rows of features and what is to be learned of them, as tensors.

    Args:
        table: Standardized features, (n, t), or of slabs (n, s, g), where NaN stands for a slab that is not there.
        values: On the standardized scale, (n, e); NaN where not known.

    Raises:
        InputError: There is no case.
    """

    def __init__(self, table: np.ndarray, values: np.ndarray) -> None:
        self.table, self.values = (torch.from_numpy(np.asarray(part, np.float32)) for part in (table, values))

    def __len__(self) -> int:
        return len(self.table)


def build_table_network(
    n_features: int, bounds: Sequence[Bounds], settings: TableTraining, slabs: bool = False
) -> TableModule:
    """A network with start weights from torch's generator, whose first answers are about 0, the mean.

    Args:
        n_features: That it is given, of slabs of each.
        bounds: Of its answers.
        settings: How.
        slabs: Whether it is given slabs, and no row.

    Raises:
        InputError: Such a network reads no slabs.
    """
    spans, dropout = Span(bounds), settings.dropout
    network: TableModule
    if slabs and (settings.network not in RECURRENT or settings.line):
        raise InputError(f"Slabs are read by {', '.join(RECURRENT)} without a line beside; got {settings}.")
    if settings.network == "transformer":
        sizes = (settings.width, settings.heads, settings.layers, settings.feedforward)
        network = FeatureTransformer(n_features, spans, *sizes, dropout)
    elif settings.network == "ann":
        network = Perceptron(n_features, spans, dropout=dropout)
    elif settings.network == "cnn":
        network = RowConvolution(n_features, spans, dropout=dropout)
    else:
        network = Recurrent(n_features, spans, settings.network, dropout=dropout, slabs=slabs)
    with torch.no_grad():
        network.classifier.bias.copy_(spans.raw_of_zero())
    return network


def train_table(
    fit: Cases,
    watched: Cases,
    bounds: Sequence[Bounds],
    settings: TableTraining,
    seed: int,
    progress: Progress = SILENT,
) -> TrainedTable:
    """Train on `fit`; the loss of `watched` stops the training where the settings have patience.

    The same arguments give the same weights on the same machine; torch's global random state is left as it was.

    Args:
        fit: Training cases.
        watched: Held-out cases; may be none without patience.
        bounds: Of each of e endpoints, on the standardized scale; used where the settings say so.
        settings: How.
        seed: Of start weights, order and dropout.
        progress: Told after every epoch.

    Raises:
        InputError: Too few cases, or slabs for a network that does not read them.
        CancelledError: Through `progress`.
    """
    if len(fit) < 2 or (settings.patience is not None and not len(watched)):
        raise InputError(
            "A network needs at least 2 cases to train on, and 1 to watch where patience may end the training; got "
            f"{len(fit)} and {len(watched)}."
        )
    own = list(bounds) if settings.bounded else [Bounds()] * len(bounds)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build_table_network(fit.table.shape[-1], own, settings, slabs=fit.table.ndim == 3)
        if settings.line:
            network.put_beside(*_line_of(network, fit))
        return _trained(network, fit, watched, settings, progress)


def _trained(
    network: TableModule, fit: Cases, watched: Cases, settings: TableTraining, progress: Progress
) -> TrainedTable:
    learned = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=settings.learning_rate, weight_decay=settings.weight_decay, foreach=True)
    history: list[dict[str, float]] = []
    best, lowest, weights = 0, math.inf, None
    begun = perf_counter()
    for epoch in range(1, settings.epochs + 1):
        losses = {"train": _epoch(network, optimizer, fit, settings)}
        if len(watched):
            losses |= _watched(network, watched)
        history.append(losses)
        told = ", ".join(f"{part} {value:.3f}" for part, value in losses.items())
        if epoch == 1:  # before the others begin
            told += f"; {settings.epochs} epochs would take {(perf_counter() - begun) * settings.epochs / 60:.1f} min"
        progress.step("network", epoch / settings.epochs, f"epoch {epoch}: {told}")
        if settings.patience is None:
            continue
        if losses["validation"] < lowest:
            best, lowest, weights = epoch, losses["validation"], deepcopy(network.state_dict())
        if epoch - best >= settings.patience:
            break
    if weights is not None:
        network.load_state_dict(weights)
    network.zero_grad()  # nobody needs the last gradients
    return TrainedTable(network.eval(), tuple(history))


def _epoch(network: TableModule, optimizer: torch.optim.Optimizer, fit: Cases, settings: TableTraining) -> float:
    """One pass in random order; the mean squared error of its steps, whatever loss they follow."""
    network.train()
    losses = []
    for rows in _batches(len(fit), settings.batch):
        optimizer.zero_grad()
        seen = fit.table[rows]
        if settings.noise:
            seen = seen + settings.noise * torch.randn_like(seen)
        raw, values = network.raw(seen)[0], fit.values[rows]
        squares = masked_squares(network.spans(raw), values)
        loss = squares if settings.loss == "squares" else masked_entropy(raw, values, network.spans)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), settings.clip_norm)
        optimizer.step()
        losses.append(float(squares.detach()))
    return float(np.mean(losses))


def _batches(n: int, batch: int) -> Iterator[Tensor]:
    order = torch.randperm(n)
    for first in range(0, n, batch):
        yield order[first : first + batch]


def masked_squares(answers: Tensor, values: Tensor) -> Tensor:
    """Mean squared error over the values that are known (not NaN); both (n, e)."""
    known = ~torch.isnan(values)
    squares = (answers - torch.nan_to_num(values)) ** 2 * known
    return squares.sum() / known.sum().clamp(min=1)


def masked_entropy(raw: Tensor, values: Tensor, spans: Span) -> Tensor:
    """Cross-entropy of shares between bounds, over the values that are known; squares of endpoints without two bounds.

    The share needs not be 0 or 1: what lies at a bound, as many values of a percentage do, pulls as a label would.

    Args:
        raw: Answers before `spans`, (n, e).
        values: On the scale of the answers, (n, e); NaN where not known.
        spans: Of the answers.

    Source: Papke and Wooldridge 1996, doi 10.1002/(SICI)1099-1255(199611)11:6<619::AID-JAE418>3.0.CO;2-1.
    """
    known, filled = ~torch.isnan(values), torch.nan_to_num(values)
    entropy = binary_cross_entropy_with_logits(raw, spans.shares_of(filled), reduction="none")
    each = torch.where(spans.height > 0, entropy, (spans(raw) - filled) ** 2) * known
    return each.sum() / known.sum().clamp(min=1)


def _line_of(network: TableModule, fit: Cases) -> tuple[Tensor, Tensor]:
    """Weights (e, t) and bias (e,) of a penalized line on the features as the network sees them, an endpoint each."""
    seen, values = drawn_in(fit.table).double().numpy(), fit.values.double().numpy()
    shares = network.spans.shares_of(torch.nan_to_num(fit.values)).double().numpy()
    both = (network.spans.height > 0).numpy()
    lines = []
    for place, own in enumerate(np.isfinite(values).T):
        if not own.any():
            lines.append(np.zeros(seen.shape[1] + 1))
        elif both[place]:
            lines.append(fractional_line(seen[own], shares[own, place]))
        else:
            lines.append(ridge_line(seen[own], values[own, place]))
    found = torch.from_numpy(np.array(lines, np.float32))
    return found[:, 1:], found[:, 0]


def _watched(network: TableModule, watched: Cases) -> dict[str, float]:
    found = run_table(network, watched.table.numpy())[0] - watched.values.double().numpy()
    errors = found[np.isfinite(found)]
    if not errors.size:
        return {"validation": math.inf, "validation_mae": math.inf}
    return {"validation": float((errors**2).mean()), "validation_mae": float(np.abs(errors).mean())}


@torch.no_grad()
def run_table(network: TableModule, table: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Answers (n, e) of standardized features, see `Cases`, and the attention (n, t) where there is one; 64-bit."""
    network.eval()
    rows = torch.from_numpy(np.asarray(table, np.float32))
    outputs = [network(None, part) for part in torch.split(rows, AT_ONCE)] if len(rows) else [network(None, rows)]
    answers = torch.cat([output.answers for output in outputs]).double().numpy()
    asked = [output.attention for output in outputs if output.attention is not None]
    return answers, torch.cat(asked).double().numpy() if asked else None
