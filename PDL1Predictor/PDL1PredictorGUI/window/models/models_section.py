"""Section 7: which models are here, one more, one less; the guides to an evaluation and a training, and what runs."""

from pathlib import Path
from typing import Any

import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.study import EVALUATE, TRAIN
from PDL1PredictorGUI.setup import own_models, preferences
from PDL1PredictorGUI.window.model_choice import ModelChoice, show_page
from PDL1PredictorGUI.window.models.guide import Guide
from PDL1PredictorGUI.window.models.study_panel import StudyPanel
from PDL1PredictorGUI.window.section import DONE, ERROR, NOTE, Section, Shared, enable, say

TITLE, TRAINED, ORIGIN = range(3)


class ModelsSection(Section):
    """Lists models with their facts; opens the guides.

    Args:
        shared: The case.
        choice: Section 4's list of models, which this one shows.
    """

    REMOVE_TIP = _("Removes this model of your own from the models folder; asks first.")
    CARD_TIP = _("Everything that the makers of the model say of it.")
    EVALUATE_TIP = _("Finds out how good the model is on your patients, whose answers are known; a dialog guides you.")
    TRAIN_TIP = _("Trains a model of your own on patients whose answers are known; a dialog guides you.")

    def __init__(self, shared: Shared, choice: ModelChoice) -> None:
        super().__init__(shared)
        self._choice = choice
        self._listed: list[Any] = []
        self.guide: Guide | None = None
        self.study = StudyPanel(shared, self.on_installed)
        ui = self.ui
        titles = [_("Model"), _("Trained on"), _("From")]
        ui.modelsTable.setColumnCount(len(titles))
        ui.modelsTable.setHorizontalHeaderLabels(titles)
        ui.modelsTable.verticalHeader().hide()
        ui.modelsTable.horizontalHeader().setSectionResizeMode(TITLE, qt.QHeaderView.Stretch)
        ui.modelsTable.connect("itemSelectionChanged()", self.on_selected)
        ui.showCardButton.connect("clicked(bool)", self.on_card)
        ui.importModelButton.connect("clicked(bool)", self.on_import)
        ui.removeModelButton.connect("clicked(bool)", self.on_remove)
        ui.openModelsButton.connect("clicked(bool)", self.on_folder)
        ui.evaluateButton.connect("clicked(bool)", self.on_evaluate)
        ui.trainButton.connect("clicked(bool)", self.on_train)

    # --- showing

    def update(self) -> None:
        """The list where it has changed, and what can be done with the chosen model."""
        if self._listed != self._choice.models:
            self._list()
        entry = self.entry
        nothing = "" if entry is not None else _("Choose a model first.")
        unusable = _("Off: the model cannot be used.") if entry is not None and entry.problem else ""
        ui = self.ui
        enable(ui.showCardButton, self.CARD_TIP, nothing or unusable)
        not_own = "" if entry is None or own_models.is_own(entry.path) else _("Off: this model is not one of your own.")
        enable(ui.removeModelButton, self.REMOVE_TIP, nothing or not_own)
        busy = _("Off while an evaluation or a training runs.") if self.study.running else ""
        enable(ui.evaluateButton, self.EVALUATE_TIP, busy or nothing or unusable)
        enable(ui.trainButton, self.TRAIN_TIP, busy)
        ui.modelsOutcomeLabel.setVisible(bool(ui.modelsOutcomeLabel.text))
        self.study.update()

    @property
    def entry(self) -> Any:
        """The chosen model (`models.ModelEntry`), or None."""
        row = self.ui.modelsTable.currentRow()
        return self._listed[row] if 0 <= row < len(self._listed) else None

    def _list(self, chosen: Path | None = None) -> None:
        kept = chosen or (self.entry.path if self.entry is not None else None)
        self._listed = list(self._choice.models)
        table = self.ui.modelsTable
        blocked = table.blockSignals(True)
        table.setRowCount(len(self._listed))
        for row, entry in enumerate(self._listed):
            trained = _("synthetic patients") if entry.synthetic else _("patients")
            origin = _("your own") if own_models.is_own(entry.path) else _("this extension")
            for column, text in ((TITLE, entry.title), (TRAINED, "" if entry.problem else trained), (ORIGIN, origin)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(entry.problem or text)
                table.setItem(row, column, item)
        for column in (TRAINED, ORIGIN):
            table.resizeColumnToContents(column)
        rows = [row for row, entry in enumerate(self._listed) if entry.path == kept]
        table.setCurrentCell(rows[0] if rows else 0, TITLE)
        table.blockSignals(blocked)
        self._show_facts()

    def _show_facts(self) -> None:
        from PDL1PredictorGUI.setup.model_facts import facts_html

        entry = self.entry
        self.ui.modelFactsBrowser.setHtml(facts_html(entry) if entry is not None else "")

    # --- the user

    def on_selected(self) -> None:
        """Another model of the list."""
        self._show_facts()
        self.update()

    def on_card(self) -> None:
        """The model's card as a page."""
        from PDL1PredictorGUI.setup.models import card_html

        with slicer.util.tryWithErrorDisplay(_("The model's card cannot be read.")):
            show_page(card_html(self.entry.path))

    def on_import(self) -> None:
        """A bundle from elsewhere: checked whole before anything of it is kept."""
        start = preferences.read(preferences.MODELS_FOLDER)
        found = qt.QFileDialog.getOpenFileName(
            slicer.util.mainWindow(), _("Import a model bundle"), start, _("Model bundles (*.zip model.json)")
        )
        if found:
            self.take_in(Path(found))

    def take_in(self, chosen: Path) -> None:
        """Takes a bundle into the models folder, or says why not."""
        from PDL1PredictorLib.core.errors import PDL1Error

        try:
            taken = own_models.name_taken(chosen)
            if taken is not None and not slicer.util.confirmOkCancelDisplay(
                _("There is a model of this name already, {path}. Replace it?").format(path=taken), _("Import a model")
            ):
                return
            made = own_models.take_in(chosen, replace=taken is not None)
        except (PDL1Error, OSError) as error:
            self._say(_("Nothing was imported. {reason}").format(reason=error), ERROR)
            return
        self._say(_("Imported: {path}").format(path=made), DONE)
        self._look_again(made)

    def on_remove(self) -> None:
        """One of the user's own goes, after a question."""
        from PDL1PredictorLib.core.errors import PDL1Error

        entry = self.entry
        text = _("Remove the model {title}? {path} is deleted.").format(title=entry.title, path=entry.path)
        if not slicer.util.confirmOkCancelDisplay(text, _("Remove a model")):
            return
        try:
            own_models.remove(entry.path)
        except (PDL1Error, OSError) as error:
            self._say(str(error), ERROR)
            return
        self._say(_("Removed: {path}").format(path=entry.path), NOTE)
        self._look_again()

    def on_folder(self) -> None:
        """The folder of the user's own models, in the system's file browser."""
        with slicer.util.tryWithErrorDisplay(_("The models folder cannot be opened.")):
            folder = own_models.own_folder()
            folder.mkdir(parents=True, exist_ok=True)
            qt.QDesktopServices.openUrl(qt.QUrl.fromLocalFile(str(folder)))

    def on_evaluate(self) -> None:
        """The guide to an evaluation."""
        self._open_guide(EVALUATE)

    def on_train(self) -> None:
        """The guide to a training."""
        self._open_guide(TRAIN)

    def on_installed(self, bundle: Path) -> None:
        """A model that was trained here becomes one of the user's own."""
        self.take_in(bundle)

    def _open_guide(self, kind: str) -> None:
        if self.guide is not None:
            self.guide.close()
        usable = [entry for entry in self._listed if not entry.problem]
        chosen = self.entry.key if self.entry is not None else ""
        self.guide = Guide(kind, usable, chosen, self.study.start)
        self.guide.show()

    def _say(self, text: str, kind: str) -> None:
        say(self.ui.modelsOutcomeLabel, text, kind)

    def _look_again(self, chosen: Path | None = None) -> None:
        self.ui.modelsFolderEdit.currentPath = preferences.read(preferences.MODELS_FOLDER)
        self._choice.take_models_folder()
        self._list(chosen)
        self.update()

    # --- coming and going

    def close_scene(self) -> None:
        """Files are evaluated and learned from, not the scene: what runs goes on."""

    def stop(self) -> None:
        """Ends what runs, for the end of the window."""
        self.study.stop()

    def cleanup(self) -> None:
        """The window goes away."""
        if self.guide is not None:
            self.guide.close()
        self.study.cleanup()
