"""Stand-ins of CTK's containers, buttons, boxes and path widgets.

Names of properties, signals and methods follow CTK's headers; the behavior is the part that a module's wiring needs.
"""

from pathlib import Path
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

from ..pythonqt.dialog_record import dialogs
from ..pythonqt.stand_in import stands_for, stored

Property, Signal = QtCore.Property, QtCore.Signal
HEADER_HEIGHT = 24
UNLIMITED = 16777215  # Qt's QWIDGETSIZE_MAX


def _split_arguments(arguments: tuple[Any, ...]) -> tuple[str, QtWidgets.QWidget | None]:
    """Constructors of the forms (), (parent), (text) and (text, parent)."""
    text = next((item for item in arguments if isinstance(item, str)), "")
    parent = next((item for item in arguments if isinstance(item, QtWidgets.QWidget)), None)
    return text, parent


def _show_children(widget: QtWidgets.QWidget, visible: bool) -> None:
    for child in widget.children():
        if isinstance(child, QtWidgets.QWidget):
            child.setVisible(visible)


@stands_for("ctk")
class ctkCollapsibleButton(QtWidgets.QAbstractButton):
    """A header that opens and closes the widgets below it."""

    contentsCollapsed = Signal(bool)
    CPP_SIGNALS = ("contentsCollapsed(bool)",)
    collapsedHeight = stored(int, "collapsedHeight", 0)
    flat = stored(bool, "flat", False)
    contentsFrameShape = stored(int, "contentsFrameShape", 0)
    contentsLineWidth = stored(int, "contentsLineWidth", 1)

    def __init__(self, *arguments: Any) -> None:
        text, parent = _split_arguments(arguments)
        super().__init__(parent)
        self._collapsed = False
        self.setText(text)
        self.setContentsMargins(0, HEADER_HEIGHT, 0, 0)
        self.setSizePolicy(QtWidgets.QSizePolicy.Policy.Preferred, QtWidgets.QSizePolicy.Policy.Preferred)
        self.clicked.connect(lambda *_: self._collapse(not self._collapsed))

    def _collapse(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = bool(collapsed)
        _show_children(self, not collapsed)
        self.setMaximumHeight(HEADER_HEIGHT if collapsed else UNLIMITED)
        self.updateGeometry()
        self.contentsCollapsed.emit(self._collapsed)

    collapsed = Property(bool, lambda self: self._collapsed, _collapse)

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        """A child that comes while the button is collapsed stays hidden."""
        if event.added() and self.__dict__.get("_collapsed") and isinstance(event.child(), QtWidgets.QWidget):
            event.child().setVisible(False)
        super().childEvent(event)

    def paintEvent(self, _event: QtGui.QPaintEvent) -> None:
        """Paints the header."""
        painter = QtWidgets.QStylePainter(self)
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width, HEADER_HEIGHT)
        painter.drawControl(QtWidgets.QStyle.ControlElement.CE_PushButtonBevel, option)
        sign = "▸ " if self._collapsed else "▾ "
        painter.drawText(option.rect.adjusted(8, 0, 0, 0), QtCore.Qt.AlignmentFlag.AlignVCenter, sign + self.text)

    def sizeHint(self) -> QtCore.QSize:
        """The header, and the contents when open."""
        layout = self.layout()
        if layout is None or self._collapsed:
            return QtCore.QSize(120, HEADER_HEIGHT)
        hint = layout.totalSizeHint()  # with the header, which is this widget's own margin
        return QtCore.QSize(max(hint.width(), 120), hint.height())

    def minimumSizeHint(self) -> QtCore.QSize:
        """The header, and the least that the contents need when open."""
        layout = self.layout()
        if layout is None or self._collapsed:
            return QtCore.QSize(120, HEADER_HEIGHT)
        return layout.totalMinimumSize()


@stands_for("ctk")
class ctkCollapsibleGroupBox(QtWidgets.QGroupBox):
    """A group box whose title opens and closes it."""

    collapsedHeight = stored(int, "collapsedHeight", 14)

    def __init__(self, *arguments: Any) -> None:
        text, parent = _split_arguments(arguments)
        super().__init__(text, parent)
        self._collapsed = False
        self.setCheckable(True)
        self.toggled.connect(lambda opened: self._collapse(not opened))

    def _collapse(self, collapsed: bool) -> None:
        if collapsed == self._collapsed:
            return
        self._collapsed = bool(collapsed)
        self.setChecked(not collapsed)
        _show_children(self, not collapsed)
        self.setMaximumHeight(HEADER_HEIGHT if collapsed else UNLIMITED)

    collapsed = Property(bool, lambda self: self._collapsed, _collapse)

    def childEvent(self, event: QtCore.QChildEvent) -> None:
        """A child that comes while the group is collapsed stays hidden."""
        if event.added() and self.__dict__.get("_collapsed") and isinstance(event.child(), QtWidgets.QWidget):
            event.child().setVisible(False)
        super().childEvent(event)


