"""Stand-ins of the table and plot views, of the subject hierarchy's widgets and of a few buttons."""

import itertools
import math
from typing import Any

import vtk
from PySide6 import QtCore, QtGui, QtWidgets

from ..pythonqt.stand_in import stands_for, stored
from .nodes import Observers, qMRMLWidget

Property, Signal = QtCore.Property, QtCore.Signal
DISPLAY_ROLE = QtCore.Qt.ItemDataRole.DisplayRole


class TableModel(QtCore.QAbstractTableModel):
    """A vtkMRMLTableNode as Qt's model, read only."""

    def __init__(self, node: Any) -> None:
        super().__init__()
        self._node = node

    def rowCount(self, _parent: Any = None) -> int:
        """Rows of the table."""
        return self._node.GetNumberOfRows() if self._node is not None else 0

    def columnCount(self, _parent: Any = None) -> int:
        """Columns of the table."""
        return self._node.GetNumberOfColumns() if self._node is not None else 0

    def data(self, index: QtCore.QModelIndex, role: int = DISPLAY_ROLE) -> Any:
        """The text of a cell."""
        return self._node.GetCellText(index.row(), index.column()) if role == DISPLAY_ROLE else None

    def headerData(self, section: int, orientation: QtCore.Qt.Orientation, role: int = DISPLAY_ROLE) -> Any:
        """Column names."""
        if role != DISPLAY_ROLE or self._node is None:
            return None
        if orientation == QtCore.Qt.Orientation.Vertical:
            return str(section + 1)
        return self._node.GetColumnName(section)


@stands_for("slicer")
class qMRMLTableView(QtWidgets.QTableView):
    """Shows a table node, or the one that a table view node points to."""

    CPP_SIGNALS = ("mrmlSceneChanged(vtkMRMLScene*)", "selectionChanged()")
    mrmlSceneChanged = Signal(object)
    transposed = stored(bool, "transposed", False)
    firstRowLocked = stored(bool, "firstRowLocked", False)
    firstColumnLocked = stored(bool, "firstColumnLocked", False)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._node: Any = None
        self._view_node: Any = None
        self._observers, self._view_observers = Observers(self), Observers(self)

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """Sets the scene."""
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlTableNode(self) -> Any:
        """The table shown, or None."""
        return self._node

    def setMRMLTableNode(self, node: Any) -> None:
        """Shows a table and follows it."""
        self._node = node
        self._observers.clear()
        if node is not None:
            self._observers.add(node, vtk.vtkCommand.ModifiedEvent, "_show")
        self._show(node)

    def mrmlTableViewNode(self) -> Any:
        """The view node that says which table is shown, or None."""
        return self._view_node

    def setMRMLTableViewNode(self, node: Any) -> None:
        """Shows the table that a view node points to, and follows it."""
        self._view_node = node
        self._view_observers.clear()
        if node is not None:
            self._view_observers.add(node, vtk.vtkCommand.ModifiedEvent, "_view_modified")
            self._view_modified(node)

    def _view_modified(self, node: Any) -> None:
        self.setMRMLTableNode(node.GetTableNode())

    def _show(self, _node: Any) -> None:
        self._model = TableModel(self._node)  # kept here: a view does not own its model
        self.setModel(self._model)


@stands_for("slicer")
class qMRMLTableWidget(qMRMLWidget):
    """A table view with a bar."""

    CPP_SIGNALS = qMRMLWidget.CPP_SIGNALS

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = qMRMLTableView()
        QtWidgets.QVBoxLayout(self).addWidget(self._view)

    def tableView(self) -> qMRMLTableView:
        """The table."""
        return self._view


