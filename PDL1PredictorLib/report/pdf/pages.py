"""The report on sheets of paper: what it says, and a size of letters that leaves no page half empty."""

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from reportlab.lib import pagesizes
from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Spacer

from PDL1PredictorLib import RESEARCH_USE_ONLY
from PDL1PredictorLib.core.results import CaseResult
from PDL1PredictorLib.report import words
from PDL1PredictorLib.report.html import (
    LesionView,
    clinical_values,
    flat,
    lesion_view,
    number,
    tests_of,
)
from PDL1PredictorLib.report.json_result import FREE_NAME
from PDL1PredictorLib.report.kinds import renderer
from PDL1PredictorLib.report.pdf import style
from PDL1PredictorLib.report.pdf.blocks import banner, heading, notice, pairs, paragraph, side_by_side, table
from PDL1PredictorLib.report.pdf.fonts import BOLD, PLAIN, can_show, register
from PDL1PredictorLib.report.pdf.lesion import lesion_parts
from PDL1PredictorLib.report.pdf.patient import Identity
from PDL1PredictorLib.report.pdf.style import FOOT, MARGIN, Style

SIZES = {"A4": pagesizes.A4, "Letter": pagesizes.letter}
SCALES = (1.02, 0.98, 1.04, 0.96, 1.07, 0.93, 1.1, 0.9, 1.14, 0.87, 1.18)  # where the reckoned one does not do
LEAST, MOST = min(SCALES), max(SCALES)
FILLED, TIGHT = 0.8, 0.97  # of the last page, where it shall hold more, and where one page less shall do
MOST_BLANK = 1 / 3  # of a page


@dataclass(frozen=True)
class Pages:
    """A PDF.

    Attributes:
        content: The file.
        blank: Of each page, the share of its height that is empty at its end.
    """

    content: bytes
    blank: tuple[float, ...]


def to_pdf(result: CaseResult, paper: str, who: Identity | None = None, with_patient: bool = False) -> Pages:
    """The report as a PDF.

    Args:
        result: What to show.
        paper: `A4` or `Letter`.
        who: Whose it is, on top and at the foot of each page; None for pages that name no patient.
        with_patient: Show the case's name and the clinical values.

    Returns:
        The pages with letters of the first size, of those that can be read well, that leaves at most a third of each
        page empty; of the size that comes nearest to it, where none does.

    Raises:
        GridMismatchError: The pictures and the regions do not share one lattice.
    """
    register()
    views = [lesion_view(lesion, result) for lesion in result.lesions]
    usual = _laid_out(result, views, paper, 1.0, who, with_patient).blank
    tried = {1.0: usual}
    for scale in _scales(len(usual) - usual[-1]):
        if min(max(blank) for blank in tried.values()) <= MOST_BLANK:
            break
        tried[scale] = _laid_out(result, views, paper, scale, who, with_patient).blank
    best = min(tried, key=lambda scale: max(tried[scale]))
    return _laid_out(result, views, paper, best, who, with_patient, len(tried[best]))


def _scales(filled: float) -> Iterator[float]:
    """Sizes of letters to try where the usual one does not do: those that should, then some around.

    Args:
        filled: How many pages the usual size fills; about as much more as the letters are larger, since pictures stay.
    """
    whole = math.ceil(filled)
    reckoned = ((whole - 1 + FILLED) / filled, (whole - 2 + TIGHT) / filled)
    yield from sorted((s for s in reckoned if LEAST <= s <= MOST), key=lambda s: abs(s - 1))
    yield from SCALES


class _Document(BaseDocTemplate):  # type: ignore[misc]
    """Counts its pages beforehand, so that each says of how many it is, and remembers how far each is filled."""

    def __init__(self, target: io.BytesIO, paper: str, foot: str, n_pages: int) -> None:
        size = SIZES[paper]
        super().__init__(
            target,
            pagesize=size,
            invariant=1,  # the same content, the same bytes
            title="PDL1Predictor report",
            author="PDL1Predictor",
            subject=RESEARCH_USE_ONLY,
        )
        height = size[1] - 2 * MARGIN - FOOT
        frame = Frame(
            MARGIN,
            MARGIN + FOOT,
            size[0] - 2 * MARGIN,
            height,
            leftPadding=0,
            rightPadding=0,
            topPadding=0,
            bottomPadding=0,
        )
        self.addPageTemplates([PageTemplate("page", [frame], onPageEnd=self._foot)])
        self.height_of_text, self.foot, self.n_pages = height, foot, n_pages
        self.blank: list[float] = []

    def afterPage(self) -> None:
        """How much of the page is empty."""
        left = self.frame._y - self.frame._y1p
        self.blank.append(max(left, 0.0) / self.height_of_text)

    def _foot(self, canvas: Any, document: Any) -> None:
        left, right, y = MARGIN, self.pagesize[0] - MARGIN, MARGIN - 2
        canvas.setFillColor(style.INK)
        canvas.setFont(BOLD, 6.8)
        canvas.drawString(left, y + 9, "Research use only. Not a medical device.")
        canvas.setFont(PLAIN, 6.8)
        canvas.setFillColor(style.SOFT)
        if self.foot:  # a paragraph, since names may need more than one font
            line = paragraph(self.foot, Style(1.0, right - left), size=6.8, color=style.SOFT)
            line.wrapOn(canvas, right - left, 12)
            line.drawOn(canvas, left, y - 2)
        of = f" / {self.n_pages}" if self.n_pages else ""
        canvas.drawRightString(right, y + 9, f"{document.page}{of}")


