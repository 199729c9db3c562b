"""A manifest of schema 2 in the words of schema 3: bundles from before there was a verdict stay readable."""

from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib.models.schema.reference import MAX_REFERENCE
from PDL1PredictorLib.models.schema.tests import read_auc
from PDL1PredictorLib.models.schema.values import SMALLEST_SD, mapping, number, texts


def upgraded(data: Mapping[str, Any]) -> dict[str, Any]:
    """The same model as schema 3 says it.

    What had another name is checked here under its own, the rest by `models.manifest`. Synthetic cohorts are known by
    the AUC that no model can exceed (`bayes_auc`). Of test cases only the AUC was kept, so that the share of positives
    among them stands for the base rate, and sensitivity and specificity are not known.

    Raises:
        KeyError: An entry is missing.
        ValueError: An entry is of another type, or out of its bounds.
    """
    endpoints = mapping(data["endpoints"], "endpoints")
    described = {key: mapping(values, f"endpoints.{key}") for key, values in endpoints.items()}
    synthetic = any("bayes_auc" in values for values in described.values())
    network = data["network"]
    return {
        **data,
        "schema_version": 3,
        "trained_on": "synthetic" if synthetic else "patients",
        "network": None if network is None else {**mapping(network, "network"), "slices": 1},
        "reference": _reference(data["reference"]),
        "endpoints": {key: _endpoint(key, values) for key, values in described.items()},
    }


def _reference(values: Any) -> dict[str, Any] | None:
    """One distance over the selected features, with its 99th percentile as the limit."""
    if values is None:
        return None
    given = mapping(values, "reference")
    names = texts(given["features"], "reference.features", MAX_REFERENCE)
    distance = number(given["distance_99"], "reference.distance_99", 0.0)
    if distance < SMALLEST_SD:
        raise ValueError(f"reference.distance_99 must be positive, got {distance:g}.")
    return {"features": list(names), "limits": {"selected": distance}, "held_out": 0}


def _endpoint(key: str, data: Mapping[str, Any]) -> dict[str, Any]:
    test = data["test"]
    base_rate = None
    if data.get("kind") == "binary" and test is not None:
        figures = read_auc(test, f"{key}.test", "auc")
        known = {"design": "", "repeats": 1, "p": None, "sensitivity": None, "specificity": None}
        test = {**mapping(test, f"{key}.test"), **known}
        if figures is not None and figures[3] and figures[4]:
            base_rate = figures[3] / (figures[3] + figures[4])
    return {**data, "title": "", "role": "lead", "base_rate": base_rate, "candidates": [], "test": test}
