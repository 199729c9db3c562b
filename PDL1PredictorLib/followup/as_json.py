"""A comparison for programs."""

import math
from typing import Any

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.followup.comparison import AnswerChange, Comparison, SizeChange
from PDL1PredictorLib.followup.examined import Examined
from PDL1PredictorLib.followup.wording import growth_words
from PDL1PredictorLib.report.json_result import finite
from PDL1PredictorLib.report.kinds import renderer

SCHEMA_VERSION = "1.0"


def to_json(comparisons: list[Comparison]) -> dict[str, Any]:
    """Plain values that `json.dumps(..., allow_nan=False)` accepts; it names no patient.

    `doubling_days` is null where the volume does not change (`doubling` is then `no growth`) or the days are not
    known (`not_known`).
    """
    content: dict[str, Any] = finite(
        {
            "schema_version": SCHEMA_VERSION,
            "research_use_only": RESEARCH_USE_ONLY,
            "tumors": [_one(comparison) for comparison in comparisons],
        }
    )
    return content


def _one(comparison: Comparison) -> dict[str, Any]:
    days = comparison.doubling_days
    return {
        "earlier": _study(comparison.earlier),
        "later": _study(comparison.later),
        "days": comparison.days,
        "volume_ml": _size(comparison.volume),
        "longest_axial_diameter_mm": _size(comparison.diameter),
        "doubling": "not_known" if days is None else "no growth" if math.isinf(days) else "days",
        "doubling_days": days,
        "growth": growth_words(comparison),
        "endpoints": [_answer(one) for one in comparison.answers],
        "notes": [note.to_dict() for note in comparison.notes],
    }


def _study(one: Examined) -> dict[str, Any]:
    day, model = one.study.day, one.result.model
    return {
        "tumor": one.lesion.index,
        "date": None if day is None else day.isoformat(),
        "model": model.name,
        "model_sha256": model.sha256,
        "ct_sha256": one.result.provenance.ct_sha256,
    }


def _size(size: SizeChange) -> dict[str, Any]:
    return {
        "earlier": size.earlier,
        "later": size.later,
        "earlier_range": size.earlier_range,
        "later_range": size.later_range,
        "percent": size.percent,
        "noise": size.noise,
    }


def _answer(one: AnswerChange) -> dict[str, Any]:
    calls = {
        when: None if answer is None else renderer(answer).verdict(answer).short
        for when, answer in (("earlier", one.earlier), ("later", one.later))
    }
    return {"endpoint": one.endpoint, **calls, "change": one.change, "noise": one.noise, "why_not": one.why_not or None}
