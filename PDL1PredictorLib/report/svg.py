"""Small vector drawings for the report: scales, bars and pictures with their marks.

Colors come from the report's style sheet by class. Everything that is text passes through `escape`.
"""

import base64

import numpy as np
from markupsafe import Markup, escape

from PDL1PredictorLib.core.results import Answer, VoxelMap
from PDL1PredictorLib.report.colors import MAP_COLORS
from PDL1PredictorLib.report.kinds import renderer
from PDL1PredictorLib.report.pictures import Picture, heat_rgba, map_rgba
from PDL1PredictorLib.report.remade.kept import KeptPicture
from PDL1PredictorLib.report.shown import Scale

SCALE_BARS_MM = (5, 10, 20, 50, 100)


def answer_scale(answer: Answer) -> Markup:
    """A scale with the answer, its interval and the threshold of the call where there is one."""
    place = renderer(answer).scale(answer)
    left, width = 22.0, 656.0
    value, low, high = (left + width * place.share(end) for end in (place.value, *place.interval))
    moved = _moved(place, left, width, (39, 5))
    ticks = "".join(
        f'<line class="tick" x1="{x:.1f}" x2="{x:.1f}" y1="48" y2="54"/>'
        f'<text class="tick-text" x="{x:.1f}" y="69" text-anchor="middle">{escape(name)}</text>'
        for at, name in place.ticks
        for x in [left + width * place.share(at)]
    )
    mark = ""
    if place.mark is not None:
        cut = left + width * place.share(place.mark)
        anchor = "start" if cut < left + 70 else "end" if cut > left + width - 70 else "middle"
        mark = (
            f'<line class="threshold" x1="{cut:.1f}" x2="{cut:.1f}" y1="20" y2="52"/>'
            f'<text class="threshold-text" x="{cut:.1f}" y="14" text-anchor="{anchor}">{escape(place.mark_text)}</text>'
        )
    return _svg(
        "scale",
        (700, 74),
        _spoken(answer),
        f'<rect class="track" x="{left}" y="30" width="{width}" height="18" rx="3"/>'
        f'<rect class="interval" x="{low:.1f}" y="30" width="{max(high - low, 2):.1f}" height="18" rx="3"/>'
        f'{ticks}{mark}{moved}<circle class="point" cx="{value:.1f}" cy="39" r="8"/>',
    )


def answer_bar(answer: Answer) -> Markup:
    """The same without words, for a table."""
    place = renderer(answer).scale(answer)
    value, low, high = (5 + 190 * place.share(end) for end in (place.value, *place.interval))
    mark = ""
    if place.mark is not None:
        cut = 5 + 190 * place.share(place.mark)
        mark = f'<line class="threshold" x1="{cut:.1f}" x2="{cut:.1f}" y1="1" y2="17"/>'
    return _svg(
        "bar",
        (200, 18),
        _spoken(answer),
        '<rect class="track" x="5" y="5" width="190" height="8" rx="2"/>'
        f'<rect class="interval" x="{low:.1f}" y="5" width="{max(high - low, 2):.1f}" height="8" rx="2"/>'
        f'{mark}{_moved(place, 5, 190, (9, 3))}<circle class="point" cx="{value:.1f}" cy="9" r="4.5"/>',
    )


def _moved(place: Scale, left: float, width: float, middle: tuple[float, float]) -> str:
    """A line with caps over the answers under moved contours; `middle` is its height and half the caps'."""
    if place.moved is None:
        return ""
    y, cap = middle
    low, high = (left + width * place.share(end) for end in place.moved)
    path = f"M{low:.1f} {y - cap}v{2 * cap}m0 {-cap}H{high:.1f}m0 {-cap}v{2 * cap}"
    return f'<path class="moved" d="{path}"/>'


def effect_bar(effect: float, limit: float, unit: str) -> Markup:
    """A bar from the middle: to the right what raises the answer, to the left what lowers it.

    Args:
        effect: Change of the answer.
        limit: Effect that fills half of the width, > 0.
        unit: Of the effect.
    """
    length = min(abs(effect) / limit, 1.0) * 98
    x = 100.0 if effect >= 0 else 100 - length
    side = "towards" if effect >= 0 else "away"
    return _svg(
        "effect",
        (200, 14),
        f"{effect:+.2f} in {unit}",
        f'<rect class="{side}" x="{x:.1f}" y="2" width="{max(length, 0.5):.1f}" height="10" rx="1.5"/>'
        '<line class="axis" x1="100" x2="100" y1="0" y2="14"/>',
    )


