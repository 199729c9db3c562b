"""Drawings of the pages: answers on a scale, effects as bars, slices with their contours."""

import io
import re
from typing import Any

from reportlab.lib.colors import Color
from reportlab.lib.utils import ImageReader
from reportlab.platypus import Flowable

from PDL1PredictorLib.report.pdf import style
from PDL1PredictorLib.report.pdf.fonts import BOLD, PLAIN, plain
from PDL1PredictorLib.report.pictures import Picture
from PDL1PredictorLib.report.shown import Scale
from PDL1PredictorLib.report.svg import scale_bar_mm

_STEP = re.compile(r"([ML])([-\d.e+]+) ([-\d.e+]+)|Z")


class Drawing(Flowable):  # type: ignore[misc]
    """A drawing of a fixed size."""

    def __init__(self, width: float, height: float) -> None:
        super().__init__()
        self.width, self.height = width, height

    def wrap(self, *_: Any) -> tuple[float, float]:
        """Its size, whatever is left."""
        return self.width, self.height


class ScaleDrawing(Drawing):
    """An answer between its ends: interval, threshold, answers under moved contours.

    Args:
        place: Where it lies.
        width: Of the drawing, in points.
        named: With names of ticks and threshold, as for the answer that stands first.
        faded: Of a number that is no answer: without color.
    """

    def __init__(self, place: Scale, width: float, named: bool, faded: bool = False) -> None:
        super().__init__(width, 34.0 if named else 9.0)
        self.place, self.named = place, named
        self.point = style.SOFT if faded else style.BLUE
        self.band = style.LINE if faded else style.BAND

    def draw(self) -> None:
        """The track first, the point last."""
        canvas, place = self.canv, self.place
        left, length = (10.0, self.width - 20.0) if self.named else (3.0, self.width - 6.0)
        middle, half = (17.0, 3.6) if self.named else (4.5, 2.0)

        def at(value: float) -> float:
            return left + length * place.share(value)

        low, high = (at(end) for end in place.interval)
        _bar(canvas, style.TRACK, left, middle - half, length, 2 * half)
        _bar(canvas, self.band, low, middle - half, max(high - low, 1.0), 2 * half)
        if self.named:
            self._names(at, middle, half)
        if place.mark is not None:
            _line(canvas, style.INK, at(place.mark), middle - half - 2, at(place.mark), middle + half + 2, 1.1)
        if place.moved is not None:
            first, last = (at(end) for end in place.moved)
            _line(canvas, style.INK, first, middle, last, middle, 0.8)
            for end in (first, last):
                _line(canvas, style.INK, end, middle - half * 0.7, end, middle + half * 0.7, 0.8)
        canvas.setFillColor(self.point)
        canvas.setStrokeColor(style.WHITE)
        canvas.setLineWidth(0.8)
        canvas.circle(at(place.value), middle, half * 1.15, stroke=1, fill=1)

    def _names(self, at: Any, middle: float, half: float) -> None:
        canvas, place = self.canv, self.place
        canvas.setFont(PLAIN, 6.2)
        for value, name in place.ticks:
            _line(canvas, style.FAINT, at(value), middle - half, at(value), middle - half - 3, 0.5)
            canvas.setFillColor(style.SOFT)
            canvas.drawCentredString(at(value), middle - half - 9, plain(name))
        if place.mark is not None and place.mark_text:
            canvas.setFillColor(style.INK)
            canvas.setFont(BOLD, 6.4)
            half_text = canvas.stringWidth(plain(place.mark_text), BOLD, 6.4) / 2
            x = min(max(at(place.mark), half_text), self.width - half_text)
            canvas.drawCentredString(x, middle + half + 4.5, plain(place.mark_text))


