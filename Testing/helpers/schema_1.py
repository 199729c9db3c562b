"""A Deep-RadScore bundle in the words of schemas 3, 2 and 1, as earlier versions of the library wrote it."""

import json
from typing import Any

from PDL1PredictorLib.models.bundle import Bundle

NEW_TESTS = ("design", "repeats", "p", "sensitivity", "specificity")


def as_schema_3(bundle: Bundle) -> Bundle:
    """The same model with the manifest that was written before clinical values were estimated."""
    manifest = json.loads(json.dumps(dict(bundle.manifest)))
    manifest["schema_version"] = 3
    del manifest["imputer"]
    return Bundle(bundle.name, bundle.sha256, manifest, bundle.files)


def as_schema_2(bundle: Bundle) -> Bundle:
    """The same model with the manifest that was written before there was a verdict."""
    manifest = dict(as_schema_3(bundle).manifest)
    manifest["schema_version"] = 2
    del manifest["trained_on"]
    if manifest["network"] is not None:
        for name in ("slices", "inputs", "outputs"):
            del manifest["network"][name]
    if manifest["reference"] is not None:
        reference = manifest["reference"]
        manifest["reference"] = {"features": reference["features"], "distance_99": reference["limits"]["selected"]}
    for values in manifest["endpoints"].values():
        for name in ("title", "role", "base_rate", "candidates"):
            del values[name]
        values["test"] = values["test"] and {k: v for k, v in values["test"].items() if k not in NEW_TESTS}
    return Bundle(bundle.name, bundle.sha256, manifest, bundle.files)


def as_schema_1(bundle: Bundle) -> Bundle:
    """The same model with the manifest that was written before there were families, parts and kinds."""
    manifest = json.loads(json.dumps(dict(as_schema_2(bundle).manifest)))
    network = manifest["network"]
    manifest["schema_version"] = 1
    manifest["architecture"] = f"deep-radscore/{network['backbone']}"
    manifest["network"] = {name: network[name] for name in ("file", "n_deep", "backbone")}
    manifest["conformal_coverage"] = manifest.pop("coverage")
    for name in ("family", "needs"):
        del manifest[name]
    manifest["endpoints"] = {key: _endpoint(values) for key, values in manifest["endpoints"].items()}
    return Bundle(bundle.name, bundle.sha256, manifest, bundle.files)


def _endpoint(values: dict[str, Any]) -> dict[str, Any]:
    model, test = values.pop("model"), values.pop("test")
    for name in ("kind", "parts"):
        del values[name]
    classifier = {"kind": model["kind"], "file": model["file"], "cross_validated_auc": model["cross_validated"]}
    auc = None if test is None else {"value" if name == "auc" else name: figure for name, figure in test.items()}
    return {**values, "classifier": classifier, "test_auc": auc}
