"""The flow of cases, drawn: the cohort from step to step and into its parts, then every endpoint with its cases."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup, escape

from PDL1PredictorLib.core.designs import Design
from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.study.report.kinds import kind_report

Line = tuple[str, bool]
"""Words, and whether they are bold."""
WIDTH = 960
LINE = 17  # height of a line of text
STEP_WIDTH, SIDE_WIDTH, SMALL_WIDTH = 400, 250, 180
GAP, ROW_GAP = 26, 12  # between boxes, where the arrows are, and where none is
PER_ROW = 5


@dataclass
class Step:
    """One step of the flow.

    Attributes:
        words: What it is.
        cases: How many.
        gone: What left the study after it: words and number of cases.
    """

    words: str
    cases: int
    gone: list[tuple[str, int]] = field(default_factory=list)


def arrange(flow: Sequence[tuple[str, int]], divided: bool) -> tuple[list[Step], list[Step]]:
    """The steps one below the other, and the parts into which the last one is divided.

    In a study that divides its cases the last entries are parts where they add up to the entry before them. Of the
    others, one with fewer cases than a later one tells what left the study.

    Args:
        flow: What happened to the cases, in order: words, number of cases.
        divided: Whether the study divides its cases, as a split does.
    """
    entries, parts = list(flow), []
    for first in range(1, len(entries) - 1):
        if divided and sum(cases for _, cases in entries[first:]) == entries[first - 1][1]:
            entries, parts = entries[:first], [Step(*entry) for entry in entries[first:]]
            break
    steps: list[Step] = []
    for number, (words, cases) in enumerate(entries):
        if steps and any(cases < later for _, later in entries[number + 1 :]):
            steps[-1].gone.append((words, cases))
        else:
            steps.append(Step(words, cases))
    return steps, parts


def cases_used(flow: Sequence[tuple[str, int]], divided: bool) -> int | None:
    """How many cases the study has in the end, before they are divided; None where nothing was told."""
    steps, _ = arrange(flow, divided)
    return steps[-1].cases if steps else None


def flow_of(document: Mapping[str, Any]) -> tuple[list[tuple[str, int]], bool]:
    """The flow of a study's document, and whether its cases were divided: what `arrange` asks for."""
    return [(row["step"], row["cases"]) for row in document["cohort"]["flow"]], document["design"] == Design.SPLIT.words


def flow_chart(document: Mapping[str, Any]) -> Markup:
    """Boxes and arrows, the flow of a study's document from above to below, what left the study beside it."""
    steps, parts = arrange(*flow_of(document))
    marks: list[str] = []
    y = 2
    left = (WIDTH - STEP_WIDTH) // 2
    for number, step in enumerate(steps):
        lines = _step_lines(step, 54)
        height = _height(lines)
        marks.append(_box(left, y, STEP_WIDTH, lines, "step"))
        aside = _aside(document["left_out"], step, number == len(steps) - 1)
        if aside:
            x, middle = left + STEP_WIDTH + GAP, y + height // 2
            marks.append(f'<path class="arrow" d="M{left + STEP_WIDTH} {middle}H{x - 2}"/>')
            marks.append(_box(x, middle - _height(aside) // 2, SIDE_WIDTH, aside, "aside"))
        y += height
        if number < len(steps) - 1:
            marks.append(f'<path class="arrow" d="M{WIDTH // 2} {y}V{y + GAP - 2}"/>')
            y += GAP
    above = [WIDTH // 2]
    for boxes, kind in (
        ([_step_lines(part, 22) for part in parts], "step"),
        ([_endpoint_lines(key, numbers) for key, numbers in document["endpoints"].items()], "endpoint"),
    ):
        if boxes:
            marks += _connected(above, _middles(boxes[:PER_ROW]), y)
            body, y = _rows(boxes, y + GAP + GAP // 2, kind)
            marks.append(body)
            above = _middles(boxes[:PER_ROW])
    return Markup(  # noqa: S704 numbers, our own words and escaped text only
        f'<svg class="flow" viewBox="0 0 {WIDTH} {y + 2}" role="img" aria-label="flow of cases">'
        '<defs><marker id="flow-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto"><path d="M0 0L8 4L0 8Z"/></marker></defs>{"".join(marks)}</svg>'
    )


def _step_lines(step: Step, width: int) -> list[Line]:
    words = step.words[:1].upper() + step.words[1:]
    return [*((line, False) for line in textwrap.wrap(words, width)), (f"n = {step.cases}", True)]


def _aside(left_out: Mapping[str, str], step: Step, last: bool) -> list[Line]:
    """What stands beside a step: what left the study there, and beside the last one endpoints without a model."""
    sentences = [f"{words}: n = {cases}" for words, cases in step.gone]
    if last and left_out:
        names = ", ".join(endpoint(key).title for key in left_out)
        sentences.append(f"Endpoints without a model, reasons in the results: {names}")
    return [(line, False) for sentence in sentences for line in textwrap.wrap(sentence, 36)]


def _endpoint_lines(key: str, numbers: Mapping[str, Any]) -> list[Line]:
    title = textwrap.wrap(endpoint(key).title, 20)
    counted = kind_report(numbers["kind"]).counted
    counts = {part: of.values() if isinstance(of, Mapping) else (of,) for part, of in numbers["counts"].items()}
    return [
        *((line, True) for line in title),
        *((f"{part}: {counted(tuple(of))}", False) for part, of in counts.items()),
    ]


def _connected(above: Sequence[int], below: Sequence[int], y: int) -> list[str]:
    """Lines down from the boxes above, joined, and arrows to the boxes below."""
    joint = y + GAP // 2
    ends = sorted([*above, *below])
    lines = "".join(f"M{middle} {y}V{joint}" for middle in above)
    arrows = [f'<path class="arrow" d="M{middle} {joint}V{joint + GAP - 2}"/>' for middle in below]
    return [f'<path class="line" d="{lines}M{ends[0]} {joint}H{ends[-1]}"/>', *arrows]


def _middles(row: Sequence[list[Line]]) -> list[int]:
    """Where the boxes of one row have their middle."""
    room = (WIDTH - len(row) * SMALL_WIDTH) // (len(row) + 1)
    return [room + place * (SMALL_WIDTH + room) + SMALL_WIDTH // 2 for place in range(len(row))]


def _rows(boxes: Sequence[list[Line]], y: int, kind: str) -> tuple[str, int]:
    """Boxes of equal height, `PER_ROW` beside each other; what is drawn, and where it ends."""
    marks = []
    height = max(_height(lines) for lines in boxes)
    for start in range(0, len(boxes), PER_ROW):
        row = boxes[start : start + PER_ROW]
        y += height + ROW_GAP if start else 0
        for middle, lines in zip(_middles(row), row, strict=True):
            marks.append(_box(middle - SMALL_WIDTH // 2, y, SMALL_WIDTH, lines, kind, height))
    return "".join(marks), y + height


def _box(x: int, y: int, width: int, lines: Sequence[Line], kind: str, height: int | None = None) -> str:
    """A box with centered lines, as high as they need or as is said."""
    middle = x + width / 2
    text = "".join(
        f'<text class="{"bold" if bold else "plain"}" x="{middle:g}" y="{y + 8 + LINE * (n + 0.75):g}">'
        f"{escape(words)}</text>"
        for n, (words, bold) in enumerate(lines)
    )
    rectangle = f'<rect x="{x}" y="{y}" width="{width}" height="{height or _height(lines)}" rx="5"/>'
    return f'<g class="{kind}">{rectangle}{text}</g>'


def _height(lines: Sequence[Line]) -> int:
    return 16 + LINE * len(lines)
