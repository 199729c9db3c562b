"""Section 4, its upper half: which model answers. None does until one was chosen for this patient's CT."""

from pathlib import Path
from typing import Any

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene import bridge
from PDL1PredictorGUI.scene.synthetic import is_synthetic, same_patient
from PDL1PredictorGUI.setup import preferences
from PDL1PredictorGUI.window.section import ERROR, NOTE, WARNING, Section, Shared, enable, fill_combo, say

TYPING_MS = 600  # a pause after which a typed path is taken: each model is read whole


class ModelChoice(Section):
    """Lists the models, keeps the choice with the CT that it was made for, shows a model's card."""

    CARD_TIP = _("What the model was trained on, how good it is, and what it must not be used for.")

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self.models: list[Any] = []  # `models.ModelEntry`
        self._others: dict[str, Any] = {}
        self._typing = qt.QTimer()
        self._typing.setSingleShot(True)
        self._typing.setInterval(TYPING_MS)
        self._typing.connect("timeout()", self.take_models_folder)
        ui = self.ui
        ui.modelsFolderEdit.filters = ctk.ctkPathLineEdit.Dirs
        ui.modelsFolderEdit.currentPath = preferences.read(preferences.MODELS_FOLDER)
        ui.modelsFolderEdit.connect("currentPathChanged(QString)", self.on_models_folder)
        ui.modelComboBox.connect("activated(int)", self.on_model)
        ui.browseModelButton.connect("clicked(bool)", self.on_browse)
        ui.modelCardButton.connect("clicked(bool)", self.on_card)
        self._find_models()

    # --- showing

    def update(self) -> None:
        """The list, what is wrong with the chosen model, and whom it was trained on."""
        self._follow_ct()
        chosen = self.parameters.model
        entry = self.entry(chosen) if chosen else None
        entries = [(_("Choose a model …"), ""), *((item.title, item.key) for item in self.models)]
        if entry is not None and entry not in self.models:
            entries.append((entry.title, entry.key))
        fill_combo(self.ui.modelComboBox, entries, chosen)
        problem = entry.problem if entry is not None else ""
        say(self.ui.modelProblemLabel, problem, ERROR)
        self._show_training(entry)
        self._tell_needs(entry)
        self.shared.why_no_model = problem if entry is not None else _("Choose a model first.")
        off = _("Off: the model cannot be read.") if problem else ""
        enable(self.ui.modelCardButton, self.CARD_TIP, off if entry is not None else _("Choose a model first."))

    def _tell_needs(self, entry: Any) -> None:
        """What the model asks for is shown in section 1."""
        asked = (entry.clinical, entry.declared, entry.pet) if entry is not None else ((), (), "no")
        shared = self.shared
        if asked != (shared.clinical, shared.declared, shared.pet):
            shared.clinical, shared.declared, shared.pet = asked
            self.shared.refresh()

    def _show_training(self, entry: Any) -> None:
        """That a model knows synthetic patients only must not be overlooked."""
        text, kind = "", NOTE
        if entry is not None and entry.synthetic:
            text = _("This model was trained on synthetic patients only, such as this one.")
            if not is_synthetic(self.parameters.volume):
                text = _(
                    "This model was trained on synthetic patients only. It shows how the software works: "
                    "what it says of a real CT is no answer, and is not shown as one."
                )
                kind = WARNING
        say(self.ui.modelTrainingLabel, text, kind)
        self.shared.synthetic_model = bool(text)

    def _follow_ct(self) -> None:
        """Another patient's CT starts without a model; a synthetic one with the model for such."""
        parameters, volume = self.parameters, self.parameters.volume
        if volume is None or bridge.why_not_ct(volume) or volume.GetID() == parameters.model_ct_id:
            return
        from PDL1PredictorGUI.setup.models import default_model

        before = slicer.mrmlScene.GetNodeByID(parameters.model_ct_id) if parameters.model_ct_id else None
        kept = not parameters.model_ct_id or same_patient(before, volume)
        with slicer.util.NodeModify(parameters.parameterNode):
            if not (kept and parameters.model):
                parameters.model = default_model(is_synthetic(volume))
            parameters.model_ct_id = volume.GetID()

    # --- the models

    def _find_models(self) -> None:
        from PDL1PredictorGUI.setup.models import available_models

        folder = preferences.read(preferences.MODELS_FOLDER)
        self.models = list(available_models(Path(folder) if folder else None))
        self._others = {}

    def entry(self, key: str) -> Any:
        """The model of a key; one from elsewhere is read once."""
        from PDL1PredictorGUI.setup.models import chosen_model

        found = next((entry for entry in self.models if entry.key == key), None)
        if found is None:
            found = self._others.get(key) or chosen_model(key)
            self._others[key] = found
        return found

    # --- the user

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
            show_page(card_html(self.entry(self.parameters.model).path))

    def on_models_folder(self, _path: str) -> None:
        """Another folder of models, or one more letter of its name."""
        self._typing.start()

    def take_models_folder(self) -> None:
        """Lists the models of the folder that was typed or chosen."""
        self._typing.stop()
        preferences.write(preferences.MODELS_FOLDER, self.ui.modelsFolderEdit.currentPath)
        self._find_models()
        self.shared.refresh()

    def cleanup(self) -> None:
        """The window goes away."""
        if self._typing.isActive():  # what was typed last counts too
            preferences.write(preferences.MODELS_FOLDER, self.ui.modelsFolderEdit.currentPath)
        self._typing.stop()


def show_page(html: str) -> None:
    """Shows the card of a model."""
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
