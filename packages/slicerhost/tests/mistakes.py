"""Mistakes that Slicer does not forgive: what each of them makes does not live as long as it must."""

import sys

import qt

ENDS = "pass"
LASTS = "import time; time.sleep(60)"


class LetsGoInItsOwnSignal:
    """The last reference to the process goes while it emits `finished`."""

    def __init__(self, later=False):
        self.done = False
        self.later = later
        self.process = qt.QProcess()
        self.process.connect("finished(int,QProcess::ExitStatus)", self.on_finished)
        self.process.start(sys.executable, ["-c", ENDS])

    def on_finished(self):
        process, self.process = self.process, None
        if self.later:
            process.deleteLater()  # does not help: the wrapper goes first
        self.done = True


class LetsGoAtTheNextTurn(LetsGoInItsOwnSignal):
    """As it should be."""

    def on_finished(self):
        process, self.process = self.process, None
        qt.QTimer.singleShot(0, lambda: process)
        self.done = True


class ClosesItsDialogFromWithin:
    """The last reference to the dialog goes while a button of it emits `clicked`."""

    def __init__(self):
        self.dialog = qt.QDialog()
        self.button = qt.QPushButton("Close", self.dialog)
        self.button.connect("clicked()", self.on_close)

    def on_close(self):
        self.dialog = None


class ClosesItsDialogLater(ClosesItsDialogFromWithin):
    """As it should be."""

    def on_close(self):
        self.dialog.hide()


def start_and_forget():
    """A process that nothing holds."""
    process = qt.QProcess()
    process.start(sys.executable, ["-c", LASTS])
    process.waitForStarted()


def timer_of_a_function(seen, parent=None):
    """A timer that nothing holds, or that its parent holds."""
    timer = qt.QTimer(parent)
    timer.connect("timeout()", lambda: seen.append("timeout"))
    timer.start(0)


def timer_whose_slot_names_it(seen):
    """A timer that its own connection holds: the slot knows it by name."""
    timer = qt.QTimer()

    def come():
        seen.append("timeout")
        timer.stop()

    timer.connect("timeout()", come)
    timer.start(0)


def show_and_forget():
    """A dialog that nothing holds."""
    dialog = qt.QDialog()
    dialog.setWindowTitle("Forgotten")
    dialog.show()


class Listener:
    """Held by nothing but the connection to its method."""

    def __init__(self, button, seen):
        self.seen = seen
        button.connect("clicked()", self.on_click)

    def on_click(self):
        self.seen.append("clicked")


def show_rows(view, keep=None):
    """Gives a view a model that nothing holds, unless `keep` does."""
    model = qt.QStandardItemModel(3, 1)
    view.setModel(model)
    if keep is not None:
        keep.append(model)


def layout_of_labels():
    """A layout without a widget does not own what is put into it."""
    layout = qt.QVBoxLayout()
    layout.addWidget(qt.QLabel("nobody's"))
    return layout