def picture_svg(picture: Picture | KeptPicture) -> Markup:
    """A picture with contours, orientation letters and a scale bar in mm; one that was drawn before, as it was."""
    if isinstance(picture, KeptPicture):
        return picture.svg
    w, h = picture.width, picture.height
    left, right, top, bottom = picture.letters
    size = w * 0.058
    bar_mm = scale_bar_mm(w * picture.mm_per_pixel)
    bar = bar_mm / picture.mm_per_pixel
    bar_x, bar_y = w * 0.96 - bar, h * 0.955
    layers = [_image(picture.png, w, h)]
    if picture.overlay_png is not None:
        layers.append(_image(picture.overlay_png, w, h))
    for kind, path in (("ring", picture.ring_path), ("tumor", picture.tumor_path)):
        if path:
            layers.append(f'<path class="halo" d="{path}"/><path class="{kind}-line" d="{path}"/>')
    letters = (
        (left, w * 0.045, h / 2 + size * 0.35),
        (right, w * 0.955, h / 2 + size * 0.35),
        (top, w / 2, h * 0.075),
        (bottom, w / 2, h * 0.975),
    )
    layers += [_letter(letter, x, y, size) for letter, x, y in letters]
    cap = h * 0.012
    line = f"M{bar_x:.1f} {bar_y - cap:.1f}v{2 * cap:.1f}m0 {-cap:.1f}h{bar:.1f}m0 {-cap:.1f}v{2 * cap:.1f}"  # |----|
    layers.append(f'<path class="scale-bar-halo" d="{line}"/><path class="scale-bar" d="{line}"/>')
    layers.append(_letter(f"{bar_mm} mm", bar_x + bar / 2, bar_y - size * 0.35, size * 0.8))
    label = f"{picture.title}, {picture.note}; tumor and ring outlined"
    return _svg("picture", (w, h), label, "".join(layers))


def heat_legend() -> Markup:
    """The heat map's colors from 0 to 1, as they look over mid-gray lung."""
    colors = heat_rgba(np.linspace(0, 1, 21)[None])[0]
    stops = "".join(
        f'<stop offset="{n * 5}%" stop-color="rgb({r},{g},{b})" stop-opacity="{a / 255:.2f}"/>'
        for n, (r, g, b, a) in enumerate(colors.tolist())
    )
    return _svg(
        "legend",
        (200, 30),
        "color scale of the heat map, 0 to 1",
        f'<defs><linearGradient id="heat-colors">{stops}</linearGradient></defs>'
        '<rect x="5" y="2" width="190" height="10" rx="2" fill="#555"/>'
        '<rect x="5" y="2" width="190" height="10" rx="2" fill="url(#heat-colors)"/>'
        '<text class="tick-text" x="5" y="27">0 none</text>'
        '<text class="tick-text" x="195" y="27" text-anchor="end">1 strongest</text>',
    )


def map_legend(found: VoxelMap, number: int) -> Markup:
    """The colors of a feature's map from its least to its greatest value, with its unit.

    Args:
        found: The map.
        number: Of the map on the page: no two legends of a page may share a name.
    """
    colors = map_rgba(np.linspace(0, 1, len(MAP_COLORS)))
    stops = "".join(
        f'<stop offset="{100 * n / (len(MAP_COLORS) - 1):g}%" stop-color="rgb({r},{g},{b})"/>'
        for n, (r, g, b, _) in enumerate(colors.tolist())
    )
    unit = f" {found.unit}" if found.unit else ""
    low, high = (escape(f"{value:.3g}{unit}") for value in (found.low, found.high))
    return _svg(
        "legend",
        (200, 30),
        f"color scale of the map, {found.low:.3g} to {found.high:.3g}{unit}",
        f'<defs><linearGradient id="map-colors-{number}">{stops}</linearGradient></defs>'
        f'<rect x="5" y="2" width="190" height="10" rx="2" fill="url(#map-colors-{number})"/>'
        f'<text class="tick-text" x="5" y="27">{low}</text>'
        f'<text class="tick-text" x="195" y="27" text-anchor="end">{high}</text>',
    )


def scale_bar_mm(field_mm: float) -> int:
    """The longest round length that fills at most a quarter of the picture."""
    return max((mm for mm in SCALE_BARS_MM if mm <= field_mm / 4), default=SCALE_BARS_MM[0])


def data_uri(png: bytes) -> str:
    """A PNG as a `data:` address, so that the report needs no second file."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _svg(kind: str, size: tuple[int, int], label: str, body: str) -> Markup:
    """The drawing around `body`, which must hold numbers, our own words and escaped text only."""
    width, height = size
    return Markup(  # noqa: S704 the one place where drawings are declared safe; the label is escaped here
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label)}">{body}</svg>'
    )


def _image(png: bytes, width: int, height: int) -> str:
    return f'<image href="{data_uri(png)}" width="{width}" height="{height}"/>'


def _letter(text: str, x: float, y: float, size: float) -> str:
    return (
        f'<text class="letter" x="{x:.1f}" y="{y:.1f}" font-size="{size:.1f}" stroke-width="{size * 0.2:.1f}" '
        f'text-anchor="middle">{escape(text)}</text>'
    )


def _spoken(answer: Answer) -> str:
    show = renderer(answer)
    mark = show.scale(answer).mark_text
    said = (
        f"{show.heads(answer).value.lower()} {show.value(answer)}, {show.interval_name(answer)} {show.interval(answer)}"
    )
    return f"{said}, {mark}" if mark else said
