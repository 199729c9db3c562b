"""Training that does not wait for the device: patches lie there, a step is one graph, the loss comes once an epoch."""

from collections.abc import Callable

import numpy as np
import torch

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.learning.deep.capture import Gradients, Step, captured, recovered
from PDL1PredictorLib.learning.deep.checkpoints import Snapshot
from PDL1PredictorLib.learning.deep.device_patches import DevicePatches
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.deep.trainer import HostTrainer, Tell, Trainer
from PDL1PredictorLib.networks.deep_ct import DeepCT

TOLD_EVERY = 8  # steps: the user sees and can cancel, and the device is never waited for
MOVES = "random/moves"
AMPERE = (8, 0)  # the first NVIDIA GPUs that compute with bfloat16
Capture = Callable[[Gradients], Step]


class DeviceTrainer(Trainer):
    """Everything between two epochs happens on the device.

    Args:
        network: Changed in place.
        fit: Training cases.
        settings: How.
        device: Where the network lies and the patches go.
        seed: Of what is drawn.
        capture: Makes a step of many kernels one; None leaves it as it is.
    """

    def __init__(
        self,
        network: DeepCT,
        fit: PreparedCohort,
        settings: DeepTraining,
        device: str,
        seed: int,
        capture: Capture | None = captured,
    ) -> None:
        super().__init__(network, fit, settings, device)
        self._patches, self._seed, self._capture = DevicePatches(fit, device), seed, capture
        self._generator = torch.Generator(device).manual_seed(seed)
        self._bfloat16 = settings.mixed_precision and self.device.type == "cuda"
        self._epochs = 0  # since the training began

    def optimizer_options(self) -> dict[str, bool]:
        """Fused: a few kernels for all parameters."""
        return {"fused": True} if self.device.type == "cuda" else {}

    def enter(self, stage: Stage) -> None:
        """Optimizer and schedule begin anew; the step is captured anew, for crops of another size."""
        super().enter(stage)
        self._step: Step | None = None

    def epoch(self, stage: Stage, tell: Tell) -> float:
        """See `Trainer`."""
        self.network.train()
        step = self._step = self._step or self._new_step(stage)
        total = torch.zeros((), device=self.device)
        for done, (x, labels) in enumerate(self._patches.batches(stage, self._settings, self._generator), 1):
            self._gradients.x.copy_(x)
            self._gradients.labels.copy_(labels)
            total += step()
            self._optimizer.step()
            self._schedule.step()
            if done % TOLD_EVERY == 0 or done == self.steps:
                tell(done, f"step {done} of {self.steps}")
        self._epochs += 1
        return float(total) / self.steps  # waits for the device

    def _new_step(self, stage: Stage) -> Step:
        n, n_endpoints = self._patches.labels.shape
        shape = (min(self._settings.batch, n), 3, stage.pixels, stage.pixels)
        self._gradients = Gradients(self.network, shape, n_endpoints, self.weights, self._bfloat16)
        if self._capture is None:
            return self._gradients
        try:
            return self._capture(self._gradients)
        except RuntimeError as error:
            recovered(self._gradients)
            self._capture = None
            self.warnings.append(
                f"The training step could not be captured on {self.device} ({first_line(error)}); the network is "
                "trained there step by step, more slowly."
            )
            return self._gradients

    def state(self, running: bool) -> Snapshot:
        """See `Trainer`; a CPU that goes on draws other moves of the same kind."""
        base = super().state(running)
        on_a_cpu = np.random.default_rng([self._seed, self._epochs]).bit_generator.state
        own = {"moves_on": self.device.type, "epochs": self._epochs, "scaler": {}, "numpy": on_a_cpu}
        return Snapshot({**base.tensors, MOVES: self._generator.get_state()}, {**base.facts, **own})

    def restore(self, snapshot: Snapshot, begun: bool) -> None:
        """See `Trainer`; what another kind of device has drawn does not go on here: new moves are drawn."""
        super().restore(snapshot, begun)
        self._epochs = len(snapshot.facts["history"])
        if snapshot.facts.get("moves_on") == self.device.type:
            self._generator.set_state(snapshot.tensors[MOVES])
        else:
            self._generator.manual_seed(self._seed + self._epochs)


def trainer_for(network: DeepCT, fit: PreparedCohort, settings: DeepTraining, device: str, seed: int) -> Trainer:
    """The fastest way that the device can go: everything on an NVIDIA GPU, or batches from the CPU.

    Args:
        network: Lies on the device; changed in place.
        fit: Training cases.
        settings: How.
        device: Where.
        seed: Of what is drawn.

    Returns:
        The trainer, with a warning where an NVIDIA GPU cannot do it all.
    """
    if torch.device(device).type != "cuda":
        return HostTrainer(network, fit, settings, device, seed)
    reason = _why_from_the_cpu(fit, settings, device)
    if reason is None:
        return DeviceTrainer(network, fit, settings, device, seed)
    trainer = HostTrainer(network, fit, settings, device, seed)
    trainer.warnings.append(f"{reason}; the training patches are prepared on the CPU, more slowly.")
    return trainer


def _why_from_the_cpu(fit: PreparedCohort, settings: DeepTraining, device: str) -> str | None:
    needed, (free, _) = fit.patches_hu.nbytes + fit.patches_tumor.nbytes, torch.cuda.mem_get_info(device)
    if needed > free / 2:  # the rest is for the network
        return f"The training patches take {needed / 1e9:.1f} GB, and {device} has {free / 1e9:.1f} GB free"
    if settings.mixed_precision and torch.cuda.get_device_capability(device) < AMPERE:
        return f"{torch.cuda.get_device_name(device)} has no bfloat16 arithmetic"
    return None


def first_line(error: RuntimeError) -> str:
    """What an error says, short enough for a sentence."""
    return str(error).strip().split("\n")[0][:200]
