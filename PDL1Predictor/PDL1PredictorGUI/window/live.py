"""What follows the contour while it is being drawn: measures, the ring, and whether the case can be predicted.

Nothing is computed while something still changes: the work is done once the case has been still for a moment, and the
moment grows with the work, so that a large CT does not slow the hand down.
"""

import time
from collections.abc import Callable
from typing import Any

import qt
import slicer
import vtk

from PDL1PredictorGUI.scene import bridge, ring
from PDL1PredictorGUI.scene.fingerprint import to_world
from PDL1PredictorGUI.scene.parameters import region_settings
from PDL1PredictorGUI.window.section import Shared, observe, scene_is_moving, unobserve

STILL_MS = 400  # long enough to come after a stroke, short enough to seem immediate
LONGEST_MS = 3000
NODE = slicer.vtkMRMLTransformableNode


class LiveRegions:
    """Measures the chosen tumor a moment after its last change.

    Attributes:
        preview: The library's `Preview`, or None while there is nothing to measure.
        problem: Why the case cannot be predicted; "" if it can.
        edited_ring: ID of the ring's segment if it was edited by hand.

    Args:
        shared: The case.
        on_settled: Called after each measurement.
    """

    def __init__(self, shared: Shared, on_settled: Callable[[], None]) -> None:
        self._shared = shared
        self._on_settled = on_settled
        self._rings = ring.Rings()
        self._observed: list[tuple[Any, int]] = []
        self._watched: tuple[Any, ...] = ()
        self._choices: tuple[Any, ...] = ()
        self._image_key: tuple[Any, ...] = ()
        self._image: Any = None
        self._seconds = 0.0
        self.preview: Any = None
        self.problem = ""
        self.edited_ring = ""
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.connect("timeout()", self.settle)

    @property
    def waiting(self) -> bool:
        """Whether something has changed that was not measured yet."""
        return bool(self._timer.isActive())

    def follow(self) -> None:
        """Observes what is chosen now, and measures if a choice is new."""
        parameters = self._shared.parameters
        volume, segmentation = parameters.volume, parameters.segmentation
        nodes = (volume, segmentation, segmentation.GetSegmentation() if segmentation is not None else None)
        if nodes != self._watched:
            unobserve(self._observed)
            self._watched = nodes
            self._rings.forget()
            if volume is not None:
                # Modified too: it is all that arrayFromVolumeModified tells of changed voxels
                events = [volume.ImageDataModifiedEvent, NODE.TransformModifiedEvent, vtk.vtkCommand.ModifiedEvent]
                self._observed += observe(volume, events, self.poke)
            if segmentation is not None:
                held = nodes[2]
                events = [held.SourceRepresentationModified, held.SegmentAdded, held.SegmentRemoved]
                self._observed += observe(held, events, self.poke)
                self._observed += observe(segmentation, [NODE.TransformModifiedEvent], self.poke)
        choices = (
            *(node.GetID() if node is not None else None for node in (volume, segmentation)),
            parameters.segment_id,
            *(parameters.ring_mm, parameters.exclude_air, parameters.exclude_bone, parameters.show_ring),
            parameters.model,
        )
        if choices != self._choices:
            self._choices = choices
            self.poke()

    def poke(self) -> None:
        """Something has changed: measures once it is still."""
        if self._shared.entered and not self._rings.drawing:
            self._timer.start(min(max(STILL_MS, int(2000 * self._seconds)), LONGEST_MS))

    def stop(self) -> None:
        """Measures no more, until `poke` or a new choice."""
        self._timer.stop()
        self._choices = ()

    def forget(self) -> None:
        """Lets go of every node."""
        self.stop()
        unobserve(self._observed)
        self._watched = ()
        self._rings.forget()
        self._image_key, self._image = (), None
        self.preview, self.problem, self.edited_ring = None, "", ""

    def settle(self) -> None:
        """Measures now."""
        self._timer.stop()
        if self._shared.parameters is None or scene_is_moving():
            return
        self.preview, self.edited_ring = None, ""
        self.problem = self._shared.why_nothing_chosen()
        started = time.perf_counter()
        if not self.problem:
            bridge.make_importable()
            from PDL1PredictorLib.core.errors import PDL1Error

            try:
                self._measure()
            except PDL1Error as error:
                self.problem = str(error)
        self._seconds = time.perf_counter() - started
        self._on_settled()

    def draw_ring_again(self) -> None:
        """Replaces an edited ring by the one that the settings ask for."""
        parameters = self._shared.parameters
        self._rings.remove(parameters.segmentation, parameters.segment_id)
        self.settle()

    def _measure(self) -> None:
        from PDL1PredictorLib.core.case import Case
        from PDL1PredictorLib.imaging.preview import preview

        parameters = self._shared.parameters
        segmentation, tumor_id = parameters.segmentation, parameters.segment_id
        self._rings.remove_orphans(segmentation)
        image = self.ct(parameters.volume)
        tumor = bridge.place_segment(segmentation, tumor_id, image)
        case = Case(image, tumor)
        edited = self._rings.edited(segmentation, tumor_id, tumor)
        self.preview = preview(case, region_settings(parameters), edited)
        if edited is not None:
            self.edited_ring = ring.ring_of(segmentation, tumor_id)
        elif parameters.show_ring:
            self._rings.draw(segmentation, tumor_id, parameters.volume, self.preview.ring_on_ct)
        else:
            self._rings.remove(segmentation, tumor_id)
        ring.show(segmentation, ring.ring_of(segmentation, tumor_id), parameters.show_ring)

    def ct(self, volume: Any) -> Any:
        """The CT as an image, made anew only when its voxels or its place have changed."""
        matrix = vtk.vtkMatrix4x4()
        volume.GetIJKToRASMatrix(matrix)
        data = volume.GetImageData()
        stamp = max(data.GetMTime(), data.GetPointData().GetScalars().GetMTime())
        key = (volume.GetID(), stamp, *to_world(volume, matrix))
        if key != self._image_key:
            self._image = bridge.image_of_volume(volume)
            self._image_key = key
        return self._image
