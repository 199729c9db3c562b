"""The two new fully connected layers of Deep-CT, trained alone on the pooled features of a frozen backbone.

A small cohort cannot move seven million weights to any good; it can train these in a second, so also inside the folds
of a cross-validation.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.learning.deep.inference import masked_loss, positive_weights
from PDL1PredictorLib.networks.deep_ct import DeepCT

RARE = 0.05  # a channel that hardly varies counts as varying by this share of the median channel


@dataclass(frozen=True)
class HeadTraining:
    """How the two layers are trained: all cases in every step.

    Attributes:
        epochs: Steps at most.
        learning_rate: Of AdamW, constant.
        weight_decay: Of AdamW.
        dropout: On the standardized pooled features.
        patience: With validation cases: stop when so many epochs in a row have not lowered their loss, and keep the
            best epoch's weights. None trains all epochs.
        class_weights: Weigh positive cases of an endpoint by its negative over positive cases.

    Raises:
        InputError: A value is impossible.
    """

    epochs: int = 150
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    dropout: float = 0.5
    patience: int | None = None
    class_weights: bool = False

    def __post_init__(self) -> None:
        if self.epochs < 1 or not self.learning_rate > 0 or not 0 <= self.dropout < 1 or not self.weight_decay >= 0:
            raise InputError(f"These settings of the two layers are impossible: {self}.")
        if self.patience is not None and self.patience < 1:
            raise InputError(f"patience must be at least 1 epoch, or None for no early stopping; got {self.patience}.")


@dataclass(frozen=True, eq=False)
class Head:
    """Two fully connected layers, c pooled features to d deep features to e logits; float32.

    Attributes:
        reduce_weight: (d, c).
        reduce_bias: (d,).
        classifier_weight: (e, d).
        classifier_bias: (e,).
        history: Per epoch: `train`, and with validation cases `validation`.
    """

    reduce_weight: np.ndarray
    reduce_bias: np.ndarray
    classifier_weight: np.ndarray
    classifier_bias: np.ndarray
    history: tuple[dict[str, float], ...] = field(default_factory=tuple)

    def deep(self, embeddings: np.ndarray) -> np.ndarray:
        """Deep features (n, d) of pooled features (n, c)."""
        return np.asarray(embeddings.astype(np.float64) @ self.reduce_weight.T + self.reduce_bias)

    def logits(self, embeddings: np.ndarray) -> np.ndarray:
        """Logits (n, e) of pooled features (n, c)."""
        return np.asarray(self.deep(embeddings) @ self.classifier_weight.T + self.classifier_bias)


def train_head(
    embeddings: np.ndarray,
    labels: np.ndarray,
    n_deep: int = 10,
    settings: HeadTraining | None = None,
    seed: int = 0,
    validation: tuple[np.ndarray, np.ndarray] | None = None,
) -> Head:
    """Train the two layers as in Deep-CT: Xavier start, dropout, AdamW, missing labels left out of the loss.

    The features are standardized on these cases; mean and SD are then folded into the first layer, so that the head
    takes pooled features as they are.

    Args:
        embeddings: Pooled features, (n, c), as `deep_inference.embed` gives them.
        labels: (n, e), 0 or 1, NaN where missing.
        n_deep: Width d of the layer between.
        settings: How; None takes the defaults.
        seed: Of the start and the dropout; the global random state is left alone.
        validation: Pooled features and labels of other cases, whose loss is watched; needed for `patience`.

    Raises:
        InputError: Shapes that do not fit, values that are not finite, fewer than 2 cases, or `patience` without
            validation cases.
    """
    settings = settings or HeadTraining()
    _check(embeddings, labels, "training")
    if validation is not None:
        _check(*validation, "validation")
    elif settings.patience is not None:
        raise InputError("Early stopping of the two layers needs validation cases: give them, or patience=None.")
    mean, sd = embeddings.mean(axis=0, dtype=np.float64), embeddings.std(axis=0, dtype=np.float64)
    sd = np.maximum(sd, max(RARE * float(np.median(sd)), 1e-6))

    def tensors(x: np.ndarray, y: np.ndarray) -> tuple[Tensor, Tensor]:
        return torch.from_numpy(((x - mean) / sd).astype(np.float32)), torch.from_numpy(y.astype(np.float32))

    watched = None if validation is None else tensors(*validation)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers, history = _train(*tensors(embeddings, labels), n_deep, settings, watched)
    reduce, classifier = (_numbers(layers[index]) for index in (1, 2))
    weight = reduce[0] / sd
    return Head(
        weight.astype(np.float32),
        (reduce[1] - weight @ mean).astype(np.float32),
        classifier[0].astype(np.float32),
        classifier[1].astype(np.float32),
        history,
    )


def into_network(network: DeepCT, head: Head) -> None:
    """Give a network these two layers, in place of its own whatever their size.

    Args:
        network: Its backbone must give as many channels as the head takes; changed in place.
        head: As `train_head` gives it.

    Raises:
        ValueError: The channels differ.
    """
    channels = head.reduce_weight.shape[1]
    if channels != network.reduce.in_features:
        raise ValueError(f"The head takes {channels} channels; {network.backbone} gives {network.reduce.in_features}.")
    network.reduce = _layer(head.reduce_weight, head.reduce_bias, network)
    network.classifier = _layer(head.classifier_weight, head.classifier_bias, network)


def head_of(network: DeepCT, history: tuple[dict[str, float], ...] = ()) -> Head:
    """The two layers of a network, with the history of their training."""

    def plain(value: Tensor) -> np.ndarray:
        return value.detach().cpu().numpy()

    reduce, classifier = network.reduce, network.classifier
    return Head(plain(reduce.weight), plain(reduce.bias), plain(classifier.weight), plain(classifier.bias), history)


def _train(
    x: Tensor, y: Tensor, n_deep: int, settings: HeadTraining, watched: tuple[Tensor, Tensor] | None
) -> tuple[nn.Sequential, tuple[dict[str, float], ...]]:
    reduce, classifier = nn.Linear(x.shape[1], n_deep), nn.Linear(n_deep, y.shape[1])
    for layer in (reduce, classifier):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)
    layers = nn.Sequential(nn.Dropout(settings.dropout), reduce, classifier)
    weights = torch.from_numpy(positive_weights(y.numpy()).astype(np.float32)) if settings.class_weights else None
    optimizer = torch.optim.AdamW(layers.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    history: list[dict[str, float]] = []
    best: dict[str, Tensor] = {}
    best_loss, best_epoch = float("inf"), 0
    for epoch in range(1, settings.epochs + 1):
        layers.train()
        optimizer.zero_grad()
        loss = masked_loss(layers(x), y, weights)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        history.append({"train": float(loss.detach())})
        if watched is None:
            continue
        layers.eval()
        with torch.no_grad():
            history[-1]["validation"] = float(masked_loss(layers(watched[0]), watched[1], weights))
        if settings.patience is None:
            continue
        if history[-1]["validation"] < best_loss:
            best_loss, best_epoch = history[-1]["validation"], epoch
            best = {name: value.clone() for name, value in layers.state_dict().items()}
        if epoch - best_epoch >= settings.patience:
            break
    if best:
        layers.load_state_dict(best)
    return layers, tuple(history)


def _check(embeddings: np.ndarray, labels: np.ndarray, part: str) -> None:
    least = 2 if part == "training" else 1
    if embeddings.ndim != 2 or labels.ndim != 2 or len(embeddings) != len(labels) or len(labels) < least:
        raise InputError(
            f"The {part} cases need pooled features (n, c) and labels (n, e) of the same n, at least {least}; got "
            f"{embeddings.shape} and {labels.shape}."
        )
    if not np.isfinite(embeddings).all():
        raise InputError(f"The pooled features of the {part} cases must be finite.")


def _numbers(layer: nn.Module) -> tuple[np.ndarray, np.ndarray]:
    weight, bias = (parameter.detach().double().numpy() for parameter in layer.parameters())
    return weight, bias


def _layer(weight: np.ndarray, bias: np.ndarray, network: DeepCT) -> nn.Linear:
    own = network.reduce.weight
    # skip_init: a random start would be drawn for nothing
    layer: nn.Linear = nn.utils.skip_init(nn.Linear, weight.shape[1], weight.shape[0])  # type: ignore[no-untyped-call]
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weight))
        layer.bias.copy_(torch.from_numpy(bias))
    return layer.to(own.device).requires_grad_(own.requires_grad)
