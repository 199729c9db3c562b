"""The tiny model that asks for clinical values, two of which its cohort declared; made-up figures, easy sums."""

from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from number_model import TPS, number_alone

from PDL1PredictorLib.models.bundle import Bundle, read_bundle, write_bundle
from PDL1PredictorLib.models.tensors import read_tensors

ECOG = {"name": "ECOG", "words": [], "low": 0, "high": 5}
STAGE = {"name": "stage", "words": ["I", "II", "III"], "low": None, "high": None}
DONORS = np.array([[-1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 2.0, 0.0], [2.0, 0.0, 3.0]])
KNOWN = np.array([[1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
IMPUTER = {
    "names": ["age_years", "ECOG", "stage"],
    "k": 3,
    "donors": "rows",
    "n": 4,
    "mean": [60.0, 1.0, 0.5],
    "sd": [10.0, 0.5, 0.5],
}


def bundle_with(tiny: Bundle, **changed: Any) -> Bundle:
    """A number of volume and three clinical values, two of which the cohort declared."""
    plain = number_alone(tiny)
    manifest = {**plain.manifest, "imputer": {**IMPUTER, **changed}}
    manifest["needs"] = {**manifest["needs"], "clinical": IMPUTER["names"], "declared": [ECOG, STAGE]}
    weights = [*TPS["model"]["linear"]["coefficients"], 2.0]
    linear = {"coefficients": weights, "intercept": 20.0}
    endpoint = {**TPS, "model": {**TPS["model"], "linear": linear}}
    endpoint |= {"input_mean": [*TPS["input_mean"], 0.5], "input_sd": [*TPS["input_sd"], 0.5]}
    manifest["endpoints"] = {"TPS": endpoint}
    tables = dict(read_tensors(plain.file("tables.safetensors")))
    tables |= {"imputer/donors": DONORS, "imputer/known": KNOWN}
    files = {**plain.files, "tables.safetensors": safetensors.numpy.save(tables)}
    return Bundle(plain.name, plain.sha256, manifest, files)


def write_clinical_model(tiny: Path, folder: Path) -> Path:
    """The same on disk."""
    bundle = bundle_with(read_bundle(tiny))
    manifest = {name: value for name, value in bundle.manifest.items() if name != "files"}
    used = {manifest["tables"], "MODEL_CARD.md"}
    write_bundle(folder, manifest, {name: data for name, data in bundle.files.items() if name in used})
    return folder