@stands_for("slicer")
class qMRMLPlotView(QtWidgets.QWidget):
    """Draws the series of a plot chart node plainly: enough to see that the right numbers arrived."""

    CPP_SIGNALS = ("mrmlSceneChanged(vtkMRMLScene*)",)
    mrmlSceneChanged = Signal(object)
    MARGIN = 34

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._scene: Any = None
        self._view_node: Any = None

    def mrmlScene(self) -> Any:
        """The scene."""
        return self._scene

    def setMRMLScene(self, scene: Any) -> None:
        """Sets the scene."""
        self._scene = scene
        self.mrmlSceneChanged.emit(scene)

    def mrmlPlotViewNode(self) -> Any:
        """The view node that says which chart is shown, or None."""
        return self._view_node

    def setMRMLPlotViewNode(self, node: Any) -> None:
        """Shows the chart that a view node points to."""
        self._view_node = node
        self.update()

    def fitToContent(self) -> None:
        """The axes always fit."""

    def chart(self) -> Any:
        """The chart node shown, or None."""
        return self._view_node.GetPlotChartNode() if self._view_node is not None else None

    def series(self) -> list[tuple[Any, list[float], list[float]]]:
        """Node, x and y of each series that can be drawn."""
        found = []
        chart = self.chart()
        for index in range(chart.GetNumberOfPlotSeriesNodes() if chart is not None else 0):
            node = chart.GetNthPlotSeriesNode(index)
            table = node.GetTableNode() if node is not None else None
            column = table.GetTable().GetColumnByName(node.GetYColumnName() or "") if table is not None else None
            if column is None:
                continue
            y = [column.GetVariantValue(row).ToDouble() for row in range(column.GetNumberOfTuples())]
            xs = table.GetTable().GetColumnByName(node.GetXColumnName() or "")
            x = [xs.GetVariantValue(row).ToDouble() for row in range(len(y))] if xs is not None else list(range(len(y)))
            found.append((node, x, y))
        return found

    def paintEvent(self, _event: QtGui.QPaintEvent) -> None:
        """Titles, the ends of the value axis, and each series as bars, points or a line with gaps."""
        painter = QtGui.QPainter(self)
        frame = QtWidgets.QWidget.rect(self)
        painter.fillRect(frame, QtGui.QColor("white"))
        series = self.series()
        if not series:
            return
        chart, edge = self.chart(), self.MARGIN
        below = QtCore.QRect(edge, 0, frame.width() - 2 * edge, frame.height())
        flags = int(QtCore.Qt.AlignmentFlag.AlignHCenter) | int(QtCore.Qt.TextFlag.TextWordWrap)
        titles = [chart.GetTitle() or chart.GetName() or "", chart.GetXAxisTitle() or ""]
        tall = [painter.boundingRect(below, flags, title).height() for title in titles]
        area = frame.adjusted(edge, edge + tall[0], -edge // 2, -edge // 2 - tall[1])
        painter.drawText(below.translated(0, 6), flags, titles[0])
        painter.drawText(below.translated(0, area.bottom() + 6), flags, titles[1])
        xs = [value for _, x, _ in series for value in x if not math.isnan(value)]
        ys = [0.0, *(value for _, _, y in series for value in y if not math.isnan(value))]
        left, right, low, high = min(xs) - 0.6, max(xs) + 0.6, min(ys), max(ys) or 1.0

        def place(x: float, y: float) -> QtCore.QPointF:
            across = (x - left) / (right - left)
            up = (y - low) / ((high - low) or 1.0)
            return QtCore.QPointF(area.left() + across * area.width(), area.bottom() - up * area.height())

        for value in {low, 0.0, high}:
            text = QtCore.QRectF(0, place(left, value).y() - 8, edge - 2, 16)
            painter.drawText(text, int(QtCore.Qt.AlignmentFlag.AlignRight), f"{value:.2g}")
            painter.drawLine(place(left, value), place(right, value))
        for node, x, y in series:
            color = QtGui.QColor.fromRgbF(*node.GetColor())
            painter.setPen(QtGui.QPen(color, 3))
            points = [(a, b) for a, b in zip(x, y, strict=True)]
            if node.GetPlotType() in (node.PlotTypeBar, node.PlotTypeScatterBar):
                for a, b in points:
                    painter.fillRect(QtCore.QRectF(place(a - 0.35, b), place(a + 0.35, 0.0)).normalized(), color)
            elif node.GetPlotType() == node.PlotTypeLine or node.GetLineStyle() != node.LineStyleNone:
                for (a, b), (c, d) in itertools.pairwise(points):
                    if not any(map(math.isnan, (a, b, c, d))):
                        painter.drawLine(place(a, b), place(c, d))
            else:
                for a, b in points:
                    painter.drawEllipse(place(a, b), 2, 2)


@stands_for("slicer")
class qMRMLPlotWidget(qMRMLWidget):
    """A plot view with a bar."""

    CPP_SIGNALS = qMRMLWidget.CPP_SIGNALS

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = qMRMLPlotView()
        QtWidgets.QVBoxLayout(self).addWidget(self._view)

    def plotView(self) -> qMRMLPlotView:
        """The drawing area."""
        return self._view


class _HierarchyItem:
    """The current item that the subject hierarchy's widgets share."""

    _item: int = 0

    def currentItem(self) -> int:
        """ID of the chosen item, 0 for none."""
        return self._item

    def setCurrentItem(self, item: int) -> None:
        """Chooses an item."""
        if item != self._item:
            self._item = item
            self.currentItemChanged.emit(item)  # type: ignore[attr-defined]


@stands_for("slicer")
class qMRMLSubjectHierarchyComboBox(QtWidgets.QWidget, _HierarchyItem):
    """Chooses a subject hierarchy item; draws nothing."""

    currentItemChanged = Signal(int)
    CPP_SIGNALS = ("currentItemChanged(vtkIdType)",)
    noneEnabled = stored(bool, "noneEnabled", False)

    def setMRMLScene(self, _scene: Any) -> None:
        """The scene whose hierarchy would be shown."""


@stands_for("slicer")
class qMRMLSubjectHierarchyTreeView(QtWidgets.QTreeView, _HierarchyItem):
    """Chooses a subject hierarchy item; draws nothing."""

    currentItemChanged = Signal(int)
    CPP_SIGNALS = ("currentItemChanged(vtkIdType)",)
    editMenuActionVisible = stored(bool, "editMenuActionVisible", True)
    contextMenuEnabled = stored(bool, "contextMenuEnabled", True)
    nodeTypes = stored("QStringList", "nodeTypes", [])
    levelFilter = stored("QStringList", "levelFilter", [])

    def setMRMLScene(self, _scene: Any) -> None:
        """The scene whose hierarchy would be shown."""


@stands_for("slicer")
class qMRMLSegmentationShow3DButton(QtWidgets.QPushButton):
    """Shows a segmentation in 3D; the host draws none."""

    _node: Any = None

    def segmentationNode(self) -> Any:
        """The segmentation, or None."""
        return self._node

    def setSegmentationNode(self, node: Any) -> None:
        """Sets the segmentation."""
        self._node = node
