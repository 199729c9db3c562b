"""How Deep-CT is trained: the settings alone, without what is done with them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.networks.names import BACKBONES

Moves = Literal["diagonal", "all"]


@dataclass(frozen=True)
class Stage:
    """One stretch of training.

    Attributes:
        epochs: Passes over the training cases.
        pixels: Edge of the centered crop that is seen; the whole patch when it equals the patch's.
        learning_rate: Peak of the one-cycle schedule.
    """

    epochs: int
    pixels: int
    learning_rate: float


@dataclass(frozen=True)
class DeepTraining:
    """How Deep-CT is trained.

    Attributes:
        stages: In order. Small crops first: most of the patch is lung, and a third of the pixels costs a third of the
            time.
        batch: Cases a step.
        weight_decay: Of AdamW.
        dropout: On the pooled features.
        shift_pixels: Greatest random shift of the crop.
        noise: SD of the Gaussian noise on the input channels.
        n_deep: Width of the penultimate layer.
        backbone: One of `networks.names.BACKBONES`.
        patience: A stage ends early when so many of its epochs in a row have not lowered the validation loss, and
            every stage ends with the weights of its best epoch. None trains all epochs and keeps the last weights.
        class_weights: Weigh positive cases of an endpoint by its negative over positive cases in training.
        moves: `diagonal` turns a patch by 180 degrees and mirrors it along a diagonal, which keeps a diagonal
            direction what it is; `all` also turns it by 90 degrees, so that no direction is left.
        rotation_degrees: Greatest random rotation about the patch's center, either way.
        mixed_precision: 16-bit arithmetic where it is safe, on an NVIDIA GPU only (bfloat16, or float16 on those that
            lack it); nothing changes elsewhere.
        cpu_bfloat16: The same on a CPU; faster on those that compute with bfloat16 (AVX512-BF16, AMX), see docs/gpu.md.

    Raises:
        InputError: A value is impossible.
    """

    stages: tuple[Stage, ...] = (Stage(20, 112, 2e-3), Stage(5, 160, 3e-4))
    batch: int = 16
    weight_decay: float = 0.02
    dropout: float = 0.2
    shift_pixels: int = 8
    noise: float = 0.03
    n_deep: int = 10
    backbone: str = "densenet121"
    patience: int | None = None
    class_weights: bool = False
    moves: Moves = "diagonal"
    rotation_degrees: float = 0.0
    mixed_precision: bool = True
    cpu_bfloat16: bool = False

    def __post_init__(self) -> None:
        if not self.stages or any(stage.epochs < 1 or stage.pixels < 1 for stage in self.stages):
            raise InputError(f"Training needs stages of at least one epoch and one pixel, got {self.stages}.")
        if self.batch < 2:
            raise InputError(f"A batch needs at least 2 cases, for batch norm; got {self.batch}.")
        if self.backbone not in BACKBONES:
            raise InputError(f"The backbone must be one of {', '.join(BACKBONES)}, got {self.backbone!r}.")
        if self.patience is not None and self.patience < 1:
            raise InputError(f"patience must be at least 1 epoch, or None for no early stopping; got {self.patience}.")
        if self.moves not in ("diagonal", "all"):
            raise InputError(f"moves must be 'diagonal' or 'all', got {self.moves!r}.")
        if not (math.isfinite(self.rotation_degrees) and 0 <= self.rotation_degrees <= 180):
            raise InputError(f"rotation_degrees must lie between 0 and 180, got {self.rotation_degrees!r}.")


def identity(settings: DeepTraining) -> dict[str, Any]:
    """The settings as plain values, by which checkpoints know their training.

    What was added later is left out at its default: the trainings of before are still the same.
    """
    facts = asdict(settings)
    if not settings.cpu_bfloat16:
        del facts["cpu_bfloat16"]
    return facts


def best_epochs(settings: DeepTraining, history: Sequence[Mapping[str, float]]) -> tuple[int, ...]:
    """The epoch of every stage, from 1 on, after which the validation loss was lowest.

    Args:
        settings: Of the training.
        history: Its losses, epoch by epoch over all stages.
    """
    losses = iter([epoch["validation"] for epoch in history])
    found = []
    for stage in settings.stages:
        best, lowest = 0, math.inf
        for epoch in range(1, stage.epochs + 1):
            watched = next(losses, math.inf)
            if watched < lowest:
                best, lowest = epoch, watched
            if settings.patience is not None and epoch - best >= settings.patience:
                break
        found.append(max(best, 1))
    return tuple(found)
