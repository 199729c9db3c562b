"""The judge of sources: what Qt 5.15 or PythonQt does not have is told, whatever can be told is looked at."""

import re
import shutil
from pathlib import Path

import pytest

from slicerhost.qt5judge.code_judge import code_faults, judged_uses, sources_of
from slicerhost.qt5judge.module_judge import module_faults, module_sources, module_widgets

WIDGETS = {
    "label": "QLabel",
    "button": "QPushButton",
    "check": "QCheckBox",
    "combo": "QComboBox",
    "table": "QTableWidget",
    "bar": "QProgressBar",
    "folder": "ctkPathLineEdit",
    "group": "ctkCollapsibleGroupBox",
    "selector": "qMRMLNodeComboBox",
    "editor": "qMRMLSegmentEditorWidget",
}


PANEL = """
import ctk
import qt


class Panel:
    def __init__(self, ui):
        self.ui = ui
        self.timer = qt.QTimer()
        {line}


def helper(widget):
    widget.text = "by a helper"


def asker(widget):
    return widget.currentPath()
"""

FAULTS = {
    "self.ui.label.text()": "QLabel.text is a property: it is not called",
    "self.ui.label.txt = 'a'": "QLabel.txt is no property: it cannot be set",
    "self.ui.label.text = 5": "QLabel.text of type QString is set to 5",
    "self.ui.button.enabled = 'yes'": "QPushButton.enabled of type bool is set to 'yes'",
    "self.ui.bar.value = True": "QProgressBar.value of type int is set to True",
    "self.ui.label.hasSelectedText = True": "QLabel.hasSelectedText is read only",
    "self.ui.label.setText(text='a')": "QLabel.setText: PythonQt takes no arguments by name",
    "self.ui.labell.hide()": "the window has no widget 'labell'",
    "self.ui.button.connect('clicked(int)', print)": "QPushButton has no signal 'clicked(int)'",
    "self.ui.button.connect('clicked', print)": "QPushButton has no signal 'clicked'",
    "self.ui.button.klicked.connect(print)": "QPushButton has no 'klicked'",
    "self.ui.button.clicked()": "QPushButton.clicked is a signal: it is not called",
    "self.ui.check.connect('checkStateChanged(Qt::CheckState)', print)": "QCheckBox has no signal",  # Qt 6.7 has it
    "self.ui.combo.labelDrawingMode = 1": "QComboBox.labelDrawingMode is no property",  # Qt 6.9 has it
    "self.ui.selector.connect('currentNodeChanged(QString)', print)": "qMRMLNodeComboBox has no signal",
    "self.ui.folder.currentPath()": "ctkPathLineEdit.currentPath is a property: it is not called",
    "self.ui.group.setCollapsed(True)": "ctkCollapsibleGroupBox has no 'setCollapsed'",  # C++ only: no slot
    "self.ui.editor.setSegment('a')": "qMRMLSegmentEditorWidget has no 'setSegment'",
    "self.timer.setIntervall(3)": "QTimer has no 'setIntervall'",
    "x = 1 if self.timer.isActive else 2": "QTimer.isActive is a method: it must be called",
    "x = not self.ui.check.isChecked": "QCheckBox.isChecked is a method: it must be called",
    "x = self.ui.combo.findData > 0": "QComboBox.findData is a method: it must be called",
    "x = f'{self.ui.table.currentItem}'": "QTableWidget.currentItem is a method: it must be called",
    "x = qt.QHeaderView.Strech": "QHeaderView has no 'Strech'",
    "x = qt.Qt.AlignMiddle": "Qt has no 'AlignMiddle'",
    "x = qt.QLabel.text": "QLabel.text is a property of objects, not of the class",
    "x = qt.QNewThing()": "has no class QNewThing",
    "self.ui.table.horizontalHeader().setResizeMode(0, 0)": "QHeaderView has no 'setResizeMode'",  # Qt 4 had it
    "self.ui.table.horizontalHeader().sizeHint().height()": "QHeaderView.sizeHint is a property",
    "self.ui.table.horizontalHeader().sizeHint.heigth()": "QSize has no 'heigth'",
    "self.ui.table.item(0, 0).text = 'a'": "QTableWidgetItem.text is no property",
    "ui.label.text()": "QLabel.text is a property",
    "label, x = ui.label, 1; label.text()": "QLabel.text is a property",
    "dialog = qt.QDialog(); dialog.windowTitle()": "QDialog.windowTitle is a property",
    "box = ui.check if ui else ui.button; box.text()": "QPushButton.text is a property",
    "for box, n in ((ui.check, 1), (ui.button, 2)): box.text()": "QCheckBox.text is a property",
    "x = [box.text() for box in (ui.check, ui.label)]": "QLabel.text is a property",
    "self.late = lambda: self.timer.interval()": "QTimer.interval is a property",
    "helper(ui.table)": "QTableWidget.text is no property",
    "asker(ui.folder)": "ctkPathLineEdit.currentPath is a property",
}


