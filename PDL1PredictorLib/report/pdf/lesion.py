"""One tumor on the pages: its answers, its pictures, what moved the answers."""

from collections.abc import Sequence
from typing import Any

from reportlab.platypus import Spacer, Table

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.results import Answer, LesionResult, ModelSummary
from PDL1PredictorLib.report import words
from PDL1PredictorLib.report.html import LesionView, contribution_rows, limit_of, number
from PDL1PredictorLib.report.kinds import renderer
from PDL1PredictorLib.report.pdf import style
from PDL1PredictorLib.report.pdf.blocks import (
    heading,
    notice,
    paragraph,
    side_by_side,
    table,
    tag,
    together,
)
from PDL1PredictorLib.report.pdf.drawings import EffectDrawing, PictureDrawing, ScaleDrawing
from PDL1PredictorLib.report.pdf.style import Style
from PDL1PredictorLib.report.pictures import Picture
from PDL1PredictorLib.report.remade.kept import KeptPicture

IN_A_ROW = 3  # pictures
BETWEEN = 7.0  # points


def lesion_parts(view: LesionView, model: ModelSummary, look: Style, titled: bool) -> list[Any]:
    """All of one tumor, in the order of the report."""
    parts: list[Any] = heading(view.title, look, large=True) if titled else []
    if view.atypical:
        parts += [notice("Unlike the training cohort", [view.atypical], look, strong=True), Spacer(1, look.gap())]
    if view.notes:
        parts += [notice("Warning" if len(view.notes) == 1 else "Warnings", view.notes, look), Spacer(1, look.gap())]
    if view.lead:
        parts += _lead(view.lead, model, look)
    for position, answers in enumerate(view.others):
        title = "Other biomarkers" if position == 0 else "Further biomarkers"
        parts += [*heading(title, look), *_others(answers, model, look)]
    if view.withheld:
        parts += [*heading("Numbers that are no answers", look), _withheld(view.withheld, look)]
    parts += [*heading("Where it is", look), *_pictures(view, look)]
    answers = [*([view.lead] if view.lead else []), *(one for several in view.others for one in several)]
    for answer in answers:
        if answer.contributions:
            title = f"What moved the answer for {endpoint(answer.endpoint).title}"
            parts += [*heading(title, look), *_contributions(answer, look, explained=answer is answers[0])]
    return parts


def _lead(answer: Answer, model: ModelSummary, look: Style) -> list[Any]:
    show, said = renderer(answer), renderer(answer).verdict(answer)
    title = paragraph(endpoint(answer.endpoint).title, look, size=11, bold=True)
    tested = show.test_sentence(model, answer.endpoint)
    if answer.verdict.answered:
        left = [title, paragraph(show.value(answer), look, size=24, bold=True)]
        right = [tag(said.kind, said.headline, look, look.width * 0.74)]
    else:
        left = [title, Spacer(1, look.gap(3)), tag("none", said.short, look, look.width * 0.24)]
        right = [paragraph(f"• {reason.text}", look) for reason in answer.verdict.reasons]
        number_text = f"{show.value(answer)}, {show.interval_name(answer)} {show.interval(answer)}"
        right += [
            Spacer(1, look.gap(4)),
            paragraph(f"The model's number, which is no answer: {number_text}", look, color=style.SOFT),
        ]
    drawing = ScaleDrawing(show.scale(answer), look.width * 0.74, named=True, faded=not answer.verdict.answered)
    detail = f"{show.meaning(answer)} {said.detail}" if answer.verdict.answered else show.meaning(answer)
    right += [Spacer(1, look.gap(2)), drawing, paragraph(detail, look, size=7.4), Spacer(1, look.gap(2))]
    right += [_facts(show.facts(answer), look)]
    if tested:
        text = f"On the model's untouched test cases: {tested}"
        right += [Spacer(1, look.gap(2)), paragraph(text, look, size=7.4, color=style.SOFT)]
    return [together(side_by_side(left, right, 0.25, look)), Spacer(1, look.gap())]


