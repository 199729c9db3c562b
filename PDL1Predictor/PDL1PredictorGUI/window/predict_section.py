"""Section 4: the model, and one prediction in the background."""

import enum
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.setup import computer, packages, preferences
from PDL1PredictorGUI.setup.preferences import clock
from PDL1PredictorGUI.window.section import (
    DONE,
    ERROR,
    NOTE,
    WARNING,
    Section,
    Shared,
    Switches,
    enable,
    fill_combo,
    say,
)

TICK_MS = 500
TYPING_MS = 600  # a pause after which a typed path is taken: each model is read whole


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
    CARD_TIP = _("What the model was trained on, how good it is, and what it must not be used for.")

    def __init__(self, shared: Shared, on_result: Callable[[Any], None]) -> None:
        super().__init__(shared)
        self._on_result = on_result
        self.state = State.IDLE
        self.prediction: Any = None
        self._began = 0.0
        self._expected: float | None = None
        self._run_of = ("", "")
        self._models: list[Any] = []  # `models.ModelEntry`
        self._others: dict[str, Any] = {}
        self._timer = qt.QTimer()
        self._timer.setInterval(TICK_MS)
        self._timer.connect("timeout()", self._show_time)
        self._typing = qt.QTimer()
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.connect("timeout()", self.take_models_folder)
        ui = self.ui
        for device, text in computer.devices():
            ui.deviceComboBox.addItem(text, device)
        for edit in (ui.modelsFolderEdit, ui.wheelsFolderEdit):
            edit.filters = ctk.ctkPathLineEdit.Dirs
        ui.modelsFolderEdit.currentPath = preferences.read(preferences.MODELS_FOLDER)
        ui.wheelsFolderEdit.currentPath = preferences.read(preferences.WHEELS_FOLDER)
        ui.modelComboBox.connect("activated(int)", self.on_model)
        ui.browseModelButton.connect("clicked(bool)", self.on_browse)
        ui.modelCardButton.connect("clicked(bool)", self.on_card)
        ui.deviceComboBox.connect("activated(int)", self.on_device)
        ui.modelsFolderEdit.connect("currentPathChanged(QString)", self.on_models_folder)
        ui.wheelsFolderEdit.connect("currentPathChanged(QString)", self.on_wheels_folder)
        ui.predictButton.connect("clicked(bool)", self.on_predict)
        self._choices = Switches(ui.modelComboBox, ui.browseModelButton, ui.deviceComboBox)
        ui.progressPanel.hide()
        self._find_models()

    # --- showing

    def update(self) -> None:
        """Model, device and button."""
        ui, chosen = self.ui, self.parameters.model
        entry = self._entry(chosen)
        entries = [*self._models] if entry in self._models else [*self._models, entry]
        fill_combo(ui.modelComboBox, [(item.title, item.key) for item in entries], chosen)
        problem = entry.problem
        say(ui.modelProblemLabel, problem, ERROR)
        enable(ui.modelCardButton, self.CARD_TIP, _("Off: the model cannot be read.") if problem else "")
        ui.deviceComboBox.setCurrentIndex(ui.deviceComboBox.findData(computer.chosen_device()))
        self._choices.set("" if self.state is State.IDLE else _("Off while a prediction runs."))
        ui.progressPanel.setVisible(self.state is not State.IDLE)
        ui.outcomeLabel.setVisible(bool(ui.outcomeLabel.text))
        self._show_button(problem)

    def settled(self) -> None:
        """What was found out about the contour decides about the button too."""
        self.update()

    def _show_button(self, model_problem: str) -> None:
        button = self.ui.predictButton
        live = self.shared.live
        if self.state is not State.IDLE:
            button.text = _("Cancel") if self.state is not State.CANCELLING else _("Cancelling…")
            stopping = _("The prediction is being stopped.") if self.state is State.CANCELLING else ""
            enable(button, _("Stops the prediction; nothing of it is kept."), stopping)
            say(self.ui.whyNotLabel, "")
            return
        button.text = _("Predict")
        why_not = self.shared.busy or packages.why_impossible() or self.shared.why_nothing_chosen() or model_problem
        if not why_not and not live.waiting:
            why_not = live.problem
        enable(button, self.PREDICT_TIP, why_not)
        say(self.ui.whyNotLabel, _("Predict is off: {reason}").format(reason=why_not) if why_not else "", NOTE)

    # --- the model

    def _find_models(self) -> None:
        from PDL1PredictorGUI.setup.models import available_models

        folder = preferences.read(preferences.MODELS_FOLDER)
        self._models = list(available_models(Path(folder) if folder else None))
        self._others = {}

    def _entry(self, key: str) -> Any:
        """The model of a key; one from elsewhere is read once."""
        from PDL1PredictorGUI.setup.models import chosen_model

        found = next((entry for entry in self._models if entry.key == key), None)
        if found is None:
            found = self._others.get(key) or chosen_model(key)
            self._others[key] = found
        return found

    def on_model(self, row: int) -> None:
        """A model was chosen in the list."""
        self.parameters.model = self.ui.modelComboBox.itemData(row)

    def on_browse(self) -> None:
        """Chooses a bundle that lies elsewhere."""
        start = preferences.read(preferences.MODELS_FOLDER)
        found = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("Model bundle"), start, _("Model bundles (*.zip model.json)")
        )
        if found:
            path = Path(found)
            self._others = {}  # it may have been mended
            self.parameters.model = str(path.parent if path.name == "model.json" else path)

    def on_card(self) -> None:
        """Shows the model's card."""
        from PDL1PredictorGUI.setup.models import card_html

        with slicer.util.tryWithErrorDisplay(_("The model's card cannot be read.")):
            self._show_page(card_html(self._entry(self.parameters.model).path))

    def _show_page(self, html: str) -> None:
        dialog = qt.QDialog(slicer.util.mainWindow())
        dialog.setWindowTitle(_("About the model"))
        dialog.resize(720, 640)
        layout = qt.QVBoxLayout(dialog)
        browser = qt.QTextBrowser()
        browser.setOpenExternalLinks(True)
        browser.setHtml(html)
        layout.addWidget(browser)
        buttons = qt.QDialogButtonBox(qt.QDialogButtonBox.Close)
        buttons.connect("rejected()", dialog.reject)
        layout.addWidget(buttons)
        dialog.exec_()
        dialog.deleteLater()

    def on_device(self, row: int) -> None:
        """A device was chosen: kept for this computer."""
        preferences.write(preferences.DEVICE, self.ui.deviceComboBox.itemData(row))

    def on_models_folder(self, _path: str) -> None:
        """Another folder of models, or one more letter of its name."""
        self._typing.start()

    def take_models_folder(self) -> None:
        """Lists the models of the folder that was typed or chosen."""
        self._typing.stop()
        preferences.write(preferences.MODELS_FOLDER, self.ui.modelsFolderEdit.currentPath)
        self._find_models()
        self.shared.refresh()

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
        if live.problem:
            raise PDL1Error(live.problem)
        request = self.shared.request()
        if not packages.ensure(confirm=True):
            text = packages.declined_text()
            return text, WARNING
        slicer.app.processEvents(qt.QEventLoop.ExcludeUserInputEvents)
        if self.state is State.CANCELLING:  # while packages were installed
            return _("Cancelled. Nothing was started."), NOTE
        self.prediction = self.shared.logic.new_prediction(self.on_progress, self.on_log, self.on_end)
        self._began = time.monotonic()
        self._run_of = (request.model, request.device)
        self._expected = preferences.expected_seconds(*self._run_of)
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
            preferences.add_duration(*self._run_of, time.monotonic() - self._began)
            seconds = clock(time.monotonic() - self._began)
            self._end(_("Done in {time}. The result is in section 5.").format(time=seconds), DONE)
            self._on_result(result)
        else:
            kind = NOTE if outcome.kind == "cancelled" else ERROR
            self._end(outcome.text, kind)

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
        if self._typing.isActive():  # what was typed last counts too
            preferences.write(preferences.MODELS_FOLDER, self.ui.modelsFolderEdit.currentPath)
        self._typing.stop()
