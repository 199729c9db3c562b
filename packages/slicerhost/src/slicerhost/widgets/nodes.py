"""Stand-ins of the qMRML widgets that choose nodes, over a real scene."""

import weakref
from typing import Any

import vtk
from PySide6 import QtCore, QtWidgets

from ..pythonqt.stand_in import stands_for, stored

Property, Signal = QtCore.Property, QtCore.Signal


class Observers:
    """VTK observers of a widget: they end with the widget, and do not keep it alive."""

    def __init__(self, owner: QtCore.QObject) -> None:
        self._owner = weakref.ref(owner)
        self._made: list[tuple[Any, int]] = []
        made = self._made  # not self: the lambda must not keep more than the list
        owner.destroyed.connect(lambda: Observers._remove(made))

    @staticmethod
    def _remove(made: list[tuple[Any, int]]) -> None:
        for caller, tag in made:
            caller.RemoveObserver(tag)
        made.clear()

    def clear(self) -> None:
        """Ends all observations."""
        self._remove(self._made)

    def add(self, caller: Any, event: Any, method: str) -> None:
        """Calls the owner's `method(caller)` at each event."""
        owner = self._owner

        def called(observed: Any, _event: str) -> None:
            widget = owner()
            if widget is not None:
                getattr(widget, method)(observed)

        self._made.append((caller, caller.AddObserver(event, called)))


@stands_for("slicer")
class qMRMLWidget(QtWidgets.QWidget):
    """A widget that knows a scene and hands it on."""

    mrmlSceneChanged = Signal(object)
    CPP_SIGNALS: tuple[str, ...] = ("mrmlSceneChanged(vtkMRMLScene*)",)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None

    def mrmlScene(self) -> Any:
        """The scene, or None."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """Sets the scene and tells who is connected."""
        if scene is not self._scene:
            self._scene = scene
            self.mrmlSceneChanged.emit(scene)


@stands_for("slicer")
class qSlicerWidget(qMRMLWidget):
    """A module's top widget."""

    CPP_SIGNALS = qMRMLWidget.CPP_SIGNALS


NODE_SIGNALS = (
    "currentNodeChanged(vtkMRMLNode*)",
    "currentNodeChanged(bool)",
    "currentNodeIDChanged(QString)",
    "nodeActivated(vtkMRMLNode*)",
    "nodeAdded(vtkMRMLNode*)",
    "nodeAddedByUser(vtkMRMLNode*)",
    "nodeAboutToBeRemoved(vtkMRMLNode*)",
    "currentNodeRenamed(QString)",
)


def _refill(self: "qMRMLNodeComboBox") -> None:
    self._refill()


