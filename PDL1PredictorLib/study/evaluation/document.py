"""An evaluation as JSON, described by `evaluation.schema.json`: every number that its report shows, and its data."""

from collections.abc import Mapping, Sequence
from typing import Any

from PDL1PredictorLib.core.progress import SILENT, Progress
from PDL1PredictorLib.core.strict_json import read_schema
from PDL1PredictorLib.report.json_result import finite
from PDL1PredictorLib.study.evaluation.answered import answered_numbers
from PDL1PredictorLib.study.evaluation.answers import RECALIBRATED, ModelAnswers
from PDL1PredictorLib.study.evaluation.comparison import brier_numbers
from PDL1PredictorLib.study.evaluation.outcome import Evaluated
from PDL1PredictorLib.study.evaluation.recalibration import N_FOLDS, SiteRecalibration
from PDL1PredictorLib.study.outcome import StudyOutcome
from PDL1PredictorLib.study.report.document import adjust, schema, study_document
from PDL1PredictorLib.study.report.measures import Plain

SCHEMA_VERSION = "1.0"
OF_TRAINING = (
    "recipe",
    "method",
    "history",
    "backbones",
    "gallery",
    "overlays",
    "choice_repeats",
    "folds",
    "checklists",
)
"""What a study says and an evaluation has not."""


def evaluation_document(
    outcome: StudyOutcome,
    found: Mapping[str, Evaluated],
    models: Sequence[ModelAnswers],
    sites: Mapping[str, SiteRecalibration],
    bundle: Plain | None,
    progress: Progress = SILENT,
) -> dict[str, Any]:
    """Everything that an evaluation found, as `evaluation.schema.json` describes it.

    Args:
        outcome: With the models, the recalibrated among them, as a study has them.
        found: Endpoint to what was evaluated.
        models: In their order.
        sites: Endpoint to its recalibration; empty where none was asked for.
        bundle: `name` and `sha256` of the bundle that was written; None where none was.
        progress: Told endpoint by endpoint.

    Returns:
        A dictionary that `json.dumps(..., allow_nan=False)` accepts.
    """
    whole = study_document(outcome, progress)
    _forget_ranking(whole["endpoints"], RECALIBRATED)
    adjust(whole["endpoints"])
    study = {name: value for name, value in whole.items() if name not in (*OF_TRAINING, "schema_version")}
    content = {
        "schema_version": SCHEMA_VERSION,
        **study,
        "models": [_model(model) for model in models],
        "answered": {key: {title: answered_numbers(one, title) for title in one.answers} for key, one in found.items()},
        "brier_differences": {key: rows for key, one in outcome.endpoints.items() if (rows := brier_numbers(one))},
        "recalibration": {
            "folds": N_FOLDS,
            "endpoints": {key: site.to_dict() for key, site in sites.items()},
            "bundle": bundle,
        }
        if sites
        else None,
    }
    cleaned: dict[str, Any] = finite(content)
    return cleaned


def evaluation_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `evaluation_document` gives: its own parts, and those of a study."""
    own, of_study = read_schema(__package__, "evaluation.schema.json"), schema()
    kept = {name: of_study["properties"][name] for name in of_study["properties"] if name in own["required"]}
    return {**own, "properties": {**kept, **own["properties"]}, "$defs": {**of_study["$defs"], **own["$defs"]}}


def _model(model: ModelAnswers) -> Plain:
    summary, before = model.manifest.summary, model.manifest.recalibrated_from
    return {
        "title": model.title,
        "name": summary.name,
        "words": summary.title,
        "version": summary.version,
        "sha256": summary.sha256,
        "trained_on": summary.trained_on,
        "training_cases": len(model.manifest.training_cases) or None,
        "recalibrated_from": None if before is None else before.name,
    }


def _forget_ranking(endpoints: Mapping[str, Plain], title: str) -> None:
    """A recalibrated model ranks as the one that it was made of: a test of the two would be one too many."""
    for numbers in endpoints.values():
        if title in numbers["models"]:
            numbers["models"][title] |= {"delong": None, "permutation": None}
