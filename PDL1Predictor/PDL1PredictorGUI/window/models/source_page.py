"""The guide's first page: which model or recipe, and the cases: a table, or a folder of images and masks."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import ctk
import qt
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.predictor import model_argument
from PDL1PredictorGUI.background.study import EVALUATE
from PDL1PredictorGUI.setup import preferences
from PDL1PredictorGUI.setup.library import make_importable
from PDL1PredictorGUI.window.section import add_row

TABLE, FOLDER = "table", "folder"
TABLE_KEY, FOLDER_KEY = preferences.GROUP + "CohortTable", preferences.GROUP + "CohortFolder"
HELP = _(
    "A table has one row a tumor: case, image, mask, and a column for each answer that is known, such as PDL1 or EGFR "
    "with 1 and 0; paths are relative to the table. Of a folder, images and masks are paired by their names "
    "(p1_ct.nii.gz with p1_tumor.nii.gz), and the answers come from a second table with the column case."
)


class SourcePage:
    """What is evaluated or learned, and from which cases.

    Args:
        kind: `evaluate` or `train`.
        models: Those that can be used (`models.ModelEntry`).
        chosen: Key of the model that is chosen.
        changed: Called when something was chosen.
    """

    def __init__(self, kind: str, models: Sequence[Any], chosen: str, changed: Callable[[], None]) -> None:
        self.kind, self._changed = kind, changed
        self.widget = qt.QWidget()
        layout = qt.QVBoxLayout(self.widget)
        self._form = form = qt.QFormLayout()
        layout.addLayout(form)
        self.what = self._combo(self._whats(models))
        self.what.setCurrentIndex(max(0, self.what.findData(chosen)))
        tip = _("What is evaluated.") if kind == EVALUATE else _("How it is learned: the method of a published paper.")
        add_row(self._form, _("Model:") if kind == EVALUATE else _("Recipe:"), self.what, tip)
        self.kinds = self._combo([(_("A table"), TABLE), (_("A folder of images and masks"), FOLDER)])
        add_row(self._form, _("Cases from:"), self.kinds, _("A table, or a folder that one is made of."))
        self.table = self._path(_("Table:"), ctk.ctkPathLineEdit.Files, _("CSV or Parquet, one row a tumor."))
        self.folder = self._path(_("Folder:"), ctk.ctkPathLineEdit.Dirs, _("Images and masks, also in folders below."))
        self.labels = self._path(
            _("Answers:"), ctk.ctkPathLineEdit.Files, _("CSV with the column case, and a column for each known answer.")
        )
        self.made = self._path(_("Table to make:"), ctk.ctkPathLineEdit.Files, _("A new CSV file beside the images."))
        self.images = qt.QCheckBox(_("Open every image, about a second each"))
        self.images.setChecked(True)
        self.images.setToolTip(
            _("Finds damaged files, grids that differ, and cases that a model has learned from, before anything runs.")
        )
        form.addRow(self.images)
        self.help = qt.QLabel(HELP)
        self.help.setWordWrap(True)
        layout.addWidget(self.help)
        layout.addStretch(1)
        self.table.currentPath = preferences.read(TABLE_KEY)
        self.folder.currentPath = preferences.read(FOLDER_KEY)
        self._suggest()
        self.kinds.connect("currentIndexChanged(int)", self.on_changed)
        self.folder.connect("currentPathChanged(QString)", self.on_folder)
        for edit in (self.table, self.labels, self.made):
            edit.connect("currentPathChanged(QString)", self.on_changed)
        self._show()

    # --- what was chosen

    @property
    def title(self) -> str:
        """Of the model, or name of the recipe."""
        return str(self.what.currentText if self.kind == EVALUATE else self.what.currentData)

    @property
    def key(self) -> str:
        """Model or recipe, as a command names it."""
        return str(self.what.currentData)

    @property
    def path(self) -> Path:
        """The table, whether it is there or made of a folder."""
        edit = self.table if self.kinds.currentData == TABLE else self.made
        return Path(edit.currentPath.strip()).absolute()

    def why_not(self) -> str:
        """What is still to be chosen."""
        if self.what.currentIndex < 0:
            return _("There is no model that can be used.")
        if self.kinds.currentData == TABLE:
            return self._missing(self.table, _("Choose a table first."))
        return (
            self._missing(self.folder, _("Choose a folder first."))
            or (self._missing(self.labels, "") if self.labels.currentPath.strip() else "")
            or ("" if self.made.currentPath.strip() else _("Say which table is to be made."))
        )

    def import_words(self) -> list[str]:
        """The command that makes a table of the folder; none where there is a table."""
        if self.kinds.currentData == TABLE:
            return []
        words = ["cohort", "import", "folder", str(Path(self.folder.currentPath.strip()).absolute())]
        labels = self.labels.currentPath.strip()
        words += ["--labels", str(Path(labels).absolute())] if labels else []
        return [*words, "--out", str(self.path)]

    def check_words(self) -> list[str]:
        """The command that looks at the table for the model or recipe."""
        words = ["cohort", "check", str(self.path)]
        words += ["--model", model_argument(self.key)] if self.kind == EVALUATE else ["--recipe", self.key]
        return words if self.images.checked else [*words, "--quick"]

    def take_table(self, path: str) -> None:
        """A table was made of the folder: from now on it is the table."""
        self.table.currentPath = path
        self.kinds.setCurrentIndex(self.kinds.findData(TABLE))

    def keep(self) -> None:
        """Remembers the places for the next time."""
        preferences.write(TABLE_KEY, self.table.currentPath)
        preferences.write(FOLDER_KEY, self.folder.currentPath)

    def options(self) -> list[str]:
        """Flags of the recipe's own options; none of a model."""
        if self.kind == EVALUATE:
            return []
        from PDL1PredictorLib.recipes.table import recipe_page

        return [option.flag for option in recipe_page(self.key).options]

    # --- the user

    def on_changed(self, _value: Any) -> None:
        """Something was chosen."""
        self._show()
        self._changed()

    def on_folder(self, _path: str) -> None:
        """Another folder: the table would be made in it."""
        self._suggest()
        self._changed()

    # --- widgets

    def _whats(self, models: Sequence[Any]) -> list[tuple[str, str]]:
        if self.kind == EVALUATE:
            return [(entry.title, entry.key) for entry in models]
        make_importable()
        from PDL1PredictorLib.recipes.table import RECIPES, recipe_page

        return [(f"{name}: {recipe_page(name).summary}", name) for name in RECIPES]

    def _suggest(self) -> None:
        folder = self.folder.currentPath.strip()
        names = ["cohort.csv", *(f"cohort-{number}.csv" for number in range(2, 100))]
        free = next((name for name in names if not (Path(folder) / name).exists()), names[0])
        self.made.currentPath = str(Path(folder) / free) if folder else ""

    def _missing(self, edit: Any, first: str) -> str:
        text = edit.currentPath.strip()
        if not text:
            return first
        return "" if Path(text).exists() else _("Choose another path: {path} is not there.").format(path=text)

    def _show(self) -> None:
        from_table = self.kinds.currentData == TABLE
        for edit in (self.table, self.folder, self.labels, self.made):
            seen = from_table == (edit is self.table)
            edit.setVisible(seen)
            self._form.labelForField(edit).setVisible(seen)

    def _combo(self, entries: Sequence[tuple[str, str]]) -> Any:
        combo = qt.QComboBox()
        combo.setSizeAdjustPolicy(qt.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        combo.setMinimumContentsLength(20)
        for text, value in entries:
            combo.addItem(text, value)
        return combo

    def _path(self, text: str, filters: int, tip: str) -> Any:
        edit = ctk.ctkPathLineEdit()
        edit.filters = filters
        add_row(self._form, text, edit, tip)
        return edit
