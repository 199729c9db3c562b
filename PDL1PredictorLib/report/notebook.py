"""A result in a notebook: a line a tumor as text, a small table as HTML that brings its styles along."""

import math

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.outside_text import one_line
from PDL1PredictorLib.core.results import Answer, CaseResult, LesionResult
from PDL1PredictorLib.report.colors import ANSWERS
from PDL1PredictorLib.report.html import templates
from PDL1PredictorLib.report.kinds import renderer, verdict
from PDL1PredictorLib.report.words import atypical, lead, lesion_title, likeness, synthetic


def brief(result: CaseResult) -> str:
    """A line a tumor: whose it is, the answer that stands first with its verdict, and how many warnings there are."""
    lines = [_line(lesion, result) for lesion in result.lesions]
    first = synthetic(result.model)
    lines = [first, *lines] if first else lines
    return "\n".join([*lines, "Research use only."])


def to_notebook(result: CaseResult) -> str:
    """The answers as a fragment of HTML without scripts: a table a tumor, its warnings, what the model is for."""
    environment = templates("PDL1PredictorLib.report")
    return environment.get_template("notebook.html").render(
        result=result,
        model=result.model,
        research=RESEARCH_USE_ONLY,
        colors=ANSWERS,
        endpoint=endpoint,
        lead=lead,
        renderer=renderer,
        verdict=verdict,
        read_as=_read_as,
        synthetic=synthetic(result.model),
        title=lambda lesion: lesion_title(lesion, result),
        notes=_notes,
    )


def _line(lesion: LesionResult, result: CaseResult) -> str:
    where = one_line(result.case)
    if result.lesions_found > 1:
        where = f"{where}, {lesion_title(lesion, result).lower()}"
    first = lead(lesion)
    if first is None:
        return f"{where}: no answer"
    show = renderer(first)
    count = len({*result.warnings, *lesion.warnings})
    warned = "" if not count else "; 1 warning" if count == 1 else f"; {count} warnings"
    title = endpoint(first.endpoint).title
    if not first.verdict.answered:
        return f"{where}: {title} {_read_as(first)}{warned}"
    return f"{where}: {title} {show.value(first)} ({show.interval(first)}), {_read_as(first)}{warned}"


def _read_as(answer: Answer) -> str:
    """The verdict; where nothing is called, what the interval is."""
    show = renderer(answer)
    called = show.cut(answer) or not answer.verdict.answered
    return verdict(answer).headline if called else show.interval_name(answer)


def _notes(lesion: LesionResult) -> list[str]:
    unknown = f"How like the training cases this tumor is: {likeness(lesion.atypicality)}."
    likely = atypical(lesion) if math.isfinite(lesion.atypicality) else unknown
    return [note for note in (likely, *(warning.text for warning in lesion.warnings)) if note]
