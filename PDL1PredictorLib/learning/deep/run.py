"""One run of Deep-CT's training, epoch by epoch, whose state can be taken out and put back."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.deep.augmentation import batches, batches_per_epoch
from PDL1PredictorLib.learning.deep.checkpoints import Snapshot
from PDL1PredictorLib.learning.deep.inference import masked_loss, positive_weights, validation_loss
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.deep.weights import load_backbone
from PDL1PredictorLib.networks.deep_ct import DeepCT

CLIP_NORM = 5.0
NETWORK, BEST, OPTIMIZER = "network/", "best/", "optimizer/"  # groups of a snapshot's tensors


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
        self._fit, self._validation, self._settings, self._device = fit, validation, settings, device
        torch.manual_seed(seed)
        network = DeepCT(len(fit.endpoints), settings.n_deep, settings.dropout, settings.backbone).to(device)
        if start is not None:
            load_backbone(network, start)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # faster on CPUs
        self.network = network
        self.history: list[dict[str, float]] = []
        self._rng = np.random.default_rng(seed)
        self._weights: Tensor | None = None
        if settings.class_weights:
            self._weights = torch.from_numpy(positive_weights(fit.labels).astype(np.float32)).to(device)
        self._mixed = settings.mixed_precision and torch.device(device).type == "cuda"
        self._total = _cost(settings.stages)
        self._done = 0.0  # share of the whole training, 0 to 1
        self._best: dict[str, Tensor] | None = None  # weights of the stage's best epoch
        self._best_loss, self._best_epoch = math.inf, 0
        self._enter(0)

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
            watched = validation_loss(self.network, self._validation, self._device, stage.pixels, self._weights)
            losses["validation"] = watched
        self.history.append(losses)
        self._epoch += 1
        self._done += stage.pixels**2 / self._total
        told = ", ".join(f"{value:.3f}" if part == "train" else f"{part} {value:.3f}" for part, value in losses.items())
        progress.step("network", self._done, f"epoch {len(self.history)}: loss {told}")
        if self._settings.patience is not None and watched < self._best_loss:
            self._best_loss, self._best_epoch = watched, self._epoch
            self._best = _copied(self.network)
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
        now = self._settings.stages[stage]
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), weight_decay=self._settings.weight_decay, lr=now.learning_rate
        )
        steps = now.epochs * batches_per_epoch(len(self._fit), self._settings.batch)
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(self._optimizer, now.learning_rate, total_steps=steps)
        self._scaler = torch.amp.GradScaler("cuda", enabled=self._mixed)

    def _is_over(self, stage: Stage) -> bool:
        patience = self._settings.patience
        return self._epoch == stage.epochs or (patience is not None and self._epoch - self._best_epoch >= patience)

    def _train(self, stage: Stage, progress: Progress) -> float:
        self.network.train()
        n_steps = batches_per_epoch(len(self._fit), self._settings.batch)
        losses = []
        for x, labels in batches(self._fit, stage, self._settings, self._rng):
            losses.append(self._step(x.to(self._device), labels.to(self._device)))
            share = len(losses) / n_steps * stage.pixels**2 / self._total
            progress.step("network", self._done + share, f"epoch {len(self.history) + 1}: loss {losses[-1]:.3f}")
        return float(np.mean(losses))

    def _step(self, x: Tensor, labels: Tensor) -> float:
        self._optimizer.zero_grad()
        with torch.autocast("cuda", enabled=self._mixed):
            logits = self.network(x).logits
        loss = masked_loss(logits.float(), labels, self._weights)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM)
        before = self._scaler.get_scale()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        if self._scaler.get_scale() >= before:  # else the gradients overflowed and no step was made
            self._schedule.step()
        return float(loss.detach())

    def snapshot(self) -> Snapshot:
        """The state now, copied to the CPU."""
        tensors = {f"{NETWORK}{name}": value for name, value in _copied(self.network).items()}
        tensors |= {f"{BEST}{name}": value for name, value in (self._best or {}).items()}
        state = self._optimizer.state_dict() if self.stages_left else {"state": {}, "param_groups": []}
        for index, values in state["state"].items():
            tensors |= {f"{OPTIMIZER}{index}/{name}": _on_cpu(value) for name, value in values.items()}
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
            "groups": state["param_groups"],
            "schedule": self._schedule.state_dict(),
            "scaler": self._scaler.state_dict(),
            "numpy": self._rng.bit_generator.state,
        }
        return Snapshot(tensors, facts)

    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a state that `snapshot` gave, here or on another device."""
        facts: dict[str, Any] = snapshot.facts
        self.network.load_state_dict(_group(snapshot, NETWORK))
        self._enter(facts["stage"])
        self._epoch, self._done, self.history = facts["epoch"], facts["done"], list(facts["history"])
        self._best_epoch = facts["best_epoch"]
        if facts["best_loss"] is not None:
            self._best_loss, self._best = facts["best_loss"], _group(snapshot, BEST)
        if self.stages_left and self._epoch > 0:
            self._restore_optimizer(snapshot)
        self._rng.bit_generator.state = facts["numpy"]
        torch.set_rng_state(snapshot.tensors["random/cpu"])
        if torch.device(self._device).type == "cuda" and "random/cuda" in snapshot.tensors:
            torch.cuda.set_rng_state(snapshot.tensors["random/cuda"], self._device)

    def _restore_optimizer(self, snapshot: Snapshot) -> None:
        state: dict[int, dict[str, Tensor]] = {}
        parameters = list(self.network.parameters())
        for key, value in _group(snapshot, OPTIMIZER).items():
            index, name = key.split("/")
            # laid out in memory as the parameter is: another layout may be summed in another order
            laid_out = value if value.ndim == 0 else torch.empty_like(parameters[int(index)], device="cpu").copy_(value)
            state.setdefault(int(index), {})[name] = laid_out.detach()
        groups = [{**group, "betas": tuple(group["betas"])} for group in snapshot.facts["groups"]]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})
        self._schedule.load_state_dict(dict(snapshot.facts["schedule"]))
        if self._mixed and snapshot.facts["scaler"]:
            self._scaler.load_state_dict(snapshot.facts["scaler"])


def _cost(stages: Sequence[Stage]) -> int:
    """Time goes with the number of pixels."""
    return sum(stage.epochs * stage.pixels**2 for stage in stages)


def _copied(network: DeepCT) -> dict[str, Tensor]:
    return {name: _on_cpu(value) for name, value in network.state_dict().items()}


def _on_cpu(value: Tensor) -> Tensor:
    """A contiguous copy: safetensors keeps no other layout."""
    return value.detach().to("cpu", copy=True).contiguous()


def _group(snapshot: Snapshot, prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in snapshot.tensors.items() if name.startswith(prefix)}
