"""Section 5, its first table: every tumor of the CT with size, place and answers; a click goes there."""

from collections.abc import Callable
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import answers
from PDL1PredictorGUI.scene.tumors.lesions import LesionRow, Lesions
from PDL1PredictorGUI.window.section import Section, Shared

NAME, VOLUME, DIAMETER, SLICE, FIRST_ANSWER = range(5)
LEAST = 2  # one tumor needs no list
MOST_ROWS_SEEN = 8
ROW_HEIGHT = 24


class LesionList(Section):
    """The tumors of the chosen CT.

    Args:
        shared: The case.
        on_chosen: Called with the row that was clicked, and the key of the finding if one was.
    """

    def __init__(self, shared: Shared, on_chosen: Callable[[LesionRow, str], None]) -> None:
        super().__init__(shared)
        self._on_chosen = on_chosen
        self._lesions = Lesions()
        self._keys: list[str] = []
        self.rows: list[LesionRow] = []
        table = self.ui.lesionsTable
        table.verticalHeader().hide()
        table.horizontalHeader().setHighlightSections(False)
        table.connect("cellClicked(int,int)", self.on_cell)
        self.ui.lesionsGroup.hide()

    def settled(self) -> None:
        """Measures what has changed, and shows it."""
        parameters = self.parameters
        if parameters is None:
            return
        self.rows = self._lesions.rows(parameters.volume, parameters.segmentation)
        self.ui.lesionsGroup.setVisible(len(self.rows) >= LEAST)
        if len(self.rows) >= LEAST:
            self._fill()

    def mark(self) -> None:
        """Sets the name of the tumor that is chosen in bold: a marked row would hide the colors of its answers."""
        chosen = (self.parameters.segmentation, self.parameters.segment_id)
        for number, row in enumerate(self.rows):
            item = self.ui.lesionsTable.item(number, NAME)
            if item is not None:
                font = item.font()
                font.setBold((row.segmentation, row.segment_id) == chosen)
                item.setFont(font)

    def _fill(self) -> None:
        table = self.ui.lesionsTable
        endpoints: dict[str, str] = {}
        for row in self.rows:
            if row.result is not None:
                endpoints |= {entry["endpoint"]: entry["title"] for entry in row.result.lesion["endpoints"]}
        self._keys = list(endpoints)
        heads = [_("Tumor"), _("mL"), _("mm"), _("Slice"), *endpoints.values()]
        blocked = table.blockSignals(True)
        table.clear()
        table.setColumnCount(max(len(heads), FIRST_ANSWER + 1))
        table.setHorizontalHeaderLabels(heads if endpoints else [*heads, _("Answer")])
        table.setRowCount(len(self.rows))
        for number, row in enumerate(self.rows):
            self._fill_row(number, row)
        self.mark()
        table.resizeColumnsToContents()
        bar = table.horizontalScrollBar().sizeHint.height()
        seen = min(len(self.rows), MOST_ROWS_SEEN)
        table.setFixedHeight(
            table.horizontalHeader().sizeHint.height() + ROW_HEIGHT * seen + bar + 2 * table.frameWidth
        )
        table.blockSignals(blocked)

    def _fill_row(self, number: int, row: LesionRow) -> None:
        table = self.ui.lesionsTable
        table.setRowHeight(number, ROW_HEIGHT)
        volume = "–" if row.volume_ml is None else f"{row.volume_ml:.1f}"
        diameter = "–" if row.diameter_mm is None else f"{row.diameter_mm:.0f}"
        tip = _("{name}. Center: {place}. Slices are counted from the feet.")
        tip = tip.format(name=row.name, place=row.place_words or _("not known"))
        for column, text in ((NAME, row.name), (VOLUME, volume), (DIAMETER, diameter), (SLICE, row.slice_words)):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(tip)
            if column in (VOLUME, DIAMETER):
                item.setTextAlignment(qt.Qt.AlignRight | qt.Qt.AlignVCenter)
            table.setItem(number, column, item)
        if row.result is None:
            table.setItem(number, FIRST_ANSWER, qt.QTableWidgetItem(row.why_none))
            return
        for column, key in enumerate(self._keys, start=FIRST_ANSWER):
            if key in row.result.endpoints:
                table.setItem(number, column, _answer_item(row.result.endpoint(key)))

    # --- the user

    def on_cell(self, number: int, column: int) -> None:
        """Brings the views to a tumor, and chooses it and the finding."""
        if not 0 <= number < len(self.rows):
            return
        row, place = self.rows[number], column - FIRST_ANSWER
        key = self._keys[place] if 0 <= place < len(self._keys) and row.result is not None else ""
        self._on_chosen(row, key)
        if row.center_ras is not None:
            for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
                node.JumpSliceByCentering(*row.center_ras)

    # --- coming and going

    def forget(self) -> None:
        """Nodes go away."""
        self._lesions.forget()
        self.rows = []
        self.ui.lesionsTable.setRowCount(0)
        self.ui.lesionsGroup.hide()


def _answer_item(entry: dict[str, Any]) -> Any:
    """The call in color and word, and its number where one is given."""
    said = answers.answer(entry)
    item = qt.QTableWidgetItem(said)
    color = answers.color(entry)
    item.setForeground(qt.QBrush(qt.QColor(color.ink)))
    item.setBackground(qt.QBrush(qt.QColor(color.ground)))
    numbers = [answers.number(entry)] if answers.answered(entry) else answers.reasons(entry)
    item.setToolTip("\n".join([entry["title"], *numbers]))
    return item