@stands_for("ctk")
class ctkExpandableWidget(QtWidgets.QFrame):
    """A frame that the user could resize."""


@stands_for("ctk")
class ctkCheckBox(QtWidgets.QCheckBox):
    """A check box with an icon."""


@stands_for("ctk")
class ctkCheckablePushButton(QtWidgets.QPushButton):
    """A push button with a check box in it."""

    checkBoxToggled = Signal(bool)
    CPP_SIGNALS = ("checkBoxToggled(bool)", "checkStateChanged(Qt::CheckState)")
    checkStateChanged = Signal(object)
    checkBoxControlsButton = stored(bool, "checkBoxControlsButton", True)
    checkBoxControlsButtonToggleState = stored(bool, "checkBoxControlsButtonToggleState", True)
    checkBoxUserCheckable = stored(bool, "checkBoxUserCheckable", True)

    def __init__(self, *arguments: Any) -> None:
        text, parent = _split_arguments(arguments)
        super().__init__(text, parent)
        self._check_state = QtCore.Qt.CheckState.Unchecked

    def _set_check_state(self, state: Any) -> None:
        state = QtCore.Qt.CheckState(state)
        if state == self._check_state:
            return
        self._check_state = state
        checked = state == QtCore.Qt.CheckState.Checked
        if self.checkBoxControlsButtonToggleState:
            self.setCheckable(checked)
            self.setChecked(checked)
        self.checkStateChanged.emit(state)
        self.checkBoxToggled.emit(checked)

    checkState = Property("QVariant", lambda self: self._check_state, _set_check_state)


@stands_for("ctk")
class ctkMenuButton(QtWidgets.QPushButton):
    """A push button with a menu beside it."""


@stands_for("ctk")
class ctkColorPickerButton(QtWidgets.QPushButton):
    """A button that shows a color."""

    colorChanged = Signal(QtGui.QColor)
    CPP_SIGNALS = ("colorChanged(QColor)",)
    displayColorName = stored(bool, "displayColorName", True)

    def __init__(self, *arguments: Any) -> None:
        text, parent = _split_arguments(arguments)
        super().__init__(text, parent)
        self._color = QtGui.QColor("black")

    def _set_color(self, color: Any) -> None:
        color = QtGui.QColor(color)
        if color != self._color:
            self._color = color
            self.colorChanged.emit(color)

    color = Property(QtGui.QColor, lambda self: QtGui.QColor(self._color), _set_color)


@stands_for("ctk")
class ctkComboBox(QtWidgets.QComboBox):
    """A combo box that shows a default text while nothing is chosen."""

    defaultText = stored(str, "defaultText", "")
    forceDefault = stored(bool, "forceDefault", False)


@stands_for("ctk")
class ctkCheckableComboBox(QtWidgets.QComboBox):
    """A combo box whose items can be checked, several at a time."""

    checkedIndexesChanged = Signal()
    CPP_SIGNALS = ("checkedIndexesChanged()",)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self.model().dataChanged.connect(lambda *_: self.checkedIndexesChanged.emit())

    def checkableModel(self) -> QtCore.QAbstractItemModel:
        """The model that holds the check states."""
        return self.model()

    def setCheckState(self, index: QtCore.QModelIndex, state: Any) -> None:
        """Checks or unchecks one item."""
        self.model().setData(index, QtCore.Qt.CheckState(state).value, QtCore.Qt.ItemDataRole.CheckStateRole)

    def checkState(self, index: QtCore.QModelIndex) -> QtCore.Qt.CheckState:
        """The check state of one item."""
        value = index.data(QtCore.Qt.ItemDataRole.CheckStateRole)
        return QtCore.Qt.CheckState(value if value is not None else 0)

    def checkedIndexes(self) -> list[QtCore.QModelIndex]:
        """The indexes of all checked items."""
        indexes = (self.model().index(row, 0) for row in range(self.model().rowCount()))
        return [index for index in indexes if self.checkState(index) == QtCore.Qt.CheckState.Checked]

    def allChecked(self) -> bool:
        """Whether every item is checked."""
        return len(self.checkedIndexes()) == self.model().rowCount()

    def noneChecked(self) -> bool:
        """Whether no item is checked."""
        return not self.checkedIndexes()


