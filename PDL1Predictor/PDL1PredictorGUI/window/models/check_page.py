"""The guide's second page: what the library found in the cases, in words, and what it would refuse."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

TITLE, CASES, USED = range(3)
MOST = 200  # warnings that are listed; the rest is counted


class CheckPage:
    """Progress while the cases are looked at, then endpoints and findings."""

    def __init__(self) -> None:
        self.found: dict[str, Any] = {}
        self.why_not = _("Off while the cases are looked at.")
        self._notes: list[str] = []
        self._log: list[str] = []
        self.widget = qt.QWidget()
        layout = qt.QVBoxLayout(self.widget)
        self.stage = qt.QLabel()
        self.stage.setWordWrap(True)
        self.stage.setTextFormat(qt.Qt.PlainText)
        layout.addWidget(self.stage)
        self.bar = qt.QProgressBar()
        self.bar.setToolTip(_("How many cases have been looked at."))
        layout.addWidget(self.bar)
        self.table = qt.QTableWidget()
        self.table.setColumnCount(3)
        self.table.setHorizontalHeaderLabels([_("Finding"), _("Cases"), _("Used")])
        self.table.verticalHeader().hide()
        self.table.setEditTriggers(qt.QAbstractItemView.NoEditTriggers)
        self.table.horizontalHeader().setSectionResizeMode(CASES, qt.QHeaderView.Stretch)
        self.table.setToolTip(_("How often each answer is known, and whether that is enough."))
        layout.addWidget(self.table, 2)
        self.findings = qt.QTextBrowser()
        self.findings.setOpenLinks(False)
        self.findings.setToolTip(_("What would be refused, what is worth knowing, and warnings of single cases."))
        layout.addWidget(self.findings, 3)

    def begin(self) -> None:
        """The cases are about to be looked at."""
        self.found, self._notes, self._log = {}, [], []
        self.why_not = _("Off while the cases are looked at.")
        self.table.setRowCount(0)
        self.findings.setHtml("")
        self.bar.value = 0
        self.bar.show()
        self.stage.text = _("Looking at the cases …")

    def progress(self, fraction: float, text: str) -> None:
        """So much is done."""
        self.bar.value = round(100 * fraction)
        self.stage.text = text[:1].upper() + text[1:]

    def note(self, notes: Sequence[str]) -> None:
        """What was said when a table was made of a folder."""
        self._notes += notes

    def log(self, line: str) -> None:
        """Something else that was said; shown where the check fails."""
        self._log.append(line)

    def refuse(self, text: str) -> None:
        """The cases cannot be used, with every problem."""
        self.bar.hide()
        self.why_not = _("Off: the cases cannot be used as they are. Go back when the table is corrected.")
        self.stage.text = _("The cases cannot be used as they are.")
        lines = [html.escape(line.strip()) for line in text.splitlines() if line.strip()]
        first = f"<p><b>{lines[0]}</b></p>" if lines else ""
        self.findings.setHtml(f"{first}{_list(lines[1:], escaped=True)}")

    def show(self, found: Mapping[str, Any]) -> None:
        """What was found."""
        self.found = dict(found)
        outlook = found["outlook"]
        refusals = [str(reason) for reason in outlook["refusals"]]
        self.why_not = _("Off: it would be refused, for the reasons above.") if refusals else ""
        self.bar.hide()
        self.stage.text = _("{n} tumors of {patients} patients.").format(n=found["n"], patients=found["patients"])
        self._fill(outlook["endpoints"])
        parts = []
        if refusals:
            parts.append(f"<p><b>{html.escape(_('It would be refused:'))}</b></p>{_list(refusals)}")
        notes = [*self._notes, *found["warnings"], *outlook["notes"]]
        parts.append(_titled(_("Worth knowing:"), notes))
        parts.append(_titled(_("Warnings of single cases:"), _case_lines(found["case_warnings"])))
        shown = "".join(parts)
        self.findings.setHtml(shown or html.escape(_("Nothing is in the way.")))

    def _fill(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.table.setRowCount(len(rows))
        for number, row in enumerate(rows):
            used = _("yes") if row["usable"] else _("no")
            for column, text in ((TITLE, f"{row['title']} ({row['endpoint']})"), (CASES, row["text"]), (USED, used)):
                item = qt.QTableWidgetItem(text)
                item.setToolTip(text)
                self.table.setItem(number, column, item)
        self.table.resizeColumnToContents(TITLE)
        self.table.resizeColumnToContents(USED)
        self.table.resizeRowsToContents()


def _titled(title: str, lines: Sequence[str]) -> str:
    return f"<p><b>{html.escape(title)}</b></p>{_list(lines)}" if lines else ""


def _list(lines: Sequence[str], escaped: bool = False) -> str:
    """Lines as a list, of which a long one is cut."""
    shown = [line if escaped else html.escape(line) for line in lines[:MOST]]
    if len(lines) > MOST:
        shown.append(html.escape(_("and {count} more").format(count=len(lines) - MOST)))
    return f"<ul>{''.join(f'<li>{line}</li>' for line in shown)}</ul>" if shown else ""


def _case_lines(warnings: Mapping[str, Sequence[Mapping[str, str]]]) -> list[str]:
    return [f"{name}: {warning['text']}" for name, found in warnings.items() for warning in found]
