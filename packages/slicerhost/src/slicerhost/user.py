"""What a user's hand does: mouse and key events, to widgets that can be seen and are switched on."""

from typing import Any

from PySide6 import QtCore, QtWidgets
from PySide6.QtTest import QTest

LEFT = QtCore.Qt.MouseButton.LeftButton
HEADER = QtCore.QPoint(12, 8)  # of what opens and closes by a click on its title


def require_usable(widget: Any) -> None:
    """A user can only use what can be seen and is on.

    Raises:
        AssertionError: With the control's tooltip, which should say why it is off.
    """
    assert widget.visible, f"{widget.name} cannot be seen"
    assert widget.enabled, f"{widget.name} is off: {widget.toolTip}"


def click(widget: Any) -> None:
    """Clicks a button, a check box, or the title of a section or group."""
    require_usable(widget)
    middle = QtCore.QPoint(widget.width // 2, widget.height // 2)
    if isinstance(widget, QtWidgets.QCheckBox):
        middle.setX(8)
    elif isinstance(widget, QtWidgets.QGroupBox) or hasattr(widget, "contentsCollapsed"):
        middle = HEADER
    QTest.mouseClick(widget, LEFT, pos=middle)
    QtWidgets.QApplication.processEvents()


def click_cell(table: Any, row: int, column: int = 0) -> None:
    """Clicks a cell of a table."""
    require_usable(table)
    rectangle = table.visualRect(table.model().index(row, column))
    assert rectangle.isValid(), f"{table.name} shows no cell {row}, {column}"
    QTest.mouseClick(table.viewport(), LEFT, pos=rectangle.center())
    QtWidgets.QApplication.processEvents()


def choose(combo: Any, text: str) -> None:
    """Chooses an entry by its text, with the keyboard; also in a selector of nodes.

    Raises:
        AssertionError: There is no such entry.
    """
    require_usable(combo)
    box = combo if isinstance(combo, QtWidgets.QComboBox) else combo.findChild(QtWidgets.QComboBox)
    texts = [box.itemText(row) for row in range(box.count)]
    assert text in texts, f"{combo.name} offers {texts}, not '{text}'"
    step = 1 if texts.index(text) > box.currentIndex else -1
    for _turn in texts:
        if box.currentText == text:
            break
        QTest.keyClick(box, QtCore.Qt.Key.Key_Down if step > 0 else QtCore.Qt.Key.Key_Up)
    assert box.currentText == text, f"{combo.name} shows '{box.currentText}', not '{text}'"
    QtWidgets.QApplication.processEvents()


def write(edit: Any, text: str) -> None:
    """Replaces what an edit field holds; also in a field for a path."""
    require_usable(edit)
    line = edit if isinstance(edit, QtWidgets.QLineEdit) else edit.findChild(QtWidgets.QLineEdit)
    line.selectAll()
    QTest.keyClick(line, QtCore.Qt.Key.Key_Delete)
    line.insert(text)  # pasted: QTest types plain ASCII only
    QtWidgets.QApplication.processEvents()
