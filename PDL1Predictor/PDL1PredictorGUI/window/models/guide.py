"""The guide to an evaluation or a training: a dialog of three pages that does not keep the user from working."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.command import Command
from PDL1PredictorGUI.background.outcome import DONE as FINISHED
from PDL1PredictorGUI.background.study import EVALUATE, Study
from PDL1PredictorGUI.setup import packages
from PDL1PredictorGUI.setup.study_packages import EVALUATION, TRAINING
from PDL1PredictorGUI.window.models.check_page import CheckPage
from PDL1PredictorGUI.window.models.settings_page import SettingsPage
from PDL1PredictorGUI.window.models.source_page import SourcePage
from PDL1PredictorGUI.window.section import ERROR, NOTE, WARNING, enable, say

WIDTH, HEIGHT = 640, 600  # a laptop's 1366 x 768 has room for it beside the window
SOURCE, CHECK, SETTINGS = range(3)


class Guide:
    """Which cases, what is wrong with them, how; then the study is handed over.

    Args:
        kind: `evaluate` or `train`.
        models: Those that can be used (`models.ModelEntry`).
        chosen: Key of the model that is chosen.
        start: Runs the study; raises what keeps it from starting.
    """

    NEXT_TIP = _("Goes on to the next page.")

    def __init__(self, kind: str, models: Sequence[Any], chosen: str, start: Callable[[Study], None]) -> None:
        self.kind, self._start = kind, start
        self._import_first = False
        self.command = Command(self._on_progress, self._on_log, self._on_end)
        self.dialog = qt.QDialog(slicer.util.mainWindow())
        self.dialog.setModal(False)
        titles = {EVALUATE: _("Evaluate on a cohort")}
        self.dialog.setWindowTitle(titles.get(kind, _("Train on a cohort")))
        self.dialog.resize(WIDTH, HEIGHT)
        layout = qt.QVBoxLayout(self.dialog)
        self.heading = qt.QLabel()
        self.heading.setWordWrap(True)
        layout.addWidget(self.heading)
        self.pages = qt.QStackedWidget()
        layout.addWidget(self.pages)
        self.source = SourcePage(kind, models, chosen, self.update)
        self.check = CheckPage()
        self.settings = SettingsPage(kind, self.update)
        for page in (self.source, self.check, self.settings):
            self.pages.addWidget(page.widget)
        self.message = qt.QLabel()
        self.message.setWordWrap(True)
        self.message.setTextFormat(qt.Qt.PlainText)
        layout.addWidget(self.message)
        self._add_buttons(layout)
        self._say("")
        self.update()

    def _add_buttons(self, layout: Any) -> None:
        row = qt.QHBoxLayout()
        layout.addLayout(row)
        self.back_button, self.next_button = qt.QPushButton(_("Back")), qt.QPushButton(_("Next"))
        self.close_button = qt.QPushButton(_("Close"))
        self.back_button.setToolTip(_("Goes back to the page before."))
        self.close_button.setToolTip(_("Closes the guide; nothing is started."))
        row.addWidget(self.close_button)
        row.addStretch(1)
        row.addWidget(self.back_button)
        row.addWidget(self.next_button)
        self.back_button.connect("clicked(bool)", self.on_back)
        self.next_button.connect("clicked(bool)", self.on_next)
        self.close_button.connect("clicked(bool)", self.close)
        self.dialog.connect("rejected()", self._stop_check)

    # --- showing

    def show(self) -> None:
        """Opens the dialog; comes back at once."""
        self.dialog.show()

    def close(self) -> None:
        """Closes it; a check that runs is stopped."""
        self._stop_check()
        with suppress(ValueError):  # the main window, whose child it is, may have taken it along
            self.dialog.hide()

    @property
    def page(self) -> int:
        """Which one is shown."""
        return int(self.pages.currentIndex)

    def update(self) -> None:
        """Heading and buttons."""
        headings = (
            _("1 of 3. Which cases? Their answers must be known."),
            _("2 of 3. What was found. Nothing has been started yet."),
            _("3 of 3. How, and where to."),
        )
        self.heading.text = f"<b>{headings[self.page]}</b>"
        self.back_button.setEnabled(self.page > SOURCE)
        last = self.page == SETTINGS
        self.next_button.text = _("Start") if last else _("Next")
        why_not = (self.source.why_not, self._why_not_checked, self.settings.why_not)[self.page]()
        tip = _("Starts it in the background; you can go on working.") if last else self.NEXT_TIP
        enable(self.next_button, tip, why_not)

    def _why_not_checked(self) -> str:
        if self.command.running:
            return _("Off while the cases are looked at.")
        return self.check.why_not

    def _say(self, text: str, kind: str = NOTE) -> None:
        say(self.message, text, kind)

    # --- the user

    def on_back(self) -> None:
        """The page before; a check that runs is stopped."""
        self._stop_check()
        self._say("")
        self._turn_to(self.page - 1)

    def on_next(self) -> None:
        """The next page, or the start."""
        self._say("")
        if self.page == SOURCE:
            self.look()
        elif self.page == CHECK:
            self.settings.fill(self.source, self.check.found)
            self._turn_to(SETTINGS)
        else:
            self.start()

    def look(self) -> None:
        """Lets the library look at the cases: first makes a table of a folder, where one was chosen."""
        self.source.keep()
        self.check.begin()
        self._turn_to(CHECK)
        importing = self.source.import_words()
        self._import_first = bool(importing)
        self._run(importing or self.source.check_words())

    def start(self) -> None:
        """Asks for the packages that are missing, and hands the study over."""
        from PDL1PredictorLib.core.errors import PDL1Error

        try:
            study = self.settings.study(self.source)
            more = EVALUATION if self.kind == EVALUATE else TRAINING
            if not packages.ensure(confirm=True, more=more):
                self._say(_("Without these packages it cannot run here. The command below runs in a shell."), WARNING)
                return
            self._start(study)
        except (PDL1Error, OSError, RuntimeError, ValueError) as error:
            self._say(str(error), ERROR)
            return
        self.settings.keep()
        self.dialog.hide()

    def _turn_to(self, page: int) -> None:
        self.pages.setCurrentIndex(page)
        self.update()

    # --- the check

    def _run(self, words: Sequence[str]) -> None:
        try:
            self.command.start(words)
        except (OSError, RuntimeError) as error:
            self.check.refuse(str(error))
        self.update()

    def _on_progress(self, _stage: str, fraction: float, text: str, _elapsed_s: float) -> None:
        self.check.progress(fraction, text)

    def _on_log(self, line: str) -> None:
        self.check.log(line)

    def _on_end(self, outcome: Any, found: dict[str, Any]) -> None:
        if outcome.kind != FINISHED:
            self.check.refuse(outcome.text)
        elif self._import_first:
            self._import_first = False
            self.source.take_table(str(found.get("out", "")))
            self.check.note([str(note) for note in found.get("notes", [])])
            self._run(self.source.check_words())
        else:
            self.check.show(found)
        self.update()

    def _stop_check(self) -> None:
        if self.command.running:
            self.command.stop()
