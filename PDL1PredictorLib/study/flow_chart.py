"""The flow of cases, drawn: the cohort from step to step, then every endpoint with the cases of its parts."""

import textwrap
from collections.abc import Sequence

from markupsafe import Markup, escape

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.study.outcome import StudyOutcome

WIDTH = 960
LINE = 17  # height of a line of text
STEP_WIDTH, SIDE_WIDTH, ENDPOINT_WIDTH = 400, 250, 180
GAP = 26  # between boxes, where the arrows are
PER_ROW = 5


def flow_chart(outcome: StudyOutcome) -> Markup:
    """Boxes and arrows, `outcome.flow` from above to below.

    Cases that were not used stand beside the first step, endpoints without a model beside the last.
    """
    marks: list[str] = []
    y = 2
    left = (WIDTH - STEP_WIDTH) // 2
    asides = _asides(outcome)
    for number, (words, cases) in enumerate(outcome.flow):
        lines = [*textwrap.wrap(words, 54), f"n = {cases}"]
        height = _height(lines)
        marks.append(_box(left, y, STEP_WIDTH, lines, "step"))
        aside = asides.get(number)
        if aside:
            x, middle = left + STEP_WIDTH + GAP, y + height // 2
            marks.append(f'<path class="arrow" d="M{left + STEP_WIDTH} {middle}H{x - 2}"/>')
            marks.append(_box(x, middle - _height(aside) // 2, SIDE_WIDTH, aside, "aside"))
        y += height
        marks.append(f'<path class="arrow" d="M{WIDTH // 2} {y}V{y + GAP - 2}"/>')
        y += GAP
    boxes = [_endpoint_lines(outcome, key) for key in outcome.endpoints]
    body, y = _rows(boxes, y)
    return Markup(  # noqa: S704 numbers, our own words and escaped text only
        f'<svg class="flow" viewBox="0 0 {WIDTH} {y + 2}" role="img" aria-label="flow of cases">'
        '<defs><marker id="flow-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'orient="auto"><path d="M0 0L8 4L0 8Z"/></marker></defs>{"".join(marks)}{body}</svg>'
    )


def _asides(outcome: StudyOutcome) -> dict[int, list[str]]:
    """What stands beside a step, by its number."""
    found: dict[int, list[str]] = {}
    if outcome.failed:
        found[0] = [f"Not used, reasons below: n = {len(outcome.failed)}"]
    if outcome.left_out:
        names = ", ".join(endpoint(key).title for key in outcome.left_out)
        lines = textwrap.wrap(f"Endpoints without a model, reasons below: {names}", 36)
        found.setdefault(len(outcome.flow) - 1, []).extend(lines)
    return found


def _endpoint_lines(outcome: StudyOutcome, key: str) -> list[str]:
    counts = outcome.endpoints[key].counts
    title = textwrap.wrap(endpoint(key).title, 20)
    return [*title, *(f"{part}: {yes} / {no}" for part, (yes, no) in counts.items())]


def _rows(boxes: Sequence[list[str]], y: int) -> tuple[str, int]:
    """Endpoint boxes below a line, `PER_ROW` beside each other; what is drawn, and where it ends."""
    marks = []
    for start in range(0, len(boxes), PER_ROW):
        row = boxes[start : start + PER_ROW]
        room = (WIDTH - len(row) * ENDPOINT_WIDTH) // (len(row) + 1)
        lefts = [room + place * (ENDPOINT_WIDTH + room) for place in range(len(row))]
        if start == 0:
            middles = [left + ENDPOINT_WIDTH // 2 for left in lefts]
            span = sorted([*middles, WIDTH // 2])
            marks.append(f'<path class="line" d="M{span[0]} {y}H{span[-1]}"/>')
            marks += [f'<path class="arrow" d="M{middle} {y}V{y + GAP - 2}"/>' for middle in middles]
            y += GAP
        marks += [_box(left, y, ENDPOINT_WIDTH, lines, "endpoint") for left, lines in zip(lefts, row, strict=True)]
        y += max(_height(lines) for lines in row) + 12
    return "".join(marks), y


def _box(x: int, y: int, width: int, lines: Sequence[str], kind: str) -> str:
    """A box with centered lines."""
    middle = x + width / 2
    text = "".join(
        f'<text x="{middle:g}" y="{y + 8 + LINE * (n + 0.75):g}"{_weight(kind, n, len(lines))}>{escape(line)}</text>'
        for n, line in enumerate(lines)
    )
    return f'<g class="{kind}"><rect x="{x}" y="{y}" width="{width}" height="{_height(lines)}" rx="5"/>{text}</g>'


def _weight(kind: str, n: int, n_lines: int) -> str:
    bold = n == n_lines - 1 if kind == "step" else n == 0 and kind == "endpoint"
    return ' class="bold"' if bold else ""


def _height(lines: Sequence[str]) -> int:
    return 16 + LINE * len(lines)
