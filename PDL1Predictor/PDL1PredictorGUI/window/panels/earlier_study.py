"""Section 5: an earlier study of the patient beside the result. The library has the sums and the words."""

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import saving
from PDL1PredictorGUI.scene.tumors import studies
from PDL1PredictorGUI.setup import preferences
from PDL1PredictorGUI.setup.library import make_importable
from PDL1PredictorGUI.window.section import NOTE, WARNING, Section, Shared, enable, fill_combo, say

WHAT, EARLIER, LATER, CHANGE = range(4)
ROW_HEIGHT = 38  # two lines: the panel is narrow
EARLIER_FOLDER = preferences.GROUP + "EarlierFolder"


class EarlierStudy(Section):
    """Chooses an earlier result, and shows what has become of the tumor since."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._result: Any = None
        self.comparison: Any = None
        ui = self.ui
        table = ui.earlierTable
        table.setColumnCount(CHANGE + 1)
        table.setHorizontalHeaderLabels([_("What"), _("Earlier"), _("Now"), _("Change")])
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        for column, mode in enumerate(("Stretch", "ResizeToContents", "ResizeToContents", "ResizeToContents")):
            header.setSectionResizeMode(column, getattr(qt.QHeaderView, mode))
        ui.earlierComboBox.connect("activated(int)", self.on_chosen)
        ui.earlierDaysSpinBox.connect("valueChanged(int)", self.on_days)
        ui.earlierFolderButton.connect("clicked(bool)", self.on_folder)
        ui.earlierReportButton.connect("clicked(bool)", self.on_report)

    def show(self, result: Any) -> None:
        """Shows the chosen earlier study beside a result."""
        self._result = result
        ui, parameters = self.ui, self.parameters
        found = studies.entries(result)
        chosen = parameters.earlier_result
        known = [value for _title, value in found]
        current = chosen.GetID() if chosen is not None and chosen.GetID() in known else ""
        fill_combo(ui.earlierComboBox, [(_("None"), ""), *found], current)
        blocked = ui.earlierDaysSpinBox.blockSignals(True)
        ui.earlierDaysSpinBox.value = parameters.earlier_days
        ui.earlierDaysSpinBox.blockSignals(blocked)
        self.comparison, problem = self._compared(chosen if current else None)
        dated = self.comparison is not None and not parameters.earlier_days and self.comparison.days is not None
        off = (
            _("Off: choose an earlier study first.")
            if not current
            else _("Off: both dates are known.")
            if dated
            else ""
        )
        enable(
            ui.earlierDaysSpinBox,
            _("Days between the two studies, where their dates are not known; 0 for not known."),
            off,
        )
        self._show(problem)

    def _compared(self, earlier: Any) -> tuple[Any, str]:
        """The comparison; or why there is none."""
        if earlier is None:
            return None, ""
        make_importable()
        from PDL1PredictorLib.core.errors import PDL1Error

        try:
            return studies.comparison(earlier, self._result, self.parameters.earlier_days or None), ""
        except PDL1Error as error:
            return None, str(error)

    def _show(self, problem: str) -> None:
        ui, compared = self.ui, self.comparison
        ui.earlierTable.setVisible(compared is not None)
        enable(
            ui.earlierReportButton,
            _("Opens both studies side by side as a page that can be printed."),
            "" if compared is not None else _("Off: there is nothing to compare."),
        )
        if compared is None:
            say(ui.earlierGrowthLabel, "")
            say(ui.earlierNotesLabel, problem, WARNING)
            return
        from PDL1PredictorLib.followup.wording import WHAT_NOISE_IS, days_words, growth_words, lines

        growth, days = growth_words(compared), days_words(compared)
        say(ui.earlierGrowthLabel, f"{growth[0].upper()}{growth[1:]}. {days[0].upper()}{days[1:]}.", NOTE)
        told = "\n".join(f"• {note.text}" for note in compared.notes)
        say(ui.earlierNotesLabel, told, WARNING)
        rows = lines(compared)
        table = ui.earlierTable
        table.setRowCount(len(rows))
        for number, line in enumerate(rows):
            self._fill(number, line, WHAT_NOISE_IS)
        header = table.horizontalHeader().sizeHint.height()
        table.setFixedHeight(header + ROW_HEIGHT * len(rows) + 2 * table.frameWidth + 2)

    def _fill(self, number: int, line: Any, what_noise_is: str) -> None:
        from PDL1PredictorLib.report.colors import ANSWERS

        table = self.ui.earlierTable
        table.setRowHeight(number, ROW_HEIGHT)
        change = line.short if line.change == "–" else f"{line.change}\n{line.short}"
        before, then = (text.replace(", ", "\n") for text in (line.earlier, line.later))
        for column, text in ((WHAT, line.what), (EARLIER, before), (LATER, then), (CHANGE, change)):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(f"{line.noise}. {what_noise_is}" if column == CHANGE else text)
            kind = line.kinds[column - EARLIER] if column in (EARLIER, LATER) else ""
            if kind:
                item.setForeground(qt.QBrush(qt.QColor(ANSWERS[kind].ink)))
                item.setBackground(qt.QBrush(qt.QColor(ANSWERS[kind].ground)))
            table.setItem(number, column, item)

    # --- the user

    def on_chosen(self, row: int) -> None:
        """An earlier study was chosen; the days belong to the one before."""
        node = slicer.mrmlScene.GetNodeByID(self.ui.earlierComboBox.itemData(row) or "")
        self._take(node)

    def _take(self, node: Any) -> None:
        parameters = self.parameters
        with slicer.util.NodeModify(parameters.parameterNode):
            parameters.earlier_result = node
            parameters.earlier_days = 0
        self.shared.refresh()

    def on_days(self, days: int) -> None:
        """The days were typed."""
        if self.parameters is not None:
            self.parameters.earlier_days = days

    def on_folder(self) -> None:
        """Takes a result from a folder."""
        start = preferences.read(EARLIER_FOLDER)
        folder = qt.QFileDialog.getExistingDirectory(slicer.util.mainWindow(), _("Folder of the earlier result"), start)
        if not folder:
            return
        preferences.write(EARLIER_FOLDER, str(Path(folder).parent))
        with slicer.util.tryWithErrorDisplay(_("The earlier result cannot be read.")):
            self._take(studies.add_folder(Path(folder))[0])

    def on_report(self) -> None:
        """Opens the page."""
        with slicer.util.tryWithErrorDisplay(_("The page cannot be opened.")):
            saving.open_page(studies.page_of(self.comparison))

    def forget(self) -> None:
        """Nodes go away."""
        self._result = self.comparison = None
