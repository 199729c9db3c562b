"""Dialogs never block: each is recorded, and answered by what the test has queued.

In testing mode `slicer.util` shows no dialog (as in Slicer); what it would have shown is recorded here all the same.
Outside testing mode, see `user_answers`, dialogs are executed for real but closed at once with the next answer.
A message with one button needs no answer; a question without one raises `UnansweredDialog`.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

StandardButton = QtWidgets.QMessageBox.StandardButton
Answer = Any  # a button's name, a path or text, None for "canceled", or a function of the dialog


class UnansweredDialog(AssertionError):
    """A dialog asked something and the test has queued no answer."""


@dataclass(frozen=True)
class Shown:
    """One dialog that was shown, or that testing mode kept from being shown."""

    kind: str  # "message", "file", "input", "dialog" or "url"
    title: str
    text: str
    details: str = ""
    icon: str = ""  # "Information", "Warning", "Critical", "Question" or ""
    answer: object = None


class Dialogs:
    """What was shown so far, and the answers that wait."""

    def __init__(self) -> None:
        self.shown: list[Shown] = []
        self.waiting: deque[Answer] = deque()

    def answer(self, *answers: Answer) -> None:
        """Queues the answers of the next dialogs, in order."""
        self.waiting.extend(answers)

    def reset(self) -> None:
        """Forgets what was shown and what waits."""
        self.shown.clear()
        self.waiting.clear()

    @property
    def texts(self) -> list[str]:
        """The texts of all dialogs shown so far."""
        return [item.text for item in self.shown]

    def record(self, kind: str, title: str, text: str, **more: Any) -> None:
        """Keeps one dialog."""
        self.shown.append(Shown(kind, title, text, **more))

    def next_answer(self, question: str) -> Answer:
        """The answer that the test has queued.

        Raises:
            UnansweredDialog: There is none.
        """
        if not self.waiting:
            raise UnansweredDialog(f"No answer is queued for: {question}")
        return self.waiting.popleft()


dialogs = Dialogs()


def _button(name: str) -> StandardButton:
    return StandardButton[name]


def _run_message_box(box: QtWidgets.QMessageBox) -> int:
    """Shows a message box for a moment and closes it by the answer's button."""
    text, title = box.text, box.windowTitle
    standard = box.standardButtons
    names = [button.name for button in StandardButton if button.value & standard.value]
    custom = {button.text.replace("&", ""): button for button in box.buttons() if not box.standardButton(button)}
    custom = {text: button for text, button in custom.items() if not text.endswith("Details...")}
    choices = [*dict.fromkeys(names), *custom]
    if len(choices) > 1:
        answer = dialogs.next_answer(f"{title}: {text} {choices}")
        answer = answer(box) if callable(answer) else answer
    else:
        answer = choices[0] if choices else None
    if answer is not None and answer not in choices:
        raise UnansweredDialog(f"'{answer}' is no button of: {text} {choices}")
    icon = box.icon.name if box.icon.value else ""
    dialogs.record("message", title.strip(), text, details=box.detailedText, icon=icon, answer=answer)
    pressed = custom.get(answer) or (box.button(_button(answer)) if answer else None)
    if pressed is None:
        box.done(StandardButton.Cancel.value)
        return StandardButton.Cancel.value
    # Clicking sets clickedButton and emits the signals, as a user's click would; the box need not be visible for it.
    box.show()
    pressed.click()
    return QtWidgets.QDialog.result(box)


def _run_dialog(dialog: QtWidgets.QDialog, *_flags: Any) -> int:
    """Stands for QDialog.exec: a message box by its buttons, any other dialog by a function or True / False."""
    if isinstance(dialog, QtWidgets.QMessageBox):
        return _run_message_box(dialog)
    title = dialog.windowTitle
    answer = dialogs.next_answer(f"dialog '{title}' ({type(dialog).__name__})")
    dialogs.record("dialog", title, type(dialog).__name__, answer=answer)
    dialog.show()
    QtWidgets.QApplication.processEvents()
    accepted = bool(answer(dialog)) if callable(answer) else bool(answer)
    if dialog.isVisible():
        dialog.accept() if accepted else dialog.reject()
    return QtWidgets.QDialog.result(dialog)


def _static_message(icon: str, default_buttons: StandardButton) -> Callable[..., StandardButton]:
    def show(
        parent: QtWidgets.QWidget | None,
        title: str,
        text: str,
        buttons: Any = default_buttons,
        default: Any = StandardButton.NoButton,
    ) -> StandardButton:
        box = QtWidgets.QMessageBox(parent)
        box.setWindowTitle(title)
        box.setText(text)
        box.setIcon(QtWidgets.QMessageBox.Icon[icon])
        box.setStandardButtons(buttons)
        return StandardButton(_run_message_box(box))

    return show


