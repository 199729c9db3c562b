"""The result as JSON: everything but the volumes, strictly valid, free of the patient unless asked."""

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.answer_parts import Contribution
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import Answer, CaseResult, CaseWarning, HeatMap, LesionResult, ModelSummary, plain
from PDL1PredictorLib.core.strict_json import read_schema
from PDL1PredictorLib.report.heat_files import heat_map_name
from PDL1PredictorLib.report.kinds import renderer, verdict
from PDL1PredictorLib.report.map_files import map_entries

SCHEMA_VERSION = "3.0"
FREE_NAME = "case"  # stands in for the case's name


def to_json(result: CaseResult, with_patient: bool) -> dict[str, Any]:
    """The result as plain values, as `result.schema.json` describes them.

    Args:
        result: What to write.
        with_patient: Keep the case's name and the clinical values; else the name is `case` and they are None.

    Returns:
        A dictionary that `json.dumps(..., allow_nan=False)` accepts: numbers that are not finite are None.
    """
    content = {
        "schema_version": SCHEMA_VERSION,
        "research_use_only": RESEARCH_USE_ONLY,
        "case": result.case if with_patient else FREE_NAME,
        "clinical": result.clinical.to_dict() if with_patient else None,
        "study": result.study.to_dict() if with_patient else None,
        "warnings": _warnings(result.warnings),
        "training_case": result.training_case,
        "lesions_found": result.lesions_found,
        "lesions": [_lesion(lesion) for lesion in result.lesions],
        "model": _model(result.model),
        "provenance": plain(result.provenance),
    }
    cleaned: dict[str, Any] = finite(content)
    return cleaned


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of what `to_json` gives."""
    return read_schema(__package__, "result.schema.json")


def finite(value: Any) -> Any:
    """Plain JSON values of the same content; numbers that are not finite become None."""
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else None
    return str(value)  # a path or an enum among the settings


def _lesion(lesion: LesionResult) -> dict[str, Any]:
    heat_maps = {heat_map.endpoint: heat_map for heat_map in lesion.heat_maps}
    return {
        "index": lesion.index,
        "center_lps_mm": lesion.center_lps_mm,
        "slice": None if lesion.slice_number is None else dict(zip(("number", "of"), lesion.slice_number, strict=True)),
        "volume_range_ml": lesion.volume_range_ml,
        "warnings": _warnings(lesion.warnings),
        "atypicality": lesion.atypicality,
        "unlike": plain(lesion.unlike),
        "tumor": plain(lesion.tumor),
        "ring": plain(lesion.ring),
        "endpoints": [_endpoint(p) | _heat(lesion, p.endpoint, heat_maps.get(p.endpoint)) for p in lesion.endpoints],
        "voxel_maps": map_entries(lesion),
        "scores": {key: dict(values) for key, values in lesion.scores.items()},
        "features": {name: lesion.features[name] for name in sorted(lesion.features)},
    }


def _heat(lesion: LesionResult, key: str, heat_map: HeatMap | None) -> dict[str, Any]:
    """The file of a heat map, and how much of it lies where the tumor is."""
    if heat_map is None:
        return {"heat_map": None, "heat": None}
    shares = {"share": heat_map.heat_share, "area_share": heat_map.area_share, "outside": heat_map.looks_outside}
    return {"heat_map": heat_map_name(lesion, key), "heat": shares}


def _endpoint(answer: Answer) -> dict[str, Any]:
    about, told = endpoint(answer.endpoint), verdict(answer)
    return {
        "kind": answer.kind,
        "endpoint": about.key,
        "title": about.title,
        "definition": about.definition,
        **renderer(answer).fields(answer),
        "verdict": answer.verdict.to_dict(),
        "verdict_text": told.headline,
        "contributions": [_contribution(contribution) for contribution in answer.contributions],
    }


def _contribution(one: Contribution) -> dict[str, Any]:
    """Without features behind it where there are none."""
    content = {"name": one.name, "value": one.value, "effect": one.effect}
    return content | {"behind": [part._asdict() for part in one.behind]} if one.behind else content


def _warnings(warnings: tuple[CaseWarning, ...]) -> list[dict[str, str]]:
    return [warning.to_dict() for warning in warnings]


def _model(model: ModelSummary) -> dict[str, Any]:
    names = ("value", "low", "high", "n_positive", "n_negative")
    content: dict[str, Any] = plain(model)
    return content | {"auc": {key: dict(zip(names, row, strict=True)) for key, row in model.auc.items()}}
