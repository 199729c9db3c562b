"""Images a second of the network's training, and where they are lost; on random patches, so nothing need be prepared.

    python Testing/benchmarks/bench_training.py
    python Testing/benchmarks/bench_training.py --study

The first needs torch, NumPy, SciPy and safetensors, and takes less than 3 minutes on an NVIDIA GPU; the second also the
packages of a training (`pip install .[train]`), and times a whole study of 600 prepared cases. Both write a table; with
`--json FILE` also plain values. On a computer without a GPU it measures what can be measured, on fewer cases.
"""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))


class NoImages(ModuleType):
    """In place of SimpleITK where it is not installed: no image is read here."""

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


if "SimpleITK" not in sys.modules and find_spec("SimpleITK") is None:
    sys.modules["SimpleITK"] = NoImages("SimpleITK")

from PDL1PredictorLib.cohort.prepared import PreparedCohort  # noqa: E402
from PDL1PredictorLib.core.progress import Progress  # noqa: E402
from PDL1PredictorLib.core.targets import Target  # noqa: E402
from PDL1PredictorLib.learning.deep.augmentation import batches, batches_per_epoch  # noqa: E402
from PDL1PredictorLib.learning.deep.capture import Gradients, Step, captured  # noqa: E402
from PDL1PredictorLib.learning.deep.device_patches import DevicePatches, Moves, draw_moves  # noqa: E402
from PDL1PredictorLib.learning.deep.device_trainer import DeviceTrainer  # noqa: E402
from PDL1PredictorLib.learning.deep.run import DeepRun  # noqa: E402
from PDL1PredictorLib.learning.deep.settings import DeepTraining, Stage  # noqa: E402
from PDL1PredictorLib.learning.deep.trainer import HostTrainer, Trainer  # noqa: E402
from PDL1PredictorLib.networks.deep_ct import DeepCT  # noqa: E402

GOAL = 1400  # images/s of whole epochs, batches of 16, 112 pixels, on one H200
ENDPOINTS, SLICES, FEATURES = 10, 5, 1702


class Size(NamedTuple):
    """How much is measured.

    Attributes:
        cases: Training cases.
        watched: Validation cases.
        pixels: Edge of the patches and of the crop.
        seconds: Of each measurement, at least.
    """

    cases: int
    watched: int
    pixels: int
    seconds: float


def random_cohort(n: int, size: Size, seed: int = 0) -> PreparedCohort:
    """Noise in place of patients, of the shapes and types of prepared cases."""
    rng = np.random.default_rng(seed)
    shape = (n, SLICES, size.pixels, size.pixels)
    hu = rng.integers(-1000, 400, shape, dtype=np.int16)
    labels = rng.integers(0, 2, (n, ENDPOINTS)).astype(float)
    targets = {f"E{number}": Target("binary", column) for number, column in enumerate(labels.T)}
    blocks = {"slices": hu, "slices_tumor": rng.random(shape, dtype=np.float32) < 0.2}
    return PreparedCohort(tuple(f"case-{i}" for i in range(n)), targets, blocks)


def training(batch: int, size: Size) -> DeepTraining:
    """As a study trains, on crops as wide as the patch."""
    stage = Stage(1000, size.pixels, 1e-3)
    return DeepTraining(stages=(stage,), batch=batch, dropout=0.3, rotation_degrees=10.0, patience=1000)


class Clock:
    """Seconds until the device has done what it was told."""

    def __init__(self, device: str) -> None:
        self._on_gpu = torch.device(device).type == "cuda"

    def now(self) -> float:
        """Waits for the device."""
        if self._on_gpu:
            torch.cuda.synchronize()
        return perf_counter()

    def rate(self, work: Callable[[], int], seconds: float) -> float:
        """Images a second of work that says how many images it made: once to warm up, then until the time is over."""
        work()
        begun, images = self.now(), 0
        while True:
            images += work()
            spent = self.now() - begun
            if spent >= seconds:
                return images / spent


def cpu_augmentation(cohort: PreparedCohort, settings: DeepTraining) -> Callable[[], int]:
    """Batches as the CPU makes them, one at a time."""
    rng = np.random.default_rng(1)

    def endless() -> Iterator[int]:
        while True:
            for x, _ in batches(cohort, settings.stages[0], settings, rng):
                yield len(x)

    made = endless()
    return lambda: next(made)


def device_augmentation(cohort: PreparedCohort, settings: DeepTraining, device: str) -> Callable[[], int]:
    """An epoch of batches on the device."""
    here, generator = DevicePatches(cohort, device), torch.Generator(device).manual_seed(1)
    return lambda: sum(len(x) for x, _ in here.batches(settings.stages[0], settings, generator))