class EffectDrawing(Drawing):
    """A bar from the middle: to the right what raises the answer."""

    def __init__(self, effect: float, limit: float, width: float) -> None:
        super().__init__(width, 7.0)
        self.share = max(min(effect / limit, 1.0), -1.0) if effect == effect else 0.0

    def draw(self) -> None:
        """The bar over the middle line."""
        middle, length = self.width / 2, abs(self.share) * (self.width / 2 - 1)
        start = middle if self.share >= 0 else middle - length
        _bar(self.canv, style.TOWARDS if self.share >= 0 else style.AWAY, start, 1, max(length, 0.4), 5)
        _line(self.canv, style.FAINT, middle, 0, middle, 7, 0.5)


class PictureDrawing(Drawing):
    """A slice with the outlines of tumor and ring, the patient's sides and a bar of a known length."""

    def __init__(self, picture: Picture, width: float) -> None:
        super().__init__(width, width * picture.height / picture.width)
        self.picture = picture

    def draw(self) -> None:
        """The layers from the bottom up."""
        canvas, picture = self.canv, self.picture
        canvas.saveState()
        clip = canvas.beginPath()
        clip.rect(0, 0, self.width, self.height)
        canvas.clipPath(clip, stroke=0)
        for png in (picture.png, picture.overlay_png):
            if png is not None:
                canvas.drawImage(ImageReader(io.BytesIO(png)), 0, 0, self.width, self.height, mask="auto")
        self._outline(picture.ring_path, style.SKY, (2.4, 1.6))
        self._outline(picture.tumor_path, style.AMBER, ())
        self._letters()
        self._bar()
        canvas.restoreState()

    def _outline(self, path: str, color: Color, dashes: tuple[float, ...]) -> None:
        for width, ink, alpha, dash in ((1.7, style.BLACK, 0.45, ()), (0.9, color, 1.0, dashes)):
            self.canv.setStrokeColor(ink, alpha=alpha)
            self.canv.setLineWidth(width)
            self.canv.setDash(list(dash))
            self.canv.drawPath(self._path(path), stroke=1, fill=0)
        self.canv.setDash([])

    def _path(self, path: str) -> Any:
        """Path data of our own drawings, M, L and Z alone, in pixels from the top."""
        unit, drawn = self.width / self.picture.width, self.canv.beginPath()
        for kind, x, y in _STEP.findall(path):
            if not kind:
                drawn.close()
                continue
            step = drawn.moveTo if kind == "M" else drawn.lineTo
            step(float(x) * unit, self.height - float(y) * unit)
        return drawn

    def _letters(self) -> None:
        left, right, top, bottom = self.picture.letters
        size = self.width * 0.058
        w, h = self.width, self.height
        for letter, x, y in (
            (left, w * 0.045, h / 2),
            (right, w * 0.955, h / 2),
            (top, w / 2, h * 0.96 - size * 0.5),
            (bottom, w / 2, size * 0.55),
        ):
            _letter(self.canv, letter, x, y - size * 0.35, size)

    def _bar(self) -> None:
        length_mm = scale_bar_mm(self.picture.width * self.picture.mm_per_pixel)
        length = length_mm / self.picture.mm_per_pixel * self.width / self.picture.width
        x, y = self.width * 0.96 - length, self.height * 0.045
        for ink, width in ((style.BLACK, 2.2), (style.WHITE, 1.0)):
            _line(self.canv, ink, x, y, x + length, y, width)
        _letter(self.canv, f"{length_mm} mm", x + length / 2, y + 3, self.width * 0.045)


def _letter(canvas: Any, text: str, x: float, y: float, size: float) -> None:
    shadow = size * 0.05
    for ink, shift in ((style.BLACK, shadow), (style.WHITE, 0.0)):
        canvas.setFillColor(ink)
        canvas.setFont(BOLD, size)
        canvas.drawCentredString(x + shift, y - shift, text)


def _bar(canvas: Any, color: Color, x: float, y: float, width: float, height: float) -> None:
    canvas.setFillColor(color)
    canvas.roundRect(x, y, width, height, min(1.2, width / 2, height / 2), stroke=0, fill=1)


def _line(canvas: Any, color: Color, x1: float, y1: float, x2: float, y2: float, width: float) -> None:
    canvas.setStrokeColor(color)
    canvas.setLineWidth(width)
    canvas.line(x1, y1, x2, y2)
