"""The trained network as the folder that prediction reads; what was written is read back and held against torch."""

import hashlib
import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any, cast

import numpy as np
import safetensors.numpy
import torch

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.provenance import TRAINING, versions
from PDL1PredictorLib.learning.answering_files import graph_and_constants
from PDL1PredictorLib.learning.network_files import SAME
from PDL1PredictorLib.learning.segmenter.training import TrainedSegmenter
from PDL1PredictorLib.models.network.graph import VOLUME
from PDL1PredictorLib.models.network.weights import rounded
from PDL1PredictorLib.networks.output import AnsweringModule
from PDL1PredictorLib.segmentation.network import (
    CARD,
    FORMAT,
    GRAPH,
    SETTINGS,
    WEIGHTS,
    Segmenter,
    read_segmenter,
    shown_facts,
)
from PDL1PredictorLib.segmentation.shown import CHANNELS, VOXELS

BITS = 8


def write_segmenter(
    trained: TrainedSegmenter, folder: Path, name: str, version: str, shown: Sequence[np.ndarray], cases: dict[str, int]
) -> None:
    """Write graph, weights, settings and card into an empty folder.

    Args:
        trained: The network.
        folder: There already, empty.
        name: Of the network.
        version: Of the network.
        shown: Channels of some cubes, (4, k, j, i), at least one: on them both ways must agree.
        cases: Number of cases of each part.

    Raises:
        ValueError: What was written answers differently.
        BundleError: What was written cannot be read.
    """
    if not len(shown):
        raise ValueError("At least one cube is needed to hold the exported network against the trained one.")
    module = trained.network
    example = {VOLUME: np.zeros((1, CHANNELS, VOXELS, VOXELS, VOXELS), np.float32)}
    graph, constants = graph_and_constants(cast(AnsweringModule, module), example)
    state = {key: value.detach().numpy() for key, value in module.state_dict().items()}
    exact = {key: np.ascontiguousarray(value, np.float32) for key, value in constants.items() if value.size}
    weights = bytes(safetensors.numpy.save({**rounded(state, BITS), **exact}))
    files = {GRAPH: graph, WEIGHTS: weights}
    for file, data in files.items():
        (folder / file).write_bytes(data)
    facts = facts_of(trained, name, version, cases)
    facts["sha256"] = {file: hashlib.sha256(data).hexdigest() for file, data in files.items()}
    (folder / SETTINGS).write_text(json.dumps(facts, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    (folder / CARD).write_text(card(facts), encoding="utf-8")
    check_agreement(read_segmenter(folder), trained, shown)


def facts_of(trained: TrainedSegmenter, name: str, version: str, cases: dict[str, int]) -> dict[str, Any]:
    """Settings, history and where it comes from, as plain values."""
    best = trained.history[trained.best_epoch - 1]
    return {
        "format": FORMAT,
        "name": name,
        "version": version,
        "library_version": __version__,
        "shown": shown_facts(),
        "bits": BITS,
        "weights": int(sum(value.numel() for value in trained.network.parameters())),
        "training": {
            "seed": trained.settings.seed,
            "epochs": trained.settings.epochs,
            "examples_an_epoch": trained.settings.examples,
            "cpu_bfloat16": trained.settings.cpu_bfloat16,
            "best_epoch": trained.best_epoch,
            "validation_dice": best["dice"],
            "device": trained.device,
            "cases": cases,
            "history": list(trained.history),
        },
        "versions": versions(TRAINING),
    }


def check_agreement(written: Segmenter, trained: TrainedSegmenter, shown: Sequence[np.ndarray]) -> None:
    """Hold onnxruntime's answers on what was read back against torch's with the same weights.

    Raises:
        ValueError: They differ.
    """
    module = deepcopy(trained.network)
    names = set(module.state_dict())
    own = {name: torch.from_numpy(value.copy()) for name, value in written.weights.items() if name in names}
    module.load_state_dict(own, strict=False)
    for cube in shown:
        with torch.no_grad():
            wanted = module.eval()(torch.from_numpy(cube[None])).maps.numpy()[0, 0]
        found = written.logits(cube)
        worst = float(np.abs(found - wanted).max())
        if not worst <= SAME * max(1.0, float(np.abs(wanted).max())):
            raise ValueError(f"The exported network answers otherwise than the trained one, {worst:g} apart.")


def card(facts: dict[str, Any]) -> str:
    """What the network is, for people."""
    training, shown = facts["training"], facts["shown"]
    counts = ", ".join(f"{part} {n}" for part, n in training["cases"].items())
    spacings = ", ".join(f"{mm:g}" for mm in shown["spacings_mm"])
    return f"""# {facts["name"]} {facts["version"]}

Draws the contour of a lung tumor from one click or a line, to be checked and corrected by a reader. Research use only.

- *What it sees*: a cube of {shown["voxels"]} voxels along each edge at {spacings} mm, in a lung and a soft tissue
  window, with the click or the line.
- *What it is*: a U-Net in three dimensions, {facts["weights"]} weights of {facts["bits"]} bits.
- *Trained on* (cubes of each part): {counts}. LIDC-IDRI (CC BY 3.0; Armato et al. 2011, doi 10.1118/1.3528204), NSCLC
  Radiogenomics (CC BY 3.0; Bakr et al. 2018, doi 10.1038/sdata.2018.202), and synthetic chests, as far as given.
  Patients are divided as pretraining and studies divide them (seed {training["seed"]}); the part `test` was not seen.
- *Watched cases*: mean Dice {training["validation_dice"]:.3f} at epoch {training["best_epoch"]} of
  {training["epochs"]} ({training["examples_an_epoch"]} examples each), which is the one that was kept, so this figure
  is too good. Figures of untouched patients: `docs/segment.md`.
- *Not for*: organs other than the lung, contours without a reader's check, a diagnosis.
"""
