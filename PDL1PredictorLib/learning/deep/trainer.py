"""How the epochs of a training are computed: what every way shares, and the way that every processor can go."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.learning.deep.augmentation import batches, batches_per_epoch
from PDL1PredictorLib.learning.deep.capture import CLIP_NORM
from PDL1PredictorLib.learning.deep.checkpoints import Snapshot, group_of, on_cpu
from PDL1PredictorLib.learning.deep.inference import masked_loss, positive_weights
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.networks.deep_ct import DeepCT

OPTIMIZER = "optimizer/"  # group of a snapshot's tensors
Tell = Callable[[int, str], None]
"""Told between two steps: how many of the epoch are done, and what is known of them."""


class Trainer(ABC):
    """Optimizer and schedule of the stage at hand, and an epoch made with them.

    Args:
        network: Changed in place.
        fit: Training cases.
        settings: How.
        device: Where the network lies.
    """

    def __init__(self, network: DeepCT, fit: PreparedCohort, settings: DeepTraining, device: str) -> None:
        self.network, self.device = network, torch.device(device)
        self.warnings: list[str] = []
        self.weights: Tensor | None = None
        if settings.class_weights:
            self.weights = torch.from_numpy(positive_weights(fit.labels).astype(np.float32)).to(device)
        self._settings = settings
        self.steps = batches_per_epoch(len(fit), settings.batch)

    def enter(self, stage: Stage) -> None:
        """Optimizer and schedule of a stage begin anew."""
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(),
            weight_decay=self._settings.weight_decay,
            lr=stage.learning_rate,
            **self.optimizer_options(),
        )
        total = stage.epochs * self.steps
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(self._optimizer, stage.learning_rate, total_steps=total)

    def optimizer_options(self) -> dict[str, Any]:
        """Which of torch's equal implementations makes the step."""
        return {}

    @abstractmethod
    def epoch(self, stage: Stage, tell: Tell) -> float:
        """Train one epoch in random order; the mean loss of its steps."""

    def state(self, running: bool) -> Snapshot:
        """What the next epoch depends on besides the network.

        Args:
            running: Whether there is an epoch to come; an optimizer that is not needed any more is left out.
        """
        state = self._optimizer.state_dict() if running else {"state": {}, "param_groups": []}
        named = {f"{OPTIMIZER}{i}/{name}": value for i, part in state["state"].items() for name, value in part.items()}
        return Snapshot(on_cpu(named), {"groups": state["param_groups"], "schedule": self._schedule.state_dict()})

    def restore(self, snapshot: Snapshot, begun: bool) -> None:
        """Go back to a state, of this way or another.

        Args:
            snapshot: What `state` gave.
            begun: Whether the stage's first epoch is over.
        """
        if not begun:
            return
        state: dict[int, dict[str, Tensor]] = {}
        parameters = list(self.network.parameters())
        for key, value in group_of(snapshot, OPTIMIZER).items():
            index, name = key.split("/")
            # laid out in memory as the parameter is: another layout may be summed in another order
            laid_out = value if value.ndim == 0 else torch.empty_like(parameters[int(index)], device="cpu").copy_(value)
            state.setdefault(int(index), {})[name] = laid_out.detach()
        own = {name: self._optimizer.param_groups[0][name] for name in ("fused", "foreach", "capturable")}
        groups = [{**group, **own, "betas": tuple(group["betas"])} for group in snapshot.facts["groups"]]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})
        self._schedule.load_state_dict(dict(snapshot.facts["schedule"]))


class HostTrainer(Trainer):
    """Batches are made on the CPU and sent to the device, and every step's loss is asked for.

    Args:
        network: Changed in place.
        fit: Training cases.
        settings: How.
        device: Where the network lies.
        seed: Of what is drawn.
    """

    def __init__(self, network: DeepCT, fit: PreparedCohort, settings: DeepTraining, device: str, seed: int) -> None:
        super().__init__(network, fit, settings, device)
        self._fit = fit
        self._rng = np.random.default_rng(seed)
        self._mixed = settings.mixed_precision and self.device.type == "cuda"
        self._bfloat16 = settings.cpu_bfloat16 and self.device.type == "cpu"

    def enter(self, stage: Stage) -> None:
        """Optimizer, schedule and scale of the loss begin anew."""
        super().enter(stage)
        self._scaler = torch.amp.GradScaler("cuda", enabled=self._mixed)

    def epoch(self, stage: Stage, tell: Tell) -> float:
        """See `Trainer`."""
        self.network.train()
        losses: list[float] = []
        for x, labels in batches(self._fit, stage, self._settings, self._rng):
            losses.append(self._step(x.to(self.device), labels.to(self.device)))
            tell(len(losses), f"loss {losses[-1]:.3f}")
        return float(np.mean(losses))

    def _step(self, x: Tensor, labels: Tensor) -> float:
        self._optimizer.zero_grad()
        with self._sixteen_bits():
            logits = self.network(x).logits
        loss = masked_loss(logits.float(), labels, self.weights)
        self._scaler.scale(loss).backward()  # type: ignore[no-untyped-call]
        self._scaler.unscale_(self._optimizer)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM)
        before = self._scaler.get_scale()
        self._scaler.step(self._optimizer)
        self._scaler.update()
        if self._scaler.get_scale() >= before:  # else the gradients overflowed and no step was made
            self._schedule.step()
        return float(loss.detach())

    def _sixteen_bits(self) -> torch.autocast:
        if self._bfloat16:
            return torch.autocast("cpu", torch.bfloat16)
        return torch.autocast("cuda", enabled=self._mixed)

    def state(self, running: bool) -> Snapshot:
        """See `Trainer`."""
        base = super().state(running)
        own = {"scaler": self._scaler.state_dict(), "numpy": self._rng.bit_generator.state}
        return Snapshot(base.tensors, {**base.facts, **own})

    def restore(self, snapshot: Snapshot, begun: bool) -> None:
        """See `Trainer`."""
        super().restore(snapshot, begun)
        if begun and self._mixed and snapshot.facts["scaler"]:
            self._scaler.load_state_dict(snapshot.facts["scaler"])
        self._rng.bit_generator.state = snapshot.facts["numpy"]
