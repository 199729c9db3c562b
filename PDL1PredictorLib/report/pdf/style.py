"""Sizes, colors and styles of text of the pages; all sizes grow and shrink together."""

from dataclasses import dataclass

from reportlab.lib.colors import Color, HexColor
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm

from PDL1PredictorLib.report.pdf.fonts import BOLD, PLAIN

INK, SOFT, FAINT, LINE = (HexColor(code) for code in ("#1d2733", "#566372", "#8b96a3", "#d9dfe6"))
BLUE, BAND, TRACK = (HexColor(code) for code in ("#24588c", "#a9c6e2", "#e6eaef"))
AMBER, SKY, TOWARDS, AWAY = (HexColor(code) for code in ("#ffb000", "#56b4e9", "#cf7130", "#3c76a6"))
NOTICE, NOTICE_LINE, STRONG, STRONG_LINE = (HexColor(c) for c in ("#fff6e0", "#c98a00", "#fdece3", "#b4561a"))
WHITE, BLACK = HexColor("#ffffff"), HexColor("#000000")
MARGIN, FOOT = 14 * mm, 9 * mm


@dataclass(frozen=True)
class Style:
    """How large everything is.

    Attributes:
        scale: 1 for the usual size.
        width: Of the text, in points.
    """

    scale: float
    width: float

    def text(self, size: float = 8.2, bold: bool = False, color: Color = INK, align: int = 0) -> ParagraphStyle:
        """A style of text; `align` 0 left, 1 middle, 2 right."""
        points = size * self.scale
        return ParagraphStyle(
            f"{size}{bold}{align}",
            fontName=BOLD if bold else PLAIN,
            fontSize=points,
            leading=points * 1.32,
            textColor=color,
            alignment=align,
            allowWidows=0,
            allowOrphans=0,
        )

    def gap(self, points: float = 5.0) -> float:
        """A space between two things."""
        return points * self.scale
