"""A main window for screenshots: the module's panel left; slice views, table and plot right."""

from pathlib import Path
from typing import Any

import slicer
from PySide6 import QtCore, QtGui, QtWidgets

from .slice_view import SliceView

PANEL_WIDTH = 480


class ModuleSelector:
    """``slicer.util.moduleSelector()``."""

    def __init__(self, window: "MainWindow") -> None:
        self._window = window

    def selectModule(self, name: str) -> None:
        """Shows a module's panel and enters it."""
        self._window.select(name)

    @property
    def selectedModule(self) -> str:
        """Name of the module shown."""
        return slicer.app.moduleManager().selected


class _Picture(QtWidgets.QLabel):
    """One slice view, drawn anew at `refresh`."""

    def __init__(self, view: SliceView) -> None:
        super().__init__()
        self._view = view
        policy = QtWidgets.QSizePolicy.Policy.Ignored
        self.setSizePolicy(policy, policy)
        r, g, b = (round(255 * value) for value in view.node.GetLayoutColor())
        self.setStyleSheet(f"border-top: 4px solid rgb({r},{g},{b}); background: black")

    def refresh(self, fit: bool) -> None:
        size = self.contentsRect()
        self._view.resize(max(size.width(), 16), max(size.height(), 16))
        if fit:
            self._view.fit()
        pixels = self._view.pixels()
        height, width, _ = pixels.shape
        image = QtGui.QImage(pixels.tobytes(), width, height, 3 * width, QtGui.QImage.Format.Format_RGB888)
        self.setPixmap(QtGui.QPixmap.fromImage(image))


class MainWindow(QtWidgets.QMainWindow):
    """Found by `slicer.util.mainWindow`; picture it with `screenshot`."""

    def __init__(self, module: str | None = None, size: tuple[int, int] = (1280, 860)) -> None:
        """Shows the window; `module` is selected in it."""
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self.setWindowTitle("3D Slicer (test host)")
        self._panel = QtWidgets.QScrollArea()
        self._panel.setWidgetResizable(True)
        self._panel.setFixedWidth(PANEL_WIDTH)
        self._views = QtWidgets.QWidget()
        grid = QtWidgets.QGridLayout(self._views)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(2)
        self._pictures = [_Picture(view) for view in slicer.app.layoutManager().slice_views.values()]
        for index, picture in enumerate(self._pictures):
            grid.addWidget(picture, index // 2, index % 2)
        self._results = QtWidgets.QSplitter(QtCore.Qt.Orientation.Vertical)
        grid.addWidget(self._results, 1, 1)
        for line in (0, 1):
            grid.setRowStretch(line, 1)
            grid.setColumnStretch(line, 1)
        center = QtWidgets.QWidget()
        row = QtWidgets.QHBoxLayout(center)
        row.setContentsMargins(2, 2, 2, 2)
        row.addWidget(self._panel)
        row.addWidget(self._views, 1)
        self.setCentralWidget(center)
        self.statusBar()
        self.resize(*size)
        self.show()
        if module is not None:
            self.select(module)

    def moduleSelector(self) -> ModuleSelector:
        """What `slicer.util.selectModule` uses."""
        return ModuleSelector(self)

    def select(self, name: str) -> None:
        """Shows a module's panel; the former one is left first."""
        self._panel.takeWidget()
        slicer.app.moduleManager().select(name)
        module = slicer.app.moduleManager().module(name)
        widget = module.widgetRepresentation() if module is not None else None
        if widget is not None:
            self._panel.setWidget(widget)
            widget.show()

    def _show_results(self) -> None:
        """Table and plot where the chosen layout has them, in the fourth quarter."""
        layout = slicer.app.layoutManager()
        shown: list[Any] = []
        if layout.plotViewCount and layout.contains(layout.plotWidget(0).mrmlPlotViewNode()):
            shown.append(layout.plotWidget(0).plotView())
        if layout.tableViewCount and layout.contains(layout.tableWidget(0).mrmlTableViewNode()):
            shown.append(layout.tableWidget(0).tableView())
        for index in range(self._results.count()):
            self._results.widget(index).setVisible(self._results.widget(index) in shown)
        for widget in shown:
            if self._results.indexOf(widget) < 0:
                self._results.addWidget(widget)
            widget.show()

    def refresh(self, fit: bool = False) -> None:
        """Draws all views as the scene says now; `fit` shows the whole volume first."""
        self._show_results()
        QtWidgets.QApplication.processEvents()
        for picture in self._pictures:
            picture.refresh(fit)
        QtWidgets.QApplication.processEvents()

    def screenshot(self, path: str | Path, fit: bool = False) -> Path:
        """Writes a PNG of the whole window.

        Raises:
            OSError: The file could not be written.
        """
        self.refresh(fit)
        path = Path(path)
        QtCore.QCoreApplication.sendPostedEvents(None, QtCore.QEvent.Type.LayoutRequest)  # a text that has just grown
        if not self.grab().save(str(path), "PNG"):
            raise OSError(f"could not write {path}")
        return path

    def dismiss(self) -> None:
        """Leaves the module and closes the window; the panels stay with their modules."""
        slicer.app.moduleManager().select("")
        widget = self._panel.takeWidget()
        if widget is not None:
            widget.setParent(None)
        while self._results.count():
            self._results.widget(0).setParent(None)
        self.close()
        self.deleteLater()
        QtCore.QCoreApplication.sendPostedEvents(self, QtCore.QEvent.Type.DeferredDelete)
