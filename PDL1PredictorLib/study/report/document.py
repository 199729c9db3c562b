"""A study's findings as JSON, described by `study.schema.json`: every number that the report shows, and its data."""

import json
from collections.abc import Mapping
from importlib import resources
from typing import Any

import numpy as np

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.cohort.case_warnings import as_plain
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.learning.model_names import FUSED
from PDL1PredictorLib.report.json_result import finite
from PDL1PredictorLib.statistics.groups import benjamini_hochberg
from PDL1PredictorLib.study.outcome import EndpointOutcome, GalleryCase, StudyOutcome
from PDL1PredictorLib.study.report.checklists import filled_checklists
from PDL1PredictorLib.study.report.measures import (
    BAND_RESAMPLES,
    RESAMPLES,
    SEED,
    Plain,
    contribution_numbers,
    correlation_numbers,
    decision_reference,
    model_numbers,
    set_numbers,
)

SCHEMA_VERSION = "1.0"


def study_document(outcome: StudyOutcome) -> dict[str, Any]:
    """Everything that the study found, as `study.schema.json` describes it.

    Returns:
        A dictionary that `json.dumps(..., allow_nan=False)` accepts: what is not finite or cannot be had is None.

    Raises:
        InputError: An endpoint is not known.
    """
    endpoints = {key: _endpoint(found, outcome.coverage) for key, found in outcome.endpoints.items()}
    _adjust(endpoints)
    content: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "research_use_only": RESEARCH_USE_ONLY,
        "title": outcome.title,
        "command": outcome.command,
        "design": outcome.design,
        "notes": outcome.notes,
        "cohort": {
            "table_1": outcome.table_1,
            "flow": [{"step": words, "cases": number} for words, number in outcome.flow],
            "failed": outcome.failed,
            "warnings": as_plain(outcome.case_warnings),
        },
        "endpoints": endpoints,
        "left_out": outcome.left_out,
        "gallery": [_shown(case) for case in outcome.gallery],
        "history": outcome.history,
        "backbones": outcome.backbones,
        "settings": outcome.settings,
        "seeds": seeds_in({"settings": outcome.settings, "provenance": outcome.provenance}),
        "resampling": {"seed": SEED, "f1": RESAMPLES, "roc_band": BAND_RESAMPLES},
        "provenance": outcome.provenance,
        "checklists": filled_checklists(outcome),
    }
    cleaned: dict[str, Any] = finite(content)
    return cleaned


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `study_document` gives."""
    text = resources.files(__package__).joinpath("study.schema.json").read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content


def seeds_in(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Every value whose name speaks of a seed, by its dotted path."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{prefix}.{key}" if prefix else str(key)
        if isinstance(value, Mapping):
            found |= seeds_in(value, path)
        elif "seed" in str(key).lower():
            found[path] = value
    return found


def _endpoint(found: EndpointOutcome, coverage: float) -> Plain:
    words = endpoint(found.key)
    labels = np.asarray(found.labels)
    fused = found.models.get(FUSED)
    return {
        "title": words.title,
        "definition": words.definition,
        "positive_word": words.positive,
        "negative_word": words.negative,
        "cases": len(labels),
        "positive": int(np.count_nonzero(labels == 1)),
        "negative": int(np.count_nonzero(labels == 0)),
        "counts": {part: {"positive": yes, "negative": no} for part, (yes, no) in found.counts.items()},
        "bayes_auc": found.bayes_auc,
        "models": {
            name: model_numbers(labels, model, None if name == FUSED else fused) for name, model in found.models.items()
        },
        "decision_reference": decision_reference(labels),
        "prediction_sets": set_numbers(labels, np.asarray(found.prediction_sets), coverage),
        "correlation": correlation_numbers(found),
        "contributions": contribution_numbers(found),
        "coefficients": {
            region: _features(coefficients, found.selected_in.get(region))
            for region, coefficients in found.coefficients.items()
        },
    }


def _features(coefficients: dict[str, float], selected_in: dict[str, float] | None) -> list[Plain]:
    """The final model's features, the strongest first, then those that only folds selected, with the coefficient 0."""
    shares = selected_in or {}
    names = sorted({*coefficients, *shares}, key=lambda name: (-abs(coefficients.get(name, 0.0)), name))
    return [
        {
            "feature": name,
            "coefficient": coefficients.get(name, 0.0),
            "selected_in": None if selected_in is None else shares.get(name, 0.0),
        }
        for name in names
    ]


def _adjust(endpoints: dict[str, Plain]) -> None:
    """Add to every DeLong test its p adjusted for all of the study's (Benjamini and Hochberg)."""
    tests = [m["delong"] for e in endpoints.values() for m in e["models"].values() if m["delong"] is not None]
    if tests:
        adjusted = benjamini_hochberg([test["p"] for test in tests]).tolist()
        for test, p in zip(tests, adjusted, strict=True):
            test["p_adjusted"] = p


def _shown(case: GalleryCase) -> Plain:
    return {
        "endpoint": case.endpoint,
        "case": case.case,
        "label": case.label,
        "probability": case.probability,
        "positive": case.positive,
    }
