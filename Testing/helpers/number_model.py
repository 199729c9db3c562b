"""The tiny model with a number among its answers, and one that answers nothing else: made-up figures, easy sums."""

import json
from typing import Any

from PDL1PredictorLib.models.bundle import Bundle

MEAN, RANGE = "tumor_original_firstorder_Mean", "tumor_original_firstorder_Range"
RING = "ring_original_firstorder_Mean"
TPS: dict[str, Any] = {
    "kind": "number",
    "definition": "tumor proportion score",
    "parts": ["radscore", "selected", "volume", "clinical"],
    "radscore": {"tumor": {MEAN: 0.5}, "ring": {RING: 2.0}},
    "selected": [RANGE],
    "input_mean": [0.0, 0.0, 0.0, 2.0, 60.0, 0.5],
    "input_sd": [1.0, 1.0, 1.0, 0.5, 10.0, 0.5],
    "model": {
        "kind": "ridge",
        "linear": {"coefficients": [3.0, 1.0, -2.0, 4.0, 0.5, -1.0], "intercept": 20.0},
        "cross_validated": {"ridge": 0.2},
    },
    "unit": "%",
    "line": {"slope": 2.0, "intercept": -5.0},
    "clip": [0.0, 100.0],
    "half_width": 30.0,
    "title": "Ridge",
    "role": "lead",
    "base_rate": None,
    "candidates": [],
    "test": {"n": 96, "mse": 441.0, "mse_of_mean": 576.0, "mae": 16.2, "r2": 0.23, "r2_low": 0.1, "r2_high": 0.35},
}
CLINICAL = ["age_years", "sex"]


def with_number(bundle: Bundle) -> Bundle:
    """PDL1 as it is, and TPS in the place of EGFR."""
    manifest = _plain(bundle)
    del manifest["endpoints"]["EGFR"]
    manifest["endpoints"]["TPS"] = TPS
    manifest["endpoint_order"] = ["PDL1", "TPS"]
    manifest["needs"]["clinical"] = CLINICAL
    return Bundle(bundle.name, bundle.sha256, _plain_of(manifest), bundle.files)


def number_alone(bundle: Bundle) -> Bundle:
    """TPS alone: no network, no reference."""
    manifest = _plain(bundle)
    manifest |= {"endpoints": {"TPS": TPS}, "endpoint_order": ["TPS"], "network": None, "reference": None}
    manifest["needs"] = {"features": True, "picture": "none", "clinical": CLINICAL, "pet": "no"}
    return Bundle(bundle.name, bundle.sha256, _plain_of(manifest), bundle.files)


def _plain(bundle: Bundle) -> dict[str, Any]:
    return _plain_of(dict(bundle.manifest))


def _plain_of(manifest: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = json.loads(json.dumps(manifest))
    return copied