@pytest.mark.parametrize("line", FAULTS)
def test_a_wrong_use_is_told(qt5_facts, line):
    found = code_faults({"panel.py": PANEL.format(line=line)}, WIDGETS, qt5_facts)
    assert any(FAULTS[line] in fault for fault in found)
    assert all(re.match(r"panel.py, line \d+: ", fault) for fault in found)


GOOD = [
    "self.ui.label.text = self.ui.button.text + self.ui.label.toolTip",
    "self.ui.button.clicked.connect(self.ui.label.clear)",
    "self.ui.button.connect('clicked()', self.timer.stop)",
    "self.ui.label.alignment = qt.Qt.AlignRight | qt.Qt.AlignVCenter",
    "self.ui.label.name = 'a'",
    "qt.QTimer.singleShot(0, self.timer.stop)",
    "self.ui.table.item(0, 0).setText(self.ui.table.item(0, 0).text())",
    "(self.ui.table.cellWidget(0, 0) or qt.QProgressBar()).setRange(0, 1)",
    "self.ui.folder.filters = ctk.ctkPathLineEdit.Dirs",
    "self.ui.group.collapsed = not self.ui.group.collapsed",
    "x = self.unknown.text() + self.other().nothing",
    "helper(ui.label)",
]


@pytest.mark.parametrize("line", GOOD)
def test_a_right_use_is_not(qt5_facts, line):
    assert code_faults({"panel.py": PANEL.format(line=line)}, WIDGETS, qt5_facts) == []


def test_every_use_whose_class_can_be_told_is_looked_at(qt5_facts):
    line = "self.ui.label.text = self.unknown.text"
    assert "QLabel.text" in judged_uses({"panel.py": PANEL.format(line=line)}, WIDGETS, qt5_facts)


def test_without_known_widgets_no_name_of_a_widget_is_wrong(qt5_facts):
    line = "self.ui.anything.text(); self.timer.interval()"
    (fault,) = code_faults({"panel.py": PANEL.format(line=line)}, None, qt5_facts)
    assert "QTimer.interval is a property" in fault


TOY = Path(__file__).parent / "toy"


def test_pages_of_one_name_are_kept_apart(tmp_path):
    for name in ("Lib/__init__.py", "Lib/inner/__init__.py", "Module.py", "Testing/Module.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"# {name}")
    kept = ["Module.py", "Lib/__init__.py", "Lib/inner/__init__.py"]
    assert sources_of(tmp_path / "Module.py", tmp_path / "Lib") == {name: f"# {name}" for name in kept}
    assert list(module_sources(tmp_path / "Module.py")) == kept


def test_a_whole_module_is_judged_by_its_file(tmp_path, qt5_facts):
    assert module_faults(TOY / "HostToy.py", qt5_facts) == []
    shutil.copytree(TOY, tmp_path / "toy")
    (tmp_path / "toy" / "HostToyLib").mkdir()
    (tmp_path / "toy" / "HostToyLib" / "page.py").write_text("def show(ui):\n    ui.statusLabel.text()\n")
    file = tmp_path / "toy" / "Resources" / "UI" / "HostToy.ui"
    file.write_text(file.read_text().replace('name="maximumNumberOfUndoStates"', 'name="undo"'))
    first, second = module_faults(tmp_path / "toy" / "HostToy.py", qt5_facts)
    assert first.startswith("HostToy.ui, qMRMLSegmentEditorWidget 'segmentEditor': no property 'undo'")
    assert second.startswith("HostToyLib/page.py, line 2: QLabel.text is a property")


def test_a_name_that_stands_for_two_classes_is_not_judged(tmp_path):
    folder = tmp_path / "Resources" / "UI"
    folder.mkdir(parents=True)
    assert module_widgets(tmp_path / "Module.py") is None
    for number, kind in enumerate(("QLabel", "QPushButton")):
        text = f'<ui><widget class="{kind}" name="twice"/><widget class="QLabel" name="same"/></ui>'
        (folder / f"{number}.ui").write_text(text)
    assert module_widgets(tmp_path / "Module.py") == {"twice": "", "same": "QLabel"}
