"""A contour that a program has drawn, as a segment: put there, told apart, marked as checked by a reader.

Tags of the segment keep how it was drawn from a click, by the names that `pdl1 segment` writes into its files; of a
segment of a DICOM SEG the tags in which Slicer keeps type and name of its algorithm. Slicer's own status of the
segment says whether a reader has confirmed it. All are saved with the scene.
"""

import dataclasses
from typing import Any

from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.scene.fingerprint import segment_print
from PDL1PredictorGUI.scene.ring import tag
from PDL1PredictorGUI.setup.library import make_importable

STATUS = "Segmentation.Status"  # Slicer's tag: notstarted, inprogress, completed, flagged
TOLD = "PDL1_Told"  # what was told when it was drawn, in sentences
BETWEEN = " / "


def put(segmentation: Any, segment_id: str, found: Any, volume: Any) -> None:
    """Puts a contour into a segment in place of all its voxels; it is in progress until a reader confirms it.

    Args:
        segmentation: Where.
        segment_id: The segment, which must be there.
        found: The library's `segmentation.segment.Segmented`, in world space.
        volume: The CT.

    Raises:
        InputError: The segmentation lies under a transform that is not rigid.
    """
    from PDL1PredictorLib.core.provenance import ALGORITHM_NAME, ALGORITHM_TYPE, STATUS_NOTE, UNCHECKED
    from PDL1PredictorLib.segmentation.write import notes_of as notes_of_found

    bridge.put_segment(segmentation, segment_id, found.mask, volume)
    segment = segmentation.GetSegmentation().GetSegment(segment_id)
    notes = notes_of_found(found)
    del notes[STATUS_NOTE]  # Slicer's own tag says it
    told = BETWEEN.join(warning.text.replace("|", "/") for warning in found.warnings)  # | stands between tags in files
    algorithm = {ALGORITHM_TYPE: "SEMIAUTOMATIC", ALGORITHM_NAME: f"PDL1Predictor, {found.method}"[:64]}  # for DICOM
    for name, text in {**notes, **algorithm, TOLD: told, STATUS: UNCHECKED}.items():
        segment.SetTag(name, text)


def outline_in(segmentation: Any, segment_id: str) -> Any:
    """How a segment was drawn, a `core.provenance.Outline`; None where nothing says that a program has drawn it."""
    segment = segmentation.GetSegmentation().GetSegment(segment_id) if segmentation is not None else None
    found = _told_by_tags(segment)
    if found is None or not found.voxels:
        return found
    return dataclasses.replace(found, edited=_changed(segmentation, segment_id, found.voxels))


def seen_in(segmentation: Any, segment_id: str) -> str:
    """Whether a reader has checked a contour that a program has drawn: yes, no, or unknown; "" of any other contour."""
    segment = segmentation.GetSegmentation().GetSegment(segment_id) if segmentation is not None else None
    found = _told_by_tags(segment)
    return "" if found is None else {True: "yes", False: "no", None: "unknown"}[found.checked]


def _told_by_tags(segment: Any) -> Any:
    if segment is None:
        return None
    make_importable()
    from PDL1PredictorLib.core.provenance import (
        ALGORITHM_NAME,
        ALGORITHM_TYPE,
        ORIGIN,
        STATUS_NOTE,
        Outline,
        outline_of,
    )

    if not tag(segment, ORIGIN) and not tag(segment, ALGORITHM_TYPE):  # quick, for all other segments
        return None
    tags = {name: tag(segment, name) for name in (*Outline().notes(), ALGORITHM_TYPE, ALGORITHM_NAME)}
    return outline_of({**tags, STATUS_NOTE: tag(segment, STATUS)})


def _changed(segmentation: Any, segment_id: str, drawn: str) -> bool | None:
    from PDL1PredictorLib.imaging.file_hashes import region_changed, region_print

    mask = bridge.stored_mask(segmentation, segment_id)
    return True if mask is None else region_changed(drawn, region_print(mask))


def told_of(segmentation: Any, segment_id: str) -> list[str]:
    """What was told when it was drawn, in sentences."""
    text = tag(segmentation.GetSegmentation().GetSegment(segment_id), TOLD)
    return [sentence for sentence in text.split(BETWEEN) if sentence]


def notes_of(segmentation: Any, segment_id: str) -> dict[str, str]:
    """The same for a file that is handed to the library; empty where no program has drawn it."""
    found = outline_in(segmentation, segment_id)
    return {} if found is None else found.notes()


def set_checked(segmentation: Any, segment_id: str, checked: bool) -> None:
    """Sets Slicer's status: completed, or in progress."""
    from PDL1PredictorLib.core.provenance import CHECKED, UNCHECKED

    segment = segmentation.GetSegmentation().GetSegment(segment_id)
    segment.SetTag(STATUS, CHECKED if checked else UNCHECKED)


def may_be_replaced(segmentation: Any, segment_id: str) -> bool:
    """Whether nobody's work is lost with a segment's voxels: it is empty, or as a click drew it and not confirmed."""
    if segmentation is None or segmentation.GetSegmentation().GetSegment(segment_id) is None:
        return False
    if segment_print(segmentation, segment_id) is None:
        return True
    found = outline_in(segmentation, segment_id)
    return found is not None and found.edited is False and not found.checked
