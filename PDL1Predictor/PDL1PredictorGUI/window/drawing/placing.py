"""Placing a point, or the two ends of a line, in Slicer's views: its own place mode, until all are there or Esc."""

from collections.abc import Callable
from typing import Any

import qt
import slicer
import vtk
from slicer.i18n import tr as _

Points = list[tuple[float, float, float]]
KINDS = {"point": ("vtkMRMLMarkupsFiducialNode", 1), "line": ("vtkMRMLMarkupsLineNode", 2)}


class Placing:
    """One placing at a time; the markups node exists only while it lasts.

    Args:
        on_placed: Called with the points, RAS in the world, in mm, when all are there and the node is gone.
        on_change: Called when a placing has begun, got a point, or ended without all of them.
    """

    def __init__(self, on_placed: Callable[[Points], None], on_change: Callable[[], None]) -> None:
        self._on_placed, self._on_change = on_placed, on_change
        self._node: Any = None
        self._observed: list[tuple[Any, int]] = []
        self._escape: Any = None
        self.kind = ""

    @property
    def placed(self) -> int:
        """How many points are there already."""
        return int(self._node.GetNumberOfDefinedControlPoints()) if self._node is not None else 0

    def start(self, kind: str) -> None:
        """Begins; one that was under way is given up.

        Args:
            kind: `point` or `line`.
        """
        self._leave()
        self.kind = kind
        node_class, _count = KINDS[kind]
        self._node = node = slicer.mrmlScene.AddNewNodeByClass(node_class, _("Tumor"))
        node.SetSaveWithScene(False)
        node.CreateDefaultDisplayNodes()
        selection, interaction = _modes()
        selection.SetReferenceActivePlaceNodeClassName(node_class)
        selection.SetActivePlaceNodeID(node.GetID())
        interaction.SetPlaceModePersistence(0)
        interaction.SetCurrentInteractionMode(interaction.Place)
        # The node is left alone until its own event is over: what follows deletes it.
        for watched, event in (
            (node, node.PointPositionDefinedEvent),
            (interaction, interaction.InteractionModeChangedEvent),
        ):
            self._observed.append((watched, watched.AddObserver(event, lambda *_a: self._look_soon(node))))
        self._observed.append(
            (slicer.mrmlScene, slicer.mrmlScene.AddObserver(slicer.mrmlScene.NodeRemovedEvent, self._on_node_removed))
        )
        self._listen_for_escape()
        self._on_change()

    def cancel(self) -> None:
        """Ends it without a contour; nothing happens when none is under way."""
        if self.kind:
            self._leave()
            self._on_change()

    def _look_soon(self, node: Any) -> None:
        qt.QTimer.singleShot(0, lambda: self._look(node))

    def _look(self, node: Any) -> None:
        """Goes on when all points are there, and gives up when the user has left the place mode before."""
        if node is not self._node or not self.kind:
            return  # of a placing that is over
        count = KINDS[self.kind][1]
        if self.placed >= count:
            points = [self._place(number) for number in range(count)]
            self._leave()
            self._on_placed(points)
        elif _modes()[1].GetCurrentInteractionMode() != _modes()[1].Place:
            self.cancel()
        else:
            self._on_change()

    def _place(self, number: int) -> tuple[float, float, float]:
        x, y, z = self._node.GetNthControlPointPositionWorld(number)
        return x, y, z

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def _on_node_removed(self, _caller: Any, _event: str, node: Any) -> None:
        if node is self._node:
            self.cancel()

    def _listen_for_escape(self) -> None:
        main = slicer.util.mainWindow()
        if main is None:
            return
        self._escape = escape = qt.QShortcut(qt.QKeySequence("Esc"), main)
        escape.setContext(qt.Qt.ApplicationShortcut)
        escape.connect("activated()", self.cancel)
        escape.connect("activatedAmbiguously()", self.cancel)  # the segment editor, too, may listen for it

    def _leave(self) -> None:
        """Puts views and scene back as they were."""
        self.kind = ""
        for watched, tag in self._observed:
            watched.RemoveObserver(tag)
        self._observed.clear()
        escape, self._escape = self._escape, None
        if escape is not None:
            escape.setEnabled(False)
            escape.deleteLater()
        node, self._node = self._node, None
        if node is None:
            return
        interaction = _modes()[1]
        if interaction.GetCurrentInteractionMode() == interaction.Place:
            interaction.SetCurrentInteractionMode(interaction.ViewTransform)
        if slicer.mrmlScene.IsNodePresent(node):
            slicer.mrmlScene.RemoveNode(node)


def _modes() -> tuple[Any, Any]:
    """Slicer's selection node and interaction node."""
    logic = slicer.app.applicationLogic()
    return logic.GetSelectionNode(), logic.GetInteractionNode()
