"""A trained recipe written as a bundle: manifest, network, tables, classifiers, card."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.learning.answering_files import answering_files
from PDL1PredictorLib.learning.kinds import rules
from PDL1PredictorLib.learning.network_files import NetworkFiles, network_files
from PDL1PredictorLib.learning.trained import EndToEnd, Trained, TrainedEndpoint, TrainedNetwork
from PDL1PredictorLib.models.bundle import SCHEMA_VERSION, Bundle, write_bundle
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.models.schema.imputer import imputer_entry

FAMILY, TABLES = "stack", "tables.safetensors"
LICENCE = "Apache-2.0"


@dataclass(frozen=True, eq=False)
class About:
    """What a bundle says of itself besides its numbers.

    Attributes:
        title: One line.
        intended_use: What it is for, and what it is not for.
        cohort: What it was trained on, sentences.
        limitations: Sentences.
        card: Manifest to the Markdown of the model card.
        licence: Of the weights.
        bayes_auc: Endpoint to the AUC that no model can exceed, for synthetic cohorts.
        version: Of the bundle.
        synthetic: Whether it was trained on synthetic patients; so it was where a Bayes AUC is known.
    """

    title: str
    intended_use: str
    cohort: str
    limitations: tuple[str, ...]
    card: Callable[[dict[str, Any]], str]
    licence: str = LICENCE
    bayes_auc: Mapping[str, float] = field(default_factory=dict)
    version: str = "1.0.0"
    synthetic: bool = False


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
    files = {TABLES: safetensors.numpy.save(_tables(trained))}
    network = None
    if trained.network is not None:
        written = _network_files(trained.network)
        files |= written.files
        network = written.entry
    for key, found in trained.endpoints.items():
        files |= {**rules(found.kind).files(found.model, _model_file(key)), **found.files}
    manifest = _manifest(trained, about, folder.name, network)
    files["MODEL_CARD.md"] = about.card(manifest).encode()
    plain = json.loads(json.dumps(manifest))
    read_manifest(Bundle(folder.name, "", plain, files))  # what no reader would take is not written
    return write_bundle(folder, manifest, files, overwrite=overwrite)


def _network_files(own: TrainedNetwork | EndToEnd) -> NetworkFiles:
    if isinstance(own, EndToEnd):
        return answering_files(own)
    return network_files(own.network, own.patches, own.probabilities, own.outputs, own.contours)


def _manifest(trained: Trained, about: About, name: str, network: dict[str, Any] | None) -> dict[str, Any]:
    recipe, reference = trained.recipe, trained.reference
    return {
        "schema_version": SCHEMA_VERSION,
        "family": FAMILY,
        "name": name,
        "title": about.title,
        "version": about.version,
        "library_version": __version__,
        "created_utc": trained.created_utc,
        "licence": about.licence,
        "intended_use": about.intended_use,
        "cohort": about.cohort,
        "trained_on": "synthetic" if about.synthetic or about.bayes_auc else "patients",
        "limitations": list(about.limitations),
        "recipe": {"name": recipe.name, **recipe.to_dict()},
        "needs": trained.needs.to_dict(),
        "imputer": None if trained.imputer is None else imputer_entry(trained.imputer, trained.needs.clinical),
        "regions": recipe.regions.to_dict(),
        "features": None if recipe.features is None else recipe.features.to_dict(),
        "network": network,
        "tables": TABLES,
        **_scales(trained),
        "reference": None if reference is None else reference.entry(),
        "coverage": recipe.coverage,
        "endpoint_order": list(trained.endpoints),
        "endpoints": {key: _endpoint(key, e, about.bayes_auc.get(key)) for key, e in trained.endpoints.items()},
        "left_out": trained.left_out,
        "training_cases": list(trained.training_cases),
        **({"voxel_maps": list(trained.voxel_maps)} if trained.voxel_maps else {}),
        **({} if trained.training_kernels is None else {"training_kernels": trained.training_kernels.to_dict()}),
    }


def _scales(trained: Trained) -> dict[str, dict[str, float]]:
    """Mean and SD of the features that are used."""
    found: dict[str, dict[str, float]] = {"feature_mean": {}, "feature_sd": {}}
    if trained.standardizer is not None:
        for name in trained.used_features:
            column = trained.feature_names.index(name)
            found["feature_mean"][name] = float(trained.standardizer.mean[column])
            found["feature_sd"][name] = float(trained.standardizer.sd[column])
    return found


def _endpoint(key: str, trained: TrainedEndpoint, bayes_auc: float | None) -> dict[str, Any]:
    about, model = endpoint(key), trained.model
    return {
        "kind": trained.kind,
        "definition": about.definition,
        "parts": list(trained.parts),
        **trained.entry,
        "input_mean": model.mean.tolist(),
        "input_sd": model.sd.tolist(),
        **rules(trained.kind).entry(model, about.unit, _model_file(key)),
        **({} if bayes_auc is None else {"bayes_auc": bayes_auc}),
        "test": _test(trained),
        "title": trained.title,
        "role": trained.role,
        "base_rate": trained.base_rate,
        "candidates": [dict(candidate) for candidate in trained.candidates],
        **({"simpler": trained.simpler} if trained.simpler else {}),
    }


def _test(trained: TrainedEndpoint) -> dict[str, Any] | None:
    """Figures of test cases, as the manifest has them; None where there are none."""
    return None if trained.test is None else rules(trained.kind).tested(trained.test)


def _model_file(key: str) -> str:
    return f"classifiers/{key}.onnx"


def _tables(trained: Trained) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    if trained.reference is not None:
        for name, table in trained.reference.tables.items():  # 32 bits of what fills most of the file
            found[name] = np.ascontiguousarray(table, np.float32 if name.endswith("precision") else np.float64)
    found |= {} if trained.imputer is None else trained.imputer.tables()
    for key, one in trained.endpoints.items():
        found |= rules(one.kind).tables(one.model, key)
        if one.resampled is not None:
            found[f"fusion/{key}"] = np.ascontiguousarray(one.resampled, np.float32)
    return found
