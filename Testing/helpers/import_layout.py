"""The parts of a bundle, written out again as a folder of parts from elsewhere."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression

from PDL1PredictorLib.learning.classifiers import to_onnx_bytes
from PDL1PredictorLib.models.bundle import Bundle, read_bundle

SCORES, SCALES, INPUTS = "scores.csv", "scales.csv", "inputs.csv"


def write_layout(bundle: Path | Bundle, folder: Path, **changes: Any) -> Path:
    """The tiny model as such a folder; `changes` are other entries of its page."""
    own = bundle if isinstance(bundle, Bundle) else read_bundle(bundle)
    manifest, first = own.manifest, own.manifest["endpoints"]["PDL1"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "net.safetensors").write_bytes(own.file("network.safetensors"))
    for key in manifest["endpoint_order"]:
        (folder / f"{key}.onnx").write_bytes(own.file(manifest["endpoints"][key]["model"]["file"]))
    rows = [("region", "feature", "coefficient")]
    rows += [(region, name, value) for region, found in first["radscore"].items() for name, value in found.items()]
    write_csv(folder / SCORES, rows)
    scales = [
        (name.split("_")[0], name, mean, manifest["feature_sd"][name])
        for name, mean in manifest["feature_mean"].items()
    ]
    write_csv(folder / SCALES, [("region", "feature", "mean", "sd"), *scales])
    names = [*(f"deep_{i + 1}" for i in range(10)), "radscore_tumor", "radscore_ring"]
    inputs = zip(names, first["input_mean"], first["input_sd"], strict=True)
    write_csv(folder / INPUTS, [("input", "mean", "sd"), *inputs])
    page = {**page_of(manifest), **changes}
    (folder / "import.json").write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")
    return folder


def page_of(manifest: Any) -> dict[str, Any]:
    """The page that goes with the files."""
    endpoints = {
        key: {
            "parts": ["deep", "radscore"],
            "classifier": f"{key}.onnx",
            "kind": found["model"]["kind"],
            "radscore": SCORES,
            "inputs": INPUTS,
            "calibration": {name: found["calibration"][name] for name in ("slope", "intercept")},
            "threshold": found["threshold"],
            "base_rate": found["base_rate"],
        }
        for key, found in ((key, manifest["endpoints"][key]) for key in manifest["endpoint_order"])
    }
    return {
        "layout": 1,
        "title": "From elsewhere",
        "cohort": "Whoever they were.",
        "licence": "unknown",
        "sources": ["A laboratory"],
        "regions": dict(manifest["regions"]),
        "features": dict(manifest["features"]),
        "scales": SCALES,
        "network": {
            "file": "net.safetensors",
            "backbone": "densenet121",
            "slices": manifest["network"]["slices"],
            "outputs": list(manifest["endpoint_order"]),
        },
        "endpoints": endpoints,
    }


def without_network(folder: Path) -> Path:
    """The same folder for a model of PDL1 by its two RadScores alone, whose classifier is made here."""
    x = np.random.default_rng(0).normal(size=(40, 2))
    (folder / "two.onnx").write_bytes(to_onnx_bytes(LogisticRegression().fit(x, x.sum(axis=1) > 0), x))
    write_csv(folder / "two.csv", [("input", "mean", "sd"), ("radscore_tumor", 0, 50), ("radscore_ring", 0, 50)])
    page = json.loads((folder / "import.json").read_text(encoding="utf-8"))
    one = {"parts": ["radscore"], "classifier": "two.onnx", "radscore": SCORES, "inputs": "two.csv"}
    page |= {"network": None, "endpoints": {"PDL1": one}}
    (folder / "import.json").write_text(json.dumps(page), encoding="utf-8")
    return folder


def write_csv(path: Path, rows: Any) -> None:
    """Rows as they are, comma between."""
    path.write_text("".join(f"{','.join(map(str, row))}\n" for row in rows), encoding="utf-8")
