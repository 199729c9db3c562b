"""Stand-in of the segment editor.

Segmentations, undo and the change of segments are real (`vtkSlicerSegmentEditorLogic`).  Of the effects only Threshold
does something; of the editor's window only what shows which nodes, segment and effect are chosen.
"""

from typing import Any

import slicer
import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from ..pythonqt.stand_in import stands_for, stored
from .nodes import Observers, qMRMLNodeComboBox, qMRMLWidget
from .segments import follow_segments, segments_of

Property, Signal = QtCore.Property, QtCore.Signal
USER_ROLE = QtCore.Qt.ItemDataRole.UserRole


class Effect:
    """What Python reaches of an effect: its name, its parameters, and `self().onApply()`."""

    def __init__(self, editor: "qMRMLSegmentEditorWidget", name: str) -> None:
        self._editor = editor
        self.name = name

    def self(self) -> "Effect":
        """The Python object of a scripted effect."""
        return self

    def _key(self, name: str) -> str:
        return name if "." in name else f"{self.name}.{name}"

    def setParameter(self, name: str, value: Any) -> None:
        """Writes a parameter into the segment editor node."""
        self._editor.mrmlSegmentEditorNode().SetAttribute(self._key(name), str(value))

    def parameter(self, name: str) -> str:
        """Reads a parameter; "" if it is not set."""
        return self._editor.mrmlSegmentEditorNode().GetAttribute(self._key(name)) or ""

    def onApply(self) -> None:
        """Applies Threshold to the current segment.

        Raises:
            NotImplementedError: Another effect.
        """
        if self.name != "Threshold":
            raise NotImplementedError(f"The test host has no effect {self.name}.")
        logic, node = self._editor._logic, self._editor.mrmlSegmentEditorNode()
        logic.UpdateReferenceGeometryImage()
        logic.ResetModifierLabelmapToDefault()
        logic.UpdateAlignedSourceVolume()
        logic.UpdateMaskLabelmap()
        source = logic.GetAlignedSourceVolume()
        threshold = vtk.vtkImageThreshold()
        threshold.SetInputData(source)
        threshold.ThresholdBetween(float(self.parameter("MinimumThreshold")), float(self.parameter("MaximumThreshold")))
        threshold.SetInValue(1)
        threshold.SetOutValue(0)
        threshold.SetOutputScalarType(vtk.VTK_UNSIGNED_CHAR)
        threshold.Update()
        image = slicer.vtkOrientedImageData()
        image.ShallowCopy(threshold.GetOutput())
        image.CopyDirections(source)
        logic.SaveStateForUndo()
        segment_id = node.GetSelectedSegmentID()
        logic.ModifySegmentByLabelmap(
            node.GetSegmentationNode(), segment_id, image, logic.ModificationModeSet, False, False
        )