@stands_for("ctk")
class ctkMessageBox(QtWidgets.QMessageBox):
    """A message box that can be told not to come again."""

    dontShowAgain = stored(bool, "dontShowAgain", False)
    dontShowAgainSettingsKey = stored(str, "dontShowAgainSettingsKey", "")
    dontShowAgainVisible = stored(bool, "dontShowAgainVisible", False)


@stands_for("ctk")
class ctkSearchBox(QtWidgets.QLineEdit):
    """A line edit for a search."""

    showSearchIcon = stored(bool, "showSearchIcon", False)


@stands_for("ctk")
class ctkFittedTextBrowser(QtWidgets.QTextBrowser):
    """A text browser as high as its text."""

    collapsed = stored(bool, "collapsed", True)
    disableMouseScroll = stored(bool, "disableMouseScroll", False)

    def setCollapsibleText(self, text: str) -> None:
        """The whole text, without the first-line-only view."""
        self.setText(text)


@stands_for("ctk")
class ctkPathLineEdit(QtWidgets.QWidget):
    """A line for a path with a button to browse; `filters` decides between files and folders."""

    Files, Dirs, Drives, NoDot, NoDotDot = 0x002, 0x001, 0x004, 0x2000, 0x4000  # QDir's filter flags
    Executable, Readable, Writable = 0x040, 0x010, 0x020
    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)
    CPP_SIGNALS = ("currentPathChanged(QString)", "validInputChanged(bool)")
    settingKey = stored(str, "settingKey", "")
    nameFilters = stored("QStringList", "nameFilters", [])
    label = stored(str, "label", "")
    filters = stored("QVariant", "filters", 0)
    showBrowseButton = stored(bool, "showBrowseButton", True)
    showHistoryButton = stored(bool, "showHistoryButton", True)

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._line = QtWidgets.QLineEdit()
        button = QtWidgets.QToolButton()
        button.setText("…")
        button.clicked.connect(lambda *_: self.browse())
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._line)
        layout.addWidget(button)
        self._line.textChanged.connect(self.currentPathChanged)

    currentPath = Property(
        str, lambda self: QtWidgets.QLineEdit.text(self._line), lambda self, path: self._line.setText(path)
    )

    def browse(self) -> None:
        """Asks for a path, as the button does."""
        answer = dialogs.next_answer(f"browse: {self.label}")
        dialogs.record("file", self.label, "browse", answer=answer)
        if answer is not None:
            self._line.setText(str(answer))

    def addCurrentPathToHistory(self) -> None:
        """Keeps the path in the settings under `settingKey`."""
        if self.settingKey:
            QtCore.QSettings().setValue(self.settingKey, [self.currentPath])

    def retrieveHistory(self) -> None:
        """Takes the last path from the settings."""
        history = QtCore.QSettings().value(self.settingKey) if self.settingKey else None
        if history:
            self._line.setText(history if isinstance(history, str) else history[0])


@stands_for("ctk")
class ctkDirectoryButton(QtWidgets.QWidget):
    """A button that shows a folder and asks for another."""

    directoryChanged = Signal(str)
    directorySelected = Signal(str)
    CPP_SIGNALS = ("directoryChanged(QString)", "directorySelected(QString)")
    caption = stored(str, "caption", "")
    text = stored(str, "text", "")

    def __init__(self, parent: QtWidgets.QWidget | None = None) -> None:
        super().__init__(parent)
        self._directory = str(Path.cwd())
        self._button = QtWidgets.QPushButton(self._directory)
        self._button.clicked.connect(lambda *_: self.browse())
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._button)

    def _set_directory(self, path: str) -> None:
        path = str(Path(path).absolute())
        if path != self._directory:
            self._directory = path
            self._button.setText(path)
            self.directoryChanged.emit(path)

    directory = Property(str, lambda self: self._directory, _set_directory)

    def browse(self) -> str:
        """Asks for a folder, as a click does."""
        answer = dialogs.next_answer(f"directory: {self.caption}")
        dialogs.record("file", self.caption, "directory", answer=answer)
        if answer is not None:
            self._set_directory(str(answer))
            self.directorySelected.emit(self._directory)
        return self._directory
