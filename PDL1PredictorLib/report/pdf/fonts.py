"""Letters of the pages: the font that comes with reportlab, and one of the system's for letters that it lacks."""

import os
import sys
from functools import cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFont

from PDL1PredictorLib.core.outside_text import visible

PLAIN, BOLD = "Vera", "VeraBd"
NOT_SHOWN = "?"
_OWN = {PLAIN: "Vera.ttf", BOLD: "VeraBd.ttf"}
_OF_SYSTEM = {  # one font of each system that has Greek, Cyrillic, and what else there is
    "linux": (
        "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
        "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
        "/usr/share/fonts/TTF/DejaVuSans.ttf",
    ),
    "darwin": ("/System/Library/Fonts/Supplemental/Arial Unicode.ttf", "/Library/Fonts/Arial Unicode.ttf"),
    "win32": tuple(
        str(Path(os.environ.get("SYSTEMROOT", "C:/Windows"), "Fonts", name))
        for name in ("arial.ttf", "msyh.ttc", "msgothic.ttc", "malgun.ttf")
    ),
}


def register() -> None:
    """Make the fonts known; again does no harm."""
    for name in _OWN:
        _own(name)


def markup(text: str, font: str = PLAIN) -> str:
    """Text from outside for a paragraph: escaped, each run of letters in a font that has them.

    Args:
        text: As it came.
        font: The paragraph's own font; letters that it has stay in it.

    Returns:
        Markup of reportlab. A letter that no font here has becomes `?`.
    """
    runs = groupby(visible(text), key=lambda letter: _font_of(letter, font))
    return "".join(_run("".join(letters), name, font) for name, letters in runs)


def plain(text: str, font: str = PLAIN) -> str:
    """The same without markup, in one font: for drawings and the foot of a page."""
    return "".join(letter if _has(font, letter) else NOT_SHOWN for letter in visible(text))


def can_show(text: str) -> bool:
    """Whether every letter has a font here."""
    return all(_font_of(letter, PLAIN) for letter in visible(text))


def _run(letters: str, name: str, font: str) -> str:
    if not name:
        return NOT_SHOWN * len(letters)
    text = escape(letters).replace("\n", "<br/>")
    return text if name == font else f'<font name="{name}">{text}</font>'


@cache
def _font_of(letter: str, font: str) -> str:
    """A font that has the letter; empty where none has."""
    if letter in "\n\t" or _has(font, letter):
        return font
    return next((name for name in _others() if _has(name, letter)), "")


@cache
def _own(name: str) -> TTFont:
    font = TTFont(name, str(Path(reportlab.__file__).parent / "fonts" / _OWN[name]))
    pdfmetrics.registerFont(font)
    return font


@cache
def _others() -> dict[str, TTFont]:
    found = {}
    for number, path in enumerate(_OF_SYSTEM.get(sys.platform, ())):
        try:
            font = TTFont(f"System{number}", path)
        except (TTFError, OSError):  # not there, or of a kind that cannot be embedded
            continue
        pdfmetrics.registerFont(font)
        found[f"System{number}"] = font
    return found


def _has(name: str, letter: str) -> bool:
    font = _own(name) if name in _OWN else _others()[name]
    return ord(letter) in font.face.charToGlyph