@stands_for("slicer")
class qMRMLSegmentEditorWidget(qMRMLWidget):
    """Which segmentation, source volume, segment and effect are chosen; undo; shortcuts are recorded."""

    segmentationNodeChanged = Signal(object)
    sourceVolumeNodeChanged = Signal(object)
    currentSegmentIDChanged = Signal(str)
    CPP_SIGNALS = (
        *qMRMLWidget.CPP_SIGNALS,
        "segmentationNodeChanged(vtkMRMLSegmentationNode*)",
        "sourceVolumeNodeChanged(vtkMRMLVolumeNode*)",
        "currentSegmentIDChanged(QString)",
    )
    EFFECTS = (
        *("Paint", "Draw", "Erase", "Level tracing", "Grow from seeds", "Fill between slices", "Threshold"),
        *("Margin", "Hollow", "Smoothing", "Scissors", "Islands", "Logical operators", "Mask volume"),
    )
    segmentationNodeSelectorVisible = stored(
        bool, "segmentationNodeSelectorVisible", True, lambda self: self._show_rows()
    )
    sourceVolumeNodeSelectorVisible = stored(
        bool, "sourceVolumeNodeSelectorVisible", True, lambda self: self._show_rows()
    )
    addRemoveSegmentButtonsVisible = stored(bool, "addRemoveSegmentButtonsVisible", True)
    autoShowSourceVolumeNode = stored(bool, "autoShowSourceVolumeNode", True)
    defaultTerminologyEntrySettingsKey = stored(str, "defaultTerminologyEntrySettingsKey", "")
    defaultTerminologyEntry = stored(str, "defaultTerminologyEntry", "")
    effectColumnCount = stored(int, "effectColumnCount", 1)
    jumpToSelectedSegmentEnabled = stored(bool, "jumpToSelectedSegmentEnabled", False)
    maskingSectionVisible = stored(bool, "maskingSectionVisible", True)
    readOnly = stored(bool, "readOnly", False)
    show3DButtonVisible = stored(bool, "show3DButtonVisible", True)
    specifyGeometryButtonVisible = stored(bool, "specifyGeometryButtonVisible", True)
    switchToSegmentationsButtonVisible = stored(bool, "switchToSegmentationsButtonVisible", True)
    undoEnabled = stored(bool, "undoEnabled", True)
    unorderedEffectsVisible = stored(bool, "unorderedEffectsVisible", True, lambda self: self._show_effects())

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._node: Any = None
        self._effect_order: list[str] = []
        self._active: Effect | None = None
        self._shortcuts_installed = False
        self._view_observations = False
        self._logic = slicer.vtkSlicerSegmentEditorLogic()
        self._node_observers, self._segment_observers = Observers(self), Observers(self)
        self._segmentations = self._selector("vtkMRMLSegmentationNode")
        self._volumes = self._selector("vtkMRMLScalarVolumeNode")
        self._volumes.hideChildNodeTypes = ["vtkMRMLLabelMapVolumeNode"]
        self._table = QtWidgets.QTableWidget(0, 2)
        self._table.setHorizontalHeaderLabels(["Color", "Name"])
        self._table.horizontalHeader().setStretchLastSection(True)
        self._table.setMaximumHeight(110)
        box = QtWidgets.QWidget()
        self._grid = QtWidgets.QGridLayout(box)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._form = QtWidgets.QFormLayout(self)
        self._form.setContentsMargins(4, 4, 4, 4)
        self._form.addRow("Segmentation:", self._segmentations)
        self._form.addRow("Source volume:", self._volumes)
        self._form.addRow(self._table)
        self._form.addRow(box)
        self._segmentations.currentNodeChanged.connect(self._segmentation_chosen)
        self._volumes.currentNodeChanged.connect(self._volume_chosen)
        self._table.itemSelectionChanged.connect(self._row_chosen)
        self._show_effects()

    @staticmethod
    def _selector(node_type: str) -> qMRMLNodeComboBox:
        selector = qMRMLNodeComboBox()
        selector.nodeTypes = [node_type]
        selector.noneEnabled = True
        return selector

    def _set_undo_states(self, count: int) -> None:
        self._logic.SetMaximumNumberOfUndoStates(count)

    maximumNumberOfUndoStates = Property(int, lambda self: self._logic.GetMaximumNumberOfUndoStates(), _set_undo_states)

    # --- nodes

    def setMRMLScene(self, scene: Any) -> None:
        """Sets the scene of the selectors and of the logic."""
        super().setMRMLScene(scene)
        self._logic.SetMRMLScene(scene)
        self._segmentations.setMRMLScene(scene)
        self._volumes.setMRMLScene(scene)

    def mrmlSegmentEditorNode(self) -> Any:
        """The node that holds the editor's state, or None."""
        return self._node

    def setMRMLSegmentEditorNode(self, node: Any) -> None:
        """Sets the node that holds the editor's state."""
        self._node = node
        self._logic.SetSegmentEditorNode(node)
        self._node_observers.clear()
        if node is not None:
            self._node_observers.add(node, vtk.vtkCommand.ModifiedEvent, "_node_modified")
        self.updateWidgetFromMRML()

    def _node_modified(self, _node: Any) -> None:
        self.updateWidgetFromMRML()

    def updateWidgetFromMRML(self) -> None:
        """Shows what the segment editor node says."""
        blocked = [selector.blockSignals(True) for selector in (self._segmentations, self._volumes)]
        self._segmentations.setCurrentNode(self.segmentationNode())
        self._volumes.setCurrentNode(self.sourceVolumeNode())
        self._segmentations.blockSignals(blocked[0])
        self._volumes.blockSignals(blocked[1])
        follow_segments(self._segment_observers, self.segmentationNode(), "_fill")
        self._fill()

    def segmentationNode(self) -> Any:
        """The segmentation being edited, or None."""
        return self._node.GetSegmentationNode() if self._node is not None else None

    def segmentationNodeID(self) -> str:
        """Its ID, or ""."""
        node = self.segmentationNode()
        return node.GetID() if node is not None else ""

    def setSegmentationNode(self, node: Any) -> None:
        """Chooses the segmentation to edit; without a segment editor node nothing happens, as in Slicer."""
        if self._node is None or self.segmentationNode() is node:
            return
        self._node.SetAndObserveSegmentationNode(node)
        segments = segments_of(node)
        self.setCurrentSegmentID(segments[0][0] if segments else "")
        self.segmentationNodeChanged.emit(node)

    def setSegmentationNodeID(self, node_id: str) -> None:
        """Chooses the segmentation by its ID."""
        self.setSegmentationNode(self._scene.GetNodeByID(node_id))

    def sourceVolumeNode(self) -> Any:
        """The volume under the segmentation, or None."""
        return self._node.GetSourceVolumeNode() if self._node is not None else None

    def sourceVolumeNodeID(self) -> str:
        """Its ID, or ""."""
        node = self.sourceVolumeNode()
        return node.GetID() if node is not None else ""

    def setSourceVolumeNode(self, node: Any) -> None:
        """Chooses the source volume; it becomes the geometry of a segmentation that has none."""
        if self._node is None or self.sourceVolumeNode() is node:
            return
        self._node.SetAndObserveSourceVolumeNode(node)
        segmentation = self.segmentationNode()
        if node is not None and segmentation is not None:
            known = segmentation.GetNodeReferenceID(segmentation.GetReferenceImageGeometryReferenceRole())
            if not known:
                segmentation.SetReferenceImageGeometryParameterFromVolumeNode(node)
        self.sourceVolumeNodeChanged.emit(node)

    def setSourceVolumeNodeID(self, node_id: str) -> None:
        """Chooses the source volume by its ID."""
        self.setSourceVolumeNode(self._scene.GetNodeByID(node_id))

    def _segmentation_chosen(self, node: Any) -> None:
        if self._node is not None and not self._scene.IsBatchProcessing():
            self.setSegmentationNode(node)

    def _volume_chosen(self, node: Any) -> None:
        if self._node is not None and not self._scene.IsBatchProcessing():
            self.setSourceVolumeNode(node)

    # --- segments

    def currentSegmentID(self) -> str:
        """ID of the chosen segment, or ""."""
        return (self._node.GetSelectedSegmentID() or "") if self._node is not None else ""

    def setCurrentSegmentID(self, segment_id: str) -> None:
        """Chooses a segment."""
        if self._node is not None and self.currentSegmentID() != (segment_id or ""):
            self._node.SetSelectedSegmentID(segment_id)
            self.currentSegmentIDChanged.emit(segment_id or "")

    def _fill(self, _segmentation: Any = None) -> None:
        segments = segments_of(self.segmentationNode())
        blocked = self._table.blockSignals(True)
        self._table.setRowCount(len(segments))
        for row, (segment_id, segment) in enumerate(segments):
            color, name = QtWidgets.QTableWidgetItem(), QtWidgets.QTableWidgetItem(segment.GetName())
            color.setBackground(QtGui.QColor.fromRgbF(*segment.GetColor()))
            name.setData(USER_ROLE, segment_id)
            self._table.setItem(row, 0, color)
            self._table.setItem(row, 1, name)
            if segment_id == self.currentSegmentID():
                self._table.selectRow(row)
        self._table.blockSignals(blocked)
        ids = [segment_id for segment_id, _ in segments]
        if self.currentSegmentID() not in ids:
            self.setCurrentSegmentID(ids[0] if ids else "")

    def _row_chosen(self) -> None:
        item = self._table.item(self._table.currentRow(), 1)
        if item is not None:
            self.setCurrentSegmentID(item.data(USER_ROLE))

    # --- effects

    def availableEffectNames(self) -> list[str]:
        """The names of Slicer's own effects."""
        return list(self.EFFECTS)

    def effectNameOrder(self) -> list[str]:
        """The order last set."""
        return list(self._effect_order)

    def setEffectNameOrder(self, names: list[str]) -> None:
        """Which effects come first; with `unorderedEffectsVisible` off, which are shown at all."""
        self._effect_order = list(names)
        self._show_effects()

    def effectByName(self, name: str) -> Effect | None:
        """One effect, or None."""
        return Effect(self, name) if name in self.EFFECTS else None

    def activeEffect(self) -> Effect | None:
        """The effect in use, or None."""
        return self._active

    def setActiveEffect(self, effect: Effect | None) -> None:
        """Takes an effect, or None to put it down."""
        self.setActiveEffectByName(effect.name if effect is not None else "")

    def setActiveEffectByName(self, name: str) -> None:
        """Takes an effect by its name; without a segment editor node nothing happens, as in Slicer."""
        if self._node is None:
            return
        self._active = self.effectByName(name) if name else None
        self._node.SetActiveEffectName(name or "")
        for index in range(self._grid.count()):
            button = self._grid.itemAt(index).widget()
            button.setChecked(button.text == name)

    def _show_effects(self) -> None:
        if "_grid" not in self.__dict__:
            return
        while self._grid.count():
            button = self._grid.takeAt(0).widget()
            button.hide()
            button.deleteLater()
        names = [name for name in self._effect_order if name in self.EFFECTS]
        if self.unorderedEffectsVisible:
            names += [name for name in self.EFFECTS if name not in names]
        for index, name in enumerate(names):
            button = QtWidgets.QToolButton()
            button.setText(name)
            button.setCheckable(True)
            button.clicked.connect(lambda _=False, name=name: self.setActiveEffectByName(name))
            self._grid.addWidget(button, index // 4, index % 4)

    def _show_rows(self) -> None:
        if "_form" in self.__dict__:
            self._form.setRowVisible(0, self.segmentationNodeSelectorVisible)
            self._form.setRowVisible(1, self.sourceVolumeNodeSelectorVisible)

    # --- views, shortcuts, undo

    def setupViewObservations(self) -> None:
        """Recorded only."""
        self._view_observations = True

    def removeViewObservations(self) -> None:
        """Recorded only."""
        self._view_observations = False

    def installKeyboardShortcuts(self, _parent: QtWidgets.QWidget | None = None) -> None:
        """Recorded only: `_shortcuts_installed`."""
        self._shortcuts_installed = True

    def uninstallKeyboardShortcuts(self) -> None:
        """Recorded only: `_shortcuts_installed`."""
        self._shortcuts_installed = False

    def saveStateForUndo(self) -> None:
        """Keeps the segmentation's state."""
        self._logic.SaveStateForUndo()

    def undo(self) -> None:
        """Goes back one state."""
        self._logic.Undo()

    def redo(self) -> None:
        """Goes forward one state."""
        self._logic.Redo()

    def rotateSliceViewsToSegmentation(self) -> None:
        """Aligns the slice views with the segmentation: recorded only."""