def _static_file_dialog(name: str, empty: Any) -> Callable[..., Any]:
    def show(parent: Any = None, caption: str = "", directory: str = "", name_filter: str = "", *_more: Any) -> Any:
        answer = dialogs.next_answer(f"{name}: {caption}")
        dialogs.record("file", caption, name, answer=answer)
        return empty if answer is None else answer

    return show


def _static_input(name: str) -> Callable[..., Any]:
    def show(parent: Any, title: str, label: str, *_more: Any) -> Any:
        answer = dialogs.next_answer(f"{name}: {title} {label}")
        dialogs.record("input", title, label, answer=answer)
        return "" if answer is None else answer

    return show


def _open_url(url: Any) -> bool:
    text = url.toString() if isinstance(url, QtCore.QUrl) else str(url)
    dialogs.record("url", "", text)
    return True


def install() -> None:
    """Puts the recording in place of everything in Qt that would wait for a user or leave the process."""
    QtWidgets.QDialog.exec = _run_dialog
    QtWidgets.QDialog.exec_ = _run_dialog
    for cls in (QtWidgets.QMessageBox, QtWidgets.QFileDialog, QtWidgets.QInputDialog, QtWidgets.QProgressDialog):
        cls.exec = _run_dialog
        cls.exec_ = _run_dialog
    box = QtWidgets.QMessageBox
    yes_no = StandardButton.Yes | StandardButton.No
    for name, icon, buttons in (
        ("information", "Information", StandardButton.Ok),
        ("warning", "Warning", StandardButton.Ok),
        ("critical", "Critical", StandardButton.Ok),
        ("question", "Question", yes_no),
    ):
        setattr(box, name, staticmethod(_static_message(icon, buttons)))
    # PythonQt returns the name alone, without the filter that PySide adds
    for name in ("getOpenFileName", "getSaveFileName", "getExistingDirectory"):
        setattr(QtWidgets.QFileDialog, name, staticmethod(_static_file_dialog(name, "")))
    QtWidgets.QFileDialog.getOpenFileNames = staticmethod(_static_file_dialog("getOpenFileNames", []))
    for name in ("getText", "getItem", "getInt", "getDouble", "getMultiLineText"):
        setattr(QtWidgets.QInputDialog, name, staticmethod(_static_input(name)))
    QtGui.QDesktopServices.openUrl = staticmethod(_open_url)


def install_in_slicer_util() -> None:
    """Records what `slicer.util` only logs in testing mode, or without a main window."""
    import slicer.util

    real = slicer.util._messageDisplay

    def message_display(log_level: int, text: str, testing_value: Any, *args: Any, **kwargs: Any) -> Any:
        needs_window = kwargs.get("mainWindowNeeded", False)
        if slicer.app.testingEnabled() or (needs_window and slicer.util.mainWindow() is None):
            icon = getattr(kwargs.get("icon"), "name", "")
            title = kwargs.get("windowTitle") or ""
            details = kwargs.get("detailedText", "")
            dialogs.record("message", title, str(text), details=details, icon=icon, answer=testing_value)
        return real(log_level, text, testing_value, *args, **kwargs)

    slicer.util._messageDisplay = message_display


@contextmanager
def user_answers(*answers: Answer) -> Iterator[Dialogs]:
    """A user sits before the window: testing mode is off, and the dialogs that come get these answers.

    Answers are button names ("Ok", "Cancel", "Yes", "No", "Retry", "Close" or a custom button's text), a path or a text
    for file and input dialogs (None: canceled), True / False or a function of the dialog for any other dialog.

    Raises:
        AssertionError: At the end, answers were left over.
    """
    import slicer

    testing = slicer.app.testingEnabled()
    window = None
    if slicer.util.mainWindow() is None:
        window = QtWidgets.QMainWindow()  # messages need a main window
        window.setObjectName("qSlicerMainWindow")
    dialogs.reset()
    dialogs.answer(*answers)
    slicer.app.set_testing(False)
    try:
        yield dialogs
        assert not dialogs.waiting, f"answers nobody asked for: {list(dialogs.waiting)}"
    finally:
        slicer.app.set_testing(testing)
        dialogs.waiting.clear()
        if window is not None:
            window.deleteLater()
            QtCore.QCoreApplication.sendPostedEvents(window, QtCore.QEvent.Type.DeferredDelete)
