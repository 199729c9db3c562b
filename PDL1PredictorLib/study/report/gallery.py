"""The gallery of heat maps: where the network looked, in cases that were called rightly and wrongly."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from PDL1PredictorLib.core.endpoints import endpoint
from PDL1PredictorLib.core.settings import RegionSettings
from PDL1PredictorLib.core.windows import LUNG, SOFT_TISSUE, Window
from PDL1PredictorLib.report.html import significant
from PDL1PredictorLib.report.pictures import (
    PLANES,
    Picture,
    contour_path,
    heat_rgba,
    png_of,
    windowed,
)
from PDL1PredictorLib.report.svg import picture_svg
from PDL1PredictorLib.report.words import percent
from PDL1PredictorLib.study.outcome import GalleryCase, GalleryPlane, NumberGalleryCase, Overlay

AnyCase = GalleryCase | NumberGalleryCase
Pictures = tuple[Markup, ...]


@dataclass(frozen=True)
class Shown:
    """One case of the gallery.

    Attributes:
        case: Its name.
        right: Whether it was called rightly, or whether the true value lies in the prediction interval.
        tag: That in words.
        said: The true and the predicted answer in the endpoint's words.
        pictures: The patch in the lung window, and in the soft-tissue window below the heat map; of a volume two
            further planes so; or slices through the tumor in three planes.
    """

    case: str
    right: bool
    tag: str
    said: str
    pictures: Pictures


def gallery(cases: tuple[AnyCase, ...], settings: Mapping[str, Any]) -> dict[str, list[Shown]]:
    """Heat maps by endpoint.

    Args:
        cases: To show.
        settings: Of the study; `regions.spacing_mm` gives the pixels' edge, `volume.spacing_mm` that of a volume's, the
            library's own grid where they are absent.
    """
    return by_endpoint([(case, _pictures(case, _spacing_mm(case, settings))) for case in cases])


def planes(cases: tuple[Overlay, ...]) -> dict[str, list[Shown]]:
    """Cases by endpoint with their tumors in three planes."""
    return by_endpoint([(case, tuple(picture_svg(picture) for picture in case.pictures)) for case in cases])


def by_endpoint(cases: Sequence[tuple[AnyCase | Overlay, Pictures]]) -> dict[str, list[Shown]]:
    """Cases with their pictures by endpoint, those first that were answered rightly or lie in their interval."""
    found: dict[str, list[Shown]] = {}
    for case, pictures in sorted(cases, key=lambda pair: not _right(pair[0])):
        yes_no, right = isinstance(case, GalleryCase), _right(case)
        tag = ("right" if right else "wrong") if yes_no else ("in its interval" if right else "outside")
        said = _called(case) if isinstance(case, GalleryCase) else _predicted(case)
        found.setdefault(case.endpoint, []).append(Shown(case.case, right, tag, said, pictures))
    return found


def _right(case: AnyCase | Overlay) -> bool:
    if isinstance(case, GalleryCase):
        return case.positive == bool(case.label)
    return case.low <= case.label <= case.high


def _pictures(case: AnyCase, spacing_mm: float) -> Pictures:
    axial = GalleryPlane("axial", case.hu, case.tumor, case.heat)
    others = case.others if isinstance(case, GalleryCase) else ()
    return (
        picture_svg(_picture(axial, "Lung window", LUNG, False, spacing_mm)),
        *(
            picture_svg(_picture(plane, "Soft-tissue window with heat map", SOFT_TISSUE, True, spacing_mm))
            for plane in (axial, *others)
        ),
    )


def _called(case: GalleryCase) -> str:
    words = endpoint(case.endpoint)
    true, called = (words.positive if answer else words.negative for answer in (case.label, case.positive))
    return f"true: {true}; called: {called}, probability of “{words.positive}” {percent(case.probability)}"


def _predicted(case: NumberGalleryCase | Overlay) -> str:
    value, low, high = (significant(number) for number in (case.value, case.low, case.high))
    true = significant(case.label, zeros=False)
    unit = f" {words.unit}" if (words := endpoint(case.endpoint)).unit else ""
    return f"true: {true}{unit}; predicted: {value}{unit} ({low} to {high}{unit})"


def _picture(plane: GalleryPlane, title: str, window: Window, hot: bool, spacing_mm: float) -> Picture:
    rows, columns = plane.hu.shape
    return Picture(
        title=title,
        note=plane.name,
        png=png_of(windowed(plane.hu, window)),
        overlay_png=png_of(heat_rgba(plane.heat)) if hot else None,
        width=columns,
        height=rows,
        mm_per_pixel=spacing_mm,
        letters=next(one.letters for one in PLANES if one.name == plane.name),
        tumor_path=contour_path(plane.tumor),
        ring_path="",
    )


def _spacing_mm(case: AnyCase, settings: Mapping[str, Any]) -> float:
    regions = settings.get("volume" if isinstance(case, GalleryCase) and case.others else "regions")
    given = regions.get("spacing_mm") if isinstance(regions, Mapping) else None
    return float(given) if given else RegionSettings().spacing_mm
