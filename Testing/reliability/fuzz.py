"""Damaged inputs of every format: which file is damaged, and where damage must be noticed."""

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from campaign import Job, try_each
from mutations import mutated
from small_inputs import write_dicom, write_volumes

SEED = 20


@dataclass(frozen=True)
class Target:
    """A file to damage.

    Attributes:
        name: Of the format, for tables.
        kind: `ct`, `mask` or `bundle`.
        read: What is read, relative to the folder of inputs.
        damaged: The file that is damaged, relative to it.
        start: First byte that may be damaged: what lies before has nothing that could tell.
        told: A checksum or redundancy covers all of it, so that other values may never come back.
        resealed: The hash in the bundle's manifest is made right again: the file itself must be sound.
    """

    name: str
    kind: str
    read: str
    damaged: str
    start: int = 0
    told: bool = False
    resealed: bool = False


def image_targets(folder: Path) -> list[Target]:
    """Write the small inputs into `folder`, and name what can be damaged in them."""
    write_volumes(folder)
    write_dicom(folder)
    nrrd_data = (folder / "ct.nrrd").read_bytes().index(b"\n\n") + 2
    one_slice = sorted(path.name for path in (folder / "series").iterdir())[5]
    return [
        Target("NIfTI", "ct", "ct.nii", "ct.nii"),
        Target("NIfTI, gzip", "ct", "ct.nii.gz", "ct.nii.gz", told=True),
        Target("NIfTI, gzip", "mask", "mask.nii.gz", "mask.nii.gz", told=True),
        Target("NRRD, header", "ct", "ct.nhdr", "ct.nhdr"),
        Target("NRRD, gzip data", "ct", "ct.nrrd", "ct.nrrd", start=nrrd_data, told=True),
        Target("NRRD", "mask", "mask.nrrd", "mask.nrrd"),
        Target("MetaImage", "ct", "ct.mha", "ct.mha"),
        Target("MetaImage, header", "mask", "mask.mhd", "mask.mhd"),
        Target("DICOM series", "ct", "series", f"series/{one_slice}"),
        Target("DICOM RTSTRUCT", "mask", "rtstruct.dcm", "rtstruct.dcm"),
        Target("DICOM SEG", "mask", "seg.dcm", "seg.dcm"),
    ]


def bundle_targets(folder: Path, model: Path) -> list[Target]:
    """Put a bundle into `folder`, as a folder and as a zip, and name what can be damaged in it."""
    from PDL1PredictorLib.models.bundle import pack

    shutil.copytree(model, folder / "model")
    pack(folder / "model", folder / "model.zip")
    files = sorted(json.loads((model / "model.json").read_text(encoding="utf-8"))["files"])
    kinds = {suffix: next(name for name in files if name.endswith(suffix)) for suffix in (".onnx", ".safetensors")}
    tables = next((name for name in files if "table" in name), kinds[".safetensors"])
    return [
        Target("bundle, manifest", "bundle", "model", "model/model.json"),
        Target("bundle, classifier", "bundle", "model", f"model/{kinds['.onnx']}", told=True),
        Target("bundle, classifier under a right hash", "bundle", "model", f"model/{kinds['.onnx']}", resealed=True),
        Target("bundle, tables under a right hash", "bundle", "model", f"model/{tables}", resealed=True),
        Target("bundle, zip", "bundle", "model.zip", "model.zip", told=True),
    ]


def damaged_jobs(folder: Path, targets: list[Target], count: int, seed: int = SEED) -> Iterator[tuple[Target, Job]]:
    """`count` damaged inputs, the targets in turn; each is put right again when the next one is asked for."""
    sound = sound_digests(folder, targets)
    for number in range(count):
        target = targets[number % len(targets)]
        content = (folder / target.damaged).read_bytes()
        how, changed = mutated(seed, number, content[target.start :])
        with _replaced(folder, target, content[: target.start] + changed):
            name = f"{target.name} {number}, {how} ({target.damaged})"
            yield target, _job(name, folder, target, sound[target] if target.told else "")


def sound_digests(folder: Path, targets: list[Target]) -> dict[Target, str]:
    """What comes back of each target before it is damaged."""
    found = {}
    for target, outcome in zip(targets, try_each(_job(t.name, folder, t) for t in targets), strict=True):
        assert outcome.outcome == "read", f"the sound {target.name} is not read: {outcome.text}"
        found[target] = outcome.digest
    return found


def _job(name: str, folder: Path, target: Target, sound: str = "") -> Job:
    ct = "series" if target.read.endswith(".dcm") else "ct.nii.gz"
    return Job(name, target.kind, folder / target.read, folder / ct, sound)


@contextmanager
def _replaced(folder: Path, target: Target, content: bytes) -> Iterator[None]:
    """The damaged file in the place of the sound one."""
    files = {folder / target.damaged: content}
    if target.resealed:
        bundle = folder / target.read
        manifest = json.loads((bundle / "model.json").read_text(encoding="utf-8"))
        name = (folder / target.damaged).relative_to(bundle).as_posix()
        manifest["files"][name] = {"sha256": sha256(content).hexdigest(), "bytes": len(content)}
        files[bundle / "model.json"] = json.dumps(manifest).encode()
    before = {path: path.read_bytes() for path in files}
    try:
        for path, changed in files.items():
            path.write_bytes(changed)
        yield
    finally:
        for path, sound in before.items():
            path.write_bytes(sound)
