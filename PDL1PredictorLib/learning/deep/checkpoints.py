"""A training's state between two epochs, kept in one safetensors file, so that a training that was killed goes on.

Nothing is pickled: arrays are tensors of the file, everything else is JSON in its header.
"""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from PDL1PredictorLib.cohort.prepared import PreparedCohort
from PDL1PredictorLib.core.errors import InputError
from PDL1PredictorLib.core.files.output import whole_file

FORMAT = "pdl1-checkpoint-1"


@dataclass(frozen=True, eq=False)
class Snapshot:
    """Everything that the next epoch depends on.

    Attributes:
        tensors: On the CPU, by name; the snapshot's own copies.
        facts: The rest: plain values that JSON keeps exactly.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Any]


def on_cpu(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Contiguous copies on the CPU: safetensors keeps no other layout.

    From a GPU all of a kind come in one transfer: a network has a thousand tensors, and each transfer waits.
    """
    kinds = {(value.dtype, value.device) for value in tensors.values()}
    copies: dict[str, Tensor] = {}
    for dtype, device in kinds:
        alike = {name: value for name, value in tensors.items() if (value.dtype, value.device) == (dtype, device)}
        copies |= _one_by_one(alike) if device.type == "cpu" else in_one_transfer(alike)
    return {name: copies[name] for name in tensors}


def _one_by_one(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().to("cpu", copy=True).contiguous() for name, value in tensors.items()}


def in_one_transfer(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The same, for tensors of one type on one device."""
    whole = torch.cat([value.detach().reshape(-1) for value in tensors.values()]).to("cpu")
    copies, first = {}, 0
    for name, value in tensors.items():
        copies[name] = whole[first : first + value.numel()].clone().view(value.shape)
        first += value.numel()
    return copies


def group_of(snapshot: Snapshot, prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin so, by the rest of their names."""
    return {name.removeprefix(prefix): value for name, value in snapshot.tensors.items() if name.startswith(prefix)}


def fingerprint(facts: dict[str, Any], cohorts: tuple[PreparedCohort, ...], start: Path | None) -> str:
    """What a training is made from: equal fingerprints, equal training.

    Args:
        facts: Settings and seed, plain values for JSON.
        cohorts: Fit and validation cases: their names, labels and patches count.
        start: Weight file of the start, if there is one: its content counts.
    """
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for cohort in cohorts:
        digest.update(json.dumps([cohort.names, cohort.endpoints, cohort.patches_hu.shape]).encode())
        for array in (cohort.patches_hu, cohort.patches_tumor, cohort.labels):
            digest.update(np.ascontiguousarray(array).tobytes())
    if start is not None:
        digest.update(start.read_bytes())
    return digest.hexdigest()


def write_checkpoint(file: Path, snapshot: Snapshot, training: str) -> None:
    """Replace the file by this state, whole or not at all.

    Args:
        file: Of safetensors.
        snapshot: The state.
        training: Its fingerprint.

    Raises:
        OutputError: The file cannot be written; the earlier one is still there.
    """
    header = {"format": FORMAT, "training": training, "facts": json.dumps(snapshot.facts)}
    with whole_file(file, overwrite=True) as draft:
        safetensors.torch.save_file(snapshot.tensors, draft, metadata=header)


def read_checkpoint(file: Path, training: str) -> Snapshot:
    """The state that was written last.

    Args:
        file: Of safetensors.
        training: Fingerprint of the training that wants to go on.

    Raises:
        InputError: The file is damaged, or belongs to a training of other settings or cases.
    """
    remedy = "Delete it to begin anew, or choose another file."
    try:
        with safetensors.safe_open(file, framework="pt") as stored:
            header = stored.metadata() or {}
            if header.get("format") != FORMAT:
                raise ValueError(f"its format is {header.get('format')!r}, {FORMAT!r} was expected")
            facts = json.loads(header["facts"])
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118  # no mapping
    except (OSError, ValueError, KeyError, safetensors.SafetensorError) as error:
        raise InputError(f"The checkpoint {file} cannot be read: {error}. {remedy}") from error
    if header.get("training") != training:
        raise InputError(
            f"The checkpoint {file} belongs to a training with other settings, cases or start weights. {remedy}"
        )
    return Snapshot(tensors, facts)
