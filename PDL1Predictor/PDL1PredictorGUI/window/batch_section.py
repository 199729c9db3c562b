"""Section 6: many cases, one after another."""

import logging
from pathlib import Path
from typing import Any

import ctk
import qt
import slicer
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.batch import Batch, BatchRequest, BatchRow
from PDL1PredictorGUI.background.batch_cases import (
    BadCase,
    BatchCase,
    FileCase,
    SceneCase,
    cases_of_folder,
    cases_of_scene,
)
from PDL1PredictorGUI.background.outcome import CANCELLED
from PDL1PredictorGUI.background.outcome import DONE as FINISHED
from PDL1PredictorGUI.scene.answers import answered, lead, reasons, shown, what_the_number_is
from PDL1PredictorGUI.setup import computer, packages, preferences
from PDL1PredictorGUI.window.panels.expected_cost import ExpectedCost, size_of_files, size_of_volume
from PDL1PredictorGUI.window.section import DONE, ERROR, NOTE, WARNING, Section, Shared, Switches, enable, say

FOLDER, SCENE = "folder", "scene"
BATCH_FOLDER, BATCH_OUT = preferences.GROUP + "BatchFolder", preferences.GROUP + "BatchOutputFolder"
CASE, ANSWER, STATUS = range(3)


def _status(row: BatchRow) -> str:
    """Done, perhaps by an earlier run, and the codes of every warning: of reading, of the regions, of the answer."""
    done = _("done earlier") if row.reused else _("done")
    codes = list(dict.fromkeys(warning["code"] for warning in row.warnings))
    if not codes:
        return done
    count = _("1 warning") if len(row.warnings) == 1 else _("{count} warnings").format(count=len(row.warnings))
    return _("{done}, {count}: {codes}").format(done=done, count=count, codes=", ".join(codes))


