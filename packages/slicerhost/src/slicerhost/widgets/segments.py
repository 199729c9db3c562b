"""Stand-in of the segment selector, over real segmentations."""

from typing import Any

from PySide6 import QtCore, QtWidgets

from ..pythonqt.stand_in import stands_for, stored
from .nodes import Observers, qMRMLNodeComboBox, qMRMLWidget

Property, Signal = QtCore.Property, QtCore.Signal


def segments_of(node: Any) -> list[tuple[str, Any]]:
    """ID and segment, in order."""
    if node is None:
        return []
    segmentation = node.GetSegmentation()
    count = segmentation.GetNumberOfSegments()
    return [(segmentation.GetNthSegmentID(i), segmentation.GetNthSegment(i)) for i in range(count)]


SEGMENT_EVENTS = ("SegmentAdded", "SegmentRemoved", "SegmentModified", "SegmentsOrderModified")


def follow_segments(observers: Observers, node: Any, method: str) -> None:
    """Calls a method at every change of a segmentation's segments, and of no other's any more."""
    observers.clear()
    if node is not None:
        segmentation = node.GetSegmentation()
        for event in SEGMENT_EVENTS:
            observers.add(segmentation, getattr(segmentation, event), method)


@stands_for("slicer")
class qMRMLSegmentSelectorWidget(qMRMLWidget):
    """Chooses a segmentation and one of its segments, or several."""

    currentNodeChanged = Signal(object)
    currentSegmentChanged = Signal(str)
    segmentSelectionChanged = Signal(list)
    CPP_SIGNALS = (
        *qMRMLWidget.CPP_SIGNALS,
        "currentNodeChanged(vtkMRMLNode*)",
        "currentNodeChanged(bool)",
        "currentSegmentChanged(QString)",
        "segmentSelectionChanged(QStringList)",
    )
    editEnabled = stored(bool, "editEnabled", False)
    horizontalLayout = stored(bool, "horizontalLayout", False)
    multiSelection = stored(bool, "multiSelection", False)
    selectNodeUponCreation = stored(bool, "selectNodeUponCreation", True)
    segmentationNodeSelectorVisible = stored(
        bool,
        "segmentationNodeSelectorVisible",
        True,
        lambda self: self._nodes.setVisible(self.segmentationNodeSelectorVisible),
    )

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._ids: list[str] = []
        self._selected: list[str] = []
        self._observers = Observers(self)
        self._nodes = qMRMLNodeComboBox()
        self._nodes.nodeTypes = ["vtkMRMLSegmentationNode"]
        self._nodes.addEnabled = False
        self._box = QtWidgets.QComboBox()
        layout = QtWidgets.QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._nodes)
        layout.addWidget(self._box)
        self._nodes.currentNodeChanged.connect(self._node_chosen)
        self._box.activated.connect(lambda row: self.setCurrentSegmentID(self._ids[row]))

    noneEnabled = Property(
        bool, lambda self: self._nodes.noneEnabled, lambda self, value: setattr(self._nodes, "noneEnabled", value)
    )

    def setMRMLScene(self, scene: Any) -> None:
        """Sets the scene whose segmentations are offered."""
        super().setMRMLScene(scene)
        self._nodes.setMRMLScene(scene)

    def currentNode(self) -> Any:
        """The chosen segmentation, or None."""
        return self._nodes.currentNode()

    def currentNodeID(self) -> str:
        """ID of the chosen segmentation; a method here, unlike in qMRMLNodeComboBox."""
        return self._nodes.currentNodeID

    def setCurrentNode(self, node: Any) -> None:
        """Chooses a segmentation."""
        self._nodes.setCurrentNode(node)

    def setCurrentNodeID(self, node_id: str) -> None:
        """Chooses a segmentation by its ID."""
        self._nodes.setCurrentNode(node_id)

    def segmentIDs(self) -> list[str]:
        """The IDs of all segments on offer."""
        return list(self._ids)

    def currentSegmentID(self) -> str:
        """ID of the chosen segment, or ""."""
        return self._selected[0] if self._selected else ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        """Chooses a segment; one that is not there chooses none."""
        self.setSelectedSegmentIDs([segment_id])

    def selectedSegmentIDs(self) -> list[str]:
        """The IDs of all chosen segments."""
        return list(self._selected)

    def setSelectedSegmentIDs(self, segment_ids: list[str]) -> None:
        """Chooses segments; more than one only with `multiSelection`."""
        selected = [segment_id for segment_id in segment_ids if segment_id in self._ids]
        selected = selected if self.multiSelection else selected[:1]
        row = self._ids.index(selected[0]) if selected else -1
        blocked = self._box.blockSignals(True)
        self._box.setCurrentIndex(row)
        self._box.blockSignals(blocked)
        if selected != self._selected:
            self._selected = selected
            self.currentSegmentChanged.emit(self.currentSegmentID())
            self.segmentSelectionChanged.emit(self._selected)

    def _node_chosen(self, node: Any) -> None:
        follow_segments(self._observers, node, "_fill")
        self._selected = []
        self._fill()
        self.currentNodeChanged.emit(node)

    def _fill(self, _segmentation: Any = None) -> None:
        segments = segments_of(self.currentNode())
        self._ids = [segment_id for segment_id, _ in segments]
        blocked = self._box.blockSignals(True)
        self._box.clear()
        self._box.addItems([segment.GetName() for _, segment in segments])
        self._box.blockSignals(blocked)
        kept = [segment_id for segment_id in self._selected if segment_id in self._ids]
        self.setSelectedSegmentIDs(kept or ([] if self.multiSelection else self._ids[:1]))
