"""How a network of volumes is trained: the settings alone, without what is done with them."""

import math
from dataclasses import dataclass
from itertools import combinations

from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.networks.names import CNN3D_WIDTHS, POOLS

MOST_RING = 7  # voxels: a window of the network has at most 16


@dataclass(frozen=True)
class VolumeTraining:
    """How it is built and trained.

    Attributes:
        epochs: Passes over the training cases, at most.
        patience: The training ends when so many epochs in a row have not lowered the loss of the watched cases, and
            takes the weights of the best epoch. None trains all epochs and keeps the last weights.
        learning_rate: Of AdamW, at the beginning; it falls along half a cosine wave over all epochs.
        weight_decay: Of AdamW.
        batch: Cases a step.
        dropout: On the pooled features.
        n_deep: Width of the penultimate layer.
        widths: Channels of the blocks.
        mirror: Whether a volume is mirrored along the body's axis and along a diagonal of the axial plane, and turned
            by 180 degrees about the body's axis, each in half of the cases: a diagonal direction stays what it is.
        degrees: Greatest turn about the body's axis, either way.
        scale: Greatest enlargement or reduction, as a share.
        contrast: Greatest change of contrast, as a share.
        noise: SD of Gaussian noise on the windowed channels, which span 2.
        modality_dropout: Share of the cases with a PET that are shown without it, in a network that has one.
        pool: One of `networks.names.POOLS`: what the maps become numbers over, the volume or the tumor.
        ring: Voxels of the ring about the contour in which they are pooled, too; 0 takes none. Of `contour` alone.
        pooled: Which blocks are pooled within the contour, from 0, the last among them; None takes all.
        cpu_bfloat16: Whether a CPU trains in 16 bits; answers are always computed in 32.

    Raises:
        InputError: A value is impossible.
    """

    epochs: int = 40
    patience: int | None = 10
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    batch: int = 16
    dropout: float = 0.5
    n_deep: int = 10
    widths: tuple[int, ...] = CNN3D_WIDTHS
    mirror: bool = True
    degrees: float = 15.0
    scale: float = 0.1
    contrast: float = 0.1
    noise: float = 0.03
    modality_dropout: float = 0.3
    pool: str = "picture"
    ring: int = 0
    pooled: tuple[int, ...] | None = None
    cpu_bfloat16: bool = False

    def __post_init__(self) -> None:
        counts = (self.epochs, self.batch - 1, self.n_deep, *self.widths)
        if min(counts) < 1 or not self.widths or (self.patience is not None and self.patience < 1):
            raise InputError(f"Epochs, patience and sizes must be at least 1, a batch at least 2 cases; got {self}.")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0) or not self.weight_decay >= 0:
            raise InputError(f"The learning rate must be above 0, weight decay not below; got {self}.")
        shares = (self.dropout, self.scale, self.contrast, self.modality_dropout)
        if not all(0 <= share < 1 for share in shares) or not (0 <= self.degrees <= 180 and 0 <= self.noise <= 1):
            raise InputError(f"Shares lie from 0 to below 1, degrees from 0 to 180, noise from 0 to 1; got {self}.")
        if self.pool not in POOLS or not 0 <= self.ring <= MOST_RING:
            raise InputError(f"Maps are pooled within {' or '.join(POOLS)}, the ring has 0 to {MOST_RING} voxels.")
        if self.pooled is not None and tuple(self.pooled) not in _kept(len(self.widths)):
            raise InputError(f"Blocks are pooled in order, the last one among them, from 0; got {self.pooled}.")


def _kept(blocks: int) -> list[tuple[int, ...]]:
    """All choices of blocks that hold the last one."""
    before = range(blocks - 1)
    return [(*some, blocks - 1) for size in range(blocks) for some in combinations(before, size)]


def best_epoch(history: tuple[dict[str, float], ...]) -> int:
    """The epoch, from 1 on, after which the watched loss was lowest; the last one where none was watched."""
    losses = [epoch.get("validation", math.inf) for epoch in history]
    return 1 + losses.index(min(losses)) if min(losses, default=math.inf) < math.inf else len(history)
