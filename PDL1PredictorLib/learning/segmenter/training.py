"""The training of the small network: steps, what is watched, and a state that can be kept and taken up again."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.learning.deep.checkpoints import Snapshot, group_of, on_cpu, read_checkpoint, write_checkpoint
from PDL1PredictorLib.learning.deep.descent import laid_out
from PDL1PredictorLib.learning.segmenter.cubes import SOURCES, Cubes, WideCube
from PDL1PredictorLib.learning.segmenter.drawing import Drawn, draw
from PDL1PredictorLib.networks.segmenter import WIDTHS, SegmenterNetwork
from PDL1PredictorLib.segmentation.shown import CHANNELS

NETWORK, BEST, OPTIMIZER = "network/", "best/", "optimizer/"
CLIP_NORM = 5.0
SOURCE_SHARES = {"LIDC": 0.4, "NSCLC": 0.4, "phantom": 0.2}
OWN_SHARE = 0.7
MOST_WATCHED = 40  # of each source


@dataclass(frozen=True)
class SegmenterTraining:
    """Everything that decides what comes out.

    Attributes:
        seed: Of weights and of everything that is drawn.
        epochs: How often the network is watched.
        examples: Drawn an epoch.
        batch: Cubes a step.
        learning_rate: The highest.
        weight_decay: Of AdamW.
        widths: Of the network.
        cpu_bfloat16: Whether a CPU computes in 16 bits, as a GPU does; answers are always computed in 32.
        threads: That draw examples; what is drawn does not depend on it.
    """

    seed: int = 1
    epochs: int = 60
    examples: int = 400
    batch: int = 8
    learning_rate: float = 3e-3
    weight_decay: float = 1e-4
    widths: tuple[int, ...] = WIDTHS
    cpu_bfloat16: bool = False
    threads: int = field(default=4, compare=False)


@dataclass(frozen=True, eq=False)
class TrainedSegmenter:
    """What came out.

    Attributes:
        network: The epoch with the best Dice of the watched cases; in evaluation mode, on the CPU.
        history: Of each epoch, loss and Dice.
        best_epoch: From 1.
        device: Where it was trained.
        settings: How.
    """

    network: SegmenterNetwork
    history: tuple[dict[str, float], ...]
    best_epoch: int
    device: str
    settings: SegmenterTraining


def train_segmenter(
    fit: Cubes,
    validation: Cubes,
    settings: SegmenterTraining,
    device: str = "cpu",
    progress: Progress = SILENT,
    checkpoint: Path | None = None,
) -> TrainedSegmenter:
    """Train the network.

    Args:
        fit: To learn from.
        validation: Watched after every epoch, by one click a case that is always the same.
        settings: How.
        device: Where.
        progress: Told of each step; it may cancel.
        checkpoint: Keeps the state after every epoch; a training of the same cases and settings goes on from it.

    Raises:
        InputError: The checkpoint belongs to another training.
        CancelledError: The user cancelled; the checkpoint stays.
    """
    run = _Run(fit, validation, settings, device)
    mark = fingerprint(fit, validation, settings)
    if checkpoint is not None and checkpoint.exists():
        run.restore(read_checkpoint(checkpoint, mark))
    while len(run.history) < settings.epochs:
        run.one_epoch(progress)
        if checkpoint is not None:
            write_checkpoint(checkpoint, run.snapshot(), mark)
    return run.trained()


def loss_of(logits: Tensor, tumor: Tensor, known: Tensor) -> Tensor:
    """Cross entropy and soft Dice, halves of the sum; unknown voxels count nowhere; all (n, k, j, i)."""
    voxels = functional.binary_cross_entropy_with_logits(logits, tumor, reduction="none")
    entropy = (voxels * known).sum() / known.sum().clamp(min=1)
    chance = torch.sigmoid(logits) * known
    shared = (chance * tumor).sum(dim=(1, 2, 3))
    both = chance.sum(dim=(1, 2, 3)) + (tumor * known).sum(dim=(1, 2, 3))
    return entropy + 1 - ((2 * shared + 1) / (both + 1)).mean()


def fingerprint(fit: Cubes, validation: Cubes, settings: SegmenterTraining) -> str:
    """What a training is made from: equal fingerprints, equal training."""
    facts = {name: value for name, value in asdict(settings).items() if name != "threads"}
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for part in (fit, validation):
        for cube in part.cases:
            digest.update(f"{cube.name} {cube.source} {cube.wide} {cube.spacing_mm}".encode())
            for array in (cube.hu, cube.tumor, cube.known):
                digest.update(np.ascontiguousarray(array).tobytes())
        digest.update(json.dumps([len(hosts) for hosts in part.hosts.values()]).encode())
    return digest.hexdigest()


def shares_of(cases: Sequence[WideCube]) -> np.ndarray:
    """Share of each case among what is drawn, (n,): by its source; a click's own spacing more often than a wider."""
    weights = np.array([1 - OWN_SHARE if cube.wide else OWN_SHARE for cube in cases])
    for source, share in SOURCE_SHARES.items():
        own = np.array([cube.source == source for cube in cases])
        if own.any():
            weights[own] *= share / weights[own].sum()
    return np.asarray(weights / weights.sum())


def watched_cases(cases: Sequence[WideCube]) -> list[WideCube]:
    """Those that are watched: at a click's own spacing, evenly over each source."""
    found = []
    for source in SOURCES:
        own = [cube for cube in cases if cube.source == source and not cube.wide]
        places = np.linspace(0, len(own) - 1, min(len(own), MOST_WATCHED)).astype(int)
        found += [own[place] for place in places]
    return found


