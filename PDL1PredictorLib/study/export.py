"""A trained recipe written as a bundle: manifest, 16-bit weights, tables, ONNX classifiers, card."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.models.bundle import SCHEMA_VERSION, Bundle, write_bundle
from PDL1PredictorLib.models.manifest import ARCHITECTURE, REGIONS
from PDL1PredictorLib.phantom.truth import bayes_auc
from PDL1PredictorLib.study.card import model_card
from PDL1PredictorLib.study.fusion import to_onnx_bytes
from PDL1PredictorLib.study.recipe import Trained, TrainedEndpoint

WEIGHTS, TABLES = "deep_ct.safetensors", "tables.safetensors"
LICENCE = "Apache-2.0"
TITLE = "Deep-RadScore, synthetic cohort"
INTENDED_USE = (
    "To show and test the software from end to end. It was trained on synthetic phantoms: what it says about a "
    "real patient "
    "means nothing. It must not guide care."
)
LIMITATIONS = (
    "Trained on synthetic phantoms whose labels are drawn from an invented rule; it knows nothing of real tumors.",
    "Its figures hold for further synthetic patients only and say nothing about accuracy in people.",
    "The network saw one axial slice per tumor, in three windows, and was trained from random weights.",
    "The interval speaks of the calibration's uncertainty only, not of the image's or the contour's.",
)


def export_demo(trained: Trained, folder: Path, overwrite: bool = False) -> Bundle:
    """Write the bundle whole or not at all, and read it back.

    Args:
        trained: The outcome of `train_demo`.
        folder: The bundle's folder; its name becomes the model's name.
        overwrite: Replace an existing bundle.
    """
    files = {
        WEIGHTS: _weights(trained),
        TABLES: safetensors.numpy.save(_tables(trained)),
        **{_classifier_file(key): to_onnx_bytes(e.chosen.estimator, e.inputs) for key, e in trained.endpoints.items()},
    }
    manifest = _manifest(trained, folder.name)
    files["MODEL_CARD.md"] = model_card(manifest, trained).encode()
    return write_bundle(folder, manifest, files, overwrite=overwrite)


def _manifest(trained: Trained, name: str) -> dict[str, Any]:
    recipe = trained.recipe
    used = sorted({f for e in trained.endpoints.values() for region in REGIONS for f in e.coefficients[region]})
    column = {feature: i for i, feature in enumerate(trained.feature_names)}
    return {
        "schema_version": SCHEMA_VERSION,
        "architecture": ARCHITECTURE,
        "name": name,
        "title": TITLE,
        "version": "1.0.0",
        "library_version": __version__,
        "created_utc": trained.created_utc,
        "licence": LICENCE,
        "intended_use": INTENDED_USE,
        "cohort": (
            f"Synthetic cohort of this library, seed {recipe.seed}: {trained.n_fit} patients to fit, "
            f"{trained.n_validation} to choose and "
            f"calibrate the classifier, {trained.n_test} to test."
        ),
        "limitations": list(LIMITATIONS),
        "recipe": {"name": "demo", **recipe.to_dict()},
        "regions": recipe.regions.to_dict(),
        "features": recipe.features.to_dict(),
        "network": {"file": WEIGHTS, "n_deep": recipe.deep.n_deep, "backbone": "densenet121"},
        "tables": TABLES,
        "feature_mean": {feature: float(trained.standardizer.mean[column[feature]]) for feature in used},
        "feature_sd": {feature: float(trained.standardizer.sd[column[feature]]) for feature in used},
        "reference": {"features": list(trained.reference.features), "distance_99": trained.reference.distance_99},
        "conformal_coverage": recipe.coverage,
        "endpoint_order": list(trained.endpoints),
        "endpoints": {key: _endpoint(key, e) for key, e in trained.endpoints.items()},
        "left_out": trained.left_out,
    }


def _endpoint(key: str, trained: TrainedEndpoint) -> dict[str, Any]:
    measured = trained.test_auc
    return {
        "definition": endpoint(key).definition,
        "radscore": trained.coefficients,
        "input_mean": trained.input_mean.tolist(),
        "input_sd": trained.input_sd.tolist(),
        "classifier": {
            "kind": trained.chosen.kind,
            "file": _classifier_file(key),
            "cross_validated_auc": trained.chosen.mean_auc,
        },
        "calibration": {"method": "Platt", "slope": trained.slope, "intercept": trained.intercept},
        "conformal": [q if math.isfinite(q) else None for q in trained.conformal],
        "threshold": trained.threshold,
        "bayes_auc": float(bayes_auc(key)),
        "test_auc": None
        if measured is None
        else {
            "value": measured.value,
            "low": measured.interval[0],
            "high": measured.interval[1],
            "n_positive": measured.n_positive,
            "n_negative": measured.n_negative,
        },
    }


def _classifier_file(key: str) -> str:
    return f"classifiers/{key}.onnx"


def _weights(trained: Trained) -> bytes:
    """16-bit floats; the outputs for endpoints that were left out are dropped."""
    kept = [trained.recipe.endpoints.index(key) for key in trained.endpoints]
    state = {name: value.detach().numpy() for name, value in trained.deep.network.state_dict().items()}
    for name in ("classifier.weight", "classifier.bias"):
        state[name] = state[name][kept]
    return bytes(
        safetensors.numpy.save(
            {name: np.ascontiguousarray(v, np.float16 if v.dtype.kind == "f" else v.dtype) for name, v in state.items()}
        )
    )


def _tables(trained: Trained) -> dict[str, np.ndarray]:
    return {
        "reference/mean": np.ascontiguousarray(trained.reference.mean),
        "reference/precision": np.ascontiguousarray(trained.reference.precision),
        **{f"calibration/{key}": np.ascontiguousarray(e.calibrations) for key, e in trained.endpoints.items()},
    }
