"""The result as text for the terminal."""

import math
import textwrap

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.outside_text import one_line, visible
from PDL1PredictorLib.core.results import Answer, CaseResult, LesionResult
from PDL1PredictorLib.report.kinds import by_kind, renderer
from PDL1PredictorLib.report.words import atypical, lead, lesion_title, likeness, ran, synthetic

WIDTH = 100


def summary(result: CaseResult) -> str:
    """What a person wants to see after a prediction: answers in aligned columns, warnings before them.

    Our own words are plain ASCII, so that any terminal can show them; only the case's name may bring other letters.
    """
    first = synthetic(result.model)
    blocks = [textwrap.fill(first, WIDTH)] if first else []
    blocks.append(f"PDL1Predictor {result.provenance.library_version}   {one_line(result.case)}")
    notes = [warning.text for warning in result.warnings]
    if notes:
        blocks.append("\n".join(_warning(note) for note in notes))
    if result.provenance.outline is not None:
        blocks.append(textwrap.fill(f"Contour: {result.provenance.outline.text}", WIDTH))
    blocks += [_lesion(lesion, result) for lesion in result.lesions]
    model = result.model
    blocks.append(f"Model: {model.title} {model.version} ({model.name}, {model.sha256[:12]})\nNetwork: {ran(result)}")
    blocks.append(textwrap.fill(f"What it is for: {model.intended_use}", WIDTH))
    blocks.append(textwrap.fill(RESEARCH_USE_ONLY, WIDTH))
    return visible("\n\n".join(blocks)) + "\n"


def _lesion(lesion: LesionResult, result: CaseResult) -> str:
    size = f"{lesion.tumor.volume_ml:.1f} mL, longest axial diameter {lesion.tumor.longest_axial_diameter_mm:.0f} mm"
    lines = [f"{lesion_title(lesion, result)}: {size}"]
    notes = [atypical(lesion), *(warning.text for warning in lesion.warnings)]
    lines += [_warning(note) for note in notes if note]
    if not math.isfinite(lesion.atypicality):
        lines.append(f"  How like the training cases this tumor is: {likeness(lesion.atypicality)}.")
    for answers in by_kind(lesion.endpoints):
        lines += _table(answers, lead(lesion))
    return "\n".join(lines)


def _table(answers: list[Answer], first: Answer | None) -> list[str]:
    """Answers of one kind in aligned columns; the one that stands first is said in full, what is withheld by why."""
    heads = renderer(answers[0]).heads(answers[0])
    rows = [("", heads.value.lower(), heads.short_interval, "answer" if heads.cut else "")]
    for answer in answers:
        show, name = renderer(answer), endpoint(answer.endpoint).title
        headline = show.verdict(answer).headline
        if not answer.verdict.answered:
            rows.append((name, "-", "", headline.split(",")[0]))
            continue
        said = headline if answer is first else headline.split(":")[0]
        rows.append((name, show.value(answer), show.interval(answer), said if heads.cut else ""))
    title, value, interval = (max(len(row[column]) for row in rows) for column in range(3))
    lines = []
    for a, b, c, d in rows:
        line = f"  {a:<{title}}  {b:>{value}}  {c:>{interval}}  {d}".rstrip()
        lines += [line] if len(line) <= WIDTH else [f"  {a:<{title}}  {b:>{value}}  {c:>{interval}}", f"      {d}"]
    return [*lines, *_beside(first, answers)]


def _beside(first: Answer | None, answers: list[Answer]) -> list[str]:
    """What stands beside the call that stands first; where there is none, why."""
    if first is None or not any(answer is first for answer in answers):
        return []
    if not first.verdict.answered:
        return textwrap.wrap(renderer(first).verdict(first).detail, WIDTH, initial_indent="  ", subsequent_indent="  ")
    facts = ", ".join(f"{name.lower()} {text}" for name, text in renderer(first).facts(first))
    title = endpoint(first.endpoint).title
    return textwrap.wrap(f"{title}: {facts}", WIDTH, initial_indent="  ", subsequent_indent="    ") if facts else []


def _warning(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="  ! ", subsequent_indent="    ")