def _facts(facts: Sequence[tuple[str, str]], look: Style) -> Table:
    """Names above values, three in a row."""
    cells = [
        [paragraph(name, look, size=6.6, color=style.SOFT), paragraph(text, look, size=7.4, bold=True)]
        for name, text in facts
    ]
    rows = [cells[n : n + 3] for n in range(0, len(cells), 3)]
    filled = [[*row, *[""] * (3 - len(row))] for row in rows] or [["", "", ""]]
    return table((), filled, (1, 1, 1), look, width=look.width * 0.74)


def _others(answers: Sequence[Answer], model: ModelSummary, look: Style) -> list[Any]:
    heads = renderer(answers[0]).heads(answers[0])
    cut = ("Threshold", "Base rate", "Sens.", "Spec.") if heads.cut else ()
    shares = (2.5, 1.6, 2.0, 2.2, *((1.5, 1.0, 0.9, 0.9) if cut else ()), 2.3)
    rows = [_row(answer, model, look, bool(cut), look.width * 2.0 / sum(shares) - 8) for answer in answers]
    columns = ("Endpoint", heads.value, heads.scale, "Read as", *cut, heads.test)
    right = (1, *range(4, len(columns)))
    return [
        table(columns, rows, shares, look, right=right),
        Spacer(1, look.gap(2)),
        paragraph(heads.note, look, size=6.8, color=style.SOFT),
    ]


def _row(answer: Answer, model: ModelSummary, look: Style, cut: bool, width: float) -> list[Any]:
    show, said = renderer(answer), renderer(answer).verdict(answer)
    facts, title = dict(show.facts(answer)), endpoint(answer.endpoint).title
    name = title if answer.role == "lead" else f"{title} (by {facts['Model']})"
    numbers = [
        facts.get(key, "–").partition(" (")[0] for key in ("Threshold", "Base rate", "Sensitivity", "Specificity")
    ]
    given = answer.verdict.answered
    return [
        name,
        show.value(answer) if given else "–",
        ScaleDrawing(show.scale(answer), width, named=False) if given else "",
        said.short if given else said.headline,
        *(numbers if cut else ()),
        show.test(model, answer.endpoint) or "–",
    ]


def _withheld(answers: Sequence[Answer], look: Style) -> Table:
    rows = [
        [
            endpoint(one.endpoint).title,
            renderer(one).value(one),
            renderer(one).interval(one),
            " ".join(reason.text for reason in one.verdict.reasons),
        ]
        for one in answers
    ]
    return table(("Endpoint", "Number", "Interval", "Why it is no answer"), rows, (2, 1, 1.5, 5), look, right=(1, 2))