def steps(settings: DeepTraining, device: str, capture: Callable[[Gradients], Step] | None) -> Callable[[], int]:
    """Ten steps on one batch, the optimizer included."""
    network = DeepCT(ENDPOINTS, dropout=settings.dropout).to(device).to(memory_format=torch.channels_last).train()
    shape, on_gpu = (settings.batch, 3, *[settings.stages[0].pixels] * 2), torch.device(device).type == "cuda"
    gradients = Gradients(network, shape, ENDPOINTS, bfloat16=on_gpu)
    gradients.x.normal_()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-4, **({"fused": True} if on_gpu else {}))
    step = gradients if capture is None else capture(gradients)
    count = 10 if on_gpu else 1

    def ten() -> int:
        for _ in range(count):
            step()
            optimizer.step()
        return count * settings.batch

    return ten


def epoch_alone(trainer: Trainer, settings: DeepTraining) -> Callable[[], int]:
    """An epoch without a look at the validation cases."""
    stage = settings.stages[0]
    trainer.enter(stage)

    def once() -> int:
        trainer.epoch(stage, lambda done, known: None)
        return trainer.steps * settings.batch

    return once


def epoch_whole(run: DeepRun, fit: PreparedCohort, settings: DeepTraining) -> Callable[[], int]:
    """An epoch as a training has it: validation loss, best weights and the state for going on included."""

    def once() -> int:
        run.one_epoch(Progress())
        run.snapshot()
        return batches_per_epoch(len(fit), settings.batch) * settings.batch

    return once


def measures(batch: int, size: Size, device: str) -> Iterator[tuple[str, Callable[[], Callable[[], int]]]]:
    """What is measured: its name, and what prepares the work."""
    settings, on_gpu = training(batch, size), torch.device(device).type == "cuda"
    fit, watched = random_cohort(size.cases, size), random_cohort(size.watched, size, 1)

    def network() -> DeepCT:
        return DeepCT(ENDPOINTS, dropout=settings.dropout).to(device).to(memory_format=torch.channels_last)

    yield "augmentation on the CPU", lambda: cpu_augmentation(fit, settings)
    yield f"augmentation on {device}", lambda: device_augmentation(fit, settings, device)
    yield "step, not captured", lambda: steps(settings, device, None)
    if on_gpu:
        yield "step, captured", lambda: steps(settings, device, captured)
        yield "step, captured, kernels by trial", lambda: steps_by_trial(settings, device)
    yield "epoch, batches from the CPU", lambda: epoch_alone(HostTrainer(network(), fit, settings, device, 1), settings)
    capture = captured if on_gpu else None
    if on_gpu:
        yield (
            "epoch, patches on the device, not captured",
            lambda: epoch_alone(DeviceTrainer(network(), fit, settings, device, 1, None), settings),
        )
    yield (
        "epoch, patches on the device",
        lambda: epoch_alone(DeviceTrainer(network(), fit, settings, device, 1, capture), settings),
    )
    yield (
        f"epoch with {size.watched} validation cases and its state kept",
        lambda: epoch_whole(DeepRun(fit, watched, settings, 1, None, device), fit, settings),
    )


def steps_by_trial(settings: DeepTraining, device: str) -> Callable[[], int]:
    """With cuDNN's kernels chosen by trial, which takes long at the start."""
    torch.backends.cudnn.benchmark = True
    try:
        return steps(settings, device, captured)
    finally:
        torch.backends.cudnn.benchmark = False


def agreement(size: Size, device: str) -> dict[str, float]:
    """How far the ways differ: moved patches on CPU and device; losses captured or not, and of a training gone on."""
    settings, fit = replace(training(16, size), dropout=0.0), random_cohort(64, size)
    ways = {"captured": captured, "not captured": None} if device != "cpu" else {"not captured": None}
    losses = {f"third loss, {name}": _third_loss(fit, settings, device, capture) for name, capture in ways.items()}
    first, second = (DeepRun(fit, fit.take(np.arange(8)), settings, 1, None, device) for _ in range(2))
    first.one_epoch(Progress())
    second.restore(first.snapshot())
    for run in (first, second):
        torch.manual_seed(1)
        run.one_epoch(Progress())
        print(*run.warnings, sep="\n", end="")
    went_on = {
        f"second loss, {name}": run.history[1]["train"] for name, run in (("straight", first), ("gone on", second))
    }
    return {**_moved_apart(fit, settings, device), **losses, **went_on}


