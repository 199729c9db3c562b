"""A study's findings as JSON, described by `study.schema.json`: every number that the report shows, and its data."""

from collections.abc import Mapping
from typing import Any

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.cohort.case_warnings import as_plain
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.strict_json import read_schema
from PDL1PredictorLib.report.json_result import finite
from PDL1PredictorLib.statistics.groups import benjamini_hochberg
from PDL1PredictorLib.study.outcome import EndpointOutcome, GalleryCase, NumberGalleryCase, StudyOutcome
from PDL1PredictorLib.study.report.binary.curves import BAND_RESAMPLES
from PDL1PredictorLib.study.report.checklists import filled_checklists
from PDL1PredictorLib.study.report.estimates import estimates, outer_folds
from PDL1PredictorLib.study.report.hard_cases import hard_cases
from PDL1PredictorLib.study.report.kinds import kind_report
from PDL1PredictorLib.study.report.measures import (
    RESAMPLES,
    SEED,
    Plain,
    contribution_numbers,
    correlation_numbers,
    feature_numbers,
)

SCHEMA_VERSION = "3.0"


def study_document(outcome: StudyOutcome, progress: Progress = SILENT) -> dict[str, Any]:
    """Everything that the study found, as `study.schema.json` describes it.

    Args:
        outcome: What was found.
        progress: Told endpoint by endpoint, up to half of it: the page is the other half.

    Returns:
        A dictionary that `json.dumps(..., allow_nan=False)` accepts: what is not finite or cannot be had is None.

    Raises:
        InputError: An endpoint is not known, or of a kind that cannot be reported.
    """
    told = progress.each("report", list(outcome.endpoints), "numbers of {}".format, 0.0, 0.5)
    endpoints = {key: _endpoint(outcome.endpoints[key], outcome) for key in told}
    adjust(endpoints)
    content: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "research_use_only": RESEARCH_USE_ONLY,
        "title": outcome.title,
        "recipe": outcome.recipe,
        "method": outcome.method,
        "roles": dict(outcome.roles),
        "command": outcome.command,
        "design": outcome.design.words,
        "folds": outer_folds(outcome),
        "choice_repeats": None if outcome.choice_repeats is None else outcome.choice_repeats._asdict(),
        "estimates": estimates(outcome),
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
        "overlays": [
            {name: getattr(one, name) for name in ("endpoint", "case", "label", "value", "low", "high")}
            for one in outcome.overlays
        ],
        "history": outcome.history,
        "backbones": outcome.backbones,
        "settings": outcome.settings,
        "seeds": seeds_in({"settings": outcome.settings, "provenance": outcome.provenance}),
        "resampling": {"seed": SEED, "f1": RESAMPLES, "bands": BAND_RESAMPLES, "errors": RESAMPLES},
        "provenance": outcome.provenance,
        "checklists": filled_checklists(outcome),
    }
    cleaned: dict[str, Any] = finite(content)
    return cleaned


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `study_document` gives."""
    return read_schema(__package__, "study.schema.json")


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


def _endpoint(found: EndpointOutcome, outcome: StudyOutcome) -> Plain:
    words = endpoint(found.key)
    return {
        "kind": found.kind,
        "title": words.title,
        "definition": words.definition,
        "lead": found.lead,
        "cases": len(found.labels),
        **kind_report(found.kind).numbers(found, outcome.coverage),
        "correlation": correlation_numbers(found),
        "contributions": contribution_numbers(found),
        "coefficients": feature_numbers(found),
        "hard_cases": hard_cases(found, outcome.case_warnings),
    }


def adjust(endpoints: Mapping[str, Plain]) -> None:
    """Add to every test its p adjusted for all of the study's (Benjamini and Hochberg)."""
    tests = [test for numbers in endpoints.values() for test in kind_report(numbers["kind"]).tests(numbers)]
    if tests:
        adjusted = benjamini_hochberg([test["p"] for test in tests]).tolist()
        for test, p in zip(tests, adjusted, strict=True):
            test["p_adjusted"] = p


def _shown(case: GalleryCase | NumberGalleryCase) -> Plain:
    return {"endpoint": case.endpoint, "case": case.case, "label": case.label, **_answer(case)}


def _answer(case: GalleryCase | NumberGalleryCase) -> Plain:
    if isinstance(case, GalleryCase):
        return {"probability": case.probability, "positive": case.positive}
    return {"value": case.value, "low": case.low, "high": case.high}
