"""Section 5, its table: what each answer comes to, and its number where one is given.

Where there is no answer the number stands behind a click, and never in color.
"""

from collections.abc import Callable
from typing import Any

import qt
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import answers
from PDL1PredictorGUI.scene.result_tables import titles
from PDL1PredictorGUI.window.answer_bar import BORDER, HEIGHT, Bar, bar_of, draw, legend

FINDING, ANSWER, NUMBER, SPAN = range(4)
ROW_HEIGHT, BAR_WIDTH = HEIGHT + 4, 124
GRAY = "#5b6773"  # 5.5:1 on the table's white ground


class AnswerTable:
    """Fills the table of answers.

    Args:
        ui: The window's widgets.
        on_reveal: Called when the number of an answer that is not given was shown, or hidden again.
    """

    def __init__(self, ui: Any, on_reveal: Callable[[], None]) -> None:
        self._table, self._legend = ui.predictionsTable, ui.barLegendLabel
        self._on_reveal = on_reveal
        self._key = ""
        self._revealed: set[tuple[str, str]] = set()
        table = self._table
        table.setColumnCount(SPAN + 1)
        table.verticalHeader().hide()
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        for column, mode in enumerate(("Stretch", "ResizeToContents", "Fixed", "ResizeToContents")):
            header.setSectionResizeMode(column, getattr(qt.QHeaderView, mode))
        table.setColumnWidth(NUMBER, BAR_WIDTH)

    def numbers_shown(self, result: Any, endpoint: str) -> bool:
        """Whether the numbers of an answer may be seen: it is given, or the user asked for them."""
        return answers.answered(result.endpoint(endpoint)) or (result.node_id, endpoint) in self._revealed

    def show(self, result: Any) -> bool:
        """Fills the table, if it shows another result; gives whether it did."""
        key = f"{result.node_id} {result.main.GetMTime()}"
        if key == self._key:
            return False
        self._key = key
        table, rows = self._table, result.lesion["endpoints"]
        blocked = table.blockSignals(True)
        table.setRowCount(len(rows))
        table.setHorizontalHeaderLabels([_("Finding"), _("Answer"), *titles(rows)])
        bars = [self._fill_row(result, number, row) for number, row in enumerate(rows)]
        table.setColumnHidden(SPAN, not any(table.item(number, SPAN).text() for number in range(len(rows))))
        self._legend.text = legend([bar for bar in bars if bar is not None])
        header = table.horizontalHeader().sizeHint.height()
        table.setFixedHeight(header + ROW_HEIGHT * len(rows) + 2 * table.frameWidth + 2)
        table.blockSignals(blocked)
        return True

    def select(self, number: int) -> None:
        """Marks a row as the chosen one."""
        blocked = self._table.blockSignals(True)
        self._table.selectRow(number)
        self._table.blockSignals(blocked)

    def forget(self) -> None:
        """No result is shown."""
        self._key = ""

    def _fill_row(self, result: Any, number: int, row: dict[str, Any]) -> Bar | None:
        """Fills a row; gives the bar that it drew."""
        table, given = self._table, answers.answered(row)
        table.setRowHeight(number, ROW_HEIGHT)
        span = answers.span(row, answers.main_span(row)) if given else ""
        for column, text in ((FINDING, row["title"]), (ANSWER, answers.answer(row)), (NUMBER, ""), (SPAN, span)):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(_tip(row))
            table.setItem(number, column, item)
        color = answers.color(row)
        said = table.item(number, ANSWER)
        said.setForeground(qt.QBrush(qt.QColor(color.ink)))
        said.setBackground(qt.QBrush(qt.QColor(color.ground)))
        if not given:
            table.setCellWidget(number, NUMBER, self._reveal_button(result, row))
            return None
        bar = bar_of(row)
        table.setCellWidget(number, NUMBER, _label(bar, _tip(row)))
        return bar

    def _reveal_button(self, result: Any, row: dict[str, Any]) -> Any:
        button = qt.QPushButton()
        button.setStyleSheet(
            f"QPushButton {{ color: {GRAY}; background: #ffffff; border: 1px solid {BORDER}; border-radius: 3px;"
            " margin: 5px 4px; }"
        )
        key = (result.node_id, row["endpoint"])

        def say() -> None:
            button.text = answers.number(row) if key in self._revealed else _("Show the number")
            button.toolTip = _("There is no answer for this finding, and this number is none. ") + _tip(row)

        def toggle(_checked: bool = False) -> None:
            self._revealed ^= {key}
            say()
            self._on_reveal()

        button.connect("clicked(bool)", toggle)
        say()
        return button


def _label(bar: Bar, tip: str) -> Any:
    """A bar in a cell; its words are there for a screen reader too."""
    label = qt.QLabel()
    label.setPixmap(draw(bar, BAR_WIDTH - 8))
    label.setAlignment(qt.Qt.AlignCenter)
    label.accessibleName = bar.text
    label.toolTip = tip
    return label


def _tip(row: dict[str, Any]) -> str:
    """What the finding is; the answer's numbers, or why there is none."""
    lines = [f"{row['title']}: {row['definition']}"]
    if answers.answered(row):
        lines += [f"{fact.name}: {fact.text}" for fact in answers.facts(row)]
    return "\n".join([*lines, *answers.reasons(row)])
