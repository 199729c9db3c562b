"""``slicer.app.layoutManager()``: slice views are real, table and plot views show their node, 3D draws nothing."""

from typing import Any

import slicer
from PySide6 import QtCore

from ..pythonqt.stand_in import stands_for
from ..widgets.views import qMRMLPlotView, qMRMLTableView
from .slice_view import SliceView

SLICE_VIEWS = {
    "Red": ("Axial", (0.952941176, 0.290196078, 0.2)),
    "Yellow": ("Sagittal", (0.929411765, 0.835294118, 0.298039216)),
    "Green": ("Coronal", (0.431372549, 0.690196078, 0.294117647)),
}


class SliceController:
    """The bar of a slice view."""

    def __init__(self, widget: "SliceWidget") -> None:
        self._widget = widget

    def fitSliceToBackground(self) -> None:
        """Shows the whole background."""
        self._widget.fitSliceToBackground()

    def setSliceVisible(self, visible: bool) -> None:
        """Shows the slice in 3D: kept in the node."""
        self._widget.mrmlSliceNode().SetSliceVisible(visible)

    def setVisible(self, _visible: bool) -> None:
        """The bar itself is not drawn."""


class SliceWidget:
    """The part of qMRMLSliceWidget that scripts use."""

    def __init__(self, view: SliceView) -> None:
        self._view = view

    def sliceLogic(self) -> Any:
        """The real slice logic."""
        return self._view.logic

    def mrmlSliceNode(self) -> Any:
        """The real slice node."""
        return self._view.node

    def mrmlSliceCompositeNode(self) -> Any:
        """The real composite node: which volumes are shown."""
        return self._view.logic.GetSliceCompositeNode()

    def sliceView(self) -> "SliceWidget":
        """The drawing area."""
        return self

    def sliceController(self) -> SliceController:
        """The bar."""
        return SliceController(self)

    def fitSliceToBackground(self) -> None:
        """Shows the whole background."""
        self._view.fit()

    def renderWindow(self) -> Any:
        """VTK's window."""
        return self._view.window

    def forceRender(self) -> None:
        """Draws at once."""
        self._view.render()

    def scheduleRender(self) -> None:
        """Views are drawn when looked at."""


class ThreeDWidget:
    """A 3D view that draws nothing and takes every call that scripts make."""

    def __init__(self, node: Any) -> None:
        self._node = node

    def threeDView(self) -> "ThreeDWidget":
        """The drawing area."""
        return self

    def threeDController(self) -> "ThreeDWidget":
        """The bar."""
        return self

    def mrmlViewNode(self) -> Any:
        """The real view node."""
        return self._node

    def resetFocalPoint(self) -> None:
        """Nothing to aim."""

    def resetCamera(self, *_arguments: Any) -> None:
        """Nothing to aim."""

    def forceRender(self) -> None:
        """Nothing to draw."""

    def setVisible(self, _visible: bool) -> None:
        """Nothing to show."""


class TableWidget:
    """The part of qMRMLTableWidget that scripts use."""

    def __init__(self, node: Any) -> None:
        self._view = qMRMLTableView()
        self._view.setMRMLScene(slicer.mrmlScene)
        self._view.setMRMLTableViewNode(node)

    def tableView(self) -> qMRMLTableView:
        """The table."""
        return self._view

    def mrmlTableViewNode(self) -> Any:
        """The real view node."""
        return self._view.mrmlTableViewNode()


class PlotWidget:
    """The part of qMRMLPlotWidget that scripts use."""

    def __init__(self, node: Any) -> None:
        self._view = qMRMLPlotView()
        self._view.setMRMLScene(slicer.mrmlScene)
        self._view.setMRMLPlotViewNode(node)

    def plotView(self) -> qMRMLPlotView:
        """The drawing area."""
        return self._view

    def mrmlPlotViewNode(self) -> Any:
        """The real view node."""
        return self._view.mrmlPlotViewNode()