def _pictures(view: LesionView, look: Style) -> list[Any]:
    width = (look.width - BETWEEN * (IN_A_ROW - 1)) / IN_A_ROW
    figures = [_figure(one, one.title, look, width) for one in view.slices[:2]]
    for position, heat in enumerate(view.heat):
        title = f"{heat.title} ({view.heat_method}) for {view.heat_title}"
        figures.append(_figure(heat, title, look, width, _heat_note(view) if position == 0 else ""))
    figures += [_figure(one, one.title, look, width) for one in view.slices[2:]]
    figures.append(_beside(view.lesion, look, width))
    rows: list[list[Any]] = [figures[n : n + IN_A_ROW] for n in range(0, len(figures), IN_A_ROW)]
    rows[-1] += [""] * (IN_A_ROW - len(rows[-1]))
    grid = Table(
        rows,
        colWidths=[width + BETWEEN] * (IN_A_ROW - 1) + [width],
        style=[
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LEFTPADDING", (0, 0), (-1, -1), 0),
            ("RIGHTPADDING", (0, 0), (-1, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 0),
            ("BOTTOMPADDING", (0, 0), (-1, -1), look.gap(4)),
        ],
    )
    return [grid, paragraph(_picture_words(view), look, size=6.8, color=style.SOFT)]


def _figure(picture: Picture | KeptPicture, title: str, look: Style, width: float, more: str = "") -> list[Any]:
    if isinstance(picture, KeptPicture):
        raise TypeError("a PDF is drawn from a result, not from the pictures of a page")
    return [
        PictureDrawing(picture, width),
        Spacer(1, look.gap(2)),
        paragraph(f"{title}, {picture.note}", look, size=6.8),
        *([paragraph(more, look, size=6.8, color=style.SOFT)] if more else []),
    ]


def _heat_note(view: LesionView) -> str:
    empty = "The map is empty: nothing here raised the answer." if view.heat_empty else ""
    return f"{view.heat_shares} {empty}".strip()


def _beside(lesion: LesionResult, look: Style, width: float) -> list[Any]:
    """What the colors are, and the measures of both regions."""
    tumor, ring = lesion.tumor, lesion.ring
    rows = [
        ("Volume", f"{number(tumor.volume_ml)} mL", f"{number(ring.volume_ml)} mL"),
        ("Longest axial diameter", f"{number(tumor.longest_axial_diameter_mm, 0)} mm", "–"),
        ("Mean", f"{number(tumor.mean_hu, 0)} HU", f"{number(ring.mean_hu, 0)} HU"),
        ("Standard deviation", f"{number(tumor.sd_hu, 0)} HU", f"{number(ring.sd_hu, 0)} HU"),
    ]
    if lesion.unlike.p is not None:
        rows.append(("As far from the training cohort (p)", words.p_value(lesion.unlike.p), ""))
    rows.append(("Atypicality (limit 1)", words.likeness(lesion.atypicality), ""))
    key = (
        "Amber: tumor, as outlined. Blue, dashed: outer edge of the peritumoral ring. Heat: dark red to yellow, 0 to 1."
    )
    return [
        paragraph(key, look, size=6.8, color=style.SOFT),
        Spacer(1, look.gap(3)),
        table(("", "Tumor", "Ring"), rows, (2.1, 1.3, 1.2), look, right=(1, 2), width=width),
    ]


def _picture_words(view: LesionView) -> str:
    heat = ""
    if len(view.heat) == 1:
        heat = (
            "The heat map shows where in this one slice the image raised the network's answer; it is no outline of the "
            "tumor and says nothing about other slices. "
        )
    elif view.heat:
        heat = (
            "The heat map shows where in the volume about the tumor the image raised the network's answer, in three "
            "planes through the tumor's center; its cells are coarse, and it is no outline of the tumor. "
        )
    tilt = (
        f" Slices follow the scan's own axes, which are tilted by up to {number(view.tilt_degrees, 0)}° against the "
        "patient's."
        if view.tilt_degrees
        else ""
    )
    return (
        f"{heat}Letters are the patient's sides (R right, L left, A anterior, P posterior, S superior, I inferior); "
        f"positions are patient coordinates at the picture's middle.{tilt}"
    )


def _contributions(answer: Answer, look: Style, explained: bool) -> list[Any]:
    how, rows = renderer(answer).explained(answer), contribution_rows(answer.contributions)
    limit, width = limit_of(rows, how.least), look.width * 0.38
    unit = "" if how.unit == "log-odds" else f" ({how.unit})"
    heads = ("Input", "Value, SD", f"left: towards “{how.lowers}”; right: “{how.raises}”", f"Effect{unit}")
    cells = [
        (row.title, number(row.value, 1, True), EffectDrawing(row.effect, limit, width), number(row.effect, 2, True))
        for row in rows
    ]
    found: list[Any] = [table(heads, cells, (3.4, 1.2, 4.1, 1.0), look, right=(1, 3))]
    if explained:
        text = (
            f"{how.note} Inputs are standardized: 0 is the training cohort's mean, 1 its standard deviation. They say "
            "what the model used, not what causes the biomarker."
        )
        found += [Spacer(1, look.gap(2)), paragraph(text, look, size=6.8, color=style.SOFT)]
    return found