class BatchSection(Section):
    """Finds cases, predicts them one after another, lists what came out."""

    START_TIP = _("Predicts every case of the list in the background, with model, device and ring as chosen above.")
    FIND_TIP = _("Lists what would be predicted, without starting.")

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._cases: list[BatchCase] = []
        self._sizes: list[Any] = []
        self._cancelled = False
        self.cost = ExpectedCost()
        self.batch: Any = None
        ui = self.ui
        self._choices = Switches(ui.batchSourceComboBox, ui.batchFolderEdit, ui.batchOutEdit, ui.batchSegmentEdit)
        ui.batchSourceComboBox.addItem(_("Pairs of CT and mask in a folder"), FOLDER)
        ui.batchSourceComboBox.addItem(_("All tumors of this scene"), SCENE)
        for edit, key in ((ui.batchFolderEdit, BATCH_FOLDER), (ui.batchOutEdit, BATCH_OUT)):
            edit.filters = ctk.ctkPathLineEdit.Dirs
            edit.currentPath = preferences.read(key)
        titles = [_("Case"), _("Answer"), _("Status")]
        ui.batchTable.setColumnCount(len(titles))
        ui.batchTable.setHorizontalHeaderLabels(titles)
        ui.batchTable.verticalHeader().hide()
        header = ui.batchTable.horizontalHeader()
        header.setSectionResizeMode(STATUS, qt.QHeaderView.Stretch)
        for column, width in ((CASE, 110), (ANSWER, 130)):  # what does not fit takes several lines
            ui.batchTable.setColumnWidth(column, width)
        ui.batchSourceComboBox.connect("currentIndexChanged(int)", self.on_source)
        ui.batchFolderEdit.connect("currentPathChanged(QString)", self.on_folder)
        ui.batchOutEdit.connect("currentPathChanged(QString)", self.on_out)
        ui.findCasesButton.connect("clicked(bool)", self.on_find)
        ui.batchButton.connect("clicked(bool)", self.on_button)

    @property
    def _source(self) -> str:
        return str(self.ui.batchSourceComboBox.currentData)

    @property
    def running(self) -> bool:
        """Whether a batch is under way."""
        return self.batch is not None

    # --- showing

    def update(self) -> None:
        """Buttons, and the folder where one is asked for."""
        ui = self.ui
        from_folder = self._source == FOLDER
        for widget in (ui.batchFolderEdit, ui.batchFolderEditLabel, ui.batchSegmentEdit, ui.batchSegmentEditLabel):
            widget.setVisible(from_folder and not ui.batchSection.collapsed)
        self._choices.set(_("Off while a batch runs.") if self.running else "")
        ui.batchProgressBar.setVisible(self.running)
        ui.batchOutcomeLabel.setVisible(bool(ui.batchOutcomeLabel.text))
        self._show_model()
        self._show_cost()
        busy = "" if self.running else self.shared.busy
        why_not_find = _("Off while a batch runs.") if self.running else ""
        if not why_not_find and from_folder and not ui.batchFolderEdit.currentPath.strip():
            why_not_find = _("Choose a folder first.")
        enable(ui.findCasesButton, self.FIND_TIP, why_not_find)
        if self.running:
            ui.batchButton.text = _("Cancel")
            enable(ui.batchButton, _("Stops after what is done; the reports so far stay."))
            return
        good = sum(not isinstance(case, BadCase) for case in self._cases)
        ui.batchButton.text = _("Predict all ({count})").format(count=good) if good else _("Predict all")
        why_not = busy or packages.why_impossible() or ("" if self._cases else _("Find cases first."))
        if not why_not and not good:
            why_not = _("No case of the list can be used.")
        if not why_not:
            why_not = self.shared.why_no_model and _("Choose a model in section 4.")
        if not why_not and self.shared.pet == "required":
            why_not = _("The model needs a PET, and this list has pairs of CT and mask. Use pdl1 predict --cohort.")
        if not why_not and not ui.batchOutEdit.currentPath.strip():
            why_not = _("Choose a folder for the results first.")
        enable(ui.batchButton, self.START_TIP, why_not)

    def _show_model(self) -> None:
        """Which model will answer: it was chosen for one patient, and is used here for many."""
        title = self.ui.modelComboBox.currentText
        if self.shared.why_no_model:
            say(self.ui.batchModelLabel, "")
        elif self.shared.synthetic_model:
            text = _("{title}. What it says of real CTs is no answer, and is not shown as one.")
            say(self.ui.batchModelLabel, text.format(title=title), WARNING)
        else:
            say(self.ui.batchModelLabel, _("Model: {title}").format(title=title), NOTE)

    def _show_cost(self) -> None:
        """What the batch will take, once its cases are known and before it runs."""
        parameters, device = self.parameters, computer.chosen_device()
        sizes = [] if self.running or self.shared.why_no_model else self._sizes
        self.cost.show(self.ui.batchExpectedLabel, [self.cost.of(parameters.model, device, size) for size in sizes])

    def _size(self, case: BatchCase) -> Any:
        """Of one case of the list, as far as it can be told without reading its voxels."""
        if isinstance(case, FileCase):
            return size_of_files(case.ct)
        return size_of_volume(case.volume) if isinstance(case, SceneCase) else None

    def _list(self) -> None:
        table = self.ui.batchTable
        table.setRowCount(len(self._cases))
        for number, case in enumerate(self._cases):
            problem = case.problem if isinstance(case, BadCase) else ""
            self._fill(number, case.name, "", problem or _("waiting"), problem)

    def _fill(self, number: int, name: str, answer: str, status: str, tip: str = "") -> None:
        for column, text in ((CASE, name), (ANSWER, answer), (STATUS, status)):
            item = qt.QTableWidgetItem(text)
            item.setToolTip(tip or text)
            self.ui.batchTable.setItem(number, column, item)
        self.ui.batchTable.resizeRowToContents(number)  # a reason takes several lines

    # --- the user

    def on_source(self, _row: int) -> None:
        """Folder or scene: another list."""
        self._forget_cases()

    def on_folder(self, path: str) -> None:
        """Another folder, another list."""
        preferences.write(BATCH_FOLDER, path)
        self._forget_cases()

    def on_out(self, path: str) -> None:
        """Another folder for the results."""
        preferences.write(BATCH_OUT, path)
        self.update()

    def _forget_cases(self) -> None:
        self._cases, self._sizes = [], []
        self._list()
        say(self.ui.batchOutcomeLabel, "")
        self.update()

    def on_find(self) -> None:
        """Lists the cases."""
        say(self.ui.batchOutcomeLabel, "")
        with slicer.util.tryWithErrorDisplay(_("The cases cannot be listed."), waitCursor=True):
            self._cases = self._find()
            self._sizes = [self._size(case) for case in self._cases]
            self._list()
            if not self._cases:
                say(self.ui.batchOutcomeLabel, _("No case was found: {hint}").format(hint=self._hint()), WARNING)
        self.update()

    def _find(self) -> list[BatchCase]:
        if self._source == FOLDER:
            return cases_of_folder(Path(self.ui.batchFolderEdit.currentPath))
        return cases_of_scene()

    def _hint(self) -> str:
        if self._source == FOLDER:
            return _("name CT and mask alike, such as a_ct.nii.gz and a_mask.nii.gz.")
        return _("outline a tumor on a CT first.")

    def on_button(self) -> None:
        """Starts or cancels."""
        if self.running:
            self._cancelled = True
            self.batch.cancel()
        else:
            self.start()

    def start(self) -> None:
        """Asks for the packages, then starts; whatever happens, the window ends up running a batch or idle."""
        say(self.ui.batchOutcomeLabel, "")
        self._list()
        self.ui.batchTable.horizontalHeaderItem(ANSWER).setText(_("Answer"))  # of another model, perhaps
        self.batch = Batch(self.on_progress, self.on_row, self.on_log, self.on_end)
        self._cancelled = False
        self.shared.busy = _("Off while a batch runs.")
        self.shared.refresh()
        end = (_("The batch could not be started."), ERROR)
        try:
            end = self._try_start(self.batch)
        except Exception as error:
            end = (self._why_not_started(error), ERROR)
        finally:
            if self.batch is not None and not self.batch.running:
                self._stopped(*end)
            self.shared.refresh()

    def _try_start(self, batch: Batch) -> tuple[str, str]:
        """Starts; gives what to say if it did not."""
        from PDL1PredictorGUI.scene.parameters import region_settings

        request = BatchRequest(
            out=Path(self.ui.batchOutEdit.currentPath),
            model=self.parameters.model,
            device=computer.chosen_device(),
            regions=region_settings(self.parameters),
            segment=self.ui.batchSegmentEdit.text.strip() or None,
            clinical={
                case.volume.GetID(): self._known_of(case.volume) for case in self._cases if isinstance(case, SceneCase)
            },
        )
        if not packages.ensure(confirm=True):
            return packages.declined_text(), WARNING
        if self._cancelled:  # while packages were installed
            return _("Cancelled. Nothing was started."), NOTE
        batch.start(self._cases, request)
        return "", NOTE

    def _known_of(self, volume: Any) -> dict[str, Any]:
        """What the model asks for, as the window has it for the CT of section 1, and DICOM for the others."""
        from PDL1PredictorGUI.scene.clinical import clinical_of
        from PDL1PredictorGUI.scene.parameters import asked_values

        asked = self.shared.clinical
        if not asked or volume is self.parameters.clinical_volume:
            return asked_values(self.parameters, asked)
        found = clinical_of(volume)
        return {column.name: found[column.name] for column in asked if column.name in found}

    @staticmethod
    def _why_not_started(error: Exception) -> str:
        from PDL1PredictorLib.core.errors import PDL1Error

        if isinstance(error, (PDL1Error, OSError)):
            return str(error)
        logging.exception("The batch could not be started")
        return _(
            "The batch could not be started, by an error that nobody expected: {error}. Report it with the "
            "application's log (Help, Report a Bug)."
        ).format(error=error)

    def on_progress(self, number: int, fraction: float, text: str) -> None:
        """One case is under way."""
        self.ui.batchProgressBar.value = round(100 * fraction)
        item = self.ui.batchTable.item(number, STATUS)
        if item is not None:
            item.setText(text)
            self.ui.batchTable.scrollToItem(item)

    def on_row(self, number: int, row: BatchRow) -> None:
        """One case is done."""
        leading = lead(row.endpoints)
        text = tip = ""
        if leading is not None:
            self._name_answer(leading)
            show, read = shown(leading)
            text = show.brief(read)
            said = what_the_number_is(leading) if answered(leading) else " ".join(reasons(leading))
            tip = f"{leading['title']}: {said}"
        tips = [tip, row.problem, *(f"{warning['code']}: {warning['text']}" for warning in row.warnings)]
        self._fill(number, row.name, text, row.problem or _status(row), "\n".join(filter(None, tips)))

    def _name_answer(self, endpoint: dict[str, Any]) -> None:
        """Says whose answer the column holds: PD-L1, or what the model predicts first."""
        show, read = shown(endpoint)
        self.ui.batchTable.horizontalHeaderItem(ANSWER).setText(show.question(read.endpoint))

    def on_log(self, line: str) -> None:
        """Lines for the log that both ways to predict share."""
        self.ui.logEdit.appendPlainText(line)

    def on_end(self, outcome: Any, rows: dict[int, BatchRow]) -> None:
        """All are done, or it was cancelled, or something came between."""
        from PDL1PredictorLib.batch.tables import PREDICTIONS

        good = sum(not row.problem for row in rows.values())
        where = Path(self.ui.batchOutEdit.currentPath) / PREDICTIONS
        text = _("{good} of {total} cases predicted. Table and reports: {table}")
        text = text.format(good=good, total=len(self._cases), table=where)
        if outcome.kind == CANCELLED:
            self._stopped(_("Cancelled. {text}").format(text=text), NOTE)
        elif outcome.kind != FINISHED:
            self._stopped(f"{outcome.text} {text}" if good else outcome.text, ERROR)
        else:
            self._stopped(text, DONE if good == len(rows) else WARNING)

    def _stopped(self, text: str, kind: str) -> None:
        self.batch = None
        self.shared.busy = ""
        say(self.ui.batchOutcomeLabel, text, kind)
        if self.parameters is not None:
            self.shared.refresh()

    # --- coming and going

    def forget(self) -> None:
        """Cases of a scene that goes away are no cases."""
        if any(isinstance(case, SceneCase) for case in self._cases):
            self._cases, self._sizes = [], []
            self._list()

    def close_scene(self) -> None:
        """A batch of files goes on; one of this scene's tumors has nothing left to predict."""
        if any(isinstance(case, SceneCase) for case in self._cases):
            self.stop()

    def stop(self) -> None:
        """Ends a batch that runs; one that is being started is not begun."""
        self._cancelled = True
        if self.batch is not None:
            self.batch.stop()