@stands_for("slicer")
class qSlicerLayoutManager(QtCore.QObject):
    """Which layout is chosen, and its views; the real layout logic makes their nodes."""

    layoutChanged = QtCore.Signal(int)
    CPP_SIGNALS = ("layoutChanged(int)",)

    def __init__(self, application_logic: Any, scene: Any) -> None:
        super().__init__()
        self._views = {
            name: SliceView(application_logic, scene, name, orientation, color)
            for name, (orientation, color) in SLICE_VIEWS.items()
        }
        self._logic = slicer.vtkMRMLLayoutLogic()
        self._logic.SetMRMLScene(scene)
        self._node = self._logic.GetLayoutNode()
        self._widgets: dict[str, Any] = {}
        self._history: list[int] = []
        self._node.SetViewArrangement(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)

    def _set_layout(self, layout: int) -> None:
        layout = int(layout)
        if not self._node.IsLayoutDescription(layout):
            raise ValueError(f"there is no layout {layout}")
        self._history.append(layout)
        changed = layout != self._node.GetViewArrangement()
        self._node.SetViewArrangement(layout)
        if changed:
            self.layoutChanged.emit(layout)

    layout = QtCore.Property(int, lambda self: self._node.GetViewArrangement(), _set_layout)

    def setLayout(self, layout: int) -> None:
        """Chooses a layout.

        Raises:
            ValueError: No layout has that number.
        """
        self._set_layout(layout)

    @property
    def history(self) -> list[int]:
        """Every layout that a script has asked for, in order."""
        return self._history

    def layoutLogic(self) -> Any:
        """The real layout logic."""
        return self._logic

    def contains(self, view_node: Any) -> bool:
        """Whether the present layout has a place for a view; nodes know it only from the widgets of a real Slicer."""
        shown = self._logic.GetViewNodes()
        return any(shown.GetItemAsObject(index) is view_node for index in range(shown.GetNumberOfItems()))

    # --- slice views

    @property
    def slice_views(self) -> dict[str, SliceView]:
        """The views that render, by name."""
        return self._views

    def sliceViewNames(self) -> list[str]:
        """Red, Yellow, Green."""
        return list(self._views)

    def sliceWidget(self, name: str) -> SliceWidget | None:
        """A slice view by name, or None."""
        return SliceWidget(self._views[name]) if name in self._views else None

    def mrmlSliceLogics(self) -> Any:
        """The collection of slice logics."""
        return slicer.app.applicationLogic().GetSliceLogics()

    def resetSliceViews(self) -> None:
        """Fits every slice view."""
        for view in self._views.values():
            view.fit()

    def resetThreeDViews(self) -> None:
        """Nothing to aim."""

    # --- the other views, which exist once a layout contains them

    def _nodes(self, class_name: str) -> list[Any]:
        return list(slicer.util.getNodesByClass(class_name))

    def _widget(self, kind: type, class_name: str, index: int) -> Any:
        nodes = self._nodes(class_name)
        if not 0 <= index < len(nodes):
            return None
        node = nodes[index]
        if node.GetID() not in self._widgets:
            self._widgets[node.GetID()] = kind(node)
        return self._widgets[node.GetID()]

    tableViewCount = QtCore.Property(int, lambda self: len(self._nodes("vtkMRMLTableViewNode")))
    plotViewCount = QtCore.Property(int, lambda self: len(self._nodes("vtkMRMLPlotViewNode")))
    threeDViewCount = QtCore.Property(int, lambda self: len(self._nodes("vtkMRMLViewNode")))

    def tableWidget(self, index: int) -> TableWidget | None:
        """A table view, or None where the layouts so far had none."""
        return self._widget(TableWidget, "vtkMRMLTableViewNode", index)

    def plotWidget(self, index: int) -> PlotWidget | None:
        """A plot view, or None where the layouts so far had none."""
        return self._widget(PlotWidget, "vtkMRMLPlotViewNode", index)

    def threeDWidget(self, index: int) -> ThreeDWidget | None:
        """A 3D view that draws nothing, or None."""
        return self._widget(ThreeDWidget, "vtkMRMLViewNode", index)

    def close(self) -> None:
        """Gives the graphics resources back."""
        for view in self._views.values():
            view.close()
