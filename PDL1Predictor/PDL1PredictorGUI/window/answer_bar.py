"""A probability as a bar: threshold and base rate marked at it, uncertainty and stability as bands below.

Marks are told apart by their shapes, not by their colors; the legend under the table shows each.
"""

from dataclasses import dataclass
from typing import Any

import qt
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import answers

INK, BORDER, GROUND = "#1c2733", "#9aa5b1", "#ffffff"
# From top to bottom, in pixels: words, which no mark may cross; the base rate's triangle; the bar; the bands
WORDS, TRIANGLE, BODY, BANDS = 14, 4, 7, 7
HEIGHT = WORDS + TRIANGLE + BODY + BANDS


@dataclass(frozen=True)
class Bar:
    """What a bar shows; places are shares of its length, 0 to 1.

    Attributes:
        text: Words on it.
        value: Its end.
        color: Of its filled part, `#rrggbb`.
        threshold: Where the call changes; None without one.
        base_rate: Share of positives; None if not known.
        band: Thin band: its interval.
        band_name: What that interval is.
        stability: Thick band; None if not known.
    """

    text: str
    value: float
    color: str
    band: tuple[float, float]
    band_name: str
    threshold: float | None = None
    base_rate: float | None = None
    stability: tuple[float, float] | None = None


def bar_of(row: dict[str, Any]) -> Bar:
    """The bar of an endpoint's entry of `result.json`."""
    show, read = answers.shown(row)
    scale = show.scale(read)
    base_rate = getattr(read, "base_rate", None)
    return Bar(
        text=show.bar(read),
        value=scale.share(scale.value),
        color=answers.color(row).bar,
        band=(scale.share(scale.interval[0]), scale.share(scale.interval[1])),
        band_name=answers.span_name(row),
        threshold=None if scale.mark is None else scale.share(scale.mark),
        base_rate=None if base_rate is None else scale.share(base_rate),
        stability=None if scale.moved is None else (scale.share(scale.moved[0]), scale.share(scale.moved[1])),
    )


def draw(bar: Bar, width: int) -> Any:
    """The bar as a qt.QPixmap, `HEIGHT` pixels high."""
    pixmap = qt.QPixmap(width, HEIGHT)
    pixmap.fill(qt.QColor(GROUND))
    painter = qt.QPainter()
    painter.begin(pixmap)
    painter.setPen(qt.QColor(INK))
    painter.drawText(0, 0, width, WORDS, qt.Qt.AlignCenter, bar.text)
    top = WORDS + TRIANGLE
    painter.fillRect(0, top, round(bar.value * width), BODY, qt.QColor(bar.color))
    painter.setPen(qt.QColor(BORDER))
    painter.drawRect(0, top, width - 1, BODY - 1)
    _draw_bands(painter, bar, width)
    _draw_marks(painter, bar, width)
    painter.end()
    return pixmap


def _draw_bands(painter: Any, bar: Bar, width: int) -> None:
    middle = HEIGHT - BANDS + BANDS // 2
    for ends, thickness in ((bar.band, 1), (bar.stability, 5)):
        if ends is not None:
            left, right = (round(end * (width - 1)) for end in ends)
            painter.fillRect(left, middle - thickness // 2, max(right - left, 2), thickness, qt.QColor(INK))


def _draw_marks(painter: Any, bar: Bar, width: int) -> None:
    if bar.threshold is not None:
        painter.fillRect(round(bar.threshold * (width - 2)), WORDS, 2, HEIGHT - WORDS - 1, qt.QColor(INK))
    if bar.base_rate is not None:
        at = min(max(round(bar.base_rate * width), TRIANGLE), width - TRIANGLE)
        for line in range(TRIANGLE):  # its tip points at the bar
            half = TRIANGLE - 1 - line
            painter.fillRect(at - half, WORDS + line, 2 * half + 1, 1, qt.QColor(INK))


def legend(bars: list[Bar]) -> str:
    """What the marks of some bars are, in words; empty if there is none."""
    marks = []
    if any(bar.threshold is not None for bar in bars):
        marks.append(_("│ threshold"))
    if any(bar.base_rate is not None for bar in bars):
        marks.append(_("▼ base rate"))
    marks += [f"─ {name}" for name in dict.fromkeys(bar.band_name for bar in bars)]
    if any(bar.stability is not None for bar in bars):
        marks.append(_("━ contour moved by 1 mm"))
    return "   ".join(marks)