class _Run:
    """A training between two epochs."""

    def __init__(self, fit: Cubes, validation: Cubes, settings: SegmenterTraining, device: str) -> None:
        torch.manual_seed(settings.seed)
        self._fit, self._validation, self._settings, self._device = fit, validation, settings, torch.device(device)
        network = SegmenterNetwork(CHANNELS, settings.widths).to(self._device)
        self.network = laid_out(network, torch.channels_last_3d)
        self._sixteen = self._device.type == "cuda" or (self._device.type == "cpu" and settings.cpu_bfloat16)
        self._shares = shares_of(fit.cases)
        self._watch = watched_cases(validation.cases)
        self._steps = -(-settings.examples // settings.batch)
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, settings.learning_rate, total_steps=settings.epochs * self._steps
        )
        self.history: list[dict[str, float]] = []
        self._best: dict[str, Tensor] = {}
        self._best_epoch = 0

    def one_epoch(self, progress: Progress) -> None:
        self.network.train()
        losses = []
        for step, (shown, tumor, known) in enumerate(self._batches()):
            losses.append(self._step(shown, tumor, known))
            done = (len(self.history) + (step + 1) / self._steps) / self._settings.epochs
            progress.step("network", done, f"epoch {len(self.history) + 1}, loss {losses[-1]:.3f}")
        watched = self._watched()
        self.history.append({"loss": float(np.mean(losses)), "dice": watched})
        if watched >= max(epoch["dice"] for epoch in self.history):
            self._best, self._best_epoch = on_cpu(self.network.state_dict()), len(self.history)

    def _batches(self) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """The examples of an epoch; each has a generator of its own, so threads change nothing."""
        settings, epoch = self._settings, len(self.history)
        rng = np.random.default_rng([settings.seed, 3, epoch])
        rows = rng.choice(len(self._fit.cases), settings.examples, p=self._shares)

        def some(places: range) -> list[Drawn]:
            return [one(place, self._fit.cases[int(rows[place])]) for place in places]

        def one(place: int, cube: WideCube) -> Drawn:
            hosts = self._fit.hosts.get(cube.spacing_mm, ())
            return draw(cube, hosts, np.random.default_rng([settings.seed, 4, epoch, place]))

        with ThreadPoolExecutor(settings.threads) as pool:
            groups = [range(len(rows))[a : a + settings.batch] for a in range(0, len(rows), settings.batch)]
            coming = [pool.submit(some, places) for places in groups[:2]]
            for number in range(len(groups)):
                if number + 2 < len(groups):
                    coming.append(pool.submit(some, groups[number + 2]))
                yield self._tensors(coming[number].result())
                coming[number] = coming[-1]  # what was used is let go

    def _tensors(self, drawn: list[Drawn]) -> tuple[Tensor, Tensor, Tensor]:
        shown, tumor, known = (
            torch.from_numpy(np.stack([getattr(one, name) for one in drawn])).to(self._device)
            for name in ("shown", "tumor", "known")
        )
        return shown.to(memory_format=torch.channels_last_3d), tumor, known

    def _step(self, shown: Tensor, tumor: Tensor, known: Tensor) -> float:
        self._optimizer.zero_grad()
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._sixteen):
            logits = self.network(shown).maps[:, 0]
        loss = loss_of(logits.float(), tumor, known)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), CLIP_NORM)
        self._optimizer.step()
        self._schedule.step()
        return float(loss.detach())

    def _watched(self) -> float:
        """Mean Dice of the watched cases, one click each; each source counts alike."""
        self.network.eval()
        found: dict[str, list[float]] = {}
        for row, cube in enumerate(self._watch):
            one = draw(cube, (), np.random.default_rng([self._settings.seed, 5, row]), moved=False)
            shown, tumor, known = self._tensors([one])
            with torch.no_grad():
                answer = (self.network(shown).maps[:, 0] > 0).float() * known
            both = answer.sum() + (tumor * known).sum()
            found.setdefault(cube.source, []).append(float(2 * (answer * tumor).sum() / both.clamp(min=1)))
        return float(np.mean([np.mean(some) for some in found.values()]))

    def snapshot(self) -> Snapshot:
        state = self._optimizer.state_dict()
        named = {f"{OPTIMIZER}{i}/{name}": value for i, part in state["state"].items() for name, value in part.items()}
        network = {NETWORK + name: value for name, value in self.network.state_dict().items()}
        best = {BEST + name: value for name, value in self._best.items()}
        facts: dict[str, Any] = {
            "groups": state["param_groups"],
            "schedule": self._schedule.state_dict(),
            "history": self.history,
            "best_epoch": self._best_epoch,
        }
        return Snapshot(on_cpu({**network, **best, **named}), facts)

    def restore(self, snapshot: Snapshot) -> None:
        self.network.load_state_dict(group_of(snapshot, NETWORK))
        self._best = group_of(snapshot, BEST)
        state: dict[int, dict[str, Tensor]] = {}
        for key, value in group_of(snapshot, OPTIMIZER).items():
            index, name = key.split("/")
            state.setdefault(int(index), {})[name] = value
        groups = [{**group, "betas": tuple(group["betas"])} for group in snapshot.facts["groups"]]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})
        self._schedule.load_state_dict(dict(snapshot.facts["schedule"]))
        self.history = list(snapshot.facts["history"])
        self._best_epoch = int(snapshot.facts["best_epoch"])

    def trained(self) -> TrainedSegmenter:
        best = laid_out(deepcopy(self.network).to("cpu"), torch.contiguous_format)
        best.load_state_dict(self._best)
        return TrainedSegmenter(best.eval(), tuple(self.history), self._best_epoch, self._device.type, self._settings)
