"""The ring as a segment: drawn by the program, edited by hand, and told apart.

Tags of the ring's segment keep which tumor it belongs to, what was drawn, and whether a hand has changed it since; they
are saved with the scene.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import vtk
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.scene.fingerprint import segment_print

if TYPE_CHECKING:
    import SimpleITK as sitk

RING_OF = "PDL1Predictor.RingOf"  # ID of the tumor's segment
DRAWN = "PDL1Predictor.RingDrawn"  # hash of the voxels as they were drawn
EDITED = "PDL1Predictor.RingEdited"
TERMINOLOGY = (
    "Segmentation category and type - DICOM master list~SCT^85756007^Tissue~SCT^85756007^Tissue~^^"
    "~Anatomic codes - DICOM master list~SCT^39607008^Lung~^^"
)


def tag(segment: Any, name: str) -> str:
    """A tag's text, "" if there is none."""
    text = vtk.reference("")
    return str(text) if segment is not None and segment.GetTag(name, text) else ""


def segments(segmentation: Any) -> list[tuple[str, Any]]:
    """ID and segment, in order."""
    if segmentation is None:
        return []
    held = segmentation.GetSegmentation()
    return [(held.GetNthSegmentID(n), held.GetNthSegment(n)) for n in range(held.GetNumberOfSegments())]


def tumors(segmentation: Any) -> list[tuple[str, Any]]:
    """ID and segment of all that is no ring."""
    return [(segment_id, segment) for segment_id, segment in segments(segmentation) if not tag(segment, RING_OF)]


def is_ring(segmentation: Any, segment_id: str) -> bool:
    """Whether a segment is a ring."""
    return bool(tag(segmentation.GetSegmentation().GetSegment(segment_id), RING_OF))


def ring_of(segmentation: Any, tumor_id: str) -> str:
    """ID of a tumor's ring, "" if it has none."""
    return next((found for found, segment in segments(segmentation) if tag(segment, RING_OF) == tumor_id), "")


def edited_ring(segmentation: Any, tumor_id: str) -> str:
    """ID of a tumor's ring if a hand has changed it, else ""."""
    found = ring_of(segmentation, tumor_id)
    return found if found and tag(segmentation.GetSegmentation().GetSegment(found), EDITED) else ""


class Rings:
    """Draws rings, and notices when one was edited."""

    def __init__(self) -> None:
        self._key: tuple[str, str] | None = None
        self._drawn: np.ndarray | None = None  # the ring of `_key` as it was drawn, on the CT's grid
        self.drawing = False

    def forget(self) -> None:
        """Lets the memory of the last drawing go; the tags stay."""
        self._key = self._drawn = None

    def edited(self, segmentation: Any, tumor_id: str, tumor: "sitk.Image") -> "sitk.Image | None":
        """The ring if it was edited by hand, else None.

        Voxels that the tumor has taken over since are no edit: the segment editor takes them from the ring where
        segments must not overlap.

        Raises:
            InputError: It was edited until nothing was left.
        """
        ring_id = ring_of(segmentation, tumor_id)
        if not ring_id:
            return None
        import SimpleITK as sitk

        segment = segmentation.GetSegmentation().GetSegment(ring_id)
        if segment_print(segmentation, ring_id) is None:
            text = _("The ring {name} is empty. Draw it, or press Draw again in section 3.")
            raise bridge.input_error(text.format(name=segment.GetName()))
        ring = bridge.place_segment(segmentation, ring_id, tumor)
        now = sitk.GetArrayViewFromImage(ring) != 0
        if not tag(segment, EDITED) and self._differs(segmentation, ring_id, now, sitk.GetArrayViewFromImage(tumor)):
            segment.SetTag(EDITED, "1")
        return ring if tag(segment, EDITED) else None

    def _differs(self, segmentation: Any, ring_id: str, now: np.ndarray, tumor: np.ndarray) -> bool:
        if self._key == (segmentation.GetID(), ring_id) and self._drawn is not None and self._drawn.shape == now.shape:
            return bool(((self._drawn != now) & (tumor == 0)).any())
        segment = segmentation.GetSegmentation().GetSegment(ring_id)
        found = segment_print(segmentation, ring_id)
        if found is not None and tag(segment, DRAWN) == found.get("voxels"):
            self._key, self._drawn = (segmentation.GetID(), ring_id), now.copy()
            return False
        return True

    def draw(self, segmentation: Any, tumor_id: str, volume: Any, ring: "sitk.Image") -> None:
        """Puts a ring into its segment, which is made if there is none; nothing happens if it is drawn already."""
        import SimpleITK as sitk

        held = segmentation.GetSegmentation()
        ring_id = ring_of(segmentation, tumor_id)
        voxels = sitk.GetArrayViewFromImage(ring) != 0
        if ring_id and self._key == (segmentation.GetID(), ring_id) and np.array_equal(self._drawn, voxels):
            return
        self.drawing = True
        try:
            if not ring_id:
                ring_id = self._add(segmentation, tumor_id)
            bridge.put_segment(segmentation, ring_id, ring, volume)
        finally:
            self.drawing = False
        segment = held.GetSegment(ring_id)
        segment.RemoveTag(EDITED)
        found = segment_print(segmentation, ring_id)
        segment.SetTag(DRAWN, found["voxels"] if found else "")
        self._key, self._drawn = (segmentation.GetID(), ring_id), voxels.copy()

    @staticmethod
    def _add(segmentation: Any, tumor_id: str) -> str:
        held = segmentation.GetSegmentation()
        tumor = held.GetSegment(tumor_id)
        color = [1 - 0.45 * (1 - part) for part in tumor.GetColor()]  # the tumor's, paler
        ring_id: str = held.AddEmptySegment("", _("{tumor} ring").format(tumor=tumor.GetName()), color)
        segment = held.GetSegment(ring_id)
        segment.SetTag(RING_OF, tumor_id)
        segment.SetTag(segment.GetTerminologyEntryTagName(), TERMINOLOGY)
        segment.SetNameAutoGenerated(False)
        segment.SetColorAutoGenerated(False)
        segmentation.CreateDefaultDisplayNodes()
        segmentation.GetDisplayNode().SetSegmentOpacity2DFill(ring_id, 0.35)
        return ring_id

    def remove(self, segmentation: Any, tumor_id: str) -> None:
        """Takes a tumor's ring out of the segmentation."""
        ring_id = ring_of(segmentation, tumor_id)
        if ring_id:
            self.drawing = True
            try:
                segmentation.GetSegmentation().RemoveSegment(ring_id)
            finally:
                self.drawing = False
        self.forget()

    def remove_orphans(self, segmentation: Any) -> None:
        """Takes rings away whose tumor is gone."""
        held = segmentation.GetSegmentation()
        for ring_id, segment in segments(segmentation):
            owner = tag(segment, RING_OF)
            if owner and held.GetSegment(owner) is None:
                held.RemoveSegment(ring_id)


def show(segmentation: Any, ring_id: str, visible: bool) -> None:
    """Shows or hides a ring in the views."""
    display = segmentation.GetDisplayNode()
    if ring_id and display is not None and bool(display.GetSegmentVisibility(ring_id)) != visible:
        display.SetSegmentVisibility(ring_id, visible)