def _moved_apart(fit: PreparedCohort, settings: DeepTraining, device: str) -> dict[str, float]:
    moves, rows = draw_moves(len(fit), SLICES, settings, torch.Generator().manual_seed(1)), torch.arange(len(fit))
    found = []
    for where in ("cpu", device):
        there = Moves(*(None if part is None else part.to(where) for part in moves))
        patches = DevicePatches(fit, where)
        found.append(patches.moved(rows.to(where), there, settings.stages[0].pixels, settings.shift_pixels))
    hu, tumor = (float((a - b.cpu()).abs().max()) for a, b in zip(*found, strict=True))
    return {"largest difference of HU": hu, "largest difference of the contour": tumor}


def _third_loss(
    fit: PreparedCohort, settings: DeepTraining, device: str, capture: Callable[[Gradients], Step] | None
) -> float:
    torch.manual_seed(1)
    network = DeepCT(ENDPOINTS).to(device).to(memory_format=torch.channels_last)
    trainer = DeviceTrainer(network, fit, settings, device, 1, capture)
    trainer.enter(settings.stages[0])
    losses = [trainer.epoch(settings.stages[0], lambda done, known: None) for _ in range(3)]
    print(*trainer.warnings, sep="\n", end="")
    return losses[-1]


def study(size: Size, device: str) -> dict[str, float]:
    """Seconds of a study of prepared cases, and what its parts took."""
    from PDL1PredictorLib.recipes.deepradscore import DeepRadScoreRecipe, study_training
    from PDL1PredictorLib.study.run import Study, run_study

    cohort, rng = random_cohort(size.cases, size), np.random.default_rng(2)
    signal = cohort.labels @ rng.normal(0, 0.3, (ENDPOINTS, FEATURES)) + rng.normal(0, 1, (size.cases, FEATURES))
    names = ("tumor_original_shape_VoxelVolume", *(f"tumor_original_firstorder_F{i}" for i in range(1, FEATURES)))
    signal[:, 0] = np.exp(8 + signal[:, 0] / 3)
    moved = np.where(
        (np.arange(size.cases) % 4 == 0)[:, None, None], signal[:, None] + rng.normal(0, 0.3, 4)[:, None], np.nan
    )
    cohort = replace(
        cohort.with_blocks(features=signal, sanity=rng.normal(size=(size.cases, 9)), moved=moved), feature_names=names
    )
    deep = study_training(size.pixels)
    if size.cases < 200:
        deep = replace(deep, stages=(Stage(1, size.pixels, 1e-3),))
    recipe = DeepRadScoreRecipe(cohort.endpoints, deep=deep)
    begun, parts = perf_counter(), Progress()
    with parts.part("study", 0.0, 1.0) as part:
        run_study(Study(cohort, cohort.names, recipe, device), part)
    return {"whole study": perf_counter() - begun, **{f"of it {name}": s for name, s in parts.seconds.items()}}


def machine(device: str) -> str:
    """Where it was measured."""
    gpu = torch.cuda.get_device_name(device) if torch.device(device).type == "cuda" else "no GPU"
    return f"{gpu}, {torch.get_num_threads()} threads, {platform.system()}, torch {torch.__version__}"


def rates(batch: int, size: Size, device: str) -> dict[str, float | str]:
    """Images a second of all that is measured; the reason of what failed, and the rest goes on."""
    found: dict[str, float | str] = {}
    for name, prepare in measures(batch, size, device):
        try:
            found[name] = Clock(device).rate(prepare(), size.seconds)
            print(f"batch {batch:>2}: {found[name]:8.1f} images/s  {name}", flush=True)
        except RuntimeError as error:
            found[name] = str(error)
            print(f"batch {batch:>2}: failed  {name}: {error}", flush=True)
    return found


def main(words: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--study", action="store_true", help="time a whole study of prepared cases")
    parser.add_argument("--tiny", action="store_true", help="only see that it runs")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args(words)
    device, tiny = arguments.device, arguments.tiny
    facts: dict[str, Any] = {"machine": machine(device)}
    print(facts["machine"])
    if arguments.study:
        facts["seconds"] = study(Size(120, 0, 48, 0.0) if tiny else Size(600, 0, 112, 0.0), device)
        print(*(f"{name}: {seconds:.1f} s" for name, seconds in facts["seconds"].items()), sep="\n")
    else:
        size = Size(600, 150, 112, 2.5) if device != "cpu" else Size(64, 16, 112, 2.5)
        size = Size(32, 4, 48, 0.0) if tiny else size
        facts["agreement"] = agreement(size, device)
        print(*(f"{name}: {value:.5g}" for name, value in facts["agreement"].items()), sep="\n")
        for batch in (16,) if tiny else (16, 64):
            facts[f"images a second, batch {batch}"] = rates(batch, size, device)
        print(f"Goal: {GOAL} images/s of epochs in batches of 16 on an H200.")
    if arguments.json:
        arguments.json.write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
