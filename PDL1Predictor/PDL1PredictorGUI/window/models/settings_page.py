"""The guide's last page: which findings, how they are tested, where to; what it takes; the same as a command."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ctk
import qt
from slicer.i18n import tr as _

from PDL1PredictorGUI.background.study import (
    EVALUATE,
    Study,
    TrainingChoices,
    evaluation,
    shell_text,
    split_options,
    training,
)
from PDL1PredictorGUI.setup import packages, preferences
from PDL1PredictorGUI.window.models.source_page import SourcePage
from PDL1PredictorGUI.window.section import add_row

OUT_KEY = preferences.GROUP + "StudyOutputFolder"
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_. -]{0,99}")
ELSEWHERE = _(
    "It can be trained here, while you go on working. In a shell or on a cluster, with more cores or a graphics card, "
    "the same command is quicker; the bundle that it makes is then imported in section 7."
)


class SettingsPage:
    """Settings with defaults that make sense.

    Args:
        kind: `evaluate` or `train`.
        changed: Called when something was changed.
    """

    def __init__(self, kind: str, changed: Callable[[], None]) -> None:
        self.kind, self._changed = kind, changed
        self._source: SourcePage | None = None
        self._outlook: Mapping[str, Any] = {}
        self._takes_weights = False
        self.widget = qt.QWidget()
        layout = qt.QVBoxLayout(self.widget)
        self._form = form = qt.QFormLayout()
        layout.addLayout(form)
        self.endpoints = qt.QListWidget()
        self.endpoints.setMaximumHeight(96)
        add_row(
            self._form, _("Findings:"), self.endpoints, _("What is evaluated or learned; untick what is not wanted.")
        )
        if kind == EVALUATE:
            self._add_evaluation()
        else:
            self._add_training()
        self.folder = ctk.ctkPathLineEdit()
        self.folder.filters = ctk.ctkPathLineEdit.Dirs
        add_row(self._form, _("Results to:"), self.folder, _("The folder in which a new one is made for the results."))
        self.name = qt.QLineEdit()
        add_row(self._form, _("Name:"), self.name, _("Of the new folder; a model that is trained is called so, too."))
        self.takes = qt.QLabel()
        self.takes.setWordWrap(True)
        form.addRow(_("Takes:"), self.takes)
        if kind != EVALUATE:
            self.elsewhere = qt.QLabel(ELSEWHERE)
            self.elsewhere.setWordWrap(True)
            layout.addWidget(self.elsewhere)
        self._add_command(layout)
        self.folder.currentPath = preferences.read(OUT_KEY)
        self.endpoints.connect("itemChanged(QListWidgetItem*)", self.on_changed)
        self.folder.connect("currentPathChanged(QString)", self.on_changed)
        self.name.connect("textChanged(QString)", self.on_changed)

    def _add_evaluation(self) -> None:
        self.stability = qt.QCheckBox(_("Answer again under contours moved by 1 mm (takes about three times as long)"))
        self.stability.setChecked(True)
        self.stability.setToolTip(_("Tells how much the answers hang on the contour."))
        self.stability.connect("toggled(bool)", self.on_changed)
        self._form.addRow(self.stability)

    def _add_training(self) -> None:
        self.plans = qt.QComboBox()
        self.plans.setSizeAdjustPolicy(qt.QComboBox.AdjustToMinimumContentsLengthWithIcon)
        self.plans.setMinimumContentsLength(20)
        add_row(self._form, _("Tested by:"), self.plans, _("How cases to test with are kept apart."))
        self.clinical = qt.QLineEdit()
        add_row(
            self._form,
            _("Clinical values:"),
            self.clinical,
            _(
                "Columns of the table to learn from, such as age_years,sex,ECOG=0..5,stage=I/II/III, or none. Empty: "
                "age_years, sex, smoking and family_history, as far as the table has them."
            ),
        )
        self.weights = ctk.ctkPathLineEdit()
        self.weights.filters = ctk.ctkPathLineEdit.Files
        add_row(
            self._form,
            _("Start weights:"),
            self.weights,
            _("What the network starts from; some recipes need it."),
        )
        self.more = qt.QLineEdit()
        add_row(self._form, _("Further options:"), self.more, _("As in a shell: pdl1 train --help lists them."))
        self.plans.connect("currentIndexChanged(int)", self.on_changed)
        self.weights.connect("currentPathChanged(QString)", self.on_changed)
        for edit in (self.clinical, self.more):
            edit.connect("textChanged(QString)", self.on_changed)

    def _add_command(self, layout: Any) -> None:
        layout.addWidget(qt.QLabel(_("The same in a shell, where pdl1predictor[train] is installed:")))
        self.command = qt.QPlainTextEdit()
        self.command.setReadOnly(True)
        self.command.setMinimumHeight(60)
        self.command.setToolTip(_("The command that Start runs in the background."))
        layout.addWidget(self.command)
        self.copy_button = qt.QPushButton(_("Copy command"))
        self.copy_button.setToolTip(_("Puts the command onto the clipboard."))
        self.copy_button.connect("clicked(bool)", self.on_copy)
        layout.addWidget(self.copy_button)

    # --- showing

    def fill(self, source: SourcePage, found: Mapping[str, Any]) -> None:
        """Takes over what was chosen and found on the pages before."""
        self._source, self._outlook = source, found["outlook"]
        blocked = self.endpoints.blockSignals(True)
        self.endpoints.clear()
        for row in self._outlook["endpoints"]:
            if row["usable"]:
                item = qt.QListWidgetItem(f"{row['title']} ({row['endpoint']})")
                item.setData(qt.Qt.UserRole, row["endpoint"])
                item.setCheckState(qt.Qt.Checked)
                self.endpoints.addItem(item)
        self.endpoints.blockSignals(blocked)
        if self.kind != EVALUATE:
            self._fill_training(source)
        stem = re.sub(r"[^A-Za-z0-9_.-]+", "-", source.path.stem).strip("-.") or "cohort"
        first = re.sub(r"[^A-Za-z0-9_.-]+", "-", Path(source.key).name.removesuffix(".zip")).strip("-.")
        self.name.text = f"{first}-{stem}"
        if not self.folder.currentPath.strip():
            self.folder.currentPath = str(source.path.parent)
        self._show()

    def _fill_training(self, source: SourcePage) -> None:
        blocked = self.plans.blockSignals(True)
        self.plans.clear()
        for plan in self._outlook["plans"]:
            self.plans.addItem(plan["text"])
        self.plans.setCurrentIndex(self._outlook["advised"])
        self.plans.blockSignals(blocked)
        known = ", ".join(self._outlook["clinical"]) or _("none that the table knows well enough")
        self.clinical.placeholderText = known
        self._takes_weights = "--weights" in source.options()
        self.weights.setVisible(self._takes_weights)
        self._form.labelForField(self.weights).setVisible(self._takes_weights)

    def _show(self) -> None:
        time, memory = self._time(), self._outlook.get("memory_mb")
        parts = [time or _("not known: the cases were not opened")]
        if memory:
            parts.append(_("up to about {size} of memory").format(size=packages.size_text(memory)))
        self.takes.text = "; ".join(parts)
        self.command.setPlainText("" if self.why_not() else shell_text(self._made().words))

    def _time(self) -> str:
        if self.kind == EVALUATE:
            return str(self._outlook.get("text", ""))
        row = self.plans.currentIndex
        text = str(self._outlook["plans"][row]["text"]) if row >= 0 else ""
        return text.rpartition(": ")[2]

    # --- what was chosen

    @property
    def chosen(self) -> tuple[str, ...]:
        """Keys of the findings that are ticked."""
        items = [self.endpoints.item(row) for row in range(self.endpoints.count)]
        return tuple(str(item.data(qt.Qt.UserRole)) for item in items if item.checkState() == qt.Qt.Checked)

    @property
    def out(self) -> Path:
        """The folder to make."""
        return Path(self.folder.currentPath.strip()).absolute() / self.name.text.strip()

    def why_not(self) -> str:
        """What is still to be chosen, or cannot be."""
        if not self.chosen:
            return _("Choose one finding at least.")
        if not self.folder.currentPath.strip():
            return _("Choose a folder for the results first.")
        if not NAME.fullmatch(self.name.text.strip()):
            return _("Choose a name of letters a to z, digits, space, point, _ and -.")
        report = self.out.with_name(f"{self.out.name}.study")
        if self.out.exists() or (self.kind != EVALUATE and report.exists()):
            return _("Choose another name: {folder} is there already.").format(folder=self.out)
        if self.kind != EVALUATE:
            try:
                split_options(self.more.text)
            except ValueError:
                return _("Choose further options whose quotation marks are closed.")
        return ""

    def study(self, source: SourcePage) -> Study:
        """What was chosen, as it is run."""
        self._source = source
        return self._made()

    def _made(self) -> Study:
        source = self._source
        assert source is not None
        if self.kind == EVALUATE:
            return evaluation(
                source.key, source.title, source.path, self.out, self.chosen, self.stability.checked, self._time()
            )
        plan = self._outlook["plans"][self.plans.currentIndex]
        weights = self.weights.currentPath.strip()
        choices = TrainingChoices(
            recipe=source.key,
            endpoints=self.chosen,
            design=plan["design"],
            repeats=plan["repeats"],
            clinical=self.clinical.text.strip(),
            weights=Path(weights).absolute() if weights and self._takes_weights else None,
            more=split_options(self.more.text),
        )
        return training(choices, source.path, self.out, self._time())

    def keep(self) -> None:
        """Remembers the place for the next time."""
        preferences.write(OUT_KEY, self.folder.currentPath)

    # --- the user

    def on_changed(self, _value: Any) -> None:
        """Something was changed."""
        if self._source is not None:
            self._show()
        self._changed()

    def on_copy(self) -> None:
        """The command goes onto the clipboard."""
        qt.QApplication.clipboard().setText(self.command.plainText)
