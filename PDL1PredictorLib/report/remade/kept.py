"""The pictures of an earlier report, taken from its page: they need no CT to be shown again.

A page may come from anywhere. What is taken of it is a drawing of this library's own few forms, letter by letter, or
nothing: no script, no address and no other element passes.
"""

import html
import re
from typing import NamedTuple

from markupsafe import Markup

_N = r"-?\d{1,5}(?:\.\d{1,3})?"
_PLACE = f'x="{_N}" y="{_N}" font-size="{_N}" stroke-width="{_N}" text-anchor="middle"'
_PARTS = (
    rf'<image href="data:image/png;base64,[A-Za-z0-9+/]{{1,4000000}}={{0,2}}" width="{_N}" height="{_N}"/>',
    r'<path class="[a-z-]{1,30}" d="[MLZhvmz0-9 .-]{0,400000}"/>',
    rf'<text class="letter" {_PLACE}>[\w ]{{0,9}}</text>',
)
_HEAD = r'<svg class="picture" viewBox="0 0 \d{1,5} \d{1,5}" role="img" aria-label="[^"<>]{0,300}">'
DRAWING = rf"{_HEAD}(?:{'|'.join(_PARTS)}){{1,40}}</svg>"
"""The pattern of one, for pages that keep them in other places."""
_FIGURE = re.compile(
    rf"<figure>({DRAWING})\s*<figcaption><b>([^<>]{{1,200}})</b>, ([^<>]{{0,600}})"
    r'(?:<span class="shares">[^<>]{0,600}</span>\s*)?'  # written anew
    r"(<b>The map is empty: [^<>]{0,80}</b>)?\s*</figcaption></figure>"
)
_MAP = re.compile(  # its legend is drawn anew
    rf"<figure>({DRAWING})\s*<figcaption><b>([^<>]{{1,200}})</b>, ([^<>]{{0,600}}?)\s*<svg class=\"legend\""
)
_HEAT = re.compile(r"(.+) \((Grad-CAM|class activation map)\) for (.+)")
_TILT = re.compile(r"tilted by up to (\d{1,2})°")
_SECTION = '<section class="card where">'


class KeptPicture(NamedTuple):
    """A picture that is drawn already.

    Attributes:
        title: What is seen.
        note: Where it lies and how it is windowed.
        svg: The drawing.
    """

    title: str
    note: str
    svg: Markup


class KeptPictures(NamedTuple):
    """Those of one tumor.

    Attributes:
        slices: Of the CT.
        heat: With the heat map.
        heat_method: How that was made; empty without any.
        heat_empty: Whether it is zero everywhere.
        tilt_degrees: How far the scan is tilted, where that is worth a word; else 0.
        maps: Of features over the tumor.
    """

    slices: tuple[KeptPicture, ...] = ()
    heat: tuple[KeptPicture, ...] = ()
    heat_method: str = ""
    heat_empty: bool = False
    tilt_degrees: float = 0.0
    maps: tuple[KeptPicture, ...] = ()


def kept_pictures(page: str) -> list[KeptPictures]:
    """The pictures of every tumor of a report, in its order; none of a page that is no report of this library."""
    return [_of_one(section.partition("</section>")[0]) for section in page.split(_SECTION)[1:]]


def drawings_in(text: str) -> list[Markup]:
    """The drawings of a text, in its order: those of this library's own forms alone."""
    return [Markup(drawing) for drawing in re.findall(DRAWING, text)]  # noqa: S704 matched, letter by letter


def _of_one(section: str) -> KeptPictures:
    slices, heat, method, empty = [], [], "", False
    for drawing, title, caption, is_empty in _FIGURE.findall(section):
        picture = _kept(drawing, title, caption)
        of_heat = _HEAT.fullmatch(picture.title)
        if of_heat is None:
            slices.append(picture)
            continue
        heat.append(picture._replace(title=of_heat[1]))
        method, empty = of_heat[2], empty or bool(is_empty)
    tilt = _TILT.search(section)
    maps = tuple(_kept(*figure) for figure in _MAP.findall(section))
    return KeptPictures(tuple(slices), tuple(heat), method, empty, float(tilt[1]) if tilt else 0.0, maps)


def _kept(drawing: str, title: str, caption: str) -> KeptPicture:
    svg = Markup(drawing)  # noqa: S704 matched above, letter by letter
    return KeptPicture(html.unescape(title), html.unescape(caption.split("\n")[0]).strip(), svg)
