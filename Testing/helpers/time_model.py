"""The tiny model with a time in the place of one of its answers: made-up figures, easy sums."""

import json
from typing import Any

from PDL1PredictorLib.models.bundle import Bundle

MEAN, RANGE = "tumor_original_firstorder_Mean", "tumor_original_firstorder_Range"
RING = "ring_original_firstorder_Mean"
PFS: dict[str, Any] = {
    "kind": "time",
    "definition": "time to progression or death",
    "parts": ["radscore", "selected", "volume"],
    "radscore": {"tumor": {MEAN: 0.5}, "ring": {RING: 2.0}},
    "selected": [RANGE],
    "input_mean": [0.0, 0.0, 0.0, 2.0],
    "input_sd": [1.0, 1.0, 1.0, 0.5],
    "model": {
        "kind": "penalized Cox",
        "linear": {"coefficients": [0.3, 0.1, -0.2, 0.4], "intercept": 0.0},
        "cross_validated": {"penalized Cox": 0.66},
    },
    "unit": "days",
    "calibration": {"method": "Cox", "slope": 1.5},
    "baseline": [
        {"days": 182.625, "hazard": 0.2, "at_risk": 80},
        {"days": 365.25, "hazard": 0.5, "at_risk": 52},
        {"days": 730.5, "hazard": 1.0, "at_risk": 21},
    ],
    "title": "Features",
    "role": "lead",
    "base_rate": None,
    "candidates": [],
    "test": {"n": 90, "events": 61, "c": 0.66, "low": 0.6, "high": 0.72},
}


def with_time(bundle: Bundle) -> Bundle:
    """PDL1 as it is, and PFS in the place of EGFR."""
    manifest = json.loads(json.dumps(dict(bundle.manifest)))
    del manifest["endpoints"]["EGFR"]
    manifest["endpoints"]["PFS"] = PFS
    manifest["endpoint_order"] = ["PDL1", "PFS"]
    return Bundle(bundle.name, bundle.sha256, manifest, bundle.files)