@stands_for("slicer")
class qMRMLNodeComboBox(QtWidgets.QWidget):
    """Chooses one node of given types from the scene."""

    currentNodeChanged = Signal(object)
    currentNodeIDChanged = Signal(str)
    currentNodeRenamed = Signal(str)
    nodeActivated = Signal(object)
    nodeAdded = Signal(object)
    nodeAddedByUser = Signal(object)
    nodeAboutToBeRemoved = Signal(object)
    CPP_SIGNALS = NODE_SIGNALS

    nodeTypes = stored("QStringList", "nodeTypes", [], _refill)
    hideChildNodeTypes = stored("QStringList", "hideChildNodeTypes", [], _refill)
    showHidden = stored(bool, "showHidden", False, _refill)
    showChildNodeTypes = stored(bool, "showChildNodeTypes", True, _refill)
    noneEnabled = stored(bool, "noneEnabled", False, _refill)
    noneDisplay = stored(str, "noneDisplay", "None", _refill)
    addEnabled = stored(bool, "addEnabled", True)
    removeEnabled = stored(bool, "removeEnabled", True)
    editEnabled = stored(bool, "editEnabled", False)
    renameEnabled = stored(bool, "renameEnabled", False)
    selectNodeUponCreation = stored(bool, "selectNodeUponCreation", True)
    baseName = stored(str, "baseName", "")
    interactionNodeSingletonTag = stored(str, "interactionNodeSingletonTag", "")

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._current: str | None = None
        self._ids: list[str | None] = []
        self._attributes: dict[str, dict[str, Any]] = {}
        self._observers = Observers(self)
        self._node_observers = Observers(self)
        self._box = QtWidgets.QComboBox()
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._box)
        self._box.activated.connect(self._chosen)
        self._refill()

    currentNodeID = Property(str, lambda self: self._current or "", lambda self, node_id: self._select(node_id or None))

    def mrmlScene(self) -> Any:
        """The scene, or None."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """Sets the scene and follows its nodes."""
        self._scene = scene
        self._observers.clear()
        if scene is not None:
            for event in (scene.NodeAddedEvent, scene.NodeRemovedEvent, scene.EndCloseEvent, scene.EndImportEvent):
                self._observers.add(scene, event, "_scene_changed")
            self._observers.add(scene, scene.EndBatchProcessEvent, "_scene_changed")
        self._refill()

    def currentNode(self) -> Any:
        """The chosen node, or None."""
        return self._scene.GetNodeByID(self._current) if self._scene is not None and self._current else None

    def setCurrentNode(self, node: Any) -> None:
        """Chooses a node, or one by its ID; what is not offered chooses none."""
        self._select(node if isinstance(node, str) else node.GetID() if node is not None else None)

    def setCurrentNodeIndex(self, index: int) -> None:
        """Chooses by the position among the nodes."""
        nodes = self._offered()
        self._select(nodes[index].GetID() if 0 <= index < len(nodes) else None)

    def nodeCount(self) -> int:
        """How many nodes are offered."""
        return len(self._offered())

    def nodeFromIndex(self, index: int) -> Any:
        """The node at a position, or None."""
        nodes = self._offered()
        return nodes[index] if 0 <= index < len(nodes) else None

    def addAttribute(self, node_type: str, name: str, value: Any = None) -> None:
        """Offers nodes of a type only if they have an attribute, with this value if one is given."""
        self._attributes.setdefault(node_type, {})[name] = value
        self._refill()

    def removeAttribute(self, node_type: str, name: str) -> None:
        """Undoes `addAttribute`."""
        self._attributes.get(node_type, {}).pop(name, None)
        self._refill()

    def addNode(self, node_type: str | None = None) -> Any:
        """Creates a node, as the menu entry does."""
        node_type = node_type or self.nodeTypes[0]
        node = self._scene.CreateNodeByClass(node_type)
        node.UnRegister(None)  # the Python variable owns it
        node.SetName(self._scene.GenerateUniqueName(self.baseName or node.GetNodeTagName()))
        for name, value in self._attributes.get(node_type, {}).items():
            node.SetAttribute(name, "" if value is None else str(value))
        self._scene.AddNode(node)
        if self.selectNodeUponCreation:
            self.setCurrentNode(node)
        self.nodeAdded.emit(node)
        self.nodeAddedByUser.emit(node)
        return node

    def removeCurrentNode(self) -> None:
        """Removes the chosen node from the scene, as the menu entry does."""
        node = self.currentNode()
        if node is not None:
            self.nodeAboutToBeRemoved.emit(node)
            self._scene.RemoveNode(node)

    def renameCurrentNode(self, name: str | None = None) -> None:
        """Renames the chosen node, as the menu entry does."""
        node = self.currentNode()
        if node is not None and name:
            node.SetName(name)
            self.currentNodeRenamed.emit(name)

    def _offered(self) -> list[Any]:
        """The nodes on offer, by type and then in the scene's order."""
        if self._scene is None:
            return []
        found: dict[str, Any] = {}
        for node_type in self.nodeTypes:
            nodes = self._scene.GetNodesByClass(node_type)  # C++ filters: this runs at every change of the scene
            nodes.UnRegister(None)  # the Python variable owns it
            for index in range(nodes.GetNumberOfItems()):
                node = nodes.GetItemAsObject(index)
                if self._fits(node, node_type):
                    found[node.GetID()] = node
        return list(found.values())

    def _fits(self, node: Any, node_type: str) -> bool:
        hidden = node.GetHideFromEditors() and not self.showHidden
        wrong_child = node.GetClassName() != node_type and (
            not self.showChildNodeTypes or any(node.IsA(child) for child in self.hideChildNodeTypes)
        )
        return not hidden and not wrong_child and self._has_attributes(node, node_type)

    def _has_attributes(self, node: Any, node_type: str) -> bool:
        return all(
            node.GetAttribute(name) is not None and (value is None or node.GetAttribute(name) == str(value))
            for name, value in self._attributes.get(node_type, {}).items()
        )

    def _scene_changed(self, _scene: Any) -> None:
        # As in Slicer, nothing moves in the middle of a batch; the end of the batch comes here again.
        if not self._scene.IsBatchProcessing():
            self._refill()

    def _node_changed(self, _node: Any) -> None:
        if not self._scene.IsBatchProcessing() and self._texts(self._offered()) != self._shown_texts():
            self._refill()

    def _texts(self, nodes: list[Any]) -> list[str]:
        return ([self.noneDisplay] if self.noneEnabled else []) + [node.GetName() or "" for node in nodes]

    def _shown_texts(self) -> list[str]:
        return [self._box.itemText(row) for row in range(self._box.count)]

    def _refill(self) -> None:
        if "_box" not in self.__dict__:  # a property that is set during construction
            return
        nodes = self._offered()
        self._ids = ([None] if self.noneEnabled else []) + [node.GetID() for node in nodes]
        self._node_observers.clear()
        for node in nodes:
            self._node_observers.add(node, vtk.vtkCommand.ModifiedEvent, "_node_changed")
        blocked = self._box.blockSignals(True)
        self._box.clear()
        self._box.addItems(self._texts(nodes))
        self._box.blockSignals(blocked)
        if self._current in self._ids:
            self._select(self._current)
        else:  # without None on offer, Slicer chooses the first node by itself
            self._select(None if self.noneEnabled else next(iter(self._ids), None))

    def _chosen(self, row: int) -> None:
        self._select(self._ids[row])
        self.nodeActivated.emit(self.currentNode())

    def _select(self, node_id: str | None) -> None:
        if node_id not in self._ids:
            node_id = None
        blocked = self._box.blockSignals(True)
        self._box.setCurrentIndex(self._ids.index(node_id) if node_id in self._ids else -1)
        self._box.blockSignals(blocked)
        if node_id != self._current:
            self._current = node_id
            self.currentNodeChanged.emit(self.currentNode())
            self.currentNodeIDChanged.emit(node_id or "")


