"""One run of Deep-CT's training, epoch by epoch, whose state can be taken out and put back."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.deep.checkpoints import Snapshot, group_of, on_cpu
from PDL1PredictorLib.learning.deep.descent import laid_out
from PDL1PredictorLib.learning.deep.device_trainer import trainer_for
from PDL1PredictorLib.learning.deep.inference import validation_loss
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.deep.weights import load_backbone
from PDL1PredictorLib.networks.deep_ct import DeepCT

NETWORK, BEST = "network/", "best/"  # groups of a snapshot's tensors


class DeepRun:
    """A training between two epochs; seeds torch's global generator when it begins.

    Args:
        fit: Training cases.
        validation: Cases whose loss is watched.
        settings: How.
        seed: Of everything that is drawn.
        start: Weight file of the backbone, or None.
        device: Where.
    """

    def __init__(
        self,
        fit: PreparedCohort,
        validation: PreparedCohort,
        settings: DeepTraining,
        seed: int,
        start: Path | None,
        device: str,
    ) -> None:
        self._validation, self._settings, self._device = validation, settings, device
        torch.manual_seed(seed)
        network = DeepCT(len(fit.endpoints), settings.n_deep, settings.dropout, settings.backbone).to(device)
        if start is not None:
            load_backbone(network, start)
        laid_out(network, torch.channels_last)
        self.network = network
        self.history: list[dict[str, float]] = []
        self._trainer = trainer_for(network, fit, settings, device, seed)
        self._total = _cost(settings.stages)
        self._done = 0.0  # share of the whole training, 0 to 1
        self._best: dict[str, Tensor] | None = None  # weights of the stage's best epoch
        self._best_loss, self._best_epoch = math.inf, 0
        self._enter(0)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the reader must know."""
        return tuple(self._trainer.warnings)

    @property
    def stages_left(self) -> bool:
        """Whether there is an epoch to come."""
        return self._stage < len(self._settings.stages)

    def one_epoch(self, progress: Progress) -> None:
        """Train one epoch, look at the validation cases, and enter the next stage when this one is over."""
        stage = self._settings.stages[self._stage]
        loss = self._train(stage, progress)
        losses, watched = {"train": loss}, math.inf
        if len(self._validation):
            watched = validation_loss(self.network, self._validation, self._device, stage.pixels, self._trainer.weights)
            losses["validation"] = watched
        self.history.append(losses)
        self._epoch += 1
        self._done += stage.pixels**2 / self._total
        told = ", ".join(f"{value:.3f}" if part == "train" else f"{part} {value:.3f}" for part, value in losses.items())
        progress.step("network", self._done, f"epoch {len(self.history)}: loss {told}")
        if self._settings.patience is not None and watched < self._best_loss:
            self._best_loss, self._best_epoch = watched, self._epoch
            self._best = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        if self._is_over(stage):
            if self._best is not None:
                self.network.load_state_dict(self._best)
            self._done = _cost(self._settings.stages[: self._stage + 1]) / self._total
            self._enter(self._stage + 1)

    def _enter(self, stage: int) -> None:
        """Optimizer and schedule of a stage begin anew."""
        self._stage, self._epoch = stage, 0
        self._best, self._best_loss, self._best_epoch = None, math.inf, 0
        if not self.stages_left:
            return
        self._trainer.enter(self._settings.stages[stage])

    def _is_over(self, stage: Stage) -> bool:
        patience = self._settings.patience
        return self._epoch == stage.epochs or (patience is not None and self._epoch - self._best_epoch >= patience)

    def _train(self, stage: Stage, progress: Progress) -> float:
        def tell(done: int, known: str) -> None:
            share = done / self._trainer.steps * stage.pixels**2 / self._total
            progress.step("network", self._done + share, f"epoch {len(self.history) + 1}: {known}")

        return self._trainer.epoch(stage, tell)

    def snapshot(self) -> Snapshot:
        """The state now, copied to the CPU."""
        trainer = self._trainer.state(self.stages_left)
        tensors = on_cpu(
            {f"{NETWORK}{name}": value for name, value in self.network.state_dict().items()}
            | {f"{BEST}{name}": value for name, value in (self._best or {}).items()}
        )
        tensors |= trainer.tensors
        tensors["random/cpu"] = torch.get_rng_state()
        if torch.device(self._device).type == "cuda":
            tensors["random/cuda"] = torch.cuda.get_rng_state(self._device)
        facts = {
            "stage": self._stage,
            "epoch": self._epoch,
            "done": self._done,
            "history": list(self.history),
            "best_loss": None if self._best is None else self._best_loss,  # JSON has no infinity
            "best_epoch": self._best_epoch,
        } | trainer.facts
        return Snapshot(tensors, facts)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a state that `snapshot` gave, here or on another device."""
        facts: dict[str, Any] = snapshot.facts
        self.network.load_state_dict(group_of(snapshot, NETWORK))
        self._enter(facts["stage"])
        self._epoch, self._done, self.history = facts["epoch"], facts["done"], list(facts["history"])
        self._best_epoch = facts["best_epoch"]
        if facts["best_loss"] is not None:
            self._best_loss, self._best = facts["best_loss"], group_of(snapshot, BEST)
        self._trainer.restore(snapshot, begun=self.stages_left and self._epoch > 0)
        torch.set_rng_state(snapshot.tensors["random/cpu"])
        if torch.device(self._device).type == "cuda" and "random/cuda" in snapshot.tensors:
            torch.cuda.set_rng_state(snapshot.tensors["random/cuda"], self._device)


def _cost(stages: Sequence[Stage]) -> int:
    """Time goes with the number of pixels."""
    return sum(stage.epochs * stage.pixels**2 for stage in stages)
