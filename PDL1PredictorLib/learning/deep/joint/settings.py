"""How a network of slices and a table is trained: the settings alone, without what is done with them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.networks.names import BACKBONES


@dataclass(frozen=True)
class JointStage:
    """One stretch of training.

    Attributes:
        epochs: Passes over the training cases.
        learning_rate: Of all its steps.
    """

    epochs: int
    learning_rate: float


@dataclass(frozen=True)
class JointTraining:
    """How it is built and trained.

    Attributes:
        stages: In order; each starts from the best weights of the one before, where cases are watched.
        batch: Slices a step.
        weight_decay: Of AdamW.
        dropout: On all that enters the last layer.
        backbone: One of `networks.names.BACKBONES`.
        all_slices: Whether an epoch shows every slice of every case, as a sample of its own; else one of them, drawn.
        mirror: Whether slices are turned by 180 degrees and mirrored along a diagonal, each in half of the cases: a
            diagonal direction stays what it is.
        noise: SD of Gaussian noise on the channels, which span 2.
        cpu_bfloat16: Whether trainings compute in 16 bits where it is safe, on a CPU: faster on those that have
            AVX512-BF16 or AMX. The answers of the trained network are computed in 32 bits.

    Raises:
        InputError: A value is impossible.
    """

    stages: tuple[JointStage, ...] = (JointStage(20, 1e-3), JointStage(8, 1e-4))
    batch: int = 16
    weight_decay: float = 0.02
    dropout: float = 0.2
    backbone: str = "densenet121"
    all_slices: bool = False
    mirror: bool = True
    noise: float = 0.03
    cpu_bfloat16: bool = False

    def __post_init__(self) -> None:
        if not self.stages or any(stage.epochs < 1 for stage in self.stages) or self.batch < 2:
            raise InputError(f"Training needs stages of at least one epoch, and batches of at least 2; got {self}.")
        if not all(math.isfinite(stage.learning_rate) and stage.learning_rate > 0 for stage in self.stages):
            raise InputError(f"Learning rates must be above 0, got {[stage.learning_rate for stage in self.stages]}.")
        if self.backbone not in BACKBONES:
            raise InputError(f"The backbone must be one of {', '.join(BACKBONES)}, got {self.backbone!r}.")
        if not (0 <= self.dropout < 1 and self.weight_decay >= 0 and 0 <= self.noise <= 1):
            raise InputError(f"Dropout lies from 0 to below 1, noise from 0 to 1, decay not below 0; got {self}.")

    @property
    def epochs(self) -> int:
        """Of all stages."""
        return sum(stage.epochs for stage in self.stages)


PUBLISHED = JointTraining(
    stages=(JointStage(20, 1e-4), JointStage(20, 1e-5), JointStage(20, 1e-6)),
    weight_decay=0.0,
    dropout=0.0,
    all_slices=True,
    mirror=False,
    noise=0.0,
)


def shortened(settings: JointTraining, epochs: int) -> JointTraining:
    """The same for so many epochs in all: later stages are shorter, or left out."""
    stages, left = [], max(1, epochs)
    for stage in settings.stages:
        if left > 0:
            stages.append(replace(stage, epochs=min(stage.epochs, left)))
        left -= stage.epochs
    return replace(settings, stages=tuple(stages))


def best_epoch(history: Sequence[dict[str, Any]]) -> int:
    """The epoch, from 1 on, after which the watched loss was lowest; the last one where none was watched."""
    losses = [epoch.get("validation", math.inf) for epoch in history]
    return 1 + losses.index(min(losses)) if min(losses, default=math.inf) < math.inf else len(history)
