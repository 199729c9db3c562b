"""The window and its code before a second judge: Qt 5.15, as in the official builds of Slicer; nothing is run."""

import importlib.util
import os
import re
from pathlib import Path

import pytest
from slicerhost.qt5judge import read_facts
from slicerhost.qt5judge.code_judge import code_faults, judged_uses, sources_of
from slicerhost.qt5judge.ui_judge import ui_faults, widget_classes

MODULE = Path(__file__).resolve().parents[3] / "PDL1Predictor"
UI = (MODULE / "Resources" / "UI" / "PDL1Predictor.ui").read_text(encoding="utf-8")
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


@pytest.fixture(scope="module")
def facts():
    """What Qt 5.15 says of itself; where PyQt5 is missing the tests are skipped, under CI they fail."""
    if importlib.util.find_spec("PyQt5") is None:
        message = "requirements/host.txt is not installed"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    return read_facts()


def test_the_judge_is_qt_5_and_knows_slicers_widgets(facts):
    assert facts.version.startswith("5.15.")
    assert facts.kind("QLabel", "text") == "property"
    assert facts.kind("QPushButton", "clicked") == "signal"
    assert facts.kind("QTableWidgetItem", "text") == "method"
    assert facts.kind("QHeaderView", "Stretch") == "value"
    assert facts.kind("ctkPathLineEdit", "toolTip") == "property"
    assert facts.kind("QLabel", "nothing") == ""


def test_the_window_sets_nothing_that_qt_5_does_not_have(facts):
    assert ui_faults(UI, facts) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('name="wordWrap"', 'name="wrapWords"', "no property 'wrapWords'"),
        ('name="wordWrap"', 'name="hasSelectedText"', "property 'hasSelectedText' is read only"),
        ("<enum>Qt::PlainText<", "<enum>Qt::PlainWords<", "'Qt::PlainWords' is no value of Qt::TextFormat"),
        ("<enum>Qt::PlainText<", "<enum>Qt::TextFormat::PlainText<", "'Qt::TextFormat::PlainText' is no value of"),
        ("<enum>QFrame::StyledPanel<", "<enum>Qt::StyledPanel<", "'Qt::StyledPanel' is no value of QFrame::Shape"),
        ("<enum>Qt::PlainText</enum>", "<set>Qt::PlainText</set>", "takes one value, not a set"),
        ("<set>QAbstractItemView::NoEditTriggers<", "<set>QAbstractItemView::Never<", "is no value of"),
        ("<bool>true</bool>", "<string>true</string>", "of type bool is set by <string>"),
        ("<bool>true</bool>", "<bool>yes</bool>", "'yes' is no bool"),
        ('class="QProgressBar"', 'class="QProgressBarr"', "have no such class"),
        ('class="ctkSliderWidget" name="ringSlider"', 'class="ctkKnob" name="ringSlider"', "have no such class"),
        ('name="collapsed"', 'name="folded"', "no property 'folded'"),
        ('name="nodeTypes"', 'name="nodeKinds"', "no property 'nodeKinds'"),
        ('name="sizeAdjustPolicy"', 'name="labelDrawingMode"', "no property 'labelDrawingMode'"),  # Qt 6.9 has it
        ("<signal>mrmlSceneChanged(vtkMRMLScene*)", "<signal>mrmlSceneChanged()", "has no signal 'mrmlSceneChanged()'"),
        ("<slot>setMRMLScene(vtkMRMLScene*)", "<slot>setScene(vtkMRMLScene*)", "has no slot 'setScene("),
    ],
)
def test_what_qt_5_does_not_have_is_told(facts, old, new, fault):
    assert old in UI
    assert any(fault in found for found in ui_faults(UI.replace(old, new, 1), facts))


def test_the_code_uses_nothing_that_qt_5_or_pythonqt_does_not_have(facts):
    sources = sources_of(MODULE / "PDL1Predictor.py", MODULE / "PDL1PredictorGUI")
    assert code_faults(sources, widget_classes(UI), facts) == []


def test_most_of_the_code_is_judged(facts):
    sources = sources_of(MODULE / "PDL1Predictor.py", MODULE / "PDL1PredictorGUI")
    uses = judged_uses(sources, widget_classes(UI), facts)
    assert len(uses) > 150
    made = set(re.findall(r"\bqt\.(Q\w+)\(", "\n".join(sources.values())))
    assert made - {use.partition(".")[0] for use in uses} <= {"QBrush", "QIcon", "QRegularExpression"}
    assert {"QLabel.text", "QPushButton.clicked(bool)", "ctkPathLineEdit.filters"} <= uses  # here a list, not a sum


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
def test_a_wrong_use_is_told(facts, line):
    found = code_faults({"panel.py": PANEL.format(line=line)}, WIDGETS, facts)
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
def test_a_right_use_is_not(facts, line):
    assert code_faults({"panel.py": PANEL.format(line=line)}, WIDGETS, facts) == []


def test_a_judge_that_cannot_ask_says_so(monkeypatch, tmp_path):
    from slicerhost import qt5judge

    (tmp_path / "facts.py").write_text("raise SystemExit('no Qt here')")
    monkeypatch.setattr(qt5judge, "HERE", tmp_path)
    with pytest.raises(RuntimeError, match="Qt 5.15 gave no facts: no Qt here"):
        read_facts()
