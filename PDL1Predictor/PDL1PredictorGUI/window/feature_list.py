"""The radiomic features of a result: as a table with a filter, and into a file."""

import math
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import saving
from PDL1PredictorGUI.setup import preferences

ROW_HEIGHT = 24


class FeatureList:
    """Fills the table once its group is opened: there are many features.

    Args:
        ui: The window's widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self.ui = ui
        self._result: Any = None
        self._shown = ""  # which result the table holds
        self._model: Any = None
        self._filter = qt.QSortFilterProxyModel()
        self._filter.setFilterKeyColumn(0)
        self._filter.setSortRole(qt.Qt.UserRole)  # numbers by size, not by their first digit
        table = ui.featuresTable
        table.setModel(self._filter)
        table.setSortingEnabled(True)
        table.sortByColumn(-1, qt.Qt.AscendingOrder)  # as measured, until a header is clicked
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        ui.featureFilterEdit.connect("textChanged(QString)", self.on_filter)
        ui.saveFeaturesButton.connect("clicked(bool)", self.on_save)

    def show(self, result: Any) -> None:
        """Shows a result's features, if the group is open; None changes nothing."""
        self._result = result
        if result is None or self.ui.featuresGroup.collapsed:
            return
        key = f"{result.main.GetID()} {result.main.GetMTime()}"
        if key != self._shown:
            self._shown = key
            self._fill(result.lesion["features"])

    def forget(self) -> None:
        """The scene closes: no result is held."""
        self._result, self._shown = None, ""

    def _fill(self, features: dict[str, float | None]) -> None:
        model = qt.QStandardItemModel(len(features), 2)
        model.setHorizontalHeaderLabels([_("Feature"), _("Value")])
        for number, (name, value) in enumerate(features.items()):
            label = qt.QStandardItem(name)
            label.setData(name, qt.Qt.UserRole)
            model.setItem(number, 0, label)
            cell = qt.QStandardItem(_("none") if value is None else f"{value:.6g}")
            cell.setData(-math.inf if value is None else value, qt.Qt.UserRole)
            cell.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
            model.setItem(number, 1, cell)
        self._model = model  # the filter does not own it
        self._filter.setSourceModel(model)
        header = self.ui.featuresTable.horizontalHeader()
        header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
        header.setSectionResizeMode(1, qt.QHeaderView.ResizeToContents)
        self.on_filter(self.ui.featureFilterEdit.text)

    def on_filter(self, text: str) -> None:
        """Every word must be in the name."""
        pattern = "".join(f"(?=.*{qt.QRegularExpression.escape(word)})" for word in text.split())
        self._filter.setFilterRegularExpression(
            qt.QRegularExpression(pattern, qt.QRegularExpression.CaseInsensitiveOption)
        )
        total = self._model.rowCount() if self._model is not None else 0
        shown = _("{shown} of {total} features").format(shown=self._filter.rowCount(), total=total)
        self.ui.featureCountLabel.text = shown

    def on_save(self) -> None:
        """Writes the listed features into a file."""
        start = str(Path(preferences.read(preferences.OUTPUT_FOLDER)) / "features.csv")
        path = qt.QFileDialog.getSaveFileName(
            slicer.util.mainWindow(), _("Table of features"), start, _("Tables (*.csv)")
        )
        if not path:
            return
        with slicer.util.tryWithErrorDisplay(_("The table cannot be saved.")):
            count = saving.save_features(self._result, Path(path), self.ui.featureFilterEdit.text)
            slicer.util.showStatusMessage(_("Saved {count} features: {path}").format(count=count, path=path), 5000)
