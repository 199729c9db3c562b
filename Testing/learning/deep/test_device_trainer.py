"""Training on the device, tried on the CPU: `cpu:0` stands for a GPU, and a function for what captures a step."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from prepared import prepared
from tiny_training import FIT, VALIDATION, one_layer_backbone, same_weights

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import CancelledError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.deep import device_trainer
from PDL1PredictorLib.learning.deep import run as deep_run
from PDL1PredictorLib.learning.deep.capture import Gradients, Step, recovered, warmed_up
from PDL1PredictorLib.learning.deep.checkpoints import in_one_transfer, on_cpu
from PDL1PredictorLib.learning.deep.device_trainer import DeviceTrainer, trainer_for
from PDL1PredictorLib.learning.deep.inference import masked_loss
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage
from PDL1PredictorLib.learning.deep.trainer import HostTrainer, Trainer
from PDL1PredictorLib.learning.deep.training import TrainedDeepCT, train_deep_ct
from PDL1PredictorLib.networks.deep_ct import DeepCT

SETTINGS = DeepTraining(stages=(Stage(3, 16, 1e-2), Stage(2, 20, 1e-3)), batch=4, shift_pixels=2, rotation_degrees=10)
Capture = Callable[[Gradients], Step]


@pytest.fixture(autouse=True)
def one_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    one_layer_backbone(monkeypatch)


def replayed(gradients: Gradients) -> Step:
    """As a graph: it knows the batch by its place in memory, and writes gradients and loss to theirs."""
    warmed_up(gradients)
    before = [(buffer, buffer.clone()) for buffer in gradients.network.buffers()]
    random = torch.get_rng_state()
    loss, parameters = gradients(), list(gradients.network.parameters())
    for buffer, value in before:  # a capture computes nothing
        buffer.copy_(value)
    torch.set_rng_state(random)
    x, labels, places = gradients.x, gradients.labels, [parameter.grad for parameter in parameters]

    def replay() -> torch.Tensor:
        gradients.x, gradients.labels = x, labels
        found = gradients()
        for parameter, place in zip(parameters, places, strict=True):
            parameter.grad = place.copy_(parameter.grad)
        return loss.copy_(found)

    return replay


def failing(gradients: Gradients) -> Step:
    raise RuntimeError("operation not permitted when stream is capturing\nmore")


@pytest.fixture
def on_the_device(monkeypatch: pytest.MonkeyPatch) -> Callable[[Capture | None], None]:
    """`cpu:0` goes the way of an NVIDIA GPU."""

    def choose(capture: Capture | None) -> None:
        def trainer(
            network: DeepCT, fit: PreparedCohort, settings: DeepTraining, device: str, seed: int
        ) -> DeviceTrainer | HostTrainer:
            if device == "cpu:0":
                return DeviceTrainer(network, fit, settings, device, seed, capture)
            return HostTrainer(network, fit, settings, device, seed)

        monkeypatch.setattr(deep_run, "trainer_for", trainer)

    choose(replayed)
    return choose


def trained(settings: DeepTraining = SETTINGS, device: str = "cpu:0", **options: object) -> TrainedDeepCT:
    return train_deep_ct(FIT, VALIDATION, settings, 7, device, **options)


def stop_at(message: str) -> Progress:
    def report(stage: str, fraction: float, text: str) -> None:
        if message in text:
            raise KeyboardInterrupt

    return Progress(report)


def test_a_step_is_the_plain_one():
    torch.manual_seed(1)
    network = DeepCT(2, dropout=0.0).to(memory_format=torch.channels_last).train()
    weights = torch.tensor([1.0, 300.0])
    gradients = Gradients(network, (4, 3, 16, 16), 2, weights)
    gradients.x.copy_(torch.randn(4, 3, 16, 16))
    gradients.labels.copy_(torch.tensor([[0.0, 1.0], [1.0, torch.nan], [0.0, 0.0], [1.0, 1.0]]))
    expected = masked_loss(network(gradients.x).logits, gradients.labels, weights)
    slopes = torch.autograd.grad(expected, list(network.parameters()))
    for _ in range(2):  # the second does not add to the first
        loss = gradients()
    torch.testing.assert_close(loss, expected.detach())
    length = torch.sqrt(sum((slope**2).sum() for slope in slopes))
    assert length > 10  # clipped to half of it at least
    for parameter, slope in zip(network.parameters(), slopes, strict=True):
        torch.testing.assert_close(parameter.grad, slope * (5.0 / length).clamp(max=1.0))


def test_bfloat16_is_near_and_its_gradients_are_of_32_bits():
    def loss_and_slope(bfloat16: bool) -> tuple[float, torch.Tensor]:
        torch.manual_seed(1)
        network = DeepCT(2).to(memory_format=torch.channels_last).train()
        gradients = Gradients(network, (4, 3, 16, 16), 2, bfloat16=bfloat16)
        gradients.x.copy_(torch.randn(4, 3, 16, 16))
        return float(gradients()), network.classifier.weight.grad

    (exact, slope), (near, rounded) = loss_and_slope(False), loss_and_slope(True)
    assert near == pytest.approx(exact, rel=0.02)
    assert near != exact
    assert rounded.dtype == torch.float32
    torch.testing.assert_close(rounded, slope, rtol=0.2, atol=0.02)


def test_warming_up_changes_neither_running_statistics_nor_what_is_drawn():
    network = DeepCT(2, dropout=0.5).train()
    before = {name: buffer.clone() for name, buffer in network.named_buffers()}
    random = torch.get_rng_state()
    warmed_up(Gradients(network, (4, 3, 16, 16), 2))
    for name, buffer in network.named_buffers():
        assert torch.equal(buffer, before[name]), name
    assert torch.equal(torch.get_rng_state(), random)


@pytest.mark.parametrize("settings", [SETTINGS, replace(SETTINGS, patience=2, class_weights=True)])
def test_a_captured_step_trains_as_one_that_is_not(on_the_device, settings: DeepTraining):
    captured = trained(settings)
    on_the_device(None)
    assert same_weights(captured, trained(settings))
    assert captured.device == "cpu:0"
    assert not captured.warnings


def test_it_learns_as_the_other_way_does(on_the_device):
    """Tumors of 140 or -60 HU; the label says which."""
    labels = np.arange(32.0)[:, None] % 2
    hu = np.where(labels == 1, 140, -60).astype(np.int16)[:, :, None, None] * np.ones((1, 1, 20, 20), np.int16)
    names = [str(i) for i in range(32)]
    bright = prepared(names, "A", (), np.zeros((32, 0)), hu, np.ones(hu.shape, bool), labels)
    settings = replace(SETTINGS, stages=(Stage(12, 16, 3e-2),), batch=8)
    for device in ("cpu", "cpu:0"):
        history = train_deep_ct(bright, bright, settings, 3, device).history
        assert history[-1]["train"] < 0.25 < 0.55 < history[0]["train"]
        assert history[-1]["validation"] < 0.25


@pytest.mark.parametrize("killed_in", ["epoch 3:", "epoch 4: loss"])
def test_a_killed_training_goes_on_and_ends_with_the_same_weights(on_the_device, tmp_path: Path, killed_in: str):
    settings, file = replace(SETTINGS, patience=2), tmp_path / "net.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        trained(settings, progress=stop_at(killed_in), checkpoint=file)
    assert same_weights(trained(settings, checkpoint=file), trained(settings))


@pytest.mark.parametrize(("before", "after"), [("cpu:0", "cpu"), ("cpu", "cpu:0")])
def test_a_training_can_go_on_where_it_did_not_begin(on_the_device, tmp_path: Path, before: str, after: str):
    file = tmp_path / "net.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        trained(device=before, progress=stop_at("epoch 3:"), checkpoint=file)
    half = trained(device=before)
    whole = trained(device=after, checkpoint=file)
    assert whole.history[:2] == half.history[:2]
    assert len(whole.history) == 5
    assert whole.history[2:] != half.history[2:]


def test_a_device_that_fails_on_the_way_is_told_and_the_cpu_goes_on(on_the_device, monkeypatch: pytest.MonkeyPatch):
    healthy, step = trained(), torch.optim.AdamW.step
    calls = iter(range(1000))

    def lost(self: torch.optim.AdamW, *arguments: object) -> object:
        if next(calls) == 5:
            raise torch.AcceleratorError("CUDA error: unspecified launch failure", 719)
        return step(self, *arguments)

    monkeypatch.setattr(torch.optim.AdamW, "step", lost)
    found = trained()
    assert found.device == "cpu"
    assert "goes on from epoch 3 on the CPU" in found.warnings[0]
    assert found.history[:2] == healthy.history[:2]
    assert len(found.history) == 5


def test_a_step_that_cannot_be_captured_is_told_and_trained_as_it_is(on_the_device):
    on_the_device(None)
    expected = trained()
    on_the_device(failing)
    found = trained()
    assert same_weights(found, expected)
    assert found.warnings == (
        "The training step could not be captured on cpu:0 (operation not permitted when stream is capturing); the "
        "network is trained there step by step, more slowly.",
    )


def test_a_device_that_a_failed_capture_has_broken_is_a_lost_device(on_the_device, monkeypatch: pytest.MonkeyPatch):
    on_the_device(failing)
    monkeypatch.setattr(device_trainer, "recovered", lambda gradients: recovered(Broken()))
    found = trained()
    assert found.device == "cpu"
    assert "CUDA error after a capture that failed: still capturing" in found.warnings[0]


class Broken:
    x = torch.zeros(1)

    @property
    def network(self) -> DeepCT:
        raise RuntimeError("still capturing")


def test_the_user_is_told_now_and_then_and_can_cancel(on_the_device, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(device_trainer, "TOLD_EVERY", 2)
    steps: list[tuple[float, str]] = []
    settings = replace(SETTINGS, batch=2)  # five steps an epoch
    trained(settings, progress=Progress(lambda stage, fraction, text: steps.append((fraction, text))))
    assert [text for _, text in steps[:3]] == [f"epoch 1: step {n} of 5" for n in (2, 4, 5)]
    assert len(steps) == 5 * (3 + 1)
    assert steps == sorted(steps, key=lambda step: step[0])
    with pytest.raises(CancelledError):
        trained(settings, progress=Progress(cancelled=lambda: len(steps) > 0))


def test_the_loss_of_an_epoch_is_the_mean_of_its_steps(monkeypatch: pytest.MonkeyPatch):
    losses = iter([0.5, 1.5, 4.0])
    monkeypatch.setattr(Gradients, "__call__", lambda self: torch.tensor(next(losses)))
    network = DeepCT(2)
    settings = replace(SETTINGS, batch=3)
    trainer = DeviceTrainer(network, FIT, settings, "cpu", 1, capture=None)
    trainer.enter(settings.stages[0])
    assert trainer.epoch(settings.stages[0], lambda done, known: None) == pytest.approx(2.0)


def test_features_are_computed_where_the_network_was_trained(monkeypatch: pytest.MonkeyPatch):
    there = TrainedDeepCT(DeepCT(2).eval(), device="cpu:0")
    expected = replace(there, device="cpu").deep_features(FIT, 16)
    forward, seen = DeepCT.forward, []

    def watched(self: DeepCT, x: torch.Tensor, contour: torch.Tensor | None = None) -> object:
        seen.append(len(x))
        return forward(self, x, contour)

    monkeypatch.setattr(DeepCT, "forward", watched)
    many = FIT.take(np.arange(140) % 11)
    deep, logits = there.deep_features(many, 16)
    assert seen == [128, 12] * 3  # in large batches, slice by slice
    np.testing.assert_allclose(deep[:11], expected[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(logits[:11], expected[1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("told", ["CUDA out of memory", "shapes cannot be multiplied"])
def test_features_are_computed_on_the_cpu_where_the_device_fails(monkeypatch: pytest.MonkeyPatch, told: str):
    there, calls, forward = TrainedDeepCT(DeepCT(2).eval(), device="cpu:0"), iter(range(100)), DeepCT.forward

    def lost(self: DeepCT, *given: torch.Tensor) -> object:
        if next(calls) == 0:
            raise RuntimeError(told)
        return forward(self, *given)

    monkeypatch.setattr(DeepCT, "forward", lost)
    if "memory" in told:
        assert len(there.deep_features(FIT)[0]) == 11
    else:  # a fault of the program
        with pytest.raises(RuntimeError, match="shapes cannot"):
            there.deep_features(FIT)


def test_all_tensors_of_a_kind_come_in_one_transfer():
    tensors = {
        "weight": torch.randn(4, 3, 5, 5).to(memory_format=torch.channels_last),
        "transposed": torch.randn(3, 4).T,
        "scalar": torch.tensor(2.0),
        "empty": torch.zeros(0, 2),
    }
    copies = in_one_transfer(tensors)
    assert list(copies) == list(tensors)
    for name, value in on_cpu({**tensors, "count": torch.tensor(3)}).items():
        assert value.is_contiguous()
        if name != "count":
            assert torch.equal(copies[name], value)
            assert copies[name].is_contiguous()
            assert copies[name].untyped_storage().nbytes() == value.untyped_storage().nbytes()  # its own memory


class FakeGpu:
    """An NVIDIA GPU as far as the choice of the way asks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, free: float, bfloat16: bool) -> None:
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (free, free))
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (8, 0) if bfloat16 else (7, 5))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "Old card")
        monkeypatch.setattr(device_trainer, "DeviceTrainer", lambda *_: "on the device")
        monkeypatch.setattr(device_trainer, "HostTrainer", lambda *arguments: PlainTrainer(*arguments[:4]))


