"""Training that is stopped, resumed, cut short or loses its device; on a backbone of one layer, so it takes no time."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors
import torch
from tiny_training import FIT, VALIDATION, cohort, one_layer_backbone, same_weights

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import CancelledError, InputError, OutputError
from PDL1PredictorLib.core.progress import Progress
from PDL1PredictorLib.learning.deep import run as deep_run
from PDL1PredictorLib.learning.deep.inference import masked_loss, positive_weights
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage, best_epochs
from PDL1PredictorLib.learning.deep.training import TrainedDeepCT, train_deep_ct
from PDL1PredictorLib.learning.deep.weights import save_backbone
from PDL1PredictorLib.models.device import is_device_failure
from PDL1PredictorLib.networks.deep_ct import DeepCT, input_channels

SETTINGS = DeepTraining(stages=(Stage(3, 16, 1e-2), Stage(2, 20, 1e-3)), batch=4, shift_pixels=2)


@pytest.fixture(autouse=True)
def one_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    one_layer_backbone(monkeypatch)


def stop_at(message: str) -> Progress:
    """Raises in the middle of an epoch, as a kill would."""

    def report(stage: str, fraction: float, text: str) -> None:
        if message in text:
            raise KeyboardInterrupt

    return Progress(report)


def test_the_default_training_is_the_plain_loop_that_made_the_bundled_model():
    """Written down once more, without options: the bundled model can be made again byte by byte."""
    torch.manual_seed(5)
    rng = np.random.default_rng(5)
    network = DeepCT(2, SETTINGS.n_deep, SETTINGS.dropout)
    network.to(memory_format=torch.channels_last)
    for stage in SETTINGS.stages:
        optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.02, lr=stage.learning_rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, stage.learning_rate, total_steps=stage.epochs * 2)
        margin = (20 - stage.pixels) // 2
        for _ in range(stage.epochs):
            network.train()
            for rows in np.array_split(rng.permutation(11)[:8], 2):
                pairs = []
                for row in rows:
                    chosen = rng.integers(3)
                    both = np.stack([FIT.patches_hu[row, chosen], FIT.patches_tumor[row, chosen]]).astype(np.float32)
                    shift = rng.integers(-2, 3, size=2)
                    corner = (margin, margin) if margin < 2 else tuple(margin + shift)
                    both = np.roll(both, tuple(shift), axis=(1, 2)) if margin < 2 else both
                    both = both[:, corner[0] : corner[0] + stage.pixels, corner[1] : corner[1] + stage.pixels]
                    both = both[:, ::-1, ::-1] if rng.random() < 0.5 else both
                    pairs.append(both.transpose(0, 2, 1) if rng.random() < 0.5 else both)
                stacked = np.stack(pairs)
                x = input_channels(torch.from_numpy(stacked[:, 0]), torch.from_numpy(stacked[:, 1]))
                x = x + torch.from_numpy(rng.normal(0.0, 0.03, x.shape).astype(np.float32))
                optimizer.zero_grad()
                logits = network(x.to(memory_format=torch.channels_last)).logits
                masked_loss(logits, torch.from_numpy(FIT.labels[rows].astype(np.float32))).backward()
                torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
                optimizer.step()
                schedule.step()
    trained = train_deep_ct(FIT, VALIDATION, SETTINGS, seed=5)
    assert same_weights(trained, TrainedDeepCT(network, trained.history))


@pytest.mark.parametrize("killed_in", ["epoch 1:", "epoch 3:", "epoch 4:", "epoch 5: loss"])
@pytest.mark.parametrize("patience", [None, 1])
def test_a_killed_training_goes_on_and_ends_with_the_same_weights(tmp_path: Path, killed_in: str, patience: int | None):
    settings = replace(SETTINGS, patience=patience)
    whole = train_deep_ct(FIT, VALIDATION, settings, seed=7)
    file = tmp_path / "Prüfung 1" / "net.checkpoint"
    try:
        train_deep_ct(FIT, VALIDATION, settings, seed=7, progress=stop_at(killed_in), checkpoint=file)
    except KeyboardInterrupt:
        assert file.exists() == (killed_in != "epoch 1:")
    else:
        assert patience == 1  # stopped before that epoch
    messages: list[str] = []
    resumed = train_deep_ct(
        FIT, VALIDATION, settings, 7, progress=Progress(lambda s, f, text: messages.append(text)), checkpoint=file
    )
    assert same_weights(resumed, whole)
    if killed_in != "epoch 1:":
        assert not [text for text in messages if text.startswith("epoch 1:")]


def test_a_training_that_was_finished_is_over_at_once_and_keeps_no_optimizer(tmp_path: Path):
    file = tmp_path / "net.checkpoint"
    finished = train_deep_ct(FIT, VALIDATION, SETTINGS, 7, checkpoint=file)
    with safetensors.safe_open(file, framework="pt") as stored:
        assert not [name for name in stored.keys() if name.startswith("optimizer/")]  # noqa: SIM118  # no mapping
    again = train_deep_ct(FIT, VALIDATION, SETTINGS, 7, progress=stop_at("epoch"), checkpoint=file)
    assert same_weights(again, finished)
    assert again.history == finished.history


def test_the_checkpoint_is_safetensors_without_any_pickle(tmp_path: Path):
    file = tmp_path / "net.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train_deep_ct(FIT, VALIDATION, SETTINGS, 7, progress=stop_at("epoch 2:"), checkpoint=file)
    with safetensors.safe_open(file, framework="pt") as stored:
        assert stored.metadata()["format"] == "pdl1-checkpoint-1"
        names = set(stored.keys())
    assert {"network/features.0.weight", "optimizer/0/exp_avg", "random/cpu"} <= names


def other_settings() -> tuple[PreparedCohort, DeepTraining, int, bool]:
    return FIT, replace(SETTINGS, noise=0.05), 7, False


def other_cases() -> tuple[PreparedCohort, DeepTraining, int, bool]:
    return cohort(11, seed=2), SETTINGS, 7, False


def other_seed() -> tuple[PreparedCohort, DeepTraining, int, bool]:
    return FIT, SETTINGS, 8, False


def another_start() -> tuple[PreparedCohort, DeepTraining, int, bool]:
    return FIT, SETTINGS, 7, True


@pytest.mark.parametrize("another", [other_settings, other_cases, other_seed, another_start])
def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path, another: Callable[[], tuple]):
    file = tmp_path / "net.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train_deep_ct(FIT, VALIDATION, SETTINGS, 7, progress=stop_at("epoch 2:"), checkpoint=file)
    fit, settings, seed, with_start = another()
    start = tmp_path / "start.safetensors"
    save_backbone(DeepCT(1), start)
    with pytest.raises(InputError, match="belongs to a training with other settings, cases or start weights. Delete"):
        train_deep_ct(fit, VALIDATION, settings, seed, start=start if with_start else None, checkpoint=file)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, content: bytes):
    file = tmp_path / "net.checkpoint"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"net.checkpoint cannot be read: .* Delete it to begin anew"):
        train_deep_ct(FIT, VALIDATION, SETTINGS, 7, checkpoint=file)


def test_a_full_disk_is_told_and_the_earlier_checkpoint_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "net.checkpoint"
    with pytest.raises(KeyboardInterrupt):
        train_deep_ct(FIT, VALIDATION, SETTINGS, 7, progress=stop_at("epoch 3:"), checkpoint=file)
    before = file.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("PDL1PredictorLib.learning.deep.checkpoints.safetensors.torch.save_file", full)
    with pytest.raises(OutputError, match="No space left on device"):
        train_deep_ct(FIT, VALIDATION, SETTINGS, 7, checkpoint=file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.fixture
def failing_device(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, RuntimeError], None]]:
    """`cpu:0` is the CPU to torch and another device to the training; it fails at the given step."""

    def fail(step: int, error: RuntimeError) -> None:
        forward, calls = DeepCT.forward, iter(range(1000))

        def failing(self: DeepCT, x: torch.Tensor, contour: torch.Tensor | None = None) -> object:
            if self.training and next(calls) == step:
                raise error
            return forward(self, x, contour)

        monkeypatch.setattr(DeepCT, "forward", failing)

    return fail


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        torch.AcceleratorError("CUDA error: unspecified launch failure\nmore", 719),
        RuntimeError("CUDA error: device-side assert triggered"),
    ],
)
@pytest.mark.parametrize("step", [0, 5])
def test_a_lost_gpu_is_told_and_the_training_goes_on_from_the_last_epoch_on_the_cpu(failing_device, error, step: int):
    whole = train_deep_ct(FIT, VALIDATION, SETTINGS, seed=7)
    failing_device(step, error)
    messages: list[str] = []
    progress = Progress(lambda s, f, text: messages.append(text))
    trained = train_deep_ct(FIT, VALIDATION, SETTINGS, seed=7, device="cpu:0", progress=progress)
    assert same_weights(trained, whole)
    assert trained.device == "cpu"
    epoch = 1 if step == 0 else 3  # two steps an epoch
    assert f"the training goes on from epoch {epoch} on the CPU" in trained.warnings[0]
    assert trained.warnings[0] in messages
    assert "more\n" not in trained.warnings[0]


def test_a_lost_gpu_goes_on_with_the_early_stopping_as_it_stood(failing_device):
    settings = replace(SETTINGS, patience=2, class_weights=True)
    whole = train_deep_ct(FIT, VALIDATION, settings, seed=7)
    failing_device(4, torch.OutOfMemoryError("CUDA out of memory"))
    assert same_weights(train_deep_ct(FIT, VALIDATION, settings, seed=7, device="cpu:0"), whole)


def test_a_fault_of_the_program_is_not_taken_for_a_lost_gpu(failing_device):
    failing_device(3, RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        train_deep_ct(FIT, VALIDATION, SETTINGS, seed=7, device="cpu:0")
    assert not is_device_failure(RuntimeError("shapes"))


def test_the_cpu_itself_out_of_memory_is_not_caught(failing_device):
    failing_device(3, torch.OutOfMemoryError("out of memory"))
    with pytest.raises(torch.OutOfMemoryError):
        train_deep_ct(FIT, VALIDATION, SETTINGS, seed=7)


def scripted_losses(monkeypatch: pytest.MonkeyPatch, losses: list[float]) -> None:
    given = iter(losses)
    monkeypatch.setattr(deep_run, "validation_loss", lambda *_: next(given))


def test_early_stopping_keeps_the_weights_of_the_best_epoch(monkeypatch: pytest.MonkeyPatch):
    one_stage = replace(SETTINGS, stages=(Stage(6, 16, 1e-2),))
    scripted_losses(monkeypatch, [0.9, 0.5, 0.6, 0.7])
    stopped = train_deep_ct(FIT, VALIDATION, replace(one_stage, patience=2), seed=7)
    assert [epoch["validation"] for epoch in stopped.history] == [0.9, 0.5, 0.6, 0.7]
    seen: list[dict[str, torch.Tensor]] = []
    original = deep_run.DeepRun.one_epoch

    def watched(self: deep_run.DeepRun, progress: Progress) -> None:
        original(self, progress)
        seen.append({name: value.clone() for name, value in self.network.state_dict().items()})

    monkeypatch.setattr(deep_run.DeepRun, "one_epoch", watched)
    scripted_losses(monkeypatch, [0.9] * 6)
    train_deep_ct(FIT, VALIDATION, one_stage, seed=7)
    for name, value in stopped.network.state_dict().items():
        assert torch.equal(value, seen[1][name])
    assert not torch.equal(seen[1]["reduce.weight"], seen[2]["reduce.weight"])


def test_a_stage_that_stops_early_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch):
    scripted_losses(monkeypatch, [0.5, 0.6, 0.9, 0.8])
    trained = train_deep_ct(FIT, VALIDATION, replace(SETTINGS, patience=1), seed=7)
    assert len(trained.history) == 4  # two of three epochs, then the whole second stage


def test_a_loss_that_is_never_a_number_stops_and_keeps_the_last_weights(monkeypatch: pytest.MonkeyPatch):
    scripted_losses(monkeypatch, [float("nan")] * 4)
    assert len(train_deep_ct(FIT, VALIDATION, replace(SETTINGS, patience=2), seed=7).history) == 4


def test_class_weights_are_negative_over_positive_cases():
    nan = np.nan
    labels = np.array([[1, 1, nan, 0], [0, 1, nan, nan], [0, 1, nan, 0], [0, nan, nan, 1]], float)
    np.testing.assert_allclose(positive_weights(labels), [3, 1, 1, 2])
    logits, known = torch.zeros(2, 1), torch.tensor([[1.0], [0.0]])
    assert masked_loss(logits, known, torch.tensor([3.0])) == pytest.approx(np.log(2) * (3 + 1) / 2)


def test_class_weights_change_what_is_learned():
    plain = train_deep_ct(FIT, VALIDATION, SETTINGS, seed=7)
    assert not same_weights(plain, train_deep_ct(FIT, VALIDATION, replace(SETTINGS, class_weights=True), seed=7))


def test_every_step_can_be_cancelled():
    steps: list[float] = []

    def report(stage: str, fraction: float, text: str) -> None:
        steps.append(fraction)

    train_deep_ct(FIT, VALIDATION, SETTINGS, seed=7, progress=Progress(report))
    assert len(steps) == 5 * (2 + 1)
    assert steps == sorted(steps)
    assert steps[-1] == pytest.approx(1)
    with pytest.raises(CancelledError):
        train_deep_ct(FIT, VALIDATION, SETTINGS, seed=7, progress=Progress(cancelled=lambda: True))


def test_fewer_cases_than_a_batch_make_one_smaller_batch():
    few = FIT.take(np.arange(3))
    assert len(train_deep_ct(few, VALIDATION, SETTINGS, seed=7).history) == 5


def test_too_few_cases_are_refused():
    with pytest.raises(InputError, match="at least 2 cases to train on, .*; got 1 and 5"):
        train_deep_ct(FIT.take(np.arange(1)), VALIDATION, SETTINGS, seed=7)
    with pytest.raises(InputError, match="and 1 to watch where patience may end the training; got .* and 0"):
        train_deep_ct(FIT, VALIDATION.take(np.arange(0)), replace(SETTINGS, patience=2), seed=7)


def test_without_patience_no_case_need_be_watched_and_the_weights_are_the_same():
    alone = train_deep_ct(FIT, VALIDATION.take(np.arange(0)), SETTINGS, seed=7)
    watched = train_deep_ct(FIT, VALIDATION, SETTINGS, seed=7)
    assert same_weights(replace(alone, history=watched.history), watched)
    assert [list(epoch) for epoch in alone.history] == [["train"]] * 5


@pytest.mark.parametrize(
    ("patience", "losses", "best"),
    [
        (None, [0.5, 0.4, 0.6, 0.3, 0.2], (2, 2)),
        (1, [0.5, 0.6, 0.3, 0.4], (1, 1)),  # the first stage ended after its second epoch
        (2, [0.5, 0.4, 0.6, 0.3, 0.3], (2, 1)),
        (None, [float("nan")] * 5, (1, 1)),
    ],
)
def test_the_best_epoch_of_every_stage_by_hand(patience: int | None, losses: list[float], best: tuple[int, int]):
    history = [{"validation": loss} for loss in losses]
    assert best_epochs(replace(SETTINGS, patience=patience), history) == best


def test_the_best_epochs_are_those_that_the_training_kept(monkeypatch: pytest.MonkeyPatch):
    settings = replace(SETTINGS, stages=(Stage(6, 16, 1e-2), Stage(4, 20, 1e-3)), patience=2)
    scripted_losses(monkeypatch, [0.9, 0.5, 0.6, 0.7, 0.4, 0.3, 0.5, 0.6])
    stopped = train_deep_ct(FIT, VALIDATION, settings, seed=7)
    assert len(stopped.history) == 8  # four epochs of six, four of four
    assert best_epochs(settings, stopped.history) == (2, 2)


@pytest.mark.parametrize("pixels", [7, 21])
def test_a_crop_that_cannot_be_is_refused(pixels: int):
    with pytest.raises(InputError, match=f"densenet121 can be trained on crops of 8 to 20 pixels .* got {pixels}"):
        train_deep_ct(FIT, VALIDATION, replace(SETTINGS, stages=(Stage(1, pixels, 1e-3),)), seed=7)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stages": ()}, "stages of at least one epoch"),
        ({"stages": (Stage(0, 16, 1e-3),)}, "stages of at least one epoch"),
        ({"batch": 1}, "at least 2 cases, for batch norm"),
        ({"backbone": "alexnet"}, "backbone must be one of densenet121"),
        ({"patience": 0}, "patience must be at least 1 epoch"),
        ({"moves": "none"}, "moves must be 'diagonal' or 'all'"),
        ({"rotation_degrees": float("nan")}, "rotation_degrees must lie between 0 and 180"),
    ],
)
def test_impossible_settings_are_refused(change: dict, message: str):
    with pytest.raises(InputError, match=message):
        replace(SETTINGS, **change)
