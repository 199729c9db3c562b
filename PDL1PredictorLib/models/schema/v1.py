"""A manifest of schema 1 in the words of schema 2: Deep-RadScore bundles of the first version stay readable."""

from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib.core.needs import Needs
from PDL1PredictorLib.core.strict_json import brief
from PDL1PredictorLib.models.schema.tests import read_auc
from PDL1PredictorLib.models.schema.values import mapping, number, text
from PDL1PredictorLib.networks.names import BACKBONES

KIND = "deep-radscore"


def upgraded(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same model as schema 2 says it.

    Every model was a stack of deep features and RadScores that answers yes/no questions. What has another name there
    is checked here under its own, the rest by `models.manifest`.

    Raises:
        KeyError: An entry is missing.
        ValueError: An entry is of another type, or out of its bounds.
    """
    network = mapping(data["network"], "network")
    backbone = network["backbone"]
    if backbone not in BACKBONES or data["architecture"] != f"{KIND}/{backbone}":
        raise ValueError(
            f"it is of the kind {brief(data['architecture'])} with the backbone {brief(backbone)}; this library reads "
            f"'{KIND}/BACKBONE' with one of {', '.join(BACKBONES)}."
        )
    coverage = number(data["conformal_coverage"], "conformal_coverage", 0.0, 1.0)
    if coverage in (0.0, 1.0):
        raise ValueError(f"conformal_coverage must lie between 0 and 1, both left out, got {coverage:g}.")
    return {
        **data,
        "schema_version": 2,
        "family": "stack",
        "needs": Needs(picture="slice").to_dict(),
        "network": {**network, "graph": None, "bits": 16, "head": "linear", "moved": None},
        "reference": mapping(data["reference"], "reference"),
        "features": mapping(data["features"], "features"),
        "coverage": coverage,
        "endpoints": {key: _endpoint(key, values) for key, values in mapping(data["endpoints"], "endpoints").items()},
    }


def _endpoint(key: str, values: Any) -> dict[str, Any]:
    data = mapping(values, f"endpoints.{key}")
    classifier = mapping(data["classifier"], f"{key}.classifier")
    auc = read_auc(data["test_auc"], f"{key}.test_auc", "value")
    return {
        **data,
        "kind": "binary",
        "parts": ["deep", "radscore"],
        "model": {
            "kind": text(classifier["kind"], f"{key}.classifier.kind"),
            "file": text(classifier["file"], f"{key}.classifier.file"),
        },
        "test": None
        if auc is None
        else dict(zip(("auc", "low", "high", "n_positive", "n_negative"), auc, strict=True)),
    }