class PlainTrainer(Trainer):
    """Says what it was told."""

    def __init__(self, network: DeepCT, fit: PreparedCohort, settings: DeepTraining, device: str) -> None:
        super().__init__(network, fit, settings, "cpu")

    def epoch(self, stage: Stage, tell: object) -> float:
        return 0.0


def test_the_way_is_chosen_by_what_the_gpu_can(monkeypatch: pytest.MonkeyPatch):
    network, bytes_needed = DeepCT(2), FIT.patches_hu.nbytes + FIT.patches_tumor.nbytes
    FakeGpu(monkeypatch, 2 * bytes_needed, bfloat16=True)
    assert trainer_for(network, FIT, SETTINGS, "cuda", 1) == "on the device"
    FakeGpu(monkeypatch, 2 * bytes_needed - 1, bfloat16=True)
    (told,) = trainer_for(network, FIT, SETTINGS, "cuda", 1).warnings
    assert told.endswith("GB free; the training patches are prepared on the CPU, more slowly.")
    FakeGpu(monkeypatch, 1e9, bfloat16=False)
    (told,) = trainer_for(network, FIT, SETTINGS, "cuda", 1).warnings
    assert told.startswith("Old card has no bfloat16 arithmetic;")
    assert trainer_for(network, FIT, replace(SETTINGS, mixed_precision=False), "cuda", 1) == "on the device"


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_other_processors_go_the_way_they_went(monkeypatch: pytest.MonkeyPatch, device: str):
    FakeGpu(monkeypatch, 1e9, bfloat16=True)
    trainer = trainer_for(DeepCT(2), FIT, SETTINGS, device, 1)
    assert isinstance(trainer, PlainTrainer)
    assert not trainer.warnings
