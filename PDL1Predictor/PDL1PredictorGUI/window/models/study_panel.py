"""Section 7, its lower half: the evaluation or training that runs, how it ended, and what can be done with it."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.command import Command
from PDL1PredictorGUI.background.outcome import CANCELLED
from PDL1PredictorGUI.background.outcome import DONE as FINISHED
from PDL1PredictorGUI.background.study import TRAIN, Study
from PDL1PredictorGUI.setup.preferences import clock
from PDL1PredictorGUI.window.section import DONE, ERROR, NOTE, WARNING, Shared, enable, say

TICK_MS = 1000


class StudyPanel:
    """Runs one evaluation or training in the background, whatever the user does meanwhile.

    Args:
        shared: For the widgets and the other sections.
        install: Takes a bundle that was trained into the user's models.
    """

    CANCEL_TIP = _("Stops it. What is prepared and trained so far is kept, so that it can go on later.")
    REPORT_TIP = _("Opens the report of the last evaluation or training in the web browser.")
    INSTALL_TIP = _("Takes the model that was trained into your models folder, so that it can be chosen in section 4.")

    def __init__(self, shared: Shared, install: Callable[[Path], None]) -> None:
        self._shared, self._install = shared, install
        self.ui = shared.ui
        self.study: Study | None = None
        self._bundle: Path | None = None
        self._cancelling = False
        self._began = 0.0
        self._stage = ""
        advice = _("What is done stays: close other programs, then start it again with the same settings to go on.")
        self.command = Command(self.on_progress, self.on_log, self.on_end, advice)
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.connect("timeout()", self._show_time)
        self.ui.cancelStudyButton.connect("clicked(bool)", self.on_cancel)
        self.ui.studyReportButton.connect("clicked(bool)", self.open_report)
        self.ui.installBundleButton.connect("clicked(bool)", self.on_install)

    @property
    def running(self) -> bool:
        """Whether one is under way."""
        return self.command.running

    # --- showing

    def update(self) -> None:
        """What runs, or what is there of the last one."""
        ui = self.ui
        ui.studyPanel.setVisible(self.running)
        enable(ui.cancelStudyButton, self.CANCEL_TIP, _("Off: it is being stopped.") if self._cancelling else "")
        ui.studyOutcomeLabel.setVisible(bool(ui.studyOutcomeLabel.text))
        why_no_report = _("Off while it runs.") if self.running else ""
        if not why_no_report and (self.study is None or not self.study.report.is_file()):
            why_no_report = _("Off: nothing was evaluated or trained yet.")
        enable(ui.studyReportButton, self.REPORT_TIP, why_no_report)
        why_no_bundle = "" if self._bundle is not None else _("Off: nothing was trained yet.")
        enable(ui.installBundleButton, self.INSTALL_TIP, why_no_bundle)

    def _show_time(self) -> None:
        if self.study is None:
            return
        text = clock(time.monotonic() - self._began)
        if self.study.expected:
            text = _("{elapsed}, of {expected}").format(elapsed=text, expected=self.study.expected)
        self.ui.studyStageLabel.text = f"{self._stage} ({text})" if self._stage else text

    # --- what runs

    def start(self, study: Study) -> None:
        """Starts; returns at once.

        Raises:
            RuntimeError: One runs already.
            FileNotFoundError: Slicer's own installation is not complete.
        """
        self.command.start(study.words)
        self.study, self._bundle, self._cancelling = study, None, False
        self._began, self._stage = time.monotonic(), _("Starting…")
        ui = self.ui
        ui.studyLogEdit.clear()
        ui.studyTitleLabel.text = _("{title} runs. You can go on working.").format(title=study.title)
        ui.studyProgressBar.value = 0
        say(ui.studyOutcomeLabel, "")
        self._timer.start()
        self._show_time()
        self._shared.refresh()

    def on_progress(self, stage: str, fraction: float, text: str, _elapsed_s: float) -> None:
        """It says where it is; how long the networks will take is one of its sentences."""
        self._stage = text[:1].upper() + text[1:] if text else stage
        self.ui.studyProgressBar.value = round(100 * fraction)
        self._show_time()

    def on_log(self, line: str) -> None:
        """It says something else."""
        self.ui.studyLogEdit.appendPlainText(line)

    def on_cancel(self) -> None:
        """Asks it to stop."""
        assert self.study is not None
        self._cancelling = True
        text = _("Cancelled. What is done stays in {cache}: start it again with the same settings to go on.")
        self.command.cancel(text.format(cache=self.study.cache))
        self.update()

    def on_end(self, outcome: Any, found: dict[str, Any]) -> None:
        """It has ended, one way or another."""
        study = self.study
        assert study is not None
        self._timer.stop()
        self._cancelling = False
        if outcome.kind == FINISHED:
            self._finished(study, found)
        else:
            say(self.ui.studyOutcomeLabel, outcome.text, NOTE if outcome.kind == CANCELLED else ERROR)
        if self._shared.parameters is not None:
            self._shared.refresh()

    def _finished(self, study: Study, found: dict[str, Any]) -> None:
        failed = found.get("failed") or {}
        lines = [_("{title}: done in {time}.").format(title=study.title, time=clock(time.monotonic() - self._began))]
        if failed:
            count = _("Cases without an answer: {count}; the report says why.").format(count=len(failed))
            lines.append(count)
        if study.kind == TRAIN:
            self._bundle = study.out
            lines.append(_("The model is in {folder}. Read its report before you install it.").format(folder=study.out))
        say(self.ui.studyOutcomeLabel, " ".join(lines), WARNING if failed else DONE)
        self.open_report()

    def open_report(self) -> None:
        """The report, in the web browser."""
        assert self.study is not None
        path = self.study.report
        if not qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(path))):
            logging.warning("No browser opened %s", path)
            slicer.util.warningDisplay(_("No browser opened the report. It is {path}.").format(path=path))

    def on_install(self) -> None:
        """The bundle becomes one of the user's models."""
        assert self._bundle is not None
        self._install(self._bundle)

    # --- coming and going

    def stop(self) -> None:
        """Ends what runs, and comes back when nothing of it is left."""
        self.command.stop()

    def cleanup(self) -> None:
        """The window goes away."""
        self._timer.stop()
