"""What a reader must not overlook, before any answer: one place, read by the report, the window and the plain lines."""

from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import Answer
from PDL1PredictorLib.report import words
from PDL1PredictorLib.report.kinds import read_answer

UNPROVEN = ("no_skill", "not_measured")
MOST_NAMED = 6


class FirstWords(NamedTuple):
    """What stands before the answers; each a sentence or more, empty where there is nothing to say.

    Attributes:
        synthetic: That the model learned from synthetic patients, and what that means for this CT.
        unlike: That the tumor is unlike the training cohort, and in what.
        unproven: For which findings the model has no proven skill.
        purpose: What the model is for.
    """

    synthetic: str
    unlike: str
    unproven: str
    purpose: str


def first_words(content: Mapping[str, Any], lesion: Mapping[str, Any]) -> FirstWords:
    """What stands before the answers of a tumor.

    Args:
        content: Of a `result.json`, of any version.
        lesion: The tumor's part of it.
    """
    model = content["model"]
    answers = [read_answer(row) for row in lesion["endpoints"]]
    purpose = model.get("intended_use") or ""
    return FirstWords(
        synthetic=synthetic_words(model, answers),
        unlike=unlike_words(lesion),
        unproven=unproven_words(answers),
        purpose=f"What this model is for: {purpose}" if purpose else "",
    )


def synthetic_words(model: Mapping[str, Any], answers: Iterable[Answer]) -> str:
    """The report's sentence on a model of synthetic patients; and that this CT is not known to be of one."""
    said = words.synthetic(SimpleNamespace(trained_on=model.get("trained_on")))  # type: ignore[arg-type]
    real = any(reason.code == "synthetic_model" for answer in answers for reason in answer.verdict.reasons)
    return f"{said} This CT is not known to be of a synthetic patient: nothing is answered." if said and real else said


def unlike_words(lesion: Mapping[str, Any]) -> str:
    """In what the tumor is unlike the training cohort; empty if it is not."""
    unlike = lesion.get("unlike") or {"p": None, "parts": [], "flagged": False}
    parts = [SimpleNamespace(**part) for part in unlike["parts"]]
    seen = SimpleNamespace(unlike=SimpleNamespace(**{**unlike, "parts": parts}), atypicality=lesion["atypicality"] or 0)
    return words.atypical(seen)  # type: ignore[arg-type]


def unproven_words(answers: Iterable[Answer]) -> str:
    """For which findings the model has no proven skill, all of them or some by name; empty if there is none."""
    answers = list(answers)
    found = [
        endpoint(answer.endpoint).title
        for answer in answers
        if any(reason.code in UNPROVEN for reason in answer.verdict.reasons) and not answer.verdict.answered
    ]
    if not found:
        return ""
    if len(found) == len(answers):
        return "No proven skill: on its test cases this model is not known to be better than chance at any finding."
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    return f"No proven skill, so no answer: {', '.join(found[:MOST_NAMED])}{more}."
