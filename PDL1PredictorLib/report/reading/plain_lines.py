"""A tumor's result in five plain lines, to be pasted into a clinical report or a message."""

from collections.abc import Mapping, Sequence
from typing import Any

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.outside_text import one_line
from PDL1PredictorLib.core.provenance import SEMIAUTOMATIC
from PDL1PredictorLib.core.results import Answer
from PDL1PredictorLib.report.kinds import read_answer, renderer
from PDL1PredictorLib.report.reading.first_words import first_words
from PDL1PredictorLib.report.words import lead_key

N_LINES = 5
PATIENT, CALIBRATION = "95 % interval of the patient", "95 % calibration interval"


def plain_text(content: Mapping[str, Any]) -> str:
    """The lines of every tumor of a result, an empty line between two tumors.

    Args:
        content: Of a `result.json`.
    """
    return "\n\n".join("\n".join(plain_lines(content, lesion)) for lesion in content["lesions"]) + "\n"


def plain_lines(content: Mapping[str, Any], lesion: Mapping[str, Any]) -> tuple[str, ...]:
    """Tumor and model; the answer that stands first; the others; what limits them; that it is for research.

    A number stands there only where the model answers.

    Args:
        content: Of a `result.json`, of any version.
        lesion: The tumor's part of it.
    """
    answers = [read_answer(row) for row in lesion["endpoints"]]
    key = lead_key([answer.endpoint for answer in answers])
    first = next((answer for answer in answers if answer.endpoint == key), None)
    lines = (
        _tumor(content, lesion),
        "No finding was asked for." if first is None else _lead(first),
        _others([answer for answer in answers if answer is not first]),
        _limits(content, lesion),
        RESEARCH_USE_ONLY,
    )
    return tuple(one_line(line) for line in lines)


def _tumor(content: Mapping[str, Any], lesion: Mapping[str, Any]) -> str:
    model, size = content["model"], lesion.get("tumor") or {}
    found = int(content.get("lesions_found") or 1)
    which = f"Tumor {lesion['index']} of {found}" if found > 1 else "Tumor"
    measures = ""
    if size.get("volume_ml") is not None and size.get("longest_axial_diameter_mm") is not None:
        measures = f", {size['volume_ml']:.1f} mL, longest axial diameter {size['longest_axial_diameter_mm']:.0f} mm"
    drawn = (content.get("provenance") or {}).get("outline")  # older results have none
    how = ""
    if drawn is not None:
        kind = drawn.get("kind", SEMIAUTOMATIC)  # older results have no other
        how = f", contour {kind}{', edited' if drawn.get('edited') else ''}"
    return f"Prediction from CT by {model['title']} {model['version']} (PDL1Predictor). {which}{measures}{how}."


def _lead(answer: Answer) -> str:
    """The whole answer; why there is none."""
    show, title = renderer(answer), endpoint(answer.endpoint).title
    headline = show.verdict(answer).headline
    said = headline if headline.startswith(title) else f"{title}: {headline}"
    if not answer.verdict.answered or not show.heads(answer).cut:
        return f"{said}."
    facts = dict(show.facts(answer))
    wanted = ("Threshold", "Base rate", PATIENT if PATIENT in facts else CALIBRATION)
    beside = "; ".join(f"{name[:1].lower()}{name[1:]} {facts[name]}" for name in wanted if name in facts)
    return f"{said}; probability of {endpoint(answer.endpoint).positive} {show.value(answer)}; {beside}."


def _others(answers: Sequence[Answer]) -> str:
    given = [answer for answer in answers if answer.verdict.answered]
    withheld = [endpoint(answer.endpoint).title for answer in answers if not answer.verdict.answered]
    parts = []
    if given:
        briefs = (f"{endpoint(answer.endpoint).title} {renderer(answer).brief(answer)}" for answer in given)
        parts.append(f"Other findings: {'; '.join(briefs)}.")
    if withheld:
        parts.append(f"Not answered: {', '.join(withheld)}.")
    return " ".join(parts) or "Other findings: none; the model answers this one alone."


def _limits(content: Mapping[str, Any], lesion: Mapping[str, Any]) -> str:
    """What must be known, the weightiest first, a sentence each; all of it stands in the report."""
    said = [_first_sentence(text) for text in first_words(content, lesion) if text]
    n = len(content["warnings"]) + len(lesion["warnings"])
    if n:
        said.append(f"{n} warning{'s' if n > 1 else ''} in the report.")
    return f"Limits: {' '.join(said)}" if said else "Limits: none told by the model; see its card."


def _first_sentence(text: str) -> str:
    head, end, _rest = text.partition(". ")
    return f"{head}." if end else text
