"""Model bundles that are damaged, edited or made to do harm."""

import json
import math
import shutil
import zipfile
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from campaign import Job
from entry import ACCEPTED, REFUSED, Entry
from safetensors.numpy import load, save

Edit = Callable[[dict[str, Any]], object]


def _manifest(edit: Edit, folder: Path, model: Path) -> Job:
    """The bundle with an edited manifest."""
    made = _copied(folder, model)
    content = json.loads((made / "model.json").read_text(encoding="utf-8"))
    edit(content)
    (made / "model.json").write_text(json.dumps(content), encoding="utf-8")
    return Job("", "bundle", made)


def _copied(folder: Path, model: Path) -> Path:
    return Path(shutil.copytree(model, folder / "model"))


def _text(change: Callable[[str], str], folder: Path, model: Path) -> Job:
    """The bundle with other text as its manifest."""
    made = _copied(folder, model)
    path = made / "model.json"
    path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")
    return Job("", "bundle", made)


def _file(name: str, change: Callable[[bytes], bytes], folder: Path, model: Path) -> Job:
    """The bundle with another file under a hash that fits it."""
    made = _copied(folder, model)
    content = change((made / name).read_bytes())
    (made / name).write_bytes(content)
    manifest = json.loads((made / "model.json").read_text(encoding="utf-8"))
    manifest["files"][name] = {"bytes": len(content), "sha256": sha256(content).hexdigest()}
    (made / "model.json").write_text(json.dumps(manifest), encoding="utf-8")
    return Job("", "bundle", made)


def _zip(entries: Callable[[zipfile.ZipFile, Path], None], folder: Path, model: Path) -> Job:
    with zipfile.ZipFile(folder / "model.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        entries(archive, model)
    return Job("", "bundle", folder / "model.zip")


def _whole(archive: zipfile.ZipFile, model: Path) -> None:
    for path in sorted(model.rglob("*")):
        if path.is_file():
            archive.write(path, path.relative_to(model).as_posix())


def _climbing(archive: zipfile.ZipFile, model: Path) -> None:
    _whole(archive, model)
    archive.writestr("../climbed.md", "x")


def _bomb(archive: zipfile.ZipFile, model: Path) -> None:
    _whole(archive, model)
    archive.writestr("bomb.csv", bytes(200 << 20))


def _set(*path: str | int, value: Any) -> Edit:
    def edit(manifest: dict[str, Any]) -> None:
        place: Any = manifest
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = value

    return edit


def _field(what: str, *path: str | int, value: Any) -> Entry:
    return Entry("bundle", what, REFUSED, partial(_manifest, _set(*path, value=value)))


def _tables(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[bytes], bytes]:
    def edit(content: bytes) -> bytes:
        tensors = {name: values.copy() for name, values in load(content).items()}
        change(tensors)
        return save(tensors)

    return edit


def _no_numbers(tensors: dict[str, np.ndarray]) -> None:
    for name, values in tensors.items():
        if values.dtype.kind == "f":
            tensors[name] = np.full_like(values, math.nan)


def _longer(content: bytes) -> bytes:
    """A header that promises a terabyte."""
    return (2**40).to_bytes(8, "little") + content[8:]


ONE = ("endpoints", "PDL1")

BUNDLES = (
    Entry("bundle", "sound", ACCEPTED, partial(_manifest, lambda manifest: None)),
    Entry("bundle", "sound, as a zip", ACCEPTED, partial(_zip, _whole)),
    _field("AUC 17", *ONE, "test", "auc", value=17),
    _field("AUC that is no number", *ONE, "test", "low", value=math.nan),
    _field("threshold 7.5", *ONE, "threshold", value=7.5),
    _field("coverage -1", "coverage", value=-1),
    _field("one conformal value", *ONE, "conformal", value=[0.5]),
    _field("a slope without end", *ONE, "calibration", "slope", value=math.inf),
    _field("a slope in words", *ONE, "calibration", "slope", value="steep"),
    _field("a slope that is true", *ONE, "calibration", "slope", value=True),
    _field("a spread of 0", *ONE, "input_sd", 0, value=0),
    _field(
        "a coefficient that is no number", *ONE, "radscore", "tumor", "tumor_original_firstorder_Mean", value=math.nan
    ),
    _field("the feature of another model", *ONE, "radscore", "tumor", "tumor_of_another", value=1.0),
    _field("distance 0 of the reference cases", "reference", "limits", "selected", value=0),
    _field("a negative distance", "reference", "limits", "selected", value=-3),
    _field("a thousand million deep features", "network", "n_deep", value=10**9),
    _field("an unknown backbone", "network", "backbone", value="../../weights"),
    _field("a patch of 10^6 pixels", "regions", "patch_pixels", value=10**6),
    _field("an endpoint that nobody knows", "endpoints", "WEATHER", value={}),
    _field("a schema of the future", "schema_version", value=99),
    _field("a family that nobody knows", "family", value="oracle"),
    _field("a need that nobody knows", "needs", "genes", value=True),
    _field("a volume for a network of slices", "needs", "picture", value="volume"),
    _field("another kind of answer", *ONE, "kind", value="time"),
    _field("a number where a yes or no is", *ONE, "kind", value="number"),
    _field("a part that nobody knows", *ONE, "parts", value=["deep", "mood"]),
    _field("a part without its inputs", *ONE, "parts", value=["deep"]),
    _field("weights of 4 bits", "network", "bits", value=4),
    _field("a graph outside the bundle", "network", "graph", value="/etc/passwd"),
    _field("a network outside the bundle", "network", "file", value="/etc/passwd"),
    Entry(
        "bundle",
        "a number of 400 digits",
        REFUSED,
        partial(_text, lambda t: t.replace('"schema_version": 4', '"schema_version": ' + "9" * 400)),
    ),
    Entry(
        "bundle",
        "1e999 as a number",
        REFUSED,
        partial(_text, lambda t: t.replace('"coverage": 0.9', '"coverage": 1e999')),
    ),
    Entry(
        "bundle", "half a character", REFUSED, partial(_text, lambda t: t.replace('"title": "', '"title": "\\ud800'))
    ),
    Entry("bundle", "a hundred thousand brackets", REFUSED, partial(_text, lambda t: "[" * 100_000)),
    Entry(
        "bundle", "a key that stands twice", REFUSED, partial(_text, lambda t: t.replace("{", '{"name": "other", ', 1))
    ),
    Entry("bundle", "tables without numbers", REFUSED, partial(_file, "tables.safetensors", _tables(_no_numbers))),
    Entry("bundle", "tables that promise a terabyte", REFUSED, partial(_file, "tables.safetensors", _longer)),
    Entry(
        "bundle",
        "a pickle as classifier",
        REFUSED,
        partial(_file, "classifiers/PDL1.onnx", lambda c: b"\x80\x04K\x01."),
    ),
    Entry("bundle", "an empty classifier", REFUSED, partial(_file, "classifiers/PDL1.onnx", lambda c: b"")),
    Entry("bundle", "a zip that leaves its folder", REFUSED, partial(_zip, _climbing)),
    Entry("bundle", "a zip bomb", REFUSED, partial(_zip, _bomb)),
)