def _laid_out(
    result: CaseResult,
    views: list[LesionView],
    paper: str,
    scale: float,
    who: Identity | None,
    with_patient: bool,
    n_pages: int = 0,
) -> Pages:
    """The pages with letters of one size; they say of how many they are where that is known by now."""
    look, target = Style(scale, SIZES[paper][0] - 2 * MARGIN), io.BytesIO()
    made = _Document(target, paper, who.line if who else "", n_pages)
    made.build(_story(result, views, look, who, with_patient))
    return Pages(target.getvalue(), tuple(made.blank))


def _story(
    result: CaseResult, views: list[LesionView], look: Style, who: Identity | None, with_patient: bool
) -> list[Any]:
    parts: list[Any] = []
    made_of = words.synthetic(result.model)
    if made_of:
        parts += [notice("A model of synthetic patients", [made_of], look, strong=True), Spacer(1, look.gap())]
    parts += [banner(RESEARCH_USE_ONLY, look), Spacer(1, look.gap()), *_head(result, look, who, with_patient)]
    warnings = [f"What this model is for: {result.model.intended_use}", *(w.text for w in result.warnings)]
    parts += [Spacer(1, look.gap()), notice("Before you read on", warnings, look), Spacer(1, look.gap())]
    if len(views) > 1:
        parts += [*heading("Overview", look), _overview(views, look)]
    for view in views:
        parts += lesion_parts(view, result.model, look, titled=result.lesions_found > 1)
    return [
        *parts,
        *_model(result, look),
        *_provenance(result, look),
        Spacer(1, look.gap()),
        banner(RESEARCH_USE_ONLY, look),
    ]


def _head(result: CaseResult, look: Style, who: Identity | None, with_patient: bool) -> list[Any]:
    model, made_by = result.model, result.provenance
    tumors = f"{len(result.lesions)}"
    if result.lesions_found != len(result.lesions):
        tumors += f" of {result.lesions_found}"
    facts = [("Predicted (UTC)", made_by.created_utc[:16].replace("T", " ")), ("Tumors", tumors)]
    if made_by.outline is not None:
        facts.append(("Contour", made_by.outline.short))
    if who is None:
        facts.insert(0, ("Case", result.case if with_patient else FREE_NAME))
    left = [
        paragraph("PD-L1 and biomarkers predicted from CT", look, size=13, bold=True),
        paragraph(f"PDL1Predictor {made_by.library_version} · {model.title} {model.version}", look, color=style.SOFT),
    ]
    parts: list[Any] = [side_by_side(left, pairs(facts, look, 0.45, look.width * 0.34), 0.66, look)]
    if who is not None:
        parts += [Spacer(1, look.gap(3)), pairs(_identity(who), look, 0.16)]
    known = clinical_values(result) if with_patient else {}
    if known:
        told = "; ".join(f"{name}: {value}" for name, value in known.items())
        parts += [Spacer(1, look.gap(3)), pairs([("Known besides", told)], look, 0.16)]
    return parts


def _identity(who: Identity) -> list[tuple[str, str]]:
    rows = list(who.rows())
    if not all(can_show(text) for _, text in rows):
        rows.append(("Letters", "“?” stands for letters that this computer has no font for; the archive has them."))
    return rows


def _overview(views: list[LesionView], look: Style) -> Any:
    rows = []
    for view in views:
        said = renderer(view.lead).verdict(view.lead).headline if view.lead else "no answer"
        value = renderer(view.lead).value(view.lead) if view.lead and view.lead.verdict.answered else "–"
        size = view.lesion.tumor
        volume, diameter = f"{number(size.volume_ml)} mL", f"{number(size.longest_axial_diameter_mm, 0)} mm"
        place = words.slice_words(view.lesion.slice_number)
        count = len(view.notes) + bool(view.atypical)
        rows.append((view.title, volume, diameter, place, value, said, str(count) if count else "none"))
    heads = ("Tumor", "Volume", "Diameter", "Slice", "Number", "Read as", "Warnings")
    return table(heads, rows, (2, 1.2, 1.2, 1.4, 1, 4, 1), look, right=(1, 2, 3, 4, 6))


def _model(result: CaseResult, look: Style) -> list[Any]:
    model = result.model
    rows = [
        ("Title", f"{model.title}, version {model.version}"),
        ("Cohort", model.cohort),
        ("Intended use", model.intended_use),
        ("License", model.licence),
        ("Bundle", model.name),
        ("SHA-256", model.sha256),
        *((f"Limitation {n}", text) for n, text in enumerate(model.limitations, start=1)),
    ]
    parts = [*heading("Model", look), pairs(rows, look, 0.16)]
    tests = tests_of(model, result.lesions)
    if tests:
        heads = ("Endpoint", "What it is", "Figures")
        parts += heading("How well the model did on untouched test cases", look)
        parts.append(table(heads, tests, (2, 4, 4), look))
    return parts


def _provenance(result: CaseResult, look: Style) -> list[Any]:
    made_by = result.provenance
    rows = [
        ("Library", f"PDL1Predictor {made_by.library_version}, {made_by.engine}"),
        ("Network", words.ran(result)),
        ("Predicted", made_by.created_utc),
        ("CT, SHA-256", made_by.ct_sha256),
        ("Mask, SHA-256", made_by.tumor_sha256),
        *([("Contour", words.outline(made_by.outline))] if made_by.outline is not None else []),
        ("Settings", "; ".join(f"{name} = {value}" for name, value in flat(made_by.settings).items())),
        ("Versions", ", ".join(f"{name} {value}" for name, value in made_by.versions.items())),
        ("Seconds", ", ".join(f"{name} {number(value, 2)}" for name, value in made_by.seconds.items())),
    ]
    return [*heading("Provenance: how to get the same answer again", look), pairs(rows, look, 0.16)]
