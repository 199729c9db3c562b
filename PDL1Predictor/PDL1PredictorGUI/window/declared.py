"""Section 1: what the chosen model asks of the patient, and the values that its cohort declares."""

from functools import partial
from typing import Any

import qt
from slicer.i18n import tr as _

from PDL1PredictorGUI.scene.parameters import asked_values, declared_values, set_declared
from PDL1PredictorGUI.window.section import ERROR, NOTE, Section, Shared, fill_combo, say

UNKNOWN = ""


class DeclaredValues(Section):
    """A field for every value that the model's cohort declares: a list for words, a line for a number."""

    def __init__(self, shared: Shared) -> None:
        super().__init__(shared)
        self._columns: tuple[Any, ...] = ()
        self._fields: dict[str, Any] = {}
        self._problems: dict[str, str] = {}

    def update(self) -> None:
        """The fields of the chosen model, and what it does with values that are not known."""
        if self._columns != self.shared.declared:
            self._build(self.shared.declared)
        known = declared_values(self.parameters)
        for column in self._columns:
            self._show(column, known.get(column.name))
        self._tell()

    def _build(self, columns: tuple[Any, ...]) -> None:
        layout = self.ui.declaredPanel.layout()
        while layout.rowCount():
            layout.removeRow(0)
        self._columns, self._fields, self._problems = columns, {}, {}
        for column in columns:
            field = qt.QComboBox() if column.words else qt.QLineEdit()
            tip = _("Asked for by the chosen model: {values}. Leave it unknown where it is.")
            field.toolTip = tip.format(values=column.possible)
            if column.words:
                field.connect("activated(int)", partial(self._on_word, column))
            else:
                field.placeholderText = _("unknown")
                field.connect("editingFinished()", partial(self._on_number, column))
            layout.addRow(f"{column.name}:", field)
            self._fields[column.name] = field
        self.ui.declaredPanel.setVisible(bool(columns))

    def _show(self, column: Any, value: Any) -> None:
        field = self._fields[column.name]
        if column.words:
            entries = [(_("unknown"), UNKNOWN), *((word, word) for word in column.words)]
            fill_combo(field, entries, UNKNOWN if value is None else str(value))
        elif column.name not in self._problems:  # what cannot be read stays, to be mended
            field.text = "" if value is None else f"{value:g}"

    def _on_word(self, column: Any, row: int) -> None:
        set_declared(self.parameters, column.name, self._fields[column.name].itemData(row) or None)
        self.shared.refresh()

    def _on_number(self, column: Any) -> None:
        from PDL1PredictorLib.core.errors import InputError

        text = self._fields[column.name].text.strip()
        self._problems.pop(column.name, None)
        value = None
        try:
            value = column.code(text) if text else None
        except InputError as error:
            self._problems[column.name] = str(error)
        set_declared(self.parameters, column.name, value)
        self.shared.refresh()

    def _tell(self) -> None:
        """Which values the model takes, which of them are not known, and what cannot be read."""
        problem = " ".join(self._problems.values())
        self.shared.why_no_clinical = problem
        asked = self.shared.clinical
        known = asked_values(self.parameters, asked)
        text = ""
        if asked:
            missing = [column.name for column in asked if column.name not in known]
            text = _("The chosen model asks for: {names}.").format(names=_listed([column.name for column in asked]))
            if missing:
                text += " " + _(
                    "Not known: {names}. That is estimated from patients of its training cohort, and told."
                ).format(names=_listed(missing))
        say(self.ui.clinicalNeedsLabel, problem or text, ERROR if problem else NOTE)

    def forget(self) -> None:
        """A number that could not be read belongs to the case before."""
        self._problems = {}


def _listed(names: list[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in names)