@stands_for("slicer")
class qMRMLCheckableNodeComboBox(qMRMLNodeComboBox):
    """Chooses several nodes by check marks."""

    checkedNodesChanged = Signal()
    CPP_SIGNALS = (*NODE_SIGNALS, "checkedNodesChanged()")

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._checked: set[str] = set()

    def checkState(self, node: Any) -> QtCore.Qt.CheckState:
        """Whether a node is checked."""
        states = QtCore.Qt.CheckState
        return states.Checked if node.GetID() in self._checked else states.Unchecked

    def setCheckState(self, node: Any, state: Any) -> None:
        """Checks or unchecks a node."""
        before = set(self._checked)
        if QtCore.Qt.CheckState(state) == QtCore.Qt.CheckState.Checked:
            self._checked.add(node.GetID())
        else:
            self._checked.discard(node.GetID())
        if self._checked != before:
            self.checkedNodesChanged.emit()

    def check(self, node: Any) -> None:
        """Checks a node."""
        self.setCheckState(node, QtCore.Qt.CheckState.Checked)

    def uncheck(self, node: Any) -> None:
        """Unchecks a node."""
        self.setCheckState(node, QtCore.Qt.CheckState.Unchecked)

    def checkedNodes(self) -> list[Any]:
        """The checked nodes that are offered."""
        return [node for node in self._offered() if node.GetID() in self._checked]

    def uncheckedNodes(self) -> list[Any]:
        """The other nodes that are offered."""
        return [node for node in self._offered() if node.GetID() not in self._checked]

    def allChecked(self) -> bool:
        """Whether every node is checked."""
        return not self.uncheckedNodes()

    def noneChecked(self) -> bool:
        """Whether no node is checked."""
        return not self.checkedNodes()
