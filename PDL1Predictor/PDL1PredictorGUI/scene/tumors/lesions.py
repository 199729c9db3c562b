"""Every tumor of the chosen CT in one list: segments, their separate parts, and results whose contour is gone."""

from dataclasses import dataclass
from typing import Any

from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import bridge, heatmap, results, ring
from PDL1PredictorGUI.setup.library import make_importable


@dataclass(frozen=True)
class LesionRow:
    """One tumor of the list.

    Attributes:
        name: Of its segment, and which part of it.
        segmentation: Where its contour lies; None if it is gone.
        segment_id: Its segment.
        volume_ml: As a prediction measures it; None where nothing can be measured.
        diameter_mm: Longest axial one; likewise.
        slice_words: Its axial slice, such as `64 of 128`, counted from the feet.
        place_words: Its center in patient coordinates.
        center_ras: The same in world RAS, mm, for the slice views; None where it is not known.
        result: Its `result_nodes.ResultNodes`, or None.
        why_none: Why there is no result; empty if there is one.
    """

    name: str
    segmentation: Any
    segment_id: str
    volume_ml: float | None
    diameter_mm: float | None
    slice_words: str
    place_words: str
    center_ras: tuple[float, float, float] | None
    result: Any
    why_none: str


class Lesions:
    """Finds the tumors of a case; what was measured is kept until a contour changes."""

    def __init__(self) -> None:
        self._places: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def forget(self) -> None:
        """Nodes go away."""
        self._places = {}

    def rows(self, volume: Any, segmentation: Any) -> list[LesionRow]:
        """The tumors of a CT: those of the chosen segmentation, then results of it whose contour lies elsewhere.

        Args:
            volume: The CT.
            segmentation: The chosen segmentation, or None.
        """
        if volume is None or bridge.why_not_ct(volume):
            return []
        own: list[LesionRow] = []
        kept: dict[tuple[Any, ...], tuple[Any, ...]] = {}
        for segment_id, segment in ring.tumors(segmentation):
            key = _key(volume, segmentation, segment)
            kept[key] = self._places[key] if key in self._places else _measured(volume, segmentation, segment_id)
            own += _of_segment(segmentation, segment_id, segment.GetName(), kept[key])
        self._places = kept
        shown = {row.result.node_id for row in own if row.result is not None}
        others = [found for found in results.all_results() if found.volume is volume and found.node_id not in shown]
        return own + [_of_result(found) for found in others]


def _key(volume: Any, segmentation: Any, segment: Any) -> tuple[Any, ...]:
    """What a measurement of a segment depends on."""
    shape = segment.GetRepresentation("Binary labelmap")
    stamps = (segment.GetMTime(), shape.GetMTime() if shape is not None else 0)
    return volume.GetID(), segmentation.GetID(), *stamps, *_placed(volume), *_placed(segmentation)


def _placed(node: Any) -> tuple[Any, ...]:
    transform = node.GetParentTransformNode()
    return (node.GetTransformNodeID(), transform.GetMTime() if transform is not None else 0)


def _measured(volume: Any, segmentation: Any, segment_id: str) -> tuple[Any, ...]:
    """The library's places of a segment's tumors; none where the segment is empty or cannot be placed."""
    make_importable()
    from PDL1PredictorLib.core.errors import PDL1Error
    from PDL1PredictorLib.imaging.preview import tumor_places

    try:
        return tuple(tumor_places(bridge.mask_of_segment(segmentation, segment_id, volume)))
    except PDL1Error:
        return ()


def _of_segment(segmentation: Any, segment_id: str, name: str, places: tuple[Any, ...]) -> list[LesionRow]:
    """One row a part; a prediction is of the largest one."""
    found = results.find(segmentation, segment_id)
    waiting = _("not predicted")
    if not places:
        why = waiting if found is None else ""
        return [LesionRow(name, segmentation, segment_id, None, None, "–", "", None, found, why)]
    rows = []
    for place in places:
        title = name if len(places) == 1 else _("{name}, part {number}").format(name=name, number=place.number)
        own = found if place.number == 1 else None
        why = "" if own is not None else waiting if place.number == 1 else _("a part that is left out")
        rows.append(_row(title, segmentation, segment_id, place, own, why))
    return rows


def _row(name: str, segmentation: Any, segment_id: str, place: Any, result: Any, why_none: str) -> LesionRow:
    from PDL1PredictorLib.report.words import place_words, slice_words

    left, posterior, superior = place.center_lps_mm
    return LesionRow(
        name=name,
        segmentation=segmentation,
        segment_id=segment_id,
        volume_ml=place.volume_ml,
        diameter_mm=place.longest_axial_diameter_mm,
        slice_words=slice_words(place.slice_number),
        place_words=place_words(place.center_lps_mm),
        center_ras=(-left, -posterior, superior),
        result=result,
        why_none=why_none,
    )


def _of_result(found: Any) -> LesionRow:
    """A result whose contour is in no chosen segmentation any more."""
    make_importable()
    from PDL1PredictorLib.report.words import place_words, slice_words

    lesion = found.lesion
    size, told = lesion.get("tumor") or {}, lesion.get("slice")
    center = heatmap.tumor_center_ras(found)
    return LesionRow(
        name=found.segment_name or _("Tumor"),
        segmentation=found.segmentation,
        segment_id=found.segment_id,
        volume_ml=size.get("volume_ml"),
        diameter_mm=size.get("longest_axial_diameter_mm"),
        slice_words=slice_words((told["number"], told["of"]) if isinstance(told, dict) else None),
        place_words=place_words(lesion["center_lps_mm"]) if lesion.get("center_lps_mm") else "",
        center_ras=None if center is None else (center[0], center[1], center[2]),
        result=found,
        why_none="",
    )
