"""The pictures of a study's earlier report, taken from its page: they need no CT and no network to be shown again."""

import html
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from markupsafe import Markup

from PDL1PredictorLib.report.remade.kept import DRAWING, drawings_in
from PDL1PredictorLib.study.outcome import GalleryCase, NumberGalleryCase, Overlay
from PDL1PredictorLib.study.report.gallery import AnyCase, Shown, by_endpoint

Kept = Mapping[str, tuple[Markup, ...]]
"""Name of a figure of the page to its drawings."""

_FIGURE = re.compile(
    rf'<figure id="((?:picture|planes)-[^"<>]{{1,600}})"><div class="(?:pair|planes)">((?:{DRAWING}){{1,8}})</div>'
)
_NOTHING = np.zeros((0, 0))


def kept_pictures(page: str) -> Kept:
    """The pictures of a study's page; none of a page that is no report of this library."""
    return {html.unescape(name): tuple(drawings_in(drawings)) for name, drawings in _FIGURE.findall(page)}


def kept_gallery(rows: list[dict[str, Any]], kept: Kept) -> dict[str, list[Shown]]:
    """The heat maps of a study's document, as far as their pictures were kept.

    Raises:
        KeyError: A row lacks an entry.
        TypeError: A row has another one.
    """
    cases = [_case(row) for row in rows]
    found = [(case, kept.get(f"picture-{case.endpoint}-{case.case}", ())) for case in cases]
    return by_endpoint([pair for pair in found if pair[1]])


def kept_planes(rows: list[dict[str, Any]], kept: Kept) -> dict[str, list[Shown]]:
    """The tumors in three planes, likewise."""
    cases = [Overlay(**row, pictures=()) for row in rows]
    found = [(case, kept.get(f"planes-{case.endpoint}-{case.case}", ())) for case in cases]
    return by_endpoint([pair for pair in found if pair[1]])


def _case(row: dict[str, Any]) -> AnyCase:
    made = GalleryCase if "probability" in row else NumberGalleryCase
    return made(**row, hu=_NOTHING, tumor=_NOTHING, heat=_NOTHING)
