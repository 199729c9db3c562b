"""A trained recipe written as a bundle: manifest, 16-bit weights, tables, ONNX classifiers, card."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.regions import REGIONS
from PDL1PredictorLib.learning.classifiers import to_onnx_bytes
from PDL1PredictorLib.learning.trained import Trained, TrainedEndpoint
from PDL1PredictorLib.models.bundle import SCHEMA_VERSION, Bundle, write_bundle
from PDL1PredictorLib.models.manifest import read_manifest

WEIGHTS, TABLES = "deep_ct.safetensors", "tables.safetensors"
LICENCE = "Apache-2.0"


@dataclass(frozen=True, eq=False)
class About:
    """What a bundle says of itself besides its numbers.

    Attributes:
        title: One line.
        intended_use: What it is for, and what it is not for.
        cohort: What it was trained on, sentences.
        limitations: Sentences.
        recipe_name: Of the recipe.
        card: Manifest to the Markdown of the model card.
        licence: Of the weights.
        bayes_auc: Endpoint to the AUC that no model can exceed, for synthetic cohorts.
        version: Of the bundle.
    """

    title: str
    intended_use: str
    cohort: str
    limitations: tuple[str, ...]
    recipe_name: str
    card: Callable[[dict[str, Any]], str]
    licence: str = LICENCE
    bayes_auc: Mapping[str, float] = field(default_factory=dict)
    version: str = "1.0.0"


def export_bundle(trained: Trained, about: About, folder: Path, overwrite: bool = False) -> Bundle:
    """Write the bundle whole or not at all, and read it back.

    Args:
        trained: What was learned.
        about: What to say of it.
        folder: The bundle's folder; its name becomes the model's name.
        overwrite: Replace an existing bundle.

    Raises:
        BundleError: What was learned cannot be a bundle; nothing was written.
        OutputError: The folder exists already or cannot be written.
    """
    files = {
        WEIGHTS: _weights(trained),
        TABLES: safetensors.numpy.save(_tables(trained)),
        **{
            _classifier_file(key): to_onnx_bytes(e.model.chosen.estimator, e.model.inputs)
            for key, e in trained.endpoints.items()
        },
    }
    manifest = _manifest(trained, about, folder.name)
    files["MODEL_CARD.md"] = about.card(manifest).encode()
    plain = json.loads(json.dumps(manifest))
    read_manifest(Bundle(folder.name, "", plain, files))  # what no reader would take is not written
    return write_bundle(folder, manifest, files, overwrite=overwrite)


def _manifest(trained: Trained, about: About, name: str) -> dict[str, Any]:
    recipe = trained.recipe
    used = sorted({f for e in trained.endpoints.values() for region in REGIONS for f in e.coefficients[region]})
    column = {feature: i for i, feature in enumerate(trained.feature_names)}
    return {
        "schema_version": SCHEMA_VERSION,
        "family": "stack",
        "name": name,
        "title": about.title,
        "version": about.version,
        "library_version": __version__,
        "created_utc": trained.created_utc,
        "licence": about.licence,
        "intended_use": about.intended_use,
        "cohort": about.cohort,
        "limitations": list(about.limitations),
        "recipe": {"name": about.recipe_name, **recipe.to_dict()},
        "needs": Needs(picture="slice").to_dict(),
        "regions": recipe.regions.to_dict(),
        "features": recipe.features.to_dict(),
        "network": {
            "file": WEIGHTS,
            "graph": None,
            "backbone": trained.deep.network.backbone,
            "n_deep": recipe.deep.n_deep,
            "bits": 16,
            "head": "linear",
            "moved": None,
        },
        "tables": TABLES,
        "feature_mean": {feature: float(trained.standardizer.mean[column[feature]]) for feature in used},
        "feature_sd": {feature: float(trained.standardizer.sd[column[feature]]) for feature in used},
        "reference": {"features": list(trained.reference.features), "distance_99": trained.reference.distance_99},
        "coverage": recipe.coverage,
        "endpoint_order": list(trained.endpoints),
        "endpoints": {key: _endpoint(key, e, about.bayes_auc.get(key)) for key, e in trained.endpoints.items()},
        "left_out": trained.left_out,
    }


def _endpoint(key: str, trained: TrainedEndpoint, bayes_auc: float | None) -> dict[str, Any]:
    model, measured = trained.model, trained.test_auc
    return {
        "kind": "binary",
        "definition": endpoint(key).definition,
        "parts": ["deep", "radscore"],
        "radscore": trained.coefficients,
        "input_mean": model.mean.tolist(),
        "input_sd": model.sd.tolist(),
        "model": {
            "kind": model.chosen.kind,
            "file": _classifier_file(key),
            "cross_validated": model.chosen.mean_auc,
        },
        "calibration": {"method": "Platt", "slope": model.slope, "intercept": model.intercept},
        "conformal": [q if math.isfinite(q) else None for q in model.conformal],
        "threshold": model.threshold,
        **({} if bayes_auc is None else {"bayes_auc": bayes_auc}),
        "test": None
        if measured is None
        else {
            "auc": measured.value,
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
        **{f"calibration/{key}": np.ascontiguousarray(e.model.calibrations) for key, e in trained.endpoints.items()},
    }
