"""Section 4: the model, and one prediction in the background."""

import enum
import logging
import time
from collections.abc import Callable
from typing import Any

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.setup import computer, packages, preferences
from PDL1PredictorGUI.setup.preferences import clock
from PDL1PredictorGUI.window.filing_choice import FilingChoice
from PDL1PredictorGUI.window.model_choice import ModelChoice
from PDL1PredictorGUI.window.packages_panel import PackagesPanel
from PDL1PredictorGUI.window.panels.expected_cost import ExpectedCost, size_of_case
from PDL1PredictorGUI.window.section import DONE, ERROR, NOTE, WARNING, Section, Shared, Switches, enable, say

TICK_MS = 500


class State(enum.Enum):
    """Of the one prediction that can run: what the button does follows from it."""

    IDLE = enum.auto()
    STARTING = enum.auto()  # asking for packages, exporting
    RUNNING = enum.auto()
    CANCELLING = enum.auto()


class PredictSection(Section):
    """Chooses model and device; starts, shows, cancels and ends a prediction.

    Args:
        shared: The case.
        on_result: Called with the new result's nodes.
    """

    PREDICT_TIP = _("Predicts the chosen tumor in the background: the window stays usable, and Cancel is possible.")

    def __init__(self, shared: Shared, on_result: Callable[[Any], None]) -> None:
        super().__init__(shared)
        self._on_result = on_result
        self.state = State.IDLE
        self.prediction: Any = None
        self._began = 0.0
        self._expected: float | None = None
        self._run_of = ("", "")
        self._told: Any = None  # the library's estimate of the run, before it was turned into this computer's
        self.cost = ExpectedCost()
        self.model, self.packages = ModelChoice(shared), PackagesPanel(shared)
        self.filing = FilingChoice(shared)
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.connect("timeout()", self._show_time)
        ui = self.ui
        for device, text in computer.devices():
            ui.deviceComboBox.addItem(text, device)
        ui.wheelsFolderEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.wheelsFolderEdit.currentPath = preferences.read(preferences.WHEELS_FOLDER)
        ui.deviceComboBox.connect("activated(int)", self.on_device)
        ui.wheelsFolderEdit.connect("currentPathChanged(QString)", self.on_wheels_folder)
        ui.predictButton.connect("clicked(bool)", self.on_predict)
        self._choices = Switches(ui.modelComboBox, ui.browseModelButton, ui.deviceComboBox)
        ui.progressPanel.hide()

    # --- showing

    def update(self) -> None:
        """Model, device and button."""
        ui = self.ui
        self.model.update()
        self.packages.update()
        self.filing.update("" if self.state is State.IDLE else _("Off while a prediction runs."))
        ui.deviceComboBox.setCurrentIndex(ui.deviceComboBox.findData(computer.chosen_device()))
        self._choices.set("" if self.state is State.IDLE else _("Off while a prediction runs."))
        ui.progressPanel.setVisible(self.state is not State.IDLE)
        ui.outcomeLabel.setVisible(bool(ui.outcomeLabel.text))
        self._show_button()

    def settled(self) -> None:
        """What was found out about the contour decides about the button too."""
        self.update()

    def _show_button(self) -> None:
        button = self.ui.predictButton
        live = self.shared.live
        if self.state is not State.IDLE:
            button.text = _("Cancel") if self.state is not State.CANCELLING else _("Cancelling…")
            stopping = _("The prediction is being stopped.") if self.state is State.CANCELLING else ""
            enable(button, _("Stops the prediction; nothing of it is kept."), stopping)
            say(self.ui.whyNotLabel, "")
            say(self.ui.expectedLabel, "")
            return
        button.text = _("Predict")
        shared = self.shared
        why_not = shared.busy or packages.why_impossible() or shared.why_nothing_chosen() or shared.why_not_ready()
        if not why_not and not live.waiting:
            why_not = live.problem
        enable(button, self.PREDICT_TIP, why_not)
        self.cost.show(self.ui.expectedLabel, [] if why_not else [self._expected_run()])
        say(self.ui.whyNotLabel, _("Predict is off: {reason}").format(reason=why_not) if why_not else "", NOTE)

    def _expected_run(self) -> Any:
        """What the library expects of the chosen case; None while it is not measured."""
        size = size_of_case(self.shared.live.preview, self.parameters.volume)
        return self.cost.of(self.parameters.model, computer.chosen_device(), size)

    def on_device(self, row: int) -> None:
        """A device was chosen: kept for this computer; a graphics card needs another package."""
        preferences.write(preferences.DEVICE, self.ui.deviceComboBox.itemData(row))
        self.packages.look()

    def on_wheels_folder(self, path: str) -> None:
        """Another folder of wheels."""
        preferences.write(preferences.WHEELS_FOLDER, path)
        self.update()

    # --- a prediction

    def on_predict(self) -> None:
        """The one button: starts or cancels."""
        if self.state is State.IDLE:
            self.start()
        elif self.state is not State.CANCELLING:
            self.cancel()

    def start(self) -> None:
        """Asks for the packages, then starts; whatever happens, the window ends up running a prediction or idle."""
        self._set_state(State.STARTING)
        say(self.ui.outcomeLabel, "")
        self.ui.logEdit.clear()
        self._show_stage(_("Preparing…"), 0.0)
        end = (_("The prediction could not be started."), ERROR)
        try:
            end = self._try_start()
        except Exception as error:
            end = (self._why_not_started(error), ERROR)
        finally:
            self._settle_start(*end)

    def _try_start(self) -> tuple[str, str]:
        """Starts; gives what to say if it did not."""
        from PDL1PredictorLib.core.errors import PDL1Error

        live = self.shared.live
        if live.waiting:  # the last stroke counts: it may be the ring's first edit
            live.settle()
        why_not = live.problem or self.shared.why_not_ready()
        if why_not:
            raise PDL1Error(why_not)
        request = self.filing.completed(self.shared.request())
        if not packages.ensure(confirm=True):
            text = packages.declined_text()
            return text, WARNING
        self.packages.look()  # they are there now
        slicer.app.processEvents(qt.QEventLoop.ExcludeUserInputEvents)
        if self.state is State.CANCELLING:  # while packages were installed
            return _("Cancelled. Nothing was started."), NOTE
        self.prediction = self.shared.logic.new_prediction(self.on_progress, self.on_log, self.on_end)
        self._began = time.monotonic()
        self._run_of = (request.model, request.device)
        self._told = self._expected_run()
        self._expected = preferences.expected_seconds(*self._run_of) if self._told is None else self._told.seconds
        self.prediction.start(request)
        return "", NOTE

    @staticmethod
    def _why_not_started(error: Exception) -> str:
        from PDL1PredictorLib.core.errors import PDL1Error

        if isinstance(error, (PDL1Error, OSError)):
            return str(error)
        logging.exception("The prediction could not be started")
        return _(
            "The prediction could not be started, by an error that nobody expected: {error}. Report it with the "
            "application's log (Help, Report a Bug)."
        ).format(error=error)

    def _settle_start(self, text: str, kind: str) -> None:
        """The start is over: shows what runs, or says why nothing does."""
        if self.state is State.IDLE:  # it ended at once, and has said how
            return
        if self.prediction is None or not self.prediction.running:
            self._end(text, kind)
        elif self.state is State.STARTING:
            self._set_state(State.RUNNING)
            self._timer.start()
            self._show_time()

    def cancel(self) -> None:
        """Asks the prediction to stop; one that is being started is not begun."""
        self._set_state(State.CANCELLING)
        self._show_stage(_("Stopping…"), None)
        if self.prediction is not None:
            self.prediction.cancel()

    def on_progress(self, stage: str, fraction: float, text: str, elapsed_s: float) -> None:
        """The prediction says where it is."""
        self._show_stage(text[:1].upper() + text[1:] if text else stage, fraction)

    def on_log(self, line: str) -> None:
        """The prediction says something else."""
        self.ui.logEdit.appendPlainText(line)

    def on_end(self, outcome: Any, result: Any) -> None:
        """The prediction has ended, one way or another."""
        if outcome.kind == "done" and result is not None:
            self._remember(time.monotonic() - self._began)
            seconds = clock(time.monotonic() - self._began)
            self._end(_("Done in {time}. The result is in section 5.").format(time=seconds), DONE)
            self._on_result(result)
        else:
            kind = NOTE if outcome.kind == "cancelled" else ERROR
            self._end(outcome.text, kind)
            if outcome.package:
                self.packages.blame(outcome.package)

    def _remember(self, seconds: float) -> None:
        """How long it took, for the next run's estimate."""
        preferences.add_duration(*self._run_of, seconds)
        if self._told is not None:
            device = self._run_of[1]
            preferences.add_ratio(device, seconds, self._told.seconds / preferences.slowness(device))

    def _end(self, text: str, kind: str) -> None:
        self.prediction = None
        self._timer.stop()
        self._set_state(State.IDLE)
        say(self.ui.outcomeLabel, text, kind)

    def _set_state(self, state: State) -> None:
        self.state = state
        self.shared.busy = "" if state is State.IDLE else _("Off while a prediction runs.")
        self.ui.progressPanel.setVisible(state is not State.IDLE)
        if self.parameters is not None:
            self.shared.refresh()
            self.update()

    def _show_stage(self, text: str, fraction: float | None) -> None:
        self.ui.stageLabel.text = text
        self.ui.stageLabel.toolTip = text  # a long one is cut
        if fraction is not None:
            self.ui.progressBar.value = round(100 * fraction)

    def _show_time(self) -> None:
        text = clock(time.monotonic() - self._began)
        if self._expected is not None:
            text = _("{elapsed} of about {expected}").format(elapsed=text, expected=clock(self._expected))
        self.ui.timeLabel.text = text

    # --- coming and going

    def enter(self) -> None:
        """The module is shown."""
        self.packages.enter()

    def close_scene(self) -> None:
        """What was said of the case goes; a prediction that runs ends by itself, and says why."""
        if self.prediction is None:
            say(self.ui.outcomeLabel, "")
            self.stop()

    def stop(self) -> None:
        """Ends a prediction that runs; one that is being started is not begun."""
        if self.state is State.STARTING:
            self.state = State.CANCELLING
        if self.prediction is not None:
            self.prediction.stop()

    def cleanup(self) -> None:
        """The window goes away."""
        self._timer.stop()
        self.model.cleanup()
