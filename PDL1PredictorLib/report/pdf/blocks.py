"""Parts that the sections of the pages are made of: paragraphs, notices, tables, pairs of name and value."""

from collections.abc import Iterable, Sequence
from typing import Any

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.platypus import CondPageBreak, KeepTogether, Paragraph, Spacer, Table

from PDL1PredictorLib.report.colors import ANSWERS
from PDL1PredictorLib.report.html import pretty
from PDL1PredictorLib.report.pdf import style
from PDL1PredictorLib.report.pdf.fonts import BOLD, PLAIN, markup, plain
from PDL1PredictorLib.report.pdf.style import Style

HEAD_NEEDS = 60.0  # points below a heading, so that it does not stand alone at a page's end


def paragraph(text: str, look: Style, **how: Any) -> Paragraph:
    """Text from anywhere as a paragraph; see `Style.text` for how it looks."""
    how_bold = BOLD if how.get("bold") else PLAIN
    return Paragraph(markup(pretty(text), how_bold), look.text(**how))


def heading(text: str, look: Style, large: bool = False) -> list[Any]:
    """A heading with its space, never at the end of a page."""
    size, color = (11.5, style.INK) if large else (7.4, style.SOFT)
    words = text if large else text.upper()
    return [
        CondPageBreak(look.gap(HEAD_NEEDS)),
        Spacer(1, look.gap(7)),
        paragraph(words, look, size=size, bold=True, color=color),
        Spacer(1, look.gap(3)),
    ]


def banner(text: str, look: Style) -> Table:
    """White on dark, over the whole width."""
    return Table(
        [[paragraph(text, look, size=7.8, bold=True, color=style.WHITE)]],
        colWidths=[look.width],
        style=[("BACKGROUND", (0, 0), (-1, -1), style.INK), *_padding(look, 5, 3)],
    )


def notice(title: str, lines: Iterable[str], look: Style, strong: bool = False) -> Table:
    """What must be read first, framed; it may go on on the next page."""
    ground, line = (style.STRONG, style.STRONG_LINE) if strong else (style.NOTICE, style.NOTICE_LINE)
    rows = [[paragraph(title, look, bold=True)]] + [[paragraph(f"• {text}", look)] for text in lines]
    return Table(
        rows,
        colWidths=[look.width],
        style=[
            ("BACKGROUND", (0, 0), (-1, -1), ground),
            ("LINEBEFORE", (0, 0), (0, -1), 3, line),
            *_padding(look, 8, 1.8),
        ],
    )


def table(
    heads: Sequence[str], rows: Sequence[Sequence[Any]], shares: Sequence[float], look: Style, **how: Any
) -> Table:
    """A table whose head stands on every page that it reaches.

    Args:
        heads: Of the columns; empty: without a head.
        rows: Text or drawings.
        shares: Of the width, by column.
        look: Sizes.
        how: `right`: columns that end at the right; `width`: other than the whole.
    """
    right, width = how.get("right", ()), how.get("width", look.width)
    head = [[_cell(text, n in right, look, size=6.8, bold=True, color=style.SOFT) for n, text in enumerate(heads)]]
    body = [[_cell(value, n in right, look) for n, value in enumerate(row)] for row in rows]
    return Table(
        [*(head if heads else []), *body],
        colWidths=[width * share / sum(shares) for share in shares],
        repeatRows=1 if heads else 0,
        style=[
            ("LINEABOVE", (0, 1 if heads else 0), (-1, -1), 0.4, style.LINE),
            ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
            *_padding(look, 3, 1.6),
        ],
    )


def pairs(rows: Iterable[tuple[str, str]], look: Style, names: float = 0.2, width: float | None = None) -> Table:
    """Names and values, a line each."""
    cells = [
        (paragraph(name, look, size=7.4, color=style.SOFT), paragraph(text, look, size=7.4)) for name, text in rows
    ]
    return table((), cells, (names, 1 - names), look, width=width or look.width)


def tag(kind: str, text: str, look: Style, width: float, size: float = 8.6) -> Table:
    """A verdict in its color, framed; `width` is what there is for it."""
    color, needed = ANSWERS[kind], stringWidth(plain(pretty(text), BOLD), BOLD, size * look.scale) + look.gap(10)
    return Table(
        colWidths=[min(needed, width)],
        data=[[paragraph(text, look, size=size, bold=True, color=HexColor(color.ink))]],
        hAlign="LEFT",
        style=[
            ("BACKGROUND", (0, 0), (-1, -1), HexColor(color.ground)),
            ("BOX", (0, 0), (-1, -1), 0.8, HexColor(color.ink)),
            *_padding(look, 4, 1.5),
        ],
    )


def side_by_side(left: Any, right: Any, share: float, look: Style) -> Table:
    """Two parts beside each other; `share` of the width is the left one's."""
    return Table(
        [[left, right]],
        colWidths=[look.width * share, look.width * (1 - share)],
        style=[("VALIGN", (0, 0), (-1, -1), "TOP"), *_padding(look, 0, 0)],
    )


def together(*parts: Any) -> KeepTogether:
    """Parts that are not torn apart."""
    return KeepTogether(list(parts))


def _cell(value: Any, right: bool, look: Style, size: float = 7.4, bold: bool = False, color: Color = style.INK) -> Any:
    if not isinstance(value, str):
        return value
    return paragraph(value, look, size=size, bold=bold, color=color, align=2 if right else 0)


def _padding(look: Style, sideways: float, up: float) -> list[tuple[Any, ...]]:
    whole = (0, 0), (-1, -1)
    return [
        ("LEFTPADDING", *whole, look.gap(sideways)),
        ("RIGHTPADDING", *whole, look.gap(sideways)),
        ("TOPPADDING", *whole, look.gap(up)),
        ("BOTTOMPADDING", *whole, look.gap(up)),
    ]
