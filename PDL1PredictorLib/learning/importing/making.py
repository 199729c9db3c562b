"""From a folder of parts to a bundle: written as any other, read back by the same readers, without figures."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from PDL1PredictorLib import __version__
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.errors import BundleError, InputError
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.learning.importing.card import ALWAYS, card
from PDL1PredictorLib.learning.importing.conversion import how_to_convert
from PDL1PredictorLib.learning.importing.files import bounded, part_of
from PDL1PredictorLib.learning.importing.layout import EndpointPart, Layout, read_layout
from PDL1PredictorLib.learning.importing.looks import PAGE, look_at, look_at_file, pickles_of
from PDL1PredictorLib.learning.importing.network import network_files
from PDL1PredictorLib.learning.importing.refusal import no_model
from PDL1PredictorLib.learning.importing.tables import (
    RadScore,
    Scales,
    read_coefficients,
    read_inputs,
    read_scales,
)
from PDL1PredictorLib.models.bundle import SCHEMA_VERSION, Bundle, write_bundle
from PDL1PredictorLib.models.load import load_predictor
from PDL1PredictorLib.models.manifest import read_manifest
from PDL1PredictorLib.models.onnx.graph import MAX_BYTES as MAX_ONNX_BYTES
from PDL1PredictorLib.models.onnx.graph import check_classifier
from PDL1PredictorLib.models.onnx.session import Classifier
from PDL1PredictorLib.models.schema.endpoints import input_names
from PDL1PredictorLib.radiomics.settings import preset

TABLES = "tables.safetensors"
COVERAGE = 0.9
N_LINES = 200  # of the one calibration: a recalibration puts as many resampled ones in their place


class _Parts:
    """The files that a page names, each with its hash once it was read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.sha256: dict[str, str] = {}

    def path(self, name: str) -> Path:
        """Where one lies; a pickle, and what is no file of the folder, is refused."""
        path = part_of(self._folder, name)
        look = look_at_file(path, name)
        if look.kind in ("pickle", "absent"):
            raise InputError(f"import.json names {look.line}\n\n{how_to_convert(pickles_of([look]))}".rstrip())
        with path.open("rb") as stream:
            self.sha256[name] = hashlib.file_digest(stream, "sha256").hexdigest()
        return path


def import_bundle(folder: Path, out: Path, overwrite: bool = False) -> Bundle:
    """Write the bundle whole or not at all.

    Args:
        folder: With `import.json` and the files that it names.
        out: The bundle's folder; its name becomes the model's name.
        overwrite: Replace an existing bundle.

    Raises:
        InputError: The folder is none, lacks something, or holds what cannot be used.
        BundleError: The parts do not make a bundle; nothing was written.
        OutputError: The bundle exists already or cannot be written.
        MissingPackageError: torch is needed for the network and not there.
    """
    if not (folder / PAGE).is_file():
        raise InputError(no_model(folder, look_at(folder)))
    layout = read_layout(folder)
    parts = _Parts(folder)
    parts.path(PAGE)
    files, manifest = _made(layout, parts, out.name)
    files["MODEL_CARD.md"] = card(manifest, layout, parts.sha256).encode()
    plain = json.loads(json.dumps(manifest))
    bundle = Bundle(out.name, "", plain, files)
    try:
        read_manifest(bundle)  # what no reader would take is not written
        load_predictor(bundle)
    except BundleError as error:
        raise BundleError(f"The parts in {folder} do not make a bundle: {error}") from error
    return write_bundle(out, manifest, files, overwrite)


def _made(layout: Layout, parts: _Parts, name: str) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Content by name, and the manifest."""
    keys = tuple(layout.endpoints)
    regions = {**RegionSettings().to_dict(), **layout.regions}
    scores = {key: read_coefficients(parts.path(e.radscore)) for key, e in layout.endpoints.items() if e.radscore}
    scales = read_scales(parts.path(layout.scales)) if layout.scales else {}
    used = _used_scales(scales, layout, scores)
    files: dict[str, bytes] = {}
    network: dict[str, Any] | None = None
    if layout.network is not None:
        pixels = RegionSettings.from_dict(_whole_pixels(regions)).patch_pixels
        files, network = network_files(parts.path(layout.network.file), layout.network, keys, pixels)
    n_deep = 0 if network is None else network["n_deep"]
    endpoints, lines = {}, {}
    for key, one in layout.endpoints.items():
        names = input_names(n_deep, one.parts, one.selected, layout.clinical)
        files[_file_of(key)] = _classifier(parts.path(one.classifier), len(names))
        scaled = read_inputs(parts.path(one.inputs), names) if one.inputs else dict.fromkeys(names, (0.0, 1.0))
        endpoints[key] = _endpoint(key, one, scores.get(key), scaled, layout.words.title)
        lines[f"calibration/{key}"] = np.tile([one.slope, one.intercept], (N_LINES, 1))
    files[TABLES] = bytes(safetensors.numpy.save(lines))
    manifest = _manifest(layout, name, regions, network, endpoints)
    return files, {**manifest, **used}


def _whole_pixels(regions: Mapping[str, Any]) -> dict[str, Any]:
    """The bundle's reader checks the rest; the width of the patch is needed before."""
    pixels = regions["patch_pixels"]
    if type(pixels) is not int:
        raise InputError(f"import.json: regions.patch_pixels must be a whole number, got {pixels!r}.")
    return {"patch_pixels": pixels}


def _classifier(path: Path, n_inputs: int) -> bytes:
    data = bounded(path, MAX_ONNX_BYTES)
    try:
        check_classifier(data, n_inputs)
        Classifier(data).probabilities(np.zeros((1, n_inputs)))
    except ValueError as error:
        raise InputError(f"{path} cannot be a classifier of {n_inputs} inputs: {error}") from error
    return data


def _file_of(key: str) -> str:
    return f"classifiers/{key}.onnx"


def _endpoint(key: str, one: EndpointPart, score: RadScore | None, scaled: Scales, title: str) -> dict[str, Any]:
    """The manifest's entry; a score's intercept moves the mean that is taken off it."""
    added = {} if score is None else {f"radscore_{region}": value for region, value in score.intercepts.items()}
    return {
        "kind": "binary",
        "definition": endpoint(key).definition,
        "parts": list(one.parts),
        **({} if score is None else {"radscore": score.coefficients}),
        **({"selected": list(one.selected)} if one.selected else {}),
        "input_mean": [mean - added.get(name, 0.0) for name, (mean, _) in scaled.items()],
        "input_sd": [sd for _, sd in scaled.values()],
        "model": {"kind": one.kind, "file": _file_of(key), "cross_validated": {}},
        "calibration": {"slope": one.slope, "intercept": one.intercept},
        "conformal": [None, None],
        "threshold": one.threshold,
        "test": None,
        "title": title,
        "role": "lead",
        "base_rate": one.base_rate,
        "candidates": [],
    }


def _manifest(
    layout: Layout,
    name: str,
    regions: Mapping[str, Any],
    network: dict[str, Any] | None,
    endpoints: Mapping[str, Any],
) -> dict[str, Any]:
    words, features = layout.words, layout.features
    return {
        "schema_version": SCHEMA_VERSION,
        "family": "stack",
        "name": name,
        "title": words.title,
        "version": words.version,
        "library_version": __version__,
        "created_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "licence": words.licence,
        "intended_use": words.intended_use,
        "cohort": words.cohort,
        "trained_on": layout.trained_on,
        "limitations": [*words.limitations, *ALWAYS],
        "recipe": {"name": "import"},
        "needs": {
            "features": features is not None,
            "picture": "none" if network is None else "slice",
            "clinical": list(layout.clinical),
            "pet": "no",
        },
        "imputer": None,
        "regions": dict(regions),
        "features": preset(features).to_dict() if isinstance(features, str) else features,
        "network": network,
        "tables": TABLES,
        "reference": None,
        "coverage": COVERAGE,
        "endpoint_order": list(endpoints),
        "endpoints": dict(endpoints),
        "left_out": {},
    }


def _used_scales(scales: Scales, layout: Layout, scores: Mapping[str, RadScore]) -> dict[str, dict[str, float]]:
    """Mean and SD of the features that the answers are made of."""
    used = {name for score in scores.values() for region in score.coefficients.values() for name in region}
    used |= {name for one in layout.endpoints.values() for name in one.selected}
    missing = sorted(used - set(scales))
    if missing:
        raise InputError(
            f"{layout.scales} lacks {len(missing)} of the {len(used)} features that the answers are made of, such as "
            f"{missing[0][:120]}."
        )
    return {
        "feature_mean": {name: scales[name][0] for name in sorted(used)},
        "feature_sd": {name: scales[name][1] for name in sorted(used)},
    }
